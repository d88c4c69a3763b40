"""`atom demo` as its visitor meets it: two clients, a real ATOM between them, its log."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Locator, expect

from tests.e2e.page import DOT, Side, Window, running_browser, window
from tests.servers import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

_STARTED_WITHIN = 180.0  # seconds; a busy machine, not a slow demo
_STOPPED_WITHIN = 120.0
_BACK_WITHIN = 180_000.0  # milliseconds for an ATOM that was killed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@dataclass(frozen=True)
class Demo:
    """A running demo: its address, and what its terminal and its log show."""

    address: str
    printed: bytearray
    errors: Path
    log: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(
    tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> AsyncIterator[Demo]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ATOM_")}
    home = tmp_path_factory.mktemp("demo")
    printed, errors = bytearray(), home / "errors"
    with errors.open("ab") as stream:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bots", "demo"),
            cwd=Path(__file__).parents[2],
            env=kept | {"ATOM_HOME": str(home), "ATOM_PORT": str(free_port())},
            stdout=asyncio.subprocess.PIPE,
            stderr=stream,
        )
    try:
        async with asyncio.timeout(_STARTED_WITHIN):
            address = await _printed_address(process, printed)
        draining = asyncio.create_task(_drain(process, printed))
        yield Demo(address, printed, errors, home / "demo" / "atom.log")
        draining.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(_STOPPED_WITHIN):
            await process.wait()


async def _printed_address(
    process: asyncio.subprocess.Process, printed: bytearray
) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        printed.extend(line)
        if found := re.search(rb"https?://\S+/", line):
            return found.group().decode()
    raise AssertionError("the demo ended without printing an address")


async def _drain(process: asyncio.subprocess.Process, printed: bytearray) -> None:
    """Read on, so that the demo never waits for a reader."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        printed.extend(line)


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, demo: Demo) -> AsyncIterator[Window]:
    async with window(browser, demo.address) as opened:
        yield opened


def words(text: str) -> str:
    """Words that no other test says."""
    return f"{text} {uuid4().hex[:8]}"


def thread_card(page: Window, text: str) -> Locator:
    return page.page.locator("#teams .thread-card", has_text=text)


async def reply(page: Window, card: Locator, text: str) -> None:
    await card.get_by_role("button", name="Reply").last.click()
    await page.page.keyboard.type(text)
    await page.page.keyboard.press("Enter")
    await page.page.keyboard.press("Escape")


async def change(side: Side, old: str, new: str) -> None:
    await side.use("edit", side.message(old))
    await expect(side.messages.locator(".editor")).to_be_focused()
    await side.page.keyboard.press("Control+A")
    await side.page.keyboard.type(new)
    await side.page.keyboard.press("Enter")


async def picture(page: Window, name: str, otherwise: Path) -> bytes:
    path = Path(os.environ.get("ATOM_PICTURES") or otherwise) / name
    await page.page.mouse.move(640, 20)
    return await page.page.screenshot(path=path, animations="disabled")


async def test_the_terminal_shows_the_address_and_atom_logs_to_a_file(
    demo: Demo,
) -> None:
    logged = [json.loads(line) for line in demo.log.read_text("utf-8").splitlines()]

    assert demo.printed.decode() == f"ATOM demo: open {demo.address}\n"
    assert demo.errors.read_text("utf-8") == ""
    assert "serving" in [each["event"] for each in logged]


async def test_a_conversation_across_both_makes_a_picture(
    page: Window, tmp_path: Path
) -> None:
    """ATOM_PICTURES=docs/images makes the README's pictures anew, here and below."""
    await page.slack.become("Bob Stone")
    await page.slack.write("Two things before noon: *check* the `orbit.py` numbers")
    card = thread_card(page, "Two things before noon")
    await page.teams.become("Dave O'Neil")
    await reply(page, card, "On it. They look good so far.")
    await page.teams.write("And the launch window? @Erin Park knows.")

    await expect(page.slack.message("And the launch window")).to_be_visible()
    await expect(page.slack.message("Two things")).to_contain_text("1 reply")
    await expect(page.entries.filter(has_text="launch window")).to_contain_text(
        "in Slack"
    )

    shot = await picture(page, "demo.png", tmp_path)

    assert shot.startswith(b"\x89PNG")


async def test_what_is_typed_on_one_side_is_read_on_the_other(page: Window) -> None:
    there, back = words("hello over there"), words("hello yourself")

    await page.slack.write(there)
    copy = page.teams.message(there)
    await expect(copy.locator(".name")).to_have_text("Alice Wong (Slack)")
    await expect(copy.locator(".via")).to_have_text("via ATOM")
    await page.teams.write(back)

    copy = page.slack.message(back)
    await expect(copy.locator(".name")).to_have_text("Carol Díaz (Teams)")
    await expect(copy.locator(".via")).to_have_text("via ATOM")
    await expect(page.slack.message(there)).to_have_count(1)
    await expect(page.teams.message(back)).to_have_count(1)


async def test_formatting_crosses(page: Window) -> None:
    text = words("numbers")
    await page.slack.write(f"*bold* _soft_ `code` {text}")

    copy = page.teams.message(text)

    await expect(copy.locator("strong")).to_have_text("bold")
    await expect(copy.locator("em")).to_have_text("soft")
    await expect(copy.locator("code")).to_have_text("code")


async def test_a_thread_is_one_thread_on_both_sides(page: Window) -> None:
    root, first, second = words("root"), words("from teams"), words("from slack")
    await page.slack.write(root)
    card = thread_card(page, root)
    await reply(page, card, first)

    await page.slack.message(root).get_by_role("button", name="1 reply").click()
    thread = page.page.locator("#slack-thread")
    await expect(thread.locator("article", has_text=first)).to_be_visible()
    await thread.locator(".editor").click()
    await page.page.keyboard.type(second)
    await page.page.keyboard.press("Enter")

    await expect(card.locator(".message-reply", has_text=second)).to_be_visible()


async def test_an_edit_and_a_deletion_cross(page: Window) -> None:
    old, new = words("at nine"), words("at ten")
    await page.teams.write(old)
    await expect(page.slack.message(old)).to_be_visible()

    await change(page.teams, old, new)
    await expect(page.slack.message(new)).to_contain_text("(edited)")
    await page.teams.use("delete", page.teams.message(new))
    await page.page.get_by_role("button", name="Delete", exact=True).last.click()

    await expect(page.slack.message(new)).to_have_count(0)
    await expect(page.slack.message("This message was deleted")).not_to_have_count(0)


async def test_help_answers_on_both_sides(page: Window) -> None:
    await page.slack.write("/atom help")
    answer = page.slack.messages.filter(has_text="Only visible to you").last
    await expect(answer).to_contain_text("/atom status")

    await page.teams.write("@ATOM help")

    card = page.page.locator("#teams .card").last
    await expect(card).to_contain_text("@ATOM status")


async def test_a_buttons_command_is_answered_in_slack(page: Window) -> None:
    answers = page.slack.messages.filter(has_text="Only visible to you")
    before = await answers.count()
    await page.slack.write("/atom help")
    await expect(answers).to_have_count(before + 1)

    await answers.last.get_by_role("button", name="Show links").click()

    await expect(answers.filter(has_text="Project Falcon")).not_to_have_count(0)


async def test_a_buttons_command_is_answered_in_teams(page: Window) -> None:
    cards = page.page.locator("#teams .card")
    before = await cards.count()
    await page.teams.write("@ATOM help")
    await expect(cards).to_have_count(before + 1)

    await cards.last.get_by_role("button", name="Show links").click()

    await expect(cards.last).to_contain_text("project-falcon")


async def test_the_log_says_who_wrote_what_was_decided_and_sent(page: Window) -> None:
    size = page.page.locator("#log-size")
    root = page.page.locator("#log-root")
    await expect(page.entries).not_to_have_count(0)
    size_before, root_before = await size.inner_text(), await root.inner_text()
    text = words("for the record")

    await page.slack.write(text)

    entry = page.entries.filter(has_text=text)
    await expect(entry).to_contain_text("Alice Wong")
    await expect(entry).to_contain_text("allowed")
    await expect(entry).to_contain_text("in Teams")
    await expect(size).not_to_have_text(size_before)
    await expect(root).not_to_have_text(root_before)


async def test_a_channel_that_is_not_linked_says_so(page: Window) -> None:
    await page.slack.enter("quiet")

    await expect(page.page.locator("#slack-linked")).to_have_text("Not linked")
    await expect(page.page.locator("#bond")).to_be_hidden()


async def test_three_linked_channels_are_one_conversation(page: Window) -> None:
    text, back = words("who wants coffee"), words("me")
    await page.slack.enter("random")
    linked = page.page.locator("#slack-linked")
    await expect(linked).to_have_text("Random and Coffee Corner")
    await page.slack.write(text)

    await page.teams.enter("Random")
    await expect(page.teams.message(text)).to_have_count(1)
    await page.teams.enter("Coffee Corner")
    await expect(page.teams.message(text)).to_have_count(1)
    await page.teams.write(back)

    await expect(page.slack.message(back)).to_have_count(1)
    await page.teams.enter("Random")
    await expect(page.teams.message(back)).to_have_count(1)


async def test_a_throttled_teams_is_waited_for_and_gets_everything_once(
    page: Window,
) -> None:
    first, second = words("first"), words("second")
    await page.page.get_by_role("button", name="Break something").click()
    throttle = page.page.get_by_role("switch", name="Teams answers 429")
    await throttle.click()
    await expect(throttle).to_have_attribute("aria-checked", "true")
    await page.slack.write(first)
    await page.slack.write(second)
    waiting = page.page.locator("#faults-waiting")
    await expect(waiting).to_have_text("2 copies wait")
    assert await page.teams.message(first).count() == 0

    await page.page.get_by_role("button", name="Mend all").click()

    await expect(page.teams.message(second)).to_be_visible(timeout=_BACK_WITHIN)
    for text in (first, second):
        await expect(page.teams.message(text)).to_have_count(1)
    await expect(waiting).to_have_text("Nothing waits")
    await expect(throttle).to_have_attribute("aria-checked", "false")


async def test_an_atom_killed_from_the_page_comes_back_and_nothing_is_lost(
    page: Window,
) -> None:
    text = words("while you were away")
    health = page.page.locator("#health")
    await expect(health).to_have_text("ATOM is running")

    await page.page.get_by_role("button", name="Break something").click()
    await page.page.get_by_role("button", name="Kill ATOM").click()
    await page.teams.write(text)

    await expect(page.slack.message(text)).to_be_visible(timeout=_BACK_WITHIN)
    await expect(health).to_have_text("ATOM is running", timeout=_BACK_WITHIN)
    await expect(page.slack.message(text)).to_have_count(1)


async def test_reactions_are_seen_on_the_other_side(page: Window) -> None:
    text = words("shall we launch?")
    await page.slack.write(text)
    original, copy = page.slack.message(text), page.teams.message(text)
    await expect(copy).to_be_visible()

    await page.teams.use("react", copy)
    await copy.get_by_role("button", name="Rocket").click()
    await expect(original.locator(".reactions button")).to_have_text("🚀 1")
    await page.slack.use("react", original)
    await original.get_by_role("button", name="Eyes").click()

    await expect(copy).to_contain_text("👀 1")
    await expect(page.entries.filter(has_text="👀").first).to_be_visible()


async def test_a_mention_is_of_the_same_person_on_the_other_side(page: Window) -> None:
    text = words("can you look,")
    await page.teams.editor.click()
    await page.page.keyboard.type(f"{text} @Ali")
    await expect(page.page.get_by_role("option", name="Alice Wong")).to_be_visible()
    await page.page.keyboard.press("Enter")
    await page.page.keyboard.press("Enter")

    copy = page.slack.message(text)
    await expect(copy.locator(".mention")).to_have_text("@Alice Wong")
    await expect(copy.locator(".mention-me")).to_have_count(1)


async def test_a_guest_who_is_mentioned_in_a_command_leads_to_their_contact(
    page: Window,
) -> None:
    await page.slack.enter("random")
    await page.slack.editor.click()
    await page.page.keyboard.type("/atom contact @Gus")
    await page.page.get_by_role("option", name="Gus Novak").wait_for()
    await page.page.keyboard.press("Enter")  # takes what is suggested
    await page.page.keyboard.press("Enter")

    answer = page.page.locator("#slack-messages").get_by_text("Field engineer")
    await expect(answer.first).to_be_visible(timeout=60_000)
    await expect(page.slack.frame).to_contain_text("Partner Works")


async def test_a_cases_status_is_changed_in_teams_and_its_card_in_slack_follows(
    page: Window,
) -> None:
    text = words("who has CS-00001026 now?")
    await page.slack.write(text)
    await page.slack.message(text).get_by_role("button", name="1 reply").click()
    thread = page.page.locator("#slack-thread")
    await expect(thread).to_contain_text("Globex & Sons")
    await expect(thread).to_contain_text("Working · High")

    card = thread_card(page, text)
    await card.get_by_role("button", name="Change status…").click()
    await card.get_by_label("Status").select_option("Escalated")
    await card.get_by_role("button", name="Save").click()

    await expect(thread).to_contain_text("Escalated · High")
    await expect(card).to_contain_text("Escalated · High")
    changed = page.entries.filter(has_text="changed a business record")
    await expect(changed.last).to_contain_text("Carol Díaz")


async def test_a_change_that_is_approved_in_teams_is_so_in_slack(
    page: Window, tmp_path: Path
) -> None:
    await page.page.set_viewport_size({"width": 1280, "height": 1000})
    text = words("CHG0030351 waits")
    await page.teams.become("Erin Park")
    await page.teams.write(text)
    card = thread_card(page, text)
    await expect(card).to_contain_text("0 of 3")
    await page.slack.message(text).get_by_role("button", name="1 reply").click()

    approve = card.get_by_role("button", name="Approve", exact=True)
    await approve.click()
    await expect(card).to_contain_text("Records your approval in ServiceNow as you.")
    await approve.last.click()

    thread = page.page.locator("#slack-thread")
    await expect(thread).to_contain_text("1 of 3")
    await expect(thread).to_contain_text("Approved by Erin Park")
    await expect(card).to_contain_text("1 of 3")
    await card.evaluate("card => card.scrollIntoView({block: 'end'})")
    await picture(page, "records.png", tmp_path)


async def test_an_amount_is_found_shown_to_all_without_it_and_to_finance_alone(
    page: Window,
) -> None:
    amount, deal = "1,284,500", "Globex – platform renewal"
    await page.slack.write("/atom find globex")
    found = page.slack.messages.filter(has_text="ServiceNow: nothing found").last
    await expect(found).to_contain_text(deal)
    await expect(found).to_contain_text("Jira: answered")
    await page.slack.write("/atom opp globex")
    answer = page.slack.messages.filter(has_text="only you see this").last
    await answer.get_by_role("button", name="Show in channel").click()
    shown = page.slack.messages.filter(has_text="My view").filter(has_text=deal)
    await expect(shown.last).to_be_visible()

    for name, sees in (("Bob Stone", False), ("Dana", True)):
        await page.slack.become(name)
        await shown.last.get_by_role("button", name="My view").click()
        dialog = page.slack.frame.get_by_role("dialog")
        await expect(dialog).to_contain_text(deal)
        assert (amount in await dialog.inner_text()) is sees
        await page.page.keyboard.press("Escape")

    for anybodys in (page.slack.messages, page.teams.messages, page.entries):
        await expect(anybodys.filter(has_text=amount)).to_have_count(0)


async def test_whoever_is_moved_out_of_a_group_is_not_heard_and_hears_why(
    page: Window,
) -> None:
    before, after, again = words("as one of them"), words("as a guest"), words("back")
    await page.slack.become("Chen Li")
    await page.slack.write(before)
    await expect(page.teams.message(before)).to_be_visible()
    await page.page.get_by_role("button", name="Who may what").click()
    groups = page.page.get_by_role("group", name="Groups of Chen Li")
    chip = groups.get_by_role("button", name="Falcon team")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    entries = page.page.get_by_role("log", name="Log entries").locator("article")
    moved = entries.filter(has_text="the directory changed: 1 ")
    told = await moved.count()

    await chip.click()
    await expect(chip).to_have_attribute("aria-pressed", "false")
    await page.page.get_by_role("button", name="Close").first.click()
    await expect(moved).to_have_count(told + 1)
    await page.slack.write(after)

    whisper = page.slack.messages.filter(has_text="did not cross to Teams")
    await expect(whisper.last).to_contain_text("rules do not allow it")
    await expect(page.teams.message(after)).to_have_count(0)
    await page.slack.write("/atom why")
    answer = page.slack.messages.filter(has_text="Only visible to you").last
    await expect(answer).to_contain_text("Falcon team")

    await page.page.get_by_role("button", name="Who may what").click()
    await chip.click()
    await expect(chip).to_have_attribute("aria-pressed", "true")
    await expect(moved).to_have_count(told + 2)
    await page.page.get_by_role("button", name="Close").first.click()
    await page.slack.write(again)
    await expect(page.teams.message(again)).to_be_visible()


async def test_an_account_is_disabled_and_let_back_in_by_what_its_button_says(
    page: Window,
) -> None:
    await page.page.get_by_role("button", name="Who may what").click()
    row = page.page.locator(".company-person", has_text="Frank Moss")

    await row.get_by_role("button", name="disable", exact=True).click()
    await expect(row.locator("small")).to_have_text("disabled")
    await row.get_by_role("button", name="let back in", exact=True).click()

    await expect(row.get_by_role("button", name="disable", exact=True)).to_be_visible()
    await expect(row.locator("small")).not_to_have_text("disabled")
    await page.page.get_by_role("button", name="Close").first.click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 760, 1280, 1920])
async def test_the_companys_panel_fits(
    browser: Browser,
    demo: Demo,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    async with window(browser, demo.address, width, scheme=scheme) as opened:
        await opened.page.get_by_role("button", name="Who may what").click()
        panel = opened.page.locator("#company")
        box = await panel.bounding_box()
        wide = await opened.page.evaluate("document.documentElement.scrollWidth")

    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert wide <= width


async def test_a_picture_arrives_in_its_thread_on_the_other_side(page: Window) -> None:
    text = words("a picture")
    picker = page.page.locator("#slack-composer input[type=file]")
    await picker.set_input_files(
        FilePayload(name="dot.gif", mimeType="image/gif", buffer=DOT)
    )
    await page.slack.write(text)

    card = thread_card(page, text)
    await expect(card).to_contain_text("dot.gif")
    reply = card.locator(".message-reply", has_text="dot.gif")
    await expect(reply).to_have_count(1)
    await expect(card).to_contain_text("in this thread")
