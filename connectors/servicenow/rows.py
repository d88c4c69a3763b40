"""Rows as ServiceNow tells them, each field with its value and with its words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

_HEAD = r"\d[\d./-]{5,11} \d{1,2}:\d\d:\d\d(?: [AP]M)? - (?P<by>[^\n]{1,200}) \([^()\n]{1,80}\)\n"
_ENTRY = re.compile(_HEAD)
_ENTRY_AFTER = re.compile(rf"\n\n{_HEAD}")
_TIME = "%Y-%m-%d %H:%M:%S"
_LONGEST = 20_000  # characters of one field; nothing that shows records has more room
_UNSEEN = frozenset({"script", "style", "head", "template"})
_LINES = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol"})


@dataclass(frozen=True, slots=True)
class Row:
    """
    One row: `values` as they are kept, times in UTC, and `shown` as people read them.

    A field that the account may not read is in neither.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Mapping[str, Any], **more: str) -> "Row":
        """Read a row as `sysparm_display_value=all` shows it, or of plain values."""
        values, shown = dict(more), dict(more)
        for name, each in told.items():
            if isinstance(each, Mapping):
                if "value" not in each and "display_value" not in each:
                    continue
                value = _text(each.get("value", each.get("display_value")))
                values[name] = value
                shown[name] = _text(each.get("display_value", value))
            elif not isinstance(each, list):
                values[name] = shown[name] = _text(each)
        return cls(values, shown)

    def value(self, name: str) -> str:
        """Return a field's plain value, empty where there is none."""
        return self.values.get(name, "")

    def text(self, name: str) -> str:
        """Return a field as people read it."""
        return self.shown.get(name, "")

    def number(self, name: str) -> int | None:
        try:
            return int(self.value(name))
        except ValueError:
            return None

    @property
    def id(self) -> str:
        return self.value("sys_id")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a journal: who wrote it, by their full name, and what."""

    by: str
    text: str


def latest_entry(shown: str) -> Entry | None:
    """
    Return the latest entry of a journal as ServiceNow displays it, None for none.

    Displayed are all entries, latest first: a line with the time in the account's own
    zone, ` - `, who wrote it and the journal's label in brackets, then the text, and an
    empty line.
    """
    found = _ENTRY.match(shown.replace("\r\n", "\n"))
    if found is None:
        return None
    rest = shown.replace("\r\n", "\n")[found.end() :]
    following = _ENTRY_AFTER.search(rest)
    text = (rest[: following.start()] if following else rest).strip()
    return Entry(found["by"].strip(), text) if text else None


def moment(value: str) -> str:
    """Return a time of ServiceNow's as people read it, and whose clock it is."""
    try:
        read = datetime.strptime(value, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return value
    return f"{read.day} {read:%b %Y %H:%M} UTC"


def span(start: str, end: str) -> str:
    """Return when something begins and ends."""
    if not start or not end:
        return moment(start or end)
    if start[:10] == end[:10]:
        return f"{moment(start).removesuffix(' UTC')} – {end[11:16]} UTC"
    return f"{moment(start).removesuffix(' UTC')} – {moment(end)}"


def micros(value: str) -> int:
    """Return a time of ServiceNow's in microseconds UTC, 0 for what is none."""
    try:
        read = datetime.strptime(value, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return 0
    return int(read.timestamp() * 1_000_000)


def written(seconds: float) -> str:
    """Return a time, in seconds since 1970, as ServiceNow writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_TIME)


def plain(html: str) -> str:
    """Return the text of an article or a description, without any markup."""
    if "<" not in html and "&" not in html:
        return html[:_LONGEST]
    reader = _Plain()
    reader.feed(html[: _LONGEST * 5])
    reader.close()
    lines = ("".join(reader.parts)).splitlines()
    kept = [" ".join(line.split()) for line in lines]
    return "\n".join(line for line in kept if line)[:_LONGEST]


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag in _UNSEEN:
            self._hidden += 1
        elif tag in _LINES:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _LINES:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:_LONGEST]
