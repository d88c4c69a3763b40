"""Links are kept, changed and offered; every change is on record."""

import pytest

from bridge.errors import Conflict, NotFound
from bridge.links import LinkState
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
    code = await store.links.offer(TENANT, FALCON, "slack:U1")

    assert await store.links.take_offer(TENANT, code.lower()) == FALCON
    with pytest.raises(NotFound, match="used already"):
        await store.links.take_offer(TENANT, code)


async def test_a_code_is_worth_nothing_to_another_company(store: Store) -> None:
    store.keys.create("globex")
    code = await store.links.offer(TENANT, FALCON, "slack:U1")

    with pytest.raises(NotFound):
        await store.links.take_offer("globex", code)


async def test_a_code_grows_old(store: Store) -> None:
    code = await store.links.offer(TENANT, FALCON, "slack:U1")

    later = store.links.clock() + 16 * 60 * 1_000_000
    store.links.clock = lambda: later

    with pytest.raises(NotFound):
        await store.links.take_offer(TENANT, code)


async def test_status_counts_what_waits(store: Store) -> None:
    await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")

    [status] = await store.health.status(TENANT)

    assert (status.queued, status.dead, status.last_error) == (0, 0, "")
