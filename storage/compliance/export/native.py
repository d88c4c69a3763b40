"""
ATOM's own format: everything that is known, and what proves it.

A file a conversation, a line of JSON a message. Under `entries` each line holds the
log entries that it is made of, opened: `nonce` and `body` are what the entry's leaf
commits to (HMAC-SHA256), so that content can be checked against the tree.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Protocol

from storage.compliance.export.model import (
    Attached,
    Conversation,
    Heading,
    Item,
    Reaction,
    Revision,
    Source,
    Stamp,
    Who,
    Written,
)
from storage.compliance.export.paths import Names
from storage.compliance.export.spooled import Opened
from storage.compliance.export.text import as_json, local, utc

FOLDER = "native"


class Provable(Source, Protocol):
    """A source that can show what entries are made of."""

    def opened(self, item: Item) -> Sequence[Opened]:
        """Return a message's entries as they were committed to."""
        ...


def files(heading: Heading, source: Provable) -> Iterator[Written]:
    """Yield the list of conversations, and a file for each."""
    names, places = Names(), source.conversations()
    placed = [names.one(f"{place.platform}-{place.id}.jsonl") for place in places]
    listed = [
        _place(place, f"{FOLDER}/{name}", heading)
        for place, name in zip(places, placed, strict=True)
    ]
    told = {"time_zone": heading.zone, "conversations": listed}
    about = as_json(told, ordered=True) + b"\n"
    yield Written(f"{FOLDER}/conversations.json", iter([about]))
    for place, name in zip(places, placed, strict=True):
        held: list[tuple[int, str]] = []
        lines = _lines(heading, source, place, held)
        yield Written(f"{FOLDER}/{name}", lines, partial(iter, held))


def _lines(
    heading: Heading,
    source: Provable,
    place: Conversation,
    held: list[tuple[int, str]],
) -> Iterator[bytes]:
    """Yield the lines; `held` takes the entries that were written."""
    for item in source.items(place):
        told, entries = _message(item, heading.zone), source.opened(item)
        told["entries"] = [_opened(entry) for entry in entries]
        held.extend((entry.seq, entry.leaf) for entry in entries)
        yield as_json(told, ordered=True) + b"\n"


def _opened(entry: Opened) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "leaf": entry.leaf,
        "nonce": entry.nonce,
        "body": entry.body.decode(),
    }


def _message(item: Item, zone: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "platform": item.platform,
        "team": item.team,
        "conversation": item.conv,
        "message": item.msg,
        "thread": item.thread,
        "said": _time(item.at_us, zone),
        "author": _who(item.author),
        "deleted": item.deleted is not None,
        "is_copy": item.origin is not None,
        "revisions": [_revision(r, zone) for r in item.revisions],
        "reactions": [_reaction(r, zone) for r in item.reactions],
    }
    if item.link:
        told["link"] = item.link
    if item.origin:
        told["origin"] = {"seq": item.origin.seq, "leaf": item.origin.leaf}
    return told


def _revision(revision: Revision, zone: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "change": str(revision.change),
        "revision": revision.rev,
        "at": _time(revision.at_us, zone),
        "by": _who(revision.by),
        "text": revision.text,
        "files": [_file(file) for file in revision.files],
        **_stamp(revision.stamp),
    }
    return told | ({"withheld": revision.withheld} if revision.withheld else {})


def _reaction(reaction: Reaction, zone: str) -> dict[str, Any]:
    return {
        "emoji": reaction.emoji,
        "added": reaction.added,
        "at": _time(reaction.at_us, zone),
        "by": _who(reaction.by),
        **_stamp(reaction.stamp),
    }


def _stamp(stamp: Stamp) -> dict[str, Any]:
    return {
        "seq": stamp.seq,
        "leaf": stamp.leaf,
        "eid": stamp.eid,
        "captured_us": stamp.captured_us,
        "via": stamp.via,
    }


def _file(file: Attached) -> dict[str, Any]:
    told = {"id": file.id, "name": file.name, "mime": file.mime, "size": file.size}
    if file.path:
        return told | {"path": file.path, "sha256": file.sha256}
    return told | {"missing": file.missing}


def _who(who: Who) -> dict[str, str]:
    return {
        "platform": who.platform,
        "id": who.id,
        "name": who.name,
        "email": who.email,
        "kind": who.kind,
    }


def _place(place: Conversation, path: str, heading: Heading) -> dict[str, Any]:
    return {
        "platform": place.platform,
        "team": place.team,
        "id": place.id,
        "name": place.name,
        "kind": str(place.kind),
        "path": path,
        "people": [_who(who) for who in place.people],
        "stays": [
            {
                "who": _who(stay.who),
                "joined": _time(stay.joined_us, heading.zone),
                "left": _time(stay.left_us, heading.zone),
            }
            for stay in place.stays
        ],
    }


def _time(us: int, zone: str) -> dict[str, Any] | None:
    """Return a time in microseconds, in UTC and on the clocks of the time zone."""
    if us <= 0:
        return None
    return {"us": us, "utc": utc(us), "local": local(us, zone)}
