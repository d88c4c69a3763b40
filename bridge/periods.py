"""How people say since when: `90min`, `2h`, `3d`, or a date with or without a time."""

import re
from datetime import UTC, datetime

from bridge.errors import BadInput

_AGO = re.compile(r"(\d{1,6})\s*(min|m|h|d)", re.ASCII | re.IGNORECASE)
_SECONDS = {"m": 60, "min": 60, "h": 3_600, "d": 86_400}
_MICRO = 1_000_000
_LONGEST_DAYS = 31


def since(text: str, now_us: int) -> int:
    """
    Return the moment in microseconds UTC; a time without a zone is UTC.

    Raises `BadInput` for what is no moment, lies ahead, or is more than a month ago.
    """
    ago = _AGO.fullmatch(text)
    if ago:
        seconds = int(ago[1]) * _SECONDS[ago[2].lower()]
        moment = now_us - seconds * _MICRO
    else:
        moment = _date(text)
    if moment > now_us:
        raise BadInput(f"'{text}' lies ahead.")
    if moment < now_us - _LONGEST_DAYS * _SECONDS["d"] * _MICRO:
        raise BadInput(f"'{text}' is more than {_LONGEST_DAYS} days ago.")
    return moment


def _date(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(zoned.timestamp() * _MICRO)
    except (ValueError, OverflowError, OSError) as error:
        raise BadInput(
            f"'{text[:40]}' is no time: write 90min, 2h, 3d or 2030-01-31T08:00."
        ) from error
