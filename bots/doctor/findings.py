"""What the doctor finds."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum


class State(StrEnum):
    """How a thing is: a failure keeps ATOM from working, a warning does not."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix` says what to do, in the imperative."""

    what: str
    state: State
    detail: str
    fix: str = ""


def good(what: str, detail: str) -> Finding:
    return Finding(what, State.OK, detail)


def poor(what: str, detail: str, fix: str) -> Finding:
    return Finding(what, State.WARN, detail, fix)


def bad(what: str, detail: str, fix: str) -> Finding:
    return Finding(what, State.FAIL, detail, fix)


_NOTICEABLE = 30
_TOO_MUCH = 150  # Slack's signatures are good for 300 seconds, tokens' times likewise


def clock(what: str, date: str | None, now: datetime | None = None) -> list[Finding]:
    """Compare this machine's clock with an answer's Date header, if it has one."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return []
    skew = ((now or datetime.now(UTC)) - theirs.astimezone(UTC)).total_seconds()
    name, detail = f"{what} clock", f"this machine is {abs(skew):.0f} s "
    detail += "ahead" if skew > 0 else "behind"
    if abs(skew) > _TOO_MUCH:
        return [bad(name, detail, "set the clock: signatures and tokens may fail")]
    if abs(skew) > _NOTICEABLE:
        return [poor(name, detail, "set the clock, with NTP for example")]
    return [good(name, "agrees")]
