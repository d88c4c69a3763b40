"""Rows, times and journals are read as ServiceNow writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.servicenow.rows import (
    Entry,
    Row,
    latest_entry,
    micros,
    moment,
    plain,
    span,
    written,
)

JOURNAL = """2026-11-22 20:41:00 - Beth Anglin (Additional comments)
On it.

Really.

2026-11-21 08:00:00 - Bob Stone (Additional comments)
Help!

"""


def test_a_value_and_its_words_are_kept_apart() -> None:
    row = Row.of(
        {
            "state": {"display_value": "New", "value": "1"},
            "caller_id": {"display_value": "Bob", "value": "x", "link": "https://…"},
            "active": True,
            "empty": None,
            "list": [1],
            "odd": {},
        },
        number="INC1",
    )

    assert (row.value("state"), row.text("state"), row.number("state")) == (
        "1",
        "New",
        1,
    )
    assert row.text("caller_id") == "Bob"
    assert (row.value("active"), row.value("empty")) == ("true", "")
    assert "list" not in row.values
    assert "odd" not in row.values
    assert row.value("number") == "INC1"
    assert row.number("caller_id") is None


def test_the_latest_entry_of_a_journal() -> None:
    assert latest_entry(JOURNAL) == Entry("Beth Anglin", "On it.\n\nReally.")
    assert latest_entry(JOURNAL.replace("\n", "\r\n")) == latest_entry(JOURNAL)
    assert latest_entry("") is None
    assert latest_entry("On it.") is None


@given(st.text())
def test_any_journal_is_read(text: str) -> None:
    latest_entry(text)
    latest_entry(f"2026-11-22 20:41:00 - B (x)\n{text}")


def test_times_are_utc_and_say_so() -> None:
    assert moment("2026-11-28 22:00:00") == "28 Nov 2026 22:00 UTC"
    assert moment("") == ""
    assert moment("soon") == "soon"
    assert micros("1970-01-01 00:00:01") == 1_000_000
    assert micros("x") == 0


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (
            "2026-11-28 22:00:00",
            "2026-11-28 23:30:00",
            "28 Nov 2026 22:00 – 23:30 UTC",
        ),
        (
            "2026-11-28 22:00:00",
            "2026-11-29 01:00:00",
            "28 Nov 2026 22:00 – 29 Nov 2026 01:00 UTC",
        ),
        ("2026-11-28 22:00:00", "", "28 Nov 2026 22:00 UTC"),
        ("", "", ""),
    ],
)
def test_windows(start: str, end: str, text: str) -> None:
    assert span(start, end) == text


@given(st.integers(0, 4_000_000_000))
def test_what_is_written_can_be_read(seconds: int) -> None:
    assert micros(written(seconds)) == seconds * 1_000_000


def test_text_holds_no_markup_and_no_script() -> None:
    html = "<p>A &lt;b&gt; &amp; c<br>d</p><script>alert(1)</script><style>x</style>e"

    assert plain(html) == "A <b> & c\nd\ne"
    assert plain("no markup") == "no markup"


@given(st.text())
def test_any_markup_is_read(html: str) -> None:
    plain(f"<p>{html}")
