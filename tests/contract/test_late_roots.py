"""A root on record is queued late if it was said before its channel was linked."""

from dataclasses import replace

import pytest

from bridge.access import Decision
from bridge.links import Link
from bridge.messages import EventKind, Person, PersonKind, Platform
from bridge.ports import Commitment
from storage.late_roots import StoredLateRoots
from tests.contract.conftest import TENANT, Store
from tests.events import ALICE, FALCON, PROJECT, message

EVER = 1 << 60
BEFORE = Link(TENANT, "L1", (FALCON, PROJECT), created_us=EVER)
AFTER = replace(BEFORE, created_us=1)
BOT = Person(Platform.SLACK, "B1", kind=PersonKind.BOT)
DENIED = Decision(allowed=False, rule="a rule", policy="hash", directory="1")


def late(store: Store) -> StoredLateRoots:
    return StoredLateRoots(store.journal, store.reader, lambda: EVER)


async def test_a_root_from_before_the_link_is_queued_once(store: Store) -> None:
    said = await store.journal.append(Commitment(TENANT, message("1.0"), (), ()))

    assert await late(store).queue([BEFORE], FALCON, "1.0") == 1
    assert await late(store).queue([BEFORE], FALCON, "1.0") == 0

    size = (await store.queue.sizes())[TENANT]
    [queued] = await store.queue.newer(TENANT, 0, size, range(256))
    assert (queued.target, queued.entry, queued.message) == (PROJECT, said.seq, "1.0")
    entries = await store.reader.entries(TENANT, -1, 10)
    assert [e.etype for e in entries] == ["message.create", "bridge.late_root"]
    assert entries[1].row["origin_seq"] == said.seq


async def test_what_was_said_since_the_link_is_left_to_its_own_delivery(
    store: Store,
) -> None:
    await store.journal.append(Commitment(TENANT, message("1.0"), (), ()))

    assert await late(store).queue([AFTER], FALCON, "1.0") == 0


@pytest.mark.parametrize("why", ["deleted", "denied", "a bot's", "never heard"])
async def test_what_may_not_or_need_not_cross_is_not_queued(
    store: Store, why: str
) -> None:
    denials = (DENIED,) if why == "denied" else ()
    said = message("1.0", author=BOT if why == "a bot's" else ALICE)
    if why != "never heard":
        await store.journal.append(Commitment(TENANT, said, denials, ()))
    if why == "deleted":
        gone = message("1.0", kind=EventKind.MESSAGE_DELETE)
        await store.journal.append(Commitment(TENANT, gone, (), ()))

    assert await late(store).queue([BEFORE], FALCON, "1.0") == 0
