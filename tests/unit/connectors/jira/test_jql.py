"""Whatever people type, it stays inside one string of a query."""

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.jira.jql import about, one_of, quoted, words_of
from connectors.sandbox.jira.jql import _tokens, parsed

DOCUMENT = {
    "id": "1",
    "key": "SECRET-1",
    "project": ["SECRET"],
    "summary": ["a b c"],
    "description": [],
    "comment": [],
}


@given(st.text(max_size=200))
@example('" OR project = SECRET')
@example("\\")
@example('\\" OR key = SECRET-1 OR text ~ \\"')
@example("x') OR (project = SECRET")
@example("a\x00b")
def test_a_value_is_one_string_and_means_itself(value: str) -> None:
    [token] = _tokens(quoted(value))

    assert (token.kind, token.text) == ("string", value)


@given(st.text(min_size=1, max_size=200))
@example('" OR project = SECRET OR text ~ "')
@example("a OR b")
@example("* ?")
def test_a_search_never_leaves_the_projects(text: str) -> None:
    words = words_of(text)
    query = parsed(about(words, ["ACME"]), "me", 0.0)

    assert query.bounded
    assert not query.test(DOCUMENT)
    assert all(word.isidentifier() or word.isalnum() or "_" in word for word in words)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_lists_hold_as_many_values_as_were_given(values: list[str]) -> None:
    tokens = _tokens(one_of("key", values))

    strings = [each.text for each in tokens if each.kind == "string"]
    assert strings == sorted(values)


@given(st.text(max_size=10_000))
def test_searches_have_few_words(text: str) -> None:
    words = words_of(text)

    assert len(words) <= 10
    assert all(len(word) <= 60 for word in words)
