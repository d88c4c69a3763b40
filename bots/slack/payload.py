"""Read Slack's JSON without trusting its shape: what is missing or odd is empty."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_TOO_BIG = 2**53
_EMPTY: Mapping[str, Any] = {}
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_TS = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,12}))?", re.ASCII)


def string(payload: Mapping[str, Any], key: str) -> str:
    """Return a text that every database and encoder takes: no NUL, no surrogates."""
    value = payload.get(key)
    return _fit(value) if isinstance(value, str) else ""


def strings(payload: Mapping[str, Any], key: str) -> Sequence[str]:
    """Return the texts of a list, each as `string` would."""
    value = payload.get(key)
    listed = value if isinstance(value, list) else []
    return [_fit(one) for one in listed if isinstance(one, str)]


def mapping(payload: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = payload.get(key)
    return value if isinstance(value, dict) else _EMPTY


def mappings(payload: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    value = payload.get(key)
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def number(payload: Mapping[str, Any], key: str) -> int:
    """Return a whole number that a database column takes."""
    value = payload.get(key)
    return value if isinstance(value, int) and 0 <= value < _TOO_BIG else 0


def microseconds(ts: str) -> int:
    """Read Slack's `1700000000.000100`, which no float holds exactly; 0 if odd."""
    found = _TS.fullmatch(ts)
    if not found:
        return 0
    seconds, fraction = found.groups("")
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def timestamp(us: int) -> str:
    """Write microseconds the way Slack does."""
    seconds, fraction = divmod(max(us, 0), 1_000_000)
    return f"{seconds}.{fraction:06}"


def _fit(value: str) -> str:
    return value if value.isascii() and "\0" not in value else _clean(value)


def _clean(value: str) -> str:
    return _UNFIT.sub(lambda found: "" if found[0] == "\0" else "\ufffd", value)
