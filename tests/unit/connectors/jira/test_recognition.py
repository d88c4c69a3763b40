"""Keys and links of issues are found where people write them, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from connectors.jira.recognition import key_in, mentions
from connectors.jira.site import Site

SITE = Site("acme", URL("https://acme.atlassian.net"), frozenset({"ACME", "OPS_2"}))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("ACME-42", ["ACME-42"]),
        ("see ACME-42, ACME-43 and (OPS_2-7).", ["ACME-42", "ACME-43", "OPS_2-7"]),
        ("*ACME-42*: done", ["ACME-42"]),
        ("ACME-42's owner", ["ACME-42"]),
        ("https://acme.atlassian.net/browse/ACME-42", ["ACME-42"]),
        ("<https://acme.atlassian.net/browse/acme-42?focusedId=1|it>", ["ACME-42"]),
        ("https://acme.atlassian.net/jira/x?selectedIssue=ACME-9.", ["ACME-9"]),
        ("https://acme.atlassian.net:443/browse/ACME-42)", ["ACME-42"]),
        ("UTF-8, COVID-19 and SECRET-1", []),
        ("acme-42 ACME-042 ACME-0 XACME-42 ACME-42X ACME-42-B", []),
        ("path/ACME-42 ACME-42/path ACME-42.html me@ACME-42", []),
        ("https://evil.example/browse/ACME-42", []),
        ("https://acme.atlassian.net.evil.example/browse/ACME-42", []),
        ("https://acme.atlassian.net@evil.example/browse/ACME-42", []),
        ("http://acme.atlassian.net/browse/ACME-42", []),
        ("https://acme.atlassian.net/browse/ACME-42/../../x", []),
        ("https://acme.atlassian.net/browse/SECRET-1", []),
        ("https://[broken/browse/ACME-42", []),
    ],
)
def test_what_is_named_is_found(text: str, keys: list[str]) -> None:
    assert [each.key for each in mentions(text, SITE)] == keys


@given(st.text(max_size=80), st.text(max_size=80))
def test_places_are_those_in_the_text(before: str, after: str) -> None:
    text = f"{before} ACME-42 {after}"

    for each in mentions(text, SITE):
        named = text[each.start : each.end]
        assert each.key.casefold() in named.casefold()
        assert each.key.partition("-")[0] in SITE.projects


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("acme-42", "ACME-42"),
        (" ACME-42 ", "ACME-42"),
        ("ACME-42 x", ""),
        ("SECRET-1", ""),
    ],
)
def test_a_key_alone_is_what_is_looked_for(words: str, key: str) -> None:
    assert key_in(words, SITE) == key
