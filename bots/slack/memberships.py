"""Which channels somebody is in, by Slack's own word."""

from collections.abc import Sequence
from dataclasses import dataclass

from bots.slack.clients import Clients, asked
from bots.slack.payload import mapping, string
from bridge.errors import DeliveryFailed, ServiceUnavailable
from bridge.messages import Channel, Person, Platform

_PAGE = 200
_PAGES = 50


@dataclass(frozen=True, slots=True)
class SlackMemberships:
    """Implements `bridge.search.finding.Memberships` with users.conversations."""

    clients: Clients

    async def of(self, person: Person, here: Channel) -> Sequence[Channel]:
        if person.platform is not Platform.SLACK or not person.id:
            return ()
        found: list[Channel] = []
        cursor = ""
        try:
            client = await self.clients.of(here.team)
            for _ in range(_PAGES):
                answer = await asked(
                    client.users_conversations(
                        user=person.id,
                        types="public_channel,private_channel",
                        limit=_PAGE,
                        cursor=cursor,
                    )
                )
                found += [
                    Channel(Platform.SLACK, here.team, string(each, "id"))
                    for each in answer.get("channels") or ()
                ]
                cursor = string(mapping(answer, "response_metadata"), "next_cursor")
                if not cursor:
                    return found
        except DeliveryFailed as failure:
            raise ServiceUnavailable(
                f"Which channels you are in is not known now: {failure}"
            ) from failure
        return found  # whoever is in more channels finds less, never too much
