"""The schema's versions are one line: each follows the one with the number before."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

VERSIONS = Path(__file__).parents[3] / "storage/migrations/versions"
_TOLD = re.compile(r'^(revision|down_revision) = (?:"(\d+)"|None)$', re.MULTILINE)

Version = tuple[str, str, str]
"""A file's name, its own number, and that of the version which it follows."""


def versions(folder: Path) -> list[Version]:
    found = []
    for file in sorted(folder.glob("v*.py")):
        told = dict(_TOLD.findall(file.read_text("utf-8")))
        found.append((file.name, told["revision"], told["down_revision"]))
    return found


def faults(found: Sequence[Version]) -> list[str]:
    """Return where the line forks, has a gap, or its files are not called as it is."""
    misnamed = [name for name, number, _ in found if name[1:5] != number]
    forked = [
        f"{name} does not follow {before}"
        for (before, last, _), (name, number, follows) in pairwise(found)
        if follows != last or int(number) != int(last) + 1
    ]
    return misnamed + forked


def test_each_version_follows_the_one_before() -> None:
    found = versions(VERSIONS)

    assert faults(found) == []
    assert found[0][1:] == ("0001", "")


@pytest.mark.parametrize(
    ("number", "follows"),
    [("0044", "0043"), ("0045", "0043"), ("0046", "0044"), ("0045", "0045")],
    ids=["the same number", "two heads", "a gap", "itself"],
)
def test_two_that_were_made_at_once_are_noticed(number: str, follows: str) -> None:
    line = [("v0043_a.py", "0043", "0042"), ("v0044_b.py", "0044", "0043")]

    assert faults([*line, (f"v{number}_c.py", number, follows)])
