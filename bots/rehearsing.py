"""Look ahead at a link: who would read what, which rights lack, how much was said."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bots.commands.names import channel_named
from bridge.digest import standing
from bridge.errors import AtomError
from bridge.history import DAY_US
from bridge.holds import FACTS, Hold, Prober
from bridge.membership import Members, Readers
from bridge.messages import Channel, Event, Person, Platform
from bridge.outlook import Outlook
from bridge.ports import AccessPolicy, Announcer
from bridge.presence import joining, may_not_read
from bridge.recent import Gap, Recent

_ENOUGH = 2_000  # events; above that nobody needs the number
_WITHIN = 15.0  # seconds to read in: somebody waits for the answer
_MOST_ASKED = 2_000  # people of one channel that the policy is asked about


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """
    Implements `bridge.outlook.Rehearses` with what looks after links once they stand.

    Everything here reads. `clock` gives microseconds UTC.
    """

    probers: Mapping[Platform, Prober]
    announcers: Mapping[Platform, Announcer]
    members: Mapping[Platform, Members]
    readers: Mapping[Platform, Readers]
    recent: Mapping[Platform, Recent]
    policy: AccessPolicy
    clock: Callable[[], int]

    async def outlooks(
        self, tenant: str, channels: Sequence[Channel], days: int
    ) -> Sequence[Outlook]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._outlook(tenant, channel, channels, days))
                    for channel in channels
                ]
        except ExceptionGroup as broken:
            # Whoever asked is told one reason, and expects no group of them.
            raise broken.exceptions[0] from broken
        return [task.result() for task in tasks]

    async def _outlook(
        self, tenant: str, channel: Channel, channels: Sequence[Channel], days: int
    ) -> Outlook:
        seen = await self._condition(Outlook(channel))
        seen = await self._people(tenant, seen, [c for c in channels if c != channel])
        return await self._said(seen, days)

    async def _condition(self, seen: Outlook) -> Outlook:
        channel = seen.channel
        prober = self.probers.get(channel.platform)
        if prober is None:
            return replace(seen, hindered=("its platform is switched off",))
        try:
            found = await prober.condition(channel)
        except AtomError as error:
            return replace(seen, hindered=(f"not known: {error}",))
        name = await channel_named(self.announcers, channel)
        causes = sorted(found.causes - FACTS)
        # It is not that ATOM was there before.
        said = tuple(
            Hold(channel, cause).said(name).removesuffix(" any more")
            for cause in causes
        )
        return replace(seen, hindered=said, limits=found.limits)

    async def _people(
        self, tenant: str, seen: Outlook, others: Sequence[Channel]
    ) -> Outlook:
        channel = seen.channel
        try:
            people = await self.members[channel.platform].of(channel)
        except (AtomError, KeyError):
            return seen
        seen = replace(seen, people=len(people))
        try:
            outsiders = await self.readers[channel.platform].outsiders(channel)
            seen = replace(seen, outsiders=len(outsiders))
        except (AtomError, KeyError):
            pass  # who they are is not known, and is said so
        if len(people) > _MOST_ASKED:
            return seen
        kept_out = 0
        for id_ in people:
            asked = joining(tenant, Person(channel.platform, id_), channel, "")
            if await may_not_read(self.policy, asked, others):
                kept_out += 1
        return replace(seen, kept_out=kept_out)

    async def _said(self, seen: Outlook, days: int) -> Outlook:
        recent = self.recent.get(seen.channel.platform)
        if recent is None or not days:
            return seen
        now = self.clock()
        since = now - days * DAY_US
        found: list[Event] = []
        more = False
        try:
            async with asyncio.timeout(_WITHIN):
                async for event in recent.within(Gap(seen.channel, since, since, {})):
                    found.append(event)
                    if more := len(found) >= _ENOUGH:
                        break
        except TimeoutError:
            more = True
        except AtomError as error:
            return replace(seen, unread=str(error))
        said = standing(found, since, now)
        return replace(seen, messages=len(said), more=more)
