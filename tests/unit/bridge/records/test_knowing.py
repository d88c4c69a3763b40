"""Addresses, hosts and names in the form in which they are compared."""

import string
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.records.knowing import (
    Clue,
    ClueKind,
    asked,
    clues,
    hostname,
    is_shown_by,
    mailbox,
    name_words,
    site,
)
from bridge.records.model import (
    PUBLIC,
    Fact,
    Record,
    RecordRef,
    Revision,
    Status,
    System,
)

MAIL, SITE, WORD = ClueKind.MAIL, ClueKind.SITE, ClueKind.WORD
LABELS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
HOSTS = st.builds(lambda a, b: f"{a}.x{b}", LABELS, LABELS)
LOCALS = st.text(string.ascii_letters + string.digits + "+._-", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Hank@GLOBEX.example ", "hank@globex.example"),
        ("hank+crm@globex.example", "hank+crm@globex.example"),
        ("info@Bücher.example", "info@xn--bcher-kva.example"),
        ("info@XN--BCHER-KVA.example", "info@xn--bcher-kva.example"),
        ("hank@globex.example.", "hank@globex.example"),
        ("zoe\u0308@x.example", "zoë@x.example"),
        ("ZOË@x.example", "zoË@x.example"),
        ("hank", ""),
        ("hank@", ""),
        ("@globex.example", ""),
        ("hank@globex", ""),
        ("hank@10.0.0.1", ""),
        ("a b@globex.example", ""),
        ("a\u200bb@globex.example", ""),
        ("a@b@globex.example", ""),
        ("hank@glo bex.example", ""),
        ("h" * 250 + "@globex.example", ""),
        ("", ""),
    ],
)
def test_an_address_has_one_form(text: str, same: str) -> None:
    assert mailbox(text) == same


@given(LOCALS, HOSTS)
def test_case_makes_no_other_address(local: str, host: str) -> None:
    assert mailbox(f"{local}@{host}") == mailbox(f"{local.upper()}@{host.upper()}")


@given(LOCALS, HOSTS)
def test_a_plus_sign_makes_another_address(local: str, host: str) -> None:
    assert mailbox(f"{local}+x@{host}") != mailbox(f"{local}@{host}")


@given(st.text() | st.builds("{}@{}".format, st.text(), st.text() | HOSTS))
@example("ẖ@x.example")
@example("H\u0331@x.example")
@example("\u212a@x.example")
@example("\ud800@x.example")
def test_any_text_has_a_form_that_stays(text: str) -> None:
    once = mailbox(text)

    assert mailbox(once) == once
    assert site(site(text)) == site(text)
    assert hostname(hostname(text)) == hostname(text)


@given(st.text(st.characters(min_codepoint=128), min_size=1, max_size=4))
def test_letters_that_look_alike_are_not_the_same(other: str) -> None:
    found = mailbox(f"{other}@globex.example")

    if found.isascii() and found:
        # Unicode itself says that these are one character: the Kelvin sign is a K.
        assert mailbox(found) == found
        assert "\u212a" in other or "\u212b" in other
    else:
        assert found != "a@globex.example"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://www.Globex.example:443/en?x=1#y", "globex.example"),
        ("www.globex.example", "globex.example"),
        ("globex.example/", "globex.example"),
        ("HTTP://GLOBEX.EXAMPLE", "globex.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("https://shop.globex.example", "shop.globex.example"),
        ("www.example", "www.example"),
        ("globex", ""),
        ("http://[::1", ""),
        ("http://user@globex.example", ""),
        ("see globex.example", ""),
        ("javascript:alert(1)", ""),
        ("10.0.0.1", ""),
        ("", ""),
    ],
)
def test_a_page_has_one_host(text: str, host: str) -> None:
    assert site(text) == host


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("hank@globex.example", {MAIL}),
        ("globex.example", {SITE}),
        ("https://globex.example/x", {SITE}),
        ("Hank Scorpio", {WORD}),
        ("!!!", set()),
        ("x", set()),
    ],
)
def test_a_search_asks_for_one_kind_of_clue(words: str, kind: set[ClueKind]) -> None:
    assert {clue.kind for clue in asked(words)} == kind


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Zoë Müller", "ZOE MULLER"),
        ("Łukasz Ørsted", "lukasz orsted"),
        ("J. Scorpio", "scorpio"),
        ("田中太郎", "田中"),
        ("Globex & Sons", "sons globex"),
        ("Ünal-Şahin", "sahin unal"),
    ],
)
def test_names_are_found_as_readers_compare_them(name: str, words: str) -> None:
    assert asked(words)
    assert asked(words) <= clues([name])


@given(st.text(min_size=1))
def test_a_name_is_found_by_itself(name: str) -> None:
    wanted = asked(name)

    if {clue.kind for clue in wanted} == {WORD}:
        assert wanted <= clues([name])


@given(st.text())
def test_no_initial_is_a_word(text: str) -> None:
    assert all(len(word) > 1 or not word.isascii() for word in name_words(text))


def test_a_record_has_few_clues_however_long_its_name_is() -> None:
    words = " ".join(f"word{n}" for n in range(1000))

    assert len(clues([words])) == 24


HANK = Record(
    RecordRef(System.SALESFORCE, "crm", "contact", "0035g00000000AAAAA"),
    "Contact",
    "Hank Scorpio",
    Status(""),
    Revision(1),
    1,
    facts=(
        Fact("email", "Email", "Hank@Globex.example", "personal"),
        Fact("website", "Website", "www.globex.example"),
    ),
)
EVERY = frozenset({PUBLIC, "personal"})


@pytest.mark.parametrize(
    ("words", "classes", "shown"),
    [
        ("hank@globex.example", EVERY, True),
        ("hank@globex.example", {PUBLIC}, False),
        ("hank@globex.exampl", EVERY, False),
        ("globex.example", {PUBLIC}, True),
        ("scorpio hank", {PUBLIC}, True),
        ("scorpio", {"personal"}, False),
        ("scorpio peter", EVERY, False),
        ("!!!", EVERY, False),
    ],
)
def test_only_what_is_seen_shows_a_clue(
    *, words: str, classes: frozenset[str], shown: bool
) -> None:
    assert is_shown_by(HANK, asked(words), frozenset(classes)) is shown


def test_a_field_that_an_account_does_not_see_shows_nothing() -> None:
    bare = replace(HANK, facts=())

    wanted = frozenset({Clue(MAIL, "hank@globex.example")})
    assert not is_shown_by(bare, wanted, EVERY)
