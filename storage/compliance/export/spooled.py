"""Implements `Source`: what was put together in an export's folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from storage.compliance.export.model import (
    Attached,
    Conversation,
    Item,
    PlaceKind,
    Stay,
    Thread,
    Who,
)
from storage.compliance.export.packing import People, unpacked
from storage.compliance.export.spool import Piece, Spool, place_key, split_key, unjson
from storage.compliance.tree import leaf_hash

FILES = "files"


@dataclass(frozen=True, slots=True)
class Opened:
    """
    An entry as it was committed to: `nonce` opens the commitment to `body`.

    `leaf` is the leaf's hash. It and the nonce are hexadecimal.
    """

    seq: int
    leaf: str
    nonce: str
    body: bytes


@dataclass(frozen=True, slots=True)
class SpooledSource:
    """Reads a folder in which everything was read and chosen."""

    spool: Spool
    _people: People = field(default_factory=dict)

    def conversations(self) -> Sequence[Conversation]:
        rows = self.spool.rows("SELECT key, told FROM place ORDER BY key")
        return [_conversation(key, told) for key, told in rows]

    def items(self, conversation: Conversation) -> Iterator[Item]:
        rows = self.spool.rows(
            "SELECT packed FROM item WHERE place = ? ORDER BY at_us, seq",
            place_key(*conversation.key),
        )
        for (data,) in rows:
            item = unpacked(data, self._people)
            held = any(f.path for r in item.revisions for f in r.files)
            yield self._with_bytes(item) if held else item

    def thread(self, item: Item) -> Thread:
        if item.thread:
            return Thread()
        rows = self.spool.rows(
            "SELECT author, at_us FROM item WHERE place = ? AND thread = ? "
            "ORDER BY at_us, seq",
            place_key(item.platform, item.team, item.conv),
            item.msg,
        )
        below = [*rows]
        people = dict.fromkeys(author for author, _ in below)
        last = below[-1][1] if below else 0
        return Thread(len(below), tuple(people), last)

    def content(self, path: str) -> Iterator[bytes]:
        sql = "SELECT start, size FROM content WHERE path = ? AND start IS NOT NULL"
        for start, size in self.spool.rows(sql, path):
            yield from self.spool.read(Piece(FILES, start, size))

    def _with_bytes(self, item: Item) -> Item:
        revisions = (
            replace(r, files=tuple(self._found(file) for file in r.files))
            for r in item.revisions
        )
        return replace(item, revisions=tuple(revisions))

    def _found(self, file: Attached) -> Attached:
        sql = "SELECT size, sha256, md5, missing FROM content WHERE path = ?"
        for size, sha256, md5, missing in self.spool.rows(sql, file.path):
            if missing:
                return replace(file, path="", missing=missing)
            return replace(file, size=size, sha256=sha256, md5=md5)
        return file

    def opened(self, item: Item) -> list[Opened]:
        """Return every entry about a message, what became of its files included."""
        rows = self.spool.rows(
            "SELECT seq, leaf, nonce, body FROM fact WHERE place = ? AND msg = ? "
            "ORDER BY seq",
            place_key(item.platform, item.team, item.conv),
            item.msg,
        )
        return [
            Opened(seq, leaf_hash(leaf).hex(), nonce, body)
            for seq, leaf, nonce, body in rows
        ]


def _conversation(key: str, data: bytes) -> Conversation:
    name, kind, people, stays, first, last = unjson(data)
    platform, team, conv = split_key(key)
    return Conversation(
        platform=platform,
        team=team,
        id=conv,
        name=name,
        kind=PlaceKind(kind),
        people=tuple(Who(*who) for who in people),
        stays=tuple(Stay(Who(*who), joined, left) for who, joined, left in stays),
        first_us=first,
        last_us=last,
    )
