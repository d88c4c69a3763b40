"""The page's two clients, each by itself: no ATOM is there, so nothing crosses."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, expect

from tests.e2e.page import DOT, Side, Window, running_browser, window
from tests.sandbox import Sandbox, running_sandbox

FALCON = {"workspace": "T01ACME", "channel": "C02FALCON"}
PROJECT_FALCON = {
    "tenant": "7e4a4700-0000-4000-8000-000000000001",
    "team": "19:acme@thread.tacv2",
    "channel": "19:falcon@thread.tacv2",
}
NASTY = '<img src=x onerror="document.title=1"><script>document.title=1</script>'


# One browser and one sandbox serve all tests; each test gets fresh contents.
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
async def world(running: Sandbox) -> Sandbox:
    await running.call("POST", "/sandbox/reset")
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, world: Sandbox) -> AsyncIterator[Window]:
    async with window(browser, f"{world.base}/") as opened:
        yield opened


@pytest.fixture(params=["slack", "teams"])
def side(request: pytest.FixtureRequest, page: Window) -> Side:
    return Side(page.page, request.param)


async def newest(world: Sandbox, side: str) -> Any:
    state = (await world.state())[side]
    if side == "slack":
        channels = state["workspaces"][0]["channels"]
    else:
        channels = state["tenants"][0]["teams"][0]["channels"]
    said = [one for channel in channels for one in channel["messages"]]
    return max(said, key=lambda one: str(one.get("ts") or one["id"]))


async def test_what_is_typed_appears_in_the_channel(side: Side) -> None:
    await side.write("hello, is it you?")

    await expect(side.message("hello, is it you?")).to_be_visible()
    await expect(side.editor).to_have_text("")


async def test_shift_enter_begins_a_line_instead_of_sending(
    side: Side, world: Sandbox
) -> None:
    await side.editor.click()
    await side.page.keyboard.type("one")
    await side.page.keyboard.press("Shift+Enter")
    await side.page.keyboard.type("two")
    await side.page.keyboard.press("Enter")

    await expect(side.message("one")).to_contain_text("two")
    assert "\n" in (await newest(world, side.name))["text"]


async def test_the_toolbar_makes_rich_text_in_slack(
    page: Window, world: Sandbox
) -> None:
    slack = page.slack
    await slack.editor.click()
    await slack.format("bold")
    await page.page.keyboard.type("loud")
    await slack.format("bold")
    await page.page.keyboard.type(" and plain")
    await page.page.keyboard.press("Enter")

    await expect(slack.message("loud and plain").locator("strong")).to_have_text("loud")
    assert (await newest(world, "slack"))["blocks"][0]["elements"] == [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "loud", "style": {"bold": True}},
                {"type": "text", "text": " and plain"},
            ],
        }
    ]


async def test_the_toolbar_makes_html_in_teams(page: Window, world: Sandbox) -> None:
    teams = page.teams
    await teams.editor.click()
    await teams.format("italic")
    await page.page.keyboard.type("softly")
    await teams.format("italic")
    await page.page.keyboard.type(" & <plain>")
    await page.page.keyboard.press("Enter")

    await expect(teams.message("softly").locator("em")).to_have_text("softly")
    html = (await newest(world, "teams"))["html"]
    assert html == "<p><em>softly</em> &amp; &lt;plain&gt;</p>"


@pytest.mark.parametrize(
    ("tool", "element"),
    [
        ("strikeThrough", "s"),
        ("insertUnorderedList", "ul > li"),
        ("insertOrderedList", "ol > li"),
        ("quote", "blockquote"),
        ("code", "code"),
        ("block", "pre"),
    ],
)
async def test_every_tool_shows_in_the_message(
    side: Side, tool: str, element: str
) -> None:
    await side.editor.click()
    await side.format(tool)
    await side.page.keyboard.type("shaped words")
    await side.page.keyboard.press("Enter")

    shaped = side.message("shaped words").locator(f".words {element}")
    await expect(shaped).to_contain_text("shaped words")


async def test_a_link_is_made_from_the_selected_words(side: Side) -> None:
    await side.editor.click()
    await side.page.keyboard.type("the plan")
    await side.page.keyboard.press("Control+A")
    await side.page.keyboard.press("Control+K")
    await side.page.keyboard.type("example.com/plan")
    await side.page.keyboard.press("Enter")
    await side.page.keyboard.press("Enter")

    link = side.message("the plan").get_by_role("link", name="the plan")
    await expect(link).to_have_attribute("href", "https://example.com/plan")


async def test_a_mention_is_chosen_from_the_list(side: Side, world: Sandbox) -> None:
    name, account = {
        "slack": ("Bob Stone", "U02BOB"),
        "teams": ("Dave O'Neil", "29:dave"),
    }[side.name]
    await side.editor.click()
    await side.page.keyboard.type(f"ask @{name[:2]}")
    await side.page.keyboard.press("Enter")
    await side.page.keyboard.type("please")
    await side.page.keyboard.press("Enter")

    await expect(side.message("please").locator(".mention")).to_have_text(f"@{name}")
    assert account in str(await newest(world, side.name))


async def test_a_slack_thread_opens_takes_a_reply_and_closes(page: Window) -> None:
    slack, thread = page.slack, page.page.locator("#slack-thread")
    await slack.write("who is in?")
    await slack.use("reply", slack.message("who is in?"))
    await page.page.keyboard.type("I am")
    await page.page.keyboard.press("Enter")

    await expect(thread.locator("article", has_text="I am")).to_be_visible()
    await page.page.keyboard.press("Escape")
    await expect(thread).to_be_hidden()
    await expect(slack.message("I am")).to_have_count(0)
    await slack.message("who is in?").get_by_role("button", name="1 reply").click()
    await expect(thread.locator("article", has_text="I am")).to_be_visible()


async def test_a_teams_reply_stands_under_its_post(page: Window) -> None:
    teams = page.teams
    await teams.write("who is in?")
    card = page.page.locator("#teams .thread-card", has_text="who is in?")
    await card.get_by_role("button", name="Reply").last.click()
    await page.page.keyboard.type("I am")
    await page.page.keyboard.press("Enter")

    await expect(card.locator(".message-reply", has_text="I am")).to_be_visible()


async def test_arrow_up_edits_the_last_message(side: Side) -> None:
    await side.write("a tpyo")
    await expect(side.message("a tpyo")).to_be_visible()
    await side.page.keyboard.press("ArrowUp")
    editing = side.messages.locator(".editor")
    await expect(editing).to_be_focused()
    await side.page.keyboard.press("Control+A")
    await side.page.keyboard.type("a typo")
    await side.page.keyboard.press("Enter")

    await expect(side.message("a typo")).to_contain_text("(edited)")
    await expect(side.editor).to_be_focused()


async def test_escape_leaves_a_message_as_it_was(side: Side) -> None:
    await side.write("keep me")
    await expect(side.message("keep me")).to_be_visible()
    await side.page.keyboard.press("ArrowUp")
    await expect(side.messages.locator(".editor")).to_be_focused()
    await side.page.keyboard.type(" not")
    await side.page.keyboard.press("Escape")

    await expect(side.message("keep me")).not_to_contain_text("not")


async def test_deleting_asks_first_and_leaves_a_tombstone(side: Side) -> None:
    await side.write("forget this")
    await side.use("delete", side.message("forget this"))
    dialog = side.page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Keep it").click()
    await expect(side.message("forget this")).to_be_visible()

    await side.use("delete", side.message("forget this"))
    await dialog.get_by_role("button", name="Delete").click()

    await expect(side.message("This message was deleted")).to_be_visible()
    await expect(side.message("forget this")).to_have_count(0)


async def test_only_ones_own_messages_can_be_changed(side: Side) -> None:
    await side.write("mine alone")
    message = side.message("mine alone")
    await expect(message.locator("[data-tool=edit]")).to_have_count(1)

    await side.become({"slack": "Bob Stone", "teams": "Erin Park"}[side.name])

    await expect(message.locator("[data-tool=edit]")).to_have_count(0)
    await expect(message.locator("[data-tool=reply]")).to_have_count(1)


async def test_another_person_writes_under_another_name(side: Side) -> None:
    name = {"slack": "Dana Fox", "teams": "Frank Moss"}[side.name]
    await side.become(name)

    await side.write("it is me now")

    await expect(side.message("it is me now").locator(".name")).to_have_text(name)


async def test_messages_are_walked_and_edited_with_keys_alone(side: Side) -> None:
    await side.write("first")
    await expect(side.message("first")).to_be_visible()
    await side.write("second")
    await expect(side.message("second")).to_be_visible()
    await side.message("second").focus()
    await side.page.keyboard.press("ArrowUp")
    await expect(side.message("first")).to_be_focused()

    await side.page.keyboard.press("e")

    await expect(side.messages.locator(".editor")).to_be_focused()


async def test_channels_keep_their_messages_apart(side: Side) -> None:
    await side.write("for falcon only")
    await expect(side.message("for falcon only")).to_be_visible()

    await side.enter({"slack": "random", "teams": "Random"}[side.name])

    await expect(side.message("for falcon only")).to_have_count(0)
    await expect(side.editor).to_be_focused()


async def test_what_people_write_is_never_markup(page: Window, world: Sandbox) -> None:
    said = {"action": "post", "text": f"evil {NASTY}"}
    await world.act(**FALCON, user="U02BOB", **said)
    said = {"action": "post", "html": f"<p>evil {NASTY}</p>"}
    await world.act_in_teams(**PROJECT_FALCON, user="29:dave", **said)

    await expect(page.slack.message("evil")).to_contain_text("<script>")
    await expect(page.teams.message("evil")).to_be_visible()
    for side in (page.slack, page.teams):
        await expect(side.messages.locator("img, script")).to_have_count(0)
    await expect(page.page).to_have_title("ATOM · one conversation, two platforms")
    # The browser reports the handler that its policy kept from being one.
    assert all("Content Security Policy" in one for one in page.complaints)
    page.complaints.clear()


async def test_a_command_without_an_atom_says_so(page: Window) -> None:
    await page.slack.write("/atom help")

    await expect(page.page.get_by_role("alert")).to_contain_text("ATOM did not answer")


@pytest_asyncio.fixture(loop_scope="module")
async def phone(browser: Browser, world: Sandbox) -> AsyncIterator[Window]:
    async with window(browser, f"{world.base}/", 390, 844, touch=True) as opened:
        yield opened


async def test_on_a_phone_the_columns_are_tabs(phone: Window) -> None:
    await phone.slack.write("from the train")
    await expect(phone.slack.message("from the train")).to_be_visible()
    await expect(phone.teams.frame).to_be_hidden()

    await phone.page.get_by_role("tab", name="Teams").click()

    await expect(phone.slack.frame).to_be_hidden()
    await phone.teams.write("from the train too")
    await expect(phone.teams.message("from the train too")).to_be_visible()
    width = await phone.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


async def test_a_reaction_is_chosen_counted_and_taken_back(side: Side) -> None:
    await side.write("lunch at noon?")
    message = side.message("lunch at noon?")
    await side.use("react", message)
    picker = message.get_by_role("group", name="Choose a reaction")
    await picker.get_by_role("button", name="Party popper").click()
    pill = message.locator(".reactions button")
    await expect(pill).to_have_text("🎉 1")

    await side.become({"slack": "Bob Stone", "teams": "Erin Park"}[side.name])
    await pill.click()

    await expect(pill).to_have_text("🎉 2")
    await expect(pill).to_have_attribute("aria-pressed", "true")
    await pill.click()
    await expect(pill).to_have_text("🎉 1")
    await expect(pill).to_have_attribute("aria-pressed", "false")


async def test_a_reaction_is_chosen_with_keys_alone(side: Side) -> None:
    await side.write("keys only")
    message = side.message("keys only")
    await expect(message).to_be_visible()
    await message.focus()

    await side.page.keyboard.press("+")
    await side.page.keyboard.press("ArrowRight")
    await side.page.keyboard.press("Enter")

    await expect(message.locator(".reactions button")).to_have_text("❤️ 1")


async def test_escape_closes_the_reactions_on_offer(side: Side) -> None:
    await side.write("never mind")
    message = side.message("never mind")
    await expect(message).to_be_visible()
    await message.focus()
    await side.page.keyboard.press("+")
    picker = message.get_by_role("group", name="Choose a reaction")
    await expect(picker).to_be_visible()

    await side.page.keyboard.press("Escape")

    await expect(picker).to_have_count(0)
    await expect(message).to_be_focused()


async def test_an_attached_picture_is_shown_and_a_file_can_be_fetched(
    side: Side, world: Sandbox
) -> None:
    picker = side.page.locator(f"#{side.name}-composer input[type=file]")
    await picker.set_input_files(
        [
            FilePayload(name="dot.gif", mimeType="image/gif", buffer=DOT),
            FilePayload(name="page.html", mimeType="text/html", buffer=b"<script>"),
        ]
    )
    attached = side.page.locator(f"#{side.name}-composer .attached")
    await expect(attached).to_contain_text("page.html")
    await side.write("two files")

    message = side.message("two files")
    await expect(message.get_by_role("img", name="dot.gif")).to_be_visible()
    link = side.messages.locator("a", has_text="page.html")
    address = await link.get_attribute("href")
    answer = await side.page.request.get(f"{world.base}{address}")
    assert await answer.body() == b"<script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    await expect(attached).to_be_hidden()


async def test_an_attachment_can_be_taken_back(side: Side) -> None:
    picker = side.page.locator(f"#{side.name}-composer input[type=file]")
    await picker.set_input_files(
        FilePayload(name="dot.gif", mimeType="image/gif", buffer=DOT)
    )
    send = side.page.locator(f"#{side.name}-composer .send")
    await expect(send).to_be_enabled()

    await side.page.get_by_role("button", name="Remove dot.gif").click()

    await expect(send).to_be_disabled()


async def test_a_fault_is_switched_on_and_off_from_the_keyboard(
    page: Window, world: Sandbox
) -> None:
    await page.page.locator("#faults-open").press("Enter")
    switch = page.page.get_by_role("switch", name="Events arrive twice")

    await switch.press("Space")
    await expect(switch).to_have_attribute("aria-checked", "true")
    assert len((await world.call("GET", "/sandbox/faults"))[1]) == 2
    await switch.press("Space")
    await expect(switch).to_have_attribute("aria-checked", "false")
    await switch.press("Escape")

    assert (await world.call("GET", "/sandbox/faults"))[1] == []
    await expect(page.page.locator("#faults")).to_be_hidden()
    await expect(page.page.locator("#faults-open")).to_be_focused()
    await expect(page.page.locator("#faults-kill")).to_be_hidden()
