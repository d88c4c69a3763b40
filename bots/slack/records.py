"""
What people do with records in Slack, after it was captured.

Slack waits three seconds for an answer, and a trigger opens a modal for as long. What
comes by then is shown at once; else a modal says "Working…", and is filled later.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond

from bots.commands.answering import NOT_SET_UP
from bots.record_talks import (
    FORGOTTEN,
    ShowForm,
    Showing,
    ShowNothing,
    ShowText,
    ShowWrong,
    Talk,
    Talks,
)
from bots.slack import record_drawing as drawing
from bots.slack.clients import Clients, done
from bots.slack.payload import string
from bots.slack.record_asked import FROM_MESSAGE, NEW, Asked, Kind, asked_in, text_in
from bots.slack.record_cards import ACTION_PREFIX, CARD_VIEW
from bots.slack.record_entries import ENTRY_PREFIX, errors_for, values_of
from bots.slack.record_forms import FORM_VIEW
from bots.slack.record_window import Window
from bridge.errors import AtomError, BadInput
from bridge.messages import Event, Person, Platform
from bridge.ports import People, Tenants
from bridge.records.asking import Filled
from bridge.records.desk import Asker, RecordDesk, Said
from bridge.records.places import Shown

log = structlog.get_logger()

_PATIENCE = 0.8  # seconds until a modal says that it takes a while
_ACK_WITHIN = 2.2  # seconds; Slack shows an error after 3

Work = Callable[[Shown], Awaitable[None]]


@dataclass(slots=True)
class SlackRecords:
    """
    Answers clicks, modals and shortcuts that are on record already.

    `patience` is how long nothing is shown, `ack_within` how long a submitted form
    waits for what comes of it, both in seconds. `people` tell names: in interactions
    Slack has people's handles only.
    """

    desk: RecordDesk
    tenants: Tenants
    clients: Clients
    patience: float = _PATIENCE
    ack_within: float = _ACK_WITHIN
    talks: Talks = field(default_factory=Talks)
    people: People | None = None

    async def answer(
        self,
        event: Event,
        body: Mapping[str, Any],
        ack: AsyncAck,
        respond: AsyncRespond | None,
    ) -> None:
        """Acknowledge in time, whatever the business system does, and go on."""
        asked = asked_in(body)
        if asked is None or asked.kind is Kind.CLOSED:
            await ack()
            return
        if asked.kind is Kind.CHOICE:
            await ack()
            await self._chosen(event, asked)
            return
        if asked.kind is not Kind.SUBMIT:
            await ack()
        asker = await self._asker(event, asked)
        if asker is None:
            await self._unknown(asked, ack, respond, event)
            return
        talk = self.talks.begin(asker.name, self._named(asker, asked))
        window = Window(self.clients, self.talks, asker, asked, respond)
        if asked.kind is Kind.SUBMIT:
            _ = self.talks.hold(
                window.follow(talk, None, await self._acknowledged(talk, window, ack))
            )
        else:
            # A shortcut and a modal's button ask for a modal whatever comes.
            patience = self.patience if asked.kind is Kind.CLICK else 0.0
            await window.follow(talk, patience)

    async def aclose(self) -> None:
        await self.talks.aclose()

    def _named(self, asker: Asker, asked: Asked) -> Work:
        """Return the work, as somebody whose name is known by then."""

        async def work(shown: Shown) -> None:
            person, channel = asker.person, asker.channel
            known: Mapping[str, Person] = {}
            if self.people and channel:
                known = await self.people.lookup(channel, [person.id])
            named = replace(person, name=known.get(person.id, person).name)
            await self._work(replace(asker, person=named), asked)(shown)

        return work

    def _work(self, asker: Asker, asked: Asked) -> Work:
        match asked.kind:
            case Kind.SUBMIT:
                form = self.talks.form(asked.token)
                values = values_of(asked.view.state, form) if asked.view else {}
                if self.talks.is_forgotten(asked.token, values):
                    return lambda shown: shown.wrong(FORGOTTEN, {})
                return lambda shown: self.desk.submitted(
                    asker, asked.token, values, shown
                )
            case Kind.FROM_MESSAGE:
                return lambda shown: self._from_message(asker, asked, shown)
            case Kind.NEW:
                return lambda shown: self.desk.start(asker, "", None, shown)
            case _:
                return lambda shown: self.desk.clicked(asker, asked.token, shown)

    async def _from_message(self, asker: Asker, asked: Asked, shown: Shown) -> None:
        said = await self._said(asker, asked)
        await self.desk.start(asker, "", said, shown)

    async def _said(self, asker: Asker, asked: Asked) -> Said:
        """Return the message that a record is made from, with its own address."""
        message = asked.message
        ts = string(message, "ts")
        if asker.channel is None or not ts:
            raise BadInput("That message cannot be made a record of.")
        link = ""
        try:
            client = await self.clients.of(asker.account)
            channel = asker.channel.id
            answer = await done(
                client.chat_getPermalink(channel=channel, message_ts=ts)
            )
            link = string(answer, "permalink")
        except AtomError as error:
            log.info("message has no permalink", reason=type(error).__name__)
        author = string(message, "user") or string(message, "bot_id")
        return Said(
            asker.channel,
            ts,
            text_in(message),
            Person(Platform.SLACK, author, string(message, "username")),
            string(message, "thread_ts"),
            link,
        )

    async def _acknowledged(self, talk: Talk, window: Window, ack: AsyncAck) -> int:
        """Answer a submitted form; returns how much of the talk is shown by that."""
        news = await talk.next(0, self.ack_within)
        if news is None:
            view = drawing.keeping(drawing.working(), window.asker.channel, "")
            await ack(response_action="update", view=view)
            window.took_over(waiting=True)
            return 0
        seen = talk.count
        await ack(**self._order(window, news))
        window.took_over(waiting=False)
        return seen

    def _order(self, window: Window, news: Showing) -> dict[str, Any]:
        """Return what Slack is to do with the form that was submitted."""
        token = window.asked.token
        match news:
            case ShowNothing():
                return {"response_action": "clear"}
            case ShowWrong(reason, fields) if at := _at_inputs(
                window.asked, reason, fields, known=self.talks.form(token) is not None
            ):
                return {"response_action": "errors", "errors": at}
            case ShowForm(form, token):
                self.talks.keep(token, form)
            case _:
                pass
        view = drawing.keeping(window.view_of(news), window.asker.channel, token)
        return {"response_action": "update", "view": view}

    async def _chosen(self, event: Event, asked: Asked) -> None:
        """Offer only what fits the choice that was made."""
        form = self.talks.form(asked.token)
        if form is None or asked.view is None:
            return  # what does not fit is told when the form is submitted
        filled = Filled(values_of(asked.view.state, form))
        view = drawing.form(form, asked.token, filled)
        view = drawing.keeping(view, asked.view.channel, asked.token)
        try:
            client = await self.clients.of(event.account)
            await done(
                client.views_update(
                    view_id=asked.view.id, hash=asked.view.hash, view=view
                )
            )
        except AtomError as error:
            reason = getattr(error, "code", type(error).__name__)
            log.info("choices not narrowed", platform="slack", reason=reason)

    async def _asker(self, event: Event, asked: Asked) -> Asker | None:
        tenant = await self.tenants.tenant_of(event.platform, event.account)
        if tenant is None:
            return None
        # In a modal Slack names no channel: it was kept when the modal was opened.
        channel = event.channel or asked.channel
        return Asker(tenant, event.author, event.account, channel)

    async def _unknown(
        self,
        asked: Asked,
        ack: AsyncAck,
        respond: AsyncRespond | None,
        event: Event,
    ) -> None:
        if asked.kind is Kind.SUBMIT:
            view = drawing.shown(NOT_SET_UP)
            await ack(response_action="update", view=view)
            return
        asker = Asker("", event.author, event.account, event.channel)
        window = Window(self.clients, self.talks, asker, asked, respond)
        await window.show(ShowText(NOT_SET_UP.text))


def listen(app: AsyncApp, handler: Callable[..., Awaitable[None]]) -> None:
    """Let a handler hear of everything that may be asked of records."""
    for prefix in (ACTION_PREFIX, ENTRY_PREFIX):
        app.action(re.compile(f"^{re.escape(prefix)}"))(handler)
    for callback in (FORM_VIEW, CARD_VIEW):
        app.view(callback)(handler)
        app.view_closed(callback)(handler)
    for callback in (FROM_MESSAGE, NEW):
        app.shortcut(callback)(handler)


def _at_inputs(
    asked: Asked, reason: str, fields: Mapping[str, str], *, known: bool
) -> dict[str, str]:
    """
    Return the errors by block, if each of them is of an input in the form.

    A form that is not `known` any more cannot be shown anew: then all of it stands at
    inputs, so that what was entered stays.
    """
    state = asked.view.state if asked.view else {}
    there = set(values_of(state)) >= set(fields)
    if known and (reason or not fields or not there):
        return {}  # the form is shown anew, with a line of its own for what is wrong
    return errors_for(state, fields, reason)
