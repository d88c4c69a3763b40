"""Tell what ATOM itself did in Slack from what others did there."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.slack.payload import mapping, string

MARKER = "atom_bridge"
_HOP = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_ORIGIN = 400


@dataclass(frozen=True, slots=True)
class Identity:
    """Who ATOM is in one workspace. What is empty is unknown, and matches nobody."""

    app: str = ""
    user: str = ""
    bot: str = ""
    team: str = ""
    name: str = ""

    def wrote(self, message: Mapping[str, Any]) -> bool:
        """
        Say whether ATOM stands behind a message, an event or an older version.

        Copies carry other people's names, so Slack's own filter overlooks their
        edits and deletions: only the nested ids give them away.
        """
        return (
            _same(self.bot, string(message, "bot_id"))
            or _same(self.app, string(message, "app_id"))
            or _same(self.user, string(message, "user"))
        )

    def wrote_any(self, messages: Iterable[Mapping[str, Any]]) -> bool:
        return any(self.wrote(message) for message in messages)


def marked(message: Mapping[str, Any]) -> bool:
    """Say whether a bot's message is some bridge's copy: ours, or another ATOM's."""
    if not string(message, "bot_id"):
        return False
    return string(mapping(message, "metadata"), "event_type") == MARKER


def trail(message: Mapping[str, Any]) -> dict[str, str] | None:
    """
    Return the hops and the origin that a marked copy tells, None if it tells none.

    Versions of ATOM before these marked their copies without.
    """
    payload = mapping(mapping(message, "metadata"), "event_payload")
    told = payload.get("hops")
    if not isinstance(told, list):
        return None
    hops = [hop for hop in told if isinstance(hop, str) and _HOP.fullmatch(hop)]
    if not hops or len(hops) != len(told):
        return None
    return {"hops": " ".join(hops), "origin": string(payload, "origin")[:_ORIGIN]}


def versions(event: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the event itself and the messages nested in it, newest first."""
    return (event, mapping(event, "message"), mapping(event, "previous_message"))


def by_a_bot(event: Mapping[str, Any]) -> bool:
    """Say whether only our bot id can tell if the event is our own doing."""
    return any(string(message, "bot_id") for message in versions(event))


def _same(known: str, found: str) -> bool:
    return bool(known) and known == found
