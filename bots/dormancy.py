"""
Links that go dormant and wake: ask the platforms where events leave a doubt, and tell
people once of each.

What events say is written down with the events (`bridge/lifecycle.py`). Not everything
is said: Teams tells no bot that a channel was archived, and nobody tells that an app
whose token stands in the settings was installed again. So what is held is asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog

from bots.commands.announce import announce_everywhere
from bots.commands.names import channel_named
from bridge.cards import Button, Card, Tone
from bridge.errors import AtomError
from bridge.holds import FACTS, Cause, Condition, Hold, Prober
from bridge.lifecycle import Consequence
from bridge.links import Link
from bridge.messages import Channel, Event, Platform
from bridge.ports import Announcer
from bridge.relay import unguarded
from storage.dormancy import StoredHolds
from storage.links import StoredLinks

log = structlog.get_logger()

Place = tuple[str, Channel]

_LONGEST_PAUSE = 60.0
_DAY_US = 86_400_000_000
_WAKES = "what waited crosses now, and what was missed is caught up with."


@dataclass(slots=True)
class Dormancy:
    """
    Runs until cancelled. `followed` is to be called after an event's consequences
    were written, `link_changed` when links were.

    What is held is asked for every `every` seconds, and what could not be told again
    after `again` seconds, and less and less often. Messages wait `patience_us`. Of
    companies that are `guarded` every linked channel is asked for at the start: guests
    may have come while nobody listened.
    """

    links: StoredLinks
    holds: StoredHolds
    probers: Mapping[Platform, Prober]
    announcers: Mapping[Platform, Announcer]
    companies: Callable[[], Awaitable[Sequence[str]]]
    patience_us: int
    every: float = 300.0
    again: float = 5.0
    guarded: Callable[[str], bool] = unguarded
    _unsure: set[Place] = field(default_factory=set)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        pause, ask_at, first = self.again, monotonic(), True
        while True:
            self._news.clear()
            try:
                tenants = await self.companies()
                if first:
                    self._unsure |= await self._linked(tenants)
                    first = False
                if monotonic() >= ask_at:
                    ask_at = monotonic() + self.every
                    self._unsure |= await self._held(tenants)
                await self._ask()
                for tenant in tenants:
                    await self._tell(tenant)
            except AtomError as error:
                log.warning("dormant links not looked after", reason=str(error))
                self._news.clear()
                await asyncio.sleep(self.again)
            pause = min(pause * 2, _LONGEST_PAUSE) if self._unsure else self.again
            left = max(0.0, ask_at - monotonic())
            try:
                async with asyncio.timeout(min(left, pause) if self._unsure else left):
                    await self._news.wait()
            except TimeoutError:
                continue

    def link_changed(self, _link: str) -> None:
        """A link, or what is known of its channels, has changed: look for news."""
        self._news.set()

    async def followed(
        self, tenant: str, event: Event, follows: Sequence[Consequence]
    ) -> None:
        """Let everybody here know what an event changed. It is written already."""
        try:
            await self.links.refresh(tenant)
            linked = {c for link in await self.links.all(tenant) for c in link.channels}
        except AtomError as error:
            log.warning("links not read again", reason=str(error))
            return
        for one in follows:
            if not one.ask:
                continue
            self._unsure |= {(tenant, c) for c in linked if one.scope.covers(c)}
        if event.channel and (announcer := self.announcers.get(event.platform)):
            announcer.forget(event.channel)
        self._news.set()

    async def noticed(self, channel: Channel, condition: Condition) -> None:
        """Take over what somebody saw of a channel on the way."""
        try:
            for tenant in await self.companies():
                if await self.links.of(tenant, channel):
                    await self._settle((tenant, channel), condition)
        except AtomError as error:
            log.warning("a channel's condition not kept", reason=str(error))

    async def installed(self, platform: Platform, team: str) -> None:
        """The app was installed somewhere: ask how the channels there are now."""
        for tenant in await self.companies():
            for link in await self.links.all(tenant):
                here = [c for c in link.channels if c.platform is platform]
                self._unsure |= {(tenant, c) for c in here if team in {"", c.team}}
        self._news.set()

    async def _linked(self, tenants: Sequence[str]) -> set[Place]:
        return {
            (tenant, channel)
            for tenant in tenants
            if self.guarded(tenant)
            for link in await self.links.all(tenant)
            for channel in link.channels
        }

    async def _held(self, tenants: Sequence[str]) -> set[Place]:
        return {
            (tenant, hold.channel)
            for tenant in tenants
            for link in await self.links.all(tenant)
            for hold in link.holds
        }

    async def _ask(self) -> None:
        """Ask for what is unsure, one after the other; what fails stays unsure."""
        failed: set[Platform] = set()
        for place in sorted(self._unsure):
            tenant, channel = place
            prober = self.probers.get(channel.platform)
            if prober is None or channel.platform in failed:
                continue
            try:
                condition = await prober.condition(channel)
            except AtomError as error:
                failed.add(channel.platform)
                told = {"platform": channel.platform, "channel": channel.id}
                log.warning("a channel cannot be asked for", **told, reason=str(error))
                continue
            self._unsure.discard(place)
            if await self.links.of(tenant, channel):
                await self._settle(place, condition)

    async def _settle(self, place: Place, condition: Condition) -> None:
        tenant, channel = place
        links = await self.links.of(tenant, channel)
        holds = {
            hold.cause
            for link in links
            for hold in link.holds
            if hold.channel == channel
        }
        await self.holds.settle(tenant, channel, condition.among(frozenset(holds)))

    async def _tell(self, tenant: str) -> None:
        for news in await self.holds.untold(tenant):
            if (tenant, news.hold.channel) in self._unsure:
                continue  # it may not even be so
            links = await self.links.of(tenant, news.hold.channel)
            if await self.holds.take(tenant, news, links):
                if news.hold.cause in FACTS:
                    continue  # it keeps nothing from crossing by itself
                told = {"cause": news.hold.cause, "links": [link.id for link in links]}
                log.info(
                    "channel carries again" if news.over else "channel held", **told
                )
                for link in links:
                    await self._announce(link, news.hold, over=news.over)

    async def _announce(self, link: Link, hold: Hold, *, over: bool) -> None:
        held = {other.channel for other in link.held_by}
        if over == (hold.channel in held):
            return
        hearers = [c for c in link.others(hold.channel) if c not in held]
        name = await channel_named(self.announcers, hold.channel)
        if over:
            card = Card("This channel's link is awake", f"{name}: {_WAKES}", Tone.GOOD)
        else:
            card = self._sleeping(hold, name)
        await announce_everywhere(self.announcers, hearers, card)
        if hold.cause is Cause.EXTERNAL:
            # Outsiders read this one: it names nothing of the other side.
            await announce_everywhere(
                self.announcers, [hold.channel], _in_public(over=over)
            )

    def _sleeping(self, hold: Hold, name: str) -> Card:
        days = self.patience_us / _DAY_US
        text = f"{hold.said(name)}. Messages wait, for {days:.3g} days at most."
        if hold.cause is Cause.EXTERNAL:
            text += (
                " Nothing crosses until it is shared no more, or an admin allows it."
            )
        return Card(
            "This channel's link is dormant",
            text,
            Tone.WARNING,
            (),
            _CHOICES[hold.cause is Cause.EXTERNAL],
        )


_ALLOW = Button("Let outsiders read along", "options external=allow")
_CHOICES = {
    True: (_ALLOW, Button("Show status", "status")),
    False: (Button("Show status", "status"),),
}


def _in_public(*, over: bool) -> Card:
    if over:
        return Card("This channel's link is awake", _WAKES.capitalize(), Tone.GOOD)
    text = "People of another organisation read along here, so nothing crosses."
    return Card("This channel's link is dormant", text, Tone.WARNING)
