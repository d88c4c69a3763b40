"""
What becomes of links when channels, teams and installations come and go.

Pure decisions: an event goes in, what follows for the channels comes out. It is
written down together with the event, so that no crash parts the two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bridge.holds import NEWCOMERS, READERS, Cause, Hold
from bridge.links import Link
from bridge.membership import joined
from bridge.messages import Channel, Event, Platform

DETAIL = "lifecycle"  # under this name events tell their `Change`
NEW_ID = "new_id"
TEAMS = "teams"
EXTERNAL = "external"
WAITED = "it waited"  # how the reasons of what waited too long begin


class Change(StrEnum):
    """What happened to a channel, a team or an installation."""

    ARCHIVED = "archived"
    UNARCHIVED = "unarchived"
    DELETED = "deleted"
    RESTORED = "restored"
    TEAM_ARCHIVED = "team archived"
    TEAM_UNARCHIVED = "team unarchived"
    TEAM_DELETED = "team deleted"
    TEAM_RESTORED = "team restored"
    JOINED = "joined"  # ATOM itself
    LEFT = "left"
    INSTALLED = "installed"
    UNINSTALLED = "uninstalled"
    GRANTED = "granted"  # the organisation lets its app into workspaces
    WITHDRAWN = "withdrawn"
    SHARED = "shared"
    UNSHARED = "unshared"
    CREATED = "created"
    RENAMED = "renamed"
    MOVED = "moved"  # it has another id from now on


@dataclass(frozen=True, slots=True)
class Scope:
    """One channel; without `channel`, all those of a workspace or team."""

    platform: Platform
    team: str
    channel: str = ""

    def covers(self, channel: Channel) -> bool:
        here = (channel.platform, channel.team) == (self.platform, self.team)
        return here and self.channel in {"", channel.id}


@dataclass(frozen=True, slots=True)
class Consequence:
    """
    What follows for the channels of a scope.

    `address` is where the scope's one channel is found from now on. If the event
    alone does not tell how things stand, the platform is to be asked (`ask`).
    """

    scope: Scope
    at_us: int
    placed: frozenset[Cause] = frozenset()
    lifted: frozenset[Cause] = frozenset()
    address: Channel | None = None
    ask: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    placed: frozenset[Cause] = frozenset()
    lifted: frozenset[Cause] = frozenset()
    whole_team: bool = False
    ask: bool = False


def _rule(
    placed: Iterable[Cause] = (),
    lifted: Iterable[Cause] = (),
    *,
    whole_team: bool = False,
    ask: bool = False,
) -> _Rule:
    return _Rule(frozenset(placed), frozenset(lifted), whole_team, ask)


_BACK = {Cause.UNINSTALLED, Cause.WITHDRAWN, Cause.ABSENT}
_RULES: Mapping[Change, _Rule] = {
    Change.ARCHIVED: _rule({Cause.ARCHIVED}),
    Change.UNARCHIVED: _rule(lifted={Cause.ARCHIVED, Cause.CLOSED}, ask=True),
    Change.DELETED: _rule({Cause.DELETED}),
    Change.RESTORED: _rule(lifted={Cause.DELETED, Cause.CLOSED}, ask=True),
    Change.TEAM_ARCHIVED: _rule({Cause.TEAM_ARCHIVED}, whole_team=True),
    Change.TEAM_UNARCHIVED: _rule(
        lifted={Cause.TEAM_ARCHIVED, Cause.CLOSED}, whole_team=True, ask=True
    ),
    Change.TEAM_DELETED: _rule({Cause.TEAM_DELETED}, whole_team=True),
    Change.TEAM_RESTORED: _rule(
        lifted={Cause.TEAM_DELETED, Cause.CLOSED}, whole_team=True, ask=True
    ),
    Change.JOINED: _rule(lifted={Cause.ABSENT}, ask=True),
    Change.LEFT: _rule({Cause.ABSENT}),
    Change.INSTALLED: _rule(lifted=_BACK, whole_team=True, ask=True),
    Change.UNINSTALLED: _rule({Cause.UNINSTALLED}, whole_team=True),
    Change.GRANTED: _rule(lifted=_BACK, whole_team=True, ask=True),
    Change.WITHDRAWN: _rule({Cause.WITHDRAWN}, whole_team=True),
    # Held until it is known with whom: nobody outside may read one message too many.
    Change.SHARED: _rule({Cause.EXTERNAL}, ask=True),
    Change.UNSHARED: _rule(ask=True),
    Change.CREATED: _rule(),
    Change.RENAMED: _rule(),
    Change.MOVED: _rule(lifted={Cause.ABSENT, Cause.DELETED}, ask=True),
}


def change_of(event: Event) -> Change | None:
    """Return which change an event tells of, None for most."""
    told = next((value for name, value in event.detail if name == DETAIL), "")
    return Change(told) if told else None


def consequences(event: Event) -> tuple[Consequence, ...]:
    """Return what follows from an event for channels, nothing for most."""
    change = change_of(event)
    if change is None:
        return ()
    rule, detail = _RULES[change], dict(event.detail)
    placed, lifted = rule.placed, rule.lifted
    match (change, detail.get(EXTERNAL)):
        case (Change.SHARED, "no"):  # with a team of the same company
            placed = frozenset[Cause]()
        case (Change.UNSHARED, "no"):
            lifted = frozenset({Cause.EXTERNAL})
    return tuple(
        Consequence(
            scope, event.sent_us, placed, lifted, _address(event, detail), rule.ask
        )
        for scope in _scopes(event, rule, detail.get(TEAMS, ""))
    )


def outsiders_noticed(event: Event, links: Sequence[Link]) -> tuple[Consequence, ...]:
    """
    Return what follows if people of other organisations read along, unknown till now.

    Any event may be the first to tell: that of the sharing itself may be lost.
    """
    channel = event.channel
    if not event.external or channel is None or not links:
        return ()
    known = {(h.channel, h.cause) for link in links for h in link.holds}
    if (channel, Cause.EXTERNAL) in known:
        return ()
    scope = Scope(channel.platform, channel.team, channel.id)
    return (Consequence(scope, event.sent_us, placed=frozenset({Cause.EXTERNAL})),)


def readers_moved(event: Event, links: Sequence[Link]) -> tuple[Consequence, ...]:
    """
    Return what follows when somebody comes into a linked channel, or goes.

    Whether they are guests only the platform can tell. Until it has, who came counts as
    one: nothing may slip through in between.
    """
    channel = event.channel
    if channel is None:
        return ()
    came, team = bool(joined(event)), of_team(channel)
    placed = frozenset({Cause.NEWCOMER}) if came else frozenset[Cause]()
    scope = Scope(channel.platform, channel.team, "" if team else channel.id)
    if not team and not links:
        return ()
    if not came and not team:
        causes = {hold.cause for link in links for hold in link.holds}
        if not causes & (READERS | NEWCOMERS):
            return ()  # nobody was there whose going would matter
    return (Consequence(scope, event.sent_us, placed=placed, ask=True),)


def of_team(channel: Channel) -> bool:
    """Whether what is told of a channel is so for all channels of its team."""
    return channel.platform is Platform.TEAMS and channel.id == channel.team


def overdue(held: Sequence[Hold], queued_us: int, now_us: int, patience_us: int) -> str:
    """
    Return why a delivery need not wait any longer for what holds it, if so.

    It may wait `patience_us` from when it was queued.
    """
    if now_us - queued_us < patience_us:
        return ""
    days = patience_us / 86_400_000_000
    reasons = ", ".join(hold.said(_plain(hold.channel)) for hold in held)
    return f"{WAITED} {days:.3g} days: {reasons}"


def _plain(channel: Channel) -> str:
    return f"the channel in {channel.platform.title()}"


def _address(event: Event, detail: Mapping[str, str]) -> Channel | None:
    if event.channel is None or not (new := detail.get(NEW_ID)):
        return None
    return Channel(event.channel.platform, event.account, new)


def _scopes(event: Event, rule: _Rule, teams: str) -> list[Scope]:
    if teams:
        return [Scope(event.platform, team) for team in teams.split()]
    team = event.channel.team if event.channel else event.account
    if rule.whole_team:
        return [Scope(event.platform, team)]
    if event.channel is None:
        return []
    return [Scope(event.platform, team, event.channel.id)]
