"""Reading JSON that may hold anything."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.teams.wire import mapping, mappings, microseconds, text_of


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000_000_000),
        ("2023-11-14T22:13:20.1Z", 1_700_000_000_100_000),
        ("2023-11-14T22:13:20.123Z", 1_700_000_000_123_000),
        ("2023-11-14T22:13:20.1234567Z", 1_700_000_000_123_456),
        ("2023-11-14T14:13:20.123-08:00", 1_700_000_000_123_000),
        ("2023-11-15T03:43:20.000001+05:30", 1_700_000_000_000_001),
        ("2023-11-14T22:13:20", 1_700_000_000_000_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("2023-02-30T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1700000000, None),
    ],
)
def test_times_are_read_to_the_microsecond(written: Any, read: int | None) -> None:
    assert microseconds(written) == read


@given(st.integers(0, 999_999))
def test_no_microsecond_is_lost(fraction: int) -> None:
    written = f"2023-11-14T22:13:20.{fraction:06}Z"

    assert microseconds(written) == 1_700_000_000_000_000 + fraction


def test_text_loses_only_what_no_database_takes() -> None:
    assert text_of("a\x00b\ud800c😀") == "a�b�c😀"


@pytest.mark.parametrize("value", [None, 5, "text", [], [1, "x", None]])
def test_whatever_is_no_object_reads_as_an_empty_one(value: Any) -> None:
    assert mapping(value) == {}
    assert [*mappings(value)] == []
