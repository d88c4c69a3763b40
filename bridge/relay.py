"""Carry what happens in one channel to the channels that listen to it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from bridge.access import Action, Decision
from bridge.delivery import Delivery, Operation
from bridge.enforcement import Enforcement
from bridge.labelling import Labeller
from bridge.leaving.findings import NOTHING
from bridge.leaving.leaving import Leaving, Plan
from bridge.lifecycle import (
    Consequence,
    consequences,
    outsiders_noticed,
    readers_moved,
)
from bridge.links import Link, LinkState
from bridge.messages import Channel, Event, EventKind, PersonKind
from bridge.options import Bots
from bridge.others import Others, heard_by, is_loop
from bridge.ports import (
    AccessPolicy,
    Commitment,
    Journal,
    Links,
    Receipt,
    Tenants,
)

# What a kind of event asks of the far side, and what a person must be allowed to.
_OPERATIONS = {
    EventKind.MESSAGE_CREATE: (Operation.POST, Action.POST),
    EventKind.MESSAGE_RESTORE: (Operation.POST, Action.POST),
    EventKind.MESSAGE_EDIT: (Operation.EDIT, Action.EDIT),
    EventKind.MESSAGE_DELETE: (Operation.DELETE, Action.DELETE),
    EventKind.REACTION_ADD: (Operation.REACT, Action.REACT),
    EventKind.REACTION_REMOVE: (Operation.REACT, Action.REACT),
}

_MOVES = {EventKind.MEMBER_JOIN, EventKind.MEMBER_LEAVE}

NOT_OURS = Receipt(seq=-1)


def unwatched(_step: str) -> None:
    """The default trace: nobody watches."""


def unguarded(_tenant: str) -> bool:
    """The default: nobody's policy asks who reads along."""
    return False


Followed = Callable[[str, Event, Sequence[Consequence]], Awaitable[None]]


async def unfollowed(_t: str, _event: Event, _follows: Sequence[Consequence]) -> None:
    """The default: nobody cares what follows from events for channels."""


async def unheeded(_tenant: str, _channel: Channel) -> None:
    """The default: nobody counts echoes."""


@dataclass(frozen=True, slots=True)
class Relay:
    """
    Implements `bridge.ports.Intake`: decide, then record, then let the queue deliver.

    `others` decides on other bots; without it they are on record and no more. `trace`
    is told each step's name as it is passed; tests stop the process there. `followed`
    is told what followed for channels, once that is written. `labels` reads what is
    said. `guarded` says for which companies it matters who joins a linked channel.
    `leaving` keeps back what must not leave. `echoed` is told of each company and
    channel in which something was cut that would have gone round in a circle.
    """

    tenants: Tenants
    links: Links
    policy: AccessPolicy
    journal: Journal
    trace: Callable[[str], None] = unwatched
    others: Others | None = None
    followed: Followed = unfollowed
    labels: Labeller | None = None
    guarded: Callable[[str], bool] = unguarded
    leaving: Leaving | None = None
    echoed: Callable[[str, Channel], Awaitable[None]] = unheeded
    _enforcement: Enforcement = field(init=False)

    def __post_init__(self) -> None:
        enforcement = Enforcement(self.policy, self.labels)
        object.__setattr__(self, "_enforcement", enforcement)

    async def receive(self, event: Event) -> Receipt:
        """
        Take one event in. Accounts of no company we serve leave nothing behind.

        A denied message is recorded as well: the log holds attempts, not only
        successes.
        """
        self.trace("received")
        tenant = await self.tenants.tenant_of(event.platform, event.account)
        if tenant is None:
            return NOT_OURS
        found = await self.leaving.look(tenant, event) if self.leaving else NOTHING
        decisions, deliveries = await self._plan(tenant, event)
        plan = Plan(tuple(deliveries))
        if self.leaving:
            plan = await self.leaving.plan(event, found, deliveries)
        follows = await self._follows(tenant, event)
        self.trace("decided")
        receipt = await self.journal.append(
            Commitment(
                tenant,
                event,
                (*decisions, *plan.decisions),
                plan.deliveries,
                follows,
                found,
                plan.taken,
            )
        )
        self.trace("captured")
        moves = event.kind in _MOVES and self.guarded(tenant)
        if (follows or moves) and not receipt.duplicate:
            await self.followed(tenant, event, follows)
        cut = any(is_loop(decision.rule) for decision in decisions)
        if cut and event.channel and not receipt.duplicate:
            await self.echoed(tenant, event.channel)
        return receipt

    async def _follows(self, tenant: str, event: Event) -> tuple[Consequence, ...]:
        """Return what the event changes about whether channels carry."""
        if event.channel is None:
            return consequences(event)
        moves = event.kind in _MOVES and self.guarded(tenant)
        if not (event.external or moves):
            return consequences(event)
        links = await self.links.of(tenant, event.channel)
        follows = (*consequences(event), *outsiders_noticed(event, links))
        return (*follows, *readers_moved(event, links)) if moves else follows

    async def _plan(
        self, tenant: str, event: Event
    ) -> tuple[Sequence[Decision], Sequence[Delivery]]:
        wanted = _OPERATIONS.get(event.kind)
        if wanted is None or event.channel is None:
            return (), ()
        if event.author.kind is PersonKind.SYSTEM:
            return (), ()
        if not event.message:  # somebody reacted to a file, for one
            return (), ()
        operation, action = wanted
        links = await self.links.of(tenant, event.channel)
        gathered: list[Link] = []
        if event.author.kind is PersonKind.BOT:
            if event.kind is EventKind.MESSAGE_CREATE and self.others:
                gathered = heard_by(links, Bots.DIGEST)
            links = heard_by(links, Bots.RELAY) if self.others else []
        if not (links or gathered):
            return (), ()
        if self.others and event.author.kind is PersonKind.BOT:
            targets = [
                t for link in (*links, *gathered) for t in link.others(event.channel)
            ]
            if cut := await self.others.loop(tenant, event, targets):
                return (cut,), ()
        channel, heard = event.channel, [*links, *gathered]
        verdict = await self._enforcement.on(tenant, event, channel, action, heard)
        if not verdict.open:
            return verdict.decisions, ()
        lines = replace(event, thread="")
        deliveries = [
            *planned(tenant, event, operation, event.channel, links),
            *planned(tenant, lines, Operation.DIGEST, event.channel, gathered),
        ]
        return verdict.decisions, [
            each for each in deliveries if (each.link, each.target) in verdict.open
        ]


def planned(
    tenant: str,
    event: Event,
    operation: Operation,
    channel: Channel,
    links: Sequence[Link],
) -> list[Delivery]:
    """Address one delivery to every channel that hears `channel`."""
    return [
        Delivery(
            tenant=tenant,
            seq=-1,
            n=-1,
            link=link.id,
            operation=operation,
            source=channel,
            target=target,
            message=event.message,
            thread=event.thread,
            version_us=event.version_us,
            created_us=0,
        )
        for link in links
        if link.state is not LinkState.REMOVED
        for target in link.others(channel)
    ]
