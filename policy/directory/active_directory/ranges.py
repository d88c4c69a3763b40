"""
All values of an attribute that has more than a server gives at once.

Active Directory answers `member` of a large group with nothing and puts the first 1,500
under `member;range=0-1499` ([MS-ADTS] 3.1.1.3.1.3.3). Whoever looks for `member` alone
sees an empty group.
"""

import re
from dataclasses import dataclass

from policy.directory.active_directory.controls import EXTENDED_NAMES
from policy.directory.active_directory.identifiers import guid_base
from policy.directory.ldap.answers import Found
from policy.directory.ldap.connection import Incomplete, LdapConnection

_OPTION = re.compile(r"([^;]+);(?:.*;)?range=(\d{1,10})-(\d{1,10}|\*)", re.IGNORECASE)
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Slice:
    """Which of an attribute's values are here; `last` is None if none follow."""

    attribute: str
    first: int
    last: int | None


def slice_of(name: str) -> Slice | None:
    """Read an attribute's name with its range, None if it has none."""
    found = _OPTION.fullmatch(name)
    if found is None:
        return None
    last = None if found[3] == "*" else int(found[3])
    return Slice(found[1].lower(), int(found[2]), last)


async def all_values(
    connection: LdapConnection, id_: str, found: Found, attribute: str
) -> tuple[bytes, ...]:
    """
    Return every value, asking on where `found` has the first ones only.

    `found` must have been asked for uSNChanged too: if the entry changes meanwhile, the
    pieces do not fit together and all are read again. Raises Incomplete.
    """
    version = found.text("usnchanged")
    for _ in range(_TRIES):
        values, moved = await _joined(connection, id_, found, attribute)
        if not moved:
            return values
        fresh = await _piece(connection, id_, attribute, 0)
        found, version = fresh, fresh.text("usnchanged")
    raise Incomplete(
        f"{connection.where}: {attribute} of {id_} changes faster than it can be read"
        f" (at {version})"
    )


async def _joined(
    connection: LdapConnection, id_: str, found: Found, attribute: str
) -> tuple[tuple[bytes, ...], bool]:
    """Return the values from a first piece on, and whether the entry moved meanwhile."""
    version = found.text("usnchanged")
    values, here = _values(found, attribute)
    gathered = list(values)
    while here is not None and here.last is not None:
        if here.first + len(values) - 1 != here.last:
            raise Incomplete(f"{connection.where}: a range of {attribute} with gaps")
        found = await _piece(connection, id_, attribute, here.last + 1)
        if found.text("usnchanged") != version:
            return (), True
        values, here = _values(found, attribute)
        if here is None:
            raise Incomplete(f"{connection.where}: a range of {attribute} broke off")
        gathered += values
    return tuple(gathered), False


def _values(found: Found, attribute: str) -> tuple[tuple[bytes, ...], Slice | None]:
    for name, values in found.attributes.items():
        here = slice_of(name)
        if here is not None and here.attribute == attribute.lower():
            return values, here
    return found.attributes.get(attribute.lower(), ()), None


async def _piece(
    connection: LdapConnection, id_: str, attribute: str, first: int
) -> Found:
    asked = (f"{attribute};range={first}-*", "uSNChanged")
    found = await connection.one(guid_base(id_), asked, (EXTENDED_NAMES,))
    if found is None:
        raise Incomplete(f"{connection.where}: {id_} went away while it was read")
    return found
