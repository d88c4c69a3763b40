"""
Read the settings from where operators put them.

`ATOM_SLACK_BOT_TOKEN` in the environment is `bot_token` under `[slack]` in `atom.toml`,
and either can be moved to a file of its own, which `ATOM_SLACK_BOT_TOKEN_FILE` or
`bot_token_file` names. The environment wins over the file. What is empty is not set.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from json import loads
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from bots.directory_settings import DirectorySettings
from bots.settings import KeySettings, Settings, SlackSettings, TeamsSettings, Tuning
from bots.settings_records import RecordSettings, from_environment, is_of_a_system
from bots.settings_scim import ScimSettings
from bridge.errors import BadInput

_PREFIX = "ATOM_"
_FILE = "_file"
_CONFIG = "ATOM_CONFIG"
_GROUPS: Mapping[str, type[BaseModel]] = {
    "slack": SlackSettings,
    "teams": TeamsSettings,
    "keys": KeySettings,
    "directory": DirectorySettings,
    "scim": ScimSettings,
    "tuning": Tuning,
}
_RECORDS = "records"  # a table of tables, one for each business system
# Where a platform is reached says nothing about whether it is wanted.
_ADDRESSES = {"api_url", "openid_url", "issuer", "token_url", "graph_url"}


class _Environment(BaseSettings, Settings):  # type: ignore[misc] # never changed
    """Settings as the environment spells them; used for its names only."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
    )

    database_url_file: str | None = None
    redis_url_file: str | None = None
    console_token_file: str | None = None
    clamd_address_file: str | None = None


def read_settings(config: Path | None = None) -> Settings:
    """
    Read everything once. Raises `BadInput`, naming the setting that is wrong.

    `config` is the file to read; left out, it is what `ATOM_CONFIG` names, or
    `atom.toml` in the working directory if there is one.
    """
    values = _merged(_opened(_from_file(config or config_path())), _opened(_from_env()))
    for group in ("slack", "teams"):
        if (
            isinstance(given := values.get(group), Mapping)
            and given.keys() <= _ADDRESSES
        ):
            del values[group]
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise BadInput(_line(error.errors(include_input=False)[0])) from None


def config_path() -> Path:
    """Return where `atom.toml` is, or would be."""
    return Path(os.environ.get(_CONFIG) or "atom.toml")


def setting_names() -> list[str]:
    """Return every setting as the environment spells it."""
    names = [n for n in Settings.model_fields if n not in {*_GROUPS, _RECORDS}]
    for group, model in _GROUPS.items():
        names += [f"{group}_{name}" for name in model.model_fields]
    return [_PREFIX + name.upper() for name in names]


def unknown_variables() -> list[str]:
    """Return variables that look like settings of ATOM and are none."""
    known = {*setting_names(), *(f"{n}_FILE" for n in setting_names()), _CONFIG}
    return sorted(
        name
        for name in os.environ
        if name.startswith(_PREFIX) and name not in known and not is_of_a_system(name)
    )


def _from_env() -> dict[str, Any]:
    try:
        found = _without_blanks(EnvSettingsSource(_Environment)())
    except SettingsError as error:
        if unread := _unread():
            path = tuple(unread.removeprefix(_PREFIX).lower().split("_", 1))
            raise BadInput(
                f"{unread} must be JSON in the environment: {_expected(path)}; it is "
                "easier to write in atom.toml"
            ) from error
        raise BadInput(
            "ATOM_SLACK, ATOM_TEAMS, ATOM_KEYS, ATOM_DIRECTORY and ATOM_TUNING are "
            "no settings of their own: set ATOM_SLACK_BOT_TOKEN and so on"
        ) from error
    if isinstance(systems := found.get(_RECORDS), Mapping):
        found[_RECORDS] = from_environment(systems)
    return found


def _unread() -> str | None:
    """Return the variable that should be a table or a list, and is no JSON."""
    is_complex = EnvSettingsSource(_Environment).field_is_complex
    for group, model in _GROUPS.items():
        for field, info in model.model_fields.items():
            name = _spelled((group, field))
            if is_complex(info) and not _is_json(os.environ.get(name) or "{}"):
                return name
    return None


def _is_json(text: str) -> bool:
    try:
        loads(text)
    except ValueError:
        return False
    return True


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return _without_blanks(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        if _CONFIG in os.environ:
            raise BadInput(f"{_CONFIG} names {path}, which does not exist") from None
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error


def _without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = {
        name: _without_blanks(value) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }
    return {name: value for name, value in cleaned.items() if value not in ("", None)}


def _opened(values: Mapping[str, Any], path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Put the contents of `…_file` in the place of what they stand for."""
    opened: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            opened[name] = _opened(value, (*path, name))
        elif isinstance(value, list):
            opened[name] = [
                _opened(each, (*path, name, str(n))) if isinstance(each, dict) else each
                for n, each in enumerate(value)
            ]
        elif not name.endswith(_FILE):
            opened[name] = value
        else:
            plain = name.removesuffix(_FILE)
            if plain in values:
                both = (_spelled((*path, plain)), _spelled((*path, name)))
                raise BadInput(f"{both[0]} and {both[1]} are both set: keep one")
            opened[plain] = _content(_spelled((*path, name)), str(value))
    return opened


def _content(name: str, path: str) -> str:
    try:
        text = Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{name} must name a readable text file") from error
    if not text:
        raise BadInput(f"{name} names an empty file")
    return text


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**below, **above}
    for group in below.keys() & above.keys() & _GROUPS.keys():
        if isinstance(below[group], Mapping) and isinstance(above[group], Mapping):
            merged[group] = {**below[group], **above[group]}
    both = (below.get(_RECORDS), above.get(_RECORDS))
    if all(isinstance(each, Mapping) for each in both):
        merged[_RECORDS] = _merged_tables(*both)
    return merged


def _merged_tables(below: Any, above: Any) -> dict[str, Any]:
    """Merge tables of tables: what the environment says of one leaves the others."""
    return {
        name: {**below[name], **above[name]}
        if isinstance(below.get(name), Mapping) and isinstance(above.get(name), Mapping)
        else above.get(name, below.get(name))
        for name in {**below, **above}
    }


def _line(error: ErrorDetails) -> str:
    path = tuple(str(part) for part in error["loc"])
    name, expected = _spelled(path), _expected(path)
    match error["type"]:
        case "missing_setting" if path[:1] == (_RECORDS,):
            return error["msg"].replace("NAME", path[1], 1)
        case "missing_setting":
            return error["msg"]
        case "missing":
            return f"{name} is missing: it must be {expected}"
        case "extra_forbidden":
            return f"{name} is no setting{_nearest(name, _names_like(path))}"
        case _:
            return f"{name} must be {expected}"


def _expected(path: tuple[str, ...]) -> str:
    if path[:1] == (_RECORDS,) and len(path) > 1:
        return _expected_of_a_system(path)
    model = _GROUPS.get(path[0], Settings) if path else Settings
    field = model.model_fields.get(path[-1]) if path else None
    return (field and field.description) or "a table of settings"


def _expected_of_a_system(path: tuple[str, ...]) -> str:
    if path[-1] == "[key]":
        return "a table whose name is short and in lower case, such as [records.acme]"
    field = RecordSettings.model_fields.get(path[2]) if len(path) > 2 else None  # noqa: PLR2004
    return (field and field.description) or "a table of settings"


def _names_like(path: tuple[str, ...]) -> list[str]:
    if path[:1] != (_RECORDS,):
        return setting_names()
    return [_spelled((*path[:2], name)) for name in RecordSettings.model_fields]


def _nearest(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name, list(known), n=1)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _spelled(path: tuple[str, ...]) -> str:
    return _PREFIX + "_".join(path).upper().replace("-", "_")
