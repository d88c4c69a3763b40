"""Commands, clicks, views and response addresses of the sandbox's Slack."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.sandbox.slack.seed import SIGNING_SECRET
from tests.sandbox import Delivered, Listener, Sandbox

FALCON: dict[str, Any] = {"channel": "C02FALCON", "user": "U01ALICE"}
BUTTON = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "again",
            "value": "status",
            "text": {"type": "plain_text", "text": "Again"},
        }
    ],
}
MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Link"},
    "blocks": [],
}


def form(delivered: Delivered) -> dict[str, str]:
    return {name: one[0] for name, one in parse_qs(delivered.body.decode()).items()}


def payload(delivered: Delivered) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(form(delivered)["payload"])
    return parsed


async def whispers(sandbox: Sandbox) -> list[str]:
    workspace = (await sandbox.state())["slack"]["workspaces"][0]
    return [one["text"] for one in workspace["ephemerals"]]


async def test_a_command_is_a_signed_form(sandbox: Sandbox, listener: Listener) -> None:
    answer = await sandbox.act(action="command", **FALCON, args="link a & b")

    delivered = listener.got[0]
    assert answer["status"] == 200
    assert SignatureVerifier(SIGNING_SECRET).is_valid_request(
        delivered.body, delivered.headers
    )
    sent = form(delivered)
    assert (sent["command"], sent["text"]) == ("/atom", "link a &amp; b")
    assert (sent["channel_name"], sent["user_id"]) == ("project-falcon", "U01ALICE")
    assert sent["response_url"].startswith(sandbox.base)


async def test_what_a_command_is_answered_is_shown_to_its_person(
    sandbox: Sandbox, listener: Listener
) -> None:
    async def answer(_delivered: Delivered) -> web.Response:
        return web.json_response({"response_type": "ephemeral", "text": "here you go"})

    listener.answer = answer

    await sandbox.act(action="command", **FALCON, args="help")

    assert await whispers(sandbox) == ["here you go"]


async def test_a_late_command_tells_its_person_so(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set({"atom_url": "http://127.0.0.1:9"})

    answer = await sandbox.act(action="command", **FALCON, args="help")

    assert (answer["status"], answer["reason"]) == (0, "connection_failed")


async def test_a_response_address_is_good_for_five_answers(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.act(action="command", **FALCON, args="help")
    client = AsyncWebhookClient(form(listener.got[0])["response_url"])

    answers = [await client.send(text=str(n)) for n in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert answers[0].body == "ok"
    assert "used_url" in answers[5].body
    assert await whispers(sandbox) == ["0", "1", "2", "3", "4"]


async def test_an_answer_for_all_stands_in_the_channel(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.act(action="command", **FALCON, args="help")
    client = AsyncWebhookClient(form(listener.got[0])["response_url"])

    await client.send(text="for all", response_type="in_channel")

    messages = (await sandbox.slack_channel("C02FALCON"))["messages"]
    assert [(one["text"], one["bot_id"]) for one in messages] == [("for all", "BATOM")]


async def test_a_click_carries_the_message_the_button_and_a_way_back(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    said = await slack.chat_postMessage(
        channel="C02FALCON", text="a <b>", blocks=[BUTTON]
    )
    listener.got.clear()

    await sandbox.act(action="click", **FALCON, ts=said["ts"], action_id="again")
    click = next(payload(one) for one in listener.got if b"payload=" in one.body)
    await AsyncWebhookClient(click["response_url"]).send(
        text="changed", replace_original=True
    )

    assert click["type"] == "block_actions"
    assert click["actions"][0]["value"] == "status"
    assert click["message"]["ts"] == said["ts"]
    assert click["container"]["is_ephemeral"] is False
    messages = (await sandbox.slack_channel("C02FALCON"))["messages"]
    assert [one["text"] for one in messages] == ["changed"]


async def test_a_button_only_one_person_sees_can_be_clicked(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    said = await slack.chat_postEphemeral(
        channel="C02FALCON", user="U01ALICE", text="psst", blocks=[BUTTON]
    )

    await sandbox.act(
        action="click", **FALCON, ts=said["message_ts"], action_id="again"
    )
    click = payload(listener.got[-1])
    client = AsyncWebhookClient(click["response_url"])
    await client.send(text="", delete_original=True)

    assert click["container"]["is_ephemeral"] is True
    assert await whispers(sandbox) == []


async def test_a_view_opens_once_by_a_fresh_trigger_and_is_submitted(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.act(action="command", **FALCON, args="link")
    trigger = form(listener.got[0])["trigger_id"]

    opened = (await slack.views_open(trigger_id=trigger, view=MODAL))["view"]
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await slack.views_open(trigger_id=trigger, view=MODAL)
    await sandbox.act(
        action="submit", user="U01ALICE", view=opened["id"], values={"b": {"a": {}}}
    )

    submitted = payload(listener.got[-1])
    assert submitted["type"] == "view_submission"
    assert submitted["view"]["state"]["values"] == {"b": {"a": {}}}


async def test_a_trigger_goes_stale(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.trigger_seconds": -1.0})
    await sandbox.act(action="command", **FALCON, args="link")

    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await slack.views_open(
            trigger_id=form(listener.got[0])["trigger_id"], view=MODAL
        )


async def test_a_home_tab_is_published_over_the_last_one(
    slack: AsyncWebClient,
) -> None:
    home = {"type": "home", "blocks": []}
    first = (await slack.views_publish(user_id="U01ALICE", view=home))["view"]

    second = await slack.views_publish(
        user_id="U01ALICE", view=home, hash=first["hash"]
    )
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await slack.views_publish(user_id="U01ALICE", view=home, hash=first["hash"])

    assert second["view"]["id"] != first["id"]
