"""YAML read strictly: every value with its line, nothing twice, nothing by reference."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import yaml

# The same parser in C where there is one: a file of 20,000 people takes seconds less.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRUE, _FALSE = {"true", "yes", "on"}, {"false", "no", "off"}
_DEEPEST = 20
_MAPPING, _SEQUENCE, _SCALAR = yaml.MappingNode, yaml.SequenceNode, yaml.ScalarNode


class Wrong(Exception):
    """A line of a file is not what it should be."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.line = line


@dataclass(slots=True)
class Value:
    """A value in a file. `line` counts from 1."""

    node: yaml.Node
    read: set[str] = field(default_factory=set)

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1

    def wrong(self, text: str) -> Wrong:
        return Wrong(self.line, text)

    def text(self) -> str:
        """Return one line of text; a number is text as it stands there."""
        if not isinstance(self.node, _SCALAR) or self.node.value is None:
            raise self.wrong("one value is expected here")
        told = " ".join(str(self.node.value).split())
        if self.node.tag.endswith(":null"):
            raise self.wrong("a value is missing here")
        return told

    def flag(self) -> bool:
        told = self.text().lower()
        if told in _TRUE | _FALSE:
            return told in _TRUE
        raise self.wrong("true or false is expected here")

    def items(self) -> list["Value"]:
        """Return a list's values; one value alone is a list of one, nothing of none."""
        if isinstance(self.node, _SEQUENCE):
            return [Value(node) for node in self.node.value]
        if isinstance(self.node, _SCALAR):
            empty = self.node.tag.endswith(":null")
            return [] if empty else [self]
        raise self.wrong("a list is expected here")

    def pairs(self) -> Iterator[tuple["Value", "Value"]]:
        """Return keys and values. Raises `Wrong` if a key stands there twice."""
        if isinstance(self.node, _SCALAR) and self.node.tag.endswith(":null"):
            return
        if not isinstance(self.node, _MAPPING):
            raise self.wrong("names with values are expected here")
        seen: dict[str, int] = {}
        for key_node, value_node in self.node.value:
            key = Value(key_node)
            name = key.text()
            if name in seen:
                raise key.wrong(
                    f"{name} stands here again (first in line {seen[name]})"
                )
            seen[name] = key.line
            yield key, Value(value_node)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, _MAPPING)


def parsed(text: str) -> Value | None:
    """Return what a file says, None if it says nothing. Raises `Wrong`."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise Wrong(
            line, f"this is not YAML: {error.problem or error.context}"
        ) from None
    except yaml.YAMLError as error:
        raise Wrong(1, "this is not YAML") from error
    if node is None:
        return None
    _plain(node)
    return Value(node)


def _plain(node: yaml.Node) -> None:
    """Refuse what refers to something else: a few lines could stand for millions."""
    seen: set[int] = set()
    waiting: list[tuple[yaml.Node, int]] = [(node, 0)]
    while waiting:
        each, depth = waiting.pop()
        if depth > _DEEPEST:
            raise Value(each).wrong("this is nested too deeply")
        if not isinstance(each, yaml.CollectionNode):
            continue
        if id(each) in seen:
            raise Value(each).wrong("anchors and aliases (& and *) are not read here")
        seen.add(id(each))
        waiting += [(child, depth + 1) for child in _children(each)]


def _children(node: yaml.CollectionNode) -> Sequence[yaml.Node]:
    if isinstance(node, _MAPPING):
        return [part for pair in node.value for part in pair]
    return list(node.value)


def fields(value: Value, known: dict[str, Callable[[Value], None]]) -> None:
    """Give each value to what reads it by its name. Raises `Wrong` for another name."""
    for key, inner in value.pairs():
        read = known.get(key.text())
        if read is None:
            names = ", ".join(sorted(known))
            raise key.wrong(f"{key.text()} is not known here; these are: {names}")
        read(inner)
