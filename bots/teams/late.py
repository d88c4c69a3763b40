"""Answer somebody in Teams long after they asked, where they did."""

import json
from dataclasses import dataclass, field

from bots.teams.adaptive import attachment, line
from bots.teams.cards import adaptive
from bots.teams.connector import Connector, activities
from bots.teams.pacing import AtOnce, Pace
from bots.teams.places import threaded
from bots.teams.wire import mapping, text_of
from bridge.cards import Card
from bridge.errors import NotSent, Refused, StoreUnavailable
from bridge.places import PlaceBook
from bridge.unanswered import AskedFor


@dataclass(frozen=True, slots=True)
class TeamsLate:
    """Implements `bridge.unanswered.LateWay`, in the same thread or chat."""

    connector: Connector
    places: PlaceBook
    pace: Pace = field(default_factory=AtOnce)

    async def tell(self, asked: AskedFor, card: Card, note: str) -> None:
        service, conversation = _said_in(asked.raw)
        if not (service and conversation):
            service = await self._service(asked)
            conversation = asked.channel.id
            if not asked.channel.is_own_chat:
                conversation = threaded(conversation, asked.thread or asked.message)
        path = activities(conversation)
        shown = adaptive(card)
        if note:
            shown["body"] = [line(note, isSubtle=True), *shown["body"]]
        said = {"summary": card.title, "attachments": [attachment(shown)]}
        body = {"type": "message", **said}
        await self.pace.turn(
            asked.account,
            asked.channel,
            lambda: self.connector.call("POST", service, path, body),
        )

    async def _service(self, asked: AskedFor) -> str:
        try:
            place = await self.places.find(asked.channel)
        except StoreUnavailable as error:
            raise NotSent(str(error)) from error
        if place is None or not place.service_url:
            raise Refused("ATOM was never heard from there")
        return place.service_url


def _said_in(raw: bytes) -> tuple[str, str]:
    """Return the service and the conversation that an activity names."""
    try:
        activity = mapping(json.loads(raw or b"{}"))
    except (RecursionError, ValueError):
        return "", ""
    conversation = text_of(mapping(activity.get("conversation")).get("id"))
    return text_of(activity.get("serviceUrl")), conversation
