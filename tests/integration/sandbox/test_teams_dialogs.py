"""Cards drawn anew, dialogs and message extensions in the sandbox's Teams."""

import asyncio
from typing import Any

from aiohttp import web

from tests.sandbox import Delivered, Listener, Sandbox
from tests.sandbox_teams import FALCON, Bot, arrived, said, teams_messages

CARD = "application/vnd.microsoft.card.adaptive"
COMMANDS = [
    {"id": "find", "type": "query", "title": "Find"},
    {"id": "create", "type": "action", "title": "Create"},
]


def card(text: str, *viewers: str) -> dict[str, Any]:
    view = {"type": "Action.Execute", "verb": "view", "data": {"t": "1"}}
    made: dict[str, Any] = {
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "TextBlock", "text": text}],
    }
    return made | (
        {"refresh": {"action": view, "userIds": list(viewers)}} if viewers else {}
    )


def posted(content: dict[str, Any]) -> dict[str, Any]:
    attachment = {"contentType": CARD, "content": content}
    return {"type": "message", "attachments": [attachment]}


def answering(listener: Listener, body: Any) -> None:
    async def answer(_delivered: Delivered) -> web.Response:
        return web.json_response(body)

    listener.answer = answer


async def test_whoever_a_card_names_is_shown_a_view_of_their_own(
    sandbox: Sandbox, bot: Bot, listener: Listener
) -> None:
    answering(listener, {"statusCode": 200, "type": CARD, "value": card("yours alone")})

    await bot.connect(
        "POST", f"conversations/{FALCON}/activities", posted(card("all", "29:carol"))
    )

    [invoke] = await arrived(listener)
    assert invoke["value"]["trigger"] == "automatic"
    assert invoke["from"]["id"] == "29:carol"

    async def views() -> Any:
        return (await teams_messages(sandbox))[-1]["views"]

    while not (shown := await views()):
        await asyncio.sleep(0.01)
    assert shown["29:carol"]["body"][0]["text"] == "yours alone"


async def test_an_edit_takes_views_away_and_draws_them_anew(
    sandbox: Sandbox, bot: Bot, listener: Listener
) -> None:
    path = f"conversations/{FALCON}/activities"
    made = await bot.connect("POST", path, posted(card("all", "29:carol")))
    await arrived(listener)

    await bot.connect(
        "PUT", f"{path}/{made.body['id']}", posted(card("new", "29:carol"))
    )

    assert len(await arrived(listener, 2)) == 2


async def test_a_button_that_is_pressed_is_no_refresh(
    sandbox: Sandbox, bot: Bot, listener: Listener
) -> None:
    path = f"conversations/{FALCON}/activities"
    made = await bot.connect("POST", path, posted(card("all")))

    await said(sandbox, action="invoke", message=made.body["id"], verb="view")

    [invoke] = await arrived(listener)
    assert invoke["value"]["trigger"] == "manual"


async def test_a_search_is_asked_three_times_and_a_late_answer_is_none(
    sandbox: Sandbox, listener: Listener
) -> None:
    held = asyncio.Event()

    async def late(_delivered: Delivered) -> web.Response:
        await held.wait()
        return web.json_response({})

    listener.answer = late
    await sandbox.set(
        {"teams.extension_timeout": 0.1, "teams.extension_commands": COMMANDS}
    )

    done = await said(sandbox, action="extension_query", command="find", words="x")
    held.set()

    assert done["status"] == 0
    asked = await arrived(listener, 3)
    assert [one["value"]["parameters"][0]["value"] for one in asked] == ["x"] * 3
    assert {one["name"] for one in asked} == {"composeExtension/query"}


async def test_a_dialog_is_asked_for_once(sandbox: Sandbox, listener: Listener) -> None:
    held = asyncio.Event()

    async def late(_delivered: Delivered) -> web.Response:
        await held.wait()
        return web.json_response({})

    listener.answer = late
    await sandbox.set({"teams.dialog_timeout": 0.1})

    done = await said(sandbox, action="task_fetch", data={"t": "1"})
    held.set()

    assert done["status"] == 0
    [asked] = await arrived(listener)
    assert (asked["name"], asked["value"]["data"]) == ("task/fetch", {"t": "1"})


async def test_an_action_on_a_message_tells_what_it_says_and_whose_it_is(
    sandbox: Sandbox, listener: Listener
) -> None:
    await sandbox.set({"teams.extension_commands": COMMANDS})
    message = await said(sandbox, text="It is <down>")
    await arrived(listener)
    listener.got.clear()

    await said(
        sandbox, action="extension_action", command="create", message=message["id"]
    )

    [asked] = await arrived(listener)
    payload = asked["value"]["messagePayload"]
    assert asked["name"] == "composeExtension/fetchTask"
    assert payload["body"]["content"] == "<p>It is &lt;down&gt;</p>"
    assert payload["from"]["user"]["displayName"]


async def test_a_card_of_an_extension_is_in_the_persons_own_message(
    sandbox: Sandbox, listener: Listener
) -> None:
    await said(sandbox, action="extension_send", card=card("found"))

    message = (await teams_messages(sandbox))[-1]
    assert message["author"]["id"] == "29:carol"
    assert message["attachments"][0]["content"] == card("found")


async def test_such_a_card_is_drawn_anew_for_whom_it_names(
    sandbox: Sandbox, listener: Listener
) -> None:
    answering(listener, {"statusCode": 200, "type": CARD, "value": card("yours alone")})

    await said(sandbox, action="extension_send", card=card("found", "29:dave"))

    told = await arrived(listener, 2)  # the message is told as any other, too
    assert {one["type"] for one in told} == {"message", "invoke"}
    [invoke] = [one for one in told if one["type"] == "invoke"]
    assert (invoke["from"]["id"], invoke["value"]["trigger"]) == (
        "29:dave",
        "automatic",
    )


async def test_a_card_that_is_too_large_is_refused(bot: Bot) -> None:
    answer = await bot.connect(
        "POST", f"conversations/{FALCON}/activities", posted(card("x" * 60_000))
    )

    assert answer.status == 413
    assert answer.body["error"]["code"] == "MessageSizeTooBig"
