"""
When to catch up: at every start, when a link carries again, and when Slack says that
it dropped events. In between the watermarks rise, as ATOM hears what happens.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog

from bridge.catchup import CatchUp
from bridge.errors import AtomError, CannotTell, ServiceUnavailable
from bridge.holds import DEAF
from bridge.links import Link, LinkState
from bridge.messages import Channel, Event, Platform
from bridge.ports import Intake, LinkBook, Receipt
from bridge.recent import Watermarks

log = structlog.get_logger()

_DROPPED = ("type", "app_rate_limited")
_AT_ONCE = 4
_LONGEST_PAUSE = 60.0

Place = tuple[str, Channel]


@dataclass(slots=True)
class _Rest:
    """
    Leaving a workspace or team alone that does not answer: a thousand channels that
    ask again, each for itself, would keep it from coming back, and ATOM from its work.
    """

    first: float
    _until: float = 0.0
    _pause: float = 0.0

    @property
    def left(self) -> float:
        """Return for how many more seconds nobody asks."""
        return self._until - monotonic()

    def begin(self) -> None:
        """It does not answer. Of several that asked at once the first one counts."""
        if self.left <= 0:
            self._pause = min(self._pause * 2 or self.first, _LONGEST_PAUSE)
            self._until = monotonic() + self._pause

    def end(self) -> None:
        """It answers."""
        self._until = self._pause = 0.0


@dataclass(slots=True)
class CatchingUp:
    """
    Runs until cancelled.

    `companies` returns the companies' ids, `clock` the time in microseconds. Marks
    rise every `beat` seconds; a platform that does not answer is asked again after
    `again` seconds, for one of a team's channels, and less and less often.
    """

    catch_up: CatchUp
    links: LinkBook
    watermarks: Watermarks
    companies: Callable[[], Awaitable[Sequence[str]]]
    clock: Callable[[], int]
    beat: float = 30.0
    again: float = 5.0
    _waits: dict[str, frozenset[str]] = field(default_factory=dict)
    _wanted: dict[Place, int] = field(default_factory=dict)
    _open: set[Place] = field(default_factory=set)
    _blind: set[Place] = field(default_factory=set)
    _deaf: set[Place] = field(default_factory=set)
    _running: set[Place] = field(default_factory=set)
    _rests: dict[tuple[Platform, str], _Rest] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _slots: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_AT_ONCE)
    )

    async def run(self) -> None:
        await self._look(starting=True)
        async with asyncio.TaskGroup() as group:
            while True:
                for place in set(self._wanted) - self._running:
                    self._running.add(place)
                    group.create_task(self._see_through(place))
                await self._mark()
                try:
                    async with asyncio.timeout(self.beat):
                        await self._news.wait()
                except TimeoutError:
                    pass
                self._news.clear()
                await self._look()

    def link_changed(self, link: str) -> None:
        """A link was changed; look whether it carries again."""
        self._changed.add(link)
        self._news.set()

    @property
    def linked(self) -> frozenset[Place]:
        """The companies' linked channels, as they were when last looked at."""
        return frozenset(self._open)

    def missed_in(self, place: Place, since_us: int) -> None:
        """Not everything that happened in a channel since a time was heard."""
        self._want(place, since_us)
        self._news.set()

    def missed(self, platform: Platform, team: str, since_us: int) -> None:
        """The platform did not send everything that happened since a time."""
        for tenant, channel in self._open:
            if (channel.platform, channel.team) == (platform, team):
                self._want((tenant, channel), since_us)
        self._news.set()

    def _want(self, place: Place, since_us: int = 0) -> None:
        """Note a channel, from the earliest time that somebody named; 0 names none."""
        named = [us for us in (self._wanted.get(place, 0), since_us) if us]
        self._wanted[place] = min(named, default=0)

    async def _look(self, *, starting: bool = False) -> None:
        """Note the linked channels, and those that have to catch up."""
        changed, self._changed = self._changed, set()
        links = await self._all_links()
        for link in links:
            before, now = self._waits.get(link.id, frozenset()), _waits(link)
            # One that was held and let go between two looks was never seen waiting.
            if starting or before - now or (link.id in changed and not now):
                for place in _places(link):
                    self._want(place)
        self._waits = {link.id: _waits(link) for link in links}
        self._open = {place for link in links for place in _places(link)}
        # What happens where ATOM is deaf is not on record: those marks stay.
        self._deaf = {
            (link.tenant, hold.channel)
            for link in links
            for hold in link.holds
            if hold.cause in DEAF
        }

    async def _all_links(self) -> list[Link]:
        while True:
            try:
                return [
                    link
                    for tenant in await self.companies()
                    for link in await self.links.all(tenant)
                ]
            except AtomError as error:
                log.warning("links not read", reason=str(error))
                await asyncio.sleep(self.again)

    async def _see_through(self, place: Place) -> None:
        """Catch up with one channel, however often it takes; others go on."""
        channel, pause = place[1], self.again
        team = (channel.platform, channel.team)
        rest = self._rests.setdefault(team, _Rest(self.again))
        try:
            while place in self._wanted:
                if (left := rest.left) > 0:
                    await asyncio.sleep(left)
                async with self._slots:
                    if rest.left > 0:
                        continue
                    await self._catch_up(place, self._wanted[place], rest)
                if place in self._wanted:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
        finally:
            self._running.discard(place)
            if place in self._wanted:
                self._news.set()

    async def _catch_up(self, place: Place, since_us: int, rest: _Rest) -> None:
        tenant, channel = place
        told = {"platform": channel.platform, "channel": channel.id}
        try:
            news = await self.catch_up.channel(tenant, channel, since_us)
        except CannotTell as error:
            log.warning("channel cannot be read again", **told, reason=str(error))
            self._give_up(place, since_us)
        except AtomError as error:
            if isinstance(error, ServiceUnavailable):
                rest.begin()
            log.warning("catching up interrupted", **told, reason=str(error))
        except Exception:
            # One channel that breaks us must not take the others down with it.
            log.exception("catching up broke", **told)
            self._give_up(place, since_us)
        else:
            rest.end()
            self._done(place, since_us)
            self._blind.discard(place)
            if news:
                log.info("caught up", **told, news=news)

    def _give_up(self, place: Place, since_us: int) -> None:
        """Leave the channel's mark where it is: the next start tries again."""
        self._done(place, since_us)
        self._blind.add(place)

    def _done(self, place: Place, since_us: int) -> None:
        """Forget the wish, unless it was made again meanwhile."""
        if self._wanted.get(place) == since_us:
            del self._wanted[place]

    async def _mark(self) -> None:
        """Raise the marks of all that is heard and has nothing to catch up with."""
        heard: dict[str, list[Channel]] = {}
        heard_of = self._open - self._blind - self._deaf - set(self._wanted)
        for tenant, channel in heard_of:
            heard.setdefault(tenant, []).append(channel)
        now = self.clock()
        for tenant, channels in heard.items():
            try:
                await self.watermarks.raise_to(tenant, channels, now)
            except AtomError as error:
                log.warning("watermarks not raised", reason=str(error))


@dataclass(frozen=True, slots=True)
class Attentive:
    """Implements `bridge.ports.Intake`, and hears when a platform dropped events."""

    intake: Intake
    catching_up: CatchingUp

    async def receive(self, event: Event) -> Receipt:
        receipt = await self.intake.receive(event)
        if _DROPPED in event.detail and not receipt.duplicate:
            self.catching_up.missed(event.platform, event.account, event.sent_us)
        return receipt


def _waits(link: Link) -> frozenset[str]:
    """Return what messages of a link wait for: people's word, and held channels."""
    paused = {"paused"} if link.state is LinkState.PAUSED else set[str]()
    return frozenset(paused | {str(hold.channel) for hold in link.held_by})


def _places(link: Link) -> list[Place]:
    return [(link.tenant, channel) for channel in link.channels]
