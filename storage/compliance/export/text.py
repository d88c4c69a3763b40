"""Texts from chat, made harmless for what will read them. Nothing here is a format."""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2s
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from bridge.errors import BadInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 80
_MICROSECONDS = 1_000_000

# XML 1.0, production 2: everything but these is a character.
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNFIT = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_UNNAMED = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
# Names that are devices on Windows, whatever their extension.
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def utf8(text: str) -> bytes:
    """Encode; halves of characters become U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _UNFIT.sub("\ufffd", text).encode()


def as_json(value: Any, *, ordered: bool = False) -> bytes:
    """Return JSON; `ordered` sorts the names (RFC 8785, for ASCII names)."""
    option = orjson.OPT_SORT_KEYS if ordered else 0
    try:
        return orjson.dumps(value, option=option)
    except TypeError:  # halves of characters
        return orjson.dumps(_whole(value), option=option)


def _whole(value: Any) -> Any:
    match value:
        case str():
            return _UNFIT.sub("\ufffd", value)
        case dict():
            return {_whole(k): _whole(v) for k, v in value.items()}
        case list() | tuple():
            return [_whole(v) for v in value]
    return value


def xml_text(text: str) -> str:
    """Return a text that XML 1.0 can hold; other characters become U+FFFD."""
    # What is printable has no such character, and is known far sooner.
    return text if text.isprintable() else _NO_XML.sub("\ufffd", text)


def plain_line(text: str) -> str:
    """Return a text as one line without control characters, for headers and names."""
    joined = " ".join(_UNFIT.sub("\ufffd", text).split())
    return _CONTROL.sub("", joined)


def guarded(cell: str) -> str:
    """
    Return a cell that no spreadsheet takes for a formula.

    An apostrophe before it says "this is text"; it is not shown there.
    """
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    """Take back what `guarded` did."""
    held = cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA)
    return cell[1:] if held else cell


def safe_part(name: str) -> str:
    """
    Return a name as one part of a path that every system takes.

    It leads nowhere else: no separators, no `..`, no device, not too long.
    """
    cleaned = unicodedata.normalize("NFC", _UNNAMED.sub("_", name)).strip(" .")
    if not cleaned or _DEVICE.match(cleaned):
        cleaned = f"_{cleaned}"
    if len(cleaned.encode()) <= _LONGEST:
        return cleaned
    stem, dot, extension = cleaned.rpartition(".")
    if not dot or len(extension.encode()) > len("extension"):
        stem, extension = cleaned, ""
    mark = blake2s(name.encode("utf-8", "replace"), digest_size=4).hexdigest()
    short = stem.encode()[: _LONGEST - 20].decode("utf-8", "ignore").rstrip(" .")
    return f"{short}~{mark}.{extension}" if extension else f"{short}~{mark}"


@lru_cache(maxsize=16)
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name in the tz database, or raise `BadInput`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(
            f"'{plain_line(name)}' is no time zone: write one such as Europe/Berlin"
        ) from error


def moment(us: int) -> datetime:
    """Return a point in time, to the microsecond."""
    return _EPOCH + timedelta(microseconds=us)


def utc(us: int) -> str:
    """Write a time as 2030-01-31T08:00:00.000000Z; nothing if it is not known."""
    if us <= 0:
        return ""
    # isoformat ends with the offset, +00:00, and takes a fifth of strftime's time.
    return f"{moment(us).isoformat(timespec='microseconds')[:-6]}Z"


def local(us: int, name: str) -> str:
    """Write a time as it was on the clocks of a zone, with its offset."""
    if us <= 0:
        return ""
    return moment(us).astimezone(zone(name)).isoformat(timespec="microseconds")


def day(us: int, name: str) -> str:
    """Return the day on which something happened in a zone, as 2030-01-31."""
    return moment(us).astimezone(zone(name)).date().isoformat()


def milliseconds(us: int) -> int:
    return us // 1000


def seconds(us: int) -> str:
    """Write a time the way Slack does: 1700000000.000100."""
    whole, fraction = divmod(max(us, 0), _MICROSECONDS)
    return f"{whole}.{fraction:06}"
