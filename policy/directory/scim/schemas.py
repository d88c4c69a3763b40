"""
The attributes of users and groups: RFC 7643, by the definitions of scim2-models.

ATOM keeps no passwords, so there is no such attribute here; requests that carry one are
refused (`policy.directory.scim.admission`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from scim2_models import (
    EnterpriseUser,
    Group,
    Resource,
    ResourceType,
    Schema,
    ServiceProviderConfig,
    User,
)
from scim2_models.path import AttrPath

from bridge.directory.scim import ScimKind
from policy.directory.scim.urns import ENTERPRISE, GROUP, USER


@dataclass(frozen=True, slots=True)
class Attribute:
    """What one attribute may hold. `subs` are by their names in lower case."""

    name: str
    type: str = "string"
    multi: bool = False
    exact: bool = False  # whether upper and lower case differ
    required: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    subs: Mapping[str, "Attribute"] = field(default_factory=dict)

    @property
    def read_only(self) -> bool:
        return self.mutability == "readOnly"

    @property
    def by_value(self) -> "Attribute | None":
        """The sub-attribute that stands for a complex value when none is named."""
        return self.subs.get("value")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attribute path leads. `urn` is empty for what is no extension's."""

    urn: str
    attribute: Attribute
    sub: Attribute | None = None

    @property
    def last(self) -> Attribute:
        return self.sub or self.attribute


Attributes = Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Shape:
    """A resource type. Names of attributes and extensions are in lower case."""

    kind: ScimKind
    urn: str
    endpoint: str
    attributes: Attributes
    extensions: Mapping[str, tuple[str, Attributes]]

    def find(self, path: AttrPath) -> Place | None:
        """Return where a path leads, None if nothing of that name is known."""
        urn, attributes = "", self.attributes
        if path.uri and path.uri.lower() != self.urn.lower():
            if path.uri.lower() not in self.extensions:
                return None
            urn, attributes = self.extensions[path.uri.lower()]
        attribute = attributes.get(path.attr.lower())
        if attribute is None:
            return None
        if path.sub_attr is None:
            return Place(urn, attribute)
        sub = attribute.subs.get(path.sub_attr.lower())
        return Place(urn, attribute, sub) if sub else None

    def knows(self, uri: str | None) -> bool:
        """Say whether a path's schema is one of this type's."""
        return not uri or uri.lower() in {self.urn.lower(), *self.extensions}


def _attribute(told: Mapping[str, Any]) -> Attribute:
    subs = [_attribute(each) for each in told.get("subAttributes") or ()]
    kind = told["type"]
    return Attribute(
        name=told["name"],
        type=kind,
        multi=told["multiValued"],
        exact=told["caseExact"] or kind in {"reference", "binary"},
        required=told["required"],
        mutability=told["mutability"],
        returned=told["returned"],
        subs={each.name.lower(): each for each in subs},
    )


def _by_name(attributes: list[Attribute]) -> dict[str, Attribute]:
    return {each.name.lower(): each for each in attributes}


_META = Attribute(
    "meta",
    "complex",
    mutability="readOnly",
    subs=_by_name(
        [
            Attribute("resourceType", exact=True, mutability="readOnly"),
            Attribute("created", "dateTime", mutability="readOnly"),
            Attribute("lastModified", "dateTime", mutability="readOnly"),
            Attribute("location", "reference", exact=True, mutability="readOnly"),
            Attribute("version", exact=True, mutability="readOnly"),
        ]
    ),
)
_COMMON = (
    Attribute(
        "schemas",
        "reference",
        multi=True,
        exact=True,
        mutability="readOnly",
        returned="always",
    ),
    Attribute("id", exact=True, mutability="readOnly", returned="always"),
    Attribute("externalId", exact=True),
    _META,
)


@cache
def published() -> Mapping[str, Mapping[str, Any]]:
    """Return every schema as `/Schemas` shows it, by its URN."""
    return {each["id"]: each for each in map(_published, _MODELS)}


_MODELS: tuple[type[Any], ...] = (
    User,
    EnterpriseUser,
    Group,
    ServiceProviderConfig,
    ResourceType,
    Schema,
)
_DESCRIPTIONS = {
    USER: ("User", "A person's account"),
    ENTERPRISE: ("Enterprise User", "What a company knows of a person besides"),
    GROUP: ("Group", "A group of people and of other groups"),
}


def _published(model: type[Resource[Any]]) -> Mapping[str, Any]:
    told: dict[str, Any] = model.to_schema().model_dump()
    told["attributes"] = [a for a in told["attributes"] if a["name"] != "password"]
    name, description = _DESCRIPTIONS.get(told["id"], (told["name"], told["name"]))
    told |= {"name": name, "description": description}
    for attribute in told["attributes"]:
        if attribute["name"] == "manager":
            # RFC 7643 section 8.7.1 requires none of them.
            for sub in attribute["subAttributes"]:
                sub["required"] = False
    return told


def _core(urn: str) -> dict[str, Attribute]:
    own = [_attribute(each) for each in published()[urn]["attributes"]]
    return _by_name([*_COMMON, *own])


@cache
def shape(kind: ScimKind) -> Shape:
    """Return what resources of a kind look like."""
    if kind is ScimKind.GROUP:
        return Shape(kind, GROUP, "/Groups", _core(GROUP), {})
    extra = [_attribute(each) for each in published()[ENTERPRISE]["attributes"]]
    extensions = {ENTERPRISE.lower(): (ENTERPRISE, _by_name(extra))}
    return Shape(kind, USER, "/Users", _core(USER), extensions)
