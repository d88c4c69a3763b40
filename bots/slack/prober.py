"""Ask Slack whether ATOM can read and post in a channel."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.slack.clients import Clients, SlackRefused, asked
from bots.slack.payload import mapping
from bridge.errors import AtomError, Refused, ServiceUnavailable
from bridge.holds import Cause, Condition
from bridge.messages import Channel

# Slack answers the same for what was deleted, and for what ATOM may not see.
_VAGUE = frozenset({"channel_not_found"})
_SHARED = ("is_ext_shared", "is_pending_ext_shared")


@dataclass(frozen=True, slots=True)
class SlackProber:
    """Implements `bridge.holds.Prober` with conversations.info."""

    clients: Clients

    async def condition(self, channel: Channel) -> Condition:
        try:
            client = await self.clients.of(channel.team)
            answer = await asked(client.conversations_info(channel=channel.id))
        except Refused as refused:
            if refused.cause:
                return refusal(refused)
            raise ServiceUnavailable(str(refused)) from refused
        except ServiceUnavailable:
            raise
        except AtomError as error:
            raise ServiceUnavailable(str(error)) from error
        return condition_of(mapping(answer, "channel"))


def condition_of(about: Mapping[str, Any]) -> Condition:
    """Read the `channel` object of conversations.info."""
    causes = {Cause.EXTERNAL} if any(about.get(name) for name in _SHARED) else set()
    if about.get("is_archived"):
        causes.add(Cause.ARCHIVED)
    elif not about.get("is_member"):
        causes.add(Cause.ABSENT)
    return Condition(frozenset(causes))


def refusal(refused: Refused) -> Condition:
    """Return what a refusal with a cause says of the channel."""
    code = refused.code if isinstance(refused, SlackRefused) else ""
    return Condition(frozenset({Cause(refused.cause)}), vague=code in _VAGUE)


async def unnoticed(_channel: Channel, _condition: Condition) -> None:
    """The default: nobody wants to know how channels are."""


@dataclass(slots=True)
class Noticed:
    """Passes on how channels were found to be, to whoever came to want it."""

    listener: Callable[[Channel, Condition], Awaitable[None]] = unnoticed

    async def __call__(self, channel: Channel, condition: Condition) -> None:
        await self.listener(channel, condition)
