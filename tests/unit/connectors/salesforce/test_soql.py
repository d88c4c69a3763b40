"""No value ever becomes part of a query, as a reader of SOQL sees it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from connectors.salesforce import soql
from connectors.sandbox.salesforce.refusals import Refused
from connectors.sandbox.salesforce.soql import parse, unquoted

SLY = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="'\\\"() =ORAND%_\n\t", max_size=30),
    st.sampled_from(
        [
            "x' OR Name != '",
            "\\",
            "\\'",
            "\\\\' OR Id != null",
            "' LIMIT 1",
            "') OR (Name LIKE '%",
        ]
    ),
)


@given(SLY)
def test_a_quoted_value_is_read_back_as_itself(text: str) -> None:
    try:
        literal = soql.quoted(text)
    except BadInput:
        return
    assert unquoted(literal) == text


@given(SLY, SLY)
def test_a_value_matches_itself_and_nothing_else(text: str, other: str) -> None:
    try:
        query = soql.select("Account", ["Id"], f"Name = {soql.quoted(text)}")
    except BadInput:
        return
    read = parse(query)
    assert read.test is not None

    def look(row: object, name: str) -> str:
        assert name == "Name"
        return str(row)

    assert read.kind == "Account"
    assert read.names == ["Id", "Name"]
    # The stand-in's rows are strings here; what is compared is the whole value.
    assert read.test(text, look)  # type: ignore[arg-type]
    assert read.test(other, look) == (text.casefold() == other.casefold())  # type: ignore[arg-type]


@given(st.lists(SLY, min_size=1, max_size=5))
def test_a_list_holds_as_many_values_as_were_put_in(texts: list[str]) -> None:
    try:
        query = soql.select("Case", ["Id"], f"Id IN ({soql.listed(texts)})")
    except BadInput:
        return
    read = parse(query)
    assert read.names == ["Id", "Id"]


@pytest.mark.parametrize("text", ["\x00", "a\x1fb", "\x7f", "\ud800"])
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        soql.quoted(text)


@pytest.mark.parametrize(
    "name", ["Id FROM User", "Id,Name", "(SELECT Id)", "Id--", "", "A.B.C", "1", "Ä"]
)
def test_names_are_names(name: str) -> None:
    with pytest.raises(BadInput):
        soql.select("Account", [name])
    with pytest.raises(BadInput):
        soql.select(name, ["Id"])


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    "SELECT",
                    "Id",
                    "FROM",
                    "Case",
                    "WHERE",
                    "(",
                    ")",
                    ",",
                    "=",
                    "'a'",
                    "1",
                    "2026-01-01",
                    "NOT",
                    "IN",
                    "LIKE",
                    "AND",
                    "OR",
                    "LIMIT",
                    "ORDER",
                    "BY",
                    "GROUP",
                    "COUNT",
                    "2026-01-01T00:00:00Z",
                    "x.y",
                ]
            ),
            max_size=14,
        ).map(" ".join),
    )
)
def test_the_stand_in_reads_or_refuses_anything(text: str) -> None:
    with suppress(Refused):
        parse(text)
