"""
A small language for what somebody wants to hear of.

    priority = 1 and group = "Web Ops"
    status changed or (amount > 10000 and not owner is empty)

A name is a field's id or its label; `title`, `key`, `status`, `kind` and `actor` are
always there. Words are compared without regard to case, numbers as numbers. A field that
is not seen is no match, whatever is asked of it: what a room may not see, it is not told
by a filter either.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lark import Lark, Transformer, v_args
from lark.exceptions import LarkError, UnexpectedInput, UnexpectedToken

from bridge.errors import BadInput
from bridge.records.model import ChangeKind, Record, RecordChange

LONGEST = 1000
"""How many characters a filter may have."""
_DEEPEST = 20

_GRAMMAR = r"""
    start: either
    either: every ("or"i every)*
    every: unary ("and"i unary)*
    ?unary: "not"i unary -> negated
          | "(" either ")"
          | test
    ?test: name OPERATOR value -> compared
         | name "in"i "(" value ("," value)* ")" -> among
         | name "is"i "empty"i -> empty
         | name "is"i "not"i "empty"i -> filled
         | name "changed"i -> changed
         | EVENT -> event

    name: NAME | QUOTED
    value: WORD | NAME | QUOTED

    EVENT.3: /(created|deleted|restored|commented)(?![\w.\/-])/i
    OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">" | "~"
    QUOTED.2: /"(\\.|[^"\\])*"/
    NAME.1: /(?!(and|or|not|in|is|changed|created|deleted|restored|commented)(?![\w.\/-]))[A-Za-z_][\w.\/-]*/i
    WORD: /[\w.\/:@#+%$\u20ac-]+/
    %ignore /\s+/
"""
_BARE = re.compile(r"[A-Za-z_][\w./-]*")
_WORDS = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "is",
        "changed",
        "created",
        "deleted",
        "restored",
        "commented",
        "empty",
    ]
)
_EVENTS = {
    "created": ChangeKind.CREATED,
    "deleted": ChangeKind.DELETED,
    "restored": ChangeKind.RESTORED,
    "commented": ChangeKind.COMMENTED,
}
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


@dataclass(frozen=True, slots=True)
class Compared:
    name: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Among:
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    name: str


@dataclass(frozen=True, slots=True)
class Changed:
    name: str


@dataclass(frozen=True, slots=True)
class Happened:
    kind: ChangeKind


@dataclass(frozen=True, slots=True)
class Not:
    part: "Filter"


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Filter", ...]


Filter = Compared | Among | Empty | Changed | Happened | Not | And | Or
EVERYTHING = And(())


def read(text: str) -> Filter:
    """Return what a filter asks for; an empty one lets everything pass. Raises `BadInput`."""
    if len(text) > LONGEST:
        raise BadInput(f"a filter may have {LONGEST} characters at most")
    if not text.strip():
        return EVERYTHING
    _look_at_depth(text)
    try:
        found: Any = _parser.parse(text)
    except UnexpectedInput as error:
        raise BadInput(_unexpected(text, error)) from error
    except LarkError as error:
        raise BadInput("this cannot be read as a filter") from error
    return found  # type: ignore[no-any-return]


def written(wanted: Filter) -> str:
    """Return a filter as it may be typed; reading it gives the same filter."""
    match wanted:
        case Compared(name, operator, value):
            return f"{_name(name)} {operator} {_quoted(value)}"
        case Among(name, values):
            return f"{_name(name)} in ({', '.join(map(_quoted, values))})"
        case Empty(name):
            return f"{_name(name)} is empty"
        case Changed(name):
            return f"{_name(name)} changed"
        case Happened(kind):
            return str(kind)
        case Not(part):
            return f"not {_inner(part)}"
        case And(parts):
            return " and ".join(map(_inner, parts))
        case Or(parts):
            return " or ".join(map(_inner, parts))


def names(wanted: Filter) -> frozenset[str]:
    """Return the fields that a filter asks about."""
    match wanted:
        case Compared(name) | Among(name) | Empty(name) | Changed(name):
            return frozenset({name})
        case Not(part):
            return names(part)
        case And(parts) | Or(parts):
            return frozenset().union(*map(names, parts))
        case Happened():
            return frozenset()


def passes(wanted: Filter, record: Record, change: RecordChange) -> bool:
    """Say whether a change of a record, as its audience sees it, is wanted."""
    match wanted:
        case Compared(name, operator, value):
            told = _told(name, record, change)
            if operator == "!=":
                return bool(told) and not any(_holds(t, "=", value) for t in told)
            return any(_holds(each, operator, value) for each in told)
        case Among(name, values):
            told = _told(name, record, change)
            return any(_holds(t, "=", value) for t in told for value in values)
        case Empty(name):
            told = _told(name, record, change)
            return bool(told) and not any(told)
        case Changed(name):
            return _changed(name, record, change)
        case Happened(kind):
            return change.kind is kind
        case Not(part):
            return _known(part, record, change) and not passes(part, record, change)
        case And(parts):
            return all(passes(part, record, change) for part in parts)
        case Or(parts):
            return any(passes(part, record, change) for part in parts)


def _known(wanted: Filter, record: Record, change: RecordChange) -> bool:
    """Whether everything that is asked about is seen: else its opposite tells of it."""
    return all(
        _told(name, record, change) or _changed(name, record, change)
        for name in names(wanted)
    )


def _told(name: str, record: Record, change: RecordChange) -> tuple[str, ...]:
    """Return a field as people and as the system write it; nothing if it is not seen."""
    match _flat(name):
        case "title":
            return (record.title,)
        case "key" | "number":
            return (record.key,)
        case "status" | "state":
            found = _fact(name, record)
            return (record.status.text, *found)
        case "kind" | "type":
            return (record.ref.kind, record.what, *_fact(name, record))
        case "actor":
            return (change.actor,)
    return _fact(name, record)


def _fact(name: str, record: Record) -> tuple[str, ...]:
    wanted = _flat(name)
    for fact in record.facts:
        if wanted in {_flat(fact.id), _flat(fact.label)}:
            return (fact.text, fact.raw or fact.text)
    return ()


def _changed(name: str, record: Record, change: RecordChange) -> bool:
    wanted = {_flat(name)}
    for fact in record.facts:
        if wanted & {_flat(fact.id), _flat(fact.label)}:
            wanted |= {_flat(fact.id), _flat(fact.label)}
            break
    else:
        if _flat(name) not in _ALWAYS:
            return False
    if wanted & {"status", "state"}:
        wanted |= {"status", "state", "stage", "stagename", "dealstage"}
    return bool(wanted & {_flat(each) for each in change.fields})


_ALWAYS = frozenset({"title", "key", "number", "status", "state", "kind", "type"})


def _holds(told: str, operator: str, value: str) -> bool:
    one, other = told.strip().casefold(), value.strip().casefold()
    match operator:
        case "~":
            return other in one
        case "=":
            return one == other or _same_number(one, other)
    numbers = _number(one), _number(other)
    if numbers[0] is not None and numbers[1] is not None:
        return _ORDERED[operator](*numbers)
    if not one or (numbers[0] is None) != (numbers[1] is None):
        return False
    return _ORDERED[operator](one, other)


def _same_number(one: str, other: str) -> bool:
    number = _number(one)
    return number is not None and number == _number(other)


_NUMBER = re.compile(
    r"(?:[^\w\s.,+-]\s?|[a-z]{3}\s)?(-?\d[\d,]*(?:\.\d+)?)(?:\s?[^\w\s.,+-]|\s[a-z]{3})?"
)


def _number(text: str) -> float | None:
    """Read an amount as people write it, with its currency or percent sign."""
    found = _NUMBER.fullmatch(text)
    return float(found[1].replace(",", "")) if found else None


def _flat(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def _name(name: str) -> str:
    if _BARE.fullmatch(name) and name.casefold() not in _WORDS:
        return name
    return _quoted(name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _inner(part: Filter) -> str:
    text = written(part)
    return f"({text})" if isinstance(part, And | Or) else text


def _look_at_depth(text: str) -> None:
    bare = re.sub(r'"(\\.|[^"\\])*"', "", text)
    if '"' in bare:
        raise BadInput('a quote is not closed: write group = "Web Ops"')
    depth = deepest = 0
    for part in re.findall(r"[()]", bare):
        depth += 1 if part == "(" else -1
        deepest = max(deepest, depth)
        if depth < 0:
            raise BadInput("a parenthesis is closed that was not opened")
    if depth:
        raise BadInput("a parenthesis is not closed")
    if (
        deepest > _DEEPEST
        or len(re.findall(r"\bnot\b", bare, re.IGNORECASE)) > _DEEPEST
    ):
        raise BadInput(f"a filter goes {_DEEPEST} deep at most")


def _unexpected(text: str, error: UnexpectedInput) -> str:
    place: Any = error.pos_in_stream  # None at the end, whatever its type says
    hint = 'write like: priority = 1 and group = "Web Ops"'
    ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    if ended or place is None or not 0 <= place < len(text):
        return f"something is missing at the end of the filter; {hint}"
    rest = " ".join(text[place : place + 20].split())
    return f"the filter is not understood from '{rest}' on; {hint}"


@v_args(inline=True)
class _Filters(Transformer):  # type: ignore[type-arg]
    def start(self, found: Filter) -> Filter:
        return found

    def either(self, *parts: Filter) -> Filter:
        return parts[0] if len(parts) == 1 else Or(parts)

    def every(self, *parts: Filter) -> Filter:
        return parts[0] if len(parts) == 1 else And(parts)

    def negated(self, part: Filter) -> Filter:
        return Not(part)

    def compared(self, name: str, operator: str, value: str) -> Filter:
        return Compared(name, str(operator), value)

    def among(self, name: str, *values: str) -> Filter:
        return Among(name, values)

    def empty(self, name: str) -> Filter:
        return Empty(name)

    def filled(self, name: str) -> Filter:
        return Not(Empty(name))

    def changed(self, name: str) -> Filter:
        return Changed(name)

    def event(self, word: str) -> Filter:
        return Happened(_EVENTS[str(word).lower()])

    def name(self, text: str) -> str:
        return _unquoted(str(text))

    def value(self, text: str) -> str:
        return _unquoted(str(text))


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


_parser = Lark(_GRAMMAR, parser="lalr", transformer=_Filters())
