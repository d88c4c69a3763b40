"""
Disposition: what is due and kept by nothing is shredded, in batches.

Every batch is judged without a lock, and judged to be still so under the lock that all
appending takes. What it shreds stays in the tree, and the log names it.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import orjson

from bridge.compliance import Forgets
from bridge.errors import NotFound
from bridge.ranges import Ranges, positions
from bridge.retention import State
from storage.compliance.retention import item_rows, rules
from storage.compliance.retention.disposing import SUBJECT, Batch, Outdated
from storage.compliance.retention.holding import read
from storage.compliance.retention.item_rows import disposable
from storage.compliance.retention.judging import Judge, Judged
from storage.compliance.retention.kin import Member, members
from storage.compliance.retention.trusted_time import TrustedTime
from storage.hot import HotStore, Program, Statement
from storage.journal import Journal

_BATCH = 250
_TRIES = 5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Disposed:
    """
    What a run came to: entries looked at, shredded, held, waiting, and due tomorrow.

    `trusted_us` is the time that it went by; 0 says that nobody vouched for any.
    """

    trusted_us: int
    looked: int = 0
    shredded: int = 0
    held: int = 0
    deferred: int = 0
    settling: int = 0

    def plus(self, judged: Sequence[Judged], shredded: int) -> "Disposed":
        states = [each.verdict.state for each in judged]
        return replace(
            self,
            looked=self.looked + len(states),
            shredded=self.shredded + shredded,
            held=self.held + states.count(State.HELD),
            deferred=self.deferred + states.count(State.ERASURE_DEFERRED),
            settling=self.settling + states.count(State.DUE),
        )


@dataclass(frozen=True, slots=True)
class Disposition:
    """One disposition on record: the entry that names what went."""

    seq: int
    at_us: int
    items: int
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Disposer:
    """
    Disposes of what is due.

    `forgets` are told which entries went, and again after a crash. `batch` is how many entries share a transaction.
    """

    judge: Judge
    journal: Journal
    time: TrustedTime
    clock: Callable[[], int]
    forgets: Sequence[Forgets] = ()
    batch: int = _BATCH
    _told: Callable[[str], None] = field(default=lambda _step: None)

    @property
    def store(self) -> HotStore:
        return self.journal.store

    async def run(
        self,
        tenant: str,
        *,
        dry: bool = False,
        progress: Progress = lambda _done, _size: None,
    ) -> Disposed:
        """
        Dispose of all that is due now; `dry` only says what would be.

        `progress` is told the position reached and the log's size.
        """
        if not dry:
            await self._tell(tenant)
        now = await self.time.now_us(tenant)
        size = await self._size(tenant)
        total = Disposed(now)
        async for page in self._pages(tenant, now):
            progress(page[-1].seq + 1, size)
            due = [member for member in page if disposable(member.etype)]
            if due:
                total = await self._batch(tenant, due, total, dry=dry)
        if not dry:
            await self._tell(tenant)
        progress(size, size)
        return total

    async def _batch(
        self, tenant: str, due: Sequence[Member], total: Disposed, *, dry: bool
    ) -> Disposed:
        for _ in range(_TRIES):
            judgement = await self.judge.judge(tenant, due, total.trusted_us)
            batch = Batch(tenant, judgement, self.clock)
            self._told("judged")
            if dry:
                going = sum(judged.verdict.goes for judged in judgement.all)
                return total.plus(judgement.all, going)
            if not batch.worth_a_lock:
                return total.plus(judgement.all, 0)
            try:
                await self.journal.decide(tenant, SUBJECT, batch.carry_out)
            except Outdated:
                continue
            return total.plus(judgement.all, len(batch.gone))
        # Holds and rules keep changing: what is due is due with the next run, too.
        return total

    async def explain(self, tenant: str, seq: int) -> Judged:
        """Judge one entry as the next run would. Raises `NotFound`."""
        member = await read(self.store, item_rows.one(tenant, seq))
        if member is None:
            raise NotFound(f"the log has no entry {seq}")
        now = await self.time.now_us(tenant)
        [judged] = (await self.judge.judge(tenant, [member], now)).all
        if judged.before and judged.before.state.gone:
            verdict = replace(judged.verdict, state=judged.before.state)
            return replace(judged, verdict=verdict)
        return judged

    async def dispositions(self, tenant: str) -> list[Disposition]:
        """Return what was disposed of, oldest first."""
        rows = await self.store.fetch(
            Statement(
                "SELECT seq, at_us, items, ranges FROM disposition "
                "WHERE tenant = :tenant ORDER BY seq",
                {"tenant": tenant},
            )
        )
        return [
            Disposition(row[0], row[1], row[2], orjson.loads(row[3])) for row in rows
        ]

    async def _pages(self, tenant: str, now_us: int) -> AsyncIterator[Sequence[Member]]:
        policy = await read(self.store, rules.policy(tenant))
        shortest = policy.shortest_us()
        if shortest is not None:
            before = now_us - shortest
            for select in (item_rows.aged, item_rows.backdated):
                asked = partial(select, tenant, before, self.batch)
                async for page in self._all(asked):
                    yield page
        async for page in self._all(partial(item_rows.deferred, tenant, self.batch)):
            yield page

    async def _all(
        self, select: Callable[[int], Statement]
    ) -> AsyncIterator[Sequence[Member]]:
        after = -1
        while page := members(await self.store.fetch(select(after))):
            yield page
            after = page[-1].seq

    async def _size(self, tenant: str) -> int:
        rows = await self.store.fetch(
            Statement(
                "SELECT size FROM head WHERE tenant = :tenant", {"tenant": tenant}
            )
        )
        return int(rows[0][0]) if rows else 0

    async def _tell(self, tenant: str) -> None:
        """Let everything forget what went, and mark that it did."""
        rows = await self.store.fetch(
            Statement(
                "SELECT seq, ranges FROM disposition WHERE tenant = :tenant "
                "AND told = 0 ORDER BY seq",
                {"tenant": tenant},
            )
        )
        for seq, pairs in rows:
            gone = [*positions(orjson.loads(pairs))]
            for each in self.forgets:
                await each.forget(tenant, gone)
            await self.store.run(partial(_marked, tenant, seq))


def _marked(tenant: str, seq: int) -> Program[None]:
    yield Statement(
        "UPDATE disposition SET told = 1 WHERE tenant = :tenant AND seq = :seq",
        {"tenant": tenant, "seq": seq},
    )
