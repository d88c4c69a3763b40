"""Who searched, viewed, exported and held: the audit of auditors, read from the log."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.compliance import Duty, Officer
from bridge.errors import Refused
from storage.compliance.acts import Acts
from storage.compliance.rights.duties import StoredDuties
from storage.compliance.rights.reading import viewed
from storage.compliance.tree import Frontier
from storage.hot import Statement
from storage.log_reader import LogEntry, LogReader

# Families of entries that tell of somebody's use of the record.
FAMILIES = (
    "access.",
    "admin.",
    "approval.",
    "erasure.",
    "export.",
    "hold.",
    "item.",
    "key.",
    "restriction.",
    "retention.",
    "search.",
    "subject.",
)
_COUNTS = ("result_count", "count", "matched")
_ROOTS = ("result_root", "files_root", "items_root")
_PAGE = 500
_MAY = (Duty.ASSIGN, Duty.READ, Duty.APPROVE)


@dataclass(frozen=True, slots=True)
class Access:
    """
    One use of the record: `count` and `root` say what came of it, where it says so.

    `root` is the Merkle root over the leaves of what was found, in hexadecimal.
    """

    seq: int
    at_us: int
    etype: str
    officer: str
    text: str
    outcome: str
    count: int | None
    root: str


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Reads what officers did; whoever reads it is on record as well."""

    reader: LogReader
    duties: StoredDuties
    acts: Acts

    async def read(
        self, tenant: str, officer: Officer, since_us: int, until_us: int
    ) -> list[Access]:
        """
        Return every use of the record between two times, oldest first.

        Raises `Refused`, on record, for whoever neither assigns, reads nor approves.
        """
        if not [d for d in _MAY if await self.duties.has(tenant, officer, d)]:
            await self.duties.require(tenant, officer, Duty.ASSIGN)
            raise Refused("the duty to assign was taken just now")
        entries = [
            entry
            async for entry in acts_of_officers(
                self.reader, tenant, since_us, until_us, FAMILIES
            )
        ]
        if entries:
            await self.acts.note(viewed(tenant, officer, entries, "the access log"))
        return [access_of(entry) for entry in entries]


async def acts_of_officers(
    reader: LogReader,
    tenant: str,
    since_us: int,
    until_us: int,
    families: Sequence[str],
) -> AsyncIterator[LogEntry]:
    """Yield ATOM's own entries of these families in [since, until), oldest first."""
    after = -1
    while True:
        rows = await reader.store.fetch(_page(tenant, after, since_us, until_us))
        for seq, etype in rows:
            after = seq
            if etype.startswith(tuple(families)):
                [entry] = await reader.entries(tenant, seq - 1, 1)
                yield entry
        if len(rows) < _PAGE:
            return


def _page(tenant: str, after: int, since_us: int, until_us: int) -> Statement:
    # `platform` stands there in letters: that is what the partial index is of.
    return Statement(
        "SELECT seq, etype FROM log WHERE tenant = :tenant AND platform = 'atom' "
        "AND seq > :after AND cap_us >= :since AND cap_us < :until "
        "ORDER BY seq LIMIT :limit",
        {
            "tenant": tenant,
            "after": after,
            "since": since_us,
            "until": until_us,
            "limit": _PAGE,
        },
    )


def access_of(entry: LogEntry) -> Access:
    """Return an entry as a line of the access log."""
    row, body = entry.row, entry.body
    detail: Mapping[str, Any] = body.get("detail") or {}
    counts = [detail[name] for name in _COUNTS if isinstance(detail.get(name), int)]
    roots = [str(detail[name]) for name in _ROOTS if detail.get(name)]
    return Access(
        entry.seq,
        row["cap_us"],
        entry.etype,
        str((body.get("author") or {}).get("id", "")),
        str(body.get("text", "")),
        row["outcome"],
        counts[0] if counts else None,
        roots[0] if roots else "",
    )


def tally(found: Sequence[Access]) -> list[tuple[str, str, int, int]]:
    """Return officer, kind, how often, and how much came of it, by officer and kind."""
    times = Counter((one.officer, one.etype) for one in found)
    items: Counter[tuple[str, str]] = Counter()
    for one in found:
        items[(one.officer, one.etype)] += one.count or 0
    return [
        (who, what, times[who, what], items[who, what]) for who, what in sorted(times)
    ]


def root_of(entries: Sequence[LogEntry]) -> str:
    """Return the Merkle root over entries' leaves, in hexadecimal."""
    return Frontier().extend([bytes(e.row["leaf"]) for e in entries]).root().hex()
