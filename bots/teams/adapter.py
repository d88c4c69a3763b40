"""
botbuilder's turn, without the parts of botbuilder that fail.

Its own adapter turns bad tokens into errors, fetches keys on the event loop and
serialises answers to card buttons twice. This one is handed what was checked and read
already, and sends through ATOM's connector.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botbuilder.core import BotAdapter, InvokeResponse, TurnContext
from botbuilder.schema import (
    Activity,
    ActivityTypes,
    ChannelAccount,
    ConversationAccount,
    ConversationReference,
    ResourceResponse,
)

from bots.teams.connector import Connector, activities
from bots.teams.pacing import AtOnce, Pace
from bots.teams.wire import mapping, text_of
from bridge.messages import Channel, Event, Platform

_HEARD = "atom.heard"
_ANSWER = "atom.answer"


@dataclass(frozen=True, slots=True)
class Heard:
    """An activity as it came, and what it means."""

    activity: Mapping[str, Any]
    event: Event


class AtomAdapter(BotAdapter):  # type: ignore[misc]  # botbuilder ships no types
    """Runs a bot's turn on an activity, and sends what the bot says."""

    def __init__(self, connector: Connector, pace: Pace | None = None) -> None:
        super().__init__()
        self._connector = connector
        self._pace = pace or AtOnce()

    async def process(self, heard: Heard, bot: Any) -> InvokeResponse | None:
        """Run one turn. What the bot raises is for the caller to answer for."""
        context = TurnContext(self, activity_of(heard.activity))
        context.turn_state[_HEARD] = heard
        await self.run_pipeline(context, bot.on_turn)
        answer = context.turn_state.get(_ANSWER)
        return answer.value if answer else None

    async def send_activities(
        self, context: TurnContext, activities: Sequence[Activity]
    ) -> list[ResourceResponse]:
        return [await self._send(context, activity) for activity in activities]

    async def update_activity(
        self, context: TurnContext, activity: Activity
    ) -> ResourceResponse:
        path = activities(activity.conversation.id, activity.id)
        return await self._call("PUT", path, context, activity)

    async def delete_activity(
        self,
        context: TurnContext,  # noqa: ARG002  # botbuilder's signature
        reference: ConversationReference,
    ) -> None:
        path = activities(reference.conversation.id, reference.activity_id)
        await self._connector.call("DELETE", reference.service_url, path)

    async def _send(self, context: TurnContext, activity: Activity) -> ResourceResponse:
        if activity.type == ActivityTypes.invoke_response:
            context.turn_state[_ANSWER] = activity
            return ResourceResponse()
        # The conversation's id holds the thread; `replyToId` alone would leave it.
        path = activities(activity.conversation.id)
        return await self._call("POST", path, context, activity)

    async def _call(
        self, method: str, path: str, context: TurnContext, activity: Activity
    ) -> ResourceResponse:
        service, body = activity.service_url, activity.serialize()
        event = heard_in(context).event
        here = event.channel or Channel(Platform.TEAMS, "", activity.conversation.id)
        answer = await self._pace.turn(
            event.account,
            here,
            lambda: self._connector.call(method, service, path, body),
        )
        return ResourceResponse(id=text_of(answer.get("id")))


def heard_in(context: TurnContext) -> Heard:
    """Return what the turn is about, as ATOM understood it."""
    heard: Heard = context.turn_state[_HEARD]
    return heard


def activity_of(activity: Mapping[str, Any]) -> Activity:
    """
    Return botbuilder's model, with what a turn needs and no more.

    The model drops fields it does not know and fails on what it does not expect, so
    nothing is ever read back from it that `translate` can read itself.
    """
    conversation = mapping(activity.get("conversation"))
    return Activity(
        type=text_of(activity.get("type")),
        id=text_of(activity.get("id")),
        name=text_of(activity.get("name")),
        action=text_of(activity.get("action")),
        channel_id=text_of(activity.get("channelId")),
        service_url=text_of(activity.get("serviceUrl")),
        reply_to_id=text_of(activity.get("replyToId")) or None,
        from_property=_account(activity.get("from")),
        recipient=_account(activity.get("recipient")),
        conversation=ConversationAccount(
            id=text_of(conversation.get("id")),
            conversation_type=text_of(conversation.get("conversationType")),
            is_group=bool(conversation.get("isGroup")),
        ),
        value=activity.get("value"),
    )


def _account(value: Any) -> ChannelAccount:
    account = mapping(value)
    return ChannelAccount(
        id=text_of(account.get("id")), name=text_of(account.get("name"))
    )
