"""
Cedar text that people write: apart into policies, and mistakes with their place.

Cedar's own errors say what is wrong and not where. A policy that does not parse is cut
off after each of its words in turn: the first cut that Cedar does not merely find too
short ends at the mistake.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import cedarpy

from bridge.errors import BadInput

_WORD = re.compile(
    r'\s+|//[^\n]*|"(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*|\d+|[=!<>]=|&&|\|\||::|.',
    re.DOTALL,
)
_NAMED = re.compile(r": (\w+)$")  # an error that ends with the word that is wrong
_NOT_THERE = ("unexpected end of input", "unexpected EOF")


@dataclass(frozen=True)
class Word:
    text: str
    at: int


@dataclass(frozen=True)
class Statement:
    """One policy with where it begins in the whole text."""

    text: str
    whole: str
    at: int

    def wrong(self, what: str, offset: int = 0) -> BadInput:
        line, column = position(self.whole, self.at + offset)
        return BadInput(f"line {line}, column {column}: {what}")

    def wrong_word(self, word: str, what: str) -> BadInput:
        """Return an error at the first place where a word is written."""
        for each in words(self.text):
            if each.text in {word, f'"{word}"'}:
                return self.wrong(what, each.at)
        return self.wrong(what)


def statements(text: str) -> list[Statement]:
    """Take a text apart. Raises `BadInput` at the first policy that does not parse."""
    found: list[Statement] = []
    begin = -1
    for word in words(text):
        if begin < 0:
            begin = word.at
        if word.text == ";":
            end = word.at + 1
            found.append(Statement(text[begin:end], text, begin))
            begin = -1
    if begin >= 0:
        found.append(Statement(text[begin:], text, begin))
    for statement in found:
        _parse(statement)
    return found


def words(text: str) -> Iterator[Word]:
    """Yield what a text consists of, without space and comments."""
    for match in _WORD.finditer(text):
        if not (match[0].isspace() or match[0].startswith("//")):
            yield Word(match[0], match.start())


def position(text: str, at: int) -> tuple[int, int]:
    """Return the line and the column of a character, both from 1."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _parse(statement: Statement) -> None:
    error = _error(statement.text)
    if error is None:
        return
    if any(each in error for each in _NOT_THERE):
        raise statement.wrong("this policy has no end: is a ; or a } missing?")
    if named := _NAMED.search(error):
        raise statement.wrong_word(named[1], error)
    for word in words(statement.text):
        cut = _error(statement.text[: word.at + len(word.text)])
        if cut is not None and not any(each in cut for each in _NOT_THERE):
            raise statement.wrong(cut, word.at)
    raise statement.wrong(error)


def _error(text: str) -> str | None:
    try:
        cedarpy.PolicySet.from_str(text)
    except ValueError as error:
        return " ".join(str(error).split())
    return None
