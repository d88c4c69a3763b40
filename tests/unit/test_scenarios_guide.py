"""Every case in the guides names a test that exists, and none of the twenty is missing."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def rows(guide: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / guide).read_text("utf-8").splitlines()
        if line.startswith("| ") and "`" in line
    ]


ROWS, RECORD = rows("docs/scenarios.md"), rows("docs/compliance-scenarios.md")
ALL = [*ROWS, *RECORD]


@pytest.mark.parametrize("row", ALL, ids=[row[1][:40] for row in ALL])
def test_the_test_that_is_named_exists(row: list[str]) -> None:
    file, name = row[2].strip("`").split("::")

    text = (ROOT / file).read_text("utf-8")

    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_none_of_the_twenty_is_left_out() -> None:
    numbers = {int(found[0]) for row in ROWS if (found := re.match(r"\d+", row[0]))}

    assert numbers == set(range(1, 21))


def test_none_of_the_records_twenty_is_left_out() -> None:
    numbers = {int(found[0]) for row in RECORD if (found := re.match(r"\d+", row[0]))}

    assert numbers == set(range(1, 21))


def test_none_of_those_about_directories_is_left_out() -> None:
    numbers = {int(found[1]) for row in ROWS if (found := re.match(r"D(\d+)", row[0]))}

    assert numbers == set(range(1, 26)) - {19, 20, 22, 23}


def test_none_of_those_about_records_is_left_out() -> None:
    numbers = {int(found[1]) for row in ROWS if (found := re.match(r"R(\d+)", row[0]))}

    assert numbers >= set(range(1, 21))
