"""Names, faces and accounts in Slack."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.asking import Asking
from bots.remembered import Remembered
from bots.slack.clients import Clients, SlackRefused, done
from bots.slack.payload import mapping, string
from bridge.errors import AtomError
from bridge.identities import Identity, address
from bridge.messages import Channel, Person, PersonKind, Platform

_FRESH = 3600.0  # seconds
_ABSENT = 600.0
_MOST = 50_000
_PATIENCE = 3.0  # seconds a message waits for a name

_UNKNOWN = frozenset(
    {"bot_not_found", "user_not_found", "user_not_visible", "users_not_found"}
)
Question = Callable[[AsyncWebClient], Awaitable[AsyncSlackResponse]]
Found = Remembered[tuple[str, str], Identity | None]


@dataclass(slots=True)
class SlackPeople:
    """
    Implements `bridge.ports.People` and `bridge.identities.Identities`.

    It asks users.info, bots.info and users.lookupByEmail, each answer for an hour.
    """

    clients: Clients
    asking: Asking = field(default_factory=Asking)
    _known: Found = field(init=False)
    _holders: Found = field(init=False)

    def __post_init__(self) -> None:
        self._known = Remembered(self._ask, seconds=_FRESH, most=_MOST)
        self._holders = Remembered(
            self._ask_for, seconds=_FRESH, most=_MOST, absent=_ABSENT
        )

    async def lookup(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Person]:
        accounts = await self.described(channel, ids)
        return {i: account.person for i, account in accounts.items()}

    async def described(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Identity]:
        wanted = [i for i in dict.fromkeys(ids) if i]
        keys = [(channel.team, i) for i in wanted]
        found = await _found(self._known, keys)
        return {i: one for i, one in zip(wanted, found, strict=True) if one}

    async def holders(
        self, channel: Channel, addresses: Collection[str]
    ) -> Sequence[Identity]:
        keys = [(channel.team, each) for each in addresses]
        return [one for one in await _found(self._holders, keys) if one]

    def forget(self, team: str, user: str) -> None:
        """Somebody's profile has changed: ask for it when it is needed again."""
        self._known.forget((team, user))
        self._holders.clear()  # under which address they were known is not

    async def aclose(self) -> None:
        await self._known.aclose()
        await self._holders.aclose()

    async def _ask(self, key: tuple[str, str]) -> Identity | None:
        team, identifier = key
        if identifier.startswith("B"):
            return await self._answer(
                team,
                "bots.info",
                lambda client: client.bots_info(bot=identifier, team_id=team),
                lambda answer: _bot(identifier, mapping(answer, "bot")),
            )
        found = await self._answer(
            team,
            "users.info",
            lambda client: client.users_info(user=identifier),
            lambda answer: account(mapping(answer, "user"), team),
        )
        if found is None or found.person.kind is not PersonKind.EXTERNAL:
            return found
        theirs = await self._company(team, found.person.organisation)
        return replace(found, person=replace(found.person, organisation=theirs))

    async def _company(self, team: str, theirs: str) -> str:
        """Return what an outsider's company is called, empty if Slack does not tell."""
        try:
            client = await self.clients.of(team)
            answer = await self.asking.ask(
                (team, "team.info"), lambda: done(client.team_info(team=theirs))
            )
        except AtomError:
            return ""
        return string(mapping(answer, "team"), "name")

    async def _ask_for(self, key: tuple[str, str]) -> Identity | None:
        team, held = key
        return await self._answer(
            team,
            "users.lookupByEmail",
            lambda client: client.users_lookupByEmail(email=held),
            lambda answer: account(mapping(answer, "user"), team),
        )

    async def _answer(
        self,
        team: str,
        method: str,
        question: Question,
        read: Callable[[Mapping[str, Any]], Identity],
    ) -> Identity | None:
        client = await self.clients.of(team)
        try:
            answer = await self.asking.ask(
                (team, method), lambda: done(question(client))
            )
        except SlackRefused as refused:
            if refused.code in _UNKNOWN:
                return None
            raise
        return read(answer)


async def _found(
    known: Found, keys: Sequence[tuple[str, str]]
) -> list[Identity | None]:
    """
    Return what is known, and ask for the rest.

    Almost everybody is known: a task for each of them would cost more than all else
    that is done here.
    """
    found = {key: await known.get(key) for key in keys if key in known}
    missing = [key for key in keys if key not in found]
    asked = await asyncio.gather(*(_asked(known, key) for key in missing))
    found.update(zip(missing, asked, strict=True))
    return [found[key] for key in keys]


async def _asked(known: Found, key: tuple[str, str]) -> Identity | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await known.get(key)
    except (AtomError, TimeoutError):
        return None


def account(found: Mapping[str, Any], team: str) -> Identity:
    """
    Read the `user` object of users.info as an account.

    An address counts once its holder has confirmed it. A stranger's is what another
    company says, and a stranger is told by their kind.
    """
    confirmed = found.get("is_email_confirmed") is True
    email = address(string(mapping(found, "profile"), "email")) if confirmed else ""
    organisation = string(mapping(found, "enterprise_user"), "id")
    return Identity(
        user(found, team),
        frozenset({email} if email else ()),
        directory_id=organisation or string(found, "id"),
        active=not found.get("deleted"),
    )


def user(found: Mapping[str, Any], team: str) -> Person:
    """
    Read the `user` object of users.info, as seen from a workspace.

    An outsider's `organisation` is the id of their workspace, which nobody calls it.
    """
    profile, kind = mapping(found, "profile"), _kind(found, team)
    return Person(
        Platform.SLACK,
        string(found, "id"),
        string(profile, "display_name")
        or string(profile, "real_name")
        or string(found, "real_name")
        or string(found, "name"),
        string(profile, "image_72"),
        kind,
        string(found, "team_id") if kind is PersonKind.EXTERNAL else "",
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


def _bot(identifier: str, found: Mapping[str, Any]) -> Identity:
    picture = string(mapping(found, "icons"), "image_72")
    name = string(found, "name")
    person = Person(Platform.SLACK, identifier, name, picture, PersonKind.BOT)
    return Identity(person)
