"""
Whether somebody may be in a linked channel.

Whoever is in it reads along, so it takes both: to join the channel, and to read what
comes there from the others.
"""

from collections.abc import Sequence

from bridge.access import Action, Asked, Decision
from bridge.messages import Channel, Person
from bridge.ports import AccessPolicy


async def may_be_in(
    policy: AccessPolicy, asked: Asked, others: Sequence[Channel]
) -> Decision:
    """
    Return the first decision that is against it, else the one on joining.

    `asked` is whether they may join; `others` are the channels of the link of which
    copies come there.
    """
    joins = await policy.decide(asked)
    if not joins.allowed:
        return joins
    return await may_not_read(policy, asked, others) or joins


async def may_not_read(
    policy: AccessPolicy, asked: Asked, others: Sequence[Channel]
) -> Decision | None:
    """Return the first decision against reading in a channel what comes from others."""
    for other in others:
        reads = await policy.decide(
            Asked(
                asked.tenant,
                asked.person,
                Action.READ,
                other,
                asked.channel,
                asked.link,
                asked.account,
            )
        )
        if not reads.allowed:
            return reads
    return None


def inviting(tenant: str, person: Person, channel: Channel, link: str) -> Asked:
    """Return the question whether somebody may let others into a linked channel."""
    return Asked(tenant, person, Action.INVITE, channel, link=link)


def joining(
    tenant: str, person: Person, channel: Channel, link: str, account: str = ""
) -> Asked:
    """Return the question whether somebody may join a linked channel."""
    return Asked(tenant, person, Action.JOIN, channel, link=link, account=account)
