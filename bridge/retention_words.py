"""Periods as people write them, and verdicts as people and programs read them."""

import re
from datetime import UTC, datetime
from typing import Any

from bridge.errors import BadInput
from bridge.retention import (
    DAY_US,
    FOREVER,
    Considered,
    Item,
    Role,
    State,
    Verdict,
    years,
)

_PERIOD = re.compile(r"(\d{1,6})\s*([dwmy]?)", re.ASCII | re.IGNORECASE)
_DAYS = {"d": 1, "w": 7, "m": 31}
_LONGEST_US = 1000 * 366 * DAY_US


def period(text: str) -> int | None:
    """
    Read `90d`, `12w`, `6m` (of 31 days), `7y`, `0`, `forever` or `none`.

    Months and years are never shorter than on any calendar. Returns microseconds,
    `FOREVER`, or None for `none`. Raises `BadInput`.
    """
    word = text.strip().lower()
    if word in {"none", ""}:
        return None
    if word == "forever":
        return FOREVER
    found = _PERIOD.fullmatch(word)
    if not found or not (found[2] or int(found[1]) == 0):
        raise BadInput(f"'{text[:40]}' is no period: write 90d, 6m, 7y, 0 or forever")
    number, unit = int(found[1]), found[2] or "d"
    length = years(number) if unit == "y" else number * _DAYS[unit] * DAY_US
    if length > _LONGEST_US:
        raise BadInput(f"'{text[:40]}' is longer than 1000 years: write forever")
    return length


def spelled(length: int | None) -> str:
    """Return a period for people."""
    if length is None:
        return "-"
    if length == FOREVER:
        return "forever"
    days = length // DAY_US
    for number in range(1, 101):
        if years(number) == length:
            return f"{number} years" if number > 1 else "1 year"
    return "1 day" if days == 1 else f"{days} days"


def day(moment_us: int | None) -> str:
    """Return a moment for people, to the second in UTC."""
    if moment_us is None:
        return "never"
    try:
        moment = datetime.fromtimestamp(moment_us // 1_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        return "after the year 9999"
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


_STATES = {
    State.ACTIVE: "is kept",
    State.DUE: "is due, and waits a day because a rule was just changed",
    State.HELD: "is due, and held",
    State.PENDING_DISPOSITION: "is due, and goes with the next disposition",
    State.SHREDDED: "is gone",
    State.PRUNED: "is gone, and its row with it",
    State.ERASURE_DEFERRED: "is to be erased, as soon as nothing keeps it",
}


def explained(item: Item, verdict: Verdict) -> str:
    """Return the verdict as one line: what happens, when, and because of what."""
    line = f"Entry {item.seq} {_STATES[verdict.state]}"
    if verdict.due_us is None:
        line += ", without an end"
    elif verdict.state is State.ACTIVE:
        line += f" until {day(verdict.due_us)}"
    else:
        line += f" (due {day(verdict.due_us)})"
    winner = verdict.winner
    return f"{line}: {_because(winner)}." if winner else f"{line}: no rule ends it."


def _because(winner: Considered) -> str:
    match winner.role:
        case Role.HOLD:
            return f"hold {winner.id} keeps it; {winner.why}"
        case Role.ERASURE:
            return winner.why
    return f"rule {winner.id} ({winner.name}); {winner.why}"


def as_data(item: Item, verdict: Verdict) -> dict[str, Any]:
    """Return every rule that was considered, and why one won, for programs."""
    return {
        "seq": item.seq,
        "channel": item.channel,
        "labels": sorted(item.labels),
        "begins_us": item.begins_us,
        "captured_us": item.captured_us,
        "erasure_us": item.erasure_us,
        "state": str(verdict.state),
        "due_us": verdict.due_us,
        "holds": list(verdict.matters),
        "considered": [each.as_dict() for each in verdict.considered],
        "explanation": explained(item, verdict),
    }
