"""Texts of records, fit to be read: nothing invisible, and no cut that hides itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.records import wording
from bridge.records.cards import RecordCard
from bridge.records.wording import cut, line, lines, units
from tests.fakes_records import record_card


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\u202eb", "ab"),
        ("pay\u200bpal", "paypal"),
        ("a\x00b\x1b[31m", "ab[31m"),
        ("so\u00adft", "soft"),
        ("\U000e0041tag", "tag"),
        ("x\u2066y\u2069", "xy"),
        ("half \ud83d", "half �"),
        ("\u3164", ""),
        ("a \u200d\u200d b", "a b"),
        ("👩\u200d🚒", "👩\u200d🚒"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("e" + "\u0301" * 90, "e" + "\u0301" * 4),
    ],
)
def test_what_nobody_can_see_is_gone(text: str, seen: str) -> None:
    assert line(text, 1_000) == seen


def test_lines_stay_lines() -> None:
    assert lines("a\r\nb\n\n\n\n c ", 100) == "a\nb\n\nc"
    assert line("a\r\nb\tc", 100) == "a b c"


def test_cut_says_so() -> None:
    assert cut("x" * 100, 50) == "x" * 44 + " … cut"
    assert cut("x" * 100, 10) == "x" * 9 + "…"
    assert cut("x" * 50, 50) == "x" * 50


def test_text_that_is_cut_before_it_is_cleaned_says_so_too() -> None:
    assert line("a" + "\u200b" * 1_000_000 + "b", 100) == "a … cut"


@pytest.mark.parametrize("whole", ["👩‍🚒", "🇩🇪", "👍🏽", "é", "𝒳"])
def test_what_looks_like_one_character_is_not_split(whole: str) -> None:
    for most in range(40, 60):
        shown = cut(whole * 60, most).removesuffix(" … cut")

        assert shown.replace(whole, "") == ""


@given(st.text(st.characters()), st.integers(1, 80))
def test_cut_text_weighs_no_more_than_it_may(text: str, most: int) -> None:
    for shown in (line(text, most), lines(text, most)):
        assert units(shown) <= most
        shown.encode()


def test_time_is_said_to_the_minute() -> None:
    assert wording.when(1_793_392_860_000_000) == "2026-10-30 20:41 UTC"


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (record_card(rev="7"), "rev 7"),
        (
            record_card(
                rev="2026-10-30T20:41:43.213+0000", changed_us=1_793_392_903_213_000
            ),
            "changed 2026-10-30 20:41 UTC",
        ),
        (record_card(rev=""), ""),
    ],
    ids=["a count", "a time", "none"],
)
def test_a_revision_is_said_as_people_read_it(card: RecordCard, said: str) -> None:
    shown = wording.footer(card)

    assert shown.split(" · ")[2:] == ([said] if said else [])
