"""
What the policy is asked about one thing that happens, for each place that would see it.

A message may go to one channel and not to another, so each is asked for by itself. What
comes out the same everywhere is one decision on record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.access import Action, Asked, Decision, Label
from bridge.document import Broadcast
from bridge.holds import NEWCOMERS, READERS
from bridge.labelling import Labeller
from bridge.links import Link, LinkState
from bridge.mentions import leaves
from bridge.messages import Channel, Event
from bridge.options import Pings
from bridge.ports import AccessPolicy

Route = tuple[str, Channel]  # a link and one of its channels


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decisions on one event: what goes on record, and which routes are open."""

    decisions: tuple[Decision, ...]
    open: frozenset[Route]


@dataclass(frozen=True, slots=True)
class Enforcement:
    """Asks the policy about events. Without `labels` everything said is public."""

    policy: AccessPolicy
    labels: Labeller | None = None

    async def on(
        self,
        tenant: str,
        event: Event,
        here: Channel,
        action: Action,
        links: Sequence[Link],
    ) -> Verdict:
        """Return whether what happened in a channel may be seen where it is linked."""
        routes = set[Route]()
        found: dict[Route, Decision] = {}
        label = Label.PUBLIC
        if self.labels:
            label = self.labels.label(tenant, event.document, event.files)
        for link in links:
            if link.state is LinkState.REMOVED:
                continue
            for target in link.others(here):
                asked = Asked(
                    tenant,
                    event.author,
                    action,
                    here,
                    target,
                    link.id,
                    event.account,
                    label,
                    outsiders=outsiders(link, target),
                )
                answer = await asked_of(self.policy, asked, link)
                found[link.id, target] = answer
                if answer.allowed or answer.unsure or await self.hides(asked, answer):
                    routes.add((link.id, target))
        decisions = _told(found)
        if routes and action is Action.POST and _calls(event, links):
            ping = await self.policy.decide(
                Asked(tenant, event.author, Action.PING, here, account=event.account)
            )
            if not ping.allowed:
                return Verdict((*decisions, ping), frozenset(routes))
        return Verdict(decisions, frozenset(routes))

    async def hides(self, asked: Asked, answer: Decision) -> bool:
        """
        Say whether an edit is denied for what it says now, and not for who makes it.

        The copy that stands there must not go on saying what its original no longer
        says, so it is replaced by a line.
        """
        if asked.action is not Action.EDIT or not asked.label or answer.unsure:
            return False
        return (await self.policy.decide(replace(asked, label=Label.PUBLIC))).allowed


async def asked_of(policy: AccessPolicy, asked: Asked, link: Link | None) -> Decision:
    """
    Ask, and let a denial pass that is only for want of knowing who came.

    Somebody joined the target just now, and nobody knows yet who they are: until then
    they count as an outsider.
    """
    decision = await policy.decide(asked)
    if decision.allowed or link is None or asked.target is None:
        return decision
    standing = {hold.cause for hold in link.holds if hold.channel == asked.target}
    if standing & READERS:
        return decision
    return replace(decision, unsure=True) if standing & NEWCOMERS else decision


def outsiders(link: Link | None, target: Channel) -> bool:
    """Say whether people who are not the company's own read along, or may."""
    if link is None:
        return True  # it is not known, which is no reason to trust
    return any(
        hold.channel == target and hold.cause in READERS | NEWCOMERS
        for hold in link.holds
    )


def _told(found: Mapping[Route, Decision]) -> tuple[Decision, ...]:
    """Return one decision if all are the same, and else each with its target."""
    if len(found) == 1:  # nearly always
        return tuple(found.values())
    distinct = dict.fromkeys(found.values())
    if len(distinct) <= 1:
        return tuple(distinct)
    return tuple(
        replace(answer, target=str(target)) for (_, target), answer in found.items()
    )


def _calls(event: Event, links: Sequence[Link]) -> bool:
    """Whether a message calls everybody, and some link lets it."""
    if not any(link.options.pings is Pings.PING for link in links):
        return False
    return any(isinstance(leaf, Broadcast) for leaf in leaves(event.document))
