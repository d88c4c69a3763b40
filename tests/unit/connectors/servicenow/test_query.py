"""Encoded queries say what was meant, or are refused."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import BadInput
from connectors.sandbox.servicenow.encoded import matches, parse
from connectors.servicenow.query import Condition, Op, Query, Words, where

HOSTILE = [
    "x^ORactive=true",
    "x^NQactive=true",
    "^",
    "INC0010001^active=false",
    "javascript:gs.getUserID()",
    " JavaScript :gs.getUserID()",
    "java\tscript:x",
    "a\nb",
    "a\x00b",
    "a\u202eb",
    "",
    "   ",
    "x" * 10_000,
]
ONE_VALUE = sorted(
    {Op.IS, Op.IS_NOT, Op.CONTAINS, Op.STARTS, Op.ENDS, Op.IN, Op.ABOVE, Op.TO}
)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("op", ONE_VALUE)
def test_what_cannot_be_said_safely_is_refused(op: Op, hostile: str) -> None:
    with pytest.raises(BadInput):
        where("number", op, hostile)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_words_that_cannot_be_said_safely_are_refused(hostile: str) -> None:
    with pytest.raises(BadInput):
        Words.of(hostile, ["short_description"])


@pytest.mark.parametrize(
    "field", ["", "number^", "Number", "number=1^x", "a..b", "a.b.c.d.e", "a b", "1a"]
)
def test_only_names_of_fields_are_fields(field: str) -> None:
    with pytest.raises(BadInput):
        where(field, Op.IS, "x")


def test_a_list_holds_no_commas_and_starts_no_other_operator() -> None:
    with pytest.raises(BadInput):
        where("sys_id", Op.IN, "a,b")
    with pytest.raises(BadInput):
        where("sys_class_name", Op.IN, "STANCEOFtask")


def test_above_does_not_become_from() -> None:
    with pytest.raises(BadInput):
        where("priority", Op.ABOVE, "=1")


def test_a_query_without_a_condition_is_none() -> None:
    with pytest.raises(BadInput):
        Query(())


@given(st.text(max_size=60), st.sampled_from(ONE_VALUE))
@example("x^ORactive=true", Op.IS)
@example("=x", Op.IS)
@example("STANCEOFtask", Op.IN)
def test_the_instance_reads_one_condition_with_this_value(text: str, op: Op) -> None:
    try:
        query = Query((where("short_description", op, text),))
    except BadInput:
        return

    read = parse(query.text)

    assert [len(group) for group in read.groups] == [1]
    ((term,),) = read.groups[0]
    assert (term.field, term.op, term.value) == ("short_description", op.value, text)
    assert not read.order


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=5))
def test_several_values_stay_as_many(texts: list[str]) -> None:
    try:
        query = Query((where("sys_id", Op.IN, *texts),))
    except BadInput:
        return

    ((term,),) = parse(query.text).groups[0]

    assert term.value.split(",") == texts


@given(st.text(max_size=80))
def test_words_are_one_search_and_nothing_else(text: str) -> None:
    try:
        words = Words.of(text, ["short_description"])
    except BadInput:
        return

    read = parse(Query((words,)).text)

    assert re.fullmatch(r"[\w.@' -]+", words.text.partition("=")[2])
    assert [len(group) for group in read.groups] == [1]


def test_alternatives_bind_to_their_condition() -> None:
    wide = Condition(
        "number", Op.IS, ("A",), or_else=(where("short_description", Op.CONTAINS, "a"),)
    )
    query = Query((wide, where("active", Op.IS, "true")), "sys_updated_on", True)

    assert query.text == (
        "number=A^ORshort_descriptionLIKEa^active=true^ORDERBYDESCsys_updated_on"
    )
    assert query.fields == {"number", "short_description", "active"}
    assert query.keeps({"number": "A", "short_description": "", "active": "true"})
    assert not query.keeps({"number": "B", "short_description": "b", "active": "true"})


@pytest.mark.parametrize(
    ("op", "wanted", "has", "kept"),
    [
        (Op.IS, "inc1", "INC1", True),
        (Op.IS, "inc1", "inc12", False),
        (Op.IS_NOT, "1", "2", True),
        (Op.IN, "a", "b", False),
        (Op.CONTAINS, "mail", "No Email", True),
        (Op.STARTS, "no", "No Email", True),
        (Op.ENDS, "mail", "No Email", True),
        (Op.FROM, "2026-01-02 00:00:00", "2026-01-02 00:00:00", True),
        (Op.ABOVE, "2026-01-02 00:00:00", "2026-01-02 00:00:00", False),
        (Op.ABOVE, "9", "10", True),
        (Op.BELOW, "10", "9", True),
        (Op.TO, "10", "11", False),
        (Op.FROM, "1", "", False),
    ],
)
def test_rows_are_checked_against_what_was_meant(
    op: Op, wanted: str, has: str, *, kept: bool
) -> None:
    query = Query((where("field", op, wanted),))

    assert query.keeps({"field": has}) is kept


def test_a_row_without_the_field_is_not_what_was_asked_for() -> None:
    assert not Query((where("field", Op.IS_NOT, "x"),)).keeps({"other": "y"})
    assert not Query((where("field", Op.EMPTY),)).keeps({})
    assert Query((where("field", Op.EMPTY),)).keeps({"field": ""})
    assert Query((where("field", Op.NOT_EMPTY),)).keeps({"field": "x"})


def test_words_are_found_by_their_beginning() -> None:
    words = Words.of("Printers offline", ["short_description", "description"])

    assert words.keeps({"short_description": "printer", "description": "is offline"})
    assert not words.keeps({"short_description": "printer", "description": ""})


SMALL = st.text("aB1-. ", max_size=4)


@given(st.sampled_from(sorted(Op)), SMALL, SMALL, SMALL)
@example(Op.ABOVE, "1", "1.0", "")
@example(Op.IN, "a", "A", "b")
@example(Op.BELOW, "B", "a", "")
def test_what_is_kept_is_what_the_instance_would_find(
    op: Op, wanted: str, has: str, other: str
) -> None:
    bare = op in {Op.EMPTY, Op.NOT_EMPTY}
    values = () if bare else (wanted, other) if op is Op.IN else (wanted,)
    try:
        query = Query((Condition("field", op, values),))
    except BadInput:
        return
    row = {"field": has}

    found = matches(parse(query.text), row.__contains__, row.get, "")

    assert query.keeps(row) is found
