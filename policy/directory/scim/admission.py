"""
Taking in what a client says a resource is: by schema, canonical names, no more.

Unknown attributes are left out and so is what is not the client's to say. Identity
providers write some values in ways of their own, which are understood: booleans as text
("False"), complex values as their `value` alone or as JSON in a text.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from policy.directory.scim.comparing import moment, truth
from policy.directory.scim.problems import Problem, invalid_syntax, invalid_value
from policy.directory.scim.schemas import Attribute, Attributes, Shape

LONGEST = 8_192  # characters of a text
LONGEST_KEY = 512  # of what resources are looked up by
MOST_VALUES = 500  # of one attribute
MOST_MEMBERS = 100_000
LARGEST = 256 << 10  # bytes of a resource without its members

_KEYS = frozenset({"userName", "externalId", "displayName"})
_RANGE = 2**53

Document = dict[str, Any]


def admitted(shape: Shape, payload: object) -> Document:
    """
    Return the document that a POST or PUT describes.

    Raises `Problem` for what is missing or wrong; never with values in it.
    """
    given = _object(payload, "the body")
    _require_schema(shape, given)
    document = _attributes(shape.attributes, given)
    for urn, attributes in shape.extensions.values():
        extra = _named(given, urn)
        if extra is not None and (kept := _attributes(attributes, _object(extra, urn))):
            document[urn] = kept
    require(shape, document)
    return document


def require(shape: Shape, document: Mapping[str, Any]) -> None:
    """Raise `Problem` if a required attribute has no value."""
    for attribute in shape.attributes.values():
        value = document.get(attribute.name)
        blank = isinstance(value, str) and not value.strip()
        if attribute.required and (value is None or blank):
            raise invalid_value(f"{attribute.name} is required")


def refuse_password(path: str) -> None:
    """Raise `Problem` if an attribute is the password, which is not kept here."""
    if path.lower().rpartition(":")[2] == "password":
        raise invalid_value(
            "ATOM keeps no passwords: leave password out of the attribute mapping"
        )


def value_of(attribute: Attribute, raw: object) -> Any:
    """
    Return an attribute's value as it is kept, None if there is none.

    Raises `Problem` if it is not of the attribute's type.
    """
    if not attribute.multi:
        return _single(attribute, raw)
    if raw is None:
        return None
    several = raw if isinstance(raw, list) else [raw]
    require_few(attribute, several)
    values = [_single(attribute, each) for each in several]
    kept = [each for each in values if each is not None]
    one_primary(attribute, kept)
    return kept or None


def require_few(attribute: Attribute, values: Sequence[object]) -> None:
    """Raise `Problem` if an attribute has more values than are kept."""
    most = MOST_MEMBERS if attribute.name == "members" else MOST_VALUES
    if len(values) > most:
        raise invalid_value(f"{attribute.name} has more than {most} values")


def require_small(document: Mapping[str, Any]) -> None:
    """Raise `Problem` if a resource without its members is too large to be kept."""
    if len(orjson.dumps(document)) > LARGEST:
        raise Problem(413, f"the resource has more than {LARGEST} bytes")


def one_primary(attribute: Attribute, values: list[Any]) -> None:
    """Raise `Problem` if more than one value is the primary one."""
    if sum(1 for value in values if is_primary(value)) > 1:
        raise invalid_value(f"{attribute.name} has more than one primary value")


def is_primary(value: object) -> bool:
    return isinstance(value, dict) and value.get("primary") is True


def _require_schema(shape: Shape, given: Mapping[str, Any]) -> None:
    named = _named(given, "schemas")
    if not isinstance(named, list) or not all(isinstance(n, str) for n in named):
        raise invalid_syntax("schemas has to be a list of the URNs of the resource")
    if shape.urn.lower() not in {name.lower() for name in named}:
        raise invalid_syntax(f"schemas has to name {shape.urn}")


def _attributes(attributes: Attributes, given: Mapping[str, Any]) -> Document:
    kept: Document = {}
    seen: set[str] = set()
    for name, raw in given.items():
        refuse_password(name)
        attribute = attributes.get(name.lower())
        if attribute is None or attribute.read_only:
            continue
        if attribute.name in seen:
            raise invalid_syntax(f"{attribute.name} is named twice")
        seen.add(attribute.name)
        value = value_of(attribute, raw)
        if value is not None:
            kept[attribute.name] = value
    return kept


def _single(attribute: Attribute, raw: object) -> Any:
    if raw is None:
        return None
    read = _READERS[attribute.type]
    return read(attribute, raw)


def _text(attribute: Attribute, raw: object) -> str:
    if not isinstance(raw, str):
        raise invalid_value(f"{attribute.name} has to be a text")
    longest = LONGEST_KEY if attribute.name in _KEYS else LONGEST
    if len(raw) > longest:
        raise invalid_value(f"{attribute.name} is longer than {longest} characters")
    if "\x00" in raw:
        raise invalid_value(f"{attribute.name} has a NUL character in it")
    return raw


def _boolean(attribute: Attribute, raw: object) -> bool:
    read = truth(raw)
    if read is None:
        raise invalid_value(f"{attribute.name} has to be true or false")
    return read


def _number(attribute: Attribute, raw: object) -> float:
    whole = attribute.type == "integer"
    fits = isinstance(raw, int) or (isinstance(raw, float) and not whole)
    if isinstance(raw, bool) or not fits or abs(raw) > _RANGE:  # type: ignore[arg-type] # a number by now
        raise invalid_value(f"{attribute.name} has to be a number")
    return raw  # type: ignore[return-value] # likewise


def _moment(attribute: Attribute, raw: object) -> str:
    if moment(raw) is None:
        raise invalid_value(
            f"{attribute.name} has to be a time as 2030-01-31T08:00:00Z"
        )
    return str(raw)


def _binary(attribute: Attribute, raw: object) -> str:
    text = _text(attribute, raw)
    try:
        base64.b64decode(text + "=" * (-len(text) % 4), altchars=None, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_value(f"{attribute.name} has to be in base 64") from error
    return text


def _complex(attribute: Attribute, raw: object) -> Document | None:
    if isinstance(raw, str):
        raw = _from_text(attribute, raw)
    given = _object(raw, attribute.name)
    return _attributes(attribute.subs, given) or None


def _from_text(attribute: Attribute, raw: str) -> Any:
    """Read a complex value that came as a text: JSON, or what its `value` is."""
    if raw.lstrip().startswith("{"):
        try:
            told = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise invalid_value(f"{attribute.name} has to be an object") from error
        if isinstance(told, dict) and "displayName" in told:
            told.setdefault("display", told["displayName"])
        return told
    if attribute.by_value is None or not raw:
        raise invalid_value(f"{attribute.name} has to be an object")
    return {"value": raw}


_READERS = {
    "string": _text,
    "reference": _text,
    "boolean": _boolean,
    "integer": _number,
    "decimal": _number,
    "dateTime": _moment,
    "binary": _binary,
    "complex": _complex,
}


def _object(raw: object, name: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise invalid_syntax(f"{name} has to be an object")
    return raw


def _named(given: Mapping[str, Any], wanted: str) -> Any:
    """Return what stands under a name, whatever its case."""
    found = [value for name, value in given.items() if name.lower() == wanted.lower()]
    if len(found) > 1:
        raise invalid_syntax(f"{wanted} is named twice")
    return found[0] if found else None
