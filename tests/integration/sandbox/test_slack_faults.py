"""What goes wrong with Web API calls, on order and by rate."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox import Sandbox


async def texts(sandbox: Sandbox) -> list[str]:
    channel = await sandbox.slack_channel("C02FALCON")
    return [message["text"] for message in channel["messages"]]


def posting(slack: AsyncWebClient) -> Callable[[], Awaitable[object]]:
    return lambda: slack.chat_postMessage(channel="C02FALCON", text="x")


@pytest.mark.parametrize(
    ("fault", "stands"),
    [("500", []), ("502_after", ["x"]), ("503", []), ("504_after", ["x"])],
)
async def test_a_server_error_strikes_before_or_after_the_effect(
    sandbox: Sandbox, slack: AsyncWebClient, fault: str, stands: list[str]
) -> None:
    await sandbox.fault("slack.chat.postMessage", fault)

    with pytest.raises(SlackApiError) as refused:
        await posting(slack)()

    assert refused.value.response.status_code == int(fault[:3])
    assert await texts(sandbox) == stands
    assert (await sandbox.journal("chat.postMessage"))[0]["fault"] == fault


@pytest.mark.parametrize(("fault", "stands"), [("reset", []), ("reset_after", ["x"])])
async def test_a_connection_is_reset_before_or_after_the_effect(
    sandbox: Sandbox, slack: AsyncWebClient, fault: str, stands: list[str]
) -> None:
    await sandbox.fault("slack.chat.*", fault)

    with pytest.raises(ClientError):
        await posting(slack)()

    assert await texts(sandbox) == stands


async def test_an_answer_never_comes_though_the_message_stands(
    sandbox: Sandbox,
) -> None:
    slack = AsyncWebClient(
        "xoxb-sandbox-T01ACME",
        base_url=sandbox.slack_api,
        timeout=1,
        retry_handlers=[],
    )
    await sandbox.fault("slack.chat.postMessage", "timeout_after", seconds=3)

    with pytest.raises((asyncio.TimeoutError, ClientError)):
        await posting(slack)()

    assert await texts(sandbox) == ["x"]


async def test_slacks_own_error_can_be_ordered(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.fault("slack.chat.postMessage", "error_after", error="fatal_error")

    with pytest.raises(SlackApiError, match="fatal_error"):
        await posting(slack)()

    assert await texts(sandbox) == ["x"]


async def test_a_throttle_names_its_seconds_and_one_channel(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    match = {"channel": "C02FALCON"}
    await sandbox.fault(
        "slack.chat.postMessage", "429", retry_after=7, times=2, match=match
    )

    await slack.chat_postMessage(channel="C01GENERAL", text="elsewhere")
    with pytest.raises(SlackApiError) as refused:
        await posting(slack)()

    assert refused.value.response.headers["Retry-After"] == "7"
    assert refused.value.response["error"] == "ratelimited"
    _status, faults = await sandbox.call("GET", "/sandbox/faults")
    assert [(one["hits"], one["times"]) for one in faults] == [(1, 2)]


async def test_a_fault_can_wait_for_a_later_call(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.fault("slack.chat.postMessage", "500", skip=1)

    await posting(slack)()
    with pytest.raises(SlackApiError):
        await posting(slack)()
    await posting(slack)()

    assert await texts(sandbox) == ["x", "x"]


async def test_posting_too_fast_in_one_channel_is_throttled(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.set({"slack.post_burst": 2})

    await posting(slack)()
    await posting(slack)()
    with pytest.raises(SlackApiError) as refused:
        await posting(slack)()
    await slack.chat_postMessage(channel="C03RANDOM", text="elsewhere")

    assert refused.value.response.status_code == 429
    assert int(refused.value.response.headers["Retry-After"]) >= 1
    assert len(await texts(sandbox)) == 2


async def test_a_tier_is_a_number_of_calls_a_minute(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    tiers = {"1": 1, "2": 3, "3": 50, "4": 100, "special": 600}
    await sandbox.set({"slack.tiers": tiers})

    for _ in range(3):
        await slack.emoji_list()

    with pytest.raises(SlackApiError, match="ratelimited"):
        await slack.emoji_list()


async def test_limits_can_be_switched_off(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await sandbox.set({"slack.rate_limits": False, "slack.post_burst": 1})

    for _ in range(5):
        await posting(slack)()

    assert len(await texts(sandbox)) == 5


async def test_the_journal_has_every_call_but_no_token(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    await posting(slack)()

    [entry] = await sandbox.journal("chat.postMessage")

    assert entry["request"]["text"] == "x"
    assert entry["answer"]["ok"]
    assert (entry["side"], entry["direction"]) == ("slack", "in")
    assert "xoxb" not in str(entry)
