"""A workspace installs ATOM on the pages of one that serves, and talks at once."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bots.sandbox.slack import seed
from tests.e2e.world import World, slack_texts, teams_texts, world

# slack_sdk 3.48 asks aiohttp for what aiohttp 4 will no longer have.
pytestmark = pytest.mark.filterwarnings(
    "ignore:BasicAuth is deprecated:DeprecationWarning"
)


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """An ATOM that knows its app, and no workspace's token."""
    async with world(
        tmp_path,
        database_url,
        ATOM_SLACK_BOT_TOKEN="",
        ATOM_SLACK_CLIENT_ID=seed.CLIENT_ID,
        ATOM_SLACK_CLIENT_SECRET=seed.CLIENT_SECRET,
    ) as made:
        await made.link()
        await made.start()
        yield made


async def installed(here: World) -> tuple[int, str]:
    """Do what an owner's browser does, whose Slack is the sandbox."""
    pages = f"{here.atom}/slack"
    async with here.session.get(f"{pages}/install", allow_redirects=False) as page:
        assert page.status == 302
        cookie = SimpleCookie(page.headers["Set-Cookie"])
        asked = parse_qs(urlsplit(page.headers["Location"]).query)
    consent = {name: given[0] for name, given in asked.items()}
    async with here.session.get(
        f"{here.base}/slack/oauth/authorize",
        params=consent | {"team": "T01ACME", "allow": "1"},
    ) as answer:
        granted = await answer.json()
    sent = "; ".join(f"{name}={morsel.value}" for name, morsel in cookie.items())
    async with here.session.get(
        f"{pages}/oauth_redirect", params=granted, headers={"Cookie": sent}
    ) as page:
        return page.status, await page.text()


async def test_a_workspace_that_installed_atom_is_carried_also_after_a_crash(
    here: World,
) -> None:
    status, page = await installed(here)
    await here.teams("post", text="welcome to Slack")
    await here.until(lambda s: "welcome to Slack" in slack_texts(s))
    await here.kill()
    await here.start()

    await here.teams("post", text="still with you")
    await here.slack("post", text="and we with you")

    assert (status, "is installed" in page) == (200, True)
    await here.until(lambda s: "still with you" in slack_texts(s))
    await here.until(lambda s: any("we with you" in text for text in teams_texts(s)))


async def test_what_was_said_before_the_install_arrives_with_it(here: World) -> None:
    await here.teams("post", text="anybody there?")
    await here.until(lambda s: bool(teams_texts(s)))
    before = slack_texts(await here.state())

    await installed(here)

    assert before == []
    await here.until(lambda s: "anybody there?" in slack_texts(s))
