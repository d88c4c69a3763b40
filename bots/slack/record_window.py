"""The modal in which somebody is shown what they asked for, however long it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.async_app import AsyncRespond

from bots.record_talks import (
    ShowCard,
    ShowForm,
    Showing,
    ShowNothing,
    ShowText,
    ShowWrong,
    Talk,
    Talks,
)
from bots.slack import record_drawing as drawing
from bots.slack.clients import Clients, SlackRefused, done
from bots.slack.late import answered
from bots.slack.payload import mapping, string
from bots.slack.record_asked import Asked
from bots.slack.record_entries import values_of
from bridge.errors import AtomError
from bridge.records.asking import Filled
from bridge.records.cards import RecordCard
from bridge.records.desk import Asker

log = structlog.get_logger()

# The person closed it, or it shows something newer: neither is worth a word.
_QUIET = frozenset({"not_found", "hash_conflict", "view_not_found"})
_TOO_LATE = frozenset(
    {"exchanged_trigger_id", "expired_trigger_id", "invalid_trigger_id"}
)
_DONE = "Done."


@dataclass(slots=True)
class Window:
    """
    Shows what the desk says: in the modal that is open, in one that is opened while the
    trigger lives, or in a message that the person alone sees.
    """

    clients: Clients
    talks: Talks
    asker: Asker
    asked: Asked
    respond: AsyncRespond | None = None
    _view: str = ""
    _hash: str = ""
    _closed: bool = False
    _waiting: bool = False

    def __post_init__(self) -> None:
        if self.asked.view is not None:
            self._view, self._hash = self.asked.view.id, self.asked.view.hash

    async def follow(self, talk: Talk, patience: float | None, seen: int = 0) -> None:
        """Show whatever comes, and that it takes a while if it does."""
        news = await talk.next(seen, patience)
        if news is None:
            await self.working()
        while not isinstance(news, ShowNothing):
            if news is not None:
                seen = talk.count
                await self.show(news)
            news = await talk.next(seen, None)
        if self._waiting:
            await self.show(ShowText(_DONE))

    async def working(self) -> None:
        """Say that it takes a while, so that the trigger is used while it lives."""
        self._waiting = True
        await self._put(drawing.working())

    def took_over(self, *, waiting: bool) -> None:
        """The acknowledgement has put another view in place, whose hash is unknown."""
        self._waiting, self._hash = waiting, ""

    async def show(self, showing: Showing) -> None:
        self._waiting = False
        match showing:
            case ShowForm(form, token):
                self.talks.keep(token, form)
                await self._put(self.view_of(showing), token)
            case ShowCard(card) if isinstance(card, RecordCard):
                await self._put(self.view_of(showing))
            case ShowCard() | ShowText() if not self._view:
                await self._say(showing)
            case ShowText() if self._closed:
                await self._say(showing)
            case ShowNothing():
                return
            case _:
                await self._put(self.view_of(showing), self.asked.token)

    def view_of(self, showing: Showing) -> dict[str, Any]:
        """Return the modal that shows it, without what is kept in it."""
        match showing:
            case ShowForm(form, token):
                return drawing.form(form, token)
            case ShowCard(card):
                return drawing.shown(card)
            case ShowWrong(reason, fields):
                known = self.talks.form(self.asked.token)
                if known is None or self.asked.view is None:
                    return drawing.text("\n".join([reason, *fields.values()]))
                values = values_of(self.asked.view.state, known)
                filled = Filled(values, fields, reason)
                return drawing.form(known, self.asked.token, filled)
            case ShowText(text):
                return drawing.text(text)
            case _:
                return drawing.text(_DONE)

    async def _put(self, view: dict[str, Any], token: str = "") -> None:
        if self._closed:
            return
        view = drawing.keeping(view, self.asker.channel, token)
        try:
            answer = await self._sent(view)
        except SlackRefused as refused:
            if refused.code in _QUIET:
                self._closed = refused.code != "hash_conflict"
            elif refused.code in _TOO_LATE and not self._view:
                self._closed = True
                await self._offer_again()
            else:
                self._told(refused)
        except AtomError as error:
            self._told(error)
        else:
            shown = mapping(answer, "view")
            self._view = string(shown, "id") or self._view
            self._hash = string(shown, "hash")

    async def _sent(self, view: dict[str, Any]) -> Mapping[str, Any]:
        client = await self.clients.of(self.asker.account)
        if not self._view:
            trigger = self.asked.trigger
            return await done(client.views_open(trigger_id=trigger, view=view))
        known = {"hash": self._hash} if self._hash else {}
        return await done(client.views_update(view_id=self._view, view=view, **known))

    async def _offer_again(self) -> None:
        """The trigger ran out: let the person begin anew with a fresh one."""
        await self._whisper(drawing.again(self.asked.token))

    async def _say(self, showing: Showing) -> None:
        match showing:
            case ShowCard(card):
                await self._whisper(drawing.alone(card))
            case ShowText(text):
                await self._whisper(drawing.line(text))
            case _:
                return

    async def _whisper(self, said: Mapping[str, Any]) -> None:
        """Tell the person alone: by the click's own address, else in the channel."""
        try:
            if self.respond is not None and self.respond.response_url:
                # Bolt's own `respond` says it twice where a connection breaks.
                url = self.respond.response_url
                alone = {"response_type": "ephemeral", "replace_original": False}
                await answered(self.clients.session, url, {**said, **alone})
            elif self.asker.channel is not None:
                client = await self.clients.of(self.asker.account)
                await done(
                    client.chat_postEphemeral(
                        channel=self.asker.channel.id,
                        user=self.asker.person.id,
                        thread_ts=self.asked.thread or None,
                        **said,
                    )
                )
        except AtomError as error:
            self._told(error)

    def _told(self, error: Exception) -> None:
        reason = getattr(error, "code", type(error).__name__)
        log.warning("record answer not shown", platform="slack", reason=reason)
