"""
Mattermost's CSV: one row a message, file, arrival or departure; 20 columns each.

Times are milliseconds UTC. A cell that a spreadsheet would take for a formula gets an
apostrophe before it.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from storage.compliance.export.cells import table
from storage.compliance.export.model import (
    Attached,
    Conversation,
    Heading,
    PlaceKind,
    Source,
    Who,
    Written,
)
from storage.compliance.export.text import (
    as_json,
    milliseconds,
    unguarded,
    utf8,
)
from storage.compliance.export.updates import Line, Update, lines

FOLDER = "csv"
COLUMNS = (
    "Post Creation Time",
    "Post Update Time",
    "Post Update Type",
    "Team Id",
    "Team Name",
    "Team Display Name",
    "Channel Id",
    "Channel Name",
    "Channel Display Name",
    "Channel Type",
    "User Id",
    "User Email",
    "Username",
    "Post Id",
    "Edited By Post Id",
    "Replied to Post Id",
    "Post Message",
    "Post Type",
    "User Type",
    "Previews Post Id",
)
# Before 10.5 there were no updates; and rows for attachments were one field short.
OLD_COLUMNS = tuple(c for c in COLUMNS if not c.startswith("Post Update"))
_TYPES = {
    PlaceKind.CHANNEL: "public",
    PlaceKind.PRIVATE: "private",
    PlaceKind.GROUP: "group",
    PlaceKind.DIRECT: "direct",
}
_ATTACHMENT = "attachment"


def files(heading: Heading, source: Source) -> Iterator[Written]:
    """Yield the table, what it counts, and what is not there."""
    missing: list[str] = []
    counts = {"rows": 0}
    yield Written(f"{FOLDER}/posts.csv", table(_counted(source, missing, counts)))
    told: Mapping[str, object] = {
        "export": heading.id,
        "size": heading.size,
        "root": heading.root,
        "time_zone": "UTC",
        "channels": [
            {
                "id": place.id,
                "platform": place.platform,
                "team": place.team,
                "name": place.shown,
                "members": len(place.people),
                "first": milliseconds(place.first_us),
                "last": milliseconds(place.last_us),
            }
            for place in source.conversations()
        ],
        "rows": counts["rows"],
    }
    yield Written(f"{FOLDER}/metadata.json", iter([as_json(told) + b"\n"]))
    if missing:
        text = "".join(f"{line}\n" for line in missing)
        yield Written(f"{FOLDER}/warning.txt", iter([utf8(text)]))


def read(text: str) -> Iterator[Mapping[str, str]]:
    """
    Read such a table of either width; what is not in it is empty.

    Raises `ValueError` for anything else.
    """
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = tuple(next(rows, ()))
    if header not in {COLUMNS, OLD_COLUMNS}:
        raise ValueError("this is no table of messages: its columns are others")
    for row in rows:
        if len(row) not in {len(header), len(header) - 1}:
            raise ValueError(f"line {rows.line_num} has {len(row)} fields")
        cells = dict(zip(header, row, strict=False))
        yield {name: unguarded(cells.get(name, "")) for name in COLUMNS}


def _counted(
    source: Source, missing: list[str], counts: dict[str, int]
) -> Iterator[Sequence[str]]:
    yield COLUMNS
    for row in _rows(source, missing):
        counts["rows"] += 1
        yield row


def _rows(source: Source, missing: list[str]) -> Iterator[list[str]]:
    for place in source.conversations():
        yield from _arrivals(place)
        for item in source.items(place):
            for line in lines(item):
                yield from _message(place, line, missing)
        yield from _departures(place)


def _arrivals(place: Conversation) -> Iterator[list[str]]:
    told = {(s.who.platform, s.who.id) for s in place.stays}
    for who in place.people:
        if (who.platform, who.id) not in told:
            yield _stay(place, who, place.first_us, "previously-joined", "")
    for stay in place.stays:
        if stay.joined_us:
            yield _stay(place, stay.who, stay.joined_us, "enter", "joined")
        else:
            yield _stay(place, stay.who, place.first_us, "previously-joined", "")


def _departures(place: Conversation) -> Iterator[list[str]]:
    for stay in place.stays:
        if stay.left_us:
            yield _stay(place, stay.who, stay.left_us, "leave", "left")


def _stay(place: Conversation, who: Who, at_us: int, kind: str, word: str) -> list[str]:
    text = f"User {who.shown} ({who.address}) {word or 'was already in'} the channel"
    return _row(place, who, at_us, {"Post Message": text, "Post Type": kind})


def _message(
    place: Conversation, line: Line, missing: list[str]
) -> Iterator[list[str]]:
    more = {
        "Post Message": line.text,
        "Post Type": "message",
        "Edited By Post Id": line.newer,
        **_updated(line, line.update),
    }
    yield _row(place, line.by, line.said_us, more)
    if line.update in {Update.NONE, Update.EDITED_ORIGINAL}:
        for file in line.files:
            yield _file(place, line, file, _ATTACHMENT)
            if not file.path:
                missing.append(f"{line.id} {file.id}: {file.missing}")
    for file in line.gone:
        yield _file(place, line, file, "deleted attachment")


def _file(place: Conversation, line: Line, file: Attached, kind: str) -> list[str]:
    update = Update.NONE if kind == _ATTACHMENT else Update.FILE_DELETED
    more = {"Post Message": file.path or file.name, "Post Type": kind}
    return _row(place, line.by, line.said_us, more | _updated(line, update))


def _updated(line: Line, update: Update) -> dict[str, str]:
    return {
        "Post Id": line.id,
        "Replied to Post Id": line.reply_to,
        "Post Update Type": str(update),
        "Post Update Time": str(milliseconds(line.updated_us)) if update else "",
    }


def _row(
    place: Conversation, who: Who, at_us: int, more: Mapping[str, str]
) -> list[str]:
    values = {
        "Post Creation Time": str(milliseconds(at_us)),
        "Team Id": place.team,
        "Team Name": place.team,
        "Team Display Name": place.team,
        "Channel Id": place.id,
        "Channel Name": place.shown,
        "Channel Display Name": place.shown,
        "Channel Type": _TYPES[place.kind],
        "User Id": who.id,
        "User Email": who.address,
        "Username": who.shown,
        "User Type": "bot" if who.is_bot else "user",
    }
    values |= more
    return [values.get(name, "") for name in COLUMNS]
