"""The outside world as tests want it: small, with state that can be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bridge.cards import Card
from bridge.errors import Conflict, DeliveryFailed, NotFound, ServiceUnavailable
from bridge.history import Wish
from bridge.letters import DeadLetter, Replayed
from bridge.links import Link, LinkState, Offer, refuse_clash, refuse_growth
from bridge.messages import Channel, Person
from bridge.options import LinkOptions
from bridge.ports import LinkStatus


@dataclass
class FakeClock:
    """Microseconds that pass when a test says so."""

    now_us: int = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now_us

    def advance(self, seconds: float) -> None:
        self.now_us += int(seconds * 1_000_000)


@dataclass
class FakeLinkBook:
    """Links in a list; codes count up from CODE-0001."""

    links: list[Link] = field(default_factory=list)
    offers: dict[tuple[str, str], Offer] = field(default_factory=dict)
    actors: list[str] = field(default_factory=list)

    async def of(self, tenant: str, channel: Channel) -> Sequence[Link]:
        return [link for link in await self.all(tenant) if channel in link.channels]

    async def all(self, tenant: str) -> Sequence[Link]:
        return [
            link
            for link in self.links
            if link.tenant == tenant and link.state is not LinkState.REMOVED
        ]

    async def home(self, tenant: str, channel: Channel) -> Channel:
        return channel

    async def add(self, tenant: str, channels: Sequence[Channel], actor: str) -> Link:
        refuse_clash(channels, await self.all(tenant))
        link = Link(
            tenant, f"L{len(self.links) + 1}", tuple(channels), created_by=actor
        )
        self.links.append(link)
        self.actors.append(actor)
        return link

    async def change(self, link: Link, state: LinkState, actor: str) -> Link:
        changed = replace(link, state=state)
        self.links = [changed if known.id == link.id else known for known in self.links]
        self.actors.append(actor)
        return changed

    async def choose(self, link: Link, options: LinkOptions, actor: str) -> Link:
        changed = replace(link, options=options)
        self.links = [changed if known.id == link.id else known for known in self.links]
        self.actors.append(actor)
        return changed

    async def join(self, link: Link, channel: Channel, actor: str) -> Link:
        refuse_growth(link, channel, await self.all(link.tenant))
        return self._kept(replace(link, channels=(*link.channels, channel)), actor)

    async def leave(self, link: Link, channel: Channel, actor: str) -> Link:
        if channel not in link.channels:
            raise NotFound("That channel is not in the link any more.")
        left = link.others(channel)
        if len(left) == 1:
            return await self.change(link, LinkState.REMOVED, actor)
        return self._kept(replace(link, channels=left), actor)

    def _kept(self, changed: Link, actor: str) -> Link:
        self.links = [
            changed if known.id == changed.id else known for known in self.links
        ]
        self.actors.append(actor)
        return changed

    async def offer(self, tenant: str, offer: Offer, actor: str) -> str:
        code = f"CODE-{len(self.offers) + 1:04}"
        self.offers[tenant, code] = offer
        return code

    async def offered(self, tenant: str, code: str) -> Offer:
        offer = await self.take_offer(tenant, code)
        self.offers[tenant, code.upper()] = offer
        return offer

    async def take_offer(self, tenant: str, code: str) -> Offer:
        try:
            return self.offers.pop((tenant, code.upper()))
        except KeyError:
            raise NotFound("That code is unknown, used already or too old.") from None


@dataclass
class FakeRights:
    """Admins by id."""

    admins: set[str] = field(default_factory=set)
    down: bool = False

    async def is_admin(self, person: Person, channel: Channel) -> bool:
        if self.down:
            raise ServiceUnavailable("the platform does not answer")
        return person.id in self.admins


@dataclass
class FakeAnnouncer:
    """Keeps what was announced; `failures` says in which channels it fails, and how."""

    names: dict[Channel, str] = field(default_factory=dict)
    announced: list[tuple[Channel, Card]] = field(default_factory=list)
    failures: dict[Channel, DeliveryFailed] = field(default_factory=dict)

    async def announce(self, channel: Channel, card: Card) -> None:
        if failure := self.failures.get(channel):
            raise failure
        self.announced.append((channel, card))

    async def channel_name(self, channel: Channel) -> str:
        return self.names.get(channel, channel.id)

    def forget(self, channel: Channel) -> None:
        self.names.pop(channel, None)

    def titles(self, channel: Channel) -> list[str]:
        return [card.title for place, card in self.announced if place == channel]


@dataclass
class FakeHealth:
    """Status rows as a test put them."""

    rows: list[LinkStatus] = field(default_factory=list)

    async def status(self, tenant: str) -> Sequence[LinkStatus]:
        return [row for row in self.rows if row.link.tenant == tenant]


@dataclass
class FakeDeadLetters:
    """A list as a test put it; `done` says what was asked of it, and by whom."""

    letters: list[DeadLetter] = field(default_factory=list)
    missing: Replayed = field(default_factory=lambda: Replayed(0, 0, more=False))
    done: list[tuple[str, ...]] = field(default_factory=list)
    quicker: bool = False

    async def all(self, tenant: str, link: str = "") -> Sequence[DeadLetter]:
        return [
            letter
            for letter in self.letters
            if letter.delivery.tenant == tenant and link in {"", letter.delivery.link}
        ]

    async def retry(
        self, letters: Sequence[DeadLetter], actor: str, *, anyway: bool = False
    ) -> None:
        self._take_off("anyway" if anyway else "retry", letters, actor)

    async def drop(
        self, letters: Sequence[DeadLetter], actor: str, reason: str
    ) -> None:
        self._take_off(f"drop: {reason}", letters, actor)

    async def replay(self, link: Link, since_us: int, actor: str) -> Replayed:
        self.done.append(("replay", link.id, str(since_us), actor))
        return self.missing

    def _take_off(self, what: str, letters: Sequence[DeadLetter], actor: str) -> None:
        if self.quicker:
            raise Conflict("Somebody dealt with one of these just now: look again.")
        self.done.append((what, *(letter.number for letter in letters), actor))
        self.letters = [known for known in self.letters if known not in letters]


@dataclass
class FakeWishes:
    """Histories that somebody wants, and how those that are over ended."""

    open: list[Wish] = field(default_factory=list)
    actors: list[str] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)

    async def add(self, wanted: Sequence[Wish], actor: str) -> None:
        self.open += wanted
        self.actors.append(actor)

    async def claim(self, tenant: str, us: int) -> Wish | None:
        return self.open[0] if self.open else None

    async def hold(self, wish: Wish, us: int) -> None:
        assert wish in self.open

    async def close(self, wish: Wish, outcome: str) -> None:
        self.open.remove(wish)
        self.outcomes.append(outcome)
