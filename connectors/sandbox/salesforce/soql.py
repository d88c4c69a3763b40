"""
The part of SOQL that the stand-in understands, read strictly.

SELECT with relations and one level of children, COUNT and GROUP BY, WHERE with AND, OR,
NOT and brackets, WITH USER_MODE, ORDER BY, LIMIT, OFFSET. What it does not understand is
MALFORMED_QUERY, never ignored.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import translate
from typing import Any

from connectors.sandbox.salesforce.refusals import Refused

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<moment>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d))
  | (?P<day>\d{4}-\d\d-\d\d)
  | (?P<number>-?\d+(?:\.\d+)?)
  | (?P<name>[A-Za-z_][\w.]*)
  | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
Test = Callable[[Mapping[str, Any], "Look"], bool]
Look = Callable[[Mapping[str, Any], str], Any]


def malformed(near: str) -> Refused:
    return Refused(400, "MALFORMED_QUERY", f"unexpected token: {near!r}")


@dataclass
class Query:
    """A query as it was asked. `names` are all fields of `kind` it mentions."""

    kind: str
    fields: list[str]
    children: list["Query"] = field(default_factory=list)
    counts: dict[str, str] = field(default_factory=dict)  # alias -> field
    test: Test | None = None
    group: list[str] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0
    names: list[str] = field(default_factory=list)


def parse(text: str) -> Query:
    """Read a query. Raises `Refused` with MALFORMED_QUERY."""
    parser = _Parser(_tokens(text))
    query = parser.query()
    if parser.here():
        raise malformed(parser.here())
    return query


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise malformed(text[place : place + 10])
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._names: list[str] = []

    def here(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self.here()
        if not token:
            raise malformed("<EOF>")
        self._at += 1
        return token

    def _word(self, *words: str) -> bool:
        if self._kind() == "name" and self.here().upper() in words:
            self._at += 1
            return True
        return False

    def _want(self, token: str) -> None:
        if self.here().upper() != token:
            raise malformed(self.here())
        self._at += 1

    def _name(self) -> str:
        if self._kind() != "name":
            raise malformed(self.here())
        name = self._next()
        self._names.append(name)
        return name

    def query(self) -> Query:
        outer, self._names = self._names, []
        self._want("SELECT")
        query = Query("", [])
        self._item(query)
        while self.here() == ",":
            self._next()
            self._item(query)
        self._want("FROM")
        query.kind = self._next()
        if self._word("WHERE"):
            query.test = self._or()
        if self._word("WITH"):
            self._want("USER_MODE")
        self._tail(query)
        query.names, self._names = self._names, outer
        return query

    def _item(self, query: Query) -> None:
        if self.here() == "(":
            self._next()
            query.children.append(self.query())
            self._want(")")
        elif self.here().upper() == "COUNT":
            self._next()
            self._want("(")
            counted = "" if self.here() == ")" else self._name()
            self._want(")")
            alias = f"expr{len(query.counts)}"
            if self._kind() == "name" and self.here().upper() != "FROM":
                alias = self._next()
            query.counts[alias] = counted
        else:
            query.fields.append(self._name())

    def _tail(self, query: Query) -> None:
        if self._word("GROUP"):
            self._want("BY")
            query.group = [self._name()]
        if self._word("ORDER"):
            self._want("BY")
            query.order = [self._ordering()]
            while self.here() == ",":
                self._next()
                query.order.append(self._ordering())
        if self._word("LIMIT"):
            query.limit = self._number()
        if self._word("OFFSET"):
            query.offset = self._number()

    def _number(self) -> int:
        token = self._next()
        if not token.isascii() or not token.isdecimal():
            raise malformed(token)
        return int(token)

    def _ordering(self) -> tuple[str, bool]:
        name = self._name()
        down = self._word("DESC")
        if not down:
            self._word("ASC")
        if self._word("NULLS") and not self._word("FIRST", "LAST"):
            raise malformed(self.here())
        return name, down

    def _or(self) -> Test:
        tests = [self._and()]
        while self._word("OR"):
            tests.append(self._and())
        return lambda row, look: any(test(row, look) for test in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._word("AND"):
            tests.append(self._not())
        return lambda row, look: all(test(row, look) for test in tests)

    def _not(self) -> Test:
        if self._word("NOT"):
            inner = self._not()
            return lambda row, look: not inner(row, look)
        if self.here() == "(":
            self._next()
            inner = self._or()
            self._want(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        name = self._name()
        no = self._word("NOT")
        if self._word("IN"):
            allowed = [_folded(value) for value in self._list()]
            return lambda row, look: (_folded(look(row, name)) in allowed) != no
        if no:
            raise malformed(self.here())
        if self._word("LIKE"):
            pattern = re.compile(_like(str(self._value())), re.IGNORECASE | re.DOTALL)
            return lambda row, look: bool(pattern.fullmatch(str(look(row, name) or "")))
        sign = self._next()
        if sign not in _SIGNS:
            raise malformed(sign)
        wanted = self._value()
        return lambda row, look: _SIGNS[sign](look(row, name), wanted)

    def _list(self) -> list[Any]:
        self._want("(")
        values = [self._value()]
        while self.here() == ",":
            self._next()
            values.append(self._value())
        self._want(")")
        return values

    def _value(self) -> Any:
        kind, token = self._kind(), self._next()
        if kind == "string":
            return unquoted(token)
        if kind == "number":
            return float(token)
        if kind == "moment":
            return datetime.fromisoformat(_offset(token))
        if kind == "day":
            return token
        words = {"TRUE": True, "FALSE": False, "NULL": None}
        if kind == "name" and token.upper() in words:
            return words[token.upper()]
        raise malformed(token)


def unquoted(token: str) -> str:
    """Return what a string literal stands for."""

    def plain(match: re.Match[str]) -> str:
        if match[1] not in {*_ESCAPES, "'", '"', "\\", "_", "%"}:
            raise malformed(match[0])
        return _ESCAPES.get(match[1], match[1])

    return re.sub(r"\\(.)", plain, token[1:-1], flags=re.DOTALL)


def _like(pattern: str) -> str:
    escaped = pattern.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
    return translate(escaped.replace("%", "*").replace("_", "?"))


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _offset(text: str) -> str:
    """Return a time with its offset as Python reads it."""
    return re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text.replace("Z", "+00:00"))


def _same(left: Any, right: Any) -> bool:
    if isinstance(right, datetime) and isinstance(left, str):
        return datetime.fromisoformat(_offset(left)) == right
    return bool(_folded(left) == _folded(right))


def _ordered(left: Any, right: Any, *, larger: bool, equal: bool) -> bool:
    if left is None or right is None:
        return False
    one, other = str(left), str(right)
    if isinstance(right, datetime):
        moment = datetime.fromisoformat(_offset(one))
        same, more = moment == right, moment > right
    elif isinstance(left, int | float) and isinstance(right, int | float):
        same, more = left == right, left > right
    else:
        same, more = one == other, one > other
    return (same and equal) or (not same and more == larger)


_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": _same,
    "!=": lambda left, right: not _same(left, right),
    "<>": lambda left, right: not _same(left, right),
    "<": lambda left, right: _ordered(left, right, larger=False, equal=False),
    "<=": lambda left, right: _ordered(left, right, larger=False, equal=True),
    ">": lambda left, right: _ordered(left, right, larger=True, equal=False),
    ">=": lambda left, right: _ordered(left, right, larger=True, equal=True),
}
