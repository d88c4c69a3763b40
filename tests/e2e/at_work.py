"""ATOM between both platforms and four business systems, as the demo has them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bots.demo_company import company_in, employ
from bots.demo_records import Systems, business_systems, connect_people
from bots.sandbox.teams import seed as teams
from bots.settings import Settings
from bridge.messages import Channel, Platform
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    World,
    slack_messages,
    teams_messages,
    world,
)

ELSEWHERE = (
    Channel(Platform.SLACK, "T01ACME", "C03RANDOM"),
    Channel(Platform.TEAMS, PROJECT.team, "19:random@thread.tacv2"),
)


@asynccontextmanager
async def at_work(
    home: Path, database_url: str, *, started: bool = True, **more: str
) -> AsyncIterator[tuple[World, Systems]]:
    """
    A company whose people have accounts in business systems, all but Chen and Frank.

    Finance sees amounts; everybody is in the linked channel.
    """
    people = home / "people.yaml"
    company_in(people)
    given = {
        "ATOM_CONFIG": str(home / "atom.toml"),
        "ATOM_DIRECTORY_PEOPLE": str(people),
        "ATOM_TUNING_NOTICE_COOLDOWN": "0",
        **more,
    }
    async with (
        business_systems() as systems,
        world(home, database_url, **given) as made,
    ):
        systems.configure(home / "atom.toml", made.atom)
        await made.link()
        settings = {
            "home": home,
            "database_url": database_url,
            "directory": {"people": people},
        }
        await employ(
            Settings.model_validate(settings),
            COMPANY,
            ((FALCON, PROJECT), ELSEWHERE),
            lambda built: connect_people(built, COMPANY, systems),
        )
        if started:
            await made.start()
        yield made, systems


def slack_cards(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the messages in Slack that are cards of records, oldest first."""
    return [
        m
        for m in slack_messages(state)
        if (m.get("metadata") or {}).get("event_type") == "atom_record_card"
    ]


def teams_cards(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the messages in Teams that are cards of records, oldest first."""
    return [m for m in teams_messages(state) if "rec.view" in said(m["attachments"])]


def both(state: Mapping[str, Any], words: str, count: int = 1) -> bool:
    """Whether so many cards say some words on either side."""
    return all(
        sum(words in said(card) for card in cards(state)) == count
        for cards in (slack_cards, teams_cards)
    )


def said(part: object) -> str:
    return json.dumps(part, ensure_ascii=False)


def buttons(part: object, act: str) -> list[Mapping[str, Any]]:
    """Return every button of an act in a card of either platform."""
    found: list[Mapping[str, Any]] = []
    if isinstance(part, Mapping):
        name = str(part.get("action_id") or part.get("verb") or "")
        if name == f"rec.{act}" or name.startswith(f"rec.{act}."):
            found.append(part)
        for inner in part.values():
            found += buttons(inner, act)
    elif isinstance(part, list):
        for inner in part:
            found += buttons(inner, act)
    return found


async def click_in_slack(
    here: World, card: Mapping[str, Any], act: str, user: str = "U01ALICE"
) -> Mapping[str, Any]:
    """Press a button of a card in Slack."""
    [button, *_] = buttons(card["blocks"], act)
    return await here._act(
        "slack",
        {
            "workspace": "T01ACME",
            "user": user,
            "channel": FALCON.id,
            "action": "click",
            "ts": card["ts"],
            "value": button["value"],
        },
    )


async def click_in_teams(
    here: World, card: Mapping[str, Any], act: str, user: str = "29:carol"
) -> Mapping[str, Any]:
    """Press a button of a card in Teams; returns what the person is shown."""
    [button, *_] = [
        b
        for b in buttons(card["attachments"], act)
        if b.get("type") == "Action.Execute"
    ]
    return await here._act(
        "teams",
        {
            "tenant": teams.ACME,
            "user": user,
            "team": PROJECT.team,
            "channel": PROJECT.id,
            "action": "invoke",
            "message": card["id"],
            "card_action": button,
        },
    )
