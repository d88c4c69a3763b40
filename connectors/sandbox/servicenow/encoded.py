"""
Encoded queries as an instance takes them: what it does not understand, it ignores.

`^` joins conditions, `^OR` binds to the condition before it, `^NQ` starts another
query whose rows are added, `ORDERBY` sorts. Source: ServiceNow's documentation,
"Encoded query strings" and "Operators available for filters and queries".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_OPERATORS = (
    "ISNOTEMPTY",
    "ISEMPTY",
    "STARTSWITH",
    "ENDSWITH",
    "INSTANCEOF",
    "NOT LIKE",
    "NOT IN",
    "BETWEEN",
    "LIKE",
    "IN",
    "!=",
    ">=",
    "<=",
    "=",
    ">",
    "<",
)
_FIELD = re.compile(r"[a-z][a-z0-9_.]*")
TEXT = "123TEXTQUERY321"

Value = Callable[[str], str | None]


class ScriptInQuery(Exception):
    """A value starts with `javascript:`, which a real instance would run."""


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison; `op` is empty where it cannot be read."""

    field: str
    op: str
    value: str


@dataclass(slots=True)
class Read:
    """A query's parts: any group, all of its conditions, any of their alternatives."""

    groups: list[list[list[Term]]] = field(default_factory=lambda: [[]])
    order: list[tuple[str, bool]] = field(default_factory=list)


def parse(query: str) -> Read:
    """Read a query. Raises `ScriptInQuery`."""
    read = Read()
    for part in query.split("^"):
        if part.startswith("ORDERBY"):
            falling = part.startswith("ORDERBYDESC")
            name = part.removeprefix("ORDERBYDESC" if falling else "ORDERBY")
            read.order.append((name, falling))
        elif part.startswith("NQ"):
            read.groups.append([])
            _and(read, part.removeprefix("NQ"))
        elif part.startswith("OR") and read.groups[-1]:
            read.groups[-1][-1].append(_term(part.removeprefix("OR")))
        else:
            _and(read, part)
    return read


def _and(read: Read, part: str) -> None:
    if part and part != "EQ":
        read.groups[-1].append([_term(part)])


def _term(part: str) -> Term:
    if part.startswith(f"{TEXT}="):
        return Term(TEXT, "=", part.removeprefix(f"{TEXT}="))
    name = _FIELD.match(part)
    if name is None:
        return Term("", "", part)
    rest = part[name.end() :]
    for operator in _OPERATORS:
        if rest.startswith(operator):
            value = rest[len(operator) :]
            if value.lstrip().casefold().startswith("javascript:"):
                raise ScriptInQuery(part)
            return Term(name[0], operator, value)
    return Term(name[0], "", rest)


def invalid(read: Read, known: Callable[[str], bool]) -> list[Term]:
    """Return the conditions that the instance will leave out."""
    return [
        term
        for group in read.groups
        for terms in group
        for term in terms
        if not _valid(term, known)
    ]


def matches(read: Read, known: Callable[[str], bool], value: Value, text: str) -> bool:
    """
    Say whether a row fits what of the query can be understood.

    `value` returns a field of the row, and `text` is what its text index holds.
    """
    return any(_group(group, known, value, text) for group in read.groups)


def _group(
    group: list[list[Term]], known: Callable[[str], bool], value: Value, text: str
) -> bool:
    for terms in group:
        valid = [term for term in terms if _valid(term, known)]
        if valid and not any(_fits(term, value, text) for term in valid):
            return False
    return True


def _valid(term: Term, known: Callable[[str], bool]) -> bool:
    return bool(term.op) and known(term.field)


def _fits(term: Term, value: Value, text: str) -> bool:  # noqa: C901, PLR0912
    if term.field == TEXT:
        return all(word in text.casefold() for word in term.value.casefold().split())
    has, wanted = (value(term.field) or "").casefold(), term.value.casefold()
    match term.op:
        case "=":
            return has == wanted
        case "!=":
            return has != wanted
        case "LIKE":
            return wanted in has
        case "NOT LIKE":
            return wanted not in has
        case "STARTSWITH":
            return has.startswith(wanted)
        case "ENDSWITH":
            return has.endswith(wanted)
        case "IN" | "INSTANCEOF":
            return has in wanted.split(",")
        case "NOT IN":
            return has not in wanted.split(",")
        case "ISEMPTY":
            return not has
        case "ISNOTEMPTY":
            return bool(has)
        case "BETWEEN":
            low, _, high = wanted.partition("@")
            return _sign(has, low) >= 0 and _sign(has, high) <= 0
    sign = _sign(has, wanted) if has else None
    if sign is None:
        return False
    return {">": sign > 0, ">=": sign >= 0, "<": sign < 0, "<=": sign <= 0}[term.op]


def _sign(one: str, other: str) -> int:
    try:
        first, second = float(one), float(other)
    except ValueError:
        return (one > other) - (one < other)
    return (first > second) - (first < second)
