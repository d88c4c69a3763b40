"""Who follows what, what mentions show, and how far changes were followed."""

import asyncio
from dataclasses import replace

import pytest

from bridge.errors import Conflict
from bridge.records.books import Held, Quiet, Subscription, Way
from bridge.records.cards import Level
from bridge.records.model import ChangeKind, RecordChange, Revision, System
from storage.compliance.acts import Acts
from storage.hot import Statement
from storage.records.changes import StoredChanges
from storage.records.levels import StoredLevels
from storage.records.sealing import CompanySeal
from storage.records.subscriptions import StoredSubscriptions
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.contract.records_books.conftest import CHANGE
from tests.events import FALCON, PROJECT

FOLLOWED = Subscription(
    "sub_1",
    TENANT,
    System.SERVICENOW,
    "acme",
    "change",
    "slack:U1",
    FALCON,
    filter="risk = high",
    every=15,
    quiet=Quiet(60, 120, "Europe/Zurich"),
    made_us=7,
)
SECRET = "Raise 32 GB to 64 GB for Project Dogwood"


@pytest.fixture
def book(store: Store, acts: Acts) -> StoredSubscriptions:
    hot = store.database.hot
    return StoredSubscriptions(hot, acts, CompanySeal(store.ring), ticking_clock())


async def types(store: Store) -> list[str]:
    return [each.etype for each in await store.reader.entries(TENANT, -1, 99)]


async def test_subscriptions_are_kept_and_on_record(
    book: StoredSubscriptions, store: Store
) -> None:
    mine = replace(FOLLOWED, id="sub_2", channel=None, person="p1", ref=CHANGE)
    await book.add(FOLLOWED)
    await book.add(replace(mine, made_us=9))

    assert await book.of(TENANT) == [FOLLOWED, replace(mine, made_us=9)]
    assert await book.of("globex") == []
    with pytest.raises(Conflict):
        await book.add(FOLLOWED)
    assert not await book.remove("globex", "sub_1")
    assert await book.remove(TENANT, "sub_1")
    assert not await book.remove(TENANT, "sub_1")
    assert [one.id for one in await book.of(TENANT)] == ["sub_2"]
    assert await types(store) == ["record.follow", "record.follow", "record.unfollow"]


async def test_lines_wait_sealed_and_are_told_once(
    book: StoredSubscriptions, store: Store
) -> None:
    first = Held("e1", CHANGE, SECRET, 10)
    second = Held("e2", CHANGE, "second", 20)
    assert await book.hold_back(FOLLOWED, second)
    assert await book.hold_back(FOLLOWED, first)
    assert not await book.hold_back(FOLLOWED, replace(first, line="again", at_us=30))
    rows = await store.database.hot.fetch(Statement("SELECT line FROM record_line"))
    assert not any(b"Dogwood" in bytes(row[0]) for row in rows)

    assert await book.due(FOLLOWED, 20) == [first]
    assert await book.due(FOLLOWED, 99) == [first, second]
    assert await book.due(replace(FOLLOWED, id="sub_2"), 99) == []

    await book.told(FOLLOWED, ["e1", "e9"])
    assert await book.due(FOLLOWED, 99) == [second]
    assert not await book.hold_back(FOLLOWED, replace(first, at_us=40))
    assert await book.sweep(99) == 1
    assert await book.sweep(99) == 0


async def test_changes_that_nobody_could_judge_wait_sealed_and_are_bounded(
    book: StoredSubscriptions, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.records.subscriptions.MOST_UNJUDGED", 2)
    change = RecordChange(
        System.SERVICENOW,
        "acme",
        ChangeKind.CHANGED,
        "e1",
        CHANGE,
        Revision(3, "r3"),
        actor="dogwood",
        fields=("risk", "state"),
    )
    one, two, three = (
        Held(f"e{n}", CHANGE, "", n, replace(change, event=f"e{n}")) for n in (1, 2, 3)
    )

    assert await book.hold_back(FOLLOWED, one)
    assert not await book.hold_back(FOLLOWED, one)
    assert await book.hold_back(FOLLOWED, two)
    assert not await book.hold_back(FOLLOWED, three)
    # Another's are counted apart, and lines that are judged are not counted.
    assert await book.hold_back(replace(FOLLOWED, id="sub_2"), three)
    line = Held("e4", CHANGE, "known", 4)
    assert await book.hold_back(FOLLOWED, line)
    rows = await store.database.hot.fetch(Statement("SELECT line FROM record_line"))
    assert not any(b"dogwood" in bytes(row[0]) for row in rows)

    assert await book.due(FOLLOWED, 99) == [one, two, line]
    await book.told(FOLLOWED, ["e1"])
    assert await book.hold_back(FOLLOWED, three)
    assert not await book.hold_back(FOLLOWED, one)
    assert await book.due(FOLLOWED, 99) == [two, three, line]


async def test_a_channel_shows_what_its_admin_chose(store: Store, acts: Acts) -> None:
    levels = StoredLevels(store.database.hot, acts, ticking_clock())
    jira, snow = System.JIRA, System.SERVICENOW

    async def shown() -> list[Level]:
        asked = [(FALCON, jira), (FALCON, snow), (PROJECT, jira)]
        return [await levels.level(TENANT, *each) for each in asked]

    assert await shown() == [Level.DATA, Level.DATA, Level.DATA]
    await levels.choose(TENANT, FALCON, None, Level.KIND, "slack:U1")
    await levels.choose(TENANT, FALCON, jira, Level.NOTHING, "slack:U1")
    await levels.choose(TENANT, FALCON, jira, Level.NAME, "slack:U1")
    assert await shown() == [Level.NAME, Level.KIND, Level.DATA]
    assert await levels.level("globex", FALCON, jira) is Level.DATA
    assert await types(store) == ["admin.config"] * 3


async def test_a_channel_chooses_whether_its_threads_go_into_records(
    store: Store, acts: Acts
) -> None:
    levels = StoredLevels(store.database.hot, acts, ticking_clock())

    assert not await levels.threads(TENANT)
    await levels.let_threads(TENANT, FALCON, "slack:U1", Way.BOTH)
    await levels.let_threads(TENANT, PROJECT, "teams:29:c", Way.IN)
    assert (await levels.threads(TENANT))[PROJECT].way is Way.IN
    await levels.let_threads(TENANT, PROJECT, "teams:29:c", Way.NONE)

    [(room, chosen)] = (await levels.threads(TENANT)).items()
    assert (room, chosen.way, chosen.since_us > 0) == (FALCON, Way.BOTH, True)
    assert not await levels.threads("globex")
    # What mentions show is another choice.
    assert await levels.level(TENANT, FALCON, System.JIRA) is Level.DATA
    assert await types(store) == ["admin.config"] * 3


async def test_positions_events_and_deeds_are_remembered(store: Store) -> None:
    book = StoredChanges(store.database.hot, ticking_clock())
    jira = System.JIRA

    assert await book.position(TENANT, jira, "acme") == ""
    await book.reached(TENANT, jira, "acme", "2026-01-01")
    await book.reached(TENANT, jira, "acme", "2026-01-02")
    assert await book.position(TENANT, jira, "acme") == "2026-01-02"
    assert await book.position(TENANT, jira, "other") == ""
    assert await book.position("globex", jira, "acme") == ""

    assert await book.first(TENANT, "event", 5)
    assert not await book.first(TENANT, "event", 6)
    assert await book.first("globex", "event", 5)

    assert await book.done(TENANT, "deed") is None
    assert await book.begin(TENANT, "deed", 5) == 0
    assert await book.begin(TENANT, "deed", 6) == 5  # when the first try began
    assert await book.done(TENANT, "deed") is None
    await book.undone(TENANT, "deed")
    assert await book.begin(TENANT, "deed", 7) == 0
    await book.finish(TENANT, "deed", "req-1")
    await book.undone(TENANT, "deed")
    assert await book.done(TENANT, "deed") == "req-1"
    assert await book.done("globex", "deed") is None

    assert await book.sweep(7) == 2
    assert await book.first(TENANT, "event", 8)
    assert await book.done(TENANT, "deed") == "req-1"


async def test_an_event_that_two_processes_hear_is_first_for_one(store: Store) -> None:
    one = StoredChanges(store.database.hot, ticking_clock())
    two = StoredChanges(store.another_process("two").database.hot, ticking_clock())

    heard = await asyncio.gather(
        *(each.first(TENANT, "event", 5) for _ in range(5) for each in (one, two))
    )
    begun = await asyncio.gather(
        *(each.begin(TENANT, "deed", 5) for _ in range(5) for each in (one, two))
    )

    assert heard.count(True) == begun.count(0) == 1
