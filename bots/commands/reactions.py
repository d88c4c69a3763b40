"""Who reacted to a message, on both sides; shown to the one who asks alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from bots.commands.base import Request, spoken
from bots.commands.names import titled
from bridge.cards import Card, Field, Section
from bridge.errors import BadInput
from bridge.messages import Channel, Platform
from bridge.reacted import Choice

MENU = "Who reacted"  # what the entry in a message's menu is called
# Some cards end with so many characters; more emoji than fit are counted.
_EMOJI = 20
_NAMES = 50

_TS = re.compile(r"[0-9]{1,12}\.[0-9]{6}")
_SLACK_LINK = re.compile(r"<?https://\S+/archives/[A-Z0-9]+/p([0-9]+)([0-9]{6})\b\S*")
_TEAMS_ID = re.compile(r"[0-9]{10,20}")
_TEAMS_LINK = re.compile(r"<?https://\S+/l/message/[^/\s]+/([0-9]{10,20})\b\S*")


class Reactors(Protocol):
    """Who reacted: `bridge.reacted.WhoReacted`."""

    async def to(
        self, tenant: str, channel: Channel, message: str
    ) -> tuple[Choice, ...]: ...


@dataclass(frozen=True, slots=True)
class Reactions:
    """For everybody in a linked channel, about the messages of that channel."""

    name: ClassVar[str] = "reactions"
    usage: ClassVar[str] = "reactions [MESSAGE]"
    summary: ClassVar[str] = f"see who reacted; also in a message's menu, {MENU}"

    reactors: Reactors

    async def run(self, request: Request) -> Card:
        message = message_named(request)
        if not request.is_private:
            raise BadInput(
                "Here everybody would read the answer. Open the message's menu (…), "
                f"then ATOM, then {MENU}: that shows it to you alone."
            )
        there = await self.reactors.to(request.tenant, request.channel, message)
        return shown(there, request.channel.platform)


def message_named(request: Request) -> str:
    """
    Return the message that is meant: by its id or its link, or the thread's first.

    Of a link the channel is not read: messages are looked for in this one alone.
    """
    platform, words = request.channel.platform, request.arguments
    if not words and request.thread:
        return request.thread
    if len(words) == 1 and (found := _read(platform, words[0])):
        return found
    line = spoken(platform, "reactions LINK")
    raise BadInput(
        f"Choose {MENU} in the message's menu, or copy the message's link and type "
        f"`{line}`."
    )


def _read(platform: Platform, word: str) -> str:
    if platform is Platform.SLACK:
        if found := _SLACK_LINK.fullmatch(word):
            return f"{found[1]}.{found[2]}"
        return word if _TS.fullmatch(word) else ""
    if found := _TEAMS_LINK.fullmatch(word):
        return found[1]
    return word if _TEAMS_ID.fullmatch(word) else ""


def shown(there: Sequence[Choice], here: Platform) -> Card:
    """Return who reacted as a card, this side's people first."""
    if not there:
        return Card("Nobody reacted", "Neither here nor in a channel linked with it.")
    emoji = [*dict.fromkeys(one.emoji for one in there)]
    sections = tuple(_section(each, there, here) for each in emoji[:_EMOJI])
    people = len({(one.platform, one.name) for one in there})
    title = "1 person reacted" if people == 1 else f"{people} people reacted"
    left = len(emoji) - _EMOJI
    return Card(title, f"And {left} more emoji." if left > 0 else "", sections=sections)


def _section(emoji: str, there: Sequence[Choice], here: Platform) -> Section:
    fields = []
    for platform in (here, here.other):
        chose = [one for one in there if (one.emoji, one.platform) == (emoji, platform)]
        if names := [*dict.fromkeys(one.name for one in chose)]:
            listed = ", ".join(names[:_NAMES])
            if len(names) > _NAMES:
                listed += f" and {len(names) - _NAMES} more"
            fields.append(Field(f"In {titled(platform)}", listed))
    return Section(emoji, fields=tuple(fields))
