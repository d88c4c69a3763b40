"""
Compare what is on record with what a platform shows, and make good what is missing.

Catching up trusts the log where it has heard; this trusts nothing. Every id that
stands in the window is compared, what is missing is read in late, and the outcome is
attested, whatever it is: a window that could not be read is never called complete.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.catchup import CatchUp, after, is_news
from bridge.errors import CannotTell
from bridge.messages import Channel, Event, EventKind, Platform
from bridge.options import Bots
from bridge.recent import Gap, Known, Record

VIA = "reconcile"
_SAYS = {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_EDIT, EventKind.COMMAND}
_MILLI = 1_000


class OutOfBudget(CannotTell):
    """No more calls may be made for reconciling, for now."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a platform's history, as it was asked for and answered."""

    call: str
    cursor: str
    request: str


@dataclass(slots=True)
class Reads:
    """Implements `bridge.recent.Watch`: notes the pages, and counts the calls down."""

    budget: "Budget"
    pages: list[Page] = field(default_factory=list)

    async def before(self, call: str) -> None:
        await self.budget.spend(call)

    def read(self, call: str, cursor: str, request: str) -> None:
        self.pages.append(Page(call, cursor, request))


class Budget(Protocol):
    """How many calls reconciling may make."""

    async def spend(self, call: str) -> None:
        """Allow one call, now or after a wait. Raises `OutOfBudget`."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """A channel's messages that were said from `from_us` on and before `to_us`."""

    channel: Channel
    from_us: int
    to_us: int

    def has(self, message: str) -> bool:
        return self.from_us <= said_us(self.channel.platform, message) < self.to_us


@dataclass(frozen=True, slots=True)
class Finding:
    """
    What a window's comparison came to. All are message ids, sorted.

    `shown` stand on the platform, `held` are on record and not deleted; `missing` were
    shown and not held, `vanished` held and not shown. `lost` were said and deleted
    before anybody could read them: nothing brings their words back.
    """

    window: Window
    shown: tuple[str, ...]
    held: tuple[str, ...]
    missing: tuple[str, ...]
    vanished: tuple[str, ...]
    lost: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not (self.missing or self.vanished or self.lost)


@dataclass(frozen=True, slots=True)
class Attested:
    """A finding, what was done about it, and how the platform was read."""

    before: Finding
    after: Finding
    filled: tuple[str, ...]
    pages: tuple[Page, ...]


class Attestations(Protocol):
    """Where findings are put on record. Methods raise `StoreUnavailable`."""

    async def detected(self, tenant: str, finding: Finding) -> None:
        """Something is missing; said before anything is done about it."""
        ...

    async def attest(self, tenant: str, attested: Attested) -> int:
        """Sign what was compared, and return the entry's position."""
        ...

    async def behind(self, tenant: str, window: Window, reason: str) -> None:
        """The window could not be read, or not to its end."""
        ...


@dataclass(frozen=True, slots=True)
class Reconciler:
    """
    Reconciles one channel at a time, on the ground that `catch_up` goes on.

    What is younger than `settled_us` may still be on its way, and is left for later.
    """

    catch_up: CatchUp
    record: Record
    attestations: Attestations
    clock: Callable[[], int]
    look_back_us: int
    settled_us: int = 60 * 1_000_000

    async def channel(
        self,
        tenant: str,
        channel: Channel,
        budget: Budget,
        from_us: int = 0,
        to_us: int = 0,
    ) -> Attested | None:
        """
        Reconcile a window; without a time it is the last `look_back_us`.

        Returns None if the channel is in no link. What breaks it off is on record as
        a window that is behind, and raised: `CannotTell`, `ServiceUnavailable`.
        """
        links = await self.catch_up.standing(tenant, channel)
        if not links:
            return None
        ahead = self.catch_up.ahead_us(channel)
        linked = min(link.since_us(channel) for link in links) + ahead
        now = self.clock() + ahead
        end = min(to_us or now, now - self.settled_us)
        begin = max(from_us or end - self.look_back_us, linked)
        window = Window(channel, begin, max(begin, end))
        bots = any(link.options.bots is not Bots.DROP for link in links)
        try:
            return await self._compared(tenant, window, linked, budget, bots=bots)
        except Exception as error:
            await self.attestations.behind(tenant, window, type(error).__name__)
            raise

    async def _compared(
        self, tenant: str, window: Window, linked: int, budget: Budget, *, bots: bool
    ) -> Attested:
        channel, reads = window.channel, Reads(budget)
        recent = self.catch_up.recent.get(channel.platform)
        if recent is None:
            raise CannotTell("the channel's platform is switched off")
        back = window.from_us - self.look_back_us
        known = await self.record.known(tenant, channel, back)
        gap = Gap(channel, window.from_us, back, known, bots, whole=True, watch=reads)
        began = self.clock()
        told = [event async for event in recent.within(gap)]
        # What was heard while the platform was read is not missing, nor has it gone.
        now = await self.record.known(tenant, channel, back)
        before = compared(window, told, known, now)
        if not before.whole:
            await self.attestations.detected(tenant, before)
        apart = [
            await self.catch_up.told_apart(tenant, event, now, began)
            for event in told
            if window.has(event.message)
        ]
        await self._fill(tenant, window, apart, now, linked)
        held = await self.record.known(tenant, channel, back)
        done = compared(window, told, held, held)
        filled = tuple(m for m in before.missing if m in done.held)
        attested = Attested(before, done, filled, tuple(reads.pages))
        await self.attestations.attest(tenant, attested)
        return attested

    async def _fill(
        self,
        tenant: str,
        window: Window,
        told: Sequence[Event],
        now: Mapping[str, Known],
        linked: int,
    ) -> None:
        """Read in what is missing, each thread in its order, and note what is gone."""
        known = dict(now)
        for event in told:
            if not is_news(event, known, linked):
                continue
            await self.catch_up.take(tenant, window.channel, event, VIA)
            known[event.message] = after(event, known.get(event.message))


def compared(
    window: Window,
    told: Iterable[Event],
    known: Mapping[str, Known],
    now: Mapping[str, Known],
) -> Finding:
    """
    Compare what a platform told with the log before (`known`) and after reading it.

    Only ids count, and only of messages that were said within the window.
    """
    events = [event for event in told if window.has(event.message)]
    gone = {e.message for e in events if e.kind is EventKind.MESSAGE_DELETE}
    back = {e.message for e in events if e.kind is EventKind.MESSAGE_RESTORE}
    shown = {e.message for e in events if e.kind in _SAYS} - (gone - back)
    held = {m for m, k in now.items() if window.has(m) and k.said and not k.deleted}
    before = {m for m, k in known.items() if k.said and not k.deleted}
    deleted = {m for m, k in now.items() if k.deleted}
    unsaid = {m for m, k in now.items() if window.has(m) and not k.said and k.deleted}
    lost = unsaid | {m for m in gone if m not in now}
    return Finding(
        window,
        tuple(sorted(shown)),
        tuple(sorted(held)),
        missing=tuple(sorted(shown - held - deleted)),
        vanished=tuple(sorted((held & before) - shown)),
        lost=tuple(sorted(lost)),
    )


def said_us(platform: Platform, message: str) -> int:
    """Return when a message was said, as its id tells; 0 if it tells nothing."""
    if platform is Platform.TEAMS:
        digits = message.isascii() and message.isdecimal()
        return int(message) * _MILLI if digits else 0
    seconds, _, fraction = message.partition(".")
    if not (seconds.isascii() and seconds.isdecimal()):
        return 0
    micros = fraction[:6].ljust(6, "0")
    return int(seconds) * 1_000_000 + (int(micros) if micros.isdecimal() else 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a channel stands: what decides who is reconciled first."""

    channel: Channel
    attested_to_us: int
    lost_lately: int = 0
    messages: int = 0

    def risk(self, now_us: int) -> float:
        """
        Return how much may be missing: what was said, times how long nobody looked.

        A channel that nobody ever compared comes before all that somebody did, and
        one that lost something lately counts as three times as busy.
        """
        hours = (now_us - self.attested_to_us) / 3_600_000_000
        busy = 1 + self.messages * (3 if self.lost_lately else 1)
        return hours * busy


def in_risk_order(standings: Iterable[Standing], now_us: int) -> list[Standing]:
    """Return the riskiest first; by address where they are alike."""
    return sorted(standings, key=lambda s: (-s.risk(now_us), str(s.channel)))


@dataclass(slots=True)
class Calls:
    """
    Implements `Budget`: at most `most` calls, `apart` seconds between them.

    For Slack's regime of one call a minute that is `apart=60`.
    """

    sleep: Callable[[float], Awaitable[None]]
    apart: float = 0.0
    most: int = 0
    made: int = 0

    async def spend(self, call: str) -> None:
        if self.most and self.made >= self.most:
            raise OutOfBudget(f"no call of {call} is left for this round")
        self.made += 1
        if self.apart and self.made > 1:
            await self.sleep(self.apart)
