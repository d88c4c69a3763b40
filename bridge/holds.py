"""What keeps a channel from carrying messages, whatever its link's owners wish."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bridge.messages import Channel, Platform


class Cause(StrEnum):
    """Why a channel carries nothing. The values are stored, and are metrics' labels."""

    ARCHIVED = "archived"
    TEAM_ARCHIVED = "team_archived"
    DELETED = "deleted"
    TEAM_DELETED = "team_deleted"
    ABSENT = "not_a_member"  # ATOM is not in the channel, or does not see it
    UNINSTALLED = "uninstalled"
    WITHDRAWN = "access_withdrawn"  # by the organisation, for the whole workspace
    CLOSED = "closed"  # it takes no messages, and the platform does not say why
    EXTERNAL = "shared_outside"  # people of other organisations read along
    GUESTS = "guests"  # so do guests of the company; it carries all the same
    NEWCOMER = "newcomer"  # so does somebody of whom it is not known yet


# Who reads along, which is for the policy to judge.
READERS = frozenset({Cause.EXTERNAL, Cause.GUESTS})
NEWCOMERS = frozenset({Cause.NEWCOMER})
# What is known of a channel, and keeps nothing from it.
FACTS = frozenset({Cause.GUESTS, Cause.NEWCOMER})
# While one of these stands, ATOM does not hear what is said in the channel either.
DEAF = frozenset(Cause) - READERS - NEWCOMERS - {Cause.CLOSED}

_SAID = {
    Cause.ARCHIVED: "{channel} is archived",
    Cause.TEAM_ARCHIVED: "the team of {channel} is archived",
    Cause.DELETED: "{channel} was deleted",
    Cause.TEAM_DELETED: "the team of {channel} was deleted",
    Cause.ABSENT: "ATOM is not in {channel} any more",
    Cause.UNINSTALLED: "ATOM was removed from the {account} of {channel}",
    Cause.WITHDRAWN: "ATOM may not work in the {account} of {channel} any more",
    Cause.CLOSED: "{channel} takes no messages",
    Cause.EXTERNAL: "{channel} is shared with another organisation",
    Cause.GUESTS: "guests read along in {channel}",
    Cause.NEWCOMER: "somebody came into {channel} just now",
}
_ACCOUNTS = {Platform.SLACK: "workspace", Platform.TEAMS: "team"}


@dataclass(frozen=True, slots=True, order=True)
class Hold:
    """One cause that stands for one channel since a time in microseconds UTC."""

    channel: Channel
    cause: Cause
    since_us: int = 0

    def said(self, channel: str) -> str:
        """Return the reason as people read it; `channel` is what they call it."""
        account = _ACCOUNTS[self.channel.platform]
        return _SAID[self.cause].format(channel=channel, account=account)


@dataclass(frozen=True, slots=True)
class Condition:
    """
    What a platform says of a channel when it is asked.

    `causes` keep it from carrying now; they are `vague` if the platform answers the
    same for several. `limits` are lines for people: what works less well there than
    elsewhere, and why.
    """

    causes: frozenset[Cause] = frozenset()
    limits: tuple[str, ...] = ()
    vague: bool = False

    def among(self, standing: frozenset[Cause]) -> frozenset[Cause]:
        """
        Return what stands after this answer, where `standing` did before.

        An event told the exact cause; a vague answer does not replace it. And where
        ATOM cannot look, it cannot see who reads along.
        """
        readers = READERS | NEWCOMERS
        blocked = self.causes - readers
        if not blocked:
            return self.causes
        known = standing - readers
        outside = (standing | self.causes) & readers
        return (known if known and self.vague else blocked) | outside


class Prober(Protocol):
    """Asks a platform whether ATOM can read and post in a channel."""

    async def condition(self, channel: Channel) -> Condition:
        """
        Return how the channel is. Nothing that people see is posted for it.

        Raises `ServiceUnavailable` when the platform does not answer.
        """
        ...


class Holds(Protocol):
    """What is remembered of channels that carry nothing."""

    async def place(self, tenant: str, channel: Channel, cause: Cause) -> None:
        """Let every link of the channel go dormant. Again changes nothing."""
        ...

    async def settle(
        self, tenant: str, channel: Channel, causes: Collection[Cause]
    ) -> None:
        """Let exactly these stand: what a platform said when it was asked."""
        ...
