"""Items as JSON and back, for the folder in which an export is put together."""

from typing import Any

import orjson

from storage.compliance.export.model import (
    Attached,
    Change,
    Item,
    Origin,
    Reaction,
    Revision,
    Stamp,
    Who,
)
from storage.compliance.export.text import as_json

People = dict[tuple[Any, ...], Who]


def packed(item: Item) -> bytes:
    """Return the item as JSON; `unpacked` reads it."""
    return as_json(
        [
            item.platform,
            item.team,
            item.conv,
            item.msg,
            item.thread,
            item.link,
            [item.origin.seq, item.origin.leaf] if item.origin else None,
            [_revision(r) for r in item.revisions],
            [
                [stamp_row(r.stamp), r.at_us, who_row(r.by), r.emoji, r.added]
                for r in item.reactions
            ],
        ]
    )


def unpacked(data: bytes, people: People) -> Item:
    """Read what `packed` wrote. `people` keeps everybody once."""
    platform, team, conv, msg, thread, link, origin, revisions, reactions = (
        orjson.loads(data)
    )
    return Item(
        platform=platform,
        team=team,
        conv=conv,
        msg=msg,
        thread=thread,
        link=link,
        origin=Origin(*origin) if origin else None,
        revisions=tuple(
            Revision(
                change=Change(change),
                stamp=Stamp(*stamp),
                rev=rev,
                at_us=at_us,
                by=person_of(by, people),
                text=text,
                files=tuple(Attached(*file) for file in files),
                withheld=withheld,
            )
            for change, stamp, rev, at_us, by, text, files, withheld in revisions
        ),
        reactions=tuple(
            Reaction(Stamp(*stamp), at_us, person_of(by, people), emoji, added)
            for stamp, at_us, by, emoji, added in reactions
        ),
    )


def _revision(r: Revision) -> list[Any]:
    files = [attached_row(file) for file in r.files]
    return [
        str(r.change),
        stamp_row(r.stamp),
        r.rev,
        r.at_us,
        who_row(r.by),
        r.text,
        files,
        r.withheld,
    ]


def stamp_row(s: Stamp) -> list[Any]:
    return [s.seq, s.leaf, s.eid, s.captured_us, s.via]


def who_row(who: Who) -> list[str]:
    return [who.platform, who.id, who.name, who.email, who.kind]


def person_of(told: list[str], people: People) -> Who:
    key = tuple(told)
    if key not in people:
        people[key] = Who(*told)
    return people[key]


def attached_row(f: Attached) -> list[Any]:
    return [f.id, f.name, f.mime, f.size, f.url, f.path, f.sha256, f.md5, f.missing]
