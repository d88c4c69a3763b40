"""Keep up with who is in the linked channels: at every start, link, and now and then."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog

from bots.core import Core, clock_us
from bridge.errors import AtomError
from bridge.links import LinkState
from bridge.membership import Members
from bridge.messages import Channel, Platform
from bridge.ports import LinkBook
from storage.compliance.membership.intervals import Membership
from storage.courtesy import Courtesy

log = structlog.get_logger()

_EVERY = 6 * 3600.0
_BEAT = 30.0

Place = tuple[str, Channel]


@dataclass(slots=True)
class Rosters:
    """
    Runs until cancelled. `companies` returns the companies' ids.

    Members' comings and goings are heard as events; what was before the link, and
    what was not heard, is found by listing everybody. A list that is not whole
    changes nothing.
    """

    members: Mapping[Platform, Members]
    membership: Membership
    links: LinkBook
    companies: Callable[[], Awaitable[Sequence[str]]]
    courtesy: Courtesy = field(default_factory=Courtesy)
    every: float = _EVERY
    beat: float = _BEAT
    _listed: dict[Place, float] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        while True:
            try:
                for company in await self.companies():
                    await self.look(company)
            except AtomError as error:
                log.warning("members not listed", reason=str(error))
            try:
                async with asyncio.timeout(self.beat):
                    await self._news.wait()
            except TimeoutError:
                pass
            self._news.clear()

    def link_changed(self, _link: str) -> None:
        """There may be a channel of which nobody knows the members yet."""
        self._news.set()

    async def look(self, company: str) -> None:
        """List the members of the channels whose turn it is."""
        for link in await self.links.all(company):
            if link.state is LinkState.REMOVED:
                continue
            for channel in link.channels:
                if self._is_due((company, channel)):
                    await self._list(company, channel)

    def _is_due(self, place: Place) -> bool:
        last = self._listed.get(place)
        return last is None or last + self.every <= monotonic()

    async def _list(self, company: str, channel: Channel) -> None:
        source = self.members.get(channel.platform)
        if source is None:
            return
        self._listed[company, channel] = monotonic()
        await self.courtesy.turn()
        try:
            people = await source.of(channel)
        except AtomError as error:
            log.info(
                "members cannot be listed",
                platform=channel.platform,
                channel=channel.id,
                reason=str(error),
            )
            return
        await self.membership.found(company, channel, people)


def rosters(
    built: Core, members: Mapping[Platform, Members], courtesy: Courtesy
) -> Rosters:
    """Build it on the platforms that are switched on."""
    return Rosters(
        members,
        Membership(built.database.hot, built.acts, clock_us),
        built.links,
        built.company_ids,
        courtesy,
    )
