"""How far a delivery got."""

from dataclasses import dataclass

from bridge.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Later:
    """
    The delivery stays where it is, until its `not_before_us`.

    Until then nothing else passes either that counts in the bucket that is `full`.
    """

    delivery: Delivery
    full: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The delivery is over, and so are those that ended with it."""

    also: tuple[Delivery, ...] = ()
