"""Shortcuts, modals and previews of links in the sandbox's Slack."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.sandbox import Delivered, Listener, Sandbox, eventually

FALCON: dict[str, Any] = {"channel": "C02FALCON", "user": "U01ALICE"}
SHORTCUTS = [
    {"name": "New", "type": "global", "callback_id": "new"},
    {"name": "From message", "type": "message", "callback_id": "from"},
]
LINK = "https://acme.example/browse/OPS-1"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    made = {"type": "modal", "title": plain("Edit"), "submit": plain("Save")}
    return {**made, "blocks": list(blocks), **more}


def line(name: str, **more: Any) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "in", **more}
    return {
        "type": "input",
        "block_id": name,
        "label": plain(name),
        "element": element,
    }


def payloads(listener: Listener, kind: str) -> list[dict[str, Any]]:
    found = [
        json.loads(parse_qs(one.body.decode())["payload"][0])
        for one in listener.got
        if one.body.startswith(b"payload=")
    ]
    return [one for one in found if one["type"] == kind]


async def opened(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener, view: dict[str, Any]
) -> dict[str, Any]:
    await sandbox.set({"slack.shortcuts": SHORTCUTS, "slack.trigger_seconds": 60.0})
    await sandbox.act(action="shortcut", **FALCON, callback_id="new")
    trigger = payloads(listener, "shortcut")[-1]["trigger_id"]
    made = (await slack.views_open(trigger_id=trigger, view=view))["view"]
    assert isinstance(made, dict)
    return made


async def views(sandbox: Sandbox) -> list[dict[str, Any]]:
    workspace = (await sandbox.state())["slack"]["workspaces"][0]
    found: list[dict[str, Any]] = workspace["views"]
    return found


def answering(listener: Listener, **answer: Any) -> None:
    async def said(_delivered: Delivered) -> web.Response:
        return web.json_response(answer)

    listener.answer = said


async def test_a_message_shortcut_carries_the_message(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set({"slack.shortcuts": SHORTCUTS})
    said = await sandbox.act(action="post", **FALCON, text="It is down")

    await sandbox.act(
        action="message_shortcut", **FALCON, ts=said["ts"], callback_id="from"
    )

    [told] = payloads(listener, "message_action")
    assert (told["callback_id"], told["message"]["text"]) == ("from", "It is down")
    assert (told["message_ts"], told["channel"]["id"]) == (said["ts"], "C02FALCON")


async def test_a_shortcut_that_was_not_declared_is_not_there(sandbox: Sandbox) -> None:
    status, answer = await sandbox.call(
        "POST",
        "/sandbox/slack/act",
        {"action": "shortcut", **FALCON, "callback_id": "other"},
    )

    assert (status, answer["error"]) == (400, "unknown_shortcut")


async def test_a_modal_keeps_what_is_entered_and_says_it_when_submitted(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    view = await opened(sandbox, slack, listener, modal(line("reason")))
    await sandbox.act(
        action="enter", view=view["id"], action_id="in", entered={"value": "late"}
    )

    await sandbox.act(action="submit", view=view["id"])

    [told] = payloads(listener, "view_submission")
    assert told["view"]["state"]["values"]["reason"]["in"]["value"] == "late"
    assert "channel" not in told
    assert await views(sandbox) == []


async def test_a_required_input_that_is_empty_is_not_submitted(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    view = await opened(sandbox, slack, listener, modal(line("reason")))

    status, answer = await sandbox.call(
        "POST", "/sandbox/slack/act", {"action": "submit", "view": view["id"]}
    )

    assert (status, answer["blocks"]) == (400, ["reason"])
    assert payloads(listener, "view_submission") == []


async def test_errors_leave_a_modal_open_and_stand_at_their_inputs(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    first = line("reason", initial_value="x")
    view = await opened(sandbox, slack, listener, modal(first))
    answering(listener, response_action="errors", errors={"reason": "Too short."})

    await sandbox.act(action="submit", view=view["id"])

    [standing] = await views(sandbox)
    assert standing["errors"] == {"reason": "Too short."}


@pytest.mark.parametrize(
    ("order", "titles"), [("update", ["Done"]), ("push", ["Edit", "Done"])]
)
async def test_an_answer_to_a_submission_may_be_another_view(
    sandbox: Sandbox,
    slack: AsyncWebClient,
    listener: Listener,
    order: str,
    titles: list[str],
) -> None:
    view = await opened(sandbox, slack, listener, modal(line("a", initial_value="x")))
    done = {"type": "modal", "title": plain("Done"), "blocks": []}
    answering(listener, response_action=order, view=done)

    await sandbox.act(action="submit", view=view["id"])

    assert [one["title"]["text"] for one in await views(sandbox)] == titles


async def test_a_view_that_was_replaced_is_not_replaced_by_its_old_hash(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    view = await opened(sandbox, slack, listener, modal())
    first = {"view_id": view["id"], "hash": view["hash"], "view": modal(line("a"))}
    await slack.views_update(**first)

    with pytest.raises(SlackApiError, match="hash_conflict"):
        await slack.views_update(**first)


async def test_a_modal_that_was_closed_is_not_found(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    view = await opened(sandbox, slack, listener, modal(notify_on_close=True))

    await sandbox.act(action="close_view", view=view["id"])

    [told] = payloads(listener, "view_closed")
    assert "trigger_id" not in told
    with pytest.raises(SlackApiError, match="not_found"):
        await slack.views_update(view_id=view["id"], view=modal())


async def test_a_choice_that_others_depend_on_is_told_at_once(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    option = {"text": plain("High"), "value": "1"}
    select = {"type": "static_select", "action_id": "pick", "options": [option]}
    block = line("impact") | {"element": select, "dispatch_action": True}
    view = await opened(sandbox, slack, listener, modal(block))

    await sandbox.act(
        action="enter",
        view=view["id"],
        action_id="pick",
        entered={"selected_option": option},
    )

    [told] = payloads(listener, "block_actions")
    assert told["container"] == {"type": "view", "view_id": view["id"]}
    assert told["actions"][0]["selected_option"] == option
    values = told["view"]["state"]["values"]
    assert values["impact"]["pick"]["selected_option"] == option


TOO_MUCH: list[tuple[dict[str, Any], str]] = [
    (modal(title=plain("x" * 25)), "invalid_arguments"),
    (modal(submit=plain("x" * 25)), "invalid_arguments"),
    (modal(private_metadata="x" * 3001), "invalid_arguments"),
    (modal(callback_id="x" * 256), "invalid_arguments"),
    (modal(line("a"), submit=None), "invalid_arguments"),
    (modal(line("a"), line("a")), "invalid_arguments"),
    (modal(*[line(str(n)) for n in range(101)]), "invalid_blocks"),
    (modal({"type": "input", "label": plain("x")}), "invalid_blocks"),
]


@pytest.mark.parametrize(("view", "code"), TOO_MUCH)
async def test_a_modal_beyond_its_limits_is_refused(
    sandbox: Sandbox,
    slack: AsyncWebClient,
    listener: Listener,
    view: dict[str, Any],
    code: str,
) -> None:
    with pytest.raises(SlackApiError, match=code):
        await opened(sandbox, slack, listener, view)


async def test_a_link_gets_a_preview_that_can_be_changed_in_place(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.link_domains": ["acme.example"]})
    said = await sandbox.act(action="post", **FALCON, text=f"see {LINK}", typed=True)
    await eventually(lambda: listener.events("link_shared"))
    [shared] = listener.events("link_shared")

    place = {"channel": shared["channel"], "ts": shared["message_ts"]}
    await slack.chat_unfurl(**place, unfurls={LINK: {"text": "first"}})
    await slack.chat_unfurl(
        channel="",
        ts="",
        unfurl_id=shared["unfurl_id"],
        source=shared["source"],
        unfurls={LINK: {"text": "second"}},
    )

    messages = (await sandbox.slack_channel("C02FALCON"))["messages"]
    [message] = [one for one in messages if one["ts"] == said["ts"]]
    assert shared["source"] == "conversations_history"
    assert [one["text"] for one in message["attachments"]] == ["second"]


async def test_a_preview_of_a_link_that_was_not_posted_is_refused(
    sandbox: Sandbox, slack: AsyncWebClient
) -> None:
    said = await sandbox.act(action="post", **FALCON, text=f"see {LINK}", typed=True)

    with pytest.raises(SlackApiError, match="cannot_unfurl_url"):
        await slack.chat_unfurl(
            channel="C02FALCON", ts=said["ts"], unfurls={f"{LINK}9": {"text": "x"}}
        )


async def test_a_link_in_the_composer_names_no_channel_and_gets_a_preview(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    await sandbox.set({"slack.link_domains": ["acme.example"]})
    await sandbox.act(action="compose", user="U01ALICE", text=f"see {LINK}")
    await eventually(lambda: listener.events("link_shared"))
    [shared] = listener.events("link_shared")

    await slack.chat_unfurl(
        channel="",
        ts="",
        unfurl_id=shared["unfurl_id"],
        source="composer",
        unfurls={LINK: {"text": "preview"}},
    )

    workspace = (await sandbox.state())["slack"]["workspaces"][0]
    assert shared["channel"] == "COMPOSER"
    assert shared["message_ts"] == shared["unfurl_id"]
    [draft] = workspace["drafts"]
    assert [one["text"] for one in draft["attachments"]] == ["preview"]

    # These two are no channel and no time, but good for this call all the same.
    await slack.chat_unfurl(
        channel=shared["channel"],
        ts=shared["message_ts"],
        unfurls={LINK: {"text": "again"}},
    )
    workspace = (await sandbox.state())["slack"]["workspaces"][0]
    [draft] = workspace["drafts"]
    assert [one["text"] for one in draft["attachments"]] == ["again"]


async def test_a_button_in_a_preview_says_whose_preview_it_is(
    sandbox: Sandbox, slack: AsyncWebClient, listener: Listener
) -> None:
    said = await sandbox.act(action="post", **FALCON, text=f"see {LINK}", typed=True)
    button = {
        "type": "button",
        "action_id": "view",
        "value": "v",
        "text": plain("View"),
    }
    card = {"blocks": [{"type": "actions", "elements": [button]}]}
    await slack.chat_unfurl(channel="C02FALCON", ts=said["ts"], unfurls={LINK: card})

    await sandbox.act(action="click", **FALCON, ts=said["ts"], action_id="view")

    [told] = payloads(listener, "block_actions")
    assert told["container"]["app_unfurl_url"] == LINK
    assert told["container"]["message_ts"] == said["ts"]
