"""Who administers a Slack workspace, by Slack's own word."""

from dataclasses import dataclass

from bots.slack.clients import Clients, SlackRefused, asked
from bots.slack.payload import mapping
from bots.slack.people import at_home
from bridge.errors import NotSent, Refused, ServiceUnavailable
from bridge.messages import Channel, Person, Platform

_NO_SUCH_PERSON = frozenset({"user_not_found", "user_not_visible"})


@dataclass(frozen=True, slots=True)
class SlackRights:
    """Implements `bridge.ports.Rights`. Nothing is remembered: rights are taken away."""

    clients: Clients

    async def is_admin(self, person: Person, channel: Channel) -> bool:
        if person.platform is not Platform.SLACK or not person.id:
            return False
        try:
            client = await self.clients.of(channel.team)
            answer = await asked(client.users_info(user=person.id))
        except SlackRefused as refused:
            if refused.code in _NO_SUCH_PERSON:
                return False
            raise ServiceUnavailable(str(refused)) from refused
        except (NotSent, Refused) as failure:
            raise ServiceUnavailable(str(failure)) from failure
        user = mapping(answer, "user")
        if user.get("deleted") or user.get("is_bot"):
            return False
        if not at_home(user, channel.team):
            return False
        return any(user.get(right) is True for right in ("is_admin", "is_owner"))
