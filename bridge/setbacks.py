"""What comes after a call that failed: how it is noted, and when it is made again."""

from dataclasses import dataclass, replace

from bridge.delivery import AttemptState, Delivery, Operation
from bridge.errors import (
    Ambiguous,
    DeliveryFailed,
    NotSent,
    Refused,
    Throttled,
    TooLong,
)
from bridge.ports import Outcome
from bridge.tuning import Tuning

_LEAST_BUDGET = 200


@dataclass(frozen=True, slots=True)
class Setback:
    """
    Why a delivery is not done, and how it goes on.

    Without an `outcome` nothing is noted, and what was noted before the call stands.
    For `pause_us` the whole channel is to be left alone; for a `cause` it is held, since
    it takes nothing at all.
    """

    delivery: Delivery
    outcome: Outcome | None = None
    pause_us: int = 0
    cause: str = ""


def setback(
    delivery: Delivery,
    failure: DeliveryFailed,
    now_us: int,
    tuning: Tuning,
    done: int = 0,
) -> Setback:
    """Return what follows from a failure after `done` steps that went well."""
    reason = str(failure)
    match failure:
        case Throttled(retry_after=seconds):
            pause_us = int(seconds * 1_000_000)
            until = now_us + pause_us
            if delivery.operation in {Operation.REACT, Operation.FILE}:
                # These have limits of their own, no concern of messages'.
                return Setback(delivery, Outcome(AttemptState.RETRY, reason, until))
            outcome = Outcome(AttemptState.THROTTLED, reason, until)
            return Setback(delivery, outcome, pause_us)
        case Refused(cause=cause) if cause:
            # Nothing is wrong with the message: it waits for its channel.
            until = now_us + tuning.first_pause_us
            retry = Outcome(AttemptState.RETRY, reason, until)
            return Setback(delivery, retry, cause=cause)
        case Refused():
            return Setback(delivery, Outcome(AttemptState.DEAD, reason))
        case Ambiguous() if delivery.lost:
            due = now_us + tuning.reconcile_after_us
            return Setback(
                replace(delivery, tries=delivery.tries + 1, not_before_us=due)
            )
        case Ambiguous() if delivery.operation is Operation.FILE:
            least = tuning.reconcile_after_us
            return tried(delivery, reason, now_us, tuning, least)
        case NotSent():
            # The platform's trouble, not the message's: it waits for as long.
            rounds = max(1, (delivery.attempts + 1) // 2 - done)
            until = now_us + _pause(rounds, tuning)
            return Setback(delivery, Outcome(AttemptState.RETRY, reason, until))
    # A lost answer to what may be repeated.
    return tried(delivery, reason, now_us, tuning)


def tried(
    delivery: Delivery, reason: str, now_us: int, tuning: Tuning, at_least_us: int = 0
) -> Setback:
    """Count a try for the message's own sake; after some of them it is given up."""
    counted = replace(delivery, tries=delivery.tries + 1)
    if counted.tries >= tuning.tries:
        return Setback(counted, Outcome(AttemptState.DEAD, reason))
    until = now_us + max(_pause(counted.tries, tuning), at_least_us)
    return Setback(counted, Outcome(AttemptState.RETRY, reason, until))


def shorter(delivery: Delivery, failure: TooLong, budget: int) -> Setback:
    """Try again at once, in smaller parts, as long as that may help."""
    if budget < _LEAST_BUDGET:
        return Setback(delivery, Outcome(AttemptState.DEAD, str(failure)))
    outcome = Outcome(AttemptState.RETRY, str(failure))
    return Setback(replace(delivery, budget=budget), outcome)


def _pause(rounds: int, tuning: Tuning) -> int:
    """Return how long to wait after so many failures: longer each time."""
    pause = tuning.first_pause_us << min(rounds - 1, 16)
    return min(pause, tuning.longest_pause_us)
