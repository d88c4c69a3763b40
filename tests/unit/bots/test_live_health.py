"""`status` shows what the database knows and what this process waits for."""

from bots.live_health import LiveHealth
from bridge.links import Link
from bridge.messages import Channel
from bridge.ports import LinkStatus
from tests.events import FALCON, PROJECT
from tests.fakes import FakeHealth

ROW = LinkStatus(Link("acme", "L1", (FALCON, PROJECT)), 3, 1, 0, 0, 0, 50, "slow", 9)


async def test_a_channel_that_this_process_leaves_alone_shows_as_throttled() -> None:
    def held_until(channel: Channel) -> int:
        return 70 if channel == PROJECT else 0

    [row] = await LiveHealth(FakeHealth([ROW]), held_until).status("acme")

    assert row.throttled_until_us == 70
    assert (row.queued, row.last_error) == (3, "slow")


async def test_what_the_platform_asked_for_shows_without_a_worker_too() -> None:
    [row] = await LiveHealth(FakeHealth([ROW])).status("acme")

    assert row == ROW
