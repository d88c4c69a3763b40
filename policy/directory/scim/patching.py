"""
PATCH: RFC 7644 section 3.5.2, and what Entra ID and Okta send in its place.

What is understood beyond the letter, because no other meaning is possible:

* operations in any case (`Replace`), booleans as text, complex values as their `value`;
* `remove` of a multi-valued attribute with a `value`: those values go, not all;
* a path that selects by equality and finds nothing makes the value that it describes:
  `emails[type eq "work"].value`;
* an operation without a path whose keys are paths themselves, `name.givenName` or
  `urn:…:User:department`.

All operations are done, or none.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from scim2_models import Path, SCIMException
from scim2_models.path import (
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    ValuePath,
)

from policy.directory.scim.admission import (
    Document,
    is_primary,
    one_primary,
    refuse_password,
    require,
    require_few,
    value_of,
)
from policy.directory.scim.filters import selected
from policy.directory.scim.problems import (
    invalid_path,
    invalid_syntax,
    invalid_value,
    mutability,
    no_target,
)
from policy.directory.scim.schemas import Attribute, Place, Shape

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST = 1_000  # operations of one request

_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Operation:
    """One step: `op` is add, replace or remove; an empty `path` is the resource."""

    op: str
    path: str = ""
    value: Any = _NOTHING

    @property
    def has_value(self) -> bool:
        return self.value is not _NOTHING


@dataclass(frozen=True, slots=True)
class _Target:
    place: Place
    selection: FilterNode | None = None


def operations(payload: object) -> list[Operation]:
    """Read a PATCH request's body. Raises `Problem`."""
    if not isinstance(payload, dict):
        raise invalid_syntax("the body has to be an object")
    given = {name.lower(): value for name, value in payload.items()}
    schemas = given.get("schemas")
    if not isinstance(schemas, list) or PATCH.lower() not in [
        str(each).lower() for each in schemas
    ]:
        raise invalid_syntax(f"schemas has to name {PATCH}")
    several = given.get("operations")
    if not isinstance(several, list) or not several:
        raise invalid_syntax("Operations has to be a list of at least one")
    if len(several) > MOST:
        raise invalid_syntax(f"Operations has more than {MOST}")
    return [_operation(each) for each in several]


def _operation(told: object) -> Operation:
    if not isinstance(told, dict):
        raise invalid_syntax("an operation has to be an object")
    given = {name.lower(): value for name, value in told.items()}
    op = given.get("op")
    if not isinstance(op, str) or op.lower() not in {"add", "replace", "remove"}:
        raise invalid_syntax("op has to be add, replace or remove")
    path = given.get("path") or ""
    if not isinstance(path, str):
        raise invalid_path("path has to be a text")
    return Operation(op.lower(), path.strip(), given.get("value", _NOTHING))


@dataclass(slots=True)
class Patch:
    """A patch as it is worked into a copy of a document."""

    shape: Shape
    document: Document

    @classmethod
    def of(
        cls, shape: Shape, document: Mapping[str, Any], steps: Sequence[Operation]
    ) -> "Patch":
        """Return the patch after all its steps. Raises `Problem`."""
        made = cls(shape, deepcopy(dict(document)))
        for step in steps:
            made._apply(step)
        for attribute in shape.attributes.values():
            if attribute.required and attribute.name not in made.document:
                raise mutability(f"{attribute.name} cannot be taken away")
        require(shape, made.document)
        return made

    def _apply(self, step: Operation) -> None:
        if step.path:
            self._at(step.path, step, strict=True)
        elif step.op == "remove":
            raise no_target("remove needs a path")
        elif not isinstance(step.value, dict):
            raise invalid_value("an operation without path needs an object as value")
        else:
            for name, value in step.value.items():
                self._at(name, Operation(step.op, name, value), strict=False)

    def _at(self, path: str, step: Operation, *, strict: bool) -> None:
        """Do a step at a path; a key of a path-less one is passed over if unknown."""
        refuse_password(path)
        if extension := self.shape.extensions.get(path.lower()):
            self._extension(extension[0], step)
            return
        if path.lower() == self.shape.urn.lower() and isinstance(step.value, dict):
            for name, value in step.value.items():
                self._at(name, Operation(step.op, name, value), strict=False)
            return
        target = self._target(path, strict=strict)
        if target is None:
            return
        place = target.place
        if place.attribute.read_only or (place.sub and place.sub.read_only):
            if strict:
                raise mutability(f"{path_name(place)} is read-only")
            return
        if place.attribute.multi:
            self._several(target, step)
        else:
            self._one(place, step)
        self._tidy(place)

    def _target(self, path: str, *, strict: bool) -> _Target | None:
        try:
            read = Path(path).ast
        except (SCIMException, ValueError, RecursionError) as error:
            if strict:
                raise invalid_path("the path cannot be read") from error
            return None
        if isinstance(read, AttrPath):
            place, selection = self.shape.find(read), None
        elif isinstance(read, ValuePath):
            wanted = AttrPath(read.attr_path.attr, read.sub_attr, read.attr_path.uri)
            place, selection = self.shape.find(wanted), read.val_filter
            if place and not (place.attribute.multi and place.attribute.subs):
                raise invalid_path(f"{place.attribute.name} has no values to select")
        else:
            raise invalid_path("a path names an attribute and compares nothing")
        if place is not None:
            return _Target(place, selection)
        named = read.attr_path if isinstance(read, ValuePath) else read
        if strict and self.shape.knows(named.uri):
            raise invalid_path("the path names no attribute of this resource")
        return None  # of a schema that ATOM does not know: left out, as in a POST

    def _extension(self, urn: str, step: Operation) -> None:
        if step.op == "remove" or step.value is None:
            self.document.pop(urn, None)
            return
        if not isinstance(step.value, dict):
            raise invalid_value(f"{urn} has to be an object")
        for name, value in step.value.items():
            key = name if name.lower().startswith("urn:") else f"{urn}:{name}"
            self._at(key, Operation(step.op, key, value), strict=False)

    def _inside(self, place: Place) -> Document:
        if not place.urn:
            return self.document
        inside: Document = self.document.setdefault(place.urn, {})
        return inside

    def _one(self, place: Place, step: Operation) -> None:
        inside, attribute = self._inside(place), place.attribute
        if step.op != "remove" and not step.has_value:
            raise invalid_value(f"{step.op} needs a value")
        value = None if step.op == "remove" else value_of(place.last, step.value)
        if place.sub:
            whole: Document = inside.setdefault(attribute.name, {})
            _set(whole, place.sub.name, value)
        elif attribute.subs and value is not None:
            inside[attribute.name] = {**inside.get(attribute.name, {}), **value}
        else:
            _set(inside, attribute.name, value)

    def _several(self, target: _Target, step: Operation) -> None:
        place, inside = target.place, self._inside(target.place)
        attribute = place.attribute
        values: list[Any] = list(inside.get(attribute.name, ()))
        before = [value for value in values if is_primary(value)]
        if target.selection is not None:
            self._selected(target, step, values)
        elif place.sub is not None:
            _in_each(place, step, values)
        elif step.op == "remove":
            values = self._removed(attribute, step, values)
        else:
            given = self._given(attribute, step)
            values = _united(attribute, values if step.op == "add" else [], given)
        require_few(attribute, values)
        _one_primary(attribute, values, before)
        _set(inside, attribute.name, values or None)

    def _given(self, attribute: Attribute, step: Operation) -> list[Any]:
        if not step.has_value:
            raise invalid_value(f"{step.op} needs a value")
        return value_of(attribute, step.value) or []

    def _removed(
        self, attribute: Attribute, step: Operation, values: list[Any]
    ) -> list[Any]:
        if step.has_value and step.value is not None:
            given = self._given(attribute, step)
            if _by_id(attribute):
                ids = {value.get("value") for value in given}
                return [v for v in values if v["value"] not in ids]
            going = [_key(attribute, value) for value in given]
            return [v for v in values if _key(attribute, v) not in going]
        return []

    def _selected(self, target: _Target, step: Operation, values: list[Any]) -> None:
        place, selection = target.place, target.selection
        attribute = place.attribute
        if selection is None:
            return
        found = selected(attribute, selection, values)
        if step.op == "remove":
            if place.sub is None:
                values[:] = [v for n, v in enumerate(values) if n not in found]
                return
            for n in found:
                values[n] = _changed(place, values[n], None)
            values[:] = [value for value in values if value]
            return
        if not step.has_value:
            raise invalid_value(f"{step.op} needs a value")
        part = _part(attribute, place, step.value)
        if found:
            for n in found:
                old = values[n] if place.sub or step.op == "add" else {}
                values[n] = _moved(attribute, values[n], {**old, **part})
            return
        made = _described(attribute, selection)
        if made is None:
            raise no_target("the path selects no value")
        values.append({**made, **part})

    def _tidy(self, place: Place) -> None:
        """Take away what was left without any value in it."""
        inside = self._inside(place)
        if inside.get(place.attribute.name) in ({}, []):
            del inside[place.attribute.name]
        if place.urn and not self.document[place.urn]:
            del self.document[place.urn]


def path_name(place: Place) -> str:
    name = f"{place.attribute.name}.{place.sub.name}" if place.sub else ""
    return name or place.attribute.name


def _set(inside: Document, name: str, value: Any) -> None:
    if value is None:
        inside.pop(name, None)
    else:
        inside[name] = value


def _part(attribute: Attribute, place: Place, raw: Any) -> Document:
    """Return the sub-attributes that a value gives to what was selected."""
    if place.sub is not None:
        value = value_of(place.sub, raw)
        return {} if value is None else {place.sub.name: value}
    if isinstance(raw, list) and len(raw) == 1:
        raw = raw[0]
    values = value_of(attribute, raw) or []
    if len(values) != 1:
        raise invalid_value(f"{attribute.name} needs one object here")
    part: Document = values[0]
    return part


def _changed(place: Place, value: Document, new: Any) -> Document:
    if place.sub is None:
        return value
    changed = dict(value)
    _set(changed, place.sub.name, new)
    return _moved(place.attribute, value, changed)


def _moved(attribute: Attribute, old: Document, new: Document) -> Document:
    """Return the new value, unless it changes what may not change in the old one."""
    for sub in attribute.subs.values():
        if sub.mutability == "immutable" and sub.name in old:
            if new.get(sub.name, old[sub.name]) != old[sub.name]:
                raise mutability(f"{attribute.name}.{sub.name} cannot be changed")
            if sub.name not in new and sub.name == "value":
                raise mutability(f"{attribute.name}.{sub.name} cannot be removed")
    return new


def _in_each(place: Place, step: Operation, values: list[Any]) -> None:
    """Set a sub-attribute of every value there is, or of a new one."""
    if place.sub is None:
        return
    new = None
    if step.op != "remove":
        if not step.has_value:
            raise invalid_value(f"{step.op} needs a value")
        new = value_of(place.sub, step.value)
    if not values and new is not None:
        values.append({place.sub.name: new})
        return
    values[:] = [
        changed for value in values if (changed := _changed(place, value, new))
    ]


def _described(attribute: Attribute, selection: FilterNode) -> Document | None:
    """Return the value that a selection by equality describes, None if it is another."""
    several = (
        selection.terms
        if isinstance(selection, LogicalExpr) and selection.op is LogicalOperator.and_
        else (selection,)
    )
    made: Document = {}
    for term in several:
        if not isinstance(term, Comparison) or term.op is not CompareOperator.eq:
            return None
        sub = attribute.subs.get(term.attr_path.attr.lower())
        if sub is None or term.value is None:
            return None
        made[sub.name] = value_of(sub, term.value)
    return made


def _key(attribute: Attribute, value: Any) -> Any:
    """Return what makes two values of an attribute the same one."""
    if attribute.subs and isinstance(value, dict) and "value" in value:
        return value["value"] if _by_id(attribute) else (value["value"], _type(value))
    return value


def _by_id(attribute: Attribute) -> bool:
    by_value = attribute.by_value
    return by_value is not None and by_value.mutability == "immutable"


def _type(value: Document) -> Any:
    return str(value.get("type", "")).lower()


def _united(attribute: Attribute, values: list[Any], given: Sequence[Any]) -> list[Any]:
    """Return values with those given, none twice; what is the same is brought up."""
    if attribute.subs and _by_id(attribute):
        by_key: dict[Any, Any] = {_key(attribute, v): v for v in values}
        for value in given:
            if "value" not in value:
                raise invalid_value(f"{attribute.name} needs a value")
            by_key.setdefault(value["value"], value)
        return list(by_key.values())
    united = list(values)
    for value in given:
        same = [n for n, old in enumerate(united) if _same(attribute, old, value)]
        if same:
            united[same[0]] = {**united[same[0]], **value} if attribute.subs else value
        else:
            united.append(value)
    return united


def _same(attribute: Attribute, one: Any, other: Any) -> bool:
    if attribute.subs and "value" in one and "value" in other:
        return bool(_key(attribute, one) == _key(attribute, other))
    return bool(one == other)


def _one_primary(
    attribute: Attribute, values: list[Any], before: Sequence[Any]
) -> None:
    """Let a value that became the primary one take that from the one before."""
    primary = [n for n, value in enumerate(values) if is_primary(value)]
    if len(primary) > 1:
        for n in primary:
            if values[n] in before:
                values[n] = {**values[n], "primary": False}
    one_primary(attribute, values)
