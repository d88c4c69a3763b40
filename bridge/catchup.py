"""
Make good what was missed while ATOM did not hear.

What the platform shows is read again and goes the same way as everything else; what
the log has already changes nothing.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.errors import CannotTell, ServiceUnavailable
from bridge.links import Link, LinkState
from bridge.messages import Channel, Event, EventKind, Platform
from bridge.options import Bots
from bridge.ports import Intake, Links
from bridge.reactions import Reacted, Spot, standing
from bridge.recent import Gap, Known, Recent, Record, Single, Watermarks, Words

Reacting = Callable[[str, Sequence[Spot]], Awaitable[Sequence[Reacted]]]

VIA = "catchup"
# By how many microseconds the platform's clock was ahead of ours.
AHEAD = "ahead_us"
# What was on its way at the watermark: platforms send again for some minutes, and marks
# are set by our clock, which may be as far ahead of theirs.
MARGIN_US = 25 * 60 * 1_000_000
LOOK_BACK_US = 7 * 24 * 3600 * 1_000_000
_SECOND = 1_000_000
_REACTIONS = frozenset({EventKind.REACTION_ADD, EventKind.REACTION_REMOVE})


@dataclass(frozen=True, slots=True)
class CatchUp:
    """
    Reads a channel from its watermark on, and takes in what is news.

    Older messages are looked at again for `look_back_us`: for edits and deletions,
    and because one may show up that was never captured. `ahead` tells by how many
    microseconds a platform's clock is ahead of ours, as far as that is known by then.
    `reacted` returns what people did with emoji on messages, by the log.
    """

    recent: Mapping[Platform, Recent]
    intake: Intake
    record: Record
    watermarks: Watermarks
    links: Links
    clock: Callable[[], int]
    look_back_us: int = LOOK_BACK_US
    ahead: Mapping[Platform, Callable[[], int]] = field(default_factory=dict)
    single: Mapping[Platform, Single] = field(default_factory=dict)
    reacted: Reacting | None = None

    async def channel(self, tenant: str, channel: Channel, since_us: int = 0) -> int:
        """
        Catch up with one channel; returns how many events were news.

        `since_us` is a time from which events are known to be missing, if any is.
        The watermark rises at the end, to when the reading began: whatever breaks in
        between leaves it where it was. Raises `ServiceUnavailable`, `CannotTell` or
        `StoreUnavailable`.
        """
        began = self.clock()
        links = await self.standing(tenant, channel)
        if not links:
            return 0
        linked = min(link.since_us(channel) for link in links)
        if (recent := self.recent.get(channel.platform)) is None:
            raise CannotTell("the channel's platform is switched off")
        gap = await self._gap(tenant, channel, linked, since_us)
        if any(link.options.bots is not Bots.DROP for link in links):
            gap = replace(gap, bots=True)
        known, news = dict(gap.known), 0
        async for read in recent.within(gap):
            event = await self.told_apart(tenant, read, known, began)
            if is_news(event, known, linked + self.ahead_us(channel)):
                news += await self.take(tenant, channel, event)
                known[event.message] = after(event, known.get(event.message))
        await self.watermarks.raise_to(tenant, [channel], began)
        return news

    async def message(
        self, tenant: str, channel: Channel, root: str, message: str
    ) -> int:
        """
        Catch up with one message of a root's thread; returns how many events were news.

        Raises what `channel` does.
        """
        links = await self.standing(tenant, channel)
        if not links:
            return 0
        linked = min(link.since_us(channel) for link in links) + self.ahead_us(channel)
        if (single := self.single.get(channel.platform)) is None:
            raise CannotTell("the platform does not show single messages")
        before = await self.record.of(tenant, channel, message)
        known = {message: before} if before else {}
        bots = any(link.options.bots is not Bots.DROP for link in links)
        chosen = await self._chosen(tenant, Spot(channel, message)) if before else None
        gap = Gap(channel, self.clock(), 0, known, bots=bots, reacted=chosen)
        news = 0
        for event in await single.one(gap, root, message):
            if event.kind in _REACTIONS:
                news += await self.take(tenant, channel, event)
            elif is_news(event, known, linked):
                news += await self.take(tenant, channel, event)
                known[message] = after(event, known.get(message))
        return news

    async def _chosen(
        self, tenant: str, spot: Spot
    ) -> frozenset[tuple[str, str]] | None:
        """Return who chose which emoji, by the log; None if nobody can tell."""
        if self.reacted is None:
            return None
        said = await self.reacted(tenant, [spot])
        return frozenset((one.account, one.emoji) for one in standing(said))

    async def told_apart(
        self, tenant: str, event: Event, known: Mapping[str, Known], began_us: int
    ) -> Event:
        """
        Return an edit as the later of two within one second, if that is what it is.

        Slack tells the time of an edit in whole seconds. Where one of the same second
        is on record, only the words tell whether it is the one that stands: of a later
        one nothing else is left to see. What stood when the reading began, at
        `began_us` by our clock, is older than whatever is heard from then on.
        """
        before = known.get(event.message)
        if before is None or not _within_a_second(event, before.version_us):
            return event
        assert event.channel is not None  # noqa: S101 - an edit has one
        on_record = await self.record.says(tenant, event.channel, event.message)
        if on_record is None or on_record == said_by(event):
            return event
        read_us = began_us + self.ahead_us(event.channel)
        last_us = event.version_us + _SECOND - 1
        version = max(before.version_us + 1, min(read_us, last_us))
        # What was read of that second before may have been something else.
        apart = f"{event.event_id}:{version}"
        return replace(event, version_us=version, event_id=apart)

    def ahead_us(self, channel: Channel) -> int:
        """Return by how much the clock that a channel's messages bear is ahead."""
        known = self.ahead.get(channel.platform)
        return known() if known else 0

    async def standing(self, tenant: str, channel: Channel) -> list[Link]:
        """Return the channel's links that were not ended."""
        links = await self.links.of(tenant, channel)
        return [link for link in links if link.state is not LinkState.REMOVED]

    async def _gap(
        self, tenant: str, channel: Channel, linked_us: int, since_us: int
    ) -> Gap:
        mark = await self.watermarks.of(tenant, channel) or linked_us
        since = min(mark, since_us or mark) - MARGIN_US
        back = since - self.look_back_us
        known = await self.record.known(tenant, channel, back)
        return Gap(channel, since, back, known)

    async def take(
        self, tenant: str, channel: Channel, event: Event, via: str = VIA
    ) -> bool:
        """Take in what was read; returns whether it was news to the log as well."""
        if not event.author.id:
            author = await self.record.author(tenant, channel, event.message)
            if author is None:
                return False  # nobody knows whose it was, so nothing stands for it
            # Who deleted it, nobody tells: it is carried out as its author's wish.
            unknown = (*event.detail, ("actor", "unknown"))
            event = replace(event, author=author, detail=unknown)
        if ahead := self.ahead_us(channel):
            # Whether it comes late is then known, whatever our own clock says.
            event = replace(event, detail=(*event.detail, (AHEAD, str(ahead))))
        receipt = await self.intake.receive(replace(event, via=via))
        if receipt.seq < 0:
            raise ServiceUnavailable("the channel's account is no company's yet")
        return not receipt.duplicate


def said_by(event: Event) -> Words:
    """Return what an event says, as `Record.says` tells it."""
    return event.document, tuple(file.key for file in event.files)


def _within_a_second(event: Event, version_us: int) -> bool:
    """Whether it is an edit of Slack's that the log has one of the same second of."""
    if event.kind is not EventKind.MESSAGE_EDIT:
        return False
    if event.platform is not Platform.SLACK or event.version_us % _SECOND:
        return False
    return event.version_us <= version_us < event.version_us + _SECOND


def is_news(event: Event, known: Mapping[str, Known], linked_us: int) -> bool:
    """
    Say whether an event tells what the log does not have.

    Messages are told apart by their ids alone: one that is older than others may
    still be news. What was said before the channel was linked is not.
    """
    message = known.get(event.message)
    match event.kind:
        case EventKind.MESSAGE_CREATE | EventKind.COMMAND:
            unsaid = message is None or not message.said
            return unsaid and event.sent_us >= linked_us
        case EventKind.MESSAGE_EDIT:
            if message is None:
                return event.sent_us >= linked_us
            return event.version_us > message.version_us and not message.deleted
        case EventKind.MESSAGE_DELETE:
            return message is not None and not message.deleted
        case EventKind.MESSAGE_RESTORE:
            # What is read may lag behind what was heard.
            if message is None or not message.deleted:
                return False
            return event.version_us > message.gone_us
        case _:
            return False


def after(event: Event, before: Known | None) -> Known:
    """Return what the log has of a message once it has the event."""
    if event.kind is EventKind.MESSAGE_DELETE:
        return Known(event.thread, deleted=True, gone_us=event.version_us)
    if event.kind is EventKind.MESSAGE_CREATE and before:
        return replace(before, said=True)
    return Known(event.thread, event.version_us)
