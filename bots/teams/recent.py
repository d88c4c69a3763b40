"""
Read from Microsoft Graph what happened in a channel, in the words of activities.

Graph tells which roots changed, and of replies nothing: the threads in which something
may have happened are read one by one.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from bots.teams.connector import Connector, Gone, in_path
from bots.teams.graph import Graph, GraphRefused
from bots.teams.groups import grouped
from bots.teams.recalled import Message, activities_of, is_told, people_in
from bots.teams.translate import translate
from bots.teams.wire import iso, microseconds, text_of
from bridge.errors import Ambiguous, CannotTell, NotSent, Refused, ServiceUnavailable
from bridge.messages import Channel, Event
from bridge.patience import patiently
from bridge.places import Place, PlaceBook
from bridge.recent import Gap

_PAGE = 50
T = TypeVar("T")

_DELTA_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class TeamsRecent:
    """
    Implements `bridge.recent.Recent`. `sleep` waits seconds.

    No more than `pages` pages of a listing and `threads` threads are read.
    """

    graph: Graph
    connector: Connector
    places: PlaceBook
    app_id: str
    sleep: Callable[[float], Awaitable[None]]
    pages: int = 200
    threads: int = 500

    async def within(self, gap: Gap) -> AsyncIterator[Event]:
        place = await self._place(gap.channel)
        found = {text_of(m.get("id")): m for m in await self._roots(place, gap)}
        for root in self._threads(gap, found):
            replies = await self._replies(place, root)
            found |= {text_of(m.get("id")): m for m in replies}
        told = [message for message in found.values() if is_told(message)]
        accounts = await self._accounts(place, told)
        events = [
            event
            for message in told
            for event in self._events(gap, place, message, accounts)
        ]
        for event in sorted(events, key=lambda event: event.sent_us):
            yield event

    async def _place(self, channel: Channel) -> Place:
        place = await self.places.find(channel)
        if place is None or not place.service_url:
            raise CannotTell("ATOM was never heard from in this team")
        return await self._asked(lambda: grouped(self.connector, self.places, place))

    async def _roots(self, place: Place, gap: Gap) -> list[Message]:
        """Return the roots that changed; where Graph cannot say, all young ones."""
        messages = _messages(place)
        changed = (
            f"{messages}/delta?$filter=lastModifiedDateTime%20gt%20"
            f"{iso(gap.since_us)}&$top={_PAGE}"
        )
        try:
            return [m async for page in self._pages(place, changed) for m in page]
        except GraphRefused as refused:
            # To apps Graph has refused this question for years at a time.
            if refused.status not in _DELTA_REFUSED:
                raise
        found: list[Message] = []
        async for page in self._pages(place, f"{messages}?$top={_PAGE}"):
            found += page
            if page and all(_changed_us(message) < gap.back_us for message in page):
                break
        return found

    def _threads(self, gap: Gap, roots: Iterable[str]) -> list[str]:
        """Return the roots below which something may have happened, newest first."""
        known = {known.thread or message for message, known in gap.known.items()}
        return sorted({*roots} | known, key=_age, reverse=True)[: self.threads]

    async def _replies(self, place: Place, root: str) -> list[Message]:
        path = f"{_messages(place)}/{in_path(root)}/replies?$top={_PAGE}"
        try:
            return [m async for page in self._pages(place, path) for m in page]
        except GraphRefused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return []
            raise

    async def _pages(self, place: Place, path: str) -> AsyncIterator[list[Message]]:
        for _ in range(self.pages):
            asked = path
            page = await self._asked(lambda: self.graph.page(place.account, asked))  # noqa: B023 - awaited at once
            yield page.items
            if not (path := page.following):
                return

    async def _accounts(
        self, place: Place, messages: Iterable[Message]
    ) -> Mapping[str, str]:
        """Return how the bot knows people, by their directory ids."""
        wanted = {person for message in messages for person in people_in(message)}
        accounts: dict[str, str] = {}
        for person in sorted(wanted):
            if account := await self._account(place, person):
                accounts[person] = account
        return accounts

    async def _account(self, place: Place, person: str) -> str:
        conversation = in_path(place.channel or place.team)
        path = f"v3/conversations/{conversation}/members/{in_path(person)}"
        try:
            member = await self._asked(
                lambda: self.connector.call("GET", place.service_url, path)
            )
        except _NobodyThere:
            return ""  # left the team meanwhile
        return text_of(member.get("id"))

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        try:
            return await patiently(ask, self.sleep)
        except Gone as gone:
            raise _NobodyThere(str(gone)) from gone
        except Refused as refused:
            raise CannotTell(str(refused)) from refused
        except (Ambiguous, NotSent) as error:
            raise ServiceUnavailable(str(error)) from error

    def _events(
        self, gap: Gap, place: Place, message: Message, accounts: Mapping[str, str]
    ) -> list[Event]:
        known = gap.known.get(text_of(message.get("id")))
        was_deleted = known is not None and known.deleted
        raw = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
        events = [
            translate(activity, raw, app_id=self.app_id, now_us=gap.since_us)
            for activity in activities_of(
                message, place, accounts, was_deleted=was_deleted
            )
        ]
        return [event for event in events if isinstance(event, Event)]


class _NobodyThere(CannotTell):
    """What was asked for does not exist, or not any more."""


def _messages(place: Place) -> str:
    group, channel = in_path(place.group_id), in_path(place.channel)
    return f"teams/{group}/channels/{channel}/messages"


def _changed_us(message: Message) -> int:
    changed = microseconds(message.get("lastModifiedDateTime"))
    return changed or microseconds(message.get("createdDateTime")) or 0


def _age(message: str) -> int:
    """Return the time in a message's id; Teams' ids are milliseconds."""
    return int(message) if message.isdecimal() and message.isascii() else 0
