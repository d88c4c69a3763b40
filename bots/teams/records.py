"""
What people do with records in Teams, after it was captured.

Teams waits fifteen seconds for a card's answer, and five for a dialog's or a search's.
What comes by then is the answer; else it says "Working…", and what comes later is
shown when it is asked for, and told to the person alone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus

import structlog
from botbuilder.core import InvokeResponse

from bots.record_talks import (
    FORGOTTEN,
    ShowCard,
    ShowForm,
    Showing,
    ShowNothing,
    ShowWrong,
    Talks,
)
from bots.record_talks import Talk as Talking
from bots.teams import record_answers as answers
from bots.teams.adapter import Heard
from bots.teams.adaptive import Json, attachment
from bots.teams.record_asked import READING, Asked, Kind, Surface, asked_in
from bots.teams.record_cards import render
from bots.teams.record_place import TeamsCardPlace
from bridge.errors import AtomError
from bridge.messages import Person, Platform
from bridge.ports import Tenants
from bridge.records.asking import Filled, in_full
from bridge.records.desk import Asker, Preview, RecordDesk, Said
from bridge.records.places import Shown

log = structlog.get_logger()

# Seconds. Teams shows an error after 15 for a card and 5 for a dialog or a list.
_CARD_WITHIN = 8.0
_DIALOG_WITHIN = 3.5
_SEARCH_WITHIN = 3.5

_NO_SEARCH = "Type what to look for: a number, a name, a few words."
_NO_PREVIEW = "There is nothing to show of this link here."

Work = Callable[[Shown], Awaitable[None]]


@dataclass(slots=True)
class TeamsRecords:
    """Answers what is on record already. The limits are in seconds."""

    desk: RecordDesk
    tenants: Tenants
    place: TeamsCardPlace
    card_within: float = _CARD_WITHIN
    dialog_within: float = _DIALOG_WITHIN
    search_within: float = _SEARCH_WITHIN
    talks: Talks = field(default_factory=Talks)

    def asked(self, heard: Heard, *, again: bool) -> Asked | None:
        """Return what is asked of records; of what came before, only what reads."""
        asked = asked_in(heard.activity)
        if asked is None or (again and asked.kind not in READING):
            return None
        form = self.talks.form(asked.token)
        # Some values cannot be sent as they are, and others come back for them.
        return replace(asked, values=in_full(asked.values, form)) if form else asked

    async def answer(self, heard: Heard, asked: Asked) -> InvokeResponse:
        """Answer in time, whatever the business system does."""
        if asked.kind is Kind.MALFORMED:
            return _response(answers.malformed(), HTTPStatus.BAD_REQUEST)
        if asked.kind is Kind.ANONYMOUS:
            return _response(answers.refused(), HTTPStatus.FORBIDDEN)
        asker = await self._asker(heard)
        if asker is None:
            return _response(answers.refused(), HTTPStatus.FORBIDDEN)
        try:
            return _response(await self._answered(asker, heard, asked))
        except AtomError as error:
            return _response(_said(str(error), asked.surface))

    async def aclose(self) -> None:
        await self.talks.aclose()

    async def _answered(self, asker: Asker, heard: Heard, asked: Asked) -> Json:
        match asked.kind:
            case Kind.SEARCH:
                return await self._search(asker, asked.words)
            case Kind.LINK | Kind.SELECT:
                return await self._preview(asker, asked.url)
            case Kind.REFRESH:
                return await self._refresh(asker, heard, asked)
            case Kind.REDRAW:
                return self._redraw(asked)
            case Kind.WAIT:
                talk = self.talks.find(asked.token, asker.name)
                if talk is None:
                    return answers.answer(FORGOTTEN, asked.surface)
                return await self._first(talk, asker, asked)
            case Kind.SUBMIT if self.talks.is_forgotten(asked.token, asked.values):
                return answers.answer(FORGOTTEN, asked.surface)
            case _:
                talk = self.talks.begin(asker.name, self._work(asker, asked))
                return await self._first(talk, asker, asked)

    async def _first(self, talk: Talking, asker: Asker, asked: Asked) -> Json:
        """Return what the talk shows by now, or that it takes a while."""
        if asked.surface is Surface.MESSAGE:
            # A message has no answer: it is told when it is there.
            _ = self.talks.hold(self._later(talk, asker, asked, 0))
            return {}
        dialog = asked.surface is Surface.DIALOG
        within = self.dialog_within if dialog else self.card_within
        news = await talk.next(0, within)
        if news is None:
            if dialog:
                return answers.answer(answers.loading(talk), asked.surface)
            _ = self.talks.hold(self._later(talk, asker, asked, 0))
            return answers.answer(answers.working(talk), asked.surface)
        return answers.answer(self._drawn(news, asked), asked.surface)

    async def _later(self, talk: Talking, asker: Asker, asked: Asked, n: int) -> None:
        """Tell the person alone what came too late to be an answer."""
        while True:
            news = await talk.next(n, None)
            if news is None or isinstance(news, ShowNothing):
                return
            n = talk.count
            try:
                await self._told(asker, self._drawn(news, asked))
            except AtomError as error:
                log.warning("record answer not shown", platform="teams", at=str(error))

    async def _told(self, asker: Asker, shown: Json | str) -> None:
        if asker.channel is None or not shown:
            return
        said: Json = {"type": "message", "summary": "ATOM"}
        if isinstance(shown, str):
            said |= {"textFormat": "plain", "text": shown}
        else:
            said |= {"attachments": [attachment(shown)]}
        await self.place.tell(asker.channel, asker.person, said)

    def _drawn(self, news: Showing, asked: Asked) -> Json | str:
        # What is told alone is a message, where a form is a card like any other.
        if isinstance(news, ShowForm):
            self.talks.keep(news.token, news.form)
        form = self.talks.form(asked.token)
        if isinstance(news, ShowWrong) and form is not None:
            filled = Filled(asked.values, news.fields, news.reason)
            return answers.wrong_form(form, asked.token, asked.surface, filled)
        if isinstance(news, ShowWrong):
            told = answers.drawn(news, asked.surface)
            return f"{told} {FORGOTTEN}" if isinstance(told, str) else told
        return answers.drawn(news, asked.surface)

    def _redraw(self, asked: Asked) -> Json:
        """Offer only what fits what was chosen."""
        form = self.talks.form(asked.token)
        if form is None:
            return answers.answer(FORGOTTEN, asked.surface)
        filled = Filled(asked.values)
        shown = answers.wrong_form(form, asked.token, asked.surface, filled)
        return answers.answer(shown, asked.surface)

    def _work(self, asker: Asker, asked: Asked) -> Work:
        match asked.kind:
            case Kind.SUBMIT:
                return lambda shown: self.desk.submitted(
                    asker, asked.token, asked.values, shown
                )
            case Kind.FROM_MESSAGE | Kind.NEW:
                said = _source(asker, asked)
                return lambda shown: self.desk.start(asker, "", said, shown)
            case _:
                return lambda shown: self.desk.clicked(asker, asked.token, shown)

    async def _search(self, asker: Asker, words: str) -> Json:
        if not words:
            return answers.said(_NO_SEARCH)
        found = await self.desk.find(asker, words, self.search_within)
        return answers.results(found)

    async def _preview(self, asker: Asker, url: str) -> Json:
        """Show a link as everybody in the room may see it; it is still being written."""
        seen = _Seen()
        talk = self.talks.begin(asker.name, seen.work(self.desk, asker, url))
        news = await talk.next(0, self.dialog_within)
        if news is None:
            return answers.said("The system behind this link takes its time.")
        if isinstance(news, ShowCard) and seen.found:
            return answers.previews(seen.found)
        return answers.said(seen.reason or _NO_PREVIEW)

    async def _refresh(self, asker: Asker, heard: Heard, asked: Asked) -> Json:
        """Return the person's own view, or what everybody is shown."""
        talk = self.talks.begin(asker.name, self._viewed(asker, asked.token))
        news = await talk.next(0, self.card_within)
        if isinstance(news, ShowCard):
            return answers.answer(self._drawn(news, asked), asked.surface)
        event = heard.event
        known = self.place.last(event.channel, event.message) if event.channel else None
        return answers.answer(render(known) if known else "", asked.surface)

    def _viewed(self, asker: Asker, token: str) -> Work:
        async def work(shown: Shown) -> None:
            card = await self.desk.view(asker, token)
            if card is not None:
                await shown.card(card)

        return work

    async def _asker(self, heard: Heard) -> Asker | None:
        event = heard.event
        tenant = await self.tenants.tenant_of(event.platform, event.account)
        if tenant is None:
            return None
        return Asker(tenant, event.author, event.account, event.channel)


@dataclass(slots=True)
class _Seen:
    """What a link shows, and why it shows nothing."""

    found: list[Preview] = field(default_factory=list)
    reason: str = ""

    def work(self, desk: RecordDesk, asker: Asker, url: str) -> Work:
        async def work(shown: Shown) -> None:
            for one in await desk.preview(asker, [url], composing=True):
                if one.card is not None:
                    self.found.append(one)
                    await shown.card(one.card)
                self.reason = self.reason or one.reason

        return work


def _source(asker: Asker, asked: Asked) -> Said | None:
    source = asked.source
    if source is None or asker.channel is None:
        return None
    author = Person(Platform.TEAMS, source.author, source.name)
    return Said(
        asker.channel, source.id, source.text, author, source.thread, source.link
    )


def _said(text: str, surface: Surface) -> Json:
    return (
        answers.said(text) if surface is Surface.LIST else answers.answer(text, surface)
    )


def _response(body: Json, status: HTTPStatus = HTTPStatus.OK) -> InvokeResponse:
    return InvokeResponse(status=int(status), body=body)
