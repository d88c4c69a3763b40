"""Quarters, and a memory that does not grow."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.compliance.keys.kept import Kept
from storage.compliance.keys.subjects import quarter_of


@pytest.mark.parametrize(
    ("moment", "quarter"),
    [
        (datetime(2030, 1, 1, tzinfo=UTC), "2030Q1"),
        (datetime(2030, 4, 1, tzinfo=UTC) - timedelta(microseconds=1), "2030Q1"),
        (datetime(2030, 4, 1, tzinfo=UTC), "2030Q2"),
        (datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC), "2030Q4"),
        (datetime(2031, 1, 1, tzinfo=UTC), "2031Q1"),
    ],
)
def test_quarters_begin_at_midnight_utc(moment: datetime, quarter: str) -> None:
    assert quarter_of(round(moment.timestamp() * 1_000_000)) == quarter


@given(st.lists(st.integers(0, 20), max_size=60), st.integers(1, 8))
def test_what_was_used_for_longest_goes_first(used: list[int], most: int) -> None:
    kept: Kept[int, int] = Kept(most)
    newest: list[int] = []
    for key in used:
        found = kept.get(key)
        assert (found is not None) == (key in newest[:most])
        if found is None:
            kept.put(key, key)
        newest = [key, *(other for other in newest if other != key)]

    assert [key for key in range(21) if kept.get(key) is not None] == sorted(
        newest[:most]
    )
