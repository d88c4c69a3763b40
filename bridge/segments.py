"""
Several messages in one copy.

While a channel takes no more calls, what one person said in a row is brought across in
one post. Each message then is a segment of that copy: it has a row of its own, and what
is done to it is done to its share.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

from bridge.delivery import Copy, Delivery, Joined
from bridge.document import Block, Document, Paragraph, Style, Text
from bridge.ports import History
from bridge.tombstones import GONE

_UNREADABLE = (Paragraph((Text("(this cannot be read any more)", (Style.ITALIC,)),)),)
_MOST_VARIANTS = 64


@dataclass(frozen=True, slots=True)
class Mate:
    """One of the messages that are posted together: its delivery and its story."""

    delivery: Delivery
    story: History


@dataclass(frozen=True, slots=True)
class Segment:
    """A message's share of a copy: the row, and what the log says of the message."""

    row: Copy
    story: History

    def wanted(self, *, mark: bool) -> Copy:
        """Return the row as it is to be, by the log. Some links `mark` what is gone."""
        gone = self.story.deleted or self.story.erased
        if self.story.fault and not gone:
            return self.row
        return replace(
            self.row,
            version_us=self.story.version_us,
            deleted=gone,
            marked=gone and (mark or self.row.marked),
        )

    def blocks(self, wanted: Copy) -> tuple[Block, ...]:
        """Return what the share says once its row is as wanted."""
        if wanted.deleted:
            return GONE.blocks if wanted.marked else ()
        return _UNREADABLE if self.story.fault else self.story.document.blocks


def stamp(rows: Iterable[Copy]) -> int:
    """
    Return one number for the versions of all messages in a copy.

    It changes with each of them, and with which of them stand.
    """
    told = "\0".join(
        f"{row.message} {row.version_us} {row.deleted:d}{row.marked:d}" for row in rows
    )
    digest = hashlib.blake2s(told.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest) >> 1  # as a database's signed 64 bits take it


def gone_together(rows: Sequence[Copy]) -> bool:
    """Whether the whole copy is gone, and no line in its place."""
    return all(row.deleted for row in rows) and not any(row.marked for row in rows)


def shared_copy(rows: Sequence[Copy]) -> Copy:
    """Return the copy as a whole, which its first row speaks for."""
    gone = all(row.deleted for row in rows)
    return replace(rows[0], version_us=stamp(rows), deleted=gone, marked=gone)


def rows_of(mates: Sequence[Mate]) -> tuple[Copy, ...]:
    """Return the rows of messages that are about to be posted together."""
    return tuple(
        replace(Copy.of(mate.delivery, "", "", mate.story.version_us), segment=number)
        for number, mate in enumerate(mates, 1)
    )


def joined(mates: Iterable[Mate]) -> tuple[Joined, ...]:
    """Return which messages are posted together, as it is noted before the call."""
    return tuple(
        Joined(d.seq, d.n, d.message, d.version_us)
        for d in (mate.delivery for mate in mates)
    )


def together(segments: Sequence[Segment], rows: Sequence[Copy]) -> History:
    """Return the story of a copy as if it were one message's."""
    pairs = [*zip(segments, rows, strict=True)]
    blocks = tuple(block for one, row in pairs for block in one.blocks(row))
    first = next((s for s, row in pairs if not (row.deleted or s.story.fault)), None)
    story = (first or segments[0]).story
    return replace(
        story,
        document=Document(blocks),
        version_us=stamp(rows),
        deleted=all(row.deleted for row in rows),
        earlier=(),
        files=(),
    )


def variants(segments: Sequence[Segment]) -> Iterator[Document]:
    """
    Yield what a copy may have said when it was sent, as it says it now first.

    There may be many; what is said the most often comes within the first few.
    """
    told = [(s.story.document, *s.story.earlier) for s in segments]
    for documents in islice(product(*told), _MOST_VARIANTS):
        yield Document(tuple(b for document in documents for b in document.blocks))
