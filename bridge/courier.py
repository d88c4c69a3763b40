"""Bring one delivery to its end: check again, note the intent, call, note the outcome."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.access import Action
from bridge.below import Below
from bridge.breaker import Breaker
from bridge.chores import Chore, Wanted
from bridge.composing import Addresses, Composer, Origins
from bridge.delivery import AttemptState, Copy, Delivery, Operation, Post
from bridge.errors import (
    Ambiguous,
    CannotTell,
    DeliveryFailed,
    NotSent,
    Refused,
    StoreUnavailable,
    Throttled,
)
from bridge.filing import Filing
from bridge.holds import Cause, Hold, Holds
from bridge.lifecycle import overdue
from bridge.limits import Limits
from bridge.links import Link, LinkState
from bridge.messages import Platform
from bridge.naming import Naming
from bridge.needless import needless
from bridge.options import Deletes
from bridge.plain import plain_text
from bridge.ports import (
    AccessPolicy,
    Copies,
    History,
    Lease,
    Ledger,
    Limiter,
    LinkBook,
    Outcome,
    People,
    Sender,
)
from bridge.reacting import Reactions
from bridge.relay import unwatched
from bridge.standing import standing
from bridge.tombstones import buried
from bridge.tuning import Tuning

_ACTIONS = {
    Operation.POST: Action.POST,
    Operation.EDIT: Action.EDIT,
    Operation.DELETE: Action.DELETE,
    Operation.REACT: Action.REACT,
    Operation.FILE: Action.POST,
}
_APART = {Operation.REACT, Operation.FILE}


@dataclass(frozen=True, slots=True)
class Later:
    """
    The delivery stays where it is, until its `not_before_us`.

    Until then nothing else passes either that counts in the bucket that is `full`.
    """

    delivery: Delivery
    full: str = ""


class Done:
    """The delivery is over."""


@dataclass(frozen=True, slots=True)
class Courier:
    """
    The use case behind every copy.

    `sleep` waits seconds; `trace` is told each step's name as it is passed. `holds`
    is told of channels that take nothing; without it each message is on its own.
    """

    ledger: Ledger
    copies: Copies
    links: LinkBook
    policy: AccessPolicy
    senders: Mapping[Platform, Sender]
    reactions: Reactions
    filing: Filing
    people: Mapping[Platform, People]
    origins: Origins
    limiter: Limiter
    limits: Limits
    clock: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]
    tuning: Tuning = field(default_factory=Tuning)
    naming: Naming | None = None
    trace: Callable[[str], None] = unwatched
    holds: Holds | None = None
    addresses: Mapping[Platform, Addresses] = field(default_factory=dict)
    breaker: Breaker | None = None

    @property
    def _below(self) -> Below:
        return Below(self._composer, self.reactions, self.filing)

    @property
    def _composer(self) -> Composer:
        patience = self.tuning.orphan_patience_us
        return Composer(
            self.copies,
            self.people,
            self.origins,
            self.clock,
            patience,
            self.filing.lines,
            self.naming,
            self.addresses,
        )

    async def deliver(self, delivery: Delivery, lease: Lease) -> Done | Later:
        """Take the delivery as far as it gets now. Raises `Fenced` if it is not ours."""
        self.trace("picked")
        try:
            return await self._deliver(delivery, lease)
        except StoreUnavailable:
            # Nothing is known to be written; whatever was, shows at the next look.
            return self._later(delivery, self.tuning.first_pause_us)

    async def give_up(
        self, delivery: Delivery, lease: Lease, reason: str
    ) -> Done | Later:
        """End a delivery on the dead-letter list. Raises `Fenced` if it is not ours."""
        try:
            history = await self.ledger.history(delivery)
        except StoreUnavailable:
            return self._later(delivery, self.tuning.first_pause_us)
        return await self._give_up(delivery, lease, history, reason)

    async def _give_up(
        self, delivery: Delivery, lease: Lease, history: History, reason: str
    ) -> Done | Later:
        outcome = Outcome(AttemptState.DEAD, reason)
        if _lost(delivery):
            outcome = Outcome(AttemptState.PARKED, f"{reason}; a copy may stand there")
        return await self._conclude(delivery, lease, outcome, history)

    async def _deliver(self, delivery: Delivery, lease: Lease) -> Done | Later:
        history = await self.ledger.history(delivery)
        link = await self._link(delivery)
        if link is None:
            return await self._unlinked(delivery, lease, history)
        if link.state is LinkState.PAUSED:
            return self._later(delivery, self.tuning.paused_link_us)
        if held := link.between(delivery.source, delivery.target):
            return await self._dormant(delivery, lease, history, held)
        if delivery.target.platform not in self.senders:
            # Switched off, which may be a mistake in the settings: keep it.
            return self._later(delivery, self.tuning.longest_pause_us)
        if history.fault:
            return await self._unreadable(delivery, lease, history)
        if delivery.operation in _APART:
            return await self._apart(delivery, lease, history)
        copy = await standing(self.copies, delivery, history)
        if _lost(delivery) and (copy is None or copy.deleted):
            return await self._reconcile(delivery, lease, history, copy)
        if reason := needless(delivery, history, copy):
            return await self._drop(delivery, lease, history, reason)
        if ending := await self._forbidden(delivery, lease, history):
            return ending
        bury = link.options.deletes is Deletes.MARK
        return await self._send(delivery, lease, history, copy, bury=bury)

    async def _apart(
        self, delivery: Delivery, lease: Lease, history: History
    ) -> Done | Later:
        if delivery.operation is Operation.FILE:
            return await self._do(self.filing, delivery, lease, history)
        if reason := await self._denial(delivery, history):
            return await self._drop(delivery, lease, history, reason)
        return await self._do(self.reactions, delivery, lease, history)

    async def _unreadable(
        self, delivery: Delivery, lease: Lease, history: History
    ) -> Done | Later:
        """Give a poisoned message up after some tries, so that its lane goes on."""
        if _lost(delivery):
            # What cannot be read cannot be looked up either.
            return await self._give_up(delivery, lease, history, history.fault)
        return await self._try_again(delivery, lease, history, history.fault)

    async def _forbidden(
        self, delivery: Delivery, lease: Lease, history: History
    ) -> Done | Later | None:
        """End what the policy is against now, or what an admin has to decide on."""
        if reason := await self._denial(delivery, history):
            return await self._drop(delivery, lease, history, reason)
        if self.breaker and (reason := await self.breaker.tripped(delivery)):
            return await self._give_up(delivery, lease, history, reason)
        return None

    async def _denial(self, delivery: Delivery, history: History) -> str:
        """Return why the policy is against it now, or nothing if it is not."""
        action = _ACTIONS[delivery.operation]
        decision = await self.policy.decide(
            delivery.tenant, history.author, action, delivery.source
        )
        return "" if decision.allowed else f"not allowed: {decision.rule}"

    async def _send(
        self,
        delivery: Delivery,
        lease: Lease,
        history: History,
        copy: Copy | None,
        *,
        bury: bool,
    ) -> Done | Later:
        if (post := await self._composer.post(delivery, history, copy)) is None:
            return self._later(delivery, self.tuning.first_pause_us)
        if bury and delivery.operation is Operation.DELETE:
            post = buried(post)
        if copy and delivery.operation is Operation.EDIT:
            post = await self._below.lined(post, copy)
        # Only now: what turns out needless takes nothing from the limits.
        if wait := await self._full(delivery):
            return wait
        if not await self._carried(delivery):
            return self._later(delivery, 1)
        self.trace("checked")
        noted = await self.ledger.intend(delivery, lease)
        self.trace("intended")
        try:
            sent = await self._call(noted, post, history, copy)
        except DeliveryFailed as failure:
            return await self._failed(noted, lease, history, failure)
        self.trace("sent")
        outcome = Outcome(
            AttemptState.DELIVERED, copy=sent, text=plain_text(post.document)
        )
        if delivery.operation is Operation.EDIT:
            outcome = await self._checked(outcome, delivery, history, post, sent)
        return await self._conclude(noted, lease, outcome, history)

    async def _full(self, delivery: Delivery) -> Later | None:
        """Take a place within the limits, or say until when there is none."""
        wait = await self.limiter.reserve(self.limits.buckets(delivery))
        if not wait:
            return None
        full = "" if delivery.operation is Operation.FILE else wait.bucket
        return Later(self._later(delivery, wait.us).delivery, full=full)

    async def _do(
        self,
        chore: Chore[Wanted],
        delivery: Delivery,
        lease: Lease,
        history: History,
    ) -> Done | Later:
        change = await chore.plan(delivery)
        if change is None:
            return self._later(delivery, self.tuning.first_pause_us)
        if isinstance(change, str):
            return await self._drop(delivery, lease, history, change)
        if (ready := chore.ready_us(change)) > self.clock():
            return Later(replace(delivery, not_before_us=ready))
        post = await self._below.post(delivery, change)
        if wait := await self._full(delivery):
            return wait
        if not await self._carried(delivery):
            return self._later(delivery, 1)
        self.trace("checked")
        noted = await self.ledger.intend(delivery, lease)
        self.trace("intended")
        try:
            outcome = await chore.make(change, post)
        except StoreUnavailable:
            # The platform may have been called: the next try must know of this one.
            return self._later(noted, self.tuning.first_pause_us)
        except DeliveryFailed as failure:
            return await self._failed(noted, lease, history, failure)
        self.trace("sent")
        outcome = await self._checked(
            outcome, change.about, change.story, post, change.copy
        )
        return await self._conclude(noted, lease, outcome, history)

    async def _checked(
        self,
        outcome: Outcome,
        about: Delivery,
        story: History,
        post: Post | None,
        copy: Copy | None,
    ) -> Outcome:
        """Send a copy once more if the lines below it were overtaken meanwhile."""
        if outcome.state is not AttemptState.DELIVERED or post is None or copy is None:
            return outcome
        if not (reason := await self._below.overtaken(about, story, post, copy)):
            return outcome
        until = self.clock() + self.tuning.first_pause_us
        return Outcome(AttemptState.RETRY, reason, until)

    async def _call(
        self, delivery: Delivery, post: Post, history: History, copy: Copy | None
    ) -> Copy:
        sender = self.senders[delivery.target.platform]
        if copy and copy.marked and delivery.operation is Operation.POST:
            await sender.edit(copy.remote, post)  # what was deleted is back
            version_us = history.version_us
            return replace(copy, deleted=False, marked=False, version_us=version_us)
        if copy is None or delivery.operation is Operation.POST:
            remote = await sender.post(post)
            return Copy.of(delivery, remote, post.thread, history.version_us)
        if delivery.operation is Operation.EDIT:
            await sender.edit(copy.remote, post)
            return replace(copy, version_us=history.version_us)
        if post.tombstone:
            await sender.edit(copy.remote, post)
            return replace(copy, deleted=True, marked=True)
        await sender.delete(copy.remote, post)
        return replace(copy, deleted=True)

    async def _failed(
        self,
        delivery: Delivery,
        lease: Lease,
        history: History,
        failure: DeliveryFailed,
    ) -> Done | Later:
        reason, now = str(failure), self.clock()
        match failure:
            case Throttled(retry_after=seconds):
                pause_us = int(seconds * 1_000_000)
                if delivery.operation in _APART:
                    # These have limits of their own, no concern of messages'.
                    retry = Outcome(AttemptState.RETRY, reason, now + pause_us)
                    return await self._conclude(delivery, lease, retry, history)
                return await self._throttled(delivery, lease, history, reason, pause_us)
            case Refused(cause=cause) if cause and self.holds:
                # Nothing is wrong with the message: it waits for its channel.
                retry = Outcome(AttemptState.RETRY, reason, self._pause(1))
                ending = await self._conclude(delivery, lease, retry, history)
                await self.holds.place(delivery.tenant, delivery.target, Cause(cause))
                return ending
            case Refused():
                outcome = Outcome(AttemptState.DEAD, reason)
                return await self._conclude(delivery, lease, outcome, history)
            case Ambiguous() if delivery.operation is Operation.POST:
                counted = replace(delivery, tries=delivery.tries + 1)
                return Later(
                    replace(counted, not_before_us=now + self.tuning.reconcile_after_us)
                )
            case Ambiguous() if delivery.operation is Operation.FILE:
                wait = self.tuning.reconcile_after_us
                return await self._try_again(delivery, lease, history, reason, wait)
            case NotSent():
                # The platform's trouble, not the message's: it waits for as long.
                rounds = (delivery.attempts + 1) // 2
                retry = Outcome(AttemptState.RETRY, reason, self._pause(rounds))
                return await self._conclude(delivery, lease, retry, history)
            case _:  # a lost answer to what may be repeated
                return await self._try_again(delivery, lease, history, reason)

    async def _throttled(
        self,
        delivery: Delivery,
        lease: Lease,
        history: History,
        reason: str,
        pause_us: int,
    ) -> Done | Later:
        """Leave the channel alone as the platform asked, and let everybody know."""
        until = self.clock() + pause_us
        channel = self.limits.buckets(delivery)[0]
        await self.limiter.pause(channel, pause_us)
        outcome = Outcome(AttemptState.THROTTLED, reason, until)
        noted = await self._write(delivery, lease, outcome, history)
        return Later(noted, full=channel.name)

    async def _try_again(
        self,
        delivery: Delivery,
        lease: Lease,
        history: History,
        reason: str,
        at_least_us: int = 0,
    ) -> Done | Later:
        counted = replace(delivery, tries=delivery.tries + 1)
        if counted.tries >= self.tuning.tries:
            outcome = Outcome(AttemptState.DEAD, reason)
        else:
            until = max(self._pause(counted.tries), self.clock() + at_least_us)
            outcome = Outcome(AttemptState.RETRY, reason, until)
        return await self._conclude(counted, lease, outcome, history)

    def _pause(self, rounds: int) -> int:
        """Return until when to wait after so many failures: longer each time."""
        pause = self.tuning.first_pause_us << min(rounds - 1, 16)
        return self.clock() + min(pause, self.tuning.longest_pause_us)

    async def _reconcile(
        self, delivery: Delivery, lease: Lease, history: History, copy: Copy | None
    ) -> Done | Later:
        """Find out what became of a post whose answer was lost. Never post blindly."""
        known_at = min(delivery.unknown_since_us, self.clock())
        ready = known_at + self.tuning.reconcile_after_us
        if not delivery.not_before_us:
            # Taken over: whoever called may be waiting for the answer even now.
            ready += self.tuning.longest_call_us
        if self.clock() < ready:
            # A time from a clock that was ahead is not waited for.
            return Later(
                replace(delivery, unknown_since_us=known_at, not_before_us=ready)
            )
        post = await self._composer.post(delivery, history, copy)
        if post is None:
            return self._later(delivery, self.tuning.first_pause_us)
        since = known_at - self.tuning.clock_skew_us
        # Further back than the search: our clock may be behind the platform's.
        known = await self.ledger.known(
            delivery.tenant, delivery.target, since - self.tuning.clock_skew_us
        )
        try:
            sender = self.senders[delivery.target.platform]
            remote = await sender.find(post, since, known)
        except (CannotTell, Refused) as unknown:
            if isinstance(unknown, Refused) and unknown.cause and self.holds:
                closed = Cause(unknown.cause)
                await self.holds.place(delivery.tenant, delivery.target, closed)
                return self._later(delivery, self.tuning.first_pause_us)
            outcome = Outcome(AttemptState.PARKED, str(unknown))
            return await self._conclude(delivery, lease, outcome, history)
        except Throttled as wait:
            return self._later(delivery, int(wait.retry_after * 1_000_000))
        except DeliveryFailed:
            return self._later(delivery, self.tuning.reconcile_after_us)
        if remote is None:
            reason = "the platform never got it"
            return await self._try_again(delivery, lease, history, reason)
        # Which revision stands there is unknown; as the oldest it takes every edit.
        sent = Copy.of(delivery, remote, post.thread, delivery.version_us)
        outcome = Outcome(
            AttemptState.DELIVERED, "found", copy=sent, text=plain_text(post.document)
        )
        return await self._conclude(delivery, lease, outcome, history)

    async def _link(self, delivery: Delivery) -> Link | None:
        for link in await self.links.of(delivery.tenant, delivery.source):
            if link.id == delivery.link and delivery.target in link.channels:
                return link
        return None

    async def _carried(self, delivery: Delivery) -> bool:
        """Say whether the link still carries. Names took their time meanwhile."""
        link = await self._link(delivery)
        if link is None or link.state is LinkState.PAUSED:
            return False
        return not link.between(delivery.source, delivery.target)

    async def _dormant(
        self, delivery: Delivery, lease: Lease, history: History, held: Sequence[Hold]
    ) -> Done | Later:
        """Let a delivery wait for a channel that carries nothing, but not for ever."""
        now, patience = self.clock(), self.tuning.dormant_us
        if not (reason := overdue(held, delivery.created_us, now, patience)):
            left = delivery.created_us + patience - now
            return self._later(delivery, min(self.tuning.longest_pause_us, left))
        if _lost(delivery):
            return await self._give_up(delivery, lease, history, reason)
        return await self._drop(delivery, lease, history, reason)

    async def _unlinked(
        self, delivery: Delivery, lease: Lease, history: History
    ) -> Done | Later:
        reason = "the link was removed"
        if _lost(delivery):
            return await self._give_up(delivery, lease, history, reason)
        return await self._drop(delivery, lease, history, reason)

    async def _drop(
        self, delivery: Delivery, lease: Lease, history: History, reason: str
    ) -> Done | Later:
        outcome = Outcome(AttemptState.DROPPED, reason)
        return await self._conclude(delivery, lease, outcome, history)

    async def _conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, history: History
    ) -> Done | Later:
        outcome = await self.filing.completed(delivery, history, outcome)
        noted = await self._write(delivery, lease, outcome, history)
        return Done() if outcome.state.final else Later(noted)

    async def _write(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, history: History
    ) -> Delivery:
        """
        Write the outcome down, however long the database takes.

        Until it is written nothing else happens in the lane: the platform was asked
        already, and must not be asked again.
        """
        self.trace("concluding")
        pause = 0.1
        while True:
            try:
                noted = await self.ledger.conclude(delivery, lease, outcome, history)
            except StoreUnavailable:
                await self.sleep(pause)
                pause = min(pause * 2, 2.0)
            else:
                self.trace("concluded")
                return noted

    def _later(self, delivery: Delivery, pause_us: int) -> Later:
        return Later(replace(delivery, not_before_us=self.clock() + pause_us))


def _lost(delivery: Delivery) -> bool:
    """Whether a copy may stand there that nobody knows of."""
    return bool(delivery.unknown_since_us) and delivery.operation is Operation.POST
