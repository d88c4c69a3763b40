"""Links are kept, changed and offered; every change is on record."""

import asyncio

import pytest

from bridge.errors import Conflict, NotFound
from bridge.links import LinkState, Offer
from bridge.messages import Channel, Platform
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT

OTHER = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:random@thread.tacv2")
RANDOM = Channel(Platform.SLACK, "T01ACME", "C03RANDOM")


async def test_a_link_is_found_from_each_of_its_channels(store: Store) -> None:
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")

    for channel in (FALCON, PROJECT):
        [found] = await store.links.of(TENANT, channel)
        assert found.id == link.id
        assert found.channels == (FALCON, PROJECT)


async def test_another_company_does_not_see_the_link(store: Store) -> None:
    await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")

    assert list(await store.links.of("globex", FALCON)) == []


async def test_a_second_link_of_the_same_pair_is_refused(store: Store) -> None:
    await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")

    with pytest.raises(Conflict, match="linked already"):
        await store.links.add(TENANT, (PROJECT, FALCON), "slack:U1")


async def test_a_link_that_closes_a_circle_is_refused(store: Store) -> None:
    await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")
    await store.links.add(TENANT, (PROJECT, RANDOM), "slack:U1")

    with pytest.raises(Conflict, match="circle"):
        await store.links.add(TENANT, (RANDOM, FALCON), "slack:U1")


async def test_a_removed_link_is_gone_and_the_pair_may_be_linked_again(
    store: Store,
) -> None:
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")

    await store.links.change(link, LinkState.REMOVED, "slack:U1")

    assert list(await store.links.all(TENANT)) == []
    again = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")
    assert again.id != link.id


async def test_a_channel_that_joins_hears_from_then_on(store: Store) -> None:
    other = store.another_process("two")
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")
    assert len((await other.links.of(TENANT, FALCON))[0].channels) == 2

    grown = await store.links.join(link, RANDOM, "slack:U2")

    [found] = await other.links.of(TENANT, RANDOM)
    assert found == grown
    assert found.channels == (FALCON, PROJECT, RANDOM)
    assert found.since_us(FALCON) == link.created_us < found.since_us(RANDOM)


async def test_a_channel_that_would_close_a_circle_may_not_join(store: Store) -> None:
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")
    await store.links.add(TENANT, (PROJECT, RANDOM), "slack:U1")

    with pytest.raises(Conflict, match="circle"):
        await store.links.join(link, RANDOM, "slack:U1")
    with pytest.raises(Conflict, match="linked already"):
        await store.links.join(link, PROJECT, "slack:U1")


async def test_a_channel_that_leaves_is_free_and_the_others_stay(store: Store) -> None:
    link = await store.links.add(TENANT, (FALCON, PROJECT, RANDOM), "slack:U1")

    left = await store.links.leave(link, FALCON, "slack:U2")

    assert list(await store.links.of(TENANT, FALCON)) == []
    assert [found.channels for found in await store.links.all(TENANT)] == [
        (PROJECT, RANDOM)
    ]
    again = await store.links.join(left, FALCON, "slack:U2")
    assert again.channels == (PROJECT, RANDOM, FALCON)
    assert again.since_us(FALCON) > link.created_us


async def test_a_link_of_two_ends_when_one_leaves(store: Store) -> None:
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")

    left = await store.links.leave(link, PROJECT, "slack:U1")

    assert left.state is LinkState.REMOVED
    assert list(await store.links.all(TENANT)) == []
    with pytest.raises(Conflict, match="ended"):
        await store.links.join(link, RANDOM, "slack:U1")


async def test_joining_and_leaving_do_not_undo_a_pause(store: Store) -> None:
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")
    await store.links.change(link, LinkState.PAUSED, "slack:U1")

    grown = await store.links.join(link, RANDOM, "slack:U1")
    left = await store.links.leave(grown, PROJECT, "slack:U1")

    assert grown.state is left.state is LinkState.PAUSED
    assert (await store.links.all(TENANT))[0].state is LinkState.PAUSED


async def test_of_two_that_let_the_same_channel_in_one_is_refused(store: Store) -> None:
    other = store.another_process("two")
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")

    done = await asyncio.gather(
        store.links.join(link, RANDOM, "slack:U1"),
        other.links.join(link, RANDOM, "slack:U2"),
        return_exceptions=True,
    )

    assert [isinstance(one, Conflict) for one in done].count(True) == 1
    assert (await store.links.all(TENANT))[0].channels == (FALCON, PROJECT, RANDOM)


async def test_a_change_is_seen_by_another_process(store: Store) -> None:
    other = store.another_process("two")
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")
    assert (await other.links.of(TENANT, FALCON))[0].state is LinkState.ACTIVE

    await store.links.change(link, LinkState.PAUSED, "slack:U1")

    assert (await other.links.of(TENANT, FALCON))[0].state is LinkState.PAUSED


async def test_every_change_is_a_log_entry(store: Store) -> None:
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")
    await store.links.change(link, LinkState.PAUSED, "slack:U1")

    entries = await store.reader.entries(TENANT, -1, 10)

    assert [(e.etype, e.body["change"]) for e in entries] == [
        ("bridge.link", "linked"),
        ("bridge.link", "paused"),
    ]


async def test_options_are_kept_and_seen_by_another_process(store: Store) -> None:
    other = store.another_process("two")
    link = await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")
    wanted = link.options.said(["files=block", "file_mb=7"])

    await store.links.choose(link, wanted, "slack:U1")

    assert (await other.links.of(TENANT, FALCON))[0].options == wanted
    [entry] = await store.reader.entries(TENANT, 0, 1)
    assert "files=block file_mb=7" in entry.body["text"]


async def test_a_code_stands_for_its_channel_once(store: Store) -> None:
    code = await store.links.offer(TENANT, Offer(FALCON, "L1"), "slack:U1")

    for _ in range(2):
        assert await store.links.offered(TENANT, code.lower()) == Offer(FALCON, "L1")
    assert await store.links.take_offer(TENANT, code.lower()) == Offer(FALCON, "L1")
    with pytest.raises(NotFound, match="used already"):
        await store.links.take_offer(TENANT, code)
    with pytest.raises(NotFound, match="used already"):
        await store.links.offered(TENANT, code)


async def test_a_code_is_worth_nothing_to_another_company(store: Store) -> None:
    store.keys.create("globex")
    code = await store.links.offer(TENANT, Offer(FALCON, "L1"), "slack:U1")

    with pytest.raises(NotFound):
        await store.links.take_offer("globex", code)


async def test_a_code_grows_old(store: Store) -> None:
    code = await store.links.offer(TENANT, Offer(FALCON, "L1"), "slack:U1")

    later = store.links.clock() + 16 * 60 * 1_000_000
    store.links.clock = lambda: later

    with pytest.raises(NotFound):
        await store.links.take_offer(TENANT, code)


async def test_status_counts_what_waits(store: Store) -> None:
    await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")

    [status] = await store.health.status(TENANT)

    assert (status.queued, status.dead, status.last_error) == (0, 0, "")
