"""
Tell the other side now and then who joined and left a linked channel, in one message.

The time is cut into equal pieces. Of each that is over, what the log has heard is told,
under a name that only one message can have: whichever process is first queues it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import structlog

from bots.core import Core, clock_us
from bridge.access import Action, Asked, Decision
from bridge.delivery import Operation
from bridge.document import Document, Paragraph, Style, Text
from bridge.errors import AtomError
from bridge.links import Link, LinkState
from bridge.messages import (
    HISTORY,
    Channel,
    Event,
    EventKind,
    Person,
    PersonKind,
    Platform,
)
from bridge.options import Joins
from bridge.places import PlaceBook
from bridge.ports import AccessPolicy, Commitment, Journal, LinkBook, People
from bridge.relay import planned
from storage.log_reader import LogEntry, LogReader
from storage.rows import clean_id

log = structlog.get_logger()

_FAR = 20_000  # entries of the log's end
_PIECES = 3  # that are looked at: a process may have been away for a while
_SETTLED_US = 1_000_000  # what another process wrote by then is there
_NAMES = 30
_MOVES = {EventKind.MEMBER_JOIN, EventKind.MEMBER_LEAVE}
_CLOSED = {"private", "shared"}  # channels with members of their own
_HEARD = set(Platform)
_APPS = {PersonKind.BOT, PersonKind.SYSTEM}


@dataclass(slots=True)
class JoinDigests:
    """
    Runs until cancelled, for links that chose `joins=digest`.

    `every_us` is how long a piece is. `shown_name` says what somebody may be called in
    a company; whom the policy lets say nothing across is counted and not named.
    """

    reader: LogReader
    journal: Journal
    links: LinkBook
    policy: AccessPolicy
    people: Mapping[Platform, People]
    places: PlaceBook
    shown_name: Callable[[str, str], str]
    companies: Callable[[], Awaitable[Sequence[str]]]
    clock: Callable[[], int]
    every_us: int
    _told: set[tuple[str, str, Channel, int]] = field(default_factory=set)

    async def run(self) -> None:
        pause = min(self.every_us / 10_000_000, 15.0)
        while True:
            try:
                for tenant in await self.companies():
                    await self.look(tenant)
            except AtomError as error:
                log.warning("joins not told", reason=str(error))
            await asyncio.sleep(pause)

    async def look(self, tenant: str) -> None:
        """Tell what is over and was not told. Raises `StoreUnavailable`."""
        now = (self.clock() - _SETTLED_US) // self.every_us
        pieces = range(max(now - _PIECES, 0), now)
        self._told = {one for one in self._told if one[3] in pieces}
        wanted = [
            (tenant, link, channel, piece)
            for link in await self.links.all(tenant)
            if link.options.joins is Joins.DIGEST and link.state is LinkState.ACTIVE
            for channel in link.channels
            for piece in pieces
            if (tenant, link.id, channel, piece) not in self._told
            and link.since_us(channel) < (piece + 1) * self.every_us
        ]
        if not wanted:
            return
        size = (await self.reader.heads()).get(tenant, 0)
        entries = await self.reader.between(tenant, size - _FAR, size, _MOVES)
        for _, link, channel, piece in wanted:
            await self._tell(link, channel, piece, entries)
            self._told.add((tenant, link.id, channel, piece))

    async def _tell(
        self, link: Link, channel: Channel, piece: int, entries: Sequence[LogEntry]
    ) -> None:
        heard = {clean_id(channel.id)}
        if channel.platform is Platform.TEAMS:
            place = await self.places.find(channel)
            if place is None or place.kind not in _CLOSED:
                # Whoever comes into the team comes into all of its other channels.
                heard.add(clean_id(channel.team))
        since_us = piece * self.every_us
        moved = moves(entries, heard, since_us, self.every_us)
        if not moved:
            return
        source = self.people.get(channel.platform)
        known = await source.lookup(channel, moved) if source else {}
        people = {i: known.get(i, Person(channel.platform, i)) for i in moved}
        lines = []
        decisions: dict[Decision, None] = {}
        for word, joined in (("joined", True), ("left", False)):
            named: list[str] = []
            others = 0
            for id_ in (i for i, came in moved.items() if came is joined):
                if people[id_].kind in _APPS:
                    continue
                decision = await self._decided(link, channel, people[id_])
                decisions[decision] = None
                name = self.shown_name(link.tenant, people[id_].name)
                if decision.allowed and name and len(named) < _NAMES:
                    named.append(name)
                else:
                    others += 1
            if named or others:
                lines.append(said(named, others, word))
        if lines:
            await self._queue(link, channel, piece, lines, tuple(decisions))

    async def _decided(self, link: Link, channel: Channel, person: Person) -> Decision:
        """Whoever may be heard in all of the link may be named there."""
        first, *others = [
            await self.policy.decide(
                Asked(link.tenant, person, Action.POST, channel, target, link.id)
            )
            for target in link.others(channel)
        ]
        return next((d for d in (first, *others) if not d.allowed), first)

    async def _queue(
        self,
        link: Link,
        channel: Channel,
        piece: int,
        lines: Sequence[str],
        decisions: tuple[Decision, ...],
    ) -> None:
        where = blake2b(str(channel).encode(), digest_size=6).hexdigest()
        name = f"{HISTORY}joins-{link.id}-{where}.{piece}"
        event = Event(
            platform=channel.platform,
            account=channel.team,
            event_id=name,
            kind=EventKind.HISTORY_POST,
            channel=channel,
            author=Person(channel.platform, "", "ATOM"),
            sent_us=self.clock(),
            raw=b"",
            message=name,
            document=Document(
                tuple(Paragraph((Text(line, (Style.ITALIC,)),)) for line in lines)
            ),
            via="joins",
        )
        posts = planned(link.tenant, event, Operation.POST, channel, [link])
        # Who is not named is why nobody is told more, and not why nothing is told.
        allowed = tuple(each for each in decisions if each.allowed)
        await self.journal.append(Commitment(link.tenant, event, allowed, tuple(posts)))


def moves(
    entries: Sequence[LogEntry], heard: Collection[str], since_us: int, span_us: int
) -> dict[str, bool]:
    """Return who came (True) and went in a time; who did both is where they were."""
    first: dict[str, bool] = {}
    last: dict[str, bool] = {}
    for entry in entries:
        row = entry.row
        if row["platform"] not in _HEARD or row["conv"] not in heard:
            continue  # or it was found by listing everybody, and may be long ago
        if not since_us <= row["cap_us"] < since_us + span_us or entry.erased:
            continue
        came = entry.etype == EventKind.MEMBER_JOIN
        told = (entry.body.get("detail") or {}).get("joined" if came else "left", "")
        for id_ in told.split() or [entry.body["author"]["id"]]:
            first.setdefault(id_, came)
            last[id_] = came
    return {id_: came for id_, came in last.items() if came is first[id_] and id_}


def said(named: Sequence[str], others: int, word: str) -> str:
    """Return a line such as "Ada, Bob and 2 more joined"."""
    if not named:
        return f"{others} {'person' if others == 1 else 'people'} {word}"
    more = f" and {others} more" if others else ""
    return f"{', '.join(named)}{more} {word}"


def join_digests(core: Core, people: Mapping[Platform, People]) -> JoinDigests:
    return JoinDigests(
        core.log,
        core.journal,
        core.links,
        core.policy,
        people,
        core.places,
        core.leaving.leaving.shown_name,
        core.company_ids,
        clock_us,
        int(core.settings.tuning.joins_every * 1_000_000),
    )
