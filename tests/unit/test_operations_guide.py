"""What the operations guide promises is tested, typed and counted as it says."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from prometheus_client import REGISTRY
from pydantic import BaseModel

import bots.metrics  # noqa: F401 - registers what is counted
from bots.settings import Settings
from tests.unit.bots.commands.conftest import Office

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/operations.md").read_text("utf-8")
ROWS = [
    line.strip("| ").split(" | ")
    for line in GUIDE.partition("## When something is gone")[2].splitlines()
    if line.startswith("| ") and not line.startswith("| gone")
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_every_line_of_what_may_be_gone_names_a_test_that_exists(
    row: list[str],
) -> None:
    file, name = row[-1].strip("` ").split("::")

    assert re.search(
        rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE
    )


# What may be gone, by the setting that leads there: each has a line that says so.
LINES = {
    "database_url": "PostgreSQL",
    "redis_url": "Redis",
    "clamd_address": "clamd",
    "slack.api_url": "Slack's API",
    "slack.app_token": "Slack's socket",
    "slack.audit_url": "Slack's audit log",
    "teams.openid_url": "Microsoft's signing keys",
    "teams.token_url": "Microsoft's login",
    "teams.graph_url": "Graph",
    "teams.notice_url": "Graph's notices",
    "keys.url": "key management service",
    "keys.provider=file": "key file",
    "keys.provider=pkcs11": "HSM",
    "keys.provider=kms": "key management service",
    "directory.url": "a source of the directory",
    "directory.sources.url": "a source of the directory",
    "records.url": "a business system's API",
    "records.api_url": "a business system's API",
    "records.login_url": "a business system's sign-in",
}
# Where others reach ATOM, and what is only a name.
_NO_WAY_OUT = {"public_url", "scim.url"}
_OUTWARD = re.compile(r"(^|_)(url|address)$|^app_token$")
_CHOICES = {"kind", "provider", "system"}


def _inside(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the groups of settings that a setting may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _inside(part)


def outward(group: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield the settings that lead out of ATOM, and the choices among such."""
    for name, field in group.model_fields.items():
        if _OUTWARD.search(name):
            yield path + name
        if name in _CHOICES:
            yield from (f"{path}{name}={one}" for one in get_args(field.annotation))
        for inner in _inside(field.annotation):
            yield from outward(inner, f"{path}{name}.")


@pytest.mark.parametrize("setting", sorted({*outward(Settings)} - _NO_WAY_OUT))
def test_no_dependency_is_left_out(setting: str) -> None:
    _, is_choice, choice = setting.partition("=")
    if is_choice and setting not in LINES:
        assert any(f"`{choice}`" in row[0] for row in ROWS), (
            "add a line, or a kind to one"
        )
        return
    assert setting in LINES, "say what happens without it in docs/operations.md"
    assert any(LINES[setting] in row[0] for row in ROWS)


@pytest.mark.parametrize("needed", ["SQLite", "disk", "connector", "time", "process"])
def test_nothing_that_no_setting_names_is_left_out(needed: str) -> None:
    assert any(needed in row[0] for row in ROWS)


def test_every_way_out_that_is_known_is_one() -> None:
    assert {*LINES} | _NO_WAY_OUT <= {*outward(Settings)}


def test_every_metric_in_it_is_counted() -> None:
    known = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    known |= {family.name for family in REGISTRY.collect()}

    named = set(re.findall(r"`(atom_[a-z_]+)`", GUIDE))

    assert named
    assert {name.removesuffix("_total") for name in named} <= {
        name.removesuffix("_total") for name in known
    }


def test_every_command_in_it_can_be_typed() -> None:
    commands = Office().commands
    typed = re.findall(r"^\| `([a-z]+) [^`]*`", GUIDE, re.MULTILINE)

    assert {"dead", "retry", "replay", "drop"} <= set(typed)
    assert set(typed) <= {command.name for command in commands.known}
