"""Reading JSON that may hold anything, without ever failing on it."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_NOTHING: Mapping[str, Any] = {}
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?"
    r"\s*(?:[Zz]|([+-])(\d\d):?(\d\d))?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def mapping(value: Any) -> Mapping[str, Any]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else _NOTHING


def mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list; of anything else, nothing."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def text_of(value: Any) -> str:
    """Return the value if it is a string, without what no database takes."""
    return _UNSTORABLE.sub("�", value) if isinstance(value, str) else ""


def microseconds(value: Any) -> int | None:
    """
    Return an ISO 8601 time as microseconds since 1970, or None if it is none.

    Integers throughout: a float cannot hold a microsecond of this century exactly.
    Without a zone it is UTC; digits beyond the microsecond are cut.
    """
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return None
    day, clock, fraction, sign, hours, minutes = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}+00:00")
        if sign:
            shift = timedelta(hours=int(hours), minutes=int(minutes))
            moment = moment - shift if sign == "+" else moment + shift
    except (ValueError, OverflowError):
        return None
    whole = (moment - _EPOCH) // _MICROSECOND
    return whole + int((fraction or "").ljust(6, "0")[:6])


def changed_us(message: Mapping[str, Any]) -> int:
    """Return when a message of Graph's was changed last, 0 if it does not say."""
    changed = microseconds(message.get("lastModifiedDateTime"))
    return changed or microseconds(message.get("createdDateTime")) or 0


def iso(us: int) -> str:
    """Write microseconds since 1970 as Microsoft does: 2023-11-14T22:13:20.123Z."""
    seconds, rest = divmod(max(us, 0), 1_000_000)
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{rest // 1000:03}Z"
