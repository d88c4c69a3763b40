"""Faults that tests order: what goes wrong, on which call, how many times."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = frozenset(
    {
        "status",  # answer with the status `arg`, and do nothing
        "status_after_effect",
        "delay",  # wait `arg` seconds first
        "delay_after_effect",
        "drop",  # cut the connection, and do nothing
        "drop_after_effect",
        "truncate",  # answer, and cut the connection half way through the body
        "html",  # a page for people with status 200, and nothing done
        "expire_token",  # the token that comes with this call has just run out
        "ratelimit",  # refuse as the system does when a quota is used up
        "error",  # refuse with the error code `arg`, one of the system's own
        "412",  # refuse as if the record had changed
        "dup_event",  # tell an event twice; matches "EVENT <channel or topic>"
        "drop_event",  # tell an event never
        "reorder",  # tell an event after the next one
    }
)


@dataclass(slots=True)
class Fault:
    """
    One order; `arg` is what its kind takes. `left` is how often it still strikes, `says`
    what the call's body has in it.
    """

    match: str
    kind: str
    left: int = 1
    skip: int = 0
    arg: Any = None
    user: str = ""
    says: str = ""

    @property
    def number(self) -> float:
        return float(self.arg or 1)


class Faults:
    """The faults in force. The oldest that covers a call strikes."""

    def __init__(self) -> None:
        self._orders: list[Fault] = []

    def order(self, wish: Mapping[str, Any]) -> Fault:
        """
        Put a fault in force: `match` (as `PATCH /services/data/*`, `*` for any),
        `kind`, and if wanted `times`, `skip`, `arg`, `user` and `says`. Returns it, as
        it is counted down.

        Raises ValueError on nonsense.
        """
        kind = str(wish.get("kind", ""))
        if kind not in KINDS:
            raise ValueError(
                f"unknown fault {kind!r}; known: {', '.join(sorted(KINDS))}"
            )
        fault = Fault(
            str(wish.get("match", "*")),
            kind,
            int(wish.get("times", 1)),
            int(wish.get("skip", 0)),
            wish.get("arg"),
            str(wish.get("user", "")),
            str(wish.get("says", "")),
        )
        self._orders.append(fault)
        return fault

    def clear(self) -> None:
        self._orders.clear()

    def take(self, call: str, user: str = "", body: str = "") -> Fault | None:
        """Return what goes wrong with a call, and count it."""
        for order in self._orders:
            fits = fnmatchcase(call, order.match) and order.user in {"", user}
            fits = fits and order.says in body
            if not fits or order.left <= 0:
                continue
            if order.skip:
                order.skip -= 1
                continue
            order.left -= 1
            return order
        return None
