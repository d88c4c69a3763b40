"""The order of files names files that there are."""

from pathlib import Path

import pytest

from tests.conftest import LONGEST

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("name", LONGEST)
def test_what_is_begun_first_is_a_file_of_tests(name: str) -> None:
    assert (TESTS / name).is_file()
