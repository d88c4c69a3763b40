"""A filter says what it means, or what is wrong with it."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.records.filters import (
    Among,
    And,
    Changed,
    Compared,
    Empty,
    Filter,
    Happened,
    Not,
    Or,
    names,
    passes,
    read,
    written,
)
from bridge.records.model import ChangeKind, Fact, Record, RecordChange
from tests.records_world import FakeSystem

SYSTEM = FakeSystem()
RECORD: Record = replace(
    SYSTEM.add("CHG1", "Mail is down"),
    facts=(
        Fact("priority", "Priority", "1 - Critical", raw="1"),
        Fact("assignment_group", "Assignment group", "Web Ops", raw="4711"),
        Fact("amount", "Amount", "€ 12,500.50"),
        Fact("owner", "Owner", ""),
        Fact("key2", "Odd key", "INC0010"),
    ),
)
CHANGE: RecordChange = replace(
    SYSTEM.told(RECORD.ref), fields=("priority", "Owner"), actor="bob"
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "priority = 1",
        'priority = "1 - critical"',
        'priority = 1 and "Assignment group" = "Web Ops"',
        "assignment_group = 4711",
        "priority != 2",
        "priority in (1, 2)",
        "amount > 12000",
        "amount >= 12500.5 and amount < 13000",
        "title ~ mail",
        "status = authorize",
        "key = chg1",
        "actor = BOB",
        "owner is empty",
        "priority is not empty",
        "priority changed",
        '"Priority" CHANGED and owner changed',
        "not status changed",
        "not (priority = 2 or title ~ nothing)",
        "created or priority = 1",
        "kind = change_request",
    ],
)
def test_it_passes(text: str) -> None:
    assert passes(read(text), RECORD, CHANGE)


@pytest.mark.parametrize(
    "text",
    [
        "priority = 2",
        "priority != 1",
        "not priority = 1",
        "amount > 13000",
        "amount > abc",
        "created",
        "status changed",
        "owner is not empty",
        "key2 = INC10",
        "title = mail",
        "unknown = 1",
        "unknown != 1",
        "not unknown = 1",
        "unknown is empty",
        "unknown changed",
        "not unknown changed",
        "priority = 1 and unknown = 1",
    ],
)
def test_it_does_not_pass(text: str) -> None:
    assert not passes(read(text), RECORD, CHANGE)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("priority =", "something is missing at the end"),
        ("priority", "something is missing at the end"),
        ("(a = 1", "a parenthesis is not closed"),
        ("a = 1)", "a parenthesis is closed that was not opened"),
        ('a = "x', "a quote is not closed"),
        ("a == 1", "not understood from '= 1' on"),
        ("a = 1 b = 2", "not understood from 'b = 2' on"),
        ("a = 1 and or b = 2", "not understood from 'or b = 2' on"),
        ("a = 'x'", "not understood from ''x'' on"),
        ("(" * 30 + "a = 1" + ")" * 30, "20 deep at most"),
        ("x" * 1001, "1000 characters at most"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, says: str) -> None:
    with pytest.raises(BadInput) as error:
        read(text)

    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_it_tells_which_fields_it_asks_about() -> None:
    assert names(read('a = 1 and (not "b c" is empty or d changed)')) == {
        "a",
        "b c",
        "d",
    }


words = st.text(min_size=1, max_size=12)
leaves: st.SearchStrategy[Filter] = st.one_of(
    st.builds(
        Compared, words, st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]), words
    ),
    st.builds(Among, words, st.lists(words, min_size=1, max_size=3).map(tuple)),
    st.builds(Empty, words),
    st.builds(Changed, words),
    st.builds(
        Happened,
        st.sampled_from(
            [
                ChangeKind.CREATED,
                ChangeKind.DELETED,
                ChangeKind.RESTORED,
                ChangeKind.COMMENTED,
            ]
        ),
    ),
)
filters = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda f: And(tuple(f))),
        st.lists(inner, min_size=2, max_size=3).map(lambda f: Or(tuple(f))),
    ),
    max_leaves=8,
)


@given(wanted=filters)
@settings(deadline=None)
def test_what_is_written_is_read_as_the_same(wanted: Filter) -> None:
    text = written(wanted)
    if len(text) <= 1000 and text.count("not ") <= 20:
        assert read(text) == wanted


@given(text=st.text(max_size=200))
@settings(deadline=None)
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    try:
        wanted = read(text)
    except BadInput:
        return
    passes(wanted, RECORD, CHANGE)


@given(wanted=filters)
@settings(deadline=None)
def test_a_filter_tells_nothing_of_what_is_not_seen(wanted: Filter) -> None:
    hidden = replace(RECORD, facts=())
    asked = {name.casefold() for name in names(wanted)}
    if asked & {"title", "key", "number", "status", "state", "kind", "type", "actor"}:
        return

    told = replace(CHANGE, fields=tuple(asked))

    assert passes(wanted, hidden, CHANGE) == passes(wanted, hidden, told)
