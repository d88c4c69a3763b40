"""How long a business system asks to wait, in the many ways that systems say so."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

UNTOLD = 10.0  # seconds, where a system that is overrun names no time
LONGEST = 24 * 3600.0  # a quota is never longer away than a day


def asked_to_wait(headers: Mapping[str, str], now: float) -> float:
    """
    Return the seconds to wait, `UNTOLD` where nothing is said that can be read.

    `now` is in seconds since 1970. Understood are Retry-After in seconds and as a date
    of HTTP, a reset as a time of ISO 8601 or in seconds since 1970, and an interval in
    milliseconds. Sources: RFC 9110 10.2.3; Jira Cloud, "Rate limiting"; ServiceNow,
    "Inbound REST API rate limiting"; HubSpot, "API usage guidelines".
    """
    told = (
        _seconds_or_date(headers.get("Retry-After", ""), now),
        _moment(headers.get("X-RateLimit-Reset", ""), now),
        _milliseconds(headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", "")),
    )
    found = next((seconds for seconds in told if seconds is not None), UNTOLD)
    return min(max(0.0, found), LONGEST)


def _seconds_or_date(written: str, now: float) -> float | None:
    written = written.strip()
    if _is_number(written):
        return float(written[:12])
    try:
        until = parsedate_to_datetime(written)
    except (ValueError, TypeError):
        return _moment(written, now)
    return _from_now(until, now)


def _moment(written: str, now: float) -> float | None:
    written = written.strip()
    if _is_number(written):
        return float(written[:12]) - now
    try:
        # Jira leaves the seconds out, which ISO 8601 allows: 2026-01-01T10:00Z
        return _from_now(datetime.fromisoformat(written), now)
    except ValueError:
        return None


def _milliseconds(written: str) -> float | None:
    written = written.strip()
    return float(written[:12]) / 1000 if _is_number(written) else None


def _from_now(until: datetime, now: float) -> float:
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return until.timestamp() - now


def _is_number(written: str) -> bool:
    return written.isascii() and written.isdecimal()
