"""The demo page in a headless Chromium, and hands to use it with."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    async_playwright,
    expect,
)

from tests.servers import chromium

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The smallest picture.
DOT = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00"
    b"\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;"
)
_WITHIN = 30_000.0  # milliseconds for anything to appear on a busy machine


@dataclass(frozen=True, slots=True)
class Side:
    """One client on the page, used as its visitor uses it."""

    page: Page
    name: str

    @property
    def frame(self) -> Locator:
        return self.page.locator(f"#{self.name}")

    @property
    def messages(self) -> Locator:
        return self.page.locator(f"#{self.name}-messages article.message")

    @property
    def editor(self) -> Locator:
        """Where a new message is written; Teams says "post"."""
        return self.page.locator(f"#{self.name}-composer .editor")

    def message(self, text: str | re.Pattern[str]) -> Locator:
        """The message that says something."""
        return self.messages.filter(has_text=text)

    async def write(self, text: str) -> None:
        await self.editor.click()
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Enter")

    async def use(self, tool: str, message: Locator) -> None:
        """Press one of the buttons that show when the pointer is on a message."""
        await message.hover()
        await message.locator(f"[data-tool={tool}]").click()

    async def format(self, *tools: str) -> None:
        """Press buttons of the composer's toolbar."""
        for tool in tools:
            bar = self.page.locator(f"#{self.name}-composer .toolbar")
            await bar.locator(f"[data-tool={tool}]").click()

    async def become(self, name: str) -> None:
        await self.frame.get_by_role("radio", name=name).check()

    async def enter(self, channel: str) -> None:
        await self.frame.locator(".channel", has_text=channel).click()


@dataclass
class Window:
    """The page as one visitor has it open. `complaints` are the browser's."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    @property
    def slack(self) -> Side:
        return Side(self.page, "slack")

    @property
    def teams(self) -> Side:
        return Side(self.page, "teams")

    @property
    def entries(self) -> Locator:
        return self.page.locator("#log-entries .entry")

    def hear(self, message: ConsoleMessage) -> None:
        # An ATOM that is away is the page's daily bread, not a complaint.
        if message.type == "error" and "status of 50" not in message.text:
            self.complaints.append(message.text)

    def broke(self, error: Error) -> None:
        self.complaints.append(str(error))


@asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Run a Chromium, or skip the test."""
    expect.set_options(timeout=_WITHIN)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=_ARGUMENTS
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def window(
    browser: Browser,
    address: str,
    width: int = 1280,
    height: int = 800,
    scheme: Literal["light", "dark"] = "light",
    *,
    touch: bool = False,
) -> AsyncIterator[Window]:
    """
    Open the page; it must give the browser nothing to complain about.

    One window after the other is the same tab, as long as no test fails in it: a new
    one is a process, which takes four times as long.
    """
    kept = None if touch else next(iter(browser.contexts), None)
    context = kept or await browser.new_context(has_touch=touch)
    try:
        page = context.pages[0] if kept else await context.new_page()
        page.set_default_timeout(_WITHIN)
        await page.set_viewport_size({"width": width, "height": height})
        # What moves is drawn without end, by software here.
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        async with _visited(Window(page), address) as opened:
            yield opened
    except BaseException:
        await context.close()
        raise
    if touch:
        await context.close()


@asynccontextmanager
async def _visited(opened: Window, address: str) -> AsyncIterator[Window]:
    """Go to the page, and leave it as if nobody had been there."""
    page = opened.page
    page.on("console", opened.hear)
    page.on("pageerror", opened.broke)
    await page.mouse.move(0, 0)
    await page.goto(address)
    await opened.slack.editor.wait_for()
    yield opened
    assert not opened.complaints, opened.complaints
    page.remove_listener("console", opened.hear)
    page.remove_listener("pageerror", opened.broke)
    await page.goto("about:blank")
