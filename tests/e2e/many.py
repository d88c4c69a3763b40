"""One company with two Slack workspaces and two Teams tenants, and a link of all four."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slack_sdk.oauth.installation_store.models.installation import Installation
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.core import core
from bots.sandbox.slack import seed as slack
from bots.sandbox.teams import seed as teams
from bots.slack.install import Installations, OAuth
from bridge.messages import Channel, Platform
from bridge.places import Place
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    World,
    slack_messages,
    teams_messages,
    world,
)

GRACES = Channel(Platform.SLACK, "T02GLOBEX", "C11GENERAL")
HEIDIS = Channel(Platform.TEAMS, teams.GLOBEX_TEAM, teams.GLOBEX_TEAM)
FOUR = (FALCON, GRACES, PROJECT, HEIDIS)

_SPEAKERS: Mapping[Channel, Mapping[str, str]] = {
    FALCON: {"workspace": "T01ACME", "user": "U01ALICE"},
    GRACES: {"workspace": "T02GLOBEX", "user": "U11GRACE"},
    PROJECT: {"tenant": teams.ACME, "user": "29:carol"},
    HEIDIS: {"tenant": teams.GLOBEX, "user": "29:heidi"},
}
_SLACK_WORDS = {"message": "ts", "thread": "thread_ts"}


@dataclass(frozen=True)
class Stands:
    """A message or a copy as it stands in a channel: whose, and in which thread."""

    id: str
    text: str
    thread: str
    copy: bool
    author: str


async def act(here: World, channel: Channel, action: str, **wish: Any) -> str:
    """Let the channel's speaker do something there; returns the message's id."""
    given = {**_SPEAKERS[channel], "channel": channel.id}
    if channel.platform is Platform.SLACK:
        said = {_SLACK_WORDS.get(name, name): value for name, value in wish.items()}
        return await here.slack(action, **given | said)
    return await here.teams(action, **given | {"team": channel.team} | wish)


def standing(state: Mapping[str, Any], channel: Channel) -> list[Stands]:
    """Return what stands in a channel, cards of ATOM's own left out, oldest first."""
    if channel.platform is Platform.SLACK:
        return [
            Stands(
                m["ts"],
                m["text"].partition("\n")[0],
                "" if m.get("thread_ts") in {None, m["ts"]} else m["thread_ts"],
                bool(m.get("bot_id")),
                m.get("username", ""),
            )
            for m in slack_messages(state, channel.id)
        ]
    return [
        Stands(
            m["id"],
            m["text"].strip().split("\n")[-1].strip(),
            "" if m["is_root"] else m["root"],
            m["author"]["is_bot"],
            m["text"].strip().split("\n")[0].strip(),
        )
        for m in teams_messages(state, channel.id)
    ]


def places(state: Mapping[str, Any], text: str) -> dict[Channel, list[Stands]]:
    """Return where a text stands, by channel."""
    return {
        channel: [one for one in standing(state, channel) if one.text == text]
        for channel in FOUR
    }


def everywhere(state: Mapping[str, Any], *texts: str) -> bool:
    return all(all(places(state, text).values()) for text in texts)


@asynccontextmanager
async def world_of_many(
    home: Path, database_url: str, **more: str
) -> AsyncIterator[World]:
    """A sandbox and a company whose accounts are all installed; nothing is linked."""
    async with world(home, database_url, **more) as here:
        here.more |= {
            "ATOM_SLACK_CLIENT_ID": slack.CLIENT_ID,
            "ATOM_SLACK_CLIENT_SECRET": slack.CLIENT_SECRET,
            "ATOM_TEAMS_MORE_TENANTS": teams.GLOBEX,
            "ATOM_TEAMS_TOKEN_URL": (
                f"{here.base}/teams/login/{{tenant}}/oauth2/v2.0/token"
            ),
        }
        await here.set(teams__bot_tenancy="single")
        async with core(here.settings, "test") as built:
            await install(built.database.engine, GRACES.team)
            for platform, account in (
                (Platform.SLACK, GRACES.team),
                (Platform.TEAMS, teams.GLOBEX),
            ):
                await built.companies.bind(COMPANY, platform, account, "Globex")
            for tenant, team in ((teams.ACME, 0), (teams.GLOBEX, 2)):
                found = teams.teams()[team]
                url = f"{here.base}/teams/connector/"
                await built.places.remember(
                    Place(tenant, found.id, "", url, found.name, found.group_id)
                )
        yield here


async def install(engine: AsyncEngine, team: str) -> None:
    """Keep a workspace's token, as its visit to /slack/install would."""
    oauth = OAuth(slack.CLIENT_ID, slack.CLIENT_SECRET)
    store = Installations(engine, oauth).store
    assert store is not None
    await store.async_save(
        Installation(
            app_id=slack.APP_ID,
            team_id=team,
            user_id="U11GRACE",
            bot_token=slack.TOKENS[team],
            bot_id="BATOM2",
            bot_user_id="UATOM2",
        )
    )


async def link_all(here: World) -> str:
    async with core(here.settings, "test") as built:
        return (await built.links.add(COMPANY, FOUR, "test")).id
