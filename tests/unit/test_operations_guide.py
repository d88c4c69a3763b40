"""What the operations guide promises is tested, typed and counted as it says."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import bots.metrics  # noqa: F401 - registers what is counted
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


@pytest.mark.parametrize(
    "needed",
    [
        "PostgreSQL",
        "SQLite",
        "disk",
        "Redis",
        "Slack",
        "connector",
        "Graph",
        "clamd",
        "login",
        "key file",
        "time",
    ],
)
def test_no_dependency_is_left_out(needed: str) -> None:
    assert any(needed in row[0] for row in ROWS)


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
