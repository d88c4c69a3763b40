"""Find records from chat, look at one, begin a new one."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.connect import Whisper
from bots.commands.mentioned import mentioned
from bots.commands.record_answers import Later, RecordAnswer
from bridge.cards import Button, Card, Tone
from bridge.errors import BadInput
from bridge.messages import Channel, Platform
from bridge.records.cards import RecordCard
from bridge.records.desk import Asker, Found
from bridge.records.knowing import ACCOUNT, CONTACT
from bridge.records.searching import Search, Searching
from bridge.records.starting import Starting
from bridge.records.whose import Whose

_WITHIN = 2.0  # seconds; Slack takes an answer within 3
_LATER_WITHIN = 20.0  # seconds more, for systems that are late
_TOLD_ALONE = Card(
    "Answered to you alone",
    "Whose contact somebody is, not everybody here may be told.",
)


def asker_of(request: Request) -> Asker:
    return Asker(request.tenant, request.person, request.account, request.channel)


def words_of(request: Request) -> str:
    """Return what was typed behind the command's name, as it was typed."""
    return request.text.strip().partition(" ")[2].strip()


def others_read(channel: Channel) -> bool:
    """Whether others read the answer to a command: in Slack it is for one alone."""
    return channel.platform is not Platform.SLACK and not channel.is_own_chat


@dataclass(frozen=True, slots=True)
class Lookup:
    """
    Searches for somebody, and draws for whoever reads the answer.

    In Slack only who asks sees it. In Teams everybody in the channel does, so it is
    drawn for the room. What is late is waited for `later_within` seconds more, after
    the answer; both limits are in seconds, by the clock `steady`.
    """

    searching: Searching
    whose: Whose
    whisper: Whisper
    within: float = _WITHIN
    later_within: float = _LATER_WITHIN
    steady: Callable[[], float] = monotonic

    async def answer(self, request: Request, kinds: Sequence[str] = ()) -> Card:
        asker = asker_of(request)
        search = await self.searching.begun(asker, words_of(request), kinds)
        found = await self.searching.seen(search, self.within)
        later = None if found.complete else partial(self._later, request, search)
        return await self._drawn(request, search, found, later)

    async def _later(
        self, request: Request, search: Search, *, each: bool
    ) -> AsyncIterator[Card]:
        """Give the answer again as late systems come, or once for all of them."""
        until = self.steady() + self.later_within
        while (left := until - self.steady()) > 0:
            found = await self.searching.more(search, left, some=each)
            if found is None:
                return
            yield await self._drawn(request, search, found)
            if found.complete:
                return

    async def _drawn(
        self,
        request: Request,
        search: Search,
        found: Found,
        later: Later | None = None,
    ) -> Card:
        if others_read(request.channel):
            found = await self.searching.for_room(search.asker, found)
        exact = _exact(found, words_of(request)) if search.kinds else None
        return replace(_answer(request, found, exact), later=later)

    async def of_person(self, request: Request, user: str, kind: str) -> Card:
        """
        Answer with the contact that somebody in chat is, or with its account.

        It is for who asks alone, found or not; where nobody can be told alone, it is
        drawn for the room.
        """
        asker, apart = asker_of(request), others_read(request.channel)
        traced = await self.whose.find(asker, user, kind, self.within, apart=apart)
        found = traced.found
        if apart:
            if await self.whisper(request, _answer(request, found, _only(found))):
                return _TOLD_ALONE
            found = await self.whose.for_room(asker, traced)
        return _answer(request, found, _only(found))


def _answer(request: Request, found: Found, exact: RecordCard | None) -> RecordAnswer:
    again = () if found.complete else (Button("Look again", request.text.strip()),)
    if exact is not None:
        return RecordAnswer("Found", "One record.", buttons=again, record=exact)
    text = "\n".join(f"{line.system}: {line.text}" for line in found.lines)
    tone = Tone.PLAIN if found.cards else Tone.WARNING
    title = f"Found for {found.words}" if found.cards else "Nothing found"
    return RecordAnswer(title, text, tone, buttons=again, found=found)


def _exact(found: Found, words: str) -> RecordCard | None:
    """Return the record that was asked for by its number, or the only one."""
    named = [card for card in found.cards if card.key.casefold() == words.casefold()]
    return named[0] if named else _only(found)


def _only(found: Found) -> RecordCard | None:
    return found.cards[0] if len(found.cards) == 1 and found.complete else None


@dataclass(frozen=True, slots=True)
class Find:
    """Searches all business systems at once."""

    name: ClassVar[str] = "find"
    usage: ClassVar[str] = "find WORDS"
    summary: ClassVar[str] = "search all business systems at once, as yourself"

    lookup: Lookup

    async def run(self, request: Request) -> Card:
        if not words_of(request):
            raise BadInput(f"Type `{spoken(request.channel.platform, self.usage)}`.")
        return await self.lookup.answer(request)


@dataclass(frozen=True, slots=True)
class OfKind:
    """One command for each kind of record that people talk of: `case`, `deal`."""

    name: str
    kinds: tuple[str, ...]
    what: str
    lookup: Lookup
    starting: Starting
    makes: str = ""

    @property
    def usage(self) -> str:
        new = " | new" if self.makes else ""
        person = " or @PERSON" if self.name in _OF_PEOPLE else ""
        return f"{self.name} KEY or WORDS{person}{new}"

    @property
    def summary(self) -> str:
        return f"show {self.what}" + (", or begin a new one" if self.makes else "")

    async def run(self, request: Request) -> Card:
        words = words_of(request)
        if not words:
            raise BadInput(f"Type `{spoken(request.channel.platform, self.usage)}`.")
        if self.makes and (wanted := _NEW.fullmatch(words)):
            kind = f"{wanted[1]}/{self.makes}" if wanted[1] else self.makes
            card = await self.starting.offered(asker_of(request), kind)
            return RecordAnswer("New record", "Fill in its form.", record=card)
        if self.name in _OF_PEOPLE and (user := mentioned(words)):
            return await self.lookup.of_person(request, user, self.name)
        return await self.lookup.answer(request, self.kinds)


def commands_of_kinds(lookup: Lookup, starting: Starting) -> tuple[OfKind, ...]:
    """Return a command for each kind, by the names that people know."""
    return tuple(
        OfKind(name, kinds, what, lookup, starting, makes)
        for name, (kinds, what, makes) in KINDS.items()
    )


# `new`, and of which system where several have that kind.
_NEW = re.compile(r"new(?:\s+([\w-]+)(?:/\w+)?)?", re.IGNORECASE)
_OF_PEOPLE = frozenset({ACCOUNT, CONTACT})
KINDS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "case": (("case",), "a case in Salesforce", "case"),
    "opp": (("opportunity",), "an opportunity in Salesforce", "opportunity"),
    "account": (("account",), "an account in Salesforce, or somebody's", "account"),
    "contact": (("contact",), "a contact, or whose contact somebody is", "contact"),
    "incident": (("incident",), "an incident in ServiceNow", "incident"),
    "change": (("change", "change_request"), "a change in ServiceNow", "change"),
    "catalog": (
        ("item", "catalog_item", "catalog"),
        "what can be ordered in ServiceNow",
        "",
    ),
    "jira": (("issue",), "an issue in Jira", "issue"),
    "deal": (("deal",), "a deal in HubSpot", "deal"),
}
