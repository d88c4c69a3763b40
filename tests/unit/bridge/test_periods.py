"""People say since when in several ways."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.periods import since

NOW = int(datetime(2030, 1, 31, 12, tzinfo=UTC).timestamp()) * 1_000_000
HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("90min", 1.5 * HOUR),
        ("90m", 1.5 * HOUR),
        ("2h", 2 * HOUR),
        ("3D", 72 * HOUR),
        ("2030-01-31", 12 * HOUR),
        ("2030-01-31T10:00", 2 * HOUR),
        ("2030-01-31T10:00+02:00", 4 * HOUR),
        ("0h", 0),
    ],
)
def test_a_moment_is_understood(text: str, ago: float) -> None:
    assert since(text, NOW) == NOW - ago


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2030-01-31T12:01", "ahead"),
        ("32d", "31 days"),
        ("999999d", "31 days"),
        ("1999-01-01", "31 days"),
        ("yesterday", "write 90min"),
        ("-2h", "write 90min"),
        ("٢h", "write 90min"),
        ("", "write 90min"),
    ],
)
def test_what_is_no_moment_of_late_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        since(text, NOW)


@given(st.text(max_size=30))
def test_any_text_is_a_moment_of_late_or_is_refused(text: str) -> None:
    try:
        moment = since(text, NOW)
    except BadInput:
        return

    assert NOW - 31 * 24 * HOUR <= moment <= NOW
