"""What the sandbox's Slack refuses, and the codes it uses."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.methods import load_methods
from bots.sandbox.slack.seed import APP_TOKEN, BOT_TOKEN
from tests.sandbox import Sandbox

HERE: dict[str, Any] = {"channel": "C02FALCON"}


async def code(client: AsyncWebClient, method: str, **args: Any) -> str:
    """Call a method that must fail, and return Slack's code for the failure."""
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(method, json=args)
    return str(refused.value.response["error"])


@pytest.mark.parametrize(
    ("method", "args", "expected"),
    [
        ("chat.postMessage", {"channel": "C404", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C04BOARD", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C05QUIET", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {**HERE}, "no_text"),
        ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
        (
            "chat.postMessage",
            {**HERE, "text": "x", "thread_ts": "1.000001"},
            "cannot_reply_to_message",
        ),
        (
            "chat.postMessage",
            {**HERE, "blocks": [{"type": "nonsense"}]},
            "invalid_blocks",
        ),
        ("chat.postMessage", {**HERE, "blocks": "{"}, "invalid_blocks_format"),
        (
            "chat.postMessage",
            {**HERE, "text": "x", "metadata": {"event_type": "e"}},
            "invalid_metadata_format",
        ),
        (
            "chat.update",
            {**HERE, "ts": "1.000001", "text": "x"},
            "message_not_found",
        ),
        ("chat.delete", {**HERE, "ts": "1.000001"}, "message_not_found"),
        (
            "chat.postEphemeral",
            {**HERE, "user": "U11GRACE", "text": "x"},
            "user_not_in_channel",
        ),
        ("conversations.history", {"channel": "C05QUIET"}, "not_in_channel"),
        ("conversations.history", {**HERE, "cursor": "bm8="}, "invalid_cursor"),
        ("conversations.history", {**HERE, "oldest": "abc"}, "invalid_ts_oldest"),
        ("conversations.replies", {**HERE, "ts": "1.000001"}, "thread_not_found"),
        (
            "conversations.join",
            {"channel": "C04BOARD"},
            "channel_not_found",
        ),
        ("users.info", {"user": "U404"}, "user_not_found"),
        ("users.lookupByEmail", {"email": "no@acme.example"}, "users_not_found"),
        ("files.info", {"file": "F404"}, "file_not_found"),
        ("files.upload", {}, "method_deprecated"),
        ("usergroups.users.list", {"usergroup": "S404"}, "no_such_subteam"),
        ("views.open", {"trigger_id": "t", "view": {}}, "invalid_trigger_id"),
        ("no.such.method", {}, "unknown_method"),
        ("apps.connections.open", {}, "not_allowed_token_type"),
    ],
)
async def test_a_call_that_slack_refuses_is_refused_with_its_code(
    slack: AsyncWebClient, method: str, args: dict[str, Any], expected: str
) -> None:
    assert await code(slack, method, **args) == expected


async def test_only_own_messages_can_be_changed_or_deleted(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    said = await sandbox.act(
        action="post", user="U01ALICE", channel="C02FALCON", text="mine"
    )

    where = {**HERE, "ts": said["ts"]}
    assert await code(slack, "chat.update", text="x", **where) == "cant_update_message"
    assert await code(slack, "chat.delete", **where) == "cant_delete_message"


async def test_an_archived_channel_takes_nothing(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    await sandbox.act(action="archive", user="U01ALICE", channel="C03RANDOM")

    refused = await code(slack, "chat.postMessage", channel="C03RANDOM", text="x")

    assert refused == "is_archived"


async def test_an_update_may_not_be_as_long_as_a_post(slack: AsyncWebClient) -> None:
    text = "x" * 4_001

    posted = await slack.chat_postMessage(channel="C02FALCON", text=text)
    refused = await code(slack, "chat.update", **HERE, ts=posted["ts"], text=text)

    assert len(posted["message"]["text"]) == 4_001
    assert refused == "msg_too_long"


async def test_blocks_with_too_much_text_are_refused(slack: AsyncWebClient) -> None:
    text = {"type": "mrkdwn", "text": "x" * 2_900}
    blocks = [{"type": "section", "text": text}] * 5

    refused = await code(slack, "chat.postMessage", **HERE, blocks=blocks)

    assert refused == "msg_blocks_too_long"


async def test_a_missing_argument_is_named(slack: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        await slack.api_call("conversations.info", params={})

    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] missing required field: channel"
    ]


async def test_a_missing_scope_is_named(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    await sandbox.set({"slack.scopes": ["chat:write", "channels:read"]})

    with pytest.raises(SlackApiError) as refused:
        await slack.chat_postMessage(channel="C02FALCON", text="x", username="Carol")

    assert refused.value.response["needed"] == "chat:write.customize"
    assert refused.value.response["provided"] == "chat:write,channels:read"
    assert await code(slack, "users.list") == "missing_scope"


async def test_without_a_good_token_nobody_gets_in(sandbox: Sandbox) -> None:
    nobody = AsyncWebClient("", base_url=sandbox.slack_api)
    stranger = AsyncWebClient("xoxb-other", base_url=sandbox.slack_api)
    app = AsyncWebClient(APP_TOKEN, base_url=sandbox.slack_api)

    assert await code(nobody, "auth.test") == "not_authed"
    assert await code(stranger, "auth.test") == "invalid_auth"
    assert await code(app, "users.list") == "not_allowed_token_type"


async def test_an_uninstalled_app_is_inactive_until_it_is_back(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    await sandbox.act(action="uninstall", workspace="T01ACME")
    gone = await code(slack, "auth.test")
    await sandbox.act(action="install", workspace="T01ACME")

    assert gone == "account_inactive"
    assert (await slack.auth_test())["bot_id"] == "BATOM"


async def test_reactions_follow_slacks_rules(slack: AsyncWebClient) -> None:
    ts = (await slack.chat_postMessage(channel="C02FALCON", text="x"))["ts"]
    where = {**HERE, "timestamp": ts}
    await slack.reactions_add(**where, name="tada")

    assert await code(slack, "reactions.add", **where, name="tada") == "already_reacted"
    assert await code(slack, "reactions.remove", **where, name="eyes") == "no_reaction"
    unknown = await code(slack, "reactions.add", **where, name="not_an_emoji")
    assert unknown == "invalid_name"


async def test_broken_json_is_refused(sandbox: Sandbox) -> None:
    client = AsyncWebClient(BOT_TOKEN, base_url=sandbox.slack_api)

    with pytest.raises(SlackApiError, match="invalid_json"):
        await client.api_call(
            "auth.test",
            data=b"{",  # type: ignore[arg-type] # what no client would send
            headers={"Content-Type": "application/json"},
        )


def test_every_method_in_the_table_names_its_tier() -> None:
    tiers = {method.tier for method in load_methods().values()}

    assert tiers <= {"1", "2", "3", "4", "special"}
