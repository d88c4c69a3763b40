"""
As much of JQL as searches are made of: fields, operators, lists, order, dates.

Source: Atlassian, "Advanced search reference - JQL operators, keywords, fields".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<operator><=|>=|!=|!~|=|~|<|>)
    | (?P<mark>[(),])
    | (?P<word>[^\s"'(),=!~<>]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_AGO = re.compile(r"([+-]?)(\d+)([mhdw])")
_SPAN = {"m": 1, "h": 60, "d": 1440, "w": 10_080}
_TEXTS = ("summary", "description", "comment")

Document = Mapping[str, Any]
Test = Callable[[Document], bool]


class JqlError(Exception):
    """A query that Jira would refuse, in about its words."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for, and in which order; `bounded` says that it is restricted."""

    test: Test
    order: tuple[tuple[str, bool], ...]
    bounded: bool


def parsed(text: str, user: str, now: float) -> Query:
    """Read a query as `user` asks it at `now` (seconds since 1970). Raises `JqlError`."""
    return _Parser(_tokens(text), user, now).query()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    def says(self, *words: str) -> bool:
        return self.kind == "word" and self.text.casefold() in words


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise JqlError(
                f"Error in the JQL Query: The character at {at} is reserved."
            )
        told = match[match.lastgroup]
        if match.lastgroup == "string":
            told = re.sub(r"\\(.)", r"\1", told[1:-1], flags=re.DOTALL)
        found.append(_Token(match.lastgroup, told))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: Sequence[_Token], user: str, now: float) -> None:
        self._tokens, self._at = tokens, 0
        self._user, self._now = user, now

    def query(self) -> Query:
        bounded = bool(self._tokens) and not self._tokens[0].says("order")
        test = self._either() if bounded else lambda _: True
        order = self._order()
        if self._at < len(self._tokens):
            extra = self._tokens[self._at].text
            raise JqlError(
                f"Error in the JQL Query: Expecting end of query, got '{extra}'."
            )
        return Query(test, order, bounded)

    def _peek(self) -> _Token:
        over = self._at >= len(self._tokens)
        return _Token("end", "") if over else self._tokens[self._at]

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def _either(self) -> Test:
        tests = [self._both()]
        while self._peek().says("or"):
            self._next()
            tests.append(self._both())
        return lambda one: any(test(one) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._peek().says("and"):
            self._next()
            tests.append(self._one())
        return lambda one: all(test(one) for test in tests)

    def _one(self) -> Test:
        if self._peek().says("not"):
            self._next()
            test = self._one()
            return lambda one: not test(one)
        if self._peek() == _Token("mark", "("):
            self._next()
            test = self._either()
            self._expect(")")
            return test
        return self._clause()

    def _expect(self, mark: str) -> None:
        if self._next() != _Token("mark", mark):
            raise JqlError(f"Error in the JQL Query: Expecting '{mark}'.")

    def _clause(self) -> Test:
        named = self._next()
        if named.kind not in {"word", "string"}:
            raise JqlError("Error in the JQL Query: Expecting a field name.")
        name = named.text.casefold()
        if name not in _FIELDS:
            raise JqlError(
                f"Field '{named.text}' does not exist or you do not have permission "
                "to view it."
            )
        operator = self._next()
        if operator.says("in", "not", "is", "was"):
            return self._worded(name, operator)
        if operator.kind != "operator":
            raise JqlError("Error in the JQL Query: Expecting an operator.")
        wanted = self._value()
        return _compared(name, operator.text, wanted, self._now)

    def _worded(self, name: str, operator: _Token) -> Test:
        negated = operator.says("not")
        if operator.says("is"):
            negated = self._peek().says("not")
            if negated:
                self._next()
            if not self._next().says("empty", "null"):
                raise JqlError("Error in the JQL Query: Expecting EMPTY.")
            return lambda one: bool(_FIELDS[name](one)) is negated
        if negated and not self._next().says("in"):
            raise JqlError("Error in the JQL Query: Expecting IN.")
        self._expect("(")
        wanted = [self._value().casefold()]
        while self._peek() == _Token("mark", ","):
            self._next()
            wanted.append(self._value().casefold())
        self._expect(")")
        return lambda one: (
            any(has.casefold() in wanted for has in _FIELDS[name](one)) is not negated
        )

    def _value(self) -> str:
        token = self._next()
        if token.kind not in {"word", "string"}:
            raise JqlError("Error in the JQL Query: Expecting a value.")
        if token.kind == "word" and self._peek() == _Token("mark", "("):
            self._next()
            self._expect(")")
            return self._called(token.text)
        return token.text

    def _called(self, function: str) -> str:
        if function.casefold() == "currentuser":
            return self._user
        if function.casefold() == "now":
            return datetime.fromtimestamp(self._now, UTC).isoformat()
        raise JqlError(f"Unable to find JQL function '{function}()'.")

    def _order(self) -> tuple[tuple[str, bool], ...]:
        if not self._peek().says("order"):
            return ()
        self._next()
        if not self._next().says("by"):
            raise JqlError("Error in the JQL Query: Expecting 'by'.")
        found = []
        while True:
            name = self._next().text.casefold()
            if name not in _FIELDS:
                raise JqlError(f"Field '{name}' does not exist.")
            down = self._peek().says("desc")
            if down or self._peek().says("asc"):
                self._next()
            found.append((name, down))
            if self._peek() != _Token("mark", ","):
                return tuple(found)
            self._next()


def _compared(name: str, operator: str, wanted: str, now: float) -> Test:
    read = _FIELDS[name]
    if operator in {"~", "!~"}:
        words = [word for word in re.split(r"[\s\"*]+", wanted.casefold()) if word]
        holds = operator == "~"
        return lambda one: (
            all(word in " ".join(read(one)).casefold() for word in words) is holds
        )
    if name in {"created", "updated", "duedate", "due"}:
        moment = _moment(wanted, now)
        return lambda one: any(_ordered(operator, has, moment) for has in read(one))
    if operator in {"=", "!="}:
        holds = operator == "="
        return lambda one: (
            (wanted.casefold() in [has.casefold() for has in read(one)]) is holds
        )
    raise JqlError(f"The operator '{operator}' is not supported by the '{name}' field.")


def _ordered(operator: str, has: str, moment: datetime) -> bool:
    told = datetime.fromisoformat(has)
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return {
        "=": told == moment,
        "!=": told != moment,
        "<": told < moment,
        "<=": told <= moment,
        ">": told > moment,
        ">=": told >= moment,
    }[operator]


def _moment(wanted: str, now: float) -> datetime:
    """Dates have minutes, and no seconds; they are in the user's zone, here UTC."""
    if ago := _AGO.fullmatch(wanted):
        minutes = int(ago[2]) * _SPAN[ago[3]] * (-1 if ago[1] == "-" else 1)
        return datetime.fromtimestamp(now, UTC) + timedelta(minutes=minutes)
    if wanted.isdecimal():
        return datetime.fromtimestamp(int(wanted) / 1000, UTC)
    for form in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
        try:
            return datetime.strptime(wanted, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(wanted)
    except ValueError:
        raise JqlError(
            f"Date value '{wanted}' is invalid. Valid formats include: "
            "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a "
            "period format e.g. '-5d', '4w 2d'."
        ) from None


def _plain(name: str) -> Callable[[Document], list[str]]:
    return lambda one: [one[name]] if one.get(name) else []


def _all_text(one: Document) -> list[str]:
    return [text for name in _TEXTS for text in one.get(name, ()) if text]


# A document has lists of words for what may be named in several ways.
_FIELDS: Mapping[str, Callable[[Document], list[str]]] = {
    "project": lambda one: list(one["project"]),
    "key": lambda one: [one["key"], one["id"]],
    "issuekey": lambda one: [one["key"], one["id"]],
    "id": lambda one: [one["id"], one["key"]],
    "summary": lambda one: list(one["summary"]),
    "description": lambda one: list(one["description"]),
    "comment": lambda one: list(one["comment"]),
    "text": _all_text,
    "status": lambda one: list(one["status"]),
    "statuscategory": lambda one: list(one["statuscategory"]),
    "issuetype": lambda one: list(one["issuetype"]),
    "type": lambda one: list(one["issuetype"]),
    "priority": lambda one: list(one["priority"]),
    "assignee": lambda one: list(one["assignee"]),
    "reporter": lambda one: list(one["reporter"]),
    "labels": lambda one: list(one["labels"]),
    "level": lambda one: list(one["level"]),
    "resolution": lambda one: list(one["resolution"]),
    "created": _plain("created"),
    "updated": _plain("updated"),
    "duedate": _plain("duedate"),
    "due": _plain("duedate"),
}
