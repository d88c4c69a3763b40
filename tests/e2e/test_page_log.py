"""The page's third column: the log, with a stand-in for the ATOM that tells it."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.log_stand_in import TOKEN, LogStandIn
from tests.e2e.page import Window, running_browser, window
from tests.sandbox import Sandbox, running_sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINKED = "linked slack:T01ACME/C02FALCON and teams:19:acme@thread.tacv2/19:falcon@thread.tacv2"
ALLOWED = {"allowed": True, "rule": "default", "policy": "ab12", "directory": "none"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest.fixture(scope="module")
def world() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest_asyncio.fixture(loop_scope="module")
async def atom(world: Sandbox) -> AsyncIterator[LogStandIn]:
    stand_in = LogStandIn()
    await stand_in.start()
    await world.set({"atom_url": stand_in.address, "console_token": TOKEN})
    yield stand_in
    await stand_in.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def page(
    browser: Browser, world: Sandbox, atom: LogStandIn
) -> AsyncIterator[Window]:
    await atom.append(type="bridge.link", platform="atom", channel=None, text=LINKED)
    async with window(browser, f"{world.base}/") as opened:
        yield opened


async def test_entries_appear_as_they_are_written(
    page: Window, atom: LogStandIn
) -> None:
    await atom.append(text="the first words", decision=ALLOWED)

    entry = page.entries.filter(has_text="the first words")
    await expect(entry).to_contain_text("Alice Wong")
    await expect(entry).to_contain_text("allowed · default")
    await expect(entry).to_contain_text("#project-falcon")
    await expect(page.page.locator("#log-size")).to_have_text("2")
    await expect(page.page.locator("#log-root")).to_contain_text("02020202…")


async def test_a_denial_is_shown_as_one(page: Window, atom: LogStandIn) -> None:
    await atom.append(text="not yours to say", decision={**ALLOWED, "allowed": False})

    entry = page.entries.filter(has_text="not yours to say")
    await expect(entry.locator(".chip-bad")).to_have_text("denied · default")


async def test_a_delivery_is_shown_with_what_it_delivers(
    page: Window, atom: LogStandIn
) -> None:
    await atom.append(text="carry me", decision=ALLOWED)
    await atom.append(
        type="bridge.delivered",
        platform="teams",
        channel="teams:19:acme@thread.tacv2/19:falcon@thread.tacv2",
        text="carry me",
        origin=1,
    )

    await expect(page.entries.nth(1)).to_contain_text("in Teams")
    await expect(page.entries.nth(2)).to_contain_text("of #1")
    await expect(page.entries.nth(2)).to_contain_text("Project Falcon")


async def test_the_linked_pair_is_shown_and_the_others_are_not_linked(
    page: Window,
) -> None:
    await expect(page.page.locator("#slack-linked")).to_have_text("Project Falcon")
    await expect(page.page.locator("#teams-linked")).to_have_text("#project-falcon")

    await page.slack.enter("random")

    await expect(page.page.locator("#slack-linked")).to_have_text("Not linked")


async def test_a_removed_link_is_shown_no_more(page: Window, atom: LogStandIn) -> None:
    await expect(page.page.locator("#slack-linked")).to_have_text("Project Falcon")

    removed = LINKED.replace("linked", "removed", 1)
    await atom.append(type="bridge.link", platform="atom", channel=None, text=removed)

    await expect(page.page.locator("#slack-linked")).to_have_text("Not linked")


async def test_an_atom_that_restarts_is_waited_for(
    page: Window, atom: LogStandIn
) -> None:
    health = page.page.locator("#health")
    await expect(health).to_have_text("ATOM is running")

    await atom.stop()
    await expect(health).to_have_text("ATOM is restarting")
    await expect(page.page.locator("#log-away")).to_be_visible()
    await atom.append(text="said meanwhile")
    await atom.start()

    await expect(health).to_have_text("ATOM is running")
    await expect(page.page.locator("#log-away")).to_be_hidden()
    await expect(page.entries.filter(has_text="said meanwhile")).to_be_visible()


async def test_a_log_that_began_anew_replaces_the_old_one(
    page: Window, atom: LogStandIn
) -> None:
    for number in range(3):
        await atom.append(text=f"of the old log {number}")
    await expect(page.entries).to_have_count(4)

    await atom.stop()
    atom.entries.clear()
    await atom.append(text="of the new log")
    await atom.start()

    await expect(page.entries.filter(has_text="of the new log")).to_be_visible()
    await expect(page.entries).to_have_count(1)


async def test_a_long_log_is_entered_at_its_end(
    browser: Browser, world: Sandbox, atom: LogStandIn
) -> None:
    await atom.append(type="bridge.link", platform="atom", channel=None, text=LINKED)
    for number in range(450):
        await atom.append(text=f"number {number} of many")

    async with window(browser, f"{world.base}/") as opened:
        newest = opened.entries.filter(has_text="number 449 of many")
        await expect(newest).to_be_in_viewport()
        await expect(opened.page.locator("#slack-linked")).to_have_text(
            "Project Falcon"
        )


async def test_what_was_said_is_never_markup_in_the_log(
    page: Window, atom: LogStandIn
) -> None:
    await atom.append(text="<img src=x><b>bold</b>", author="<i>Eve</i>")

    entry = page.entries.filter(has_text="<img src=x><b>bold</b>")
    await expect(entry).to_contain_text("<i>Eve</i>")
    await expect(entry.locator("img, b, i")).to_have_count(0)
