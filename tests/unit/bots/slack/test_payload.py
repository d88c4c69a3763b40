"""Slack's numbers that are strings."""

import pytest

from bots.slack.payload import microseconds, number, string, strings, timestamp


@pytest.mark.parametrize(
    ("ts", "expected"),
    [
        ("1700000000.000100", 1_700_000_000_000_100),
        # Read through a float, this one would lose its last digit.
        ("9007199254.740993", 9_007_199_254_740_993),
        ("1700000000.1", 1_700_000_000_100_000),
        ("1700000000.1234567", 1_700_000_000_123_456),
        ("1700000000", 1_700_000_000_000_000),
        ("", 0),
        ("yesterday", 0),
        ("-5.0", 0),
        ("1e9", 0),
        ("١٢", 0),
    ],
)
def test_ts_is_read_without_floats(ts: str, expected: int) -> None:
    assert microseconds(ts) == expected


def test_ts_survives_the_way_there_and_back() -> None:
    assert timestamp(microseconds("1700000000.000100")) == "1700000000.000100"


def test_texts_are_fit_for_databases() -> None:
    assert string({"text": "a\0b\ud800c"}, "text") == "ab\ufffdc"
    assert strings({"ids": ["a\0", 5, "\ud800"]}, "ids") == ["a", "\ufffd"]
    assert strings({"ids": "a"}, "ids") == []


@pytest.mark.parametrize("value", [None, 5, ["x"], {"x": 1}])
def test_what_is_no_text_is_empty(value: object) -> None:
    assert string({"text": value}, "text") == ""


@pytest.mark.parametrize("value", [-1, 2**60, "5", None, 1.5])
def test_numbers_that_no_column_takes_are_zero(value: object) -> None:
    assert number({"size": value}, "size") == 0
