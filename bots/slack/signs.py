"""What channels, user groups and custom emoji are called in Slack."""

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bots.asking import Asking
from bots.remembered import Remembered
from bots.slack.clients import Clients, SlackRefused, done
from bots.slack.emoji_names import character
from bots.slack.payload import mapping, mappings, string
from bridge.errors import AtomError
from bridge.messages import Channel
from bridge.naming import CustomEmoji, Seen
from bridge.text import safe_url

_FRESH = 600.0  # seconds
_REST = 10.0
_CHANNEL_ADDRESS = re.compile(r"https://[\w.-]+\.slack\.com/archives/([CG][A-Z0-9]+)/?")
_ALIAS = "alias:"
_LONGEST_CHAIN = 8
_MOVING = (".gif", ".apng")  # Teams shows no moving pictures in a text


@dataclass(slots=True)
class SlackSigns:
    """Implements `bridge.naming.Signs` and `bridge.naming.Vocabulary`."""

    clients: Clients
    asking: Asking = field(default_factory=lambda: Asking(_REST))
    _channels: Remembered[tuple[str, str], Seen | None] = field(init=False)
    _groups: Remembered[str, Mapping[str, str]] = field(init=False)
    _emoji: Remembered[str, Mapping[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self._channels = Remembered(self._ask_for_channel, seconds=_FRESH)
        self._groups = Remembered(self._ask_for_groups, seconds=_FRESH)
        self._emoji = Remembered(self._ask_for_emoji, seconds=_FRESH)

    async def channels(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Seen]:
        found = await asyncio.gather(*(self._channel(channel.team, i) for i in ids))
        return {i: seen for i, seen in zip(ids, found, strict=True) if seen}

    async def groups(self, channel: Channel, ids: Collection[str]) -> Mapping[str, str]:
        try:
            known = await self._groups.get(channel.team)
        except AtomError:
            return {}
        return {i: known[i] for i in ids if i in known}

    async def emoji(
        self, channel: Channel, names: Collection[str]
    ) -> Mapping[str, CustomEmoji]:
        try:
            listed = await self._emoji.get(channel.team)
        except AtomError:
            return {}
        shown = {name: custom_emoji(name, listed) for name in names}
        return {name: emoji for name, emoji in shown.items() if emoji}

    def channel_in(self, url: str) -> str:
        """A message's address has the channel's in it, and opens something else."""
        found = _CHANNEL_ADDRESS.fullmatch(url)
        return found[1] if found else ""

    async def aclose(self) -> None:
        for known in (self._channels, self._groups, self._emoji):
            await known.aclose()

    async def _channel(self, team: str, id_: str) -> Seen | None:
        try:
            return await self._channels.get((team, id_))
        except AtomError:
            return None

    async def _ask_for_channel(self, key: tuple[str, str]) -> Seen | None:
        team, id_ = key
        client = await self.clients.of(team)
        try:
            answer = await self.asking.ask(
                (team, "conversations.info"),
                lambda: done(client.conversations_info(channel=id_)),
            )
        except SlackRefused:
            return None  # it is not there for ATOM, so not for anybody elsewhere
        return _seen(mapping(answer, "channel"))

    async def _ask_for_groups(self, team: str) -> Mapping[str, str]:
        client = await self.clients.of(team)
        answer = await self.asking.ask(
            (team, "usergroups.list"), lambda: done(client.usergroups_list())
        )
        return {
            string(group, "id"): string(group, "handle") or string(group, "name")
            for group in mappings(answer, "usergroups")
        }

    async def _ask_for_emoji(self, team: str) -> Mapping[str, str]:
        client = await self.clients.of(team)
        answer = await self.asking.ask(
            (team, "emoji.list"), lambda: done(client.emoji_list())
        )
        listed = mapping(answer, "emoji")
        return {name: string(listed, name) for name in listed}


def custom_emoji(name: str, listed: Mapping[str, str]) -> CustomEmoji | None:
    """
    Return what a name in emoji.list shows, or None if it is not in it.

    An alias may stand for another alias; one that leads nowhere shows nothing.
    """
    if name not in listed:
        return None
    value = ""
    for _ in range(_LONGEST_CHAIN):
        value = listed[name]
        if not value.startswith(_ALIAS):
            break
        name = value.removeprefix(_ALIAS)
        if name not in listed:
            return CustomEmoji(char=character(name))
    url = safe_url(value)
    still = url.startswith("https://") and not _path(url).endswith(_MOVING)
    return CustomEmoji(url=url if still else "")


def _path(url: str) -> str:
    return urlsplit(url).path.lower()


def _seen(found: Mapping[str, Any]) -> Seen | None:
    name = string(found, "name")
    closed = ("is_private", "is_im", "is_mpim", "is_group")
    # What it does not say of itself is not taken for public.
    public = found.get("is_private") is False and not any(map(found.get, closed))
    return Seen(name, public=public) if name else None
