"""Modals, dialogs, cards with inputs and searches on the page, with an app in a test."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Locator, expect
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.seed import BOT_TOKEN
from tests.e2e.page import Side, Window, running_browser, window
from tests.sandbox import Delivered, Listener, Sandbox, listening, running_sandbox
from tests.sandbox_teams import FALCON, Bot, signed_in

CARD = "application/vnd.microsoft.card.adaptive"
LINK = "https://acme.example/browse/OPS-1"
DECLARED = {
    "slack.shortcuts": [
        {"name": "Create record", "type": "message", "callback_id": "from"},
        {"name": "Who reacted", "type": "message", "callback_id": "who"},
        {"name": "New record", "type": "global", "callback_id": "new"},
    ],
    "teams.extension_commands": [
        {"id": "find", "type": "query", "title": "Find a record"},
        {"id": "create", "type": "action", "title": "Create record"},
        {"id": "who", "type": "action", "title": "Who reacted", "context": ["message"]},
    ],
    "teams.throttles": False,
    "slack.trigger_seconds": 60.0,
    "slack.answer_timeout": 30.0,
    "teams.dialog_timeout": 30.0,
    "teams.extension_timeout": 30.0,
}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest_asyncio.fixture(loop_scope="module")
async def app(running: Sandbox) -> AsyncIterator[Listener]:
    await running.call("POST", "/sandbox/reset")
    async with listening() as listener:
        await running.set(DECLARED | {"atom_url": listener.url})
        yield listener


@pytest.fixture
def world(running: Sandbox, app: Listener) -> Sandbox:
    return running


@pytest.fixture
def api(world: Sandbox) -> AsyncWebClient:
    return AsyncWebClient(token=BOT_TOKEN, base_url=world.slack_api)


@pytest_asyncio.fixture(loop_scope="module")
async def bot(world: Sandbox) -> Bot:
    return await signed_in(world)


@pytest_asyncio.fixture(loop_scope="module", params=[1280, 390])
async def page(
    browser: Browser, world: Sandbox, request: pytest.FixtureRequest
) -> AsyncIterator[Window]:
    async with window(browser, f"{world.base}/", request.param) as opened:
        yield opened


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


MODAL = {
    "type": "modal",
    "title": plain("New issue"),
    "submit": plain("Create"),
    "blocks": [
        {
            "type": "input",
            "block_id": "title",
            "label": plain("Title"),
            "element": {"type": "plain_text_input", "action_id": "in"},
        },
        {
            "type": "input",
            "block_id": "impact",
            "label": plain("Impact"),
            "optional": True,
            "element": {
                "type": "static_select",
                "action_id": "in",
                "options": [
                    {"text": plain("High"), "value": "1"},
                    {"text": plain("Low"), "value": "2"},
                ],
            },
        },
    ],
}


def payload(delivered: Delivered) -> dict[str, Any]:
    form = parse_qs(delivered.body.decode())
    found: dict[str, Any] = json.loads(form["payload"][0]) if "payload" in form else {}
    return found


def opening(
    app: Listener, api: AsyncWebClient, answer: dict[str, Any]
) -> list[dict[str, Any]]:
    """Open the modal for a shortcut; answer its submission. Returns what was sent."""
    submitted: list[dict[str, Any]] = []

    async def handle(delivered: Delivered) -> web.Response:
        said = payload(delivered)
        if said.get("type") in {"shortcut", "message_action"}:
            await api.views_open(trigger_id=said["trigger_id"], view=MODAL)
        elif said.get("type") == "view_submission":
            submitted.append(said["view"]["state"]["values"])
            return web.json_response(answer)
        return web.Response()

    app.answer = handle
    return submitted


async def no_wider_than_its_window(page: Window) -> None:
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not await page.page.evaluate(wide)


async def test_a_form_in_slack_is_filled_with_the_keyboard_and_says_what_is_wrong(
    page: Window, app: Listener, api: AsyncWebClient
) -> None:
    slack = Side(page.page, "slack")
    wrong = {"response_action": "errors", "errors": {"title": "Say more."}}
    submitted = opening(app, api, wrong)

    await slack.frame.get_by_role("button", name="New record").click()
    dialog = slack.frame.get_by_role("dialog", name="New issue")
    await expect(dialog.get_by_label("Title")).to_be_focused()
    await page.page.keyboard.type("It is down")
    await dialog.get_by_label("Impact").select_option("Low")
    await no_wider_than_its_window(page)
    await dialog.get_by_role("button", name="Create").click()

    await expect(dialog.get_by_text("Say more.")).to_be_visible()
    [values] = submitted
    assert values["title"]["in"]["value"] == "It is down"
    assert values["impact"]["in"]["selected_option"]["value"] == "2"
    await page.page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def looks_differ(message: Locator) -> None:
    """No two of the buttons on a message have the same picture, or the same key."""
    tools = message.locator(".tools button")
    for told in (
        [await one.get_attribute("aria-keyshortcuts") for one in await tools.all()],
        [await one.locator("use").get_attribute("href") for one in await tools.all()],
    ):
        assert len(told) == len(set(told)), told


async def test_a_message_in_slack_offers_to_make_a_record_of_it(
    page: Window, app: Listener, api: AsyncWebClient
) -> None:
    slack = Side(page.page, "slack")
    opening(app, api, {})
    await slack.write("The printer is on fire")

    await looks_differ(slack.message("The printer is on fire"))
    await slack.use("record", slack.message("The printer is on fire"))
    dialog = slack.frame.get_by_role("dialog", name="New issue")
    await dialog.get_by_label("Title").fill("Fire")
    await dialog.get_by_role("button", name="Create").click()

    await expect(dialog).to_have_count(0)
    [told] = [p for p in map(payload, app.got) if p.get("type") == "message_action"]
    assert told["message"]["text"] == "The printer is on fire"


async def test_a_preview_stands_under_its_link_and_asks_before_it_acts(
    page: Window, world: Sandbox, app: Listener, api: AsyncWebClient
) -> None:
    slack = Side(page.page, "slack")
    button = {
        "type": "button",
        "action_id": "approve",
        "value": "act_1",
        "text": plain("Approve"),
        "confirm": {
            "title": plain("Approve OPS-1?"),
            "text": plain("It is recorded as yours."),
            "confirm": plain("Approve"),
            "deny": plain("Cancel"),
        },
    }
    blocks = [
        {"type": "header", "text": plain("OPS-1 · It is down")},
        {"type": "actions", "elements": [button]},
    ]
    said = await world.act(
        action="post",
        workspace="T01ACME",
        user="U01ALICE",
        channel="C02FALCON",
        text=f"see {LINK}",
        typed=True,
    )
    await api.chat_unfurl(
        channel="C02FALCON", ts=said["ts"], unfurls={LINK: {"blocks": blocks}}
    )

    message = slack.message("OPS-1 · It is down")
    await message.get_by_role("button", name="Approve").click()
    await (
        page.page.get_by_role("dialog", name="Approve OPS-1?")
        .get_by_role("button", name="Cancel")
        .click()
    )
    assert not [p for p in map(payload, app.got) if p.get("type") == "block_actions"]
    await message.get_by_role("button", name="Approve").click()
    async with page.page.expect_response("**/sandbox/slack/act"):
        await (
            page.page.get_by_role("dialog", name="Approve OPS-1?")
            .get_by_role("button", name="Approve")
            .click()
        )

    [told] = [p for p in map(payload, app.got) if p.get("type") == "block_actions"]
    assert told["actions"][0]["value"] == "act_1"


async def test_a_link_is_previewed_while_it_is_written_and_not_when_it_is_sent(
    page: Window, world: Sandbox, app: Listener, api: AsyncWebClient
) -> None:
    await world.set({"slack.link_domains": ["acme.example"]})

    async def handle(delivered: Delivered) -> web.Response:
        event = {} if b"payload=" in delivered.body else delivered.json()
        shared = event.get("event", {})
        if shared.get("source") == "composer":
            blocks = [{"type": "header", "text": plain("OPS-1 · It is down")}]
            await api.chat_unfurl(
                channel="",
                ts="",
                unfurl_id=shared["unfurl_id"],
                source="composer",
                unfurls={LINK: {"blocks": blocks}},
            )
        return web.Response()

    app.answer = handle
    slack = Side(page.page, "slack")
    await slack.editor.click()
    await page.page.keyboard.type(f"see {LINK} ")

    preview = slack.frame.get_by_role("status", name="Preview of your link")
    await expect(preview).to_contain_text("OPS-1 · It is down")
    await page.page.keyboard.press("Enter")
    await expect(preview).to_be_hidden()
    await world.set({"slack.link_domains": []})


def an_object(title: str, **fields: str) -> dict[str, Any]:
    press = {"text": "Comment…", "action_id": "rec.comment", "value": "act_1"}
    return {
        "entity_type": "slack#/entities/item",
        "url": LINK,
        "external_ref": {"id": "jira:acme/issue/1"},
        "entity_payload": {
            "attributes": {"title": {"text": title}, "product_name": "Jira"},
            "custom_fields": [
                {"key": name, "label": name, "value": value, "type": "string"}
                for name, value in fields.items()
            ],
            "actions": {"primary_actions": [press]},
        },
    }


async def test_an_object_opens_at_the_side_and_says_what_the_app_presents(
    page: Window, app: Listener, api: AsyncWebClient
) -> None:
    answers: list[dict[str, Any]] = [
        {"metadata": an_object("OPS-1", Amount="4711 EUR")},
        {"error": {"status": "custom", "custom_title": "Gone", "custom_message": "x"}},
        {"user_auth_required": True, "user_auth_url": "https://acme.example/connect"},
    ]

    async def handle(delivered: Delivered) -> web.Response:
        if b"entity_details_requested" in delivered.body:
            trigger = delivered.json()["event"]["trigger_id"]
            await api.entity_presentDetails(trigger_id=trigger, **answers.pop(0))
        return web.Response()

    app.answer = handle
    metadata = {
        "event_type": "card",
        "event_payload": {},
        "entities": [an_object("It is down")],
    }
    await api.chat_postMessage(channel="C02FALCON", text="OPS-1", metadata=metadata)
    slack = Side(page.page, "slack")
    title = slack.messages.get_by_role("button", name="It is down")
    await title.focus()
    await page.page.keyboard.press("Enter")

    pane = slack.frame.get_by_role("complementary", name="OPS-1")
    await expect(pane).to_contain_text("4711 EUR")
    await expect(slack.messages.filter(has_text="4711 EUR")).to_have_count(0)
    await no_wider_than_its_window(page)
    async with page.page.expect_response("**/sandbox/slack/act"):
        await pane.get_by_role("button", name="Comment…").click()
    [told] = [p for p in map(payload, app.got) if p.get("type") == "block_actions"]
    assert told["container"]["type"] == "entity_detail"
    assert told["actions"][0]["value"] == "act_1"

    pane = slack.frame.get_by_role("complementary", name="It is down")
    await slack.frame.get_by_role("button", name="Refresh").click()
    await expect(pane).to_contain_text("Gone")
    await slack.frame.get_by_role("button", name="Refresh").click()
    link = pane.get_by_role("link", name="Connect")
    await expect(link).to_have_attribute("href", "https://acme.example/connect")

    await pane.get_by_role("button", name="Close details").press("Escape")
    await expect(pane).to_be_hidden()
    await expect(title).to_be_focused()


async def on_teams(page: Window) -> Side:
    tab = page.page.get_by_role("tab", name="Teams")
    if await tab.is_visible():
        await tab.click()
    return Side(page.page, "teams")


def form_card(verb: str = "save") -> dict[str, Any]:
    return {
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": [
            {"type": "TextBlock", "text": "Say why"},
            {
                "type": "Input.Text",
                "id": "why",
                "label": "Reason",
                "isRequired": True,
                "errorMessage": "A reason is needed.",
            },
            {
                "type": "Input.ChoiceSet",
                "id": "how",
                "label": "How",
                "value": "b",
                "choices": [
                    {"title": "Softly", "value": "a"},
                    {"title": "Loudly", "value": "b"},
                ],
            },
            {"type": "Input.Toggle", "id": "tell", "title": "Tell everybody"},
        ],
        "actions": [
            {
                "type": "Action.Execute",
                "verb": verb,
                "title": "Reject",
                "data": {"t": "act_1"},
            }
        ],
    }


def invokes(app: Listener, name: str) -> list[dict[str, Any]]:
    sent = [one.json() for one in app.got if one.path == "/api/messages"]
    return [one for one in sent if one.get("name") == name]


async def test_a_card_in_teams_sends_what_was_entered(
    page: Window, app: Listener, bot: Bot
) -> None:
    attachment = {"contentType": CARD, "content": form_card()}
    await bot.connect(
        "POST",
        f"conversations/{FALCON}/activities",
        {"type": "message", "attachments": [attachment]},
    )
    teams = await on_teams(page)
    card = teams.message("Say why")

    await card.get_by_role("button", name="Reject").click()
    assert invokes(app, "adaptiveCard/action") == []  # a reason is needed
    await card.get_by_label("Reason").fill("too late")
    await card.get_by_label("Tell everybody").check()
    async with page.page.expect_response("**/sandbox/teams/act"):
        await card.get_by_role("button", name="Reject").click()

    [told] = invokes(app, "adaptiveCard/action")
    assert told["value"]["action"]["data"] == {
        "t": "act_1",
        "why": "too late",
        "how": "b",
        "tell": "true",
    }


async def test_a_message_in_teams_offers_to_make_a_record_of_it(
    page: Window, app: Listener
) -> None:
    submit = {"type": "Action.Submit", "title": "Create", "data": {"verb": "create"}}

    async def handle(delivered: Delivered) -> web.Response:
        if delivered.path != "/api/messages":
            return web.Response()
        name = delivered.json().get("name")
        if name == "composeExtension/fetchTask":
            content = form_card() | {"actions": [submit]}
            card = {"contentType": CARD, "content": content}
            value = {"title": "New issue", "card": card}
            return web.json_response({"task": {"type": "continue", "value": value}})
        if name == "composeExtension/submitAction":
            said = {"type": "message", "value": "Created OPS-2."}
            return web.json_response({"task": said})
        return web.Response()

    app.answer = handle
    teams = await on_teams(page)
    await teams.write("The printer is on fire")

    await looks_differ(teams.message("The printer is on fire"))
    tools = page.page.locator("#teams-tools button")
    await expect(tools).to_have_text(["Find a record", "Create record"])
    await teams.use("record", teams.message("The printer is on fire"))
    dialog = teams.frame.get_by_role("dialog", name="New issue")
    await dialog.get_by_label("Reason").fill("hot")
    await no_wider_than_its_window(page)
    await dialog.get_by_role("button", name="Create").click()

    await expect(page.page.get_by_role("alert")).to_have_text("Created OPS-2.")
    await expect(dialog).to_have_count(0)
    [sent] = invokes(app, "composeExtension/submitAction")
    assert sent["value"]["data"]["why"] == "hot"
    [asked] = invokes(app, "composeExtension/fetchTask")
    payload_ = asked["value"]["messagePayload"]
    assert "The printer is on fire" in payload_["body"]["content"]


async def test_a_search_in_teams_posts_what_everybody_may_see(
    page: Window, app: Listener
) -> None:
    card = {
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": [{"type": "TextBlock", "text": "Globex for the room"}],
    }
    thumbnail = "application/vnd.microsoft.card.thumbnail"
    tap = {"type": "invoke", "value": {"url": LINK}}
    mine = {"title": "Globex renewal", "text": "Open &amp; mine", "tap": tap}
    waiting = {"title": "ServiceNow: still searching", "text": ""}

    def listed(*contents: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "contentType": thumbnail,
                "content": {"title": "ATOM"},
                "preview": {"contentType": thumbnail, "content": content},
            }
            for content in contents
        ]

    async def handle(delivered: Delivered) -> web.Response:
        name = delivered.json().get("name") if delivered.path == "/api/messages" else ""
        attachments = listed(mine, waiting)
        if name == "composeExtension/selectItem":
            attachments = [{"contentType": CARD, "content": card}]
        found = {"type": "result", "attachments": attachments}
        return web.json_response({"composeExtension": found})

    app.answer = handle
    teams = await on_teams(page)

    await teams.frame.get_by_role("button", name="Find a record").click()
    await expect(teams.frame.get_by_role("searchbox")).to_be_focused()
    await page.page.keyboard.type("globex")
    await page.page.keyboard.press("Enter")
    await expect(teams.frame.get_by_text("ServiceNow: still searching")).to_be_visible()
    await teams.frame.get_by_role("button", name="Globex renewal Open & mine").click()
    await teams.frame.get_by_role("button", name="Post", exact=True).click()

    await expect(teams.message("Globex for the room")).to_be_visible()
    [asked] = invokes(app, "composeExtension/query")
    assert asked["value"]["parameters"][0]["value"] == "globex"
