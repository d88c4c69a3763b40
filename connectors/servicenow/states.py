"""
How incidents and changes move on: states, priorities, and how they are meant.

The states' numbers are those that ServiceNow ships with; a company that adds some is
shown its own words for them, and is offered what fits any open record.
"""

from dataclasses import dataclass
from enum import IntEnum

from bridge.cards import Tone
from bridge.errors import BadInput


class IncidentState(IntEnum):
    """The states of an incident."""

    NEW = 1
    IN_PROGRESS = 2
    ON_HOLD = 3
    RESOLVED = 6
    CLOSED = 7
    CANCELED = 8


class ChangeState(IntEnum):
    """The states of a change; a standard one skips assess and authorize."""

    NEW = -5
    ASSESS = -4
    AUTHORIZE = -3
    SCHEDULED = -2
    IMPLEMENT = -1
    REVIEW = 0
    CLOSED = 3
    CANCELED = 4


_OPEN = (IncidentState.NEW, IncidentState.IN_PROGRESS, IncidentState.ON_HOLD)
# What an incident can be turned into by hand. Resolved ones are closed by the clock.
_MOVES: dict[IncidentState, frozenset[IncidentState]] = {
    IncidentState.NEW: frozenset(IncidentState) - {IncidentState.NEW},
    IncidentState.IN_PROGRESS: frozenset(IncidentState) - {IncidentState.NEW},
    IncidentState.ON_HOLD: frozenset(IncidentState) - {IncidentState.NEW},
    IncidentState.RESOLVED: frozenset(
        {IncidentState.IN_PROGRESS, IncidentState.CLOSED}
    ),
    IncidentState.CLOSED: frozenset(),
    IncidentState.CANCELED: frozenset(),
}
# Priority by impact and urgency, as ServiceNow's data lookup is shipped.
_PRIORITY = (
    (1, 2, 3),
    (2, 3, 4),
    (3, 4, 5),
)
_HIGH = 2  # priorities up to this one are alarming


@dataclass(frozen=True, slots=True)
class Possible:
    """What can be done with an incident by hand in the state that it is in."""

    take: bool
    hold: bool
    resolve: bool
    edit: bool
    comment: bool


def priority(impact: int, urgency: int) -> int:
    """Return the priority that follows; it is never entered. Raises `BadInput`."""
    if not 1 <= impact <= len(_PRIORITY) or not 1 <= urgency <= len(_PRIORITY):
        raise BadInput("impact and urgency are 1 (high), 2 (medium) or 3 (low)")
    return _PRIORITY[impact - 1][urgency - 1]


def may_become(now: IncidentState, then: IncidentState) -> bool:
    """Say whether an incident may be moved from one state to another by hand."""
    return now is then or then in _MOVES[now]


def possible(state: int | None) -> Possible:
    """Return what an incident's state leaves to do; None is a state nobody knows."""
    if state is None or state not in set(IncidentState):
        return Possible(take=True, hold=True, resolve=True, edit=True, comment=True)
    now = IncidentState(state)
    still = now in _OPEN
    return Possible(
        take=still,
        hold=still and now is not IncidentState.ON_HOLD,
        resolve=may_become(now, IncidentState.RESOLVED)
        and now is not IncidentState.RESOLVED,
        edit=still,
        comment=now not in {IncidentState.CLOSED, IncidentState.CANCELED},
    )


def incident_tone(state: int | None, priority_: int | None) -> Tone:
    """Return how an incident's status is underlined; its words say it too."""
    if state is not None and state >= IncidentState.RESOLVED:
        return Tone.GOOD
    if priority_ is not None and 0 < priority_ <= _HIGH:
        return Tone.BAD
    return Tone.WARNING if state == IncidentState.ON_HOLD else Tone.PLAIN


def change_tone(state: int | None, approval: str) -> Tone:
    """Return how a change's status is underlined."""
    if approval == "rejected" or state == ChangeState.CANCELED:
        return Tone.BAD
    if approval == "requested":
        return Tone.WARNING
    done = state in {ChangeState.SCHEDULED, ChangeState.REVIEW, ChangeState.CLOSED}
    return Tone.GOOD if done else Tone.PLAIN
