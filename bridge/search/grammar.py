"""
Reading a search. Between two conditions AND is meant, wherever it is not written.

    after:-7d from:(ada OR grace) "release plan" -draft*
"""

import re
from typing import Any

from lark import Lark, Transformer, v_args
from lark.exceptions import LarkError, UnexpectedInput, VisitError

from bridge.errors import BadInput
from bridge.search.fields import condition, directed
from bridge.search.syntax import (
    DISTANCE,
    And,
    Condition,
    Expression,
    Near,
    Not,
    Operand,
    Or,
    Phrase,
    Query,
    Wild,
    both,
    either,
    opposite,
)
from bridge.search.words import Elements

LONGEST = 4096
"""How many characters a search may have."""
_DEEPEST = 40
_MOST_BETWEEN = 1000

_GRAMMAR = r"""
    start: any
    any: every (_OR every)*
    every: unary (_and unary | unary)*
    _and: _AND
    ?unary: _not unary -> negated
          | near
    _not: _NOT | _MINUS
    near: atom (NEAR atom)*
    ?atom: QUOTED -> quoted
         | WORD -> word
         | FIELD value -> field
         | "(" any ")"
    ?value: QUOTED -> quoted_value
          | WORD -> plain_value
          | "(" values ")"
    values: all_values (_OR all_values)* -> any
    all_values: one_value (_and one_value | one_value)* -> every
    ?one_value: _not one_value -> negated
              | value

    NEAR.4: /O?NEAR(\(\d{1,9}\))?(?=[\s("]|$)/
    _OR.3: /OR(?=[\s()"]|$)/
    _AND.3: /AND(?=[\s()"]|$)/
    _NOT.3: /NOT(?=[\s()"]|$)/
    _MINUS.3: /-(?=[^\s)])/
    FIELD.2: /[A-Za-z_]+:(?=[^\s)])/
    QUOTED.2: /"[^"]*"/
    WORD: /[^\s()"]+/
    %ignore /\s+/
"""
_QUOTES = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02", '"')
)
_SAID = re.compile(r"\d+")


def read(text: str) -> Query:
    """
    Return what a search asks for.

    Takes time in proportion to the text's length. Raises `BadInput`, in one line that
    says what to write instead, and nothing else.
    """
    if len(text) > LONGEST:
        raise BadInput(f"a search may have {LONGEST} characters at most")
    text = text.translate(_QUOTES)
    if not text.strip():
        raise BadInput("write what to search for, such as from:ada release")
    _look_at_depth(text)
    try:
        found: Any = _parser.parse(text)
    except UnexpectedInput as error:
        raise BadInput(_unexpected(text, error)) from error
    except VisitError as error:
        if isinstance(error.orig_exc, BadInput):
            raise error.orig_exc from error
        raise
    except LarkError as error:
        raise BadInput("this cannot be read as a search") from error
    return directed(found)


def _look_at_depth(text: str) -> None:
    depth = deepest = 0
    for part in re.findall(r'"[^"]*"|[()]', text):
        depth += (part == "(") - (part == ")")
        deepest = max(deepest, depth)
        if depth < 0:
            raise BadInput("a parenthesis is closed that was not opened")
    if text.count('"') % 2:
        raise BadInput('a quote is not closed: write "words like these"')
    if depth:
        raise BadInput("a parenthesis is not closed")
    if deepest > _DEEPEST:
        raise BadInput(f"parentheses go {_DEEPEST} deep at most")


def _unexpected(text: str, error: UnexpectedInput) -> str:
    place: Any = error.pos_in_stream  # None at the end, whatever its type says
    if place is None or not 0 <= place < len(text):
        return "something is missing at the end of the search"
    rest = text[place : place + 20]
    return (
        f"'{rest}' cannot stand here: words, fields, AND, OR, NOT and parentheses can"
    )


@v_args(inline=True)
class _Reading(Transformer[Any, Any]):
    """Builds the tree while it is read, so that nothing is nested in the reader."""

    def start(self, found: Expression) -> Expression:
        return found

    def any(self, *parts: Expression) -> Expression:
        return either(*parts)

    def every(self, *parts: Expression) -> Expression:
        return both(*parts)

    def negated(self, part: Expression) -> Expression:
        return opposite(part)

    def near(self, first: Expression, *rest: Any) -> Expression:
        if not rest:
            return first
        pairs, left = [], first
        for said, right in zip(rest[::2], rest[1::2], strict=True):
            pairs.append(_near(left, str(said), right))
            left = right
        return both(*pairs)

    def quoted(self, token: str) -> Expression:
        return _phrase(token[1:-1])

    def word(self, token: str) -> Expression:
        word = str(token)
        if word.endswith(":") and word[:-1].isalpha():
            raise BadInput(f"write {word} and what it asks for without a space between")
        if "*" in word or "?" in word:
            return _wild(word)
        return _phrase(word)

    def field(self, name: str, value: Expression) -> Expression:
        return _named(value, name[:-1])

    def quoted_value(self, token: str) -> Expression:
        return Condition("", token[1:-1], literal=True)

    def plain_value(self, token: str) -> Expression:
        return Condition("", str(token))


def _phrase(text: str) -> Phrase:
    Elements.of(text)
    return Phrase(" ".join(text.split()))


def _wild(word: str) -> Operand:
    elements = Elements.of(word, wild=True)
    plain = not any(place.prefix or place.pattern for place in elements.places)
    return _phrase(word.strip("*?")) if plain else Wild(word)


def _near(left: Expression, said: str, right: Expression) -> Near:
    if not (isinstance(left, Operand) and isinstance(right, Operand)):
        raise BadInput("NEAR and ONEAR stand between two words or phrases")
    number = _SAID.search(said)
    distance = int(number[0]) if number else DISTANCE
    if distance > _MOST_BETWEEN:
        raise BadInput(f"NEAR takes a distance of {_MOST_BETWEEN} words at most")
    return Near(left, right, distance, ordered=said.startswith("O"))


def _named(value: Expression, field: str) -> Expression:
    match value:
        case Condition(_, text, literal):
            return condition(field, text, quoted=literal)
        case And(parts):
            return both(*(_named(part, field) for part in parts))
        case Or(parts):
            return either(*(_named(part, field) for part in parts))
        case Not(part):
            return opposite(_named(part, field))
    raise BadInput(f"{field}: cannot be asked for like this")


_parser = Lark(
    _GRAMMAR, parser="lalr", transformer=_Reading(), maybe_placeholders=False
)
