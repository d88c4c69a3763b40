"""What goes wrong with Teams' calls, on order and by rate."""

import asyncio
from contextlib import suppress

import pytest
from aiohttp import ClientError
from botbuilder.schema import ErrorResponseException

from bots.sandbox.teams.errors import Throttled
from bots.sandbox.teams.state import TeamsState
from bots.sandbox.teams.throttle import Throttle
from bots.sandbox.world import World
from tests.sandbox import Sandbox
from tests.sandbox_teams import (
    BOT_SCOPE,
    FALCON,
    Bot,
    said,
    teams_messages,
    token_answer,
)

RANDOM = "19:random@thread.tacv2"


async def texts(sandbox: Sandbox, channel: str = FALCON) -> list[str]:
    return [one["text"].strip() for one in await teams_messages(sandbox, channel)]


@pytest.mark.parametrize(
    ("fault", "stands"),
    [
        ("500", []),
        ("502_after", ["x"]),
        ("503", []),
        ("504_after", ["x"]),
        ("412", []),
    ],
)
async def test_a_server_error_strikes_before_or_after_the_effect(
    sandbox: Sandbox, bot: Bot, fault: str, stands: list[str]
) -> None:
    await sandbox.fault("teams.post", fault)

    answer = await bot.say("x")

    assert answer.status == int(fault[:3])
    assert await texts(sandbox) == stands
    assert (await sandbox.journal("post"))[0]["fault"] == fault


@pytest.mark.parametrize(("fault", "stands"), [("reset", []), ("reset_after", ["x"])])
async def test_a_connection_is_reset_before_or_after_the_effect(
    sandbox: Sandbox, bot: Bot, fault: str, stands: list[str]
) -> None:
    await sandbox.fault("teams.post", fault, match={"channel": FALCON})

    with pytest.raises(ClientError):
        await bot.say("x")

    assert await texts(sandbox) == stands
    assert (await sandbox.journal("post"))[0]["status"] == 0


async def test_replies_updates_and_deletes_have_faults_of_their_own(
    sandbox: Sandbox, bot: Bot
) -> None:
    root = (await bot.say("root")).body["id"]
    address = f"conversations/{FALCON}/activities/{root}"
    for call, fault in (("reply", "503"), ("update", "502"), ("delete", "504_after")):
        await sandbox.fault(f"teams.{call}", fault)

    reply = await bot.say("re", f"{FALCON};messageid={root}")
    update = await bot.connect("PUT", address, {"type": "message", "text": "new"})
    delete = await bot.connect("DELETE", address)

    assert (reply.status, update.status, delete.status) == (503, 502, 504)
    messages = await teams_messages(sandbox)
    assert [(one["text"], one["deleted"]) for one in messages] == [("root\n", True)]


async def test_the_botframework_client_does_not_retry(
    sandbox: Sandbox, bot: Bot
) -> None:
    await sandbox.fault("teams.post", "429", times=5, retry_after=7)

    with pytest.raises(ErrorResponseException):
        await bot.send(FALCON, text="x")
    answer = await bot.say("x")

    assert len(await sandbox.journal("post")) == 2
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


async def test_the_login_and_graph_fail_on_order(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.fault("teams.token", "503")
    await sandbox.fault("teams.graph.*", "429", retry_after=3)

    token = await token_answer(sandbox, BOT_SCOPE)
    graph = await bot.graph("teams/6a1c0de5-0000-4000-8000-000000000001/channels")

    assert (token.status, graph.status) == (503, 429)
    assert graph.headers["Retry-After"] == "3"


async def test_one_channel_is_throttled_and_another_is_not(
    sandbox: Sandbox, bot: Bot
) -> None:
    await sandbox.set(
        {"teams.throttles": True, "teams.send_windows": [[2, 60]]},
    )

    statuses = [(await bot.say(str(number))).status for number in range(3)]
    elsewhere = await bot.say("x", RANDOM)

    assert statuses == [201, 201, 429]
    assert elsewhere.status == 201
    assert await texts(sandbox) == ["0", "1"]


@pytest.mark.parametrize("told", [True, False])
async def test_how_long_to_wait_is_told_only_if_so_set(
    sandbox: Sandbox, bot: Bot, *, told: bool
) -> None:
    await sandbox.set(
        {
            "teams.throttles": True,
            "teams.send_windows": [[1, 60]],
            "teams.retry_after": told,
        },
    )
    await bot.say("fits")

    answer = await bot.say("does not")

    assert answer.status == 429
    assert ("Retry-After" in answer.headers) is told


async def test_updates_count_as_sends_unless_so_set(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.set({"teams.throttles": True, "teams.send_windows": [[1, 60]]})
    sent = (await bot.say("x")).body["id"]
    address = f"conversations/{FALCON}/activities/{sent}"
    new = {"type": "message", "text": "y"}

    counted = await bot.connect("PUT", address, new)
    await sandbox.set({"teams.updates_count_as_sends": False})
    free = await bot.connect("PUT", address, new)

    assert (counted.status, free.status) == (429, 200)


async def test_a_whole_tenant_and_reactions_have_windows_of_their_own(
    sandbox: Sandbox, bot: Bot
) -> None:
    theirs = (await said(sandbox, text="x"))["id"]
    like = f"conversations/{FALCON}/activities/{theirs}/reactions/like"
    await sandbox.set({"teams.throttles": True, "teams.reaction_windows": [[1, 60]]})

    reactions = [(await bot.connect("PUT", like)).status for _ in range(2)]
    await sandbox.set({"teams.tenant_windows": [[1, 60]]})
    members = await bot.connect("GET", f"conversations/{FALCON}/pagedmembers")

    assert reactions == [200, 429]
    assert members.status == 429


async def test_a_delay_holds_the_answer_back(sandbox: Sandbox, bot: Bot) -> None:
    await sandbox.fault("teams.post", "delay", seconds=0.5, match={"channel": FALCON})

    slow = asyncio.ensure_future(bot.say("slow"))
    await sandbox.journal()
    quick = await bot.say("quick", RANDOM)

    assert quick.status == 201
    assert (await slow).status == 201


class Seconds:
    """A clock that stands where a test puts it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def accepted(state: TeamsState, rate: float, seconds: int) -> int:
    """Count what passes when so many sends a second are tried for so long."""
    clock = Seconds()
    throttle = Throttle(state, clock)
    passed = 0
    for number in range(int(rate * seconds)):
        clock.now = number / rate
        with suppress(Throttled):
            throttle.spend([("bucket", "send")])
            passed += 1
    return passed


@pytest.mark.parametrize(
    ("rate", "seconds", "passed"), [(100, 1, 7), (100, 2, 8), (10, 30, 60)]
)
def test_all_the_documented_windows_hold_at_once(
    rate: float, seconds: int, passed: int
) -> None:
    state = World().teams

    assert accepted(state, rate, seconds) == passed


def test_an_hour_at_full_speed_lets_one_pass_every_two_seconds() -> None:
    state = World().teams

    assert accepted(state, 2, 3600) == 1800
