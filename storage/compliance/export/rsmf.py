"""
RSMF 2.0: what reviewers of chat load. A file a conversation and day of the time zone.

Each is a mail (RFC 5322) around `rsmf.zip`, which holds `rsmf_manifest.json` and the
files of that day; the days of one conversation share their event collection id. Edits
stand at their message with every text before; deleted messages keep their content.
A day of a large conversation names who did something; everybody stands in a list.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from typing import Any

from storage.compliance.export import mail
from storage.compliance.export.archive import ZipWriter
from storage.compliance.export.model import (
    Attached,
    Conversation,
    Heading,
    Item,
    PlaceKind,
    Source,
    Who,
    Written,
)
from storage.compliance.export.participants import lists, placed
from storage.compliance.export.paths import Names
from storage.compliance.export.slices import days
from storage.compliance.export.text import as_json, day, moment, utf8

FOLDER = "rsmf"
VERSION = "2.0.0"
MANIFEST = "rsmf_manifest.json"
_MOST_BYTES = 512 * 1024 * 1024  # of a day's files, which are put together in memory
_CHATS = {PlaceKind.DIRECT, PlaceKind.GROUP}


@dataclass(frozen=True, slots=True)
class _Move:
    """Somebody came (`join`) or went (`leave`)."""

    kind: str
    who: Who
    at_us: int


@dataclass(frozen=True, slots=True)
class _Day:
    """A conversation's day. `listed` is the path of the list of all its people."""

    place: Conversation
    listed: str
    name: str
    items: Sequence[Item]
    moves: Sequence[_Move]

    @property
    def people(self) -> Mapping[str, Who]:
        """Those whom the day's file names: everybody, unless there is a list."""
        found = {} if self.listed else {_who(w): w for w in self.place.people}
        for item in self.items:
            for who in (
                *(r.by for r in item.revisions),
                *(r.by for r in item.reactions),
            ):
                found.setdefault(_who(who), who)
        others = self.moves if self.listed else self.place.stays
        for one in others:
            found.setdefault(_who(one.who), one.who)
        return found


def files(heading: Heading, source: Source) -> Iterator[Written]:
    """Yield an `.rsmf` a conversation and day, and long lists of people."""
    names = Names()
    for place, listed in placed(source):
        moves = _moves(heading, place)
        for name, items in days(heading, source, place):
            stem = f"{place.shown[:40]} {name} ({place.id[:40]})"
            path = f"{FOLDER}/{names.one(f'{stem}.rsmf')}"
            one = _Day(place, listed, name, items, moves.get(name, ()))
            yield Written(path, _mail(heading, source, one))
    yield from lists(FOLDER, heading, source)


def _moves(heading: Heading, place: Conversation) -> Mapping[str, Sequence[_Move]]:
    """Return who came and went, by the day."""
    found: dict[str, list[_Move]] = {}
    for stay in place.stays:
        for kind, at_us in (("join", stay.joined_us), ("leave", stay.left_us)):
            if at_us:
                its_day = found.setdefault(day(at_us, heading.zone), [])
                its_day.append(_Move(kind, stay.who, at_us))
    return found


def _mail(heading: Heading, source: Source, one: _Day) -> Iterator[bytes]:
    place, items = one.place, one.items
    attached = _attached(items)
    manifest = _manifest(heading, one, attached)
    people = [p["display"] for p in manifest["participants"]]
    begin, end = (_iso(min(_times(items))), _iso(max(_times(items))))
    collection = sha256("\0".join(place.key).encode("utf-8", "replace")).hexdigest()
    yield mail.people("From", [(items[0].author.shown, items[0].author.address)])
    yield mail.header("Subject", f"{place.shown} {one.name}")
    yield mail.date(moment(max(min(_times(items)), 0)))
    yield b"MIME-Version: 1.0\r\n"
    yield mail.header("X-RSMF-Version", VERSION)
    yield mail.header("X-RSMF-Generator", "ATOM")
    yield mail.header("X-RSMF-BeginDate", begin)
    yield mail.header("X-RSMF-EndDate", end)
    yield mail.header("X-RSMF-EventCount", str(len(manifest["events"])))
    yield mail.header("X-RSMF-Application", place.platform)
    yield mail.header("X-RSMF-Custodian", heading.custodian or items[0].author.shown)
    yield mail.header("X-RSMF-Participants", "; ".join(people))
    yield mail.header("X-RSMF-AttachmentCount", str(len(attached)))
    yield mail.header("X-RSMF-EventCollectionID", collection[:32])
    boundary = f"=_{collection[:24]}.{one.name}"
    yield mail.multipart("mixed", boundary)
    yield mail.part(boundary)
    yield from mail.text_part("plain", [_body(place, items)])
    yield mail.part(boundary)
    zipped = _zip(source, manifest, attached)
    yield from mail.attachment("rsmf.zip", "application/zip", [zipped])
    yield mail.end(boundary)


def _zip(source: Source, manifest: dict[str, Any], attached: dict[str, str]) -> bytes:
    stream = io.BytesIO()
    with ZipWriter(stream) as archive:
        archive.add(MANIFEST, [as_json(manifest)])
        for path in sorted(attached, key=lambda p: attached[p]):
            archive.add(attached[path], source.content(path))
    return stream.getvalue()


def _attached(items: Sequence[Item]) -> dict[str, str]:
    """Return the name in `rsmf.zip` of each file whose bytes are here, by its path."""
    names, found, weight = Names(), {}, 0
    names.one(MANIFEST)
    for file in (f for i in items for r in i.revisions for f in r.files):
        if file.path and file.path not in found and weight + file.size <= _MOST_BYTES:
            weight += file.size
            found[file.path] = names.one(file.name)
    return found


def _manifest(heading: Heading, one: _Day, attached: dict[str, str]) -> dict[str, Any]:
    place, people = one.place, one.people
    events = [_message(place, item, attached) for item in one.items]
    events += [_moved(place, move) for move in one.moves]
    custom = [("Time zone of the days", heading.zone), ("Export", heading.id)]
    if one.listed:
        custom += [("Participants", str(len(place.people))), ("List", one.listed)]
    return {
        "version": VERSION,
        "participants": [_participant(people[i]) for i in sorted(people)],
        "conversations": [
            {
                "id": place.id,
                "display": place.shown,
                "platform": place.platform,
                "type": "direct" if place.kind in _CHATS else "channel",
                "participants": sorted(people),
                "custom": [{"name": name, "value": value} for name, value in custom],
            }
        ],
        "events": sorted(events, key=lambda e: (e["timestamp"], e["id"])),
    }


def _participant(who: Who) -> dict[str, Any]:
    return {"id": _who(who), "display": who.shown, "email": who.address}


def _message(
    place: Conversation, item: Item, attached: dict[str, str]
) -> dict[str, Any]:
    content, deleted = item.content, item.deleted
    told: dict[str, Any] = {
        "id": item.msg,
        "type": "message",
        "participant": _who(item.author),
        "conversation": place.id,
        "timestamp": _iso(item.at_us),
        "body": content.text,
        "deleted": deleted is not None,
        "custom": [*_custom(item)],
    }
    if item.thread:
        told["parent"] = item.thread
    edits = [
        {
            "participant": _who(after.by),
            "timestamp": _iso(after.at_us),
            "previous": before.text if before else "",
            "new": after.text,
        }
        for before, after in item.edits
    ]
    reactions = [
        {"value": e, "participants": [_who(w) for w in people], "count": len(people)}
        for e, people in item.standing
    ]
    files = [*_files(item, attached)]
    more = (("edits", edits), ("reactions", reactions), ("attachments", files))
    return told | {name: value for name, value in more if value}


def _custom(item: Item) -> Iterator[dict[str, str]]:
    for r in item.revisions:
        value = f"{r.change} by {r.by.address} at {_iso(r.at_us)}, {r.stamp.leaf}"
        yield {"name": f"Entry {r.stamp.seq}", "value": value}
        if r.withheld:
            yield {"name": f"Withheld {r.stamp.seq}", "value": r.withheld}
        for file in r.files:
            if not file.path:
                yield {"name": f"File {file.name}", "value": file.missing}
    for one in item.reactions:
        word = "added" if one.added else "removed"
        value = f"{one.emoji} {word} by {one.by.address} at {_iso(one.at_us)}"
        yield {"name": f"Entry {one.stamp.seq}", "value": value}
    if item.origin:
        yield {"name": "Copy of entry", "value": str(item.origin.seq)}


def _files(item: Item, attached: dict[str, str]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for file in _every(item):
        if file.path in attached and file.path not in seen:
            seen.add(file.path)
            name = attached[file.path]
            yield {"id": name, "display": file.name, "size": file.size}


def _every(item: Item) -> Iterator[Attached]:
    for revision in item.revisions:
        yield from revision.files


def _moved(place: Conversation, move: _Move) -> dict[str, Any]:
    return {
        "id": f"{move.kind}-{_who(move.who)}-{move.at_us}",
        "type": move.kind,
        "participant": _who(move.who),
        "conversation": place.id,
        "timestamp": _iso(move.at_us),
    }


def _times(items: Sequence[Item]) -> list[int]:
    return [item.at_us for item in items]


def _body(place: Conversation, items: Sequence[Item]) -> bytes:
    return utf8(f"{place.shown} ({place.platform}): {len(items)} messages\n")


def _who(who: Who) -> str:
    return f"{who.platform}:{who.id}"


def _iso(us: int) -> str:
    at = moment(max(us, 0)).astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"
