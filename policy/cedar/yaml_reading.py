"""YAML that people write, read so that a mistake can be told with its line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from bridge.errors import BadInput

MOST_CHARACTERS = 1_000_000
_DEEPEST = 20


@dataclass(frozen=True)
class Node:
    """
    One value with the place it was written at, lines and columns counted from 1.

    `value` is a text, a number, a truth value, None, a mapping of names to nodes or a
    list of nodes.
    """

    value: Any
    line: int = 0
    column: int = 0
    path: str = ""
    keys: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def wrong(self, what: str) -> BadInput:
        """Return the error that something is wrong here."""
        return BadInput(f"{self.spot}{self.path or 'the policy'}: {what}")

    def wrong_key(self, key: str, what: str) -> BadInput:
        line, column = self.keys[key]
        return BadInput(
            f"line {line}, column {column}: {_joined(self.path, key)} {what}"
        )

    @property
    def spot(self) -> str:
        return f"line {self.line}, column {self.column}: " if self.line else ""

    def mapping(self) -> Mapping[str, "Node"]:
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.wrong("write `name: value` lines here")
        return self.value

    def items(self) -> Sequence["Node"]:
        """Return a list's nodes; a single value stands for a list of one."""
        if self.value is None:
            return []
        return self.value if isinstance(self.value, list) else [self]

    def text(self) -> str:
        if isinstance(self.value, bool) or not isinstance(self.value, str | int):
            raise self.wrong("write a text here")
        if isinstance(self.value, str) and not self.value.strip():
            raise self.wrong("this is empty")
        return str(self.value)

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong("write true or false here")
        return self.value

    def only(self, allowed: Sequence[str]) -> Mapping[str, "Node"]:
        """Return a mapping that has no other names than these."""
        found = self.mapping()
        for key in found:
            if key not in allowed:
                raise self.wrong_key(key, f"is not known; write {one_of(allowed)}")
        return found

    def plain(self) -> Any:
        """Return the value with no places in it, for programs."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


def one_of(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    if len(names) == 1:
        return names[0]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def read(text: str) -> Node:
    """
    Read one YAML document. Raises `BadInput` with the line for what is not YAML.

    Aliases are refused: a few lines of them can stand for gigabytes.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadInput(f"a policy has {MOST_CHARACTERS} characters at most")
    try:
        tree = yaml.compose(text, _Loader)
        return _node(tree, "", 0) if tree else Node(None)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _at(mark, f"this is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"this is not YAML: {reason}") from None
    except RecursionError:
        raise BadInput("this is nested too deeply") from None


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
            raise _at(event.start_mark, "anchors and aliases are not used here")
        composed: yaml.Node | None = super().compose_node(parent, index)
        return composed


def of(plain: Any) -> Node:
    """Return a value that was not written anywhere as a node."""
    if isinstance(plain, Mapping):
        return Node({str(key): of(value) for key, value in plain.items()})
    if isinstance(plain, list | tuple):
        return Node([of(value) for value in plain])
    return Node(plain)


def _node(tree: yaml.Node, path: str, depth: int) -> Node:
    mark = tree.start_mark
    line, column = mark.line + 1, mark.column + 1
    if depth > _DEEPEST:
        raise _at(mark, "this is nested too deeply")
    if isinstance(tree, yaml.MappingNode):
        found: dict[str, Node] = {}
        keys: dict[str, tuple[int, int]] = {}
        for key_node, value_node in tree.value:
            key = str(getattr(key_node, "value", ""))
            where = key_node.start_mark
            if not isinstance(key_node, yaml.ScalarNode):
                raise _at(where, "a name is a plain text")
            if key in found:
                raise _at(where, f"{_joined(path, key)} is written twice")
            found[key] = _node(value_node, _joined(path, key), depth + 1)
            keys[key] = (where.line + 1, where.column + 1)
        return Node(found, line, column, path, keys)
    if isinstance(tree, yaml.SequenceNode):
        listed = [
            _node(each, f"{path}[{n}]", depth + 1)
            for n, each in enumerate(tree.value, 1)
        ]
        return Node(listed, line, column, path)
    return Node(_scalar(tree), line, column, path)


def _scalar(tree: yaml.Node) -> Any:
    """Read what is not quoted as a truth value, a whole number or nothing; else text."""
    value = str(tree.value)
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise _at(tree.start_mark, "this has half a character in it")
    match tree.tag:
        case "tag:yaml.org,2002:bool":
            return value.lower() in {"true", "yes", "on"}
        case "tag:yaml.org,2002:null":
            return None
        case "tag:yaml.org,2002:int" if value.isascii() and value.isdecimal():
            return int(value) if not value.startswith("0") or value == "0" else value
        case _:
            return value


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _at(mark: Any, what: str) -> BadInput:
    if mark is None:
        return BadInput(what)
    return BadInput(f"line {mark.line + 1}, column {mark.column + 1}: {what}")
