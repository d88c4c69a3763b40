"""
Bring what was said before a link across it: one digest a side, the rest below it.

What is read goes into the log first, message by message, with the decision on each.
What has been posted is in the log as well: whoever goes on after an interruption
leaves out what a post holds already, and a post's number can be used once only.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bridge.access import Action, Asked, Decision, Label
from bridge.delivery import Delivery, Operation
from bridge.digest import Said, first_part, heading, standing, told
from bridge.document import Document
from bridge.enforcement import asked_of, outsiders
from bridge.errors import CannotTell
from bridge.labelling import Labeller
from bridge.links import Link, LinkState
from bridge.mentions import mentioned
from bridge.messages import (
    HISTORY,
    Channel,
    Event,
    EventKind,
    Person,
    Platform,
)
from bridge.ports import AccessPolicy, Announcer, Commitment, Journal, Links, People
from bridge.recent import Gap, Recent

VIA = "backfill"
MOST_DAYS = 30
DAY_US = 24 * 3600 * 1_000_000

# How old a thread may be that somebody still replied in.
_THREADS_US = 7 * DAY_US
_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Wish:
    """One side's history, from `since_us` to `until_us`, for channels of a link."""

    tenant: str
    id: str
    link: str
    source: Channel
    targets: tuple[Channel, ...]
    since_us: int
    until_us: int

    @property
    def days(self) -> int:
        return round((self.until_us - self.since_us) / DAY_US)

    def message(self, n: int) -> str:
        """Return the name under which the log keeps the nth post; 0 is the root."""
        return f"{HISTORY}{self.id}.{n}"


def wishes(
    link: Link, days: int, name: Callable[[], str], joined: Channel | None = None
) -> list[Wish]:
    """
    Return what has to be brought across: every side's history, to all the others.

    If a channel has `joined` just now, the others know each other's already. `name`
    gives a new wish its name.
    """
    found: list[Wish] = []
    for source in link.channels:
        targets = link.others(source)
        if joined is not None and source != joined:
            targets = (joined,)
        until = max(link.since_us(channel) for channel in (source, *targets))
        since = until - days * DAY_US
        found.append(Wish(link.tenant, name(), link.id, source, targets, since, until))
    return found


class Wishes(Protocol):
    """Which histories are still to be brought across."""

    async def add(self, wanted: Sequence[Wish], actor: str) -> None:
        """Keep wishes, and put on record whose they are."""
        ...

    async def claim(self, tenant: str, us: int) -> Wish | None:
        """Take an open wish for so long, if there is one that nobody works on."""
        ...

    async def hold(self, wish: Wish, us: int) -> None:
        """Keep working on it for so long."""
        ...

    async def close(self, wish: Wish, outcome: str) -> None:
        """Be done with a wish, for the reason that `outcome` states."""
        ...


class Archive(Protocol):
    """What the log says about a history."""

    async def posted(self, wish: Wish) -> Sequence[frozenset[str]]:
        """Return which messages each of its posts holds, the root's first."""
        ...

    async def crossed(self, wish: Wish) -> Collection[str]:
        """Return messages of its channel that were captured since the link, by ear."""
        ...

    async def idle(self, wish: Wish) -> bool:
        """Say whether nothing waits to be delivered on the link."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """One post of a digest, and which messages it holds."""

    n: int
    document: Document
    messages: tuple[str, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Historian:
    """
    Brings histories across, whenever nothing else is to be delivered.

    `sleep` waits seconds, and `pause` is how many lie between two posts. `clock` gives
    microseconds UTC.
    """

    recent: Mapping[Platform, Recent]
    people: Mapping[Platform, People]
    announcers: Mapping[Platform, Announcer]
    policy: AccessPolicy
    journal: Journal
    links: Links
    wishes: Wishes
    archive: Archive
    clock: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]
    pause: float
    lease_us: int
    labels: Labeller | None = None

    async def bring(self, wish: Wish) -> str:
        """
        Bring a history across, as far as it is not there yet; returns how it ended.

        Raises `CannotTell` if ATOM may not read it, `ServiceUnavailable` and
        `StoreUnavailable` if it has to be tried again.
        """
        said = await self._captured(wish)
        crossed = await self.archive.crossed(wish)
        wanted = [one for one in said if one.id not in crossed]
        if not wanted:
            return "nothing was said"
        posted = list(await self.archive.posted(wish))
        while True:
            done = frozenset[str]().union(*posted)
            rest = [one for one in wanted if one.id not in done]
            if posted and not rest:
                return f"{len(wanted)} messages in {len(posted)} posts"
            if (link := await self._turn(wish)) is None:
                return "the link has ended"
            part = first_part(rest) if posted else rest
            page = await self._page(wish, len(posted), part)
            if await self._post(wish, link, page):
                posted.append(frozenset(page.messages))
                await self.sleep(self.pause)
            else:
                # Another process was quicker, or this one before it died.
                posted = list(await self.archive.posted(wish))

    async def _captured(self, wish: Wish) -> list[Said]:
        """Read what was said, and put it on record. Denied messages are left out."""
        recent = self.recent.get(wish.source.platform)
        if recent is None:
            raise CannotTell("the channel's platform is switched off")
        back = wish.since_us - _THREADS_US
        gap = Gap(wish.source, wish.since_us, back, {})
        events = [event async for event in recent.within(gap)]
        said = standing(events, wish.since_us, wish.until_us)
        found: list[Said] = []
        for n in range(0, len(said), _TOGETHER):
            found += [
                one
                for each in said[n : n + _TOGETHER]
                if (one := await self._kept(wish, each))
            ]
            await self.wishes.hold(wish, self.lease_us)
        return found

    async def _kept(self, wish: Wish, said: Said) -> Said | None:
        decision = await self._decided(wish, said)
        for event in dict.fromkeys((said.created, said.newest)):
            told = replace(event, via=VIA)
            await self.journal.append(Commitment(wish.tenant, told, (decision,), ()))
        return replace(said, decision=decision) if decision.allowed else None

    async def _decided(self, wish: Wish, said: Said) -> Decision:
        """
        Return the strictest answer for all channels: one post brings it to all of them.

        What is said now counts, wherever it was said differently before.
        """
        event, link = said.newest, await self._link(wish)
        wanted = set(wish.targets) & set(link.channels) if link else set[Channel]()
        label = Label.PUBLIC
        if self.labels:
            label = self.labels.label(wish.tenant, event.document, event.files)
        asked = Asked(
            wish.tenant,
            said.created.author,
            Action.POST,
            wish.source,
            link=wish.link,
            account=event.account,
            label=label,
        )
        decision: Decision | None = None
        for target in sorted(wanted):
            about = replace(asked, target=target, outsiders=outsiders(link, target))
            decision = await asked_of(self.policy, about, link)
            if not decision.allowed:
                return replace(decision, target=str(target))
        return decision or await self.policy.decide(asked)

    async def _turn(self, wish: Wish) -> Link | None:
        """Wait until the link has nothing else to do; None if it has ended."""
        while True:
            link = await self._link(wish)
            if link is None:
                return None
            await self.wishes.hold(wish, self.lease_us)
            if link.state is LinkState.ACTIVE and await self.archive.idle(wish):
                return link
            await self.sleep(self.pause)

    async def _link(self, wish: Wish) -> Link | None:
        for link in await self.links.of(wish.tenant, wish.source):
            if link.id == wish.link and set(wish.targets) & set(link.channels):
                return link
        return None

    async def _post(self, wish: Wish, link: Link, page: Page) -> bool:
        """Queue a post; returns whether nobody had used its number yet."""
        event = Event(
            platform=wish.source.platform,
            account=wish.source.team,
            event_id=wish.message(page.n),
            kind=EventKind.HISTORY_POST,
            channel=wish.source,
            author=Person(wish.source.platform, "", "ATOM"),
            sent_us=self.clock(),
            raw=b"",
            message=wish.message(page.n),
            thread=wish.message(0) if page.n else "",
            document=page.document,
            detail=(("messages", " ".join(page.messages)),),
            via=VIA,
        )
        targets = [t for t in wish.targets if t in link.channels]
        deliveries = tuple(_delivery(wish, event, target) for target in targets)
        receipt = await self.journal.append(
            Commitment(wish.tenant, event, page.decisions, deliveries)
        )
        return not receipt.duplicate

    async def _page(self, wish: Wish, n: int, part: Sequence[Said]) -> Page:
        """Return the nth post of a digest. `part` is all of it for the root."""
        decisions = tuple({one.decision: None for one in part if one.decision})
        if n == 0:
            announcer = self.announcers.get(wish.source.platform)
            name = await announcer.channel_name(wish.source) if announcer else ""
            root = heading(name or wish.source.id, wish.days, len(part))
            return Page(n, root, (), decisions)
        ids = tuple(one.id for one in part)
        return Page(n, await self._told(wish, part), ids, decisions)

    async def _told(self, wish: Wish, part: Sequence[Said]) -> Document:
        people = self.people.get(wish.source.platform)
        ids = {one.created.author.id for one in part}.union(
            *(mentioned(one.newest.document) for one in part)
        )
        found = await people.lookup(wish.source, ids) if people else {}
        names = {id_: person.name for id_, person in found.items()}
        return Document(tuple(b for one in part for b in told(one, names)))


def _delivery(wish: Wish, event: Event, target: Channel) -> Delivery:
    return Delivery(
        tenant=wish.tenant,
        seq=-1,
        n=-1,
        link=wish.link,
        operation=Operation.POST,
        source=wish.source,
        target=target,
        message=event.message,
        thread=event.thread,
        version_us=0,
        created_us=0,
    )
