"""
What a client is shown of a resource: RFC 7644 sections 3.4.2.3 and 3.9.

`attributes` names what is wanted and `excludedAttributes` what is not; what a schema
says to be always or never returned stays so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from scim2_models import Path, SCIMException
from scim2_models.path import AttrPath

from policy.directory.scim.comparing import comparable
from policy.directory.scim.problems import invalid_path, invalid_syntax
from policy.directory.scim.schemas import Attributes, Place, Shape

_Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which attributes an answer has. Without any named it has the usual ones."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.only and self.without:
            raise invalid_syntax("give attributes or excludedAttributes, not both")

    def shows(self, shape: Shape, attribute: str) -> bool:
        """Say whether an attribute of no extension is in the answer at all."""
        if self.only:
            return any(p.attribute.name == attribute for p in self._places(shape))
        return not any(
            p.attribute.name == attribute and p.sub is None for p in self._places(shape)
        )

    def of(self, shape: Shape, document: _Document) -> dict[str, Any]:
        """Return what is shown of a document."""
        places = self._places(shape)
        whole = {name.lower() for name in self.only or self.without}
        shown = self._part(shape.attributes, document, places, "")
        for key, (urn, attributes) in shape.extensions.items():
            inside = document.get(urn)
            if not inside or (self.without and key in whole):
                continue
            if self.only and key in whole:
                shown[urn] = inside
            elif kept := self._part(attributes, inside, places, urn):
                shown[urn] = kept
        return shown

    def _places(self, shape: Shape) -> list[Place]:
        found = (attribute_path(name) for name in self.only or self.without)
        places = (shape.find(path) for path in found if path)
        return [place for place in places if place]

    def _part(
        self, attributes: Attributes, document: _Document, places: list[Place], urn: str
    ) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        for attribute in attributes.values():
            value = document.get(attribute.name)
            if value is None or attribute.returned == "never":
                continue
            named = [
                p for p in places if p.urn == urn and p.attribute.name == attribute.name
            ]
            if attribute.returned == "always":
                shown[attribute.name] = value
            elif self.only:
                if named and (part := _subs(value, named, keep=True)):
                    shown[attribute.name] = part
            elif any(place.sub is None for place in named):
                continue
            elif not named:
                shown[attribute.name] = value
            elif part := _subs(value, named, keep=False):
                shown[attribute.name] = part
        return shown


def _subs(value: Any, places: Sequence[Place], *, keep: bool) -> Any:
    """Return a value with the sub-attributes that are named, or without them."""
    if any(place.sub is None for place in places):
        return value if keep else None
    names = {place.sub.name for place in places if place.sub}
    if isinstance(value, list):
        parts = [_subs(each, places, keep=keep) for each in value]
        return [part for part in parts if part]
    return {n: v for n, v in value.items() if (n in names) is keep}


def attribute_path(name: str) -> AttrPath | None:
    """Read an attribute's name as clients write it; None for what is no such name."""
    try:
        read = Path(name.strip()).ast
    except (SCIMException, ValueError):
        return None
    return read if isinstance(read, AttrPath) else None


def in_order(
    shape: Shape, documents: Iterable[_Document], by: str, *, descending: bool
) -> list[_Document]:
    """
    Return documents in the order of an attribute: RFC 7644 section 3.4.2.3.

    What has no value comes last, or first if it is descending. Several values count by
    their primary one, else by the first. Raises `Problem` for what cannot be sorted by.
    """
    path = attribute_path(by)
    place = shape.find(path) if path else None
    if place is None:
        raise invalid_path("sortBy names no attribute")
    last = place.last
    if last.type == "complex":
        if last.by_value is None:
            raise invalid_path("sortBy names a complex attribute: name a part of it")
        last, place = last.by_value, Place(place.urn, place.attribute, last.by_value)

    def key(document: _Document) -> Any:
        return comparable(_sorted_by(place, document), last.type, exact=last.exact)

    keyed = [(key(document), document) for document in documents]
    keyed.sort(key=lambda pair: cmp_to_key(_order)(pair[0]), reverse=descending)
    return [document for _, document in keyed]


def _sorted_by(place: Place, document: _Document) -> Any:
    inside = document.get(place.urn, {}) if place.urn else document
    value = inside.get(place.attribute.name)
    if isinstance(value, list):
        primary = [v for v in value if isinstance(v, dict) and v.get("primary")]
        value = next(iter(primary or value), None)
    if place.sub and isinstance(value, dict):
        return value.get(place.sub.name)
    return value


def _order(one: Any, other: Any) -> int:
    if one is None or other is None:
        return (one is None) - (other is None)
    return bool(one > other) - bool(one < other)
