"""
Names that Active Directory never gives again: GUIDs and SIDs, as bytes and as text.

A GUID's first three parts are little-endian on the wire ([MS-DTYP] 2.3.4.2), a SID is
[MS-DTYP] 2.4.2.2. With the extended DN control ([MS-ADTS] 3.1.1.3.4.1.5) every DN in an
answer carries both, so that nothing has to be found by its DN.
"""

import re
from dataclasses import dataclass
from uuid import UUID

_SUB_AUTHORITIES = 15  # at most
_HEAD = 8  # bytes of a SID before its sub-authorities
_SID = re.compile(r"[Ss]-(\d{1,3})-(\d{1,15})((?:-\d{1,10}){1,15})")
_EXTENDED = re.compile(r"<(GUID|SID)=([^>]*)>;?", re.IGNORECASE)


class NotAnIdentifier(ValueError):
    """The bytes or the text are no GUID and no SID."""


def object_id(raw: bytes) -> str:
    """Return an objectGUID in canonical lower case."""
    try:
        return str(UUID(bytes_le=raw))
    except ValueError as error:
        raise NotAnIdentifier("a GUID has 16 bytes") from error


def guid_filter(id_: str) -> str:
    """Return a GUID as a filter compares it: every byte escaped."""
    return "".join(f"\\{byte:02x}" for byte in UUID(id_).bytes_le)


def guid_base(id_: str) -> str:
    """Return a base to search at, whatever the entry is called now."""
    return f"<GUID={UUID(id_)}>"


def sid_text(raw: bytes) -> str:
    """Return a SID as `S-1-5-21-…`. Raises NotAnIdentifier."""
    if len(raw) < _HEAD or len(raw) != _HEAD + 4 * raw[1] or raw[1] > _SUB_AUTHORITIES:
        raise NotAnIdentifier("a SID of a wrong length")
    authority = int.from_bytes(raw[2:_HEAD], "big")
    steps = range(_HEAD, len(raw), 4)
    subs = [int.from_bytes(raw[at : at + 4], "little") for at in steps]
    return "-".join(["S", str(raw[0]), str(authority), *map(str, subs)])


def sid_bytes(text: str) -> bytes:
    """Return `S-1-5-21-…` as it is stored. Raises NotAnIdentifier."""
    found = _SID.fullmatch(text)
    if found is None:
        raise NotAnIdentifier("not a SID")
    subs = [int(each) for each in found[3].split("-")[1:]]
    try:
        head = bytes((int(found[1]), len(subs))) + int(found[2]).to_bytes(6, "big")
        return head + b"".join(sub.to_bytes(4, "little") for sub in subs)
    except (OverflowError, ValueError) as error:
        raise NotAnIdentifier("a number in the SID is too large") from error


@dataclass(frozen=True, slots=True)
class Named:
    """A DN with what stands before it; `id` and `sid` are empty if not told."""

    dn: str
    id: str = ""
    sid: str = ""


def named(text: str) -> Named:
    """Read `<GUID=…>;<SID=…>;CN=…`; a plain DN is one without the rest."""
    id_ = sid = ""
    at = 0
    while found := _EXTENDED.match(text, at):
        at = found.end()
        if found[1].upper() == "GUID":
            id_ = _guid(found[2])
        else:
            sid = found[2]
    return Named(text[at:], id_, sid)


def _guid(text: str) -> str:
    """Read a GUID in text, or in hex as it is stored (control flag 0)."""
    try:
        return str(UUID(text)) if "-" in text else object_id(bytes.fromhex(text))
    except ValueError as error:
        raise NotAnIdentifier("not a GUID in an extended DN") from error
