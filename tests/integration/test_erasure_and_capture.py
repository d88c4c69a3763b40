"""Somebody is erased while what they said is being written: nothing of it stays readable."""

from asyncio import gather, sleep
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

import storage.journal
from bridge.compliance import Duty, Officer
from bridge.delivery import AttemptState, Copy, Delivery, Operation
from bridge.links import Link, LinkState
from bridge.messages import Person, Platform
from bridge.ports import Commitment, Outcome
from bridge.relay import planned
from storage.compliance.acts import Acts
from storage.compliance.erasure.erasing import Eraser
from storage.compliance.erasure.late import Late
from storage.compliance.erasure.matters import Matters
from storage.compliance.keys import KeyFile, Keyring
from storage.compliance.keys.graveyard import Graveyard
from storage.compliance.rights.approvals import StoredApprovals
from storage.compliance.rights.duties import StoredDuties
from storage.copies import StoredCopies
from storage.database import opened
from storage.database_url import database_url as parsed
from storage.hot import HotStore
from storage.journal import Journal
from storage.ledger import StoredLedger
from storage.log_reader import LogReader
from storage.migrate import upgrade
from storage.outbox import Outbox, StoredShards
from storage.writes import Write
from tests.contract.conftest import PATIENCE, TENANT
from tests.contract.letters import YES
from tests.contract.test_erasing import Signs
from tests.databases import migrated_template
from tests.events import FALCON, PROJECT, message
from tests.interleaved import Arena, Freely, InterleavedStore, Turns
from tests.servers import Postgres

_SEEDS = 400
NOW = 1_900_000_000_000_000
ADA, BEN, CLARA = Officer("cli:ada"), Officer("cli:ben"), Officer("cli:clara")
LINK = Link("L1", TENANT, (FALCON, PROJECT), LinkState.ACTIVE)
SECRET = "zyzzyva"
VIAS = ("push", "push", "spool", "catchup")


class NoHolds:
    """Implements `bridge.compliance.Holds`: nothing is held."""

    async def active(self, _tenant: str) -> list[str]:
        return []

    async def held(
        self, _tenant: str, _references: Collection[str]
    ) -> AsyncIterator[tuple[int, str]]:
        held: list[tuple[int, str]] = []
        for each in held:
            yield each

    async def version(self, _tenant: str) -> int:
        return 0


class Process:
    """What one process holds."""

    def __init__(self, hot: HotStore, keys: KeyFile, name: str) -> None:
        def clock() -> int:
            return NOW

        ring = Keyring(hot, keys)
        self.hot, self.journal = hot, Journal(hot, ring, clock, patience=PATIENCE)
        self.reader = LogReader(hot, ring)
        acts, holds = Acts(self.journal, clock), NoHolds()
        self.journal.left_out = Late(ring, acts, holds).left_out
        self.duties = StoredDuties(hot, acts, clock)
        self.approvals = StoredApprovals(hot, acts, self.duties, clock)
        self.shards = StoredShards(hot, name, lease_us=10_000_000)
        copies = StoredCopies(hot)
        self.ledger = StoredLedger(self.journal, self.reader, copies, name, clock)
        self.eraser = Eraser(
            ring,
            self.reader,
            Matters(ring, self.reader),
            acts,
            self.duties,
            self.approvals,
            holds,
            Signs(),
            Graveyard(keys.folder, ring, self.reader),
            clock,
        )

    async def open(self) -> None:
        await self.duties.assign(TENANT, CLARA, CLARA, Duty.ASSIGN)
        await self.duties.assign(TENANT, CLARA, ADA, Duty.ERASE)
        await self.duties.assign(TENANT, CLARA, BEN, Duty.APPROVE)

    async def said(self, who: str, n: int, via: str = "push") -> int:
        """Let something be heard that was said long ago, for an erasure."""
        event = message(
            ts=f"17.{n:06}{who}",
            author=Person(Platform.SLACK, who, who),
            text=f"{SECRET} {n}",
            raw=b"{}",
            sent_us=NOW - 1,
            via=via,
        )
        wanted = tuple(planned(TENANT, event, Operation.POST, FALCON, [LINK]))
        commitment = Commitment(TENANT, event, (YES,), wanted)
        return (await self.journal.append(commitment)).seq

    async def agreed(self, who: str) -> None:
        asked = await self.eraser.ask(TENANT, ADA, f"slack|{who}")
        await self.approvals.approve(TENANT, BEN, asked)

    async def erased(self, who: str) -> None:
        await self.eraser.erase(TENANT, ADA, f"slack|{who}")

    async def heard(self, who: str) -> None:
        first, second = VIAS[:2], VIAS[2:]
        await gather(*(self.said(who, n, via) for n, via in enumerate(first, 10)))
        await gather(*(self.said(who, n, via) for n, via in enumerate(second, 20)))

    async def delivered(self, delivery: Delivery) -> None:
        """Post the copy of what was said, as a worker does."""
        held = await self.shards.claim(256)
        [lease] = [each for each in held if each.shard == delivery.shard]
        history = await self.ledger.history(delivery)
        if history.erased:
            return
        text, remote = f"{SECRET} copied", f"r{delivery.message}"
        copy = Copy(
            TENANT,
            delivery.link,
            delivery.source,
            delivery.message,
            delivery.target,
            remote,
            "",
            0,
        )
        outcome = Outcome(AttemptState.DELIVERED, copy=copy, text=text)
        await self.ledger.conclude(delivery, lease, outcome, history)


async def readable(process: Process, after: int = -1) -> list[str]:
    """Return the kinds of entries in which anybody can still read the words."""
    entries = await process.reader.entries(TENANT, after, 9999)
    return [entry.etype for entry in entries if SECRET in str(entry.body)]


@dataclass(frozen=True)
class World:
    """A company where Alice may be erased, put back for each seed."""

    arena: Arena
    keys: KeyFile
    delivery: Delivery
    size: int


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    keys = KeyFile.under(tmp_path)
    keys.create(TENANT)
    async with opened(parsed(f"sqlite:///{tmp_path}/atom.db")) as database:
        await upgrade(database.engine)
        acme = Process(database.hot, keys, "begun")
        await acme.open()
        await acme.said("UALICE", 1)
        await acme.agreed("UALICE")
        outbox = Outbox(database.hot)
        [delivery] = await outbox.unfinished(range(256), await outbox.sizes())
        size = (await acme.reader.head(TENANT)).size
    arena = Arena(tmp_path / "atom.db")
    yield World(arena, keys, delivery, size)
    arena.close()


@pytest.fixture(autouse=True)
def _commits_follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may wait for time, or a seed would not repeat a run."""
    monkeypatch.setattr(storage.journal, "_APART", 0.0)
    monkeypatch.setattr(storage.journal, "_SHARED_APART", 0.0)


async def raced(seed: int, world: World) -> tuple[Counter[str], list[str]]:
    """Return what is on record of it, and what of that can still be read."""
    random = Random(seed)
    world.arena.reset()
    turns = Turns(random)

    def process(name: str, turns: Turns = turns) -> Process:
        store = InterleavedStore(world.arena.connection(name), turns, name)
        return Process(store, world.keys, name)

    # Whoever tidies up the file does not wait for those who write to it meanwhile.
    world.arena.connection("erase").execute("PRAGMA busy_timeout = 0")
    erasing, hearing, sending = (process(n) for n in ("erase", "hear", "send"))
    actors: dict[str, Callable[[], Awaitable[object]]] = {
        "hear": lambda: hearing.heard("UALICE"),
        "send": lambda: sending.delivered(world.delivery),
        "erase": lambda: erasing.erased("UALICE"),
    }
    await turns.play(actors, random.choice([*actors]), random.randrange(60))

    looking = process("look", Freely(random))
    entries = await looking.reader.entries(TENANT, world.size - 1, 999)
    found = Counter(f"{e.etype}{' erased' * e.erased}" for e in entries)
    assert (await looking.reader.verify(TENANT)).fault == ""
    return found, await readable(looking)


async def test_nothing_of_it_can_be_read_whenever_it_comes(world: World) -> None:
    captured: Counter[int] = Counter()
    copies: Counter[str] = Counter()
    for seed in range(_SEEDS):
        found, left = await raced(seed, world)
        assert not left, f"seed {seed}: {left}"
        assert found["message.create"] == 0
        captured[found["message.create erased"]] += 1
        copies.update(kind for kind in found if kind.startswith("bridge.delivered"))

    # The schedules are no good unless all, some and none of it came before.
    assert {*captured} == {0, 2, 4}
    assert {*copies} == {"bridge.delivered", "bridge.delivered erased"}


async def test_without_the_look_under_the_lock_some_would_be_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schedules find what is prevented."""
    monkeypatch.setattr(Write, "may_be_erased", lambda _self, _erased_us: False)

    left = Counter[str]()
    for seed in range(60):
        left.update({*(await raced(seed, world))[1]})

    assert {*left} == {"message.create", "bridge.delivered"}


async def test_two_processes_on_postgresql_leave_nothing_either(
    postgres: Postgres, tmp_path: Path
) -> None:
    keys = KeyFile.under(tmp_path)
    keys.create(TENANT)
    with postgres.database(migrated_template(postgres)) as url:
        async with opened(parsed(url)) as one, opened(parsed(url)) as other:
            erasing = Process(one.hot, keys, "erase")
            hearing = Process(other.hot, KeyFile(keys.folder), "hear")
            await erasing.open()
            for seed in range(12):
                who = f"UALICE{seed}"
                await hearing.said(who, 1)
                await erasing.agreed(who)
                await _race_for_real(Random(seed), erasing, hearing, who)

            assert await readable(erasing) == []
            assert (await erasing.reader.verify(TENANT)).fault == ""


async def _race_for_real(
    random: Random, erasing: Process, hearing: Process, who: str
) -> None:
    async def heard() -> None:
        for n in range(30):
            await hearing.said(who, 100 + n, random.choice(VIAS))

    async def erased() -> None:
        await sleep(random.random() * 0.1)
        await erasing.erased(who)

    await gather(heard(), erased())
