"""A search is read as it was meant, or refused in one line."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.search.fields import resolved
from bridge.search.grammar import LONGEST, read
from bridge.search.syntax import (
    And,
    Anything,
    Condition,
    Near,
    Not,
    Or,
    Phrase,
    Query,
    Wild,
    written,
)
from tests.unit.bridge.search.strategies import queries

A, B, C = Phrase("a"), Phrase("b"), Phrase("c")

MEANT = [
    ("a b", And((A, B))),
    ("a AND b OR c", Or((And((A, B)), C))),
    ("a b OR c", Or((And((A, B)), C))),
    ("a (b OR c)", And((A, Or((B, C))))),
    ("a NOT b", And((A, Not(B)))),
    ("a AND NOT b", And((A, Not(B)))),
    ("a -b", And((A, Not(B)))),
    ("NOT NOT a", A),
    ("e-mail", Phrase("e-mail")),
    ('"a  b"', Phrase("a b")),
    ("\u201ca b\u201d \u00abc\u00bb", And((Phrase("a b"), C))),
    ("a or b", And((A, Phrase("or"), B))),
    ('"OR"', Phrase("OR")),
    ("a NEAR b", Near(A, B, 8)),
    ("a NEAR(3) b", Near(A, B, 3)),
    ("a ONEAR(0) b NEAR c", And((Near(A, B, 0, ordered=True), Near(B, C, 8)))),
    ("te?t pre*", And((Wild("te?t"), Wild("pre*")))),
    ('"te?t"', Phrase("te?t")),
    ("from:ada", Condition("from", "ada")),
    ("FROM:ada", Condition("from", "ada")),
    ('from:"Ada Lovelace"', Condition("from", "Ada Lovelace")),
    ("from:(a OR b)", Or((Condition("from", "a"), Condition("from", "b")))),
    ("from:(a -b)", And((Condition("from", "a"), Not(Condition("from", "b"))))),
    ("in:19:x@thread.tacv2", Condition("in", "19:x@thread.tacv2")),
    ("has:FILE", Condition("has", "file")),
    ("after:-7d", Condition("after", "-7d")),
    ("12:30", Phrase("12:30")),
]


@pytest.mark.parametrize(("text", "meaning"), MEANT)
def test_a_search_is_read_as_it_was_meant(text: str, meaning: object) -> None:
    assert read(text).expression == meaning


def test_what_is_about_the_whole_search_is_taken_out_of_it() -> None:
    found = read("a OR b tz:Europe/Berlin rev:any")

    assert found == Query(Or((A, B)), "Europe/Berlin", any_revision=True)
    assert read("rev:any") == Query(Anything(), any_revision=True)


REFUSED = [
    ("", "write what to search for"),
    ("foo:bar", "There is no field 'foo:'. There are from: to: with:"),
    ("form:ada", "Did you mean from:?"),
    ("http://x", "Put quotes around words with a colon"),
    ("from: ada", "without a space"),
    ("has:foo", "file, link, reaction"),
    ("on:2026-02-30", "is no date"),
    ("sent:2026-01-01", "two dates"),
    ("tz:Mars/Base", "no time zone"),
    ("tz:Europe", "no time zone"),
    ("seq:x", "a position in the log"),
    ('"a', "a quote is not closed"),
    ("(a", "not closed"),
    ("a)", "not opened"),
    ("from:()", "cannot stand here"),
    ("a AND", "cannot stand here"),
    ("&", "no letter, digit or emoji"),
    ("t*", "two letters"),
    ("*ing", "one comes first"),
    ("東*", "found anyway"),
    ("a NEAR (b c)", "between two words"),
    ("a NEAR(9999) b", "1000 words at most"),
    ("tz:UTC tz:Europe/Berlin", "once"),
    ("-rev:any", "for the whole search"),
    ("ext:p*", "no wildcards"),
    ("a" * (LONGEST + 1), "4096 characters"),
    ("(" * 60 + "a" + ")" * 60, "40 deep"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_cannot_be_read_is_refused_in_one_line(text: str, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(text)

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@given(queries())
def test_a_search_that_was_written_down_reads_the_same(query: Query) -> None:
    assert read(written(query)) == query


@given(queries())
def test_a_search_with_its_dates_worked_out_reads_the_same(query: Query) -> None:
    now = 1_790_000_000_000_000
    first = resolved(query, now)

    again = resolved(read(written(first)), now + 10**12)

    assert again == first
    assert again.digest == first.digest


_BITS = [
    "(",
    ")",
    '"',
    "-",
    "*",
    "?",
    ":",
    "OR",
    "NOT",
    "NEAR(2)",
    "from:",
    "a",
    " ",
    "東",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(_BITS)).map("".join)))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    try:
        found = read(text)
    except BadInput as refused:
        assert "\n" not in str(refused)  # noqa: PT017 - either way is right
    else:
        assert read(written(found)) == found


@pytest.mark.parametrize(
    "bit",
    ["a ", "-", "(a) ", "a OR ", "from:a ", "a NEAR ", "NOT ", "*", "x:", '""', "a*?"],
)
def test_a_long_search_takes_no_more_steps_than_its_length_asks_for(bit: str) -> None:
    def steps(length: int) -> int:
        count = 0

        def traced(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(traced)
        try:
            read((bit * length)[: LONGEST - 1] + "z")
        except BadInput:
            pass
        finally:
            sys.setprofile(None)
        return count

    read("a")
    short, long = steps(250 // len(bit)), steps(1000 // len(bit))
    assert long < 8 * short + 2000
