"""Read the log up to one size and keep what belongs into an export."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import orjson

from bridge.errors import AtomError, BadInput
from storage.compliance.export.model import Reaction
from storage.compliance.export.packing import (
    attached_row,
    stamp_row,
    who_row,
)
from storage.compliance.export.question import Question
from storage.compliance.export.reading import (
    Called,
    Fact,
    Filed,
    Moved,
    Said,
    facts,
    place_of,
)
from storage.compliance.export.spool import Spool, place_key
from storage.compliance.export.text import as_json
from storage.compliance.leaf import leaf_bytes
from storage.compliance.portions import Portion, opened_of
from storage.compliance.tree import HASH_BYTES, leaf_hash
from storage.crew import Crew
from storage.log_reader import COLUMNS, LogEntry

LEAVES = "leaves"
_PAGE = 1000
_OF_MESSAGES = "srf"
_COLUMNS = tuple(column for column in COLUMNS if column != "raw_ct")
Done = TypeVar("Done")
Progress = Callable[[str, int, int], None]


class Entries(Protocol):
    """Where entries are read from; `storage.log_reader.LogReader` is one."""

    @property
    def crew(self) -> Crew:
        """Who helps with many entries."""
        ...

    async def entries(self, tenant: str, after: int, limit: int) -> list[LogEntry]:
        """Return entries above a position, lowest first."""
        ...

    def spread(
        self, work: Callable[[Portion], Done], tenant: str, first: int, size: int
    ) -> AsyncGenerator[tuple[Portion, Done], None]:
        """Let processes do something with every portion, and yield it in order."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """
    What shows that an entry's body is what its leaf commits to.

    `nonce` (hexadecimal) opens the commitment to `body`; both are empty of what was
    erased. `leaf` are the leaf's bytes.
    """

    nonce: str
    body: bytes
    leaf: bytes


Opener = Callable[[Sequence[LogEntry]], Awaitable[Sequence[Opening]]]


_Row = tuple[int, str, str, bytes, str, bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What entries that follow each other come to."""

    hashes: bytes
    as_of_us: int
    rows: Sequence[_Row]


async def gather(
    spool: Spool,
    reader: Entries,
    opener: Opener,
    question: Question,
    progress: Progress,
) -> None:
    """
    Read every entry once, whatever is killed in between.

    Of places that are not asked for nothing is kept, not even for the moment.
    """
    done = int(spool.get("read", "0"))
    wanted = frozenset(place_key(c.platform, c.team, c.id) for c in question.channels)
    alone = _Alone(reader, opener, question.tenant, wanted)
    async with aclosing(_gathered(alone, done, question.size)) as pages:
        async for page in pages:
            first, done = done, done + len(page.hashes) // HASH_BYTES
            await asyncio.to_thread(_keep, spool, first, done, page)
            progress("reading the log", done, question.size)


def _keep(spool: Spool, first: int, done: int, page: _Gathered) -> None:
    spool.append(LEAVES, first * HASH_BYTES, [page.hashes])
    with spool.together() as base:
        base.executemany("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?)", page.rows)
        spool.put("read", str(done))
        spool.put("as_of_us", str(page.as_of_us))


async def _gathered(
    alone: "_Alone", first: int, size: int
) -> AsyncGenerator[_Gathered, None]:
    reader, work = alone.reader, partial(gathered, alone.wanted)
    if not reader.crew.takes(size - first):
        async for page in alone.pages(first, size):
            yield page
        return
    spread = reader.spread(work, alone.tenant, first, size)
    async with aclosing(spread) as answers:
        async for portion, found in answers:
            if found is not None:
                yield found
                continue
            async for told in alone.pages(portion.first, portion.end):
                yield told


@dataclass(frozen=True, slots=True)
class _Alone:
    """Reads in this process, and says what is wrong."""

    reader: Entries
    opener: Opener
    tenant: str
    wanted: frozenset[str]

    async def pages(self, first: int, end: int) -> AsyncIterator[_Gathered]:
        async for page in self._pages(first, end):
            for seq, entry in enumerate(page, first):
                if entry.seq != seq:
                    raise _missing(seq)
            told = [(e, told) for e in page if (told := _facts(e, self.wanted))]
            openings = await self.opener([entry for entry, _ in told])
            rows = [
                _row(*each, opening)
                for each, opening in zip(told, openings, strict=True)
            ]
            hashes = b"".join(bytes(entry.row["leaf"]) for entry in page)
            yield _Gathered(hashes, page[-1].row["cap_us"], rows)
            first = page[-1].seq + 1
        if first < end:
            raise _missing(first)

    async def _pages(self, first: int, end: int) -> AsyncIterator[Sequence[LogEntry]]:
        while first < end:
            most = min(_PAGE, end - first)
            page = await self.reader.entries(self.tenant, first - 1, most)
            below = [entry for entry in page if entry.seq < end]
            if not below:
                return
            yield below
            first = below[-1].seq + 1


def gathered(wanted: frozenset[str], portion: Portion) -> _Gathered | None:
    """Gather a portion, in a crew's process; None if something is wrong with it."""
    rows = portion.rows(_COLUMNS)
    if len(rows) != portion.end - portion.first:
        return None
    hashes, kept = [], []
    try:
        for seq, values in enumerate(rows, portion.first):
            row = dict(zip(_COLUMNS, values, strict=True))
            if row["seq"] != seq:
                return None
            hashes.append(row["leaf"])
            opened = opened_of(row, portion.secrets)
            entry = LogEntry(row, orjson.loads(opened.body or b"{}"), opened.erased)
            if told := _facts(entry, wanted):
                opening = Opening(opened.nonce, opened.body, leaf_bytes(row))
                kept.append(_row(entry, told, opening))
    except (AtomError, KeyError, TypeError, ValueError):
        return None
    return _Gathered(b"".join(hashes), rows[-1][_COLUMNS.index("cap_us")], kept)


def _missing(seq: int) -> BadInput:
    return BadInput(f"entry {seq} of the log is missing: nothing is exported")


def _facts(entry: LogEntry, wanted: frozenset[str]) -> list[list[Any]]:
    if wanted and place_key(*place_of(entry)) not in wanted:
        return []
    return [[_kind(fact), *_told(fact)] for fact in facts(entry)]


def _row(entry: LogEntry, told: list[list[Any]], opening: Opening) -> _Row:
    message = entry.row["msg"] if told[0][0] in _OF_MESSAGES else ""
    if leaf_hash(opening.leaf) != bytes(entry.row["leaf"]):
        raise BadInput(
            f"entry {entry.seq} of the log was changed: nothing is exported; "
            "'atom log verify' says more"
        )
    opened = (opening.nonce, opening.body, opening.leaf)
    return (entry.seq, place_key(*place_of(entry)), message, as_json(told), *opened)


def _kind(fact: Fact) -> str:
    kinds = {Said: "s", Reaction: "r", Moved: "m", Called: "c", Filed: "f"}
    return kinds[type(fact)]


def _told(fact: Fact) -> list[Any]:
    match fact:
        case Said(r, thread, link, origin):
            return [
                str(r.change),
                stamp_row(r.stamp),
                r.rev,
                r.at_us,
                who_row(r.by),
                r.text,
                [attached_row(file) for file in r.files],
                r.withheld,
                thread,
                link,
                [origin.seq, origin.leaf] if origin else None,
            ]
        case Reaction(stamp, at_us, by, emoji, added):
            return [stamp_row(stamp), at_us, who_row(by), emoji, added]
        case Moved(who, at_us, joined):
            return [who_row(who), at_us, joined]
        case Called(name, kind):
            return [name, kind]
        case Filed(name, outcome, reason, blob, sha256, size):
            return [name, outcome, reason, blob, sha256, size]
