"""
Telling recipients of an erasure (Art. 19): the copies that ATOM made are taken down.

Each goes as a delivery like any other, so what became of it is on record, per platform.
Where something was said first is not ATOM's to delete; the company does that there.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import orjson

from bridge.compliance import Duty, Holds, Officer
from bridge.delivery import Again, AttemptState, Delivery, Operation
from bridge.messages import Channel
from storage.compliance.keys.gone import gone
from storage.compliance.rights.access_log import acts_of_officers
from storage.compliance.rights.duties import StoredDuties
from storage.hot import HotStore, Row, Statement
from storage.journal import Journal
from storage.log_reader import LogReader
from storage.writes import Entry, Write

ETYPE = "subject.notice"
_EVER = 2**62


@dataclass(frozen=True, slots=True)
class Notice:
    """A copy that is to go. `state` is waiting, or how the delivery ended."""

    seq: int
    source: str
    target: str
    message: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class StoredRecipients:
    """Implements `bridge.compliance.Recipients`."""

    store: HotStore
    journal: Journal
    reader: LogReader
    duties: StoredDuties
    clock: Callable[[], int]
    holds: Holds | None = None

    async def tell(
        self, tenant: str, officer: Officer, positions: Collection[int]
    ) -> int:
        """
        Take down every copy of these entries' messages, and return how many there are.

        Twice does nothing more. Raises `Refused`, on record, and `StoreUnavailable`.
        """
        await self.duties.require(tenant, officer, Duty.ERASE)
        told = 0
        for message in await self._standing(tenant, positions):
            deliveries = tuple(_delivery(tenant, row) for row in message)
            entry = self._entry(officer, deliveries)
            key = f"notice:{deliveries[0].source}:{deliveries[0].message}"
            receipt = await self.journal.write(
                Write(tenant, keys=(key,), entry=entry, deliveries=deliveries)
            )
            told += 0 if receipt.duplicate else len(deliveries)
        return told

    async def erased(self, tenant: str) -> list[int]:
        """
        Return the positions of messages that were erased, as the log says.

        Nothing tells whose they were. What only retention disposed of is not erased,
        and what a matter holds is not yet: its copies stay until it is released.
        """
        bodies = [
            entry.body
            async for entry in acts_of_officers(
                self.reader, tenant, 0, _EVER, ("erasure.shred",)
            )
        ]
        told = gone(bodies)
        rows = await self.store.fetch(_of_keys(tenant, sorted(told.keys)))
        ranges = [seq for a, b in told.ranges for seq in range(a, b + 1)]
        found = {row[0] for row in rows} | set(ranges)
        if self.holds is not None:
            async for seq, _ in self.holds.held(tenant, sorted(told.keys)):
                found.discard(seq)
        return sorted(found)

    async def results(self, tenant: str) -> list[Notice]:
        """Return every copy that was to go, and how that ended, oldest first."""
        rows = await self.store.fetch(
            Statement(
                "SELECT o.seq, o.source, o.target, o.message, a.state, a.reason "
                "FROM log l JOIN outbox o ON o.tenant = l.tenant AND o.seq = l.seq "
                "LEFT JOIN attempt a ON a.tenant = o.tenant AND a.seq = o.seq "
                "AND a.n = o.n AND a.state IN ("
                + ", ".join(f"'{s}'" for s in AttemptState if s.final)
                + ") WHERE l.tenant = :tenant AND l.platform = 'atom' "
                f"AND l.etype = '{ETYPE}' ORDER BY o.seq, o.n",
                {"tenant": tenant},
            )
        )
        return [
            Notice(seq, source, target, message, state or "waiting", reason or "")
            for seq, source, target, message, state, reason in rows
        ]

    async def _standing(
        self, tenant: str, positions: Collection[int]
    ) -> list[list[Row]]:
        """Return the copies that stand, a list for each message."""
        rows = await self.store.fetch(
            Statement(
                _COPIES.format(seqs="(SELECT value FROM json_each(:seqs))"),
                {"tenant": tenant, "seqs": orjson.dumps(sorted(positions)).decode()},
                postgres=_COPIES.format(
                    seqs="(SELECT jsonb_array_elements_text(:seqs::text::jsonb)::bigint)"
                ),
            )
        )
        found: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            found.setdefault((row[1], row[3]), []).append(row)
        return list(found.values())

    def _entry(self, officer: Officer, deliveries: tuple[Delivery, ...]) -> Entry:
        targets = [str(delivery.target) for delivery in deliveries]
        text = f"take down {len(targets)} of what was erased: {', '.join(targets)}"
        return Entry(
            etype=ETYPE,
            platform="atom",
            subject=f"atom|{officer.name}",
            src_us=self.clock(),
            body={
                "text": text,
                "author": {"id": officer.name, "name": officer.name, "avatar": ""},
                "detail": {
                    "entry": deliveries[0].entry,
                    "targets": targets,
                    "result_count": len(targets),
                },
            },
            via="self",
        )


# One row a copy, with the first entry about its message.
_COPIES = (
    "SELECT c.link, c.source, c.target, c.message, c.version_us, min(l.seq) "
    "FROM log l JOIN copy c ON c.tenant = l.tenant AND c.message = l.msg "
    "AND c.source = l.platform || ':' || l.team || '/' || l.conv "
    "WHERE l.tenant = :tenant AND l.seq IN {seqs} AND l.etype LIKE 'message.%' "
    "AND c.part = 1 AND c.deleted = 0 "
    "GROUP BY c.link, c.source, c.target, c.message, c.version_us "
    "ORDER BY min(l.seq), c.target"
)


def _of_keys(tenant: str, refs: list[str]) -> Statement:
    select = "SELECT seq FROM log WHERE tenant = :tenant AND etype LIKE 'message.%'"
    return Statement(
        f"{select} AND key_ref IN (SELECT value FROM json_each(:refs))",
        {"tenant": tenant, "refs": orjson.dumps(refs).decode()},
        postgres=f"{select} AND key_ref = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:refs::text::jsonb)))",
    )


def _delivery(tenant: str, row: Row) -> Delivery:
    link, source, target, message, version_us, seq = row
    return Delivery(
        tenant=tenant,
        seq=-1,
        n=-1,
        link=link,
        operation=Operation.DELETE,
        source=Channel.parse(source),
        target=Channel.parse(target),
        message=message,
        thread="",
        version_us=version_us,
        created_us=0,
        again=Again(seq),
    )


def per_platform(notices: list[Notice]) -> list[tuple[str, str, int]]:
    """Return platform, state and count, as the officer is shown them."""
    counts = Counter((one.target.partition(":")[0], one.state) for one in notices)
    return [(platform, state, n) for (platform, state), n in sorted(counts.items())]
