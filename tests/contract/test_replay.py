"""A replay queues what is missing on the other side, and nothing that stands there."""

from dataclasses import replace

import pytest

from bridge.delivery import AttemptState, Operation
from bridge.links import Link
from bridge.messages import EventKind, PersonKind
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import ended, open_now, said
from tests.events import ALICE, FALCON, PROJECT, words

ADMIN = "slack:U01ALICE"
EDIT = {"kind": EventKind.MESSAGE_EDIT, "version_us": 5, "document": words("new")}
DELETE = {"kind": EventKind.MESSAGE_DELETE, "sent_us": 1_800_000_000_000_000}


@pytest.fixture
async def link(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), ADMIN)


async def queued(store: Store) -> list[tuple[Operation, str]]:
    return [(each.operation, each.message) for each in await open_now(store)]


async def test_what_was_dropped_and_what_was_never_heard_is_queued_in_order(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    await ended(store, AttemptState.DROPPED, "not allowed: a rule")
    await said(store, link, "17.2", unheard=True)
    await said(store, link, "17.3", thread="17.1", unheard=True)

    done = await store.letters.replay(link, 0, ADMIN)

    assert (done.queued, done.left, done.more) == (3, 0, False)
    found = await open_now(store)
    assert [each.message for each in found] == ["17.1", "17.2", "17.3"]
    assert [each.thread for each in found] == ["", "", "17.1"]
    assert not (await store.ledger.history(found[0])).fault


async def test_what_stands_there_is_left_alone(store: Store, link: Link) -> None:
    await said(store, link, "17.1")
    await ended(store, AttemptState.DELIVERED)

    done = await store.letters.replay(link, 0, ADMIN)

    assert (done.queued, await queued(store)) == (0, [])
    assert (await store.reader.entries(TENANT, -1, 99))[-1].etype == "bridge.delivered"


async def test_an_edit_and_a_delete_that_were_missed_are_queued(
    store: Store, link: Link
) -> None:
    for ts in ("17.1", "17.2"):
        await said(store, link, ts)
        await ended(store, AttemptState.DELIVERED)
    await said(store, link, "17.1", unheard=True, **EDIT)
    await said(store, link, "17.2", unheard=True, **DELETE)

    await store.letters.replay(link, 0, ADMIN)

    assert await queued(store) == [
        (Operation.EDIT, "17.1"),
        (Operation.DELETE, "17.2"),
    ]


async def test_what_was_deleted_before_it_crossed_is_not_queued(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1", unheard=True)
    await said(store, link, "17.1", unheard=True, **DELETE)

    assert (await store.letters.replay(link, 0, ADMIN)).queued == 0


async def test_what_is_under_way_or_unknown_is_left(store: Store, link: Link) -> None:
    await said(store, link, "17.1")
    await ended(store, AttemptState.PARKED, "nobody knows")
    await said(store, link, "17.2")

    done = await store.letters.replay(link, 0, ADMIN)

    assert (done.queued, done.left) == (0, 2)
    assert await queued(store) == [(Operation.POST, "17.2")]


async def test_what_was_said_earlier_is_left(store: Store, link: Link) -> None:
    await said(store, link, "17.1", unheard=True)
    since = store.letters.clock() + 60_000_000

    assert (await store.letters.replay(link, since, ADMIN)).queued == 0


async def test_what_was_said_before_the_link_never_crosses(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1", unheard=True)
    later = replace(link, created_us=store.letters.clock() + 60_000_000)

    assert (await store.letters.replay(later, 0, ADMIN)).queued == 0


async def test_other_bots_stay_silent(store: Store, link: Link) -> None:
    robot = replace(ALICE, kind=PersonKind.BOT)
    await said(store, link, "17.1", unheard=True, author=robot)

    assert (await store.letters.replay(link, 0, ADMIN)).queued == 0


async def test_a_replayed_letter_is_off_the_list(store: Store, link: Link) -> None:
    await said(store, link, "17.1")
    await ended(store, AttemptState.DEAD, "no")

    await store.letters.replay(link, 0, ADMIN)

    assert await store.letters.all(TENANT) == []
    assert len(await open_now(store)) == 1


async def test_a_replay_twice_queues_once(store: Store, link: Link) -> None:
    await said(store, link, "17.1", unheard=True)
    await store.letters.replay(link, 0, ADMIN)

    again = await store.letters.replay(link, 0, ADMIN)

    assert (again.queued, again.left) == (0, 1)


async def test_a_message_in_doubt_is_told_to_whoever_would_send_it_again(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1", unheard=True)
    other = store.another_process("two")
    await store.letters.replay(link, 0, ADMIN)
    await ended(store, AttemptState.PARKED, "nobody knows")
    [letter] = await store.letters.all(TENANT)

    entry = letter.delivery.entry
    edit = replace(letter.delivery, operation=Operation.EDIT, seq=entry, again=None)
    assert (await other.ledger.history(letter.delivery)).in_doubt
    assert (await other.ledger.history(edit)).in_doubt
