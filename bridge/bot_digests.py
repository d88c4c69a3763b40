"""
Gather what other bots say into one message now and then.

Each message is queued as it comes, as a delivery of its own (`Operation.DIGEST`) in a
lane of digests. The first of the lane waits: for some minutes, or until enough have
come. Then it is delivered like a post, with the lines of all that wait behind it, and
they end with it in one transaction. So a digest is rebuilt from the outbox after a kill,
is looked up by its marker like any post, and holds each line once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bridge.admission import Admission
from bridge.carrying import Carrying
from bridge.courier import Courier, Done, Later
from bridge.delivery import Delivery, Operation
from bridge.document import Document, Item, Listing, Paragraph, Style, Text
from bridge.errors import StoreUnavailable
from bridge.messages import Channel, Person, PersonKind
from bridge.plain import plain_text
from bridge.ports import History, Lease, Ledger, Outcome
from bridge.tuning import Tuning

_MICRO = 1_000_000
# How often a lane is looked at, to see whether enough have come.
_GLANCE_US = 15 * _MICRO
# Another process's clock may be behind: what it has queued by then is in the outbox.
_SETTLED_US = 1 * _MICRO
_LINE = 240  # characters
_NAMES = 5
_NAME = 40


class Digests(Protocol):
    """The outbox's digest lanes."""

    async def waiting(self, delivery: Delivery, most: int) -> Sequence[Delivery]:
        """
        Return what waits in the delivery's lane to be told, oldest first.

        What an admin queued again is left out: it stands for a digest of its own.
        """
        ...

    async def folded(self, delivery: Delivery) -> Sequence[Delivery]:
        """Return what ended with the digest that an admin has queued again."""
        ...


@dataclass(frozen=True, slots=True)
class Digesting:
    """A courier that lets digests gather. `every_us` apart, or `most` lines at once."""

    courier: Courier
    digests: Digests
    every_us: int = 900 * _MICRO
    most: int = 50

    @property
    def tuning(self) -> Tuning:
        return self.courier.tuning

    def as_noted(self, delivery: Delivery) -> Delivery:
        """Return a delivery that broke as the courier had noted it."""
        return self.courier.as_noted(delivery)

    async def deliver(self, delivery: Delivery, lease: Lease) -> Done | Later:
        """Take a delivery as far as it gets now. Raises `Fenced` if it is not ours."""
        if delivery.operation is not Operation.DIGEST:
            return await self.courier.deliver(delivery, lease)
        try:
            lines = await self._lines(delivery)
        except StoreUnavailable:
            return self._later(delivery, self.tuning.first_pause_us)
        if delivery.key not in {line.key for line in lines}:
            return Done()  # it ended with an earlier digest
        if (wait_us := self._wait_us(delivery, lines)) > 0:
            return self._later(delivery, wait_us)
        return await self._post(delivery, lease, lines)

    async def give_up(
        self, delivery: Delivery, lease: Lease, reason: str
    ) -> Done | Later:
        """End a delivery on the dead-letter list; the lines behind it wait on."""
        ending = await self.courier.give_up(delivery, lease, reason)
        return _as_digest(ending)

    async def _lines(self, delivery: Delivery) -> Sequence[Delivery]:
        if delivery.again:
            return [delivery, *await self.digests.folded(delivery)]
        waiting = await self.digests.waiting(delivery, self.most)
        until = waiting[0].created_us + self.every_us if waiting else 0
        return [line for line in waiting if line.created_us < until]

    def _wait_us(self, delivery: Delivery, lines: Sequence[Delivery]) -> int:
        """Return how long to let it gather. What was tried already gathers no more."""
        if delivery.again or delivery.unknown_since_us or len(lines) >= self.most:
            return 0
        due = lines[0].created_us + self.every_us + _SETTLED_US
        left = due - self.courier.clock()
        return min(left, _GLANCE_US, max(self.every_us // 10, _MICRO // 10))

    async def _post(
        self, delivery: Delivery, lease: Lease, lines: Sequence[Delivery]
    ) -> Done | Later:
        courier = self.courier
        admission = Admission(courier.policy, courier.labels)
        told = Told(courier.ledger, admission, Carrying(courier.links), lines)
        courier = replace(courier, ledger=told)
        post = replace(delivery, operation=Operation.POST)
        return _as_digest(await courier.deliver(post, lease))

    def _later(self, delivery: Delivery, pause_us: int) -> Later:
        return Later(replace(delivery, not_before_us=self.courier.clock() + pause_us))


@dataclass(frozen=True, slots=True)
class Told:
    """A ledger in which a delivery tells many messages, and ends for all of them."""

    ledger: Ledger
    admission: Admission
    carrying: Carrying
    lines: Sequence[Delivery]

    async def history(self, delivery: Delivery) -> History:
        own = await self.ledger.history(delivery)
        found = [(line, await self.ledger.history(line)) for line in self.lines]
        told = [
            story
            for line, story in found
            if not (story.deleted or story.fault) and await self._may(line, story)
        ]
        if not told:
            # Nothing is left to tell: deleted, or denied as its author would be.
            return replace(own, alone=False)
        platform = delivery.source.platform
        author = Person(platform, told[0].author.id, "Digest", kind=PersonKind.BOT)
        return History(own.seq, own.leaf, author, digest(told), 0, deleted=False)

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        return await self.ledger.intend(delivery, lease)

    async def conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, origin: History
    ) -> Delivery:
        if outcome.state.final:
            others = (line for line in self.lines if line.key != delivery.key)
            # What ended with the digest before an admin had it sent again stays so.
            also = () if delivery.again else tuple(others)
            outcome = replace(outcome, folded=also)
        return await self.ledger.conclude(delivery, lease, outcome, origin)

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        return await self.ledger.known(tenant, target, since_us)

    async def _may(self, line: Delivery, story: History) -> bool:
        link = await self.carrying.link(line)
        return not await self.admission.denial(line, story, link)


def digest(stories: Sequence[History]) -> Document:
    """Return one message that holds a line of each, and says whose they are."""
    names = [*dict.fromkeys(_name(story.author) for story in stories)]
    listed = ", ".join(names[:_NAMES])
    if len(names) > _NAMES:
        listed += f" and {len(names) - _NAMES} more"
    count = f"{len(stories)} message{'s' if len(stories) > 1 else ''}"
    head = Paragraph((Text(f"{count} from {listed}", (Style.BOLD,)),))
    several = len(names) > 1
    items = tuple(Item((_line(story, named=several),)) for story in stories)
    return Document((head, Listing(items)))


def _line(story: History, *, named: bool) -> Paragraph:
    words = " ".join(plain_text(story.document).split())
    said = words if len(words) <= _LINE else f"{words[: _LINE - 1].rstrip()}…"
    who = (Text(f"{_name(story.author)}: ", (Style.BOLD,)),) if named else ()
    return Paragraph((*who, Text(said or "(a file)")))


def _name(person: Person) -> str:
    return " ".join(person.name.split())[:_NAME] or "an app"


def _as_digest(ending: Done | Later) -> Done | Later:
    """What is tried again is still a digest."""
    if isinstance(ending, Done):
        return ending
    back = replace(ending.delivery, operation=Operation.DIGEST)
    return Later(back, ending.full)
