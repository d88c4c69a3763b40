"""ATOM is installed in any number of workspaces, and taken away again."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, web
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bots.sandbox.slack import grid_seed, seed
from bots.slack.install import Installations, InstallPages, OAuth
from bots.slack.tokens import workspaces_of
from bridge.errors import NotSent, Refused
from bridge.holds import Cause
from tests.integration.slack.conftest import Slack, serving

# slack_sdk 3.48 asks aiohttp for what aiohttp 4 will no longer have.
pytestmark = pytest.mark.filterwarnings(
    "ignore:BasicAuth is deprecated:DeprecationWarning"
)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/atom.db")
    yield engine
    await engine.dispose()


@pytest.fixture
async def installations(
    slack: Slack, session: ClientSession, engine: AsyncEngine
) -> Installations:
    oauth = OAuth(
        seed.CLIENT_ID, seed.CLIENT_SECRET, f"{slack.base}/slack/oauth/authorize"
    )
    workspaces = workspaces_of(slack.api, session)
    installations = Installations(engine, oauth, workspaces=workspaces)
    await installations.create_tables()
    return installations


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
async def atom(
    slack: Slack,
    session: ClientSession,
    installations: Installations,
    told: list[tuple[str, str]],
) -> AsyncIterator[str]:
    async def on_install(team: str, name: str) -> None:
        told.append((team, name))

    pages = InstallPages(installations, slack.api, session, on_install)
    app = web.Application()
    app.router.add_routes(pages.routes())
    async with serving(app) as base:
        yield base


async def consented(
    slack: Slack, session: ClientSession, atom: str, team: str
) -> tuple[dict[str, str], str]:
    """Open the install page, consent in Slack, and return the code and the cookie."""
    async with session.get(f"{atom}/slack/install", allow_redirects=False) as page:
        assert page.status == 302
        cookie = SimpleCookie(page.headers["Set-Cookie"])
        where = page.headers["Location"]
    asked = {k: v[0] for k, v in parse_qs(urlsplit(where).query).items()}
    consent = {**asked, "team": team, "allow": "1"}
    url = f"{slack.base}/slack/oauth/authorize"
    async with session.get(url, params=consent) as answer:
        granted: dict[str, str] = await answer.json()
    sent_back = "; ".join(f"{k}={m.value}" for k, m in cookie.items())
    return granted, sent_back


async def returned(
    session: ClientSession, atom: str, granted: dict[str, str], cookie: str
) -> tuple[int, str]:
    async with session.get(
        f"{atom}/slack/oauth_redirect", params=granted, headers={"Cookie": cookie}
    ) as page:
        return page.status, await page.text()


async def test_workspaces_are_installed_one_by_one(
    slack: Slack,
    session: ClientSession,
    atom: str,
    installations: Installations,
    told: list[tuple[str, str]],
) -> None:
    for team in ("T01ACME", "T02GLOBEX"):
        status, page = await returned(
            session, atom, *await consented(slack, session, atom, team)
        )
        assert (status, "is installed" in page) == (200, True)

    assert told == [("T01ACME", "Acme"), ("T02GLOBEX", "Globex")]
    assert await installations.token("T01ACME") == seed.TOKENS["T01ACME"]
    assert await installations.token("T02GLOBEX") == seed.TOKENS["T02GLOBEX"]


async def test_state_is_good_once_and_only_in_the_same_browser(
    slack: Slack, session: ClientSession, atom: str, told: list[tuple[str, str]]
) -> None:
    granted, cookie = await consented(slack, session, atom, "T01ACME")

    elsewhere = await returned(session, atom, granted, "")
    first = await returned(session, atom, granted, cookie)
    second = await returned(session, atom, granted, cookie)

    assert [elsewhere[0], first[0], second[0]] == [400, 200, 401]
    assert len(told) == 1


async def test_silent_slack_leads_to_a_page_that_says_so(
    slack: Slack, session: ClientSession, atom: str, told: list[tuple[str, str]]
) -> None:
    granted, cookie = await consented(slack, session, atom, "T01ACME")
    slack.fault("slack.oauth.v2.access", "reset")

    status, page = await returned(session, atom, granted, cookie)

    assert (status, "try again" in page) == (503, True)
    assert told == []


async def test_code_that_slack_refuses_reaches_no_log(
    slack: Slack,
    session: ClientSession,
    atom: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    granted, cookie = await consented(slack, session, atom, "T01ACME")
    granted["code"] = "a-wrong-code"

    status, _ = await returned(session, atom, granted, cookie)

    assert status == 401
    assert "a-wrong-code" not in caplog.text + "".join(capsys.readouterr())


async def test_declined_consent_installs_nothing(
    session: ClientSession, atom: str, told: list[tuple[str, str]]
) -> None:
    declined = {"error": "<script>access_denied"}

    _, page = await returned(session, atom, declined, "")

    assert "was not installed" in page
    assert "<script>" not in page
    assert told == []


async def test_workspace_that_took_atom_away_is_forgotten(
    slack: Slack, session: ClientSession, atom: str, installations: Installations
) -> None:
    await returned(session, atom, *await consented(slack, session, atom, "T01ACME"))
    assert await installations.token("T01ACME")

    await installations.remove("T01ACME")

    with pytest.raises(Refused, match="not installed"):
        await installations.token("T01ACME")


async def test_token_from_the_settings_works_without_any_installation(
    engine: AsyncEngine,
) -> None:
    installations = Installations(engine, fallback=seed.BOT_TOKEN)

    assert await installations.token("T01ACME") == seed.BOT_TOKEN


async def test_unreadable_database_is_no_answer(engine: AsyncEngine) -> None:
    oauth = OAuth(seed.CLIENT_ID, seed.CLIENT_SECRET)
    without_tables = Installations(engine, oauth, fallback=seed.BOT_TOKEN)

    with pytest.raises(NotSent):
        await without_tables.token("T01ACME")


def test_secrets_are_not_shown() -> None:
    assert seed.CLIENT_SECRET not in repr(OAuth(seed.CLIENT_ID, seed.CLIENT_SECRET))


async def test_an_organisation_installs_once_for_the_workspaces_it_adds(
    slack: Slack,
    session: ClientSession,
    atom: str,
    installations: Installations,
    told: list[tuple[str, str]],
) -> None:
    await returned(session, atom, *await consented(slack, session, atom, "T01ACME"))
    slack.world.settings.update({"slack.grid": True})
    told.clear()

    status, page = await returned(
        session, atom, *await consented(slack, session, atom, grid_seed.ORG)
    )

    where = f"app.slack.com/manage/{grid_seed.ORG}/integrations/profile/"
    assert (status, where in page) == (200, True)
    assert told == [(grid_seed.ORG, grid_seed.ORG_NAME)]
    assert await installations.token(grid_seed.ORG) == grid_seed.ORG_BOT_TOKEN
    with pytest.raises(Refused) as refused:
        await installations.token(grid_seed.LABS)
    assert refused.value.cause == Cause.UNINSTALLED

    await slack.act(action="grant_access", workspaces=["T01ACME", grid_seed.LABS])
    await installations.granted(grid_seed.ORG)

    # What a workspace had installed by itself is void now.
    assert await installations.token("T01ACME") == grid_seed.ORG_BOT_TOKEN
    assert await installations.token(grid_seed.LABS) == grid_seed.ORG_BOT_TOKEN
    with pytest.raises(Refused):
        await installations.token(grid_seed.SALES)

    await installations.remove(grid_seed.ORG)

    with pytest.raises(Refused):
        await installations.token(grid_seed.LABS)


async def test_a_workspace_of_an_organisation_is_found_by_its_own_id(
    slack: Slack, session: ClientSession, atom: str, installations: Installations
) -> None:
    slack.world.settings.update({"slack.grid": True})

    await returned(session, atom, *await consented(slack, session, atom, "T01ACME"))

    assert await installations.token("T01ACME") == seed.TOKENS["T01ACME"]
    await installations.remove("T01ACME")
    with pytest.raises(Refused):
        await installations.token("T01ACME")
