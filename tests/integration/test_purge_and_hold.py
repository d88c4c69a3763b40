"""A purge and a hold at the same moment: whatever is held first is never lost."""

from asyncio import gather, sleep
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

import storage.journal
from bridge.legal_holds import HoldScope
from bridge.messages import Channel, Platform
from bridge.ranges import positions
from storage.compliance.keys import KeyFile
from storage.compliance.retention import disposing
from storage.database import Database, opened
from storage.database_url import database_url as parsed
from storage.hot import Program
from storage.writes import Write
from tests.contract.retained import ALICE, BOB, OFFICER, TENANT, Retained, company
from tests.databases import migrated_template
from tests.events import FALCON
from tests.interleaved import Arena, Freely, InterleavedStore, Turns
from tests.servers import Postgres

_SEEDS = 1_000
BOB_ = f"slack:T01ACME/{BOB}"


@dataclass(frozen=True)
class World:
    """A company where six messages are due, put back for each seed."""

    arena: Arena
    keys: Path
    now_us: int
    due: tuple[int, ...]


@dataclass(frozen=True)
class Wish:
    """What happens while the purge runs; `keeps` are the messages that it holds."""

    name: str
    keeps: frozenset[int]
    scope: HoldScope | None = None


_BY_BOB = frozenset({1, 3, 5})
WISHES = (
    Wish("people", _BY_BOB, HoldScope(frozenset({BOB_}))),
    Wish("channel", frozenset(range(6)), HoldScope(channels=frozenset({str(FALCON)}))),
    Wish("words", _BY_BOB, HoldScope(query="merger")),
    Wish("both", _BY_BOB, HoldScope(frozenset({BOB_}), query="the")),
    Wish("reply", frozenset({0})),
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with company(f"sqlite:///{tmp_path}/atom.db", tmp_path) as acme:
        await acme.rule()
        due = [
            await acme.said(f"1.{n}", "the merger" if n % 2 else "lunch", who=who)
            for n, who in enumerate([ALICE, BOB, ALICE, BOB, ALICE, BOB])
        ]
        await acme.hold("early", query="what nobody said yet")
        await acme.later(31)
        now = acme.now_us
    arena = Arena(tmp_path / "atom.db")
    yield World(arena, tmp_path, now, tuple(due))
    arena.close()


@pytest.fixture(autouse=True)
def _commits_follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may wait for time, or a seed would not repeat a run."""
    monkeypatch.setattr(storage.journal, "_APART", 0.0)


def process(world: World, turns: Turns, name: str) -> Retained:
    """Return what one process holds; it disposes of two entries at a time."""
    keys = KeyFile.under(world.keys)
    store = InterleavedStore(world.arena.connection(name), turns, name)
    built = Retained(store, keys, now_us=world.now_us)
    built.disposer = replace(built.disposer, batch=2)
    return built


async def raced(seed: int, world: World) -> tuple[str, set[int]]:
    """
    Let a purge and something that holds happen at once.

    Returns how it ended, and which messages went although they were held.
    """
    random = Random(seed)
    world.arena.reset()
    turns, wish = Turns(random), random.choice(WISHES)
    widens = random.random() < 0.3
    purging, holding = (process(world, turns, n) for n in ("purge", "hold"))

    async def held() -> None:
        if wish.scope is None:
            text = "what nobody said yet"
            await holding.said("2.1", text, who=BOB, thread="1.0")
        elif widens:
            early = (await holding.holds.all(TENANT))[0].matter.id
            await holding.holds.widen(TENANT, OFFICER, early, wish.scope)
        else:
            await holding.holds.create(TENANT, OFFICER, "late", wish.scope)

    after = random.randrange(120)
    await turns.play({"purge": purging.dispose, "hold": held}, "hold", after)
    looking = process(world, Freely(random), "look")
    ending, lost = await _looked(looking, world, wish)
    return f"{wish.name} {ending}", lost


async def _looked(looking: Retained, world: World, wish: Wish) -> tuple[str, set[int]]:
    entries = await looking.reader.entries(TENANT, world.due[-1], 99)
    size = (await looking.reader.head(TENANT)).size
    kinds = {"hold.create", "hold.scope"} if wish.scope else {"message.create"}
    [made, *_] = [
        e.seq
        for e in reversed(entries)
        if e.etype in kinds and e.seq > world.due[-1] + 2
    ]
    gone = {
        seq: e.seq
        for e in entries
        if e.etype == "retention.dispose"
        for seq in positions(e.body["detail"]["seqs"])
    }
    kept = {world.due[n] for n in wish.keeps}
    lost = {seq for seq in kept if gone.get(seq, -1) > made}
    assert await looking.readable(*kept) == [seq not in gone for seq in kept]
    assert (await looking.reader.verify(TENANT)).fault == ""
    first, last = min(gone.values(), default=size), max(gone.values(), default=0)
    return ("first" if made < first else "last" if made > last else "between"), lost


async def test_no_held_entry_is_ever_lost(world: World) -> None:
    endings: Counter[str] = Counter()
    for seed in range(_SEEDS):
        ending, lost = await raced(seed, world)
        assert not lost, f"seed {seed}: {ending}"
        endings[ending] += 1

    # The schedules are no good unless each of these came at every possible time; what
    # holds everything leaves nothing to go after it.
    times = ("first", "between", "last")
    wanted = {f"{w.name} {when}" for w in WISHES for when in times}
    assert set(endings) == wanted - {"channel between"}


async def test_without_its_recheck_a_purge_would_lose_some(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schedules find what the check under the lock prevents."""

    def blind(self: disposing.Batch, seq: int) -> Program[Write | None]:
        self.gone = tuple(j for j in self.judgement.all if j.verdict.goes)
        yield from ()
        return self._write(seq) if self.gone else None

    monkeypatch.setattr(disposing.Batch, "carry_out", blind)

    lost = [seed for seed in range(40) if (await raced(seed, world))[1]]

    assert lost


async def test_two_processes_on_postgresql_lose_nothing_either(
    postgres: Postgres, tmp_path: Path
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with company(url, tmp_path) as purging, opened(parsed(url)) as other:
            await purging.rule()
            for seed in range(8):
                await _race_for_real(seed, purging, other)


async def _race_for_real(seed: int, purging: Retained, other: Database) -> None:
    random = Random(seed)
    channel = Channel(Platform.SLACK, "T01ACME", f"C{seed:03}")
    due = await gather(*(purging.said(f"{n}.0", where=channel) for n in range(40)))
    await purging.later(31)
    holding = Retained(other.hot, purging.keys, now_us=purging.now_us)
    purging.disposer = replace(purging.disposer, batch=4)

    async def held() -> None:
        await sleep(random.random() * 0.1)
        await holding.hold("late", channels=[channel])

    await gather(purging.dispose(), held())

    entries = await purging.reader.entries(TENANT, due[0], 9999)
    [made] = [e.seq for e in entries if e.etype == "hold.create"]
    gone = {
        seq: e.seq
        for e in entries
        if e.etype == "retention.dispose"
        for seq in positions(e.body["detail"]["seqs"])
    }
    assert all(gone[seq] < made for seq in due if seq in gone)
    assert await purging.readable(*due) == [seq not in gone for seq in due]
