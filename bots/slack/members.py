"""Who is in a Slack channel, all of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bots.slack.clients import Clients, done
from bots.slack.payload import mapping, string
from bridge.errors import Ambiguous, CannotTell, NotSent, Refused, ServiceUnavailable
from bridge.messages import Channel
from bridge.patience import patiently

_PAGE = 1000
_PAGES = 100


@dataclass(frozen=True, slots=True)
class SlackMembers:
    """Implements `bridge.membership.Members`. `sleep` waits seconds."""

    clients: Clients
    sleep: Callable[[float], Awaitable[None]]

    async def of(self, channel: Channel) -> frozenset[str]:
        found: set[str] = set()
        cursor = ""
        for _ in range(_PAGES):
            people, cursor = await self._page(channel, cursor)
            found |= people
            if not cursor:
                return frozenset(found)
        raise CannotTell("the channel has too many members to list")

    async def _page(self, channel: Channel, cursor: str) -> tuple[set[str], str]:
        async def ask() -> tuple[set[str], str]:
            client = await self.clients.of(channel.team)
            answer = await done(
                client.conversations_members(
                    channel=channel.id, limit=_PAGE, cursor=cursor or None
                )
            )
            listed = answer.get("members")
            people = {p for p in listed if isinstance(p, str)} if listed else set()
            following = string(mapping(answer, "response_metadata"), "next_cursor")
            return people, following

        try:
            return await patiently(ask, self.sleep)
        except Refused as refused:
            raise CannotTell(str(refused)) from refused
        except (Ambiguous, NotSent) as error:
            raise ServiceUnavailable(str(error)) from error
