"""Connect one's own account of a business system, and let go of it again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import BadInput, NotAllowed
from bridge.messages import Platform
from bridge.records.connections import Connection, ConnectionDesk, Standing, Wanted
from bridge.records.model import System

Who = Callable[[Request], Awaitable[tuple[str, str]]]
"""Return the key of who asks and what they are called; an empty key for strangers."""

Whisper = Callable[[Request, Card], Awaitable[bool]]
"""Show a card to who asks alone; False where that cannot be done."""

_Place = tuple[System, str]


@dataclass(frozen=True, slots=True)
class Connect:
    """
    Gives people a link to sign in with, which nobody else sees.

    In Slack only who asks sees the answer; elsewhere it is whispered.
    """

    name: ClassVar[str] = "connect"
    usage: ClassVar[str] = "connect [SYSTEM]"
    summary: ClassVar[str] = "connect your own account of a business system"

    desk: ConnectionDesk
    who: Who
    whisper: Whisper

    async def run(self, request: Request) -> Card:
        person, name = await _known(self.who, request)
        standing = await self.desk.standing(request.tenant, person)
        if not request.arguments:
            return _overview(standing)
        system, instance = _chosen(request, standing)
        link = await self.desk.link(
            Wanted(
                request.tenant,
                person,
                request.actor,
                name or request.person.name or request.person.id,
                system,
                instance,
            )
        )
        card = link_card(system, link)
        if request.channel.platform is Platform.SLACK:
            return card
        if await self.whisper(request, card):
            return Card("The link is for you alone", "ATOM has just sent it to you.")
        line = spoken(Platform.SLACK, f"connect {instance}")
        return Card(
            "Others read along here",
            f"Type `{line}` in Slack, where only you see the link; or press a button "
            "of a record, which asks you in a window of your own.",
            Tone.WARNING,
        )


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Forgets an account and has the system end what ATOM could do with it."""

    name: ClassVar[str] = "disconnect"
    usage: ClassVar[str] = "disconnect SYSTEM"
    summary: ClassVar[str] = "let go of your account of a business system"

    desk: ConnectionDesk
    who: Who

    async def run(self, request: Request) -> Card:
        person, _ = await _known(self.who, request)
        if not request.arguments:
            raise BadInput(f"Type `{spoken(request.channel.platform, self.usage)}`.")
        standing = await self.desk.standing(request.tenant, person)
        places = [(one.system, one.instance) for one in standing.connected]
        system, instance = _named(request, places)
        gone = await self.desk.disconnect(
            request.tenant, person, request.actor, system, instance
        )
        return Card(
            f"{system.shown} is not connected any more",
            f"ATOM has forgotten how to be {gone.name} there, and told "
            f"{system.shown} so. Nothing is done as you until you connect again.",
            Tone.GOOD,
            (),
            (Button(f"Connect {system.shown}", f"connect {instance}"),),
        )


def link_card(system: System, link: str) -> Card:
    """Offer somebody the way to a sign-in. Only they may see it."""
    return Card(
        f"Connect your {system.shown} account",
        f"Sign in at {system.shown} within 10 minutes. The link is for you alone: give "
        "it to nobody. What you do with records is then done as you, and nothing else "
        "is.",
        Tone.PLAIN,
        (),
        (Button(f"Sign in at {system.shown}", url=link),),
    )


def accounts_section(standing: Standing) -> Section:
    """Return what somebody has connected, as `me` shows it."""
    fields = [Field(_called(one), one.name) for one in standing.connected]
    fields += [Field(f"{s.shown} ({i})", "not connected") for s, i in standing.others]
    return Section("Your accounts of business systems", fields=tuple(fields))


def _overview(standing: Standing) -> Card:
    if not (standing.connected or standing.others):
        return Card(
            "There is nothing to connect", "No business system is set up for people."
        )
    broken = [one for one in standing.connected if one.broken]
    buttons = [
        Button(f"Connect {one.system.shown} again", f"connect {one.instance}")
        for one in broken
    ]
    buttons += [
        Button(f"Connect {s.shown}", f"connect {i}") for s, i in standing.others
    ]
    return Card(
        "Your accounts of business systems",
        "",
        Tone.WARNING if broken else Tone.PLAIN,
        (accounts_section(standing),),
        tuple(buttons),
    )


def _called(connection: Connection) -> str:
    state = " – connect it again" if connection.broken else ""
    return f"{connection.system.shown} ({connection.instance}){state}"


def _chosen(request: Request, standing: Standing) -> _Place:
    places = [(one.system, one.instance) for one in standing.connected]
    return _named(request, [*places, *standing.others])


def _named(request: Request, places: Sequence[_Place]) -> _Place:
    """Return the one that was named, by its own name or its system's."""
    wanted = request.arguments[0].lower()
    found = [place for place in places if place[1] == wanted] or [
        place for place in places if place[0] == wanted
    ]
    if len(found) == 1 and len(request.arguments) == 1:
        return found[0]
    names = ", ".join(f"`{instance}`" for _, instance in found or places)
    if not names:
        raise BadInput("You have connected nothing.")
    raise BadInput(f"Name one of these: {names}.")


async def _known(who: Who, request: Request) -> tuple[str, str]:
    person, name = await who(request)
    if not person:
        raise NotAllowed(
            "Your company's directory does not know you, so there is nobody whose "
            f"account it would be: see `{spoken(request.channel.platform, 'me')}`."
        )
    return person, name
