"""What form a manifest must have, as data, and where one does not have it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never


@dataclass(frozen=True, slots=True)
class Text:
    """A string of `least` to `most` characters."""

    most: int
    least: int = 1
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""


@dataclass(frozen=True, slots=True)
class Many:
    """A list of `least` to `most` things of one shape."""

    of: "Shape"
    most: int
    least: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """An object with these keys and no others."""

    keys: Mapping[str, "Shape"]
    needed: frozenset[str] = field(default_factory=frozenset)


Shape: TypeAlias = Text | Choice | Flag | Number | Many | Table


def misfits(value: Any, shape: Shape, at: str = "") -> Iterator[str]:
    """Say, one line each, where `value` does not have the shape."""
    match shape:
        case Text():
            yield from _text(value, shape, at)
        case Choice(words):
            if value not in words:
                yield f"{at}: must be one of {', '.join(sorted(words))}"
        case Flag():
            if not isinstance(value, bool):
                yield f"{at}: must be true or false"
        case Number():
            if type(value) is not int:
                yield f"{at}: must be a whole number"
        case Many():
            yield from _many(value, shape, at)
        case Table():
            yield from _table(value, shape, at)
        case _:
            assert_never(shape)


def _text(value: Any, shape: Text, at: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{at}: must be text"
    elif not shape.least <= len(value) <= shape.most:
        yield f"{at}: must have {shape.least} to {shape.most} characters"
    elif shape.pattern and not re.fullmatch(shape.pattern, value):
        yield f"{at}: must match {shape.pattern}"


def _many(value: Any, shape: Many, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{at}: must be a list"
        return
    if not shape.least <= len(value) <= shape.most:
        yield f"{at}: must have {shape.least} to {shape.most} entries"
    for index, item in enumerate(value):
        yield from misfits(item, shape.of, f"{at}/{index}")


def _table(value: Any, shape: Table, at: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{at}: must be an object"
        return
    for missing in sorted(shape.needed - value.keys()):
        yield f"{at}/{missing}: is missing"
    for name, item in value.items():
        if name in shape.keys:
            yield from misfits(item, shape.keys[name], f"{at}/{name}")
        else:
            yield f"{at}/{name}: is not known"
