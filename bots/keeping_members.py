"""
Keep who is in linked channels to the company's policy, where their links ask for it.

A look lists everybody, asks the policy about each, and does what is to be done, one
after the other and not too fast. What was done is on record before it is done, and
doing it again does no harm, so a lost answer is looked at again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from bridge.access import Decision
from bridge.directory.model import Standing, Subject
from bridge.errors import AtomError, Refused
from bridge.keeping import NEVER, Departures, Ended, Plan, Seat, Seats, Wish, plan
from bridge.lifecycle import of_team
from bridge.links import Link, LinkState
from bridge.membership import inviter, joined, left
from bridge.messages import Channel, Event, EventKind, Person, Platform
from bridge.options import Members
from bridge.ports import AccessPolicy, LinkBook
from bridge.presence import inviting, joining, may_be_in

log = structlog.get_logger()

_BUILT_IN = (
    "atom-"  # how ATOM's own rules are called: they let people in, not want them
)
_PAUSE = 1.2  # seconds between two changes on one platform
_EVERY = 300.0
_SETTLE = 0.2  # changes come in rows
_AT_ONCE = 200
_WANTED = {Standing.ACTIVE, Standing.LOCKED}


class Everybody(Protocol):
    """Who there is in a company's directory."""

    def configured(self, tenant: str) -> bool: ...

    def subjects(self, tenant: str) -> Sequence[Subject]: ...


Accounts = Callable[[str, Subject, Platform], Iterable[tuple[str, str]]]
Tell = Callable[[Link, Plan], Awaitable[None]]


async def told_nobody(_link: Link, _plan: Plan) -> None:
    """The default: nobody is told."""


@dataclass(slots=True)
class Keeping:
    """
    Runs until cancelled; `stir` has it look soon.

    `accounts` returns what somebody may be invited under on a platform: the workspace
    or tenant, and the id. `tell` is told of what is wrong, or waits, in a channel.
    """

    policy: AccessPolicy
    directory: Everybody
    links: LinkBook
    seats: Mapping[Platform, Seats]
    departures: Departures
    accounts: Accounts
    companies: Callable[[], Awaitable[Sequence[str]]]
    tell: Tell = told_nobody
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    every: float = _EVERY
    pause: float = _PAUSE
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _agreed: dict[tuple[str, Channel], str] = field(default_factory=dict)
    _brought: dict[tuple[str, Channel], list[Event]] = field(default_factory=dict)
    _ours: set[tuple[str, Channel, str]] = field(default_factory=set)

    def stir(self, *_about: object) -> None:
        """Something has changed that it may hang on: look soon."""
        self._news.set()

    async def run(self) -> None:
        while True:
            try:
                for tenant in await self.companies():
                    if self.directory.configured(tenant):
                        await self.look(tenant)
            except AtomError as error:
                log.warning("members not kept to policy", reason=str(error))
            try:
                async with asyncio.timeout(self.every):
                    await self._news.wait()
            except TimeoutError:
                continue
            await self.sleep(_SETTLE)
            self._news.clear()

    async def look(self, tenant: str) -> None:
        """Bring every channel of every link that asks for it into line."""
        brought = {place: e for place, e in self._brought.items() if place[0] == tenant}
        for place in brought:
            del self._brought[place]
        for link in await self.links.all(tenant):
            if link.state is LinkState.REMOVED or link.options.members is Members.OFF:
                continue
            for channel in link.channels:
                try:
                    for event in brought.get((tenant, channel), ()):
                        await self._judge(link, channel, event)
                    await self._keep(link, channel)
                except AtomError as error:
                    where = {"link": link.id, "platform": channel.platform}
                    log.warning("members not kept", **where, reason=str(error))

    async def planned(self, link: Link, channel: Channel) -> Plan | None:
        """Say what is to be done in a channel, and do nothing."""
        seats = self.seats.get(channel.platform)
        if seats is None or not self.directory.configured(link.tenant):
            return None
        people = [
            Seat(person, await self._may_be_in(link, channel, person))
            for person in await seats.people(channel)
        ]
        ended = await self.departures.ended(link.tenant, channel)
        wish = link.options.members
        belong: Sequence[str] = ()
        if wish is Members.INVITE or Ended.SYNC in ended.values():
            belong = await self._belong(link, channel, ended)
        agreed = self._agreed.get((link.tenant, channel), "")
        return plan(channel, people, belong, ended, Wish(wish, agreed))

    def agree(self, tenant: str, channel: Channel, digest: str) -> None:
        """Let removals happen that wait for an admin, exactly these."""
        self._agreed[tenant, channel] = digest
        self.stir()

    async def put_out(self, tenant: str, channel: Channel, user: str, why: str) -> None:
        """Take somebody out of a channel, on record before it is done."""
        text = f"{user} is taken out of {channel}: {why}"
        await self.departures.note(tenant, channel, user, Ended.SYNC, text)
        await self._seats(channel).remove(channel, user)

    async def let_in(self, tenant: str, channel: Channel, user: str, why: str) -> None:
        """Let somebody into a channel, and put it on record."""
        # Teams may name an owner as who let them in.
        self._ours.add((tenant, channel, user))
        await self._seats(channel).invite(channel, user)
        text = f"{user} is let into {channel}: {why}"
        await self.departures.back(tenant, channel, user, text)

    async def followed(self, tenant: str, event: Event) -> None:
        """Take in that people came or went; it is on record already."""
        channel = event.channel
        moves = {EventKind.MEMBER_JOIN, EventKind.MEMBER_LEAVE}
        if channel is None or event.kind not in moves:
            return
        if not self.directory.configured(tenant):
            return
        kept = {
            one
            for link in await self.links.all(tenant)
            if link.options.members is not Members.OFF
            for one in link.channels
            if one == channel or (of_team(channel) and one.team == channel.team)
        }
        for one in sorted(kept):
            await self._moved(tenant, one, event)
            if inviter(event):
                self._brought.setdefault((tenant, one), []).append(event)
        if kept:
            self.stir()

    async def _moved(self, tenant: str, channel: Channel, event: Event) -> None:
        known = await self.departures.ended(tenant, channel)
        for user in sorted(left(event)):
            self._ours.discard((tenant, channel, user))
            if known.get(user) not in {Ended.SYNC, Ended.SENT}:
                text = f"{user} left {channel}"
                await self.departures.note(tenant, channel, user, Ended.CHOICE, text)
        for user in sorted(joined(event)):
            if user in known:
                text = f"{user} is in {channel} again"
                await self.departures.back(tenant, channel, user, text)

    async def _judge(self, link: Link, channel: Channel, event: Event) -> None:
        """Undo that somebody let others in who may not; those may come themselves."""
        people = {one.id: one for one in await self._seats(channel).people(channel)}
        by = people.get(inviter(event))
        if by is None or by.kind in NEVER:  # ATOM lets people in as well
            return
        decision = await self.policy.decide(inviting(link.tenant, by, channel, link.id))
        if decision.allowed or decision.unsure:
            return
        ours = {user for *place, user in self._ours if place == [link.tenant, channel]}
        brought = [
            people[user] for user in sorted(joined(event) & people.keys() - ours)
        ]
        brought = [one for one in brought if not await self._wanted(link, channel, one)]
        if brought and link.options.members is Members.REPORT:
            wrong = tuple(Seat(one, decision) for one in brought)
            await self.tell(link, Plan(channel, wrong))
            return
        for one in brought:
            why = f"{by.id} let them in, who may not ({decision.rule})"
            await self._try(link, self._sent_back(link.tenant, channel, one.id, why))

    async def _wanted(self, link: Link, channel: Channel, person: Person) -> bool:
        """Whether a rule of the company's own has somebody there, or it is a bot."""
        if person.kind in NEVER:
            return True
        decision = await self._may_be_in(link, channel, person)
        return decision.allowed and not decision.rule.startswith(_BUILT_IN)

    async def _sent_back(
        self, tenant: str, channel: Channel, user: str, why: str
    ) -> None:
        # Nothing brings them back but themselves.
        text = f"{user} is taken out of {channel}: {why}"
        await self.departures.note(tenant, channel, user, Ended.SENT, text)
        await self._seats(channel).remove(channel, user)

    async def _keep(self, link: Link, channel: Channel) -> None:
        found = await self.planned(link, channel)
        if found is None:
            return
        if found.braked or (found.wrong and not found.remove):
            await self.tell(link, found)
        for seat in found.remove:
            decision = seat.decision
            why = f"{decision.rule}: {decision.reason}".rstrip(": ")
            await self._try(
                link, self.put_out(link.tenant, channel, seat.person.id, why)
            )
        for user in found.invite:
            why = "the company's policy wants them there"
            await self._try(link, self.let_in(link.tenant, channel, user, why))

    async def _try(self, link: Link, change: Awaitable[None]) -> None:
        """Make one change; that one cannot be made keeps no other from it."""
        try:
            await change
        except AtomError as error:
            log.warning("a member not moved", link=link.id, reason=str(error))
        await self.sleep(self.pause)

    async def _belong(
        self, link: Link, channel: Channel, ended: Mapping[str, Ended]
    ) -> list[str]:
        """
        Return whom the policy wants in a channel, by what they are invited under.

        ATOM's own rules let everybody in; wanted is whom the company's name.
        """
        found: list[str] = []
        for n, subject in enumerate(self.directory.subjects(link.tenant)):
            if n % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if subject.standing not in _WANTED:
                continue
            accounts = self.accounts(link.tenant, subject, channel.platform)
            for account, user in accounts:
                person = Person(channel.platform, user)
                decision = await self._may_be_in(link, channel, person, account)
                wanted = not decision.rule.startswith(_BUILT_IN) or user in ended
                if decision.allowed and wanted:
                    found.append(user)
        return found

    async def _may_be_in(
        self, link: Link, channel: Channel, person: Person, account: str = ""
    ) -> Decision:
        asked = joining(link.tenant, person, channel, link.id, account)
        return await may_be_in(self.policy, asked, link.others(channel))

    def _seats(self, channel: Channel) -> Seats:
        seats = self.seats.get(channel.platform)
        if seats is None:
            raise Refused(f"{channel.platform.title()} is switched off.")
        return seats
