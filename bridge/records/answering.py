"""What people are told when something with a record could not be done."""

import math
from collections.abc import Awaitable, Callable

from bridge.cards import Button, Card, Tone
from bridge.errors import AtomError, NotFound, ServiceUnavailable
from bridge.records.desk import Asker
from bridge.records.model import System
from bridge.records.places import Shown
from bridge.records.ports import Gone, NotConnected, Rejected, Spent, Unsure

Connecting = Callable[[Asker, System, str], Awaitable[Card]]
"""Make the card by which somebody connects their account of a system's instance."""


async def connect_card(_asker: Asker, system: System, instance: str) -> Card:
    """Offer to connect an account: nobody else's is used in its place."""
    name = system.shown
    return Card(
        f"Connect your {name} account",
        f"This is done as you, and ATOM has no {name} account of yours yet, or may not "
        "use it any more. Nothing was done.",
        Tone.WARNING,
        (),
        (Button(f"Connect {name}", f"connect {instance}"),),
    )


async def tell(
    shown: Shown,
    asker: Asker,
    error: AtomError,
    place: tuple[System | None, str],
    connecting: Connecting = connect_card,
) -> None:
    """Show why nothing was done, to the person alone. `place` is an instance."""
    system, instance = place
    if isinstance(error, NotConnected) and system is not None:
        await shown.card(await connecting(asker, system, instance))
        return
    if isinstance(error, Rejected):
        await shown.wrong(str(error), error.fields)
        return
    await shown.finished(sentence(error, system.shown if system else "The system"))


def sentence(error: AtomError, name: str) -> str:
    """Return one line that says what happened, and what may help."""
    match error:
        case Gone():
            return (
                f"{name} shows you no such record: it was deleted, or is not for you."
            )
        case Unsure():
            return (
                f"{name} gave no answer, so it is not known whether it was recorded. "
                "Click again to find out: it is looked up first."
            )
        case Spent():
            minutes = max(1, math.ceil(error.retry_after / 60))
            unit = "minute" if minutes == 1 else "minutes"
            return f"{name} may be asked again in about {minutes} {unit}."
        case ServiceUnavailable():
            return f"{name} does not answer now. Nothing was done; try again later."
        case NotFound():
            return str(error) or "That is not known any more."
        case _:
            return str(error)
