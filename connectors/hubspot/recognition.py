"""Objects of HubSpot's that a text names by their links; they have no numbers to say."""

import re

from yarl import URL

from bridge.records.model import Mention, System
from connectors.addresses import same_place
from connectors.hubspot.portal import KINDS, NUMBERS, Kind, Portal

_URL = re.compile(r"https?://[^\s<>|\"'`\\]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}*_~"
_ID = re.compile(r"[1-9]\d{0,19}")


def mentions(text: str, portal: Portal) -> list[Mention]:
    """Return the objects of a portal that are named, in order."""
    found = []
    for match in _URL.finditer(text):
        address = match[0].rstrip(_TRAILING)
        named = _object(address, portal)
        if named is None:
            continue
        kind, id_ = named
        start, ref = match.start(), portal.ref(kind, id_)
        found.append(
            Mention(
                System.HUBSPOT,
                portal.instance,
                kind.name,
                id_,
                start,
                start + len(address),
                ref,
                address,
            )
        )
    return found


def _object(address: str, portal: Portal) -> tuple[Kind, str] | None:
    try:
        url = URL(address)
        same = same_place(url, portal.page)
    except ValueError:
        return None
    # No id has escapes in it, and what they hide is no part of a path.
    if not same or url.user or url.password or "%" in url.raw_path:
        return None
    root = [part for part in portal.page.path.split("/") if part]
    parts = [part for part in url.path.split("/") if part]
    if parts[: len(root)] != root:
        return None
    match parts[len(root) :]:
        case ["contacts", number, "record", kind, id_, *_] if kind in NUMBERS:
            found = NUMBERS[kind]
        case ["contacts", number, name, id_, *_] if name in KINDS:
            found = KINDS[name]
        case _:
            return None
    ours = number == str(portal.portal_id)
    return (found, id_) if ours and _ID.fullmatch(id_) else None
