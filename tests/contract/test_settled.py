"""The queue forgets what ended long ago, and nothing that is open."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.delivery import AttemptState, Delivery, Operation
from bridge.messages import Channel
from storage.compliance.acts import Act, Acts
from storage.hot import Insert, Program, Statement
from storage.partitions import detach
from storage.rows import outbox_row
from storage.settled import ETYPE, Settled
from tests.contract.conftest import TENANT, Store

_NOW = datetime(2022, 6, 20, tzinfo=UTC)
_DAYS = 400  # so what was queued before 16 May 2021 is old
_SLACK = Channel.parse("slack:T01ACME/C02FALCON")
_TEAMS = Channel.parse("teams:T/C")


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


def _queued(seq: int, month: int) -> dict[str, Any]:
    created = _us(datetime(2021, month, 10, tzinfo=UTC))
    delivery = Delivery(
        TENANT, seq, 0, "L1", Operation.POST, _SLACK, _TEAMS, f"{seq}.0", "", 0, created
    )
    return outbox_row(delivery)


def _attempted(seq: int, month: int, state: AttemptState) -> dict[str, Any]:
    return {
        "tenant": TENANT,
        "seq": seq,
        "n": 0,
        "attempt": 1 if state is AttemptState.INTENT else 2,
        "shard": 1,
        "epoch": 1,
        "link": "L1",
        "state": state,
        "tries": 1,
        "until_us": 0,
        "reason": "",
        "at_us": _us(datetime(2021, month, 11, tzinfo=UTC)),
        "part": 0,
        "budget": 0,
        "joined": "",
    }


def _letter(seq: int, month: int) -> dict[str, Any]:
    return {
        "tenant": TENANT,
        "seq": seq,
        "n": 0,
        "link": "L1",
        "state": "dead",
        "tries": 1,
        "reason": "refused",
        "unknown_us": 0,
        "at_us": _us(datetime(2021, month, 11, tzinfo=UTC)),
        "joined": "",
    }


async def _put(store: Store, table: str, *rows: dict[str, Any]) -> None:
    for row in rows:

        def program(row: dict[str, Any] = row) -> Program[None]:
            yield Insert(table, [row])

        await store.database.hot.run(program)


@pytest.fixture
async def queue(store: Store) -> Store:
    """Five months of the queue: 2 is open in February, 3 a letter, 5 is young."""
    acts = Acts(store.journal, store.journal.clock)
    await acts.note(Act(TENANT, "admin.config", "atom", "the log begins"))
    delivered, intent = AttemptState.DELIVERED, AttemptState.INTENT
    await _put(store, "outbox", *(_queued(n, n) for n in (1, 2, 3, 4)), _queued(5, 12))
    await _put(store, "attempt", *(_attempted(n, n, intent) for n in (1, 2, 3, 4)))
    await _put(
        store, "attempt", _attempted(1, 1, delivered), _attempted(4, 5, delivered)
    )
    await _put(store, "attempt", _attempted(3, 3, AttemptState.DEAD))
    await _put(store, "attempt", _attempted(5, 12, delivered))
    await _put(store, "dead_letter", _letter(3, 3))
    return store


def _settled(store: Store, days: int = _DAYS) -> Settled:
    acts = Acts(store.journal, store.journal.clock)
    return Settled(store.database, acts, lambda: _us(_NOW), days)


async def _left(store: Store, table: str) -> set[int]:
    sql = f"SELECT DISTINCT seq FROM {table}"  # noqa: S608 - ours
    rows: Sequence[Any] = await store.database.hot.fetch(Statement(sql))
    return {seq for (seq,) in rows}


async def test_what_ended_long_ago_goes_and_nothing_that_is_open(queue: Store) -> None:
    cut = await _settled(queue).forget()

    assert await _left(queue, "outbox") == {2, 3, 5}
    assert await _left(queue, "attempt") >= {2, 3, 5}
    if queue.database.embedded:
        assert cut == ["outbox"]
        assert await _left(queue, "attempt") == {2, 3, 5}
    else:
        # What was noted in April may be about what was queued in February.
        assert cut == ["outbox_2021_01", "outbox_2021_04", "attempt_2021_01"]


async def test_it_is_on_record_once_however_often_it_is_looked_at(
    queue: Store,
) -> None:
    await _settled(queue).forget()
    again = await _settled(queue).forget()

    entries = await queue.reader.entries(TENANT, -1, 99)
    told = [e.body["detail"] for e in entries if e.etype == ETYPE]
    assert again == []
    whats = {each["what"]: each["rows"] for each in told}
    one = {"outbox": 2}
    months = {"outbox_2021_01": 1, "outbox_2021_04": 1, "attempt_2021_01": 2}
    assert whats == (one if queue.database.embedded else months)


async def test_attempts_go_after_everything_that_they_were_at(queue: Store) -> None:
    await _put(queue, "attempt", _attempted(2, 5, AttemptState.DELIVERED))

    def settled() -> Program[None]:
        yield Statement("DELETE FROM dead_letter")

    await queue.database.hot.run(settled)
    later = _settled(queue)
    later = Settled(
        later.database, later.acts, lambda: _us(_NOW + timedelta(days=60)), _DAYS
    )
    await later.forget()

    assert await _left(queue, "outbox") == {5}
    assert await _left(queue, "attempt") == {5}


async def test_for_ever_is_for_ever(queue: Store) -> None:
    assert await _settled(queue, days=0).forget() == []
    assert await _left(queue, "outbox") == {1, 2, 3, 4, 5}


async def test_a_month_that_was_let_go_of_and_not_dropped_is_dropped(
    queue: Store,
) -> None:
    if queue.database.embedded:
        return
    settled = _settled(queue)
    await settled.mark("outbox_2021_01")
    await detach(queue.database.engine, "outbox_2021_01")
    await detach(queue.database.engine, "outbox_2021_04")  # somebody else's doing

    cut = await settled.forget()

    assert cut == ["outbox_2021_01", "attempt_2021_01"]
