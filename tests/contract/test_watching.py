"""Whoever changes a setting, or stops ATOM, is on record; no secret is."""

import pytest

from storage.compliance.acts import Acts
from storage.compliance.rights.watching import Watching
from storage.hot import Program, Statement
from tests.contract.conftest import TENANT, Store
from tests.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def watching(store: Store, clock: FakeClock) -> Watching:
    hot, keys = store.database.hot, store.reader.keys
    return Watching(hot, keys, Acts(store.journal, clock), clock)


async def last(store: Store) -> tuple[str, str, dict[str, object]]:
    entry = (await store.reader.entries(TENANT, -1, 99))[-1]
    return entry.etype, entry.body["text"], entry.body["detail"]


async def test_a_start_says_which_settings_are_others_than_at_the_last(
    store: Store, watching: Watching
) -> None:
    before = {
        "tuning.tries": "8",
        "slack.bot_token": "xoxb-1",
        "redis_url": "redis://a",
    }
    after = {"tuning.tries": "8", "slack.bot_token": "xoxb-2", "clamd_address": "/c"}

    first = await watching.started(TENANT, before)
    again = await watching.started(TENANT, before)
    changed = await watching.started(TENANT, after)

    assert (first, again) == ([], [])
    assert changed == ["clamd_address", "redis_url", "slack.bot_token"]
    etype, text, detail = await last(store)
    assert (etype, detail["what"]) == ("admin.config", "serving")
    assert text == (
        "started serving; other settings: clamd_address, redis_url, slack.bot_token"
    )
    told = detail["settings"]
    assert isinstance(told, list)
    assert [bool(one["old"]) for one in told] == [False, True, True]
    assert [bool(one["new"]) for one in told] == [True, False, True]
    assert await watching.started(TENANT, after) == []


async def test_no_secret_is_kept_or_logged_and_no_hash_can_be_guessed(
    store: Store, watching: Watching
) -> None:
    store.keys.create("globex")
    for tenant in (TENANT, "globex"):
        await watching.started(tenant, {"slack.bot_token": "xoxb-1"})

    rows = await store.database.hot.fetch(Statement("SELECT digest FROM watched"))

    assert len({row[0] for row in rows}) == 2
    assert "xoxb-1" not in str(await last(store))


async def test_a_start_says_how_long_nobody_signed(
    store: Store, watching: Watching, clock: FakeClock
) -> None:
    def signed() -> Program[None]:
        yield Statement(
            "INSERT INTO checkpoint (tenant, size, root, note, at_us) "
            "VALUES (:t, 0, :r, '', :now)",
            {"t": TENANT, "r": b"", "now": clock()},
        )

    assert await watching.silent_us(TENANT) == 0
    await store.database.hot.run(signed)
    clock.advance(90)

    await watching.started(TENANT, {})

    assert (await last(store))[2]["unsigned_us"] == 90_000_000


async def test_a_stop_is_on_record(store: Store, watching: Watching) -> None:
    await watching.stopped(TENANT)

    assert (await last(store))[1] == "stopped serving"
