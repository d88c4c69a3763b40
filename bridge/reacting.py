"""
Let a reaction show where the message's counterpart stands.

A delivery carries no state. It makes what stands there equal to what the log says,
so that it may be repeated, and come late or out of order. Whoever calls a platform
reads the log again afterwards: of two that cross each other, the later one notices.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bridge.delivery import AttemptState, Copy, Delivery, Post
from bridge.errors import Refused
from bridge.messages import Channel, Platform
from bridge.ports import Copies, History, Links, Outcome, Sender
from bridge.reactions import Reacted, Reaction, Shown, Spot, Word, counted, footer
from bridge.reconcile import said_us

_FOOTER_PAUSE_US = 1_000_000
_NOT_OURS = "the message is not ATOM's, and no reaction can be left on it"


class Reactor(Protocol):
    """How ATOM reacts on one platform, as the one user that it is there."""

    async def react(self, spot: Spot, emoji: str, *, standing: bool) -> bool:
        """
        Let ATOM's own reaction stand there, or not. Repeating it is harmless.

        Returns whether the platform has it so; False if it does not take this emoji
        there. Raises `Throttled`, `NotSent`, `Ambiguous` or `Refused`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """
    What the log tells of a message: its newest allowed content, None if it is not
    known; what people did to it with emoji; and what deliveries have left standing.
    """

    story: History | None
    said: tuple[Reacted, ...]
    shown: Shown


class ReactionLog(Protocol):
    """What the log knows about reactions."""

    async def told(
        self, tenant: str, origin: Spot, heard: Sequence[Spot], at: Spot
    ) -> Told:
        """Look once: at a message, the reactions `heard`, and what stands `at` a spot."""
        ...

    async def reacted(self, tenant: str, spots: Sequence[Spot]) -> tuple[Reacted, ...]:
        """Return what people did with emoji on these messages. Denied acts are not."""
        ...

    async def shown(self, tenant: str, spot: Spot) -> Shown:
        """Return what deliveries have left standing there."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What a delivery has to bring about. `copy` is None on a person's own message."""

    delivery: Delivery
    origin: Spot
    story: History
    spot: Spot
    copy: Copy | None
    heard: tuple[Spot, ...]
    said: tuple[Reacted, ...]
    shown: Shown

    @property
    def standing(self) -> tuple[Reaction, ...]:
        return counted(self.said)

    @property
    def upto(self) -> int:
        return max((one.seq for one in self.said), default=self.delivery.seq)

    @property
    def about(self) -> Delivery:
        """The delivery, as if it were one of the original message's content."""
        channel, message = self.origin.channel, self.origin.message
        thread = self.origin.thread
        return replace(self.delivery, source=channel, message=message, thread=thread)

    def calls(self) -> list[tuple[str, bool]]:
        """
        Return which of its emoji to set, and whether they shall stand.

        A second person's choice changes nothing on the platform. What was tried
        before, and taking back, is always said: nobody knows what stands there.
        """
        own = sorted({o.emoji for o in self.said if o.seq == self.delivery.seq})
        standing = {reaction.emoji for reaction in self.standing}
        return [(e, e in standing) for e in own if not self._settled(e, e in standing)]

    def _settled(self, emoji: str, standing: bool) -> bool:  # noqa: FBT001
        if self.delivery.attempts:
            return False
        if self.shown.upto.get(emoji, -1) >= self.delivery.seq:
            return True
        return standing and emoji in self.shown.native | self.shown.refused


@dataclass(frozen=True, slots=True)
class Reactions:
    """
    The use case behind every reaction.

    `reactors` are the platforms on which ATOM may react itself; on others reactions
    stand in a line below its copies. `patience_us` is how long a reaction waits for
    the message that it is about to become known; `missed_us` is how long if nobody has
    heard that message yet though it was said since the link began, for after an outage
    reactions come at once, and messages once their channel's turn to be read has come.
    """

    log: ReactionLog
    copies: Copies
    links: Links
    senders: Mapping[Platform, Sender]
    reactors: Mapping[Platform, Reactor]
    clock: Callable[[], int]
    patience_us: int
    missed_us: int = 900_000_000

    async def plan(self, delivery: Delivery) -> Change | str | None:
        """Return what to do, why there is nothing to do, or None to look again."""
        found = await self._found(delivery)
        if found is None:
            waited = self.clock() - delivery.created_us
            if waited < self.patience_us:
                return None
            if waited < self.missed_us and await self._missed(delivery):
                return None
            return "there is no copy of the message"
        if found.story.deleted or (found.copy and found.copy.deleted):
            return "the message was deleted"
        platform = found.spot.channel.platform
        if platform in self.reactors:
            if found.calls() or self._footer(found, found.shown.refused) is not None:
                return found
        elif found.copy is None:
            return _NOT_OURS
        elif self._footer(found, frozenset()) is not None:
            return found
        return "it shows already"

    def ready_us(self, change: Change) -> int:
        """Return when to act: lines below copies change at most once a second."""
        if change.spot.channel.platform in self.reactors:
            return 0
        last = change.shown.footer_at_us
        # What a clock that was ahead has written is not waited for.
        return last + _FOOTER_PAUSE_US if last <= self.clock() else 0

    async def make(self, change: Change, post: Post | None) -> Outcome:
        """Bring it about. Raises what senders and reactors raise."""
        try:
            return await self._made(change, post)
        except Refused:
            now = await self.plan(change.delivery)
            if not isinstance(now, str):
                raise
            # It went while ATOM was at it, which is nobody's failure.
            return Outcome(AttemptState.DROPPED, now)

    async def _made(self, change: Change, post: Post | None) -> Outcome:
        word = await self._called(change)
        refused = change.shown.refused - word.native - word.gone | word.refused
        lines = self._footer(change, refused)
        if lines is not None and post is not None:
            sender = self.senders[change.spot.channel.platform]
            await sender.edit(change.spot.message, replace(post, reactions=lines))
            word = replace(word, footer=footer(lines))
        edited = word.footer is not None
        if await self._overtaken(change, edited=edited):
            until = self.clock() + (_FOOTER_PAUSE_US if edited else 0)
            return Outcome(AttemptState.RETRY, "more happened meanwhile", until)
        if word.refused and change.copy is None:
            return Outcome(AttemptState.DROPPED, _NOT_OURS, shown=word)
        text = " ".join(sorted(word.native)) if word.footer is None else word.footer
        return Outcome(AttemptState.DELIVERED, text=text, shown=word)

    async def below(self, copy: Copy) -> tuple[Reaction, ...]:
        """Return the reactions that stand in the line below a copy."""
        spot = Spot(copy.target, copy.remote)
        refused: frozenset[str] = frozenset()
        if copy.target.platform in self.reactors:
            refused = (await self.log.shown(copy.tenant, spot)).refused
            if not refused:
                return ()
        origin = Spot(copy.source, copy.message)
        copies = await self.copies.copies_of(copy.tenant, copy.source, copy.message)
        heard = await self._heard(copy.tenant, origin, copy, copies, copy.target)
        standing = counted(await self.log.reacted(copy.tenant, heard))
        return self._lines(copy.target.platform, standing, refused)

    async def _called(self, change: Change) -> Word:
        native, gone, refused = set[str](), set[str](), set[str]()
        if reactor := self.reactors.get(change.spot.channel.platform):
            for emoji, standing in change.calls():
                if not await reactor.react(change.spot, emoji, standing=standing):
                    refused.add(emoji)
                elif standing:
                    native.add(emoji)
                else:
                    gone.add(emoji)
        return Word(
            change.upto,
            change.spot.message,
            change.spot.thread,
            frozenset(native),
            frozenset(gone),
            frozenset(refused),
        )

    async def _overtaken(self, change: Change, *, edited: bool) -> bool:
        """Say whether the log has more to say about what was just done."""
        tenant, origin = change.delivery.tenant, change.origin
        if edited:
            told = await self.log.told(tenant, origin, change.heard, change.spot)
            story, said = told.story, told.said
            newer = story is not None and story.version_us != change.story.version_us
            return newer or counted(said) != change.standing
        said = await self.log.reacted(tenant, change.heard)
        now = {reaction.emoji for reaction in counted(said)}
        return any((e in now) != standing for e, standing in change.calls())

    def _footer(
        self, change: Change, refused: frozenset[str]
    ) -> tuple[Reaction, ...] | None:
        """Return what the line below a copy has to say, None if it says so already."""
        if change.copy is None:
            return None
        platform = change.spot.channel.platform
        lines = self._lines(platform, change.standing, refused)
        if platform in self.reactors and not (lines or change.shown.footer):
            return None
        known = change.shown.footer == footer(lines)
        return None if known and not change.delivery.attempts else lines

    def _lines(
        self,
        platform: Platform,
        standing: tuple[Reaction, ...],
        refused: frozenset[str],
    ) -> tuple[Reaction, ...]:
        if platform not in self.reactors:
            return standing
        return tuple(one for one in standing if one.emoji in refused)

    async def _missed(self, delivery: Delivery) -> bool:
        """Whether the message should have been heard by now, and was not."""
        tenant, channel, target = delivery.tenant, delivery.source, delivery.target
        said = said_us(channel.platform, delivery.message)
        links = await self.links.of(tenant, target)
        if not any(
            max(link.since_us(channel), link.since_us(target)) < said
            for link in links
            if link.id == delivery.link
        ):
            return False
        if await self.copies.origin_of(tenant, channel, delivery.message):
            return False
        spot = Spot(channel, delivery.message)
        return (await self.log.told(tenant, spot, (), spot)).story is None

    async def _found(self, delivery: Delivery) -> Change | None:
        """Find the message that was meant, and where it stands in the target."""
        tenant, target = delivery.tenant, delivery.target
        known = await self.copies.origin_of(tenant, delivery.source, delivery.message)
        origin = Spot(delivery.source, delivery.message)
        if known:
            origin = Spot(known.source, known.message)
        copies = await self.copies.copies_of(tenant, origin.channel, origin.message)
        copy = {one.target: one for one in copies if one.part == 1}.get(target)
        if copy is None and origin.channel != target:
            return None
        spot = Spot(copy.target, copy.remote, copy.remote_thread) if copy else origin
        heard = await self._heard(tenant, origin, copy, copies, target)
        told = await self.log.told(tenant, origin, heard, spot)
        if told.story is None:
            return None
        origin = replace(origin, thread=told.story.thread)
        if copy is None:
            spot = origin
        return Change(
            delivery, origin, told.story, spot, copy, heard, told.said, told.shown
        )

    async def _heard(
        self,
        tenant: str,
        origin: Spot,
        copy: Copy | None,
        copies: Sequence[Copy],
        target: Channel,
    ) -> tuple[Spot, ...]:
        """
        Return where the message stands in the channels that the target hears.

        People react to its further parts as well, and to what shares its copy in the
        target: the reactions to all of that show there together.
        """
        spots = [origin, *await self._spots(tenant, copies)]
        shared = await self.copies.segments_of(copy) if copy and copy.segment else ()
        for row in shared:
            if row.message != origin.message and not row.deleted:
                there = await self.copies.copies_of(tenant, row.source, row.message)
                spots += [Spot(row.source, row.message)]
                spots += await self._spots(tenant, there)
        links = await self.links.of(tenant, target)
        audible = {channel for link in links for channel in link.others(target)}
        heard = dict.fromkeys((s.channel, s.message) for s in spots)
        return tuple(Spot(*place) for place in heard if place[0] in audible)

    async def _spots(self, tenant: str, copies: Sequence[Copy]) -> list[Spot]:
        """Return where a message's copies are reacted to as that message's."""
        newest = {
            (one.target, one.part): one
            for one in copies
            if one.part == 1 or not one.deleted
        }
        spots = []
        for one in newest.values():
            if one.segment:
                # Of all that share a copy, the first that stands has its reactions.
                known = await self.copies.origin_of(tenant, one.target, one.remote)
                if known and known.message != one.message:
                    continue
            spots.append(Spot(one.target, one.remote))
        return spots
