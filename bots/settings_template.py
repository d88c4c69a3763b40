"""The `atom.toml` that `atom setup` writes: every setting, explained, none set."""

from collections.abc import Iterator

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bots.directory_settings import DirectorySettings
from bots.settings import (
    KeySettings,
    Settings,
    SlackSettings,
    TeamsSettings,
    Tuning,
)
from bots.settings_records import RecordSettings
from bots.settings_scim import ScimSettings

_HEAD = """\
# ATOM's settings. A line that begins with # is not set: remove the # and fill it in.
# Each can be an environment variable instead: bot_token under [slack] is
# ATOM_SLACK_BOT_TOKEN. Each can stand in a file of its own: bot_token_file = "PATH".
# 'atom doctor' says what is missing. Keep this file to yourself: it holds secrets.
"""
_GROUPS: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("slack", "Leave it all out to run without Slack.", SlackSettings),
    ("teams", "Leave it all out to run without Teams.", TeamsSettings),
    ("keys", "Leave it all out to keep keys in files.", KeySettings),
    (
        "directory",
        "Leave it all out to let the platforms' own membership decide.",
        DirectorySettings,
    ),
    ("scim", "Only tokens let identity providers in.", ScimSettings),
    ("tuning", "Rarely needs a change.", Tuning),
)


_SYSTEM = 'system = "salesforce", url = "https://acme.my.salesforce.com"'


def template() -> str:
    """Return the file's text, made from the settings themselves."""
    return "\n".join((_HEAD, *_lines()))


def _lines() -> Iterator[str]:
    groups = {name for name, _, _ in _GROUPS} | {"records"}
    for name, field in Settings.model_fields.items():
        if name not in groups:
            yield _line(name, field)
    for group, hint, model in _GROUPS:
        yield ""
        yield f"# {hint}"
        yield f"[{group}]"
        for name, field in model.model_fields.items():
            yield from _lines_of(name, field)
    yield ""
    yield "# Leave it all out to run without business systems: see docs/records.md."
    yield "[records]"
    yield f"# acme = {{ {_SYSTEM} }}  # or a table of its own, [records.acme], with"
    for name, field in RecordSettings.model_fields.items():
        yield f"#   {name}: {field.description}"
    yield ""


def _lines_of(name: str, field: FieldInfo) -> Iterator[str]:
    if name == "sources":
        source = (
            'name = "ad", kind = "active-directory", url = "ldaps://dc1.acme.com", '
            'base = "DC=acme,DC=com"'
        )
        yield f"# sources = [{{ {source} }}]  # or {field.description}"
    elif isinstance(field.default, BaseModel):
        inner = type(field.default).model_fields
        known = ", ".join(f"{n} = {_inner(f)}" for n, f in inner.items())
        yield f"# {name} = {{ {known} }}"
    else:
        yield _line(name, field)


def _line(name: str, field: FieldInfo) -> str:
    return f"# {name} = {_example(field)}  # {field.description}"


def _inner(field: FieldInfo) -> str:
    """What stands in a table is told as it is: leaving some of it out is usual."""
    if isinstance(field.default, tuple):
        told = ", ".join(f'"{one}"' for one in field.default)
        return f"[{told}]"
    return _example(field)


def _example(field: FieldInfo) -> str:
    default = field.default
    if field.default_factory is dict:
        return "{}"
    if isinstance(default, tuple):
        return "[]"
    if isinstance(default, bool | int | float):
        return str(default).lower()
    if (
        default is PydanticUndefined
        or default is None
        or isinstance(default, SecretStr)
    ):
        return '""'
    return f'"{default}"'
