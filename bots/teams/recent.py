"""
Read from Microsoft Graph what happened in a channel, in the words of activities.

Graph lists the young threads whole. Of older ones it tells which roots changed, and of
their replies nothing: those in which something may have happened are read one by one.
"""

import json
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
)
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from bots.teams.connector import Connector, Gone, in_path
from bots.teams.graph import Graph, GraphRefused
from bots.teams.groups import grouped
from bots.teams.recalled import (
    Message,
    activities_of,
    is_told,
    people_in,
    reacted,
    reactions_in,
)
from bots.teams.translate import translate
from bots.teams.wire import changed_us, iso, mappings, microseconds, text_of
from bridge.errors import Ambiguous, CannotTell, NotSent, Refused, ServiceUnavailable
from bridge.messages import Channel, Event, EventKind
from bridge.patience import patiently
from bridge.places import Place, PlaceBook
from bridge.recent import Gap, Watch

_PAGE = 50
_REACTORS = 20_000
T = TypeVar("T")

_DELTA_REFUSED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class TeamsRecent:
    """
    Implements `bridge.recent.Recent`, `Single` and `Roots`. `sleep` waits seconds.

    No more than `pages` pages of a listing and `threads` threads are read.
    """

    graph: Graph
    connector: Connector
    places: PlaceBook
    app_id: str
    sleep: Callable[[float], Awaitable[None]]
    pages: int = 200
    threads: int = 500
    watch: Watch | None = None
    reactors: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    async def within(self, gap: Gap) -> AsyncIterator[Event]:
        if gap.watch is not self.watch:
            async for event in replace(self, watch=gap.watch).within(gap):
                yield event
            return
        place = await self._place(gap.channel)
        found = {text_of(m.get("id")): m for m in await self._young(place, gap)}
        changed = {text_of(m.get("id")): m for m in await self._changed(place, gap)}
        for root in self._threads(gap, found, changed):
            replies = await self._replies(place, root)
            found |= {text_of(m.get("id")): m for m in replies}
        found |= changed
        told = [
            message
            for message in found.values()
            if is_told(message, bots=gap.bots)
            and (gap.whole or not is_settled(message, gap))
        ]
        accounts = await self._accounts(place, told)
        events = [
            event
            for message in told
            for event in self._events(gap, place, message, accounts)
        ]
        for event in sorted(events, key=lambda event: event.sent_us):
            yield event

    async def root(self, channel: Channel, message: str) -> list[Event]:
        """Implements `bridge.recent.Roots`."""
        events = await self.one(Gap(channel, 0, 0, {}, bots=True), message, message)
        gone = any(event.kind is EventKind.MESSAGE_DELETE for event in events)
        return [] if gone else events

    async def one(self, gap: Gap, root: str, message: str) -> list[Event]:
        """Implements `bridge.recent.Single`."""
        place = await self._place(gap.channel)
        path = f"{_messages(place)}/{in_path(root)}"
        if message != root:
            path += f"/replies/{in_path(message)}"
        try:
            shown = await self._asked(lambda: self.graph.one(place.account, path))
        except GraphRefused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return []
            raise
        if not is_told(shown, bots=gap.bots):
            return []
        accounts = await self._accounts(place, [shown])
        told = self._events(gap, place, shown, accounts)
        if gap.reacted is not None and not shown.get("deletedDateTime"):
            told += await self._reactions(gap, place, shown, gap.reacted)
        return told

    async def _reactions(
        self,
        gap: Gap,
        place: Place,
        message: Message,
        known: frozenset[tuple[str, str]],
    ) -> list[Event]:
        """Return what became of reactions, by what Graph shows and the log has."""
        people = {one.person for one in reactions_in(message)}
        accounts = {
            person: account
            for person in sorted(people)
            if (account := await self._reactor(place, person))
        }
        return self._translated(gap, message, reacted(message, place, accounts, known))

    async def _reactor(self, place: Place, person: str) -> str:
        """Return how the bot knows somebody; asked once, for reactions are many."""
        key = (place.team, person)
        if key not in self.reactors:
            if account := await self._account(place, person):
                if len(self.reactors) >= _REACTORS:
                    self.reactors.clear()
                self.reactors[key] = account
            return account
        return self.reactors[key]

    async def _place(self, channel: Channel) -> Place:
        place = await self.places.find(channel)
        if place is None or not (place.service_url and place.account):
            raise CannotTell("ATOM was never heard from in this team")
        return await self._asked(lambda: grouped(self.connector, self.places, place))

    async def _young(self, place: Place, gap: Gap) -> list[Message]:
        """Return the threads that were begun since `back_us`, roots and replies."""
        found: list[Message] = []
        path = f"{_messages(place)}?$expand=replies&$top={_PAGE}"
        async for page in self._pages(place, path):
            threads = [[root, *await self._below(place, root)] for root in page]
            found += [message for thread in threads for message in thread]
            last = (max(map(changed_us, thread)) for thread in threads)
            if page and all(us < gap.back_us for us in last):
                break
        return found

    async def _below(self, place: Place, root: Message) -> list[Message]:
        """Return a root's replies, of which a listing holds the first thousand."""
        replies = list(mappings(root.get("replies")))
        if following := text_of(root.get("replies@odata.nextLink")):
            async for page in self._pages(place, following):
                replies += page
        return replies

    async def _changed(self, place: Place, gap: Gap) -> list[Message]:
        """Return the roots of any age that changed in the gap, if Graph tells them."""
        path = (
            f"{_messages(place)}/delta?$filter=lastModifiedDateTime%20gt%20"
            f"{iso(gap.since_us)}&$top={_PAGE}"
        )
        try:
            return [m async for page in self._pages(place, path) for m in page]
        except GraphRefused as refused:
            # To apps Graph has refused this question for years at a time.
            if refused.status in _DELTA_REFUSED:
                return []
            raise

    def _threads(
        self, gap: Gap, found: Collection[str], changed: Collection[str]
    ) -> list[str]:
        """Return old roots below which something may have happened, newest first."""
        known = {known.thread or message for message, known in gap.known.items()}
        old = (known | {*changed}) - {*found}
        return sorted(old, key=_age, reverse=True)[: self.threads]

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
            if self.watch:
                await self.watch.before(_call(path))
            page = await self._asked(lambda: self.graph.page(place.account, asked))  # noqa: B023 - awaited at once
            if self.watch:
                self.watch.read(_call(path), _cursor(path), "")
            yield page.items
            if not (path := page.following):
                return
        raise CannotTell("too much was said to read it all")

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
        activities = activities_of(message, place, accounts, was_deleted=was_deleted)
        return self._translated(gap, message, activities)

    def _translated(
        self, gap: Gap, message: Message, activities: Iterable[Mapping[str, object]]
    ) -> list[Event]:
        raw = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
        events = [
            translate(activity, raw, app_id=self.app_id, now_us=gap.since_us)
            for activity in activities
        ]
        return [event for event in events if isinstance(event, Event)]


def is_settled(message: Message, gap: Gap) -> bool:
    """Say whether the log has all of a message: who wrote it need not be asked."""
    known = gap.known.get(text_of(message.get("id")))
    deleted = bool(message.get("deletedDateTime"))
    if known is None or not known.said or known.deleted != deleted:
        return False
    edited = microseconds(message.get("lastEditedDateTime")) or 0
    return deleted or edited <= known.version_us


class _NobodyThere(CannotTell):
    """What was asked for does not exist, or not any more."""


def _messages(place: Place) -> str:
    group, channel = in_path(place.group_id), in_path(place.channel)
    return f"teams/{group}/channels/{channel}/messages"


def _call(path: str) -> str:
    """Return what a page is a page of, for the record: no ids, no tokens."""
    last = urlsplit(path).path.rstrip("/").rpartition("/")[2]
    return f"graph.{last}"


def _cursor(path: str) -> str:
    """Return the token in a following page's address, shortened to be comparable."""
    query = urlsplit(path).query
    return sha256(query.encode()).hexdigest()[:32] if "token=" in query.lower() else ""


def _age(message: str) -> int:
    """Return the time in a message's id; Teams' ids are milliseconds."""
    return int(message) if message.isdecimal() and message.isascii() else 0
