"""Which entries of the log are held, as far as can be told before a lock is taken."""

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass

import orjson

from bridge.compliance import Matches
from bridge.legal_holds import Catch, HoldScope, Net
from bridge.messages import Channel
from storage.compliance.retention import barrier, hold_rows, item_rows
from storage.compliance.retention.custodians import Custodians
from storage.compliance.retention.kin import Kin, Member, kin
from storage.hot import HotStore, Program, Rows, Statement, T, Together
from storage.log_reader import LogReader

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Nets:
    """Every hold that is active, ready to compare, and the barrier it was read at."""

    version: int
    active: frozenset[str]
    all: tuple[Net, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """Finds out what is held. Queries are asked of the entries' opened bodies."""

    reader: LogReader
    custodians: Custodians
    matcher: Matches

    @property
    def store(self) -> HotStore:
        return self.reader.store

    async def nets(self, tenant: str, now_us: int) -> Nets:
        """Return what is held at a time, by the holds there are now."""
        version = await self.version(tenant)  # first: what comes later is newer
        matters = await read(self.store, hold_rows.matters(tenant))
        active = frozenset(matter.id for matter in matters if matter.holds(now_us))
        scopes = await read(self.store, hold_rows.scopes(tenant))
        nets = [
            await self._net(tenant, matter, scope)
            for matter, scope in scopes
            if matter in active
        ]
        return Nets(version, active, tuple(nets))

    async def version(self, tenant: str) -> int:
        rows = await self.store.fetch(barrier.read(tenant))
        return int(rows[0][0]) if rows else 0

    async def kin(self, tenant: str, seqs: Collection[int]) -> dict[int, Kin]:
        return await read(self.store, kin(tenant, seqs))

    async def catch(self, tenant: str, nets: Nets, members: Iterable[Member]) -> Catch:
        """Return a way to ask who holds what, with every query answered for members."""
        members = [*members]
        queries = [net for net in nets.all if net.query]
        pins = await read(
            self.store, item_rows.pinned(tenant, {member.seq for member in members})
        )
        pinned = {seq: holds & nets.active for seq, holds in pins.items()}
        near = {
            (net.query, member.seq)
            for member in members
            for net in queries
            if net.near(member.held)
        }
        answers: dict[tuple[str, int], bool] = {}
        opened = await self.reader.at(tenant, {seq for _, seq in near}) if near else []
        bodies = {entry.seq: entry for entry in opened}
        for query, seq in near:
            entry = bodies.get(seq)
            answers[query, seq] = entry is not None and self.matcher.matches(
                query, entry.row, entry.body
            )
        return Catch(nets.all, pinned, lambda query, seq: answers.get((query, seq)))

    async def matters(
        self, tenant: str, seqs: Collection[int], now_us: int
    ) -> dict[int, frozenset[str]]:
        """Return the matters that hold each entry, by its own or its family's doing."""
        nets = await self.nets(tenant, now_us)
        if not nets.active:
            return dict.fromkeys(seqs, frozenset())
        families = await self.kin(tenant, seqs)
        everybody = {m.seq: m for each in families.values() for m in each.everybody}
        catch = await self.catch(tenant, nets, everybody.values())
        return {
            seq: catch.matters(member.held for member in each.everybody)
            for seq, each in families.items()
        }

    async def held(
        self, tenant: str, references: Collection[str], now_us: int
    ) -> AsyncIterator[tuple[int, str]]:
        """Yield what is held of the entries under subject keys; see `Holds.held`."""
        after = -1
        while seqs := await self._under(tenant, references, after):
            after = seqs[-1]
            matters = await self.matters(tenant, seqs, now_us)
            for seq in seqs:
                for matter in sorted(matters.get(seq, ())):
                    yield seq, matter

    async def _under(
        self, tenant: str, references: Collection[str], after: int
    ) -> list[int]:
        rows = await self.store.fetch(
            Statement(
                "SELECT seq FROM log WHERE tenant = :tenant AND seq > :after AND "
                "key_ref IN (SELECT value FROM json_each(:references)) "
                "ORDER BY seq LIMIT :limit",
                {
                    "tenant": tenant,
                    "after": after,
                    "references": orjson.dumps(sorted(references)).decode(),
                    "limit": _PAGE,
                },
                postgres="SELECT seq FROM log WHERE tenant = :tenant AND seq > :after "
                "AND key_ref = ANY(ARRAY(SELECT "
                "jsonb_array_elements_text(:references::text::jsonb))) "
                "ORDER BY seq LIMIT :limit",
            )
        )
        return [row[0] for row in rows]

    async def _net(self, tenant: str, matter: str, scope: HoldScope) -> Net:
        people = places = None
        if scope.people:
            people = await self.custodians.references(tenant, scope.people)
        if scope.channels:
            named = sorted(scope.channels)
            found = await read(self.store, hold_rows.addresses(tenant, named))
            channels = [Channel.parse(address) for address in {*named, *found}]
            places = frozenset((str(c.platform), c.id) for c in channels)
        return Net(matter, people, places, scope.query, scope.from_us, scope.to_us)


async def read(store: HotStore, program: Program[T]) -> T:
    """
    Run a program that only reads, without a transaction: nobody waits for it.

    What it finds may change between two of its statements.
    """
    rows: Rows = ()
    try:
        step = next(program)
        while True:
            match step:
                case Statement():
                    rows = await store.fetch(step)
                case Together(statements):
                    rows = [await store.fetch(each) for each in statements]
                case _:
                    raise TypeError(f"{type(step).__name__} does not only read")
            step = program.send(rows)
    except StopIteration as done:
        result: T = done.value
        return result
