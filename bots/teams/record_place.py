"""Let record cards stand in Teams."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from bots.teams.cards import card_activity
from bots.teams.closed import channel_closed
from bots.teams.connector import Connector, Gone, NotOffered, activities
from bots.teams.content import plain_name
from bots.teams.graph import Graph
from bots.teams.pacing import AtOnce, Pace
from bots.teams.places import place_of, threaded
from bots.teams.record_cards import activity
from bots.teams.wire import text_of
from bridge.cards import Card
from bridge.errors import (
    Ambiguous,
    AtomError,
    CannotTell,
    NotSent,
    Refused,
    StoreUnavailable,
)
from bridge.holds import Cause
from bridge.messages import Channel, Person, Platform
from bridge.places import Place, PlaceBook
from bridge.records.books import CardInstance
from bridge.records.cards import RecordCard

_TARGETED = "?isTargetedActivity=true"
_EARLIER = 900_000_000  # microseconds; clocks of two companies differ
_AT_A_CARD = 1.0  # seconds for its turn: behind it wait those of other channels
_SHOWN = 2_000  # cards whose last state is remembered


async def nobody(_channel: Channel) -> Sequence[str]:
    """The default: whoever wants a view of their own presses the button."""
    return ()


@dataclass(slots=True)
class TeamsCardPlace:
    """
    Implements `bridge.records.places.CardPlace`.

    Messages that one person alone sees are a preview in Teams, which tenants switch on
    (`targeted`); elsewhere the person is told in their own chat with ATOM. What is for
    one person never stands where others read it.

    `viewers` gives the ids of people whose clients fetch their own view of a card by
    themselves. Each change of a card makes each of them ask, and the business system
    is asked as often: so it is nobody unless somebody chooses otherwise.
    """

    connector: Connector
    places: PlaceBook
    app_id: str
    graph: Graph | None = None
    targeted: bool = False
    viewers: Callable[[Channel], Awaitable[Sequence[str]]] = nobody
    pace: Pace = field(default_factory=AtOnce)
    _last: OrderedDict[tuple[str, str], RecordCard] = field(default_factory=OrderedDict)

    async def post(self, instance: CardInstance, card: RecordCard) -> CardInstance:
        conversation = threaded(instance.channel.id, instance.thread)
        body = _marked(
            activity(card, await self.viewers(instance.channel)), card.card_id
        )
        with channel_closed(instance.thread):
            answer = await self._call(
                "POST", instance.channel, activities(conversation), body
            )
        if not (message := text_of(answer.get("id"))):
            raise Ambiguous("Teams took the card but gave it no id")
        self._remember(instance.channel, message, card)
        return replace(instance, message=message)

    async def change(self, instance: CardInstance, card: RecordCard) -> None:
        root = instance.thread or instance.message
        path = activities(threaded(instance.channel.id, root), instance.message)
        body = _marked(
            activity(card, await self.viewers(instance.channel)), card.card_id
        )
        try:
            await self._call(
                "PUT", instance.channel, path, body | {"id": instance.message}
            )
        except Gone as gone:
            raise Refused(str(gone), Cause.DELETED) from gone
        self._remember(instance.channel, instance.message, card)

    async def look_for(self, instance: CardInstance) -> str | None:
        """Look through Graph for a message of ours that holds the card's id."""
        if self.graph is None:
            raise CannotTell("the answer was lost, and ATOM may not look into Graph")
        place = await place_of(self.places, instance.channel, Cause.UNINSTALLED)
        if not place.group_id:
            raise CannotTell("the answer was lost, and the team's group is not known")
        try:
            found = await self.graph.posted_by(
                self.app_id, place, instance.thread, instance.made_us - _EARLIER
            )
        except AtomError as error:
            raise CannotTell(str(error)) from error
        for one in found:
            if not one.deleted and instance.card_id in one.cards:
                return one.id
        if any(one.deleted for one in found):
            raise CannotTell("the answer was lost, and a message of ATOM's was deleted")
        return None

    async def whisper(
        self,
        tenant: str,  # noqa: ARG002  # a team is one company's
        channel: Channel,
        person: Person,
        card: RecordCard | Card,
    ) -> None:
        await self.tell(channel, person, _activity(card))

    async def note(self, instance: CardInstance, text: str) -> None:
        root = instance.thread or instance.message
        path = activities(threaded(instance.channel.id, root))
        html = f"<p>{escape(text)}</p>"
        body = {"type": "message", "textFormat": "xml", "text": html}
        with channel_closed(root):
            await self._call("POST", instance.channel, path, body)

    async def say(self, instance: CardInstance, mark: str, card: Card) -> str:
        root = instance.thread or instance.message
        path = activities(threaded(instance.channel.id, root))
        body = _marked(dict(card_activity(card)), mark)
        with channel_closed(root):
            answer = await self._call("POST", instance.channel, path, body)
        if not (message := text_of(answer.get("id"))):
            raise Ambiguous("Teams took it but gave it no id")
        return message

    async def look_for_said(
        self, instance: CardInstance, mark: str, since_us: int
    ) -> str | None:
        root = instance.thread or instance.message
        where = replace(instance, thread=root, card_id=mark, made_us=since_us)
        return await self.look_for(where)

    async def tell(
        self, channel: Channel, person: Person, body: Mapping[str, Any]
    ) -> None:
        """Show a message to one person: in the channel, else in their own chat."""
        place = await place_of(self.places, channel, Cause.UNINSTALLED)
        if place.kind == "chat":
            await self._post(place, channel, activities(channel.id), body)
            return
        if self.targeted:
            recipient = {"id": person.id, "name": plain_name(person.name)}
            path = activities(channel.id) + _TARGETED
            said = {**body, "recipient": recipient}
            try:
                await self._post(place, channel, path, said)
            except NotOffered:
                pass  # the preview is not open to this tenant after all
            else:
                return
        await self._in_own_chat(place, person, body)

    async def alone(
        self, account: str, person: Person, card: RecordCard | Card
    ) -> None:
        try:
            place = await self.places.of_account(account)
        except StoreUnavailable as error:
            raise NotSent(str(error)) from error
        if place is None:
            raise Refused("ATOM was never heard from in this tenant")
        await self._in_own_chat(place, person, _activity(card))

    async def _in_own_chat(
        self, place: Place, person: Person, body: Mapping[str, Any]
    ) -> None:
        """Post in the chat with a person; asked for again, it is the same chat."""
        asked = {
            "bot": {"id": f"28:{self.app_id}"},
            "members": [{"id": person.id}],
            "isGroup": False,
            "tenantId": place.account,
            "channelData": {"tenant": {"id": place.account}},
        }
        made = await self.connector.call(
            "POST", place.service_url, "v3/conversations", asked
        )
        if not (chat := text_of(made.get("id"))):
            raise Refused("Teams opened no chat with this person")
        alone = Channel(Platform.TEAMS, "", chat)
        await self._post(place, alone, activities(chat), body)

    def last(self, channel: Channel, message: str) -> RecordCard | None:
        """Return what everybody is shown at a message, if this process knows it."""
        return self._last.get((channel.id, message))

    def _remember(self, channel: Channel, message: str, card: RecordCard) -> None:
        self._last[channel.id, message] = card
        self._last.move_to_end((channel.id, message))
        while len(self._last) > _SHOWN:
            self._last.popitem(last=False)

    async def _call(
        self, method: str, channel: Channel, path: str, body: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        place = await place_of(self.places, channel, Cause.UNINSTALLED)
        return await self.pace.turn(
            place.account,
            channel,
            lambda: self.connector.call(method, place.service_url, path, body),
            _AT_A_CARD,
        )

    async def _post(
        self, place: Place, channel: Channel, path: str, body: Mapping[str, Any]
    ) -> None:
        await self.pace.turn(
            place.account,
            channel,
            lambda: self.connector.call("POST", place.service_url, path, body),
        )


def _activity(card: RecordCard | Card) -> Mapping[str, Any]:
    return activity(card) if isinstance(card, RecordCard) else card_activity(card)


def _marked(body: dict[str, Any], mark: str) -> dict[str, Any]:
    """Name a card in its first element, where it is found again after a lost answer."""
    content = body["attachments"][0]["content"]
    first, *rest = content["body"]
    marked = {**content, "body": [{**first, "id": mark}, *rest]}
    attachment = {**body["attachments"][0], "content": marked}
    return {**body, "attachments": [attachment, *body["attachments"][1:]]}
