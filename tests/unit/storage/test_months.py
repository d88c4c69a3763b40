"""A message's id tells since when there can be anything about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.months import since_us

_DAYS_US = 3 * 86_400_000_000
# Since 2001, when Slack's seconds had ten digits, and before this was written.
_MOMENTS = st.integers(1_000_000_000_000_000, 1_790_000_000_000_000)


@given(_MOMENTS)
def test_both_platforms_ids_tell_when_they_were_given(moment: int) -> None:
    slack = f"{moment // 1_000_000}.{moment % 1_000_000:06}"
    teams = str(moment // 1000)

    for message in (slack, teams):
        assert moment - _DAYS_US < since_us(message) < moment


def test_what_is_said_to_be_of_times_to_come_tells_nothing() -> None:
    assert since_us("9999999999.000100") == 0
    assert since_us("9999999999000") == 0


@given(st.text(alphabet="0123456789.:-aé\n", max_size=20))
def test_nothing_but_a_time_bounds_anything(message: str) -> None:
    digits = message.replace(".", "", 1)
    if digits.isascii() and digits.isdecimal() and len(message) in {13, 17}:
        return
    assert since_us(message) == 0


@pytest.mark.parametrize("message", ["", "17.1", "history:L1:2", "1700000000.1"])
def test_other_ids_tell_nothing(message: str) -> None:
    assert since_us(message) == 0
