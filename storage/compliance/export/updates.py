"""
How edits and deletions are told where a format knows flat messages only.

The words are those of Mattermost's exports, which archives read already. Its rules for
ids are not followed: here the first text keeps the message's id, and each later one
has an id of its own that begins with it, so that nothing points to another's text.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from storage.compliance.export.model import (
    Attached,
    Change,
    Item,
    Revision,
    Stamp,
    Who,
)


class Update(StrEnum):
    """What a line says of a message beside that it was said."""

    NONE = ""
    EDITED_ORIGINAL = "EditedOriginalMsg"
    EDITED_NEW = "EditedNewMsg"
    SAME = "UpdatedNoMsgChange"
    DELETED = "Deleted"
    FILE_DELETED = "FileDeleted"


@dataclass(frozen=True, slots=True)
class Line:
    """One message as archives know them."""

    id: str
    by: Who
    said_us: int
    text: str
    stamp: Stamp
    update: Update = Update.NONE
    updated_us: int = 0
    newer: str = ""  # the id of the text that replaced this one
    files: tuple[Attached, ...] = ()
    gone: tuple[Attached, ...] = ()
    reply_to: str = ""

    @property
    def at_us(self) -> int:
        """Where it belongs in time: when it was last changed."""
        return self.updated_us or self.said_us


def lines(item: Item) -> Iterator[Line]:
    """Yield everything that happened to a message, each thing as a line."""
    before: Line | None = None
    texts = [r for r in item.revisions if r.change is not Change.DELETE]
    ids = {r.stamp.seq: _id(item, n) for n, r in enumerate(texts)}
    for revision in item.revisions:
        if revision.change is Change.DELETE:
            yield _deletion(item, revision, before, ids)
            continue
        line = _said(item, revision, ids[revision.stamp.seq], before)
        later = _replaced_by(item, revision)
        if later is not None and line.update is Update.NONE:
            line = _original(line, later, ids[later.stamp.seq])
        before = line
        yield line
    yield from _reactions(item)


def _said(item: Item, revision: Revision, name: str, before: Line | None) -> Line:
    edited = revision.change is Change.EDIT
    was = before.files if before else ()
    now = {file.id for file in revision.files}
    if edited:
        update = Update.EDITED_NEW
    elif revision.change is Change.RESTORE:
        update = Update.SAME
    else:
        update = Update.NONE
    return Line(
        id=name,
        by=revision.by,
        said_us=item.at_us,
        text=_text(revision),
        stamp=revision.stamp,
        update=update,
        updated_us=revision.at_us if update else 0,
        files=revision.files,
        gone=tuple(file for file in was if file.id not in now),
        reply_to=item.thread,
    )


def _replaced_by(item: Item, revision: Revision) -> Revision | None:
    later = (r for r in item.revisions if r.stamp.seq > revision.stamp.seq)
    return next((r for r in later if r.change is Change.EDIT), None)


def _original(line: Line, later: Revision, newer: str) -> Line:
    return replace(
        line, update=Update.EDITED_ORIGINAL, updated_us=later.at_us, newer=newer
    )


def _deletion(
    item: Item, revision: Revision, before: Line | None, ids: dict[int, str]
) -> Line:
    content = item.before(revision)
    text = _text(content) if content else ""
    return Line(
        id=ids[content.stamp.seq] if content else item.msg,
        by=revision.by,
        said_us=item.at_us,
        text=f"delete {text}",
        stamp=revision.stamp,
        update=Update.DELETED,
        updated_us=revision.at_us,
        gone=before.files if before else (),
        reply_to=item.thread,
    )


def _reactions(item: Item) -> Iterator[Line]:
    for one in item.reactions:
        word = "added" if one.added else "removed"
        yield Line(
            id=item.msg,
            by=one.by,
            said_us=item.at_us,
            text=f"reaction {word} {one.emoji}",
            stamp=one.stamp,
            update=Update.SAME,
            updated_us=one.at_us,
            reply_to=item.thread,
        )


def _id(item: Item, number: int) -> str:
    return f"{item.msg}~{number}" if number else item.msg


def _text(revision: Revision) -> str:
    return f"[withheld: {revision.withheld}]" if revision.withheld else revision.text
