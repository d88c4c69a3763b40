"""
What a search asks for, as a tree, and how it is written down again.

Two searches with the same tree ask the same question, however they were typed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import assert_never

DISTANCE = 8
"""How many words may stand between two that are NEAR, unless said otherwise."""

KEYWORDS = frozenset({"AND", "OR", "NOT", "NEAR", "ONEAR"})
_BARE = re.compile(r'[^\s()":*?-][^\s()":*?]*')
_BARE_VALUE = re.compile(r'[^\s()"*?][^\s()"*?]*')


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side, in this order."""

    text: str


@dataclass(frozen=True, slots=True)
class Wild:
    """A word of which only some letters are known: `*` are any, `?` is one."""

    pattern: str


Operand = Phrase | Wild


@dataclass(frozen=True, slots=True)
class Near:
    """Two operands with at most `distance` words between; in this order if `ordered`."""

    left: Operand
    right: Operand
    distance: int = DISTANCE
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """
    One field and the value asked for.

    In a `literal` value `*` and `?` are themselves, because it stood in quotes.
    """

    field: str
    value: str
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """What was said from `start_us` up to, and without, `end_us` (microseconds UTC)."""

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Anything:
    """Every message."""


@dataclass(frozen=True, slots=True)
class Not:
    part: "Expression"


@dataclass(frozen=True, slots=True)
class And:
    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    parts: "tuple[Expression, ...]"


Expression = Phrase | Wild | Near | Condition | Span | Anything | Not | And | Or


@dataclass(frozen=True, slots=True)
class Query:
    """
    A whole search.

    `tz` is the time zone in which days begin. `any_revision` asks for everything that
    a message ever said, and each of its revisions counts; otherwise what it said last.
    """

    expression: Expression
    tz: str = "UTC"
    any_revision: bool = False

    @property
    def digest(self) -> str:
        """Return SHA-256 over the canonical form, in hexadecimal."""
        return sha256(written(self).encode("utf-8", "replace")).hexdigest()


def both(*parts: Expression) -> Expression:
    """Return what holds if all parts do."""
    return _joined(And, parts)


def either(*parts: Expression) -> Expression:
    """Return what holds if one part does."""
    return _joined(Or, parts)


def opposite(part: Expression) -> Expression:
    return part.part if isinstance(part, Not) else Not(part)


def leaves(expression: Expression) -> Iterator[Expression]:
    """Yield everything in it that is not AND, OR or NOT, in order."""
    match expression:
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)
        case _:
            yield expression


def written(query: Query) -> str:
    """Return the query in its canonical form, which reads as the same query."""
    words = [] if isinstance(query.expression, Anything) else [_all(query.expression)]
    if query.any_revision:
        words.append("rev:any")
    if query.tz != "UTC":
        words.append(f"tz:{query.tz}")
    return " ".join(words) or "rev:current"


def _joined(kind: type[And | Or], parts: tuple[Expression, ...]) -> Expression:
    flat: list[Expression] = []
    for part in parts:
        if kind is And and isinstance(part, Anything):
            continue
        flat += part.parts if isinstance(part, kind) else (part,)
    flat = list(dict.fromkeys(flat))
    if not flat:
        return Anything()
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _all(expression: Expression) -> str:
    match expression:
        case And(parts):
            return " ".join(_part(part) for part in parts)
        case Or(parts):
            # Below OR stands AND without parentheses, but what is added after the
            # query, such as `tz:`, must not become a part of its last branch.
            return f"({' OR '.join(_part(part) for part in parts)})"
    return _part(expression)


def _part(expression: Expression) -> str:
    match expression:
        case Phrase() | Wild():
            return _operand(expression)
        case Near(left, right, distance, ordered):
            word = "ONEAR" if ordered else "NEAR"
            return f"({_operand(left)} {word}({distance}) {_operand(right)})"
        case Condition(field, value, literal):
            bare = not literal and (
                _BARE_VALUE.fullmatch(value) or ("*" in value or "?" in value)
            )
            return f"{field}:{value}" if bare else f'{field}:"{value}"'
        case Span(start_us, end_us):
            return f"sent:@{start_us}..@{end_us}"
        case Anything():
            return "seq:0.."
        case Not(part):
            return f"-{_part(part)}"
        case And(parts):
            return f"({' '.join(_part(part) for part in parts)})"
        case Or(parts):
            return f"({' OR '.join(_part(part) for part in parts)})"
        case _:
            assert_never(expression)


def _operand(operand: Operand) -> str:
    match operand:
        case Wild(pattern):
            return pattern
        case Phrase(text):
            bare = _BARE.fullmatch(text) and text not in KEYWORDS
            return text if bare else f'"{text}"'
