"""What ATOM does about what it hears in Teams: keep it first, then answer."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.core.teams import TeamsActivityHandler
from botbuilder.schema import Activity, ActivityTypes, Attachment

from bots.commands.answering import Answering, Turn
from bots.commands.record_answers import Later, RecordAnswer
from bots.metrics import IGNORED
from bots.teams.adapter import Heard, heard_in
from bots.teams.adaptive import CONTENT_TYPE
from bots.teams.announcer import learn_channels
from bots.teams.cards import adaptive
from bots.teams.connector import Connector
from bots.teams.people import TeamsPeople
from bots.teams.places import places_in
from bots.teams.record_answers import answer
from bots.teams.record_asked import Surface
from bots.teams.record_cards import task
from bots.teams.records import TeamsRecords
from bots.teams.translate import COMMAND, in_dialog, people_named_in, unknown_in
from bots.unknown import note_unknown
from bridge.cards import Card
from bridge.errors import AtomError, DeliveryFailed, Fenced, NotSent, Throttled
from bridge.messages import EventKind, Platform
from bridge.places import Place, PlaceBook
from bridge.ports import Intake, Receipt, Tenants

log = structlog.get_logger()

_ANSWERED = {EventKind.COMMAND, EventKind.ACTION, EventKind.APP_INSTALL}
_OF_MEMBERS = {EventKind.MEMBER_JOIN, EventKind.MEMBER_LEAVE}
_PLACES_KEPT = 10_000
# A click that another process answers: it was frozen for a while.
_ELSEWHERE: dict[str, Any] = {
    "statusCode": int(HTTPStatus.OK),
    "type": "application/vnd.microsoft.activity.message",
    "value": "ATOM answers in a moment.",
}
_TRIES = 3  # to send an answer that Teams did not take
_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Parts:
    """
    What the bot works with.

    `on_install` is told each team that ATOM joins, `on_members` each whose members
    have changed. Without `records` nothing follows what is asked of records.
    """

    intake: Intake
    tenants: Tenants
    answering: Answering
    places: PlaceBook
    people: TeamsPeople
    connector: Connector
    on_install: Callable[[Place], Awaitable[None]]
    on_members: Callable[[Place], None] = lambda _team: None
    records: TeamsRecords | None = None


class AtomBot(TeamsActivityHandler):  # type: ignore[misc]  # botbuilder ships no types
    """Captures every activity before anything that can be seen happens."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._told: OrderedDict[Place, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def aclose(self) -> None:
        """Give up what is still to come for answers that stand."""
        for work in self._tasks:
            work.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def on_turn(self, turn_context: TurnContext) -> None:
        heard = heard_in(turn_context)
        await self._remember_shared(heard)
        receipt = await self._parts.intake.receive(heard.event)
        if _is_ours(receipt):
            await self._remember(heard)
        elif heard.event.kind is not EventKind.APP_INSTALL:
            IGNORED.labels("teams", "no_company").inc()
            return
        if await self._is_of_records(turn_context, heard, again=receipt.duplicate):
            return
        if not receipt.duplicate and heard.event.kind is EventKind.OTHER:
            note_unknown("teams", unknown_in(heard.activity))
        if not receipt.duplicate and heard.event.kind in _ANSWERED:
            await super().on_turn(turn_context)

    async def _is_of_records(
        self, turn_context: TurnContext, heard: Heard, *, again: bool
    ) -> bool:
        """Answer what is asked of records, and say whether that was it."""
        records = self._parts.records
        asked = records.asked(heard, again=again) if records else None
        if records is None or asked is None:
            return False
        answer = await records.answer(heard, asked)
        if heard.activity.get("type") == "invoke":
            await turn_context.send_activity(
                Activity(type=ActivityTypes.invoke_response, value=answer)
            )
        return True

    async def on_message_activity(self, turn_context: TurnContext) -> None:
        heard = heard_in(turn_context)
        async with self._turn(heard) as turn:
            if turn is not None and (card := await turn.ready()):
                said = await _reply(turn_context, turn, card)
                self._fill(turn_context, card, said)

    def _fill(self, turn_context: TurnContext, card: Card, said: str) -> None:
        """Change an answer in its place whenever what was late has come."""
        if isinstance(card, RecordAnswer) and card.later and said:
            work = asyncio.create_task(_filled(turn_context, card.later, said))
            self._tasks.add(work)
            work.add_done_callback(self._tasks.discard)

    async def on_invoke_activity(self, turn_context: TurnContext) -> InvokeResponse:
        heard = heard_in(turn_context)
        dialog = in_dialog(heard.activity)
        if turn_context.activity.name != "adaptiveCard/action" and not dialog:
            note_unknown("teams", f"invoke.{turn_context.activity.name}")
            return InvokeResponse(status=int(HTTPStatus.NOT_IMPLEMENTED))
        async with self._turn(heard) as turn:
            card = await turn.ready() if turn else None
            body = _ELSEWHERE if turn and card is None else _invoke_body(card)
            if dialog:
                body = _dialog_body(card)
            if turn and card:
                await turn.shown()
            return InvokeResponse(status=int(HTTPStatus.OK), body=body)

    async def on_installation_update_add(self, turn_context: TurnContext) -> None:
        heard = heard_in(turn_context)
        places = places_in(heard.activity)
        if not places or places[0].kind == "chat":
            return  # somebody has ATOM for themselves: there is no team to learn
        try:
            await self._join(heard, places[0])
        except AtomError as error:
            log.warning("team not learned", reason=str(error))

    async def _join(self, heard: Heard, team: Place) -> None:
        """Tell of the new team. If it is a company's now, learn its channels."""
        await self._parts.on_install(team)
        account = heard.event.account
        if await self._parts.tenants.tenant_of(Platform.TEAMS, account) is None:
            return
        await self._remember(heard)
        await learn_channels(self._parts.connector, self._parts.places, team)

    @asynccontextmanager
    async def _turn(self, heard: Heard) -> AsyncIterator[Turn | None]:
        """Take the turn of what was asked for; None if nothing of ATOM's was."""
        event = heard.event
        asked = dict(event.detail).get(COMMAND, "")
        if event.channel is None or (event.kind is EventKind.ACTION and not asked):
            yield None
            return
        dialog = in_dialog(heard.activity)
        async with self._parts.answering.turn(event, asked, in_dialog=dialog) as turn:
            yield turn if turn.request else None

    async def _remember_shared(self, heard: Heard) -> None:
        """
        Know that a channel is a shared one before anybody hears what became of it.

        Whoever is asked then whether others read along looks only there for them.
        """
        if any(place.kind == "shared" for place in places_in(heard.activity)):
            account = heard.event.account
            tenant = await self._parts.tenants.tenant_of(Platform.TEAMS, account)
            if tenant is not None:
                await self._remember(heard)

    async def _remember(self, heard: Heard) -> None:
        """Keep what the activity tells about places and names, each new thing once."""
        self._parts.people.learn(people_named_in(heard.activity))
        places = places_in(heard.activity)
        if places and heard.event.kind in _OF_MEMBERS:
            self._parts.on_members(places[0])
        for place in places:
            if place in self._told:
                continue
            await self._parts.places.remember(place)
            self._told[place] = None
            if len(self._told) > _PLACES_KEPT:
                self._told.popitem(last=False)


def _is_ours(receipt: Receipt) -> bool:
    return receipt.seq >= 0


async def _filled(turn_context: TurnContext, later: Later, said: str) -> None:
    try:
        async for card in later(each=True):
            activity = _activity(card)
            activity.id = said
            await turn_context.update_activity(activity)
    except AtomError as error:
        kind = type(error).__name__
        log.warning("late results not shown", platform="teams", reason=kind)


def _activity(card: Card) -> Activity:
    return Activity(
        type=ActivityTypes.message,
        summary=card.title,
        attachments=[Attachment(content_type=CONTENT_TYPE, content=adaptive(card))],
    )


async def _reply(turn_context: TurnContext, turn: Turn, card: Card) -> str:
    """
    Answer in the same thread, and return the answer's id, if it is known to stand.

    A lost answer is not repeated: it may stand there.
    """
    activity = _activity(card)
    for attempt in range(1, _TRIES + 1):
        try:
            with turn.showing():
                sent = await turn_context.send_activity(activity)
        except Fenced:
            await turn.not_shown()
            return ""
        except Throttled as error:
            # It has waited for its turn: it is told late, when there is room.
            log.warning("answer not sent", reason=str(error))
            await turn.not_shown(pause_us=int(error.retry_after * 1_000_000))
            return ""
        except NotSent as error:
            if attempt == _TRIES:
                log.warning("answer not sent", reason=str(error))
                await turn.not_shown()
                return ""
            await asyncio.sleep(_PAUSE)
        except DeliveryFailed as error:
            log.warning("answer not sent", reason=str(error))
            await turn.shown()
            return ""
        else:
            await turn.shown()
            return str(sent.id) if sent else ""
    return ""


def _dialog_body(card: Card | None) -> dict[str, Any]:
    """Return a dialog that shows a card, or a line if there is none to show now."""
    if card is None:
        return answer("ATOM cannot tell just now. Try again.", Surface.DIALOG)
    return task(adaptive(card), card.title)


def _invoke_body(card: Card | None) -> dict[str, Any]:
    """Return what a button's click is answered with, ready for JSON."""
    if card is None:
        return {
            "statusCode": int(HTTPStatus.BAD_REQUEST),
            "type": "application/vnd.microsoft.error",
            "value": {"code": "BadRequest", "message": "This button is not ATOM's."},
        }
    return {
        "statusCode": int(HTTPStatus.OK),
        "type": CONTENT_TYPE,
        "value": adaptive(card),
    }
