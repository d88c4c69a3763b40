"""Names and faces in Slack."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.slack.clients import Clients, SlackRefused, asked
from bots.slack.payload import mapping, string
from bots.slack.remembered import Remembered
from bridge.errors import AtomError
from bridge.messages import Channel, Person, PersonKind, Platform

_FRESH = 3600.0  # seconds
_MOST = 50_000
_PATIENCE = 3.0  # seconds a message waits for a name
_AT_ONCE = 8

_UNKNOWN = frozenset(
    {"bot_not_found", "user_not_found", "user_not_visible", "users_not_found"}
)


@dataclass(slots=True)
class SlackPeople:
    """Implements `bridge.ports.People` with users.info and bots.info."""

    clients: Clients
    _known: Remembered[tuple[str, str], Person | None] = field(init=False)
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._known = Remembered(self._ask, seconds=_FRESH, most=_MOST)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def lookup(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Person]:
        found: dict[str, Person | None] = dict.fromkeys(i for i in ids if i)
        missing = [i for i in found if (channel.team, i) not in self._known]
        # Almost everybody is known: a task for each of them would cost more than all
        # else that is done here.
        for i in found.keys() - set(missing):
            found[i] = await self._known.get((channel.team, i))
        asked = await asyncio.gather(*(self._find(channel.team, i) for i in missing))
        found.update(zip(missing, asked, strict=True))
        return {i: person for i, person in found.items() if person}

    async def aclose(self) -> None:
        await self._known.aclose()

    async def _find(self, team: str, identifier: str) -> Person | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._known.get((team, identifier))
        except (AtomError, TimeoutError):
            return None

    async def _ask(self, key: tuple[str, str]) -> Person | None:
        team, identifier = key
        async with self._turns:
            client = await self.clients.of(team)
            try:
                if identifier.startswith("B"):
                    answer = await asked(client.bots_info(bot=identifier))
                    return _bot(identifier, mapping(answer, "bot"))
                answer = await asked(client.users_info(user=identifier))
            except SlackRefused as refused:
                if refused.code in _UNKNOWN:
                    return None
                raise
            return user(mapping(answer, "user"), team)


def user(found: Mapping[str, Any], team: str) -> Person:
    """Read the `user` object of users.info, as seen from a workspace."""
    profile = mapping(found, "profile")
    return Person(
        Platform.SLACK,
        string(found, "id"),
        string(profile, "display_name")
        or string(profile, "real_name")
        or string(found, "real_name")
        or string(found, "name"),
        string(profile, "image_72"),
        _kind(found, team),
    )


def at_home(found: Mapping[str, Any], team: str) -> bool:
    """Say whether a user belongs to the workspace, or to its organisation there."""
    if found.get("is_stranger"):
        return False
    teams = mapping(found, "enterprise_user").get("teams")
    listed = team in teams if isinstance(teams, list) else False
    return listed or string(found, "team_id") in {"", team}


def _kind(found: Mapping[str, Any], team: str) -> PersonKind:
    if found.get("is_bot"):
        return PersonKind.BOT
    if not at_home(found, team):
        return PersonKind.EXTERNAL
    if found.get("is_restricted") or found.get("is_ultra_restricted"):
        return PersonKind.GUEST
    return PersonKind.USER


def _bot(identifier: str, found: Mapping[str, Any]) -> Person:
    return Person(
        Platform.SLACK,
        identifier,
        string(found, "name"),
        string(mapping(found, "icons"), "image_72"),
        PersonKind.BOT,
    )
