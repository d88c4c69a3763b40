"""Floods of deletions and edits are counted from the log, on both databases."""

import asyncio
from dataclasses import replace

import pytest

from bridge.access import Decision
from bridge.delivery import Delivery, Operation
from bridge.messages import EventKind
from bridge.ports import Commitment
from storage.changes import LoggedChanges
from tests.contract.conftest import TENANT, Store
from tests.contract.effort import Measured
from tests.events import FALCON, PROJECT, message

SECOND = 1_000_000
AT = 1_000 * SECOND
YES = Decision(True, "open", policy="", directory="")
NO = replace(YES, allowed=False)


async def happens(
    store: Store,
    kind: EventKind,
    id_: str,
    at_us: int = AT,
    decision: Decision = YES,
) -> Delivery:
    """Put a change on record; returns its delivery."""
    operation = Operation(kind.rpartition(".")[2])
    event = replace(
        message(f"{kind}{id_}{at_us}", "words"),
        kind=kind,
        message=id_,
        version_us=at_us,
        sent_us=at_us,
    )
    queued = Delivery(
        TENANT, -1, -1, "L1", operation, FALCON, PROJECT, id_, "", at_us, 0
    )
    await store.journal.append(Commitment(TENANT, event, (decision,), (queued,)))
    size = (await store.queue.sizes())[TENANT]
    [found] = [
        d
        for d in await store.queue.newer(TENANT, size - 1, size, range(256))
        if d.message == id_
    ]
    return found


async def test_edited_messages_are_counted_and_not_their_edits(store: Store) -> None:
    for n in range(3):
        await happens(store, EventKind.MESSAGE_EDIT, "1", AT + n * SECOND)
    last = await happens(store, EventKind.MESSAGE_EDIT, "2", AT + 9 * SECOND)

    assert await LoggedChanges(store.database.hot).until(last, 60 * SECOND) == 2


async def test_edits_count_by_when_they_were_made_and_only_those_that_crossed(
    store: Store,
) -> None:
    await happens(store, EventKind.MESSAGE_EDIT, "1", AT - 61 * SECOND)
    await happens(store, EventKind.MESSAGE_EDIT, "2", AT, NO)
    await happens(store, EventKind.MESSAGE_DELETE, "3", AT)
    last = await happens(store, EventKind.MESSAGE_EDIT, "4", AT)
    await happens(store, EventKind.MESSAGE_EDIT, "5", AT)

    assert await LoggedChanges(store.database.hot).until(last, 60 * SECOND) == 1


@pytest.mark.parametrize("count", [1, 3])
async def test_deletions_count_up_to_their_own(store: Store, count: int) -> None:
    gone = [await happens(store, EventKind.MESSAGE_DELETE, str(n)) for n in range(3)]
    await happens(store, EventKind.MESSAGE_EDIT, "9")
    changes = LoggedChanges(store.database.hot)

    assert await changes.until(gone[count - 1], 60 * SECOND) == count


@pytest.mark.parametrize("kind", [EventKind.MESSAGE_EDIT, EventKind.MESSAGE_DELETE])
async def test_what_else_was_said_is_not_read(store: Store, kind: EventKind) -> None:
    async def measured(at_us: int) -> Measured:
        last = await happens(store, kind, "1", at_us)
        asked = Measured(store.database)
        await asked.analysed()
        changes = LoggedChanges(asked)  # type: ignore[arg-type]  # only `fetch` is asked
        assert await changes.until(last, SECOND) >= 1
        return asked

    async def says(n: int) -> None:
        said = message(f"Ev{n}", "words", message=f"1700000000.{n:06}")
        await store.journal.append(Commitment(TENANT, said, (), ()))

    alone = await measured(AT)
    await asyncio.gather(*(says(n) for n in range(1_000)))
    among_many = await measured(AT + 9 * SECOND)

    few = 100 if store.database.embedded else 1  # steps of SQLite's, or rows
    assert among_many.indexes == {"ix_log_changes"}
    assert among_many.work <= alone.work + few
