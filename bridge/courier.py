"""Bring one delivery to its end: check again, note the intent, call, note the outcome."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.access import Decision
from bridge.admission import Admission, denied
from bridge.attribution import Attributes
from bridge.below import Below
from bridge.breaker import Breaker
from bridge.carrying import Carrying, held
from bridge.chores import Chore, Wanted
from bridge.composing import Addresses, Composer, Origins, as_called
from bridge.conclusions import Conclusions
from bridge.delivery import REPEATABLE, AttemptState, Delivery, Operation
from bridge.endings import Done, Later
from bridge.errors import DeliveryFailed, Fenced, StoreUnavailable, TooLong
from bridge.filing import Filing
from bridge.holds import Cause, Hold, Holds
from bridge.joining import Companions, Joining, alone, with_mates
from bridge.labelling import Labeller
from bridge.leaving.leaving import Leaving
from bridge.lifecycle import overdue
from bridge.limits import Limits
from bridge.links import Link, LinkState
from bridge.lost_answers import LostAnswers
from bridge.messages import Platform
from bridge.naming import Naming
from bridge.needless import needless
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
from bridge.segments import Mate, joined
from bridge.setbacks import Setback, setback, shorter, tried
from bridge.standing import Composition, Standing, Step
from bridge.tuning import Tuning

__all__ = ["Courier", "Done", "Later"]

_ERASED = "what it says was erased"
_APART = {Operation.REACT, Operation.FILE}
# What waits for something else is looked at again after this share of its wait so far.
_SHARE_OF_WAIT = 8
_LONGEST_REST_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Courier:
    """
    The use case behind every copy.

    `sleep` waits seconds; `trace` is told each step's name as it is passed. `holds`
    is told of channels that take nothing; without it each message is on its own.
    `companions` tells what waits behind a delivery and may be brought across with it.
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
    companions: Companions = alone
    labels: Labeller | None = None
    leaving: Leaving | None = None
    attributes: Attributes | None = None
    _noted: dict[tuple[str, int, int], Delivery] = field(
        default_factory=dict, init=False
    )
    _composer: Composer = field(init=False)
    _below: Below = field(init=False)
    _lost_answers: LostAnswers = field(init=False)
    _admission: Admission = field(init=False)
    _carrying: Carrying = field(init=False)
    _conclusions: Conclusions = field(init=False)
    _joining: Joining = field(init=False)

    def __post_init__(self) -> None:
        clock, tuning, senders = self.clock, self.tuning, self.senders
        composer = Composer(
            self.copies,
            self.people,
            self.origins,
            senders,
            clock,
            tuning,
            self.filing.lines,
            self.ledger.history,
            self.naming,
            self.addresses,
            self.leaving.shown_name if self.leaving else as_called,
            self.attributes,
        )
        admission = Admission(self.policy, self.labels)
        parts = {
            "_composer": composer,
            "_below": Below(composer, self.reactions, self.filing),
            "_lost_answers": LostAnswers(
                self.ledger, senders, clock, tuning, holding=self.holds is not None
            ),
            "_admission": admission,
            "_carrying": Carrying(self.links),
            "_conclusions": Conclusions(self.ledger, self.sleep, self.trace),
            "_joining": Joining(
                self.ledger, self.copies, admission, composer, self.companions
            ),
        }
        for name, part in parts.items():
            object.__setattr__(self, name, part)

    async def deliver(self, delivery: Delivery, lease: Lease) -> Done | Later:
        """Take the delivery as far as it gets now. Raises `Fenced` if it is not ours."""
        self.trace("picked")
        try:
            ending = await self._deliver(delivery, lease)
        except StoreUnavailable:
            # Nothing is known to be written; whatever was, shows at the next look.
            ending = self._later(delivery, self.tuning.first_pause_us)
        except Fenced:
            self._noted.pop(delivery.key, None)
            raise
        self._noted.pop(delivery.key, None)
        return ending

    def as_noted(self, delivery: Delivery) -> Delivery:
        """Return a delivery that broke, with what was noted before the platform's call."""
        noted = self._noted.pop(delivery.key, delivery)
        return replace(delivery, joined=noted.joined)

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
        if delivery.lost:
            outcome = Outcome(AttemptState.PARKED, f"{reason}; a copy may stand there")
            outcome = await self._joining.for_all(delivery, history, outcome)
        return await self._conclude(delivery, lease, outcome, history)

    async def _deliver(self, delivery: Delivery, lease: Lease) -> Done | Later:
        history = await self.ledger.history(delivery)
        link = await self._carrying.link(delivery)
        if link is None:
            return await self._unlinked(delivery, lease, history)
        if link.state is LinkState.PAUSED:
            return self._later(delivery, self.tuning.paused_link_us)
        if holds := held(link, delivery):
            return await self._dormant(delivery, lease, history, holds)
        if delivery.target.platform not in self.senders:
            # Switched off, which may be a mistake in the settings: keep it.
            return self._later(delivery, self.tuning.longest_pause_us)
        if history.fault:
            return await self._unreadable(delivery, lease, history)
        if history.erased and delivery.operation is not Operation.DELETE:
            return await self._erased(delivery, lease, history)
        if delivery.operation in _APART:
            return await self._apart(delivery, lease, history, link)
        return await self._bring(delivery, lease, history, link)

    async def _bring(
        self, delivery: Delivery, lease: Lease, history: History, link: Link
    ) -> Done | Later:
        """Let a message stand on the target as the log has it."""
        standing = await Standing.of(self.copies, delivery, history)
        if delivery.lost and standing.missing:
            return await self._reconcile(delivery, lease, history, standing)
        if reason := needless(delivery, history, standing):
            return await self._drop(delivery, lease, history, reason)
        ruling = await self._admission.ruling(delivery, history, link)
        if not ruling.allowed:
            shown = await self._admission.withheld(delivery, history, link, ruling)
            if shown is None:
                return await self._denied(delivery, lease, history, ruling)
            history = shown
        if self.breaker and (reason := await self.breaker.tripped(delivery)):
            return await self._give_up(delivery, lease, history, reason)
        if standing.copy is None:
            mates = await self._joining.mates(delivery, history, link)
            standing = replace(standing, mates=mates)
        wanted = await self._below.wanted(delivery, history, standing, link)
        if wanted is None:
            return self._later(delivery, self.tuning.first_pause_us)
        return await self._send(delivery, lease, history, standing, wanted)

    async def _unreadable(
        self, delivery: Delivery, lease: Lease, history: History
    ) -> Done | Later:
        """Give a poisoned message up after some tries, so that its lane goes on."""
        if delivery.lost:
            # What cannot be read cannot be looked up either.
            return await self._give_up(delivery, lease, history, history.fault)
        worn = tried(delivery, history.fault, self.clock(), self.tuning)
        return await self._set_back(worn, lease, history)

    async def _erased(
        self, delivery: Delivery, lease: Lease, history: History
    ) -> Done | Later:
        """End what has no content any more; whether it crossed before may be asked."""
        if delivery.lost:
            return await self._give_up(delivery, lease, history, _ERASED)
        return await self._drop(delivery, lease, history, _ERASED)

    async def _denied(
        self, delivery: Delivery, lease: Lease, history: History, ruling: Decision
    ) -> Done | Later:
        """
        End what the policy is against now.

        If it cannot tell for want of what it needs, the delivery waits for a while, and
        its lane with it: nothing is lost or overtaken for a directory that is away.
        """
        if held := history.verdict.held:
            return await self._give_up(delivery, lease, history, held)
        waited = self.clock() - delivery.created_us
        if ruling.unsure and waited < self.tuning.undecided_us:
            return self._later(delivery, self.tuning.undecided_pause_us)
        return await self._drop(delivery, lease, history, denied(ruling))

    async def _send(
        self,
        delivery: Delivery,
        lease: Lease,
        history: History,
        standing: Standing,
        wanted: Composition,
    ) -> Done | Later:
        """Take one step after the other, each noted before and after."""
        step = standing.next_step(wanted)
        while step:
            # Only now: what turns out needless takes nothing from the limits.
            noted = await self._intended(delivery, lease, step, wanted.mates)
            if isinstance(noted, Later):
                return noted
            try:
                remote = await step.call(self.senders[delivery.target.platform])
            except TooLong as failure:
                weight = self.senders[delivery.target.platform].weight(step.post)
                budget = min(weight, wanted.budget) // 2
                short = shorter(noted, failure, budget)
                return await self._set_back(short, lease, history)
            except DeliveryFailed as failure:
                done = len(standing.parts)
                worn = self._worn(noted, failure, done)
                if (
                    wanted.mates
                    and worn.outcome
                    and worn.outcome.state is AttemptState.DEAD
                ):
                    # Any of them may be the one that was meant: each goes by itself.
                    worn = tried(noted, str(failure), self.clock(), self.tuning)
                return await self._set_back(worn, lease, history)
            self.trace("sent")
            standing = standing.after(step, wanted, delivery, remote)
            outcome = await self._made(delivery, history, standing, step, wanted)
            outcome = with_mates(outcome, noted, standing, wanted.mates)
            if outcome.state is not AttemptState.STEP:
                return await self._conclude(noted, lease, outcome, history)
            delivery = await self._conclusions.write(noted, lease, outcome, history)
            step = standing.next_step(wanted)
        return await self._drop(delivery, lease, history, "it stands there already")

    async def _intended(
        self,
        delivery: Delivery,
        lease: Lease,
        step: Step | None = None,
        mates: Sequence[Mate] = (),
    ) -> Delivery | Later:
        """Make sure of room for a call and of the link, and note that it is made."""
        call = replace(delivery, operation=step.operation) if step else delivery
        if wait := await self.limiter.reserve(self.limits.buckets(call)):
            waiting = self._later(delivery, wait.us).delivery
            full = "" if delivery.operation is Operation.FILE else wait.bucket
            return Later(waiting, full=full)
        if not await self._carrying.now(delivery):
            return self._later(delivery, 1)
        self.trace("checked")
        posting = step is not None and step.operation is Operation.POST
        part = step.part if step and posting else REPEATABLE
        meant = replace(delivery, part=part, joined=joined(mates))
        noted = await self.ledger.intend(meant, lease)
        self._noted[delivery.key] = noted
        self.trace("intended")
        return noted

    async def _made(
        self,
        delivery: Delivery,
        history: History,
        standing: Standing,
        step: Step,
        wanted: Composition,
    ) -> Outcome:
        """Return the outcome of a step that was taken, and led to what stands now."""
        copy, more = standing.noted(step)
        if standing.next_step(wanted):
            return Outcome(AttemptState.STEP, copy=copy, more=more)
        former = standing.former
        shared = former is not None and former.segment > 0 and bool(wanted.parts)
        if copy and (delivery.operation is Operation.EDIT or shared):
            first = wanted.parts[0]
            reason = await self._below.overtaken(delivery, history, first, copy)
            if reason:
                until = self.clock() + self.tuning.first_pause_us
                # As the oldest, and as it stood, it takes the edit that is to come.
                gone = former.deleted if former else copy.deleted
                stale = replace(copy, version_us=0, deleted=gone)
                return Outcome(AttemptState.RETRY, reason, until, stale, more=more)
        text = plain_text(history.document)
        if copy and (held := history.verdict.held):
            # What it says now waits; as the oldest it takes that once it is let go.
            waiting = replace(copy, version_us=0)
            return Outcome(AttemptState.DEAD, held, copy=waiting, text=text, more=more)
        return Outcome(AttemptState.DELIVERED, copy=copy, text=text, more=more)

    async def _apart(
        self, delivery: Delivery, lease: Lease, history: History, link: Link
    ) -> Done | Later:
        if delivery.operation is Operation.FILE:
            return await self._do(self.filing, delivery, lease, history)
        ruling = await self._admission.ruling(delivery, history, link)
        if not ruling.allowed:
            return await self._denied(delivery, lease, history, ruling)
        return await self._do(self.reactions, delivery, lease, history)

    async def _do(
        self,
        chore: Chore[Wanted],
        delivery: Delivery,
        lease: Lease,
        history: History,
    ) -> Done | Later:
        change = await chore.plan(delivery)
        if change is None:
            return self._later(delivery, self._rest_us(delivery))
        if isinstance(change, str):
            return await self._drop(delivery, lease, history, change)
        if (ready := chore.ready_us(change)) > self.clock():
            since = min(delivery.unknown_since_us, self.clock())
            waiting = replace(delivery, unknown_since_us=since, not_before_us=ready)
            return Later(waiting)
        post = await self._below.post(delivery, change)
        noted = await self._intended(delivery, lease)
        if isinstance(noted, Later):
            return noted
        try:
            outcome = await chore.make(change, post)
        except StoreUnavailable:
            # The platform may have been called: the next try must know of this one.
            return self._later(noted, self.tuning.first_pause_us)
        except DeliveryFailed as failure:
            return await self._set_back(self._worn(noted, failure), lease, history)
        self.trace("sent")
        if outcome.state is AttemptState.DELIVERED and post and change.copy:
            reason = await self._below.overtaken(
                change.about, change.story, post, change.copy
            )
            if reason:
                until = self.clock() + self.tuning.first_pause_us
                outcome = Outcome(AttemptState.RETRY, reason, until)
        return await self._conclude(noted, lease, outcome, history)

    async def _reconcile(
        self, delivery: Delivery, lease: Lease, history: History, standing: Standing
    ) -> Done | Later:
        if early := self._lost_answers.waits(delivery):
            return Later(early.delivery)
        mates = await self._joining.noted(delivery, history)
        unread = [m.story for m in mates if m.story.fault or m.story.erased]
        if unread:
            reason = unread[0].fault or _ERASED
            return await self._give_up(delivery, lease, history, reason)
        standing = replace(standing, mates=mates)
        wanted = await self._composer.compose(delivery, history, standing)
        sought = await self._composer.sought(delivery, history, standing)
        if wanted is None or sought is None:
            return self._later(delivery, self.tuning.first_pause_us)
        remote = await self._lost_answers.look(delivery, sought)
        if isinstance(remote, Setback):
            if (lost := remote.outcome) and lost.state is AttemptState.PARKED:
                lost = await self._joining.for_all(delivery, history, lost)
                remote = replace(remote, outcome=lost)
            return await self._set_back(remote, lease, history)
        # Which revision stands there is unknown; as the oldest it takes every edit.
        oldest = wanted.as_sent(delivery)
        step = Step(Operation.POST, len(standing.parts) + 1, sought)
        standing = standing.after(step, oldest, delivery, remote)
        state, (copy, more) = AttemptState.STEP, standing.noted(step)
        if delivery.operation is Operation.POST and not standing.missing:
            state = AttemptState.DELIVERED
        text = plain_text(history.document)
        outcome = Outcome(state, "found", copy=copy, more=more, text=text)
        if not delivery.again:
            outcome = with_mates(outcome, delivery, standing, mates)
        return await self._conclude(delivery, lease, outcome, history)

    def _worn(
        self, delivery: Delivery, failure: DeliveryFailed, done: int = 0
    ) -> Setback:
        worn = setback(delivery, failure, self.clock(), self.tuning, done)
        if worn.cause and self.holds is None:
            return Setback(delivery, Outcome(AttemptState.DEAD, str(failure)))
        return worn

    async def _set_back(
        self, setback: Setback, lease: Lease, history: History
    ) -> Done | Later:
        delivery = setback.delivery
        ending: Done | Later = Later(delivery)
        if setback.outcome and not setback.pause_us:
            ending = await self._conclude(delivery, lease, setback.outcome, history)
        if setback.cause and self.holds:
            cause = Cause(setback.cause)
            await self.holds.place(delivery.tenant, delivery.target, cause)
        if setback.outcome is None or not setback.pause_us:
            return ending
        # Leave the channel alone as the platform asked, and let everybody know.
        channel = self.limits.asked_to_wait(delivery)
        await self.limiter.pause(channel, setback.pause_us)
        noted = await self._conclusions.write(delivery, lease, setback.outcome, history)
        return Later(noted, full=channel.name)

    async def _dormant(
        self, delivery: Delivery, lease: Lease, history: History, holds: Sequence[Hold]
    ) -> Done | Later:
        """Let a delivery wait for a channel that carries nothing, but not for ever."""
        now, patience = self.clock(), self.tuning.dormant_us
        if not (reason := overdue(holds, delivery.created_us, now, patience)):
            left = delivery.created_us + patience - now
            return self._later(delivery, min(self.tuning.longest_pause_us, left))
        if delivery.lost:
            return await self._give_up(delivery, lease, history, reason)
        return await self._drop(delivery, lease, history, reason)

    async def _unlinked(
        self, delivery: Delivery, lease: Lease, history: History
    ) -> Done | Later:
        reason = "the link was removed"
        if delivery.lost:
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
        noted = await self._conclusions.write(delivery, lease, outcome, history)
        if not outcome.state.final:
            return Later(noted)
        return Done(tuple(other.delivery for other in outcome.others))

    def _rest_us(self, delivery: Delivery) -> int:
        """How long to leave alone what waits: the longer it has waited, the longer."""
        rest = (self.clock() - delivery.created_us) // _SHARE_OF_WAIT
        return min(max(self.tuning.first_pause_us, rest), _LONGEST_REST_US)

    def _later(self, delivery: Delivery, pause_us: int) -> Later:
        return Later(replace(delivery, not_before_us=self.clock() + pause_us))
