"""How the sandbox's Slack delivers again, twice, late, or not at all."""

import asyncio
from typing import Any

from aiohttp import web

from tests.sandbox import Delivered, Listener, Sandbox, eventually, settled

ALICE: dict[str, Any] = {
    "action": "post",
    "user": "U01ALICE",
    "channel": "C02FALCON",
}
QUICK = {"slack.retry_delays": [0.0, 0.05, 0.1]}


def attempts(listener: Listener) -> list[tuple[str | None, str | None]]:
    """The retry headers of what came."""
    headers = [one.headers for one in listener.got]
    return [
        (one.get("X-Slack-Retry-Num"), one.get("X-Slack-Retry-Reason"))
        for one in headers
    ]


async def test_a_refused_event_comes_three_times_more(
    sandbox: Sandbox, listener: Listener
) -> None:
    listener.answer = _unavailable
    await sandbox.set(QUICK)

    await sandbox.act(**ALICE, text="x")

    await eventually(lambda: len(listener.got) == 4)
    assert attempts(listener) == [
        (None, None),
        ("1", "http_error"),
        ("2", "http_error"),
        ("3", "http_error"),
    ]
    assert len({one.json()["event_id"] for one in listener.got}) == 1


async def test_nothing_of_before_comes_again_after_a_reset(
    sandbox: Sandbox, listener: Listener
) -> None:
    listener.answer = _unavailable
    await sandbox.set({"slack.retry_delays": [0.3, 0.3, 0.3]})
    await sandbox.act(**ALICE, text="before")
    await eventually(lambda: len(listener.got) == 1)

    await sandbox.call("POST", "/sandbox/reset")
    told = len(listener.got)
    listener.answer = None
    await asyncio.sleep(1.0)  # longer than all three delays
    await sandbox.act(**ALICE, text="after")

    await eventually(lambda: "after" in [one["text"] for one in listener.events()])
    assert len(listener.got) == told + 1


async def test_an_answer_may_forbid_retries(
    sandbox: Sandbox, listener: Listener
) -> None:
    async def never_again(_delivered: Delivered) -> web.Response:
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    listener.answer = never_again
    await sandbox.set(QUICK)

    await sandbox.act(**ALICE, text="x")
    await eventually(lambda: len(listener.got) == 1)
    listener.answer = None
    await sandbox.act(**ALICE, text="y")

    await eventually(lambda: len(listener.got) == 2)
    assert [event["text"] for event in listener.events()] == ["x", "y"]


async def test_a_late_answer_is_not_waited_for(
    sandbox: Sandbox, listener: Listener
) -> None:
    gate = asyncio.Event()

    async def slowly(delivered: Delivered) -> web.Response:
        if "X-Slack-Retry-Num" not in delivered.headers:
            async with asyncio.timeout(10):
                await gate.wait()
        return web.Response()

    listener.answer = slowly
    await sandbox.set({**QUICK, "slack.answer_timeout": 0.1})

    await sandbox.act(**ALICE, text="x")

    await eventually(lambda: len(listener.got) == 2)
    gate.set()
    assert attempts(listener) == [(None, None), ("1", "http_timeout")]


async def test_a_dead_address_is_tried_again(sandbox: Sandbox) -> None:
    await sandbox.set({**QUICK, "atom_url": "http://127.0.0.1:9"})

    await sandbox.act(**ALICE, text="x")

    async def all_tried() -> bool:
        return len(await sandbox.journal("deliver")) == 4

    await settled(all_tried)
    last = (await sandbox.journal("deliver"))[-1]
    assert last["status"] == 0
    assert last["answer"]["reason"] == "connection_failed"
    assert last["request"]["headers"]["X-Slack-Retry-Reason"] == "connection_failed"


async def test_one_channels_events_come_in_order(
    sandbox: Sandbox, listener: Listener
) -> None:
    for number in range(30):
        await sandbox.act(**ALICE, text=str(number))

    await eventually(lambda: len(listener.got) == 30)
    assert [event["text"] for event in listener.events()] == [
        str(number) for number in range(30)
    ]


async def test_an_event_can_be_dropped_doubled_and_overtaken(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.fault("slack.deliver", "drop")
    await sandbox.act(**ALICE, text="dropped")
    await sandbox.fault("slack.deliver", "duplicate")
    await sandbox.act(**ALICE, text="doubled")
    await eventually(lambda: len(listener.got) == 2)
    await sandbox.fault("slack.deliver", "reorder", seconds=5)
    await sandbox.act(**ALICE, text="overtaken")
    await sandbox.act(**ALICE, text="first")

    await eventually(lambda: len(listener.got) == 4)
    assert [event["text"] for event in listener.events()] == [
        "doubled",
        "doubled",
        "first",
        "overtaken",
    ]


async def test_an_answer_can_be_lost(sandbox: Sandbox, listener: Listener) -> None:
    await sandbox.set(QUICK)
    await sandbox.fault("slack.deliver", "timeout_after")

    await sandbox.act(**ALICE, text="x")

    await eventually(lambda: len(listener.got) == 2)
    assert attempts(listener) == [(None, None), ("1", "http_timeout")]


async def _unavailable(_delivered: Delivered) -> web.Response:
    return web.Response(status=503)
