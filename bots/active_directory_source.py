"""Active Directory as a source, from the settings of the company's directory."""

import re
from collections.abc import Callable, Mapping

from bots.directory_settings import SourceSettings
from bridge.directory.ports import Source
from bridge.errors import BadInput
from policy.directory.active_directory.settings import ActiveDirectorySettings, Way
from policy.directory.active_directory.source import ActiveDirectory
from policy.directory.ldap.settings import LdapSettings

Option = str | int | float | bool

_OPTIONS = frozenset(
    {
        "changes",
        "contacts",
        "distribution_groups",
        "groups_base",
        "guest_types",
        "page_size",
        "poll",
        "vanished",
    }
)


_MICRO = 1_000_000


def active_directory(given: SourceSettings, clock: Callable[[], int]) -> Source:
    """
    Return the adapter; `clock` is in microseconds.

    Raises `BadInput` with the setting that is wrong.
    """
    return ActiveDirectory(active_directory_settings(given), lambda: clock() / _MICRO)


def active_directory_settings(given: SourceSettings) -> ActiveDirectorySettings:
    """Read one source's table. Raises `BadInput` with the setting that is wrong."""
    options = given.options
    if unknown := sorted(options.keys() - _OPTIONS):
        known = ", ".join(sorted(_OPTIONS))
        raise BadInput(f"{given.name}: no option {unknown[0]}; there are {known}")
    return ActiveDirectorySettings(
        name=given.name,
        ldap=LdapSettings(
            servers=tuple(given.url.replace(",", " ").split()),
            bind_dn=given.bind,
            password=given.password.get_secret_value() if given.password else "",
            ca_file=str(given.ca or ""),
        ),
        bases=_listed(given.base),
        group_bases=_listed(str(options.get("groups_base", ""))),
        people_filter=given.people,
        groups_filter=given.groups,
        attributes=given.attributes,
        distribution_groups=_is(options, "distribution_groups"),
        contacts=_is(options, "contacts"),
        guest_types=_words(options.get("guest_types", "")),
        page_size=int(_number(options, "page_size", 1_000)),
        changes=_way(options),
        poll_seconds=_number(options, "poll", 1.0),
        vanished_seconds=_number(options, "vanished", 30.0),
    ).checked()


def _listed(text: str) -> tuple[str, ...]:
    """Read DNs, of which several stand with a semicolon between them."""
    # Within a DN it has to be escaped; commas are a DN's own.
    found = (each.strip() for each in re.split(r"(?<!\\);", text))
    return tuple(each for each in found if each)


def _words(text: Option) -> frozenset[str]:
    return frozenset(each.strip() for each in str(text).split(",") if each.strip())


def _is(options: Mapping[str, Option], name: str) -> bool:
    value = options.get(name, False)
    if not isinstance(value, bool):
        raise BadInput(f"{name} is true or false")
    return value


def _number(options: Mapping[str, Option], name: str, usual: float) -> float:
    value = options.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{name} is a number")
    return float(value)


def _way(options: Mapping[str, Option]) -> Way:
    try:
        return Way(str(options.get("changes", Way.AUTO)))
    except ValueError as error:
        raise BadInput(f"changes is one of {', '.join(Way)}") from error
