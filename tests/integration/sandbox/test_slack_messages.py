"""Slack's own clients write, change and read messages in the sandbox."""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.seed import BOT_TOKEN, SECOND_BOT_TOKEN
from tests.sandbox import Sandbox

MARK = {"event_type": "atom_bridge", "event_payload": {"op": "1", "src": "teams"}}


async def test_a_post_stands_in_the_channel_and_is_answered_as_slack_does(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    answer = await slack.chat_postMessage(channel="C02FALCON", text="hello *there*")

    message = answer["message"]
    assert answer["channel"] == "C02FALCON"
    assert message["ts"] == answer["ts"]
    assert (message["user"], message["bot_id"]) == ("UATOM", "BATOM")
    assert message["bot_profile"]["app_id"] == "A01ATOM"
    assert message["blocks"][0]["type"] == "rich_text"
    channel = await sandbox.slack_channel("C02FALCON")
    assert [one["text"] for one in channel["messages"]] == ["hello *there*"]


def test_the_blocking_client_is_served_just_the_same(sandbox: Sandbox) -> None:
    client = WebClient(BOT_TOKEN, base_url=sandbox.slack_api)

    posted = client.chat_postMessage(channel="C01GENERAL", text="hi")
    people = client.users_list(limit=2)
    history = client.conversations_history(channel="C01GENERAL", limit=1)

    assert [len(page["members"]) for page in people] == [2, 2, 1]
    assert history["messages"][0]["ts"] == posted["ts"]


async def test_a_post_under_another_name_is_a_bot_message_without_a_user(
    slack: AsyncWebClient,
) -> None:
    answer = await slack.chat_postMessage(
        channel="C02FALCON",
        text="hi",
        username="Carol (Teams)",
        icon_url="https://faces.example/carol.png",
    )

    message = answer["message"]
    assert message["subtype"] == "bot_message"
    assert message["username"] == "Carol (Teams)"
    assert message["icons"]["image_48"] == "https://faces.example/carol.png"
    assert "user" not in message


async def test_times_are_unique_and_increase(slack: AsyncWebClient) -> None:
    posts = [
        await slack.chat_postMessage(channel="C02FALCON", text=str(n)) for n in range(9)
    ]

    times = [str(post["ts"]) for post in posts]
    assert times == sorted(set(times))


async def test_metadata_is_read_back_only_when_asked_for(slack: AsyncWebClient) -> None:
    await slack.chat_postMessage(channel="C02FALCON", text="hi", metadata=MARK)

    plain = await slack.conversations_history(channel="C02FALCON")
    full = await slack.conversations_history(
        channel="C02FALCON", include_all_metadata=True
    )

    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == MARK


async def test_history_is_newest_first_in_pages_and_without_replies(
    slack: AsyncWebClient,
) -> None:
    times = [
        (await slack.chat_postMessage(channel="C02FALCON", text=str(n)))["ts"]
        for n in range(5)
    ]
    await slack.chat_postMessage(channel="C02FALCON", text="r", thread_ts=times[0])
    await slack.chat_postMessage(
        channel="C02FALCON", text="b", thread_ts=times[0], reply_broadcast=True
    )

    first = await slack.conversations_history(channel="C02FALCON", limit=4)
    cursor = first["response_metadata"]["next_cursor"]
    second = await slack.conversations_history(
        channel="C02FALCON", limit=4, cursor=cursor
    )

    assert [m["text"] for m in first["messages"]] == ["b", "4", "3", "2"]
    assert [m["text"] for m in second["messages"]] == ["1", "0"]
    assert second["messages"][1]["reply_count"] == 2
    assert (first["has_more"], second["has_more"]) == (True, False)


async def test_history_is_bounded_by_oldest_and_latest(slack: AsyncWebClient) -> None:
    times = [
        (await slack.chat_postMessage(channel="C02FALCON", text=str(n)))["ts"]
        for n in range(4)
    ]

    between = await slack.conversations_history(
        channel="C02FALCON", oldest=times[0], latest=times[3]
    )
    including = await slack.conversations_history(
        channel="C02FALCON", oldest=times[2], latest=times[3], inclusive=True
    )

    assert [m["text"] for m in between["messages"]] == ["2", "1"]
    assert [m["text"] for m in including["messages"]] == ["3", "2"]


async def test_replies_come_root_first(slack: AsyncWebClient) -> None:
    root = (await slack.chat_postMessage(channel="C02FALCON", text="root"))["ts"]
    for text in ("one", "two"):
        await slack.chat_postMessage(channel="C02FALCON", text=text, thread_ts=root)

    answer = await slack.conversations_replies(channel="C02FALCON", ts=root)

    assert [m["text"] for m in answer["messages"]] == ["root", "one", "two"]
    assert {m["thread_ts"] for m in answer["messages"]} == {root}


async def test_own_messages_can_be_changed_and_deleted(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    ts = (await slack.chat_postMessage(channel="C02FALCON", text="a"))["ts"]

    changed = await slack.chat_update(channel="C02FALCON", ts=ts, text="b")
    await slack.chat_delete(channel="C02FALCON", ts=ts)

    assert (changed["text"], changed["ts"]) == ("b", ts)
    message = (await sandbox.slack_channel("C02FALCON"))["messages"][0]
    assert message["deleted"]
    assert [version["text"] for version in message["versions"]] == ["a"]
    assert (await slack.conversations_history(channel="C02FALCON"))["messages"] == []


async def test_strays_are_escaped_and_addresses_linked(slack: AsyncWebClient) -> None:
    text = "a < b & c <@U01ALICE> &lt;x&gt; see https://acme.example/x."

    answer = await slack.chat_postMessage(channel="C02FALCON", text=text)

    assert answer["message"]["text"] == (
        "a &lt; b &amp; c <@U01ALICE> &lt;x&gt; see <https://acme.example/x>."
    )


async def test_names_become_mentions_only_when_the_app_asks(
    slack: AsyncWebClient,
) -> None:
    text = "@alice @here #random"

    plain = await slack.chat_postMessage(channel="C02FALCON", text=text)
    linked = await slack.chat_postMessage(
        channel="C02FALCON", text=text, link_names=True
    )

    assert plain["message"]["text"] == text
    assert linked["message"]["text"] == "<@U01ALICE> <!here> <#C03RANDOM|random>"


async def test_a_person_alone_sees_an_ephemeral_message(
    slack: AsyncWebClient, sandbox: Sandbox
) -> None:
    await slack.chat_postEphemeral(channel="C02FALCON", user="U02BOB", text="psst")

    workspace = (await sandbox.state())["slack"]["workspaces"][0]
    assert [(one["to"], one["text"]) for one in workspace["ephemerals"]] == [
        ("U02BOB", "psst")
    ]
    assert (await slack.conversations_history(channel="C02FALCON"))["messages"] == []


async def test_a_permalink_names_workspace_channel_and_thread(
    slack: AsyncWebClient,
) -> None:
    root = (await slack.chat_postMessage(channel="C02FALCON", text="root"))["ts"]
    reply = (
        await slack.chat_postMessage(channel="C02FALCON", text="r", thread_ts=root)
    )["ts"]

    answer = await slack.chat_getPermalink(channel="C02FALCON", message_ts=reply)

    assert answer["permalink"] == (
        f"https://acme.slack.com/archives/C02FALCON/p{reply.replace('.', '')}"
        f"?thread_ts={root}&cid=C02FALCON"
    )


async def test_reactions_are_added_counted_and_removed(slack: AsyncWebClient) -> None:
    ts = (await slack.chat_postMessage(channel="C02FALCON", text="a"))["ts"]
    where: dict[str, Any] = {"channel": "C02FALCON", "timestamp": ts}

    await slack.reactions_add(name="tada", **where)
    seen = await slack.reactions_get(**where)
    await slack.reactions_remove(name="tada", **where)
    gone = await slack.reactions_get(**where)

    assert seen["message"]["reactions"] == [
        {"name": "tada", "users": ["UATOM"], "count": 1}
    ]
    assert "reactions" not in gone["message"]


async def test_workspaces_do_not_see_each_other(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    other = AsyncWebClient(SECOND_BOT_TOKEN, base_url=sandbox.slack_api)

    await other.chat_postMessage(channel="C11GENERAL", text="hi")

    assert (await other.auth_test())["team_id"] == "T02GLOBEX"
    assert (await slack.auth_test())["team_id"] == "T01ACME"
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await slack.chat_postMessage(channel="C11GENERAL", text="hi")
    with pytest.raises(SlackApiError, match="user_not_found"):
        await slack.users_info(user="U11GRACE")
