"""Read the log up to one size and keep what belongs into an export."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.errors import BadInput
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
from storage.compliance.tree import HASH_BYTES, leaf_hash
from storage.log_reader import LogEntry

LEAVES = "leaves"
_PAGE = 1000
_OF_MESSAGES = "srf"
Progress = Callable[[str, int, int], None]


class Entries(Protocol):
    """Where entries are read from; `storage.log_reader.LogReader` is one."""

    async def entries(self, tenant: str, after: int, limit: int) -> list[LogEntry]:
        """Return entries above a position, lowest first."""
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
    wanted = {place_key(c.platform, c.team, c.id) for c in question.channels}
    async for page in _pages(reader, question, done - 1):
        for seq, entry in enumerate(page, done):
            if entry.seq != seq:
                raise BadInput(
                    f"entry {seq} of the log is missing: nothing is exported"
                )
        telling = [(e, told) for e in page if (told := _facts(e, wanted))]
        openings = await opener([entry for entry, _ in telling])
        kept = [
            _row(entry, told, opening)
            for (entry, told), opening in zip(telling, openings, strict=True)
        ]
        done = page[-1].seq + 1
        hashes = [bytes(entry.row["leaf"]) for entry in page]
        spool.append(LEAVES, page[0].seq * HASH_BYTES, hashes)
        with spool.together() as base:
            base.executemany("INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?)", kept)
            spool.put("read", str(done))
            spool.put("as_of_us", str(page[-1].row["cap_us"]))
        progress("reading the log", done, question.size)
    if done < question.size:
        raise BadInput(f"entry {done} of the log is missing: nothing is exported")


async def _pages(
    reader: Entries, question: Question, after: int
) -> AsyncIterator[Sequence[LogEntry]]:
    while after + 1 < question.size:
        most = min(_PAGE, question.size - after - 1)
        page = await reader.entries(question.tenant, after, most)
        below = [entry for entry in page if entry.seq < question.size]
        if not below:
            return
        yield below
        after = below[-1].seq


def _facts(entry: LogEntry, wanted: set[str]) -> list[list[Any]]:
    if wanted and place_key(*place_of(entry)) not in wanted:
        return []
    return [[_kind(fact), *_told(fact)] for fact in facts(entry)]


def _row(
    entry: LogEntry, told: list[list[Any]], opening: Opening
) -> tuple[int, str, str, bytes, str, bytes, bytes]:
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
