"""
Everything ATOM raises on purpose.

* AtomError                 base; its text is one line that a person may read
  - BadInput                what was given cannot be used; says what to give instead
  - NotAllowed              a person asked for something that is not theirs to do
  - Conflict                it clashes with something that exists already
  - NotFound                what was named does not exist
  - StoreUnavailable        the database cannot take the event now; nothing was kept
  - ServiceUnavailable      another system is down or too slow; trying later may help
  - DeliveryFailed          a platform did not take a message
    + Throttled             it asked to wait; nothing was sent
    + NotSent               it was not reached; nothing was sent
    + NotGiven              what is to be sent was not given out; nothing was sent
    + Ambiguous             the answer was lost; it may or may not have been sent
    + Refused               it said no, and will say no again
      . TooLong             it would take less at once
  - CannotTell              a lost answer cannot be looked up
  - Fenced                  another process owns this shard now; stop
"""


class AtomError(Exception):
    """Base of every error ATOM raises on purpose."""


class BadInput(AtomError):
    """What was given cannot be used. The text says what to give instead."""


class NotAllowed(AtomError):
    """A person asked for something that is not theirs to do."""


class Conflict(AtomError):
    """The wish clashes with something that exists already."""


class NotFound(AtomError):
    """What was named does not exist."""


class StoreUnavailable(AtomError):
    """The database cannot take the event now. Nothing was kept."""


class ServiceUnavailable(AtomError):
    """Another system is down or too slow; trying later may help."""


class DeliveryFailed(AtomError):
    """A platform did not take a message."""


class Throttled(DeliveryFailed):
    """The platform asked to wait `retry_after` seconds. Nothing was sent."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class NotSent(DeliveryFailed):
    """The platform was not reached, so nothing was sent; sending again is safe."""


class NotGiven(DeliveryFailed):
    """What is to be sent was not given out yet; a later try may get it."""


class Ambiguous(DeliveryFailed):
    """The answer was lost: the platform may or may not have done it."""


class Refused(DeliveryFailed):
    """
    The platform said no, and would say no again.

    If it is the channel that takes nothing, whatever the message, `cause` is a
    `bridge.holds.Cause`.
    """

    def __init__(self, reason: str = "", cause: str = "") -> None:
        super().__init__(reason)
        self.cause = cause


class TooLong(Refused):
    """The platform takes no message as long as this one."""


class CannotTell(AtomError):
    """A lost answer cannot be looked up, for want of a right or a service."""


class Fenced(AtomError):
    """Another process owns this shard now. Stop working on it."""
