"""An LDAP source from what an operator wrote, or one line on what is wrong with it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ldap3.core.exceptions import LDAPException
from ldap3.operation.search import parse_filter

from bridge.errors import BadInput
from policy.directory.ldap.settings import LdapSettings
from policy.directory.ldap.shape import PRESETS, Shape, any_of_all
from policy.directory.ldap.source_settings import LdapSourceSettings

Value = str | int | float | bool

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.;_-]*")
_LISTS = (
    "person_classes",
    "group_classes",
    "unit_classes",
    "names",
    "members",
    "member_names",
    "disabled",
)
_NUMBERS = (
    "page",
    "poll_seconds",
    "look_seconds",
    "beat_seconds",
    "connect_seconds",
    "answer_seconds",
)
_SWITCHES = ("anonymous", "skip_referrals")
_OPTIONS = (
    *("preset", "id", "group_number", "guests"),
    *_SWITCHES,
    *_LISTS,
    *_NUMBERS,
)


@dataclass(frozen=True, slots=True)
class Written:
    """
    What an operator wrote of a source.

    `url` are servers, separated by commas or spaces. `people` and `groups` are filters
    that narrow what is read of either. `attributes` are ATOM's names and the
    directory's; one with an empty value is not read. `options` are the rest, by name.
    """

    name: str
    url: str
    base: str
    bind: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    people: str = ""
    groups: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Value] = field(default_factory=dict)


def configured(written: Written) -> LdapSourceSettings:
    """Return settings that can be used. Raises BadInput with one line."""
    unknown = sorted(set(written.options) - set(_OPTIONS))
    if unknown:
        raise BadInput(
            f"an LDAP directory has no option {unknown[0]}; it has "
            f"{', '.join(sorted(_OPTIONS))}"
        )
    chosen = {key: _number(written, key) for key in _chosen(written, _NUMBERS)}
    servers = LdapSettings(
        tuple(written.url.replace(",", " ").split()),
        written.bind,
        written.password,
        anonymous=_switch(written, "anonymous"),
        ca_file=written.ca,
        connect_seconds=int(chosen.get("connect_seconds", 10)),
        answer_seconds=int(chosen.get("answer_seconds", 60)),
    )
    shape = _shape(written)
    return LdapSourceSettings(
        written.name,
        servers,
        written.base,
        shape,
        _filter(written, shape),
        page=int(chosen.get("page", 500)),
        poll_seconds=chosen.get("poll_seconds", 60.0),
        look_seconds=chosen.get("look_seconds", 5.0),
        beat_seconds=chosen.get("beat_seconds", 10.0),
        skip_referrals=_switch(written, "skip_referrals"),
    ).checked()


def _chosen(written: Written, names: Iterable[str]) -> list[str]:
    return [name for name in names if name in written.options]


def _shape(written: Written) -> Shape:
    preset = str(written.options.get("preset", "openldap")).lower()
    if preset not in PRESETS:
        raise BadInput(f"there is no preset {preset}; take {', '.join(PRESETS)}")
    shape = PRESETS[preset]
    attributes = {**shape.attributes, **written.attributes}
    for theirs in attributes.values():
        if theirs:
            _checked_name(theirs)
    kept = {ours: theirs for ours, theirs in attributes.items() if theirs}
    changes: dict[str, tuple[str, ...]] = {
        key: _names(written, key) for key in _chosen(written, _LISTS)
    }
    identity = _checked_name(str(written.options.get("id", shape.id)))
    number = str(written.options.get("group_number", shape.group_number))
    if number:
        _checked_name(number)
    guests = _guests(str(written.options.get("guests", "")))
    return replace(
        shape,
        id=identity,
        group_number=number,
        attributes=kept,
        guests=guests,
        **changes,
    )


def _filter(written: Written, shape: Shape) -> str:
    """Put the operator's filters beside the classes; units always come through."""
    if not written.people and not written.groups:
        return ""
    parts = [
        _narrowed(shape.person_classes, written.people, "people"),
        _narrowed(shape.group_classes, written.groups, "groups"),
        _classes(shape.unit_classes),
    ]
    return any_of_all(parts)


def _narrowed(classes: Iterable[str], wanted: str, what: str) -> str:
    if not wanted:
        return _classes(classes)
    text = wanted.strip()
    try:
        parse_filter(text, None, False, False, None, False)
    except (LDAPException, AttributeError, IndexError) as error:
        raise BadInput(f"the filter for {what} is not a filter: {wanted}") from error
    return f"(&{_classes(classes)}{text})"


def _classes(names: Iterable[str]) -> str:
    return any_of_all(f"(objectClass={name})" for name in names)


def _names(written: Written, key: str) -> tuple[str, ...]:
    text = str(written.options[key])
    return tuple(_checked_name(each) for each in text.replace(",", " ").split())


def _checked_name(name: str) -> str:
    """What is put into filters as it is must be no more than a name."""
    if not _NAME.fullmatch(name):
        raise BadInput(f"not the name of an attribute or a class: {name!r}")
    return name


def _guests(text: str) -> tuple[tuple[str, str], ...]:
    """Read `employeeType=contractor, employeeType=partner`."""
    pairs = []
    for each in filter(None, (part.strip() for part in text.split(","))):
        name, equal, value = each.partition("=")
        if not equal or not value.strip():
            raise BadInput(f"guests are written as attribute=value, not {each!r}")
        pairs.append((_checked_name(name.strip()), value.strip()))
    return tuple(pairs)


def _number(written: Written, key: str) -> float:
    value = written.options[key]
    if isinstance(value, bool):
        raise BadInput(f"{key} is a number")
    try:
        return float(value)
    except ValueError as error:
        raise BadInput(f"{key} is a number, not {value!r}") from error


def _switch(written: Written, key: str) -> bool:
    value = written.options.get(key, False)
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "false"}:
        return str(value).lower() == "true"
    raise BadInput(f"{key} is true or false, not {value!r}")
