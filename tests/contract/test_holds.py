"""What keeps channels from carrying is kept, told once, and seen by every process."""

from dataclasses import replace

import pytest

from bridge.holds import Cause
from bridge.lifecycle import Change, consequences
from bridge.links import Link, LinkState
from bridge.messages import Channel, Platform
from bridge.ports import Commitment
from storage.dormancy import StoredHolds
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT
from tests.unit.bridge.test_lifecycle import changed

ELSEWHERE = Channel(Platform.SLACK, "T02GLOBEX", FALCON.id)
NEW = Channel(Platform.SLACK, "T01ACME", "C09NEW")


def holds_of(store: Store) -> StoredHolds:
    return StoredHolds(store.links, store.journal, store.links.clock)


async def told(store: Store, change: Change, at_us: int, **more: str) -> None:
    """Take in an event as the relay does."""
    event = replace(changed(change, more=more), event_id=f"Ev{at_us}", sent_us=at_us)
    await store.journal.append(Commitment(TENANT, event, (), (), consequences(event)))


async def the_link(store: Store) -> Link:
    [link] = await store.another_process("other").links.all(TENANT)
    return link


@pytest.fixture
async def link(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")


async def test_an_event_and_what_follows_from_it_are_written_together(
    store: Store, link: Link
) -> None:
    await told(store, Change.ARCHIVED, 1000)

    dormant = await the_link(store)
    assert dormant.state is LinkState.DORMANT
    assert [hold.cause for hold in dormant.held_by] == [Cause.ARCHIVED]

    await told(store, Change.UNARCHIVED, 2000)

    assert (await the_link(store)).state is LinkState.ACTIVE


async def test_an_event_that_comes_late_does_not_hold_again(
    store: Store, link: Link
) -> None:
    await told(store, Change.ARCHIVED, 1000)
    await told(store, Change.UNARCHIVED, 3000)

    await told(store, Change.ARCHIVED, 2000)

    assert (await the_link(store)).state is LinkState.ACTIVE


async def test_a_whole_workspace_is_held_and_another_company_is_not(
    store: Store, link: Link
) -> None:
    store.keys.create("globex")
    await store.links.add("globex", (FALCON, PROJECT), "slack:U1")

    await told(store, Change.UNINSTALLED, 1000)

    assert (await the_link(store)).state is LinkState.DORMANT
    [other] = await store.another_process("other").links.all("globex")
    assert other.state is LinkState.ACTIVE


async def test_a_paused_link_stays_paused_and_is_dormant_when_resumed(
    store: Store, link: Link
) -> None:
    await store.links.change(link, LinkState.PAUSED, "slack:U1")
    await told(store, Change.ARCHIVED, 1000)
    paused = await the_link(store)

    resumed = await store.links.change(paused, LinkState.ACTIVE, "slack:U1")

    assert paused.state is LinkState.PAUSED
    assert resumed.state is LinkState.DORMANT


async def test_outsiders_hold_until_an_admin_allows_them(
    store: Store, link: Link
) -> None:
    await told(store, Change.SHARED, 1000)
    held = await the_link(store)

    await store.links.choose(held, held.options.said(["external=allow"]), "slack:U1")

    assert held.state is LinkState.DORMANT
    assert (await the_link(store)).state is LinkState.ACTIVE


async def test_what_a_platform_answers_stands(store: Store, link: Link) -> None:
    holds = holds_of(store)
    await holds.place(TENANT, PROJECT, Cause.ABSENT)

    await holds.settle(TENANT, PROJECT, {Cause.EXTERNAL})

    assert [hold.cause for hold in (await the_link(store)).held_by] == [Cause.EXTERNAL]

    await holds.settle(TENANT, PROJECT, set())

    assert (await the_link(store)).state is LinkState.ACTIVE


async def test_each_beginning_and_end_is_told_by_one_process_once(
    store: Store, link: Link
) -> None:
    one, two = holds_of(store), holds_of(store.another_process("two"))
    await one.place(TENANT, PROJECT, Cause.ABSENT)
    [began] = await one.untold(TENANT)
    first = await one.take(TENANT, began, [link])
    second = await two.take(TENANT, began, [link])
    await one.settle(TENANT, PROJECT, set())
    [ended] = await two.untold(TENANT)
    third = await two.take(TENANT, ended, [link])

    assert (began.over, ended.over) == (False, True)
    assert (first, second, third) == (True, False, True)
    assert list(await one.untold(TENANT)) == []
    entries = await store.reader.entries(TENANT, 0, 10)
    assert [e.body["change"] for e in entries] == [
        "dormant: not_a_member",
        "awake: not_a_member",
    ]


async def test_what_ended_before_anybody_was_told_is_not_told(
    store: Store, link: Link
) -> None:
    holds = holds_of(store)
    await holds.place(TENANT, PROJECT, Cause.ABSENT)
    await holds.settle(TENANT, PROJECT, set())

    [news] = await holds.untold(TENANT)

    assert not await holds.take(TENANT, news, [link])
    assert list(await holds.untold(TENANT)) == []


async def test_a_channel_keeps_its_address_when_its_id_changes(
    store: Store, link: Link
) -> None:
    assert await store.links.home(TENANT, NEW) == NEW

    await told(store, Change.MOVED, 1000, new_id=NEW.id)
    links = store.another_process("other").links

    assert await links.home(TENANT, NEW) == FALCON
    assert await links.home(TENANT, FALCON) == FALCON
    assert await links.moved(TENANT, "T01ACME") == {FALCON.id: NEW.id}
    assert await links.moved(TENANT, "T02GLOBEX") == {}


async def test_a_channel_is_the_same_from_whichever_workspace_it_is_seen(
    store: Store, link: Link
) -> None:
    assert await store.links.home(TENANT, ELSEWHERE) == FALCON
    assert await store.links.home("globex", ELSEWHERE) == ELSEWHERE
