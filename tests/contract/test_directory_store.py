"""The directory in the database: versions, cursors and the log move as one."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bots.directory_settings import DirectorySettings
from bots.directory_side import DirectorySide
from bots.directory_telling import Telling
from bots.syncing import Rules, Sync
from bridge.directory.brake import Limits
from bridge.directory.difference import What
from bridge.directory.frozen import REMOVALS
from bridge.directory.model import Edge, Gone, Reading, Standing
from bridge.directory.people import Precedence
from bridge.directory.view import LiveDirectory
from bridge.errors import Conflict, NotFound, NotSent, StoreUnavailable
from bridge.messages import Channel, Platform
from storage.directory.stored import Moved, Step, StoredDirectory
from storage.hot import HotStore, Insert, Program, Rows, Statement
from tests.contract.conftest import TENANT, Store
from tests.fakes import FakeAnnouncer
from tests.unit.bridge.directory.told import HOUR, group, part, person, whole


class _Clock:
    def __init__(self) -> None:
        self.now = 1_900_000_000_000_000

    def __call__(self) -> int:
        return self.now


def _sync(store: Store, clock: Callable[[], int], rules: Rules | None = None) -> Sync:
    view = LiveDirectory(clock)
    view.configure(TENANT, ("ad", "yaml"), Precedence())
    kept = StoredDirectory(store.database.hot, store.journal, clock)
    return Sync(TENANT, view, kept, rules or Rules(), clock)


async def _types(store: Store) -> list[str]:
    rows = await store.database.hot.fetch(
        Statement("SELECT etype FROM log WHERE tenant = :t ORDER BY seq", {"t": TENANT})
    )
    return [row[0] for row in rows]


async def _bodies(store: Store, etype: str) -> list[Any]:
    entries = await store.reader.entries(TENANT, -1, 10_000)
    return [e.body for e in entries if e.etype == etype]


async def test_what_was_read_is_there_for_another_process(store: Store) -> None:
    sync = _sync(store, _Clock())
    reading = whole(person("ana", slack_id="T1/U1"), group("fin", ["ana"]))

    outcome = await sync.apply(replace(reading, cursor=b"7"))
    other = _sync(store.another_process("two"), _Clock())
    await other.refresh()

    assert outcome.version == other.state.version == 1
    assert other.state.entries == sync.state.entries
    assert other.state.members == {("ad", "fin"): {"ana"}}
    assert other.view.subjects(TENANT) == sync.view.subjects(TENANT)
    assert (await other.store.followed(TENANT))["ad"].cursor == b"7"


async def test_another_process_follows_by_versions(store: Store) -> None:
    one, two = _sync(store, _Clock()), _sync(store.another_process("two"), _Clock())
    await one.apply(whole(person("ana"), person("ben"), group("fin", ["ana"])))
    await two.refresh()

    edges = (Edge("ben", "fin"),)
    left = (Edge("ana", "fin"),)
    await one.apply(Reading("ad", whole=False, joined=edges, left=left))
    await two.refresh()

    assert two.state.members["ad", "fin"] == {"ben"}
    [ended] = await two.store.endings(TENANT, "ana")
    assert ended.why == "the source took it back"


async def test_two_processes_at_once_lose_nothing(store: Store) -> None:
    one, two = _sync(store, _Clock()), _sync(store.another_process("two"), _Clock())
    readings = [part(person(f"p{n}"), source="ad") for n in range(4)]
    others = [part(person(f"q{n}"), source="yaml") for n in range(4)]

    await asyncio.gather(
        *(one.apply(reading) for reading in readings),
        *(two.apply(reading) for reading in others),
    )
    await one.refresh()
    await two.refresh()

    assert len(one.state.entries) == 8
    assert one.state.entries == two.state.entries
    assert one.state.version == two.state.version == 8


async def test_a_step_from_an_old_version_is_not_taken(store: Store) -> None:
    sync = _sync(store, _Clock())
    await sync.apply(whole(person("ana")))
    kept = [*sync.state.entries.values()]

    with pytest.raises(Moved):
        await sync.store.apply(TENANT, Step(base=0, kept=kept))


async def test_every_change_is_in_the_log_with_the_directorys_version(
    store: Store,
) -> None:
    sync = _sync(store, _Clock())
    await sync.apply(whole(person("ana"), group("fin", ["ana"])))
    await sync.apply(part(person("ana", title="Head")))
    await sync.apply(part(person("ana", title="Head", standing=Standing.DISABLED)))

    assert await _types(store) == [
        "directory.change",
        "directory.change",
        "user.profile",
        "directory.change",
        "user.profile",
        "user.deactivate",
    ]
    profile = (await _bodies(store, "user.profile"))[0]["detail"]
    who = sync.state.people["ad", "ana"]
    assert profile["person"] == who
    assert profile["directory"] == 2
    assert profile["changes"] == [{"name": "title", "before": "", "after": "Head"}]
    first = (await _bodies(store, "directory.change"))[0]["detail"]
    assert first["counts"] == {"add group": 1, "add person": 1, "join group": 1}


async def test_the_same_reading_again_makes_no_version_and_no_entry(
    store: Store,
) -> None:
    sync = _sync(store, _Clock())
    reading = whole(person("ana"), group("fin", ["ana"]))
    await sync.apply(reading)

    await sync.apply(reading)

    assert sync.state.version == 1
    assert await _types(store) == ["directory.change"]


async def test_an_incomplete_reading_keeps_its_cursor_back_and_is_told_once(
    store: Store,
) -> None:
    clock = _Clock()
    sync = _sync(store, clock)
    await sync.apply(replace(whole(person("ana"), person("ben")), cursor=b"1"))
    clock.now += HOUR
    broken = replace(whole(person("eve"), complete=False), cursor=b"2")

    outcome = await sync.apply(broken)
    await sync.apply(broken)

    followed = (await sync.store.followed(TENANT))["ad"]
    assert outcome.problem == followed.problem == "the connection broke"
    assert followed.cursor == b"1"
    assert followed.heard_us == clock.now - HOUR
    assert {r[1] for r in sync.state.entries} == {"ana", "ben", "eve"}
    assert (await _types(store)).count("directory.incomplete") == 1


class _Dies:
    """A database connection that breaks at a statement, once."""

    def __init__(self, store: HotStore) -> None:
        self.store = store
        self.address = store.address
        self.at = ""

    async def run(self, program: Callable[[], Program[Any]]) -> Any:
        def breaking() -> Program[Any]:
            running = program()
            step = next(running)
            while True:
                if self.at and isinstance(step, Insert | Statement):
                    table = step.table if isinstance(step, Insert) else step.sql
                    if self.at in table:
                        self.at = ""
                        raise StoreUnavailable("killed")
                rows: Rows = yield step
                try:
                    step = running.send(rows)
                except StopIteration as done:
                    return done.value

        return await self.store.run(breaking)

    async def fetch(self, statement: Statement) -> Rows:
        return await self.store.fetch(statement)

    async def close(self) -> None:
        await self.store.close()


@pytest.mark.parametrize(
    "table", ["directory_state", "directory_entry", "directory_member", "problem"]
)
async def test_who_dies_between_reading_and_writing_has_done_nothing(
    store: Store, table: str
) -> None:
    dying = _Dies(store.database.hot)
    store.journal.store = dying
    sync = _sync(store, _Clock())
    await sync.apply(replace(whole(person("ana")), cursor=b"1"))
    reading = replace(part(person("ben"), group("fin", ["ben"])), cursor=b"2")

    dying.at = table
    with pytest.raises(StoreUnavailable):
        await sync.apply(reading)
    after = _sync(store.another_process("two"), _Clock())
    await after.refresh()
    assert set(after.state.entries) == {("ad", "ana")}
    assert (await after.store.followed(TENANT))["ad"].cursor == b"1"

    await sync.apply(reading)
    assert sync.state.members == {("ad", "fin"): {"ben"}}
    assert sync.state.version == 2


def _many(count: int) -> list[Any]:
    return [person(f"p{n:03}") for n in range(count)]


async def test_mass_removals_wait_and_exactly_they_can_be_let_happen(
    store: Store,
) -> None:
    clock = _Clock()
    sync = _sync(store, clock)
    await sync.apply(whole(*_many(100)))
    clock.now += 2 * HOUR

    outcome = await sync.apply(whole(*_many(5)))

    [frozen] = outcome.fresh
    assert (frozen.sort, len(frozen.changes)) == (REMOVALS, 95)
    assert all(not k.life.gone for k in sync.state.entries.values())
    again = await sync.apply(whole(*_many(5)))
    assert again.fresh == ()
    assert again.frozen == (frozen,)

    with pytest.raises(NotFound):
        await sync.decide("0" * 32, "cli:eve", agree=True)
    await sync.decide(frozen.digest, "cli:eve", agree=True)
    assert sum(k.life.gone for k in sync.state.entries.values()) == 95
    assert await sync.store.waiting(TENANT) == []
    types = await _types(store)
    assert types.count("directory.frozen") == types.count("directory.decide") == 1
    assert types.count("user.deactivate") == 95


async def test_what_was_agreed_to_does_not_stop_what_comes_next(store: Store) -> None:
    clock = _Clock()
    sync = _sync(store, clock)
    await sync.apply(whole(*_many(100)))
    clock.now += 2 * HOUR
    [frozen] = (await sync.apply(whole(*_many(5)))).fresh
    await sync.decide(frozen.digest, "cli:eve", agree=True)

    outcome = await sync.apply(Reading("ad", whole=False, gone=(Gone("p001"),)))

    assert not outcome.frozen
    assert sync.state.entries["ad", "p001"].life.gone


async def test_a_refused_set_stays_refused_until_it_is_another_one(
    store: Store,
) -> None:
    clock = _Clock()
    sync = _sync(store, clock)
    await sync.apply(whole(*_many(100)))
    clock.now += 2 * HOUR
    [frozen] = (await sync.apply(whole(*_many(5)))).fresh

    await sync.decide(frozen.digest, "cli:eve", agree=False)
    await sync.apply(whole(*_many(5)))
    assert [w.state for w in await sync.store.waiting(TENANT)] == ["refused"]

    [other] = (await sync.apply(whole(*_many(4)))).fresh
    assert other.digest != frozen.digest
    await sync.apply(whole(*_many(100)))
    assert await sync.store.waiting(TENANT) == []


async def test_a_word_about_what_was_seen_long_ago_is_too_late(store: Store) -> None:
    clock = _Clock()
    sync = _sync(store, clock)
    await sync.apply(whole(*_many(100)))
    clock.now += 2 * HOUR
    [frozen] = (await sync.apply(whole(*_many(5)))).fresh
    clock.now += 25 * HOUR

    with pytest.raises(Conflict):
        await sync.decide(frozen.digest, "cli:eve", agree=True)


async def test_somebody_disabled_is_so_at_once_while_the_brake_is_on(
    store: Store,
) -> None:
    clock = _Clock()
    sync = _sync(store, clock)
    await sync.apply(whole(*_many(100)))
    clock.now += 2 * HOUR
    await sync.apply(whole(*_many(5)))

    await sync.apply(part(person("p050", standing=Standing.DISABLED)))

    who = sync.state.people["ad", "p050"]
    subject = sync.view.find(TENANT, who)
    assert subject is not None
    assert subject.standing is Standing.DISABLED
    assert len((await sync.store.waiting(TENANT))[0].frozen.changes) == 94


async def test_a_unit_that_is_renamed_takes_all_along_and_nobody_is_removed(
    store: Store,
) -> None:
    from bridge.directory.model import Kind

    sync = _sync(store, _Clock())
    people = [
        person(f"p{n}", unit="ou", path=f"CN=p{n},OU=Q\\,1,DC=acme") for n in range(400)
    ]
    unit = group("ou", None, kind=Kind.UNIT, path="OU=Q\\,1,DC=acme")
    await sync.apply(whole(unit, *people))

    outcome = await sync.apply(part(replace(unit, path="OU=Q2,DC=acme", name="Q2")))

    assert not outcome.frozen
    assert {c.what for c in outcome.changes} == {What.CHANGE}
    assert sync.state.entries["ad", "p7"].entry.path == "CN=p7,OU=Q2,DC=acme"
    who = sync.state.people["ad", "p7"]
    assert list(sync.view.path(TENANT, who, "unit:ou")) == ["Q2"]


async def test_a_preview_says_what_would_happen_and_does_nothing(store: Store) -> None:
    sync = _sync(store, _Clock())
    await sync.apply(whole(person("ana")))

    outcome = await sync.preview(whole(person("ana"), person("ben")))

    assert [(c.what, c.id) for c in outcome.changes] == [(What.ADD, "ben")]
    assert await sync.store.version(TENANT) == 1
    assert await _types(store) == ["directory.change"]


async def test_one_process_at_a_time_reads_a_source(store: Store) -> None:
    clock = _Clock()
    kept = _sync(store, clock).store

    assert await kept.claim(TENANT, "ad", "one", 10)
    assert await kept.claim(TENANT, "ad", "one", 10)
    assert not await kept.claim(TENANT, "ad", "two", 10)
    clock.now += 11
    assert await kept.claim(TENANT, "ad", "two", 10)
    assert await kept.claim("other", "ad", "two", 10) is not None


async def test_a_large_first_reading_is_cut_and_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.syncing._AT_ONCE", 30)
    sync = _sync(store, _Clock(), Rules(limits=Limits()))
    people = _many(100)

    reading = replace(whole(*people, group("all", [p.id for p in people])), cursor=b"1")
    await sync.apply(reading)

    after = _sync(store.another_process("two"), _Clock())
    await after.refresh()
    assert len(after.state.entries) == 101
    assert len(after.state.members["ad", "all"]) == 100
    assert after.state.entries == sync.state.entries


async def test_admins_are_told_once_with_counts_names_and_the_hash(
    store: Store,
) -> None:
    clock = _Clock()
    sync = _sync(store, clock)
    await sync.apply(whole(*_many(100)))
    clock.now += 2 * HOUR
    [frozen] = (await sync.apply(whole(*_many(5)))).fresh
    channel, announcer = Channel(Platform.SLACK, "T1", "C1"), FakeAnnouncer()
    announcer.failures[channel] = NotSent("away")
    side = DirectorySide(DirectorySettings(), sync.view, sync.store, "one", sync)
    telling = Telling(side, {Platform.SLACK: announcer})

    with pytest.raises(NotSent):
        await telling.tell(channel)
    announcer.failures.clear()
    await telling.tell(channel)
    await telling.tell(channel)
    await sync.apply(whole(*_many(4)))  # one more: they know already that it waits
    await telling.tell(channel)

    [(where, card)] = announcer.announced
    assert where == channel
    assert card.sections[0].title == "95 changes of ad wait"
    assert "person P005 is suspended" in card.sections[0].text
    assert card.buttons[0].command == f"directory approve {frozen.digest}"
