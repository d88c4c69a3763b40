"""Who is in a room, where a message is answered, and how followers are told."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bridge.cards import Card
from bridge.composing import Addresses
from bridge.errors import AtomError, BadInput, Refused
from bridge.holds import NEWCOMERS, READERS
from bridge.keeping import Seats
from bridge.links import LinkState
from bridge.membership import Members
from bridge.messages import Channel, PersonKind, Platform
from bridge.ports import Announcer, Copies, Links
from bridge.records.books import Subscription
from bridge.records.desk import Asker
from bridge.records.places import CardPlace, Present

log = structlog.get_logger()

_KEPT = 60.0  # seconds
_WITHIN = 10.0
_MOST = 2_000
_OFF = "that platform is switched off"
_OUTSIDERS = frozenset({PersonKind.GUEST, PersonKind.EXTERNAL})


@dataclass(frozen=True, slots=True)
class CopyThreads:
    """Implements `bridge.records.posting.Threads` by where copies stand."""

    copies: Copies

    async def root(self, tenant: str, cause: str, room: Channel) -> str | None:
        place, _, message = cause.rpartition("/")
        try:
            source = Channel.parse(place)
        except BadInput:
            return None
        for copy in await self.copies.copies_of(tenant, source, message):
            if copy.target == room and not copy.deleted:
                return copy.root
        return None


@dataclass(frozen=True, slots=True)
class CopyPlaces:
    """
    Implements `bridge.records.starting.Places` by where copies stand.

    `told` returns what was brought to a place, as the log has it.
    """

    copies: Copies
    addresses: Mapping[Platform, Addresses]
    told: Callable[[str, Channel, str], Awaitable[str]]

    async def others(
        self, tenant: str, channel: Channel, message: str
    ) -> Sequence[str]:
        try:
            found = await self._stands(tenant, channel, message)
        except AtomError as error:
            log.info("copies not looked up", reason=type(error).__name__)
            return []  # a way there is a nicety
        links = [
            await self.addresses[where.platform].of(where, id_)
            for where, id_ in found
            if where != channel and where.platform in self.addresses
        ]
        return [link for link in links if link]

    async def words(self, tenant: str, channel: Channel, message: str) -> str:
        try:
            return await self.told(tenant, channel, message)
        except AtomError as error:
            log.info("words of a copy not looked up", reason=type(error).__name__)
            return ""  # they stand below its author's line

    async def _stands(
        self, tenant: str, channel: Channel, message: str
    ) -> Sequence[tuple[Channel, str]]:
        """Return where a message stands, whether this is its original or a copy."""
        origin = await self.copies.origin_of(tenant, channel, message)
        source = (origin.source, origin.message) if origin else (channel, message)
        copies = await self.copies.copies_of(tenant, *source)
        first = [c for c in copies if c.part == 1 and not c.deleted]
        return [source, *((each.target, each.remote) for each in first)]


@dataclass(slots=True)
class ListedRooms:
    """
    Implements `bridge.records.places.Rooms`.

    Who is in a channel is asked of its platform and kept for a minute, or until ATOM
    hears that it changed (`forget`). Whoever is in but cannot be named makes the room
    one of which not everybody is known.
    """

    links: Links
    members: Mapping[Platform, Members]
    seats: Mapping[Platform, Seats]
    steady: Callable[[], float]
    kept: float = _KEPT
    _known: dict[Channel, tuple[float, Present]] = field(default_factory=dict)

    async def present(self, tenant: str, channel: Channel) -> Present:
        until, known = self._known.get(channel, (0.0, Present(unknown=True)))
        if until <= self.steady():
            known = await self._asked(channel)
            if len(self._known) >= _MOST:
                self._known.clear()
            kept = self.kept if not known.unknown else min(self.kept, 5.0)
            self._known[channel] = (self.steady() + kept, known)
        if known.outsiders or not await self._read_along(tenant, channel):
            return known
        return Present(known.people, known.unknown, True, known.version)

    async def linked(self, tenant: str, channel: Channel) -> Sequence[Channel]:
        found: dict[Channel, None] = {}
        for link in await self.links.of(tenant, channel):
            if link.state is LinkState.ACTIVE:
                held = {hold.channel for hold in link.held_by}
                found |= dict.fromkeys(
                    each for each in link.others(channel) if each not in held
                )
        return list(found)

    def forget(self, channel: Channel) -> None:
        """Others are in a channel now."""
        self._known.pop(channel, None)

    async def _asked(self, channel: Channel) -> Present:
        members = self.members.get(channel.platform)
        seats = self.seats.get(channel.platform)
        if members is None or seats is None:
            return Present(unknown=True)
        try:
            async with asyncio.timeout(_WITHIN):
                ids = await members.of(channel)
                people = await seats.people(channel)
        except (AtomError, TimeoutError) as error:
            kind = type(error).__name__
            log.info("readers not known", platform=channel.platform, reason=kind)
            return Present(unknown=True)
        unknown = not people or bool(ids - {person.id for person in people})
        outsiders = any(person.kind in _OUTSIDERS for person in people)
        version = ",".join(sorted(f"{p.id}:{p.kind}" for p in people))
        return Present(tuple(people), unknown, outsiders, version)

    async def _read_along(self, tenant: str, channel: Channel) -> bool:
        return any(
            hold.channel == channel and hold.cause in READERS | NEWCOMERS
            for link in await self.links.of(tenant, channel)
            for hold in link.holds
        )


@dataclass(frozen=True, slots=True)
class Announcing:
    """
    Implements `bridge.records.subscribing.Teller` with ATOM's own voice.

    People are told in their own chat with ATOM, on the platform where they asked for it.
    """

    announcers: Mapping[Platform, Announcer]
    places: Mapping[Platform, CardPlace]

    async def tell(self, subscription: Subscription, card: Card) -> None:
        channel = subscription.channel
        reader = Asker.reached(subscription.tenant, subscription.by)
        if channel is not None:
            announcer = self.announcers.get(channel.platform)
            if announcer is None:
                raise Refused(_OFF)
            await announcer.announce(channel, card)
            return
        place = self.places.get(reader.person.platform)
        if place is None:
            raise Refused(_OFF)
        await place.alone(reader.account, reader.person, card)
