"""
The DirSync control ([MS-ADTS] 3.1.1.3.4.1.3), written and read by ourselves.

ldap3's own writes the flags in five bytes where `long` has 64 bits, which Active
Directory answers with unavailableCriticalExtension and Samba does not mind.
"""

from dataclasses import dataclass
from enum import IntFlag

from policy.directory.ldap import ber
from policy.directory.ldap.conversation import Control

OID = "1.2.840.113556.1.4.841"


class Flag(IntFlag):
    """What is asked of DirSync."""

    OBJECT_SECURITY = 0x0000_0001  # see only what the account may read: needs no right
    ANCESTORS_FIRST = 0x0000_0800
    PUBLIC_DATA_ONLY = 0x0000_2000
    INCREMENTAL_VALUES = 0x8000_0000  # which members came and went, not all of them


@dataclass(frozen=True, slots=True)
class Position:
    """Where a feed stands. There is `more` to ask for right now."""

    more: bool
    cookie: bytes


def request(cookie: bytes, flags: Flag, max_bytes: int = 0) -> Control:
    """Ask for what changed since a cookie; an empty one means since ever."""
    value = ber.sequence(
        # A signed number of exactly four bytes, whatever its highest bit says.
        ber.value(ber.INTEGER, int(flags).to_bytes(4, "big")),
        ber.integer(max_bytes),
        ber.value(ber.OCTETS, cookie),
    )
    return Control(OID, value, critical=True)


def response(value: bytes) -> Position:
    """Read what the server says of the feed. Raises NotBer."""
    start, stop = ber.inside(value, ber.SEQUENCE)
    found = list(ber.parts(value, start, stop))
    if [tag for tag, _, _ in found] != [ber.INTEGER, ber.INTEGER, ber.OCTETS]:
        raise ber.NotBer("no DirSync control")
    (_, a, b), _, (_, c, d) = found
    return Position(ber.number(value, a, b) != 0, value[c:d])
