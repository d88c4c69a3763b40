"""A reply stands in its thread, wherever the thread's root came from."""

from dataclasses import dataclass, replace

import pytest

from bridge.courier import Later
from bridge.delivery import Copy
from bridge.messages import Channel, Platform
from bridge.tuning import Tuning
from tests.events import FALCON, PROJECT
from tests.unit.bridge.stage import LEASE, NOW, TENANT, Stage, copied, delivery

_THIRD = Channel(Platform.SLACK, "T02GLOBEX", "C9")


async def test_a_reply_goes_under_its_roots_copy(stage: Stage) -> None:
    stage.knows("m2")
    stage.copies.copies = [copied("m1", "root")]

    await stage.deliver(delivery(message="m2", thread="m1"))

    assert stage.sender.posts[0].thread == "root"


async def test_a_reply_to_a_copy_goes_under_the_original(stage: Stage) -> None:
    stage.copies.copies = [Copy(TENANT, "L1", PROJECT, "original", FALCON, "m0", "", 0)]

    await stage.deliver(delivery(thread="m0"))

    assert stage.sender.posts[0].thread == "original"


async def test_a_reply_whose_root_is_nowhere_waits_and_then_says_so(
    stage: Stage,
) -> None:
    orphan = delivery(thread="gone")
    ending = await stage.deliver(orphan)
    assert isinstance(ending, Later)
    stage.now = NOW + Tuning().orphan_patience_us

    await stage.deliver(orphan)

    [post] = stage.sender.posts
    assert post.thread == ""
    assert "in reply to" in post.note


async def test_a_reply_whose_root_is_nowhere_says_where_that_was_said(
    stage: Stage,
) -> None:
    @dataclass
    class Addresses:
        async def of(self, channel: Channel, message: str) -> str:
            return f"https://{channel.id}.example/{message}|x"

    courier = replace(stage.courier, addresses={Platform.SLACK: Addresses()})
    stage.now = NOW + Tuning().orphan_patience_us

    await courier.deliver(delivery(thread="gone"), LEASE)

    assert stage.sender.posts[0].address == "https://C02FALCON.example/gone%7Cx"


async def test_a_reply_goes_to_the_root_of_the_thread_that_holds_the_copy(
    stage: Stage,
) -> None:
    stage.copies.copies = [
        Copy(TENANT, "L1", FALCON, "m0", PROJECT, "reply", "top", version_us=0)
    ]

    await stage.deliver(delivery(thread="m0"))

    assert stage.sender.posts[0].thread == "top"


@pytest.mark.parametrize(("remote_thread", "expected"), [("", "there"), ("top", "top")])
async def test_a_reply_to_a_copy_goes_under_the_originals_other_copy(
    stage: Stage, remote_thread: str, expected: str
) -> None:
    stage.copies.copies = [
        Copy(TENANT, "L2", _THIRD, "first", FALCON, "m0", "", 0),
        Copy(TENANT, "L2", _THIRD, "first", PROJECT, "there", remote_thread, 0),
    ]

    await stage.deliver(delivery(thread="m0"))

    assert stage.sender.posts[0].thread == expected


async def test_a_reply_to_a_copy_waits_as_long_as_the_other_copy_is_on_its_way(
    stage: Stage,
) -> None:
    stage.copies.copies = [Copy(TENANT, "L2", _THIRD, "first", FALCON, "m0", "", 0)]
    stage.copies.coming = {(_THIRD, "first", PROJECT)}
    stage.now = NOW + 100 * Tuning().orphan_patience_us

    ending = await stage.deliver(delivery(thread="m0"))
    stage.copies.coming.clear()
    await stage.deliver(delivery(thread="m0"))

    assert isinstance(ending, Later)
    assert [post.thread for post in stage.sender.posts] == [""]


async def test_a_copy_says_from_which_workspace_it_comes(stage: Stage) -> None:
    stage.origins.names = {FALCON: "Globex"}

    await stage.deliver(delivery())

    assert [post.workspace for post in stage.sender.posts] == ["Globex"]


async def test_a_reply_to_a_copy_waits_for_the_originals_other_copy(
    stage: Stage,
) -> None:
    stage.copies.copies = [Copy(TENANT, "L2", _THIRD, "first", FALCON, "m0", "", 0)]

    ending = await stage.deliver(delivery(thread="m0"))

    assert isinstance(ending, Later)
    assert stage.sender.posts == []


async def test_a_reply_below_a_digest_is_a_new_message_where_that_comes_from(
    stage: Stage,
) -> None:
    digest = Copy(TENANT, "L1", PROJECT, "history.one.0", FALCON, "m0", "", 0)
    stage.copies.copies = [digest]

    await stage.deliver(delivery(thread="m0"))

    assert [post.thread for post in stage.sender.posts] == [""]
