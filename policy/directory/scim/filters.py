"""
Filters: RFC 7644 section 3.4.2.2, read by the grammar of scim2-models.

They are evaluated on resources as they are shown, so that what a client can read is
what it can filter by. A filter that names what the type does not have, or compares it
with what it cannot be, is refused and not taken for one that matches nothing.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scim2_models import SCIMException, ScimFilter
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)

from bridge.directory.scim import Lookup, ScimKind
from policy.directory.scim.comparing import comparable, moment, truth
from policy.directory.scim.problems import invalid_filter
from policy.directory.scim.schemas import Attribute, Place, Shape

LONGEST = 4_096  # characters of a filter

_ORDER = frozenset(
    {CompareOperator.gt, CompareOperator.ge, CompareOperator.lt, CompareOperator.le}
)
_PARTS = frozenset({CompareOperator.co, CompareOperator.sw, CompareOperator.ew})
_TEXTS = frozenset({"string", "reference", "binary"})

_Document = Mapping[str, Any]


def parsed(text: str) -> FilterNode:
    """Read a filter. Raises `Problem`."""
    if len(text) > LONGEST:
        raise invalid_filter(f"the filter is longer than {LONGEST} characters")
    try:
        return ScimFilter(text).ast
    except (SCIMException, RecursionError, ValueError) as error:
        raise invalid_filter("the filter cannot be read: see RFC 7644, 3.4.2.2") from (
            error
        )


@dataclass(frozen=True, slots=True)
class Filter:
    """
    A filter of resources of one shape, which has been checked.

    With `lenient`, what the shape does not have is compared as what has no value: a
    search over several types asks for that.
    """

    shape: Shape
    node: FilterNode
    lenient: bool = False

    @classmethod
    def of(cls, shape: Shape, text: str) -> "Filter":
        made = cls(shape, parsed(text))
        made.check()
        return made

    def check(self) -> None:
        """Raise `Problem` if the filter cannot be meant of this shape."""
        _check(self.node, self._place)

    def knows_all(self) -> bool:
        """Say whether the shape has every attribute that is named."""
        return all(self.shape.find(path) for path in _paths(self.node))

    def names(self, attribute: str) -> bool:
        """Say whether the filter asks for an attribute."""
        return any(path.attr.lower() == attribute for path in _paths(self.node))

    def matches(self, document: _Document) -> bool:
        return _holds(self.node, document, self._place)

    def lookup(self) -> Lookup:
        """Return what every match has, for the storage to look up."""
        found: dict[str, str] = {}
        for node in _needed(self.node):
            if isinstance(node.value, str) and (name := self._index_of(node.attr_path)):
                found.setdefault(name, node.value)
        return Lookup(**found)

    def _index_of(self, path: AttrPath) -> str:
        if not self.shape.knows(path.uri):
            return ""
        label = "username" if self.shape.kind is ScimKind.USER else "displayname"
        group = self.shape.kind is ScimKind.GROUP
        names = {"id": "id", "externalid": "external", label: "label"}
        name = path.attr.lower()
        if group and name == "members" and (path.sub_attr or "value") == "value":
            return "member"
        return names.get(name, "") if path.sub_attr is None else ""

    def _place(self, path: AttrPath) -> Place | None:
        place = self.shape.find(path)
        if place is None and not self.lenient:
            raise invalid_filter(f"the filter asks for {path}, which is no attribute")
        return place


def selected(
    attribute: Attribute, node: FilterNode, values: Sequence[Any]
) -> list[int]:
    """Return which of an attribute's values a value filter selects, by their index."""
    place = _inner(attribute)
    _check(node, place)
    return [n for n, value in enumerate(values) if _holds(node, value, place)]


def _inner(attribute: Attribute) -> Any:
    def place(path: AttrPath) -> Place:
        sub = attribute.subs.get(path.attr.lower())
        if sub is None or path.sub_attr or path.uri:
            raise invalid_filter(f"{attribute.name} has no sub-attribute {path}")
        return Place("", sub)

    return place


def _needed(node: FilterNode) -> Iterator[Comparison]:
    """Yield the equalities that hold of everything that matches."""
    if isinstance(node, Comparison) and node.op is CompareOperator.eq:
        yield node
    elif isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_:
        for term in node.terms:
            yield from _needed(term)
    elif isinstance(node, ValuePath) and isinstance(node.val_filter, Comparison):
        inner = node.val_filter
        if inner.op is CompareOperator.eq and inner.attr_path.attr.lower() == "value":
            yield Comparison(node.attr_path, inner.op, inner.value)


def _paths(node: FilterNode) -> Iterator[AttrPath]:
    match node:
        case Not(expr):
            yield from _paths(expr)
        case LogicalExpr(_, terms):
            for term in terms:
                yield from _paths(term)
        case Present(path) | Comparison(path, _, _) | ValuePath(path, _, _):
            yield path


def _check(node: FilterNode, place: Any) -> None:
    match node:
        case Not(expr):
            _check(expr, place)
        case LogicalExpr(_, terms):
            for term in terms:
                _check(term, place)
        case Present(path):
            place(path)
        case Comparison(path, op, value):
            if found := place(path):
                _check_comparison(_compared(found), op, value)
        case ValuePath(path, inner, _):
            found = place(path)
            if found and not (found.attribute.multi and found.attribute.subs):
                raise invalid_filter(f"{path} has no values to select from")
            if found:
                _check(inner, _inner(found.attribute))


def _compared(place: Place) -> Attribute:
    """Return what a comparison is about: a complex value is compared by `value`."""
    last = place.last
    if last.type != "complex":
        return last
    if last.by_value is None:
        raise invalid_filter(f"{last.name} is complex: name one of its sub-attributes")
    return last.by_value


def _check_comparison(attribute: Attribute, op: CompareOperator, value: Any) -> None:
    name, kind = attribute.name, attribute.type
    if value is None:
        if op in _ORDER | _PARTS:
            raise invalid_filter(f"{op} cannot compare {name} with null")
        return
    if op in _ORDER and kind in {"boolean", "binary"}:
        raise invalid_filter(f"{op} has no meaning for {name}, which is {kind}")
    if op in _PARTS and kind not in _TEXTS - {"binary"}:
        raise invalid_filter(f"{op} has no meaning for {name}, which is {kind}")
    if not _fits(kind, value):
        raise invalid_filter(f"{name} is {kind} and is compared with something else")


def _fits(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return truth(value) is not None
    if kind == "dateTime":
        return moment(value) is not None
    if kind in {"integer", "decimal"}:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)


def _holds(node: FilterNode, document: _Document, place: Any) -> bool:
    match node:
        case Not(expr):
            return not _holds(expr, document, place)
        case LogicalExpr(op, terms):
            held = (_holds(term, document, place) for term in terms)
            return all(held) if op is LogicalOperator.and_ else any(held)
        case Present(path):
            found = place(path)
            return found is not None and any(map(_present, _values(found, document)))
        case Comparison(path, op, value):
            found = place(path)
            return found is not None and _compares(found, document, op, value)
        case ValuePath(path, inner, _):
            found = place(path)
            if found is None:
                return False
            within = _inner(found.attribute)
            return any(_holds(inner, v, within) for v in _values(found, document))
    return False


def _values(place: Place, document: _Document) -> list[Any]:
    """Return every value that a place has in a document."""
    inside = document.get(place.urn, {}) if place.urn else document
    value = inside.get(place.attribute.name)
    several = value if isinstance(value, list) else [value]
    present = [each for each in several if each is not None]
    if place.sub is None:
        return present
    return [each[place.sub.name] for each in present if place.sub.name in each]


def _present(value: Any) -> bool:
    if isinstance(value, str | list | dict):
        return bool(value)
    return value is not None


def _compares(
    place: Place, document: _Document, op: CompareOperator, wanted: Any
) -> bool:
    attribute = _compared(place)
    values = _values(place, document)
    if attribute is not place.last:
        values = [each[attribute.name] for each in values if attribute.name in each]
    if wanted is None:
        return (not values) is (op is CompareOperator.eq)
    right = _operand(attribute, wanted)
    if op is CompareOperator.ne:
        return not any(
            _compare(attribute, v, CompareOperator.eq, right) for v in values
        )
    return any(_compare(attribute, value, op, right) for value in values)


def _operand(attribute: Attribute, wanted: Any) -> Any:
    if attribute.type == "boolean":
        return truth(wanted)
    return comparable(wanted, attribute.type, exact=attribute.exact)


def _compare(attribute: Attribute, value: Any, op: CompareOperator, right: Any) -> bool:
    left = comparable(value, attribute.type, exact=attribute.exact)
    if left is None:
        return False
    return _OPERATORS[op](left, right)


_OPERATORS: Mapping[CompareOperator, Callable[[Any, Any], bool]] = {
    CompareOperator.eq: operator.eq,
    CompareOperator.co: lambda left, right: right in left,
    CompareOperator.sw: lambda left, right: bool(left.startswith(right)),
    CompareOperator.ew: lambda left, right: bool(left.endswith(right)),
    CompareOperator.gt: operator.gt,
    CompareOperator.ge: operator.ge,
    CompareOperator.lt: operator.lt,
    CompareOperator.le: operator.le,
}
