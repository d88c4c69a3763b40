"""The fields that a search may name, and what may stand behind each."""

import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches

from bridge.errors import BadInput
from bridge.search.syntax import (
    And,
    Anything,
    Condition,
    Expression,
    Not,
    Or,
    Query,
    Span,
    both,
    either,
    leaves,
    opposite,
)
from bridge.search.times import ALWAYS, Calendar, zone
from bridge.search.words import Elements

_PEOPLE = "a name, or the id of an account"
_DATE = "a date"

FIELDS: Mapping[str, str] = {
    "from": _PEOPLE,
    "to": _PEOPLE,
    "with": _PEOPLE,
    "mentions": _PEOPLE,
    "in": "a channel's name, id or address",
    "team": "the id of a workspace or team",
    "platform": "slack or teams",
    "before": _DATE,
    "after": _DATE,
    "on": _DATE,
    "during": _DATE,
    "sent": "two dates with .. between",
    "has": "file, link, reaction, emoji, pin or card",
    "is": "thread, dm, edited, deleted, bridged, bot, external or held",
    "was": "deleted or edited",
    "type": "a kind of file, such as image or application/pdf",
    "filename": "words of a file's name",
    "ext": "the ending of a file's name, such as pdf",
    "label": "a label",
    "dlp": "a detector",
    "hold": "the id of a hold",
    "policy": "a rule, or the hash of a policy",
    "seq": "a position in the log, or two with .. between",
    "eid": "the id of an entry",
    "rev": "current or any",
    "tz": "a time zone, such as Europe/Berlin",
}
DATES = frozenset({"before", "after", "on", "during", "sent"})
WHOLE = frozenset({"rev", "tz"})  # these are about the whole search
_CHOICES: Mapping[str, frozenset[str]] = {
    "platform": frozenset({"slack", "teams"}),
    "has": frozenset({"file", "link", "reaction", "emoji", "pin", "card"}),
    "is": frozenset(
        {"thread", "dm", "edited", "deleted", "bridged", "bot", "external", "held"}
    ),
    "was": frozenset({"deleted", "edited"}),
    "rev": frozenset({"current", "any"}),
}
_SEQ = re.compile(r"(\d{1,18})|(\d{1,18})?\.\.(\d{1,18})?")
_LIKE = frozenset({"from", "to", "with", "mentions", "in", "filename"})


def condition(name: str, value: str, *, quoted: bool) -> Condition:
    """Return what `name:value` asks for. Raises `BadInput` if it cannot mean anything."""
    field = name.lower()
    if field not in FIELDS:
        raise BadInput(_no_field(name))
    value = " ".join(value.split())
    if not value.strip("@#"):
        raise BadInput(f"{field}: needs {FIELDS[field]}")
    if field in _CHOICES or field in DATES or field in {"ext", "type", "eid"}:
        value = value.lower() if field not in DATES else value
    if field in _CHOICES and value not in _CHOICES[field]:
        raise BadInput(
            f"'{field}:{value}' means nothing: {field}: takes {FIELDS[field]}"
        )
    if field == "seq" and not (_SEQ.fullmatch(value) and value != ".."):
        raise BadInput("seq: takes a position in the log, or two such as 10..20")
    if field == "tz":
        zone(value)
    wild = "*" in value or "?" in value
    if wild and not quoted and field not in _LIKE:
        raise BadInput(f"{field}: takes no wildcards, only {FIELDS[field]}")
    if field in DATES:
        dates(field, value, Calendar(zone("UTC"), 0))
    if field == "filename" or (wild and not quoted):
        Elements.of(value, wild=wild and not quoted)
    return Condition(field, value, literal=wild and quoted)


def dates(field: str, value: str, calendar: Calendar) -> Span:
    """Return the time that a field of dates asks for."""
    match field:
        case "before":
            return Span(ALWAYS.start_us, calendar.span(value).start_us)
        case "after":
            return Span(calendar.span(value).end_us, ALWAYS.end_us)
        case "on":
            return calendar.day_of(value)
        case "during":
            span = calendar.span(value)
            if span.start_us == span.end_us:  # a moment ago, and since
                return Span(span.start_us, calendar.now_us)
            return span
    first, dots, last = value.partition("..")
    if not dots or not (first or last):
        raise BadInput("sent: takes two dates, such as 2026-03-01..2026-03-31")
    start = calendar.span(first).start_us if first else ALWAYS.start_us
    end = calendar.span(last).end_us if last else ALWAYS.end_us
    return Span(start, end)


def directed(expression: Expression) -> Query:
    """Take what is about the whole search out of its expression."""
    said: dict[str, str] = {}
    rest = _without_directions(expression, said)
    if any(isinstance(p, Condition) and p.field in WHOLE for p in leaves(rest)):
        raise BadInput("rev: and tz: are for the whole search: write them beside it")
    return Query(rest, said.get("tz", "UTC"), said.get("rev") == "any")


def _without_directions(expression: Expression, said: dict[str, str]) -> Expression:
    match expression:
        case And(parts):
            return both(*(_without_directions(part, said) for part in parts))
        case Or(parts):
            rest = [_without_directions(part, said) for part in parts]
            return expression if Anything() in rest else either(*rest)
        case Condition(field, value) if field in WHOLE:
            if said.setdefault(field, value) != value:
                raise BadInput(f"{field}: may be said once")
            return Anything()
    return expression


def resolved(query: Query, now_us: int) -> Query:
    """Return the same query with every date as a span of time."""
    calendar = Calendar(zone(query.tz), now_us)
    return replace(query, expression=_timed(query.expression, calendar), tz="UTC")


def _timed(expression: Expression, calendar: Calendar) -> Expression:
    match expression:
        case And(parts):
            return both(*(_timed(part, calendar) for part in parts))
        case Or(parts):
            return either(*(_timed(part, calendar) for part in parts))
        case Not(part):
            return opposite(_timed(part, calendar))
        case Condition(field, value) if field in DATES:
            return dates(field, value, calendar)
    return expression


def _no_field(name: str) -> str:
    shown = name if len(name) <= 40 else f"{name[:40]}…"  # noqa: PLR2004
    near = get_close_matches(name.lower(), FIELDS, n=1, cutoff=0.6)
    hint = f" Did you mean {near[0]}:?" if near else ""
    return (
        f"There is no field '{shown}:'.{hint} There are {': '.join(FIELDS)}:. "
        "Put quotes around words with a colon."
    )
