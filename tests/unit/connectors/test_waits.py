"""However a system says that it wants to be left alone, it is left alone that long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.waits import LONGEST, UNTOLD, asked_to_wait

NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT"}, 60),
        ({"Retry-After": "2026-01-01T00:00:20Z"}, 20),
        ({"X-RateLimit-Reset": "2026-01-01T00:01Z"}, 60),
        ({"X-RateLimit-Reset": "1767225690"}, 90),
        ({"X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}, 10),
        ({"Retry-After": "5", "X-RateLimit-Reset": "2026-01-01T00:01Z"}, 5),
        ({"Retry-After": "Wed, 31 Dec 2025 23:00:00 GMT"}, 0),
        ({"Retry-After": "soon"}, UNTOLD),
        ({"Retry-After": "999999999999"}, LONGEST),
        ({}, UNTOLD),
    ],
)
def test_waits_are_read(headers: dict[str, str], seconds: float) -> None:
    assert asked_to_wait(headers, NOW) == seconds


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_is_said_is_a_wait(after: str, reset: str) -> None:
    seconds = asked_to_wait({"Retry-After": after, "X-RateLimit-Reset": reset}, NOW)

    assert 0 <= seconds <= LONGEST
