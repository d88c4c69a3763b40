"""Who is in a conversation: what is asked of platforms, and how changes are told."""

from typing import Protocol

from bridge.messages import Channel, Event, EventKind, Platform

_JOINED, _LEFT = "joined", "left"  # how Teams' events name people


class Members(Protocol):
    """The people of a conversation, as its platform lists them now."""

    async def of(self, channel: Channel) -> frozenset[str]:
        """
        Return the ids of everybody who may read along.

        All of them or an error, never a part: raises `ServiceUnavailable` or
        `CannotTell`.
        """
        ...


class Readers(Protocol):
    """Who of those who read along is not the company's own."""

    async def outsiders(self, channel: Channel) -> frozenset[str]:
        """
        Return the ids of guests and of people of other organisations in a channel.

        All of them or an error, as `Members.of`: somebody of whom it is not known who
        they are is an error, too.
        """
        ...


def joined(event: Event) -> frozenset[str]:
    """Return who came in with an event, by their platform's ids."""
    return (
        _named(event, _JOINED) if event.kind is EventKind.MEMBER_JOIN else frozenset()
    )


def inviter(event: Event) -> str:
    """Return who let somebody in with an event; empty if they came by themselves."""
    if event.kind is not EventKind.MEMBER_JOIN:
        return ""
    teams = event.platform is Platform.TEAMS
    by = event.author.id if teams else dict(event.detail).get("inviter", "")
    return "" if by in joined(event) else by


def left(event: Event) -> frozenset[str]:
    """Return who went with an event."""
    return _named(event, _LEFT) if event.kind is EventKind.MEMBER_LEAVE else frozenset()


def _named(event: Event, word: str) -> frozenset[str]:
    told = dict(event.detail).get(word, "").split()
    if told or event.platform is Platform.TEAMS:
        return frozenset(told)  # who says so there need not be who came
    return frozenset({event.author.id} - {""})
