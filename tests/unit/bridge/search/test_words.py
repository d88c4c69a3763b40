"""Text becomes words of which nothing is lost and nothing is found that is not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.search.matching import holds
from bridge.search.syntax import Near, Phrase, Wild
from bridge.search.words import CHUNK, Elements, index_words, joined, pieces

SAME = [
    ("Ärger", "arger"),
    ("ＡＢＣ１２", "abc12"),
    ("Straße", "STRASSE"),
    ("Søren", "soren"),
    ("naïve", "NAI\u0308VE"),
    ("مُحَمَّد", "محمد"),
    ("أحمد", "احمد"),
    ("شـــكرا", "شكرا"),
    ("שָׁלוֹם", "שלום"),
    ("👍🏽", "👍"),
    ("❤️", "❤"),
    ("👩🏽‍💻", "👩‍💻"),
    ("ＫＡｶﾀｶﾅ", "kaカタカナ"),
    ("ça\u00adva", "cava"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_that_people_take_for_the_same_are(one: str, other: str) -> None:
    assert index_words(one) == index_words(other) != []


DIFFERENT = [("が", "か"), ("हिन्दी", "हन्द"), ("🎉", "🎊"), ("🇩🇪", "🇫🇷"), ("กิน", "กาน")]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_spellings_that_differ_in_a_letter_do_not(one: str, other: str) -> None:
    assert index_words(one) != index_words(other)


def test_each_emoji_is_a_word_and_a_joined_one_is_one() -> None:
    assert index_words("ok🎉🎉 👨‍👩‍👧🇩🇪🇫🇷!") == ["ok", "🎉", "🎉", "👨‍👩‍👧", "🇩🇪", "🇫🇷"]


FOUND = [
    (Phrase("東京"), "京東京都に", True),
    (Phrase("京都"), "東京都", True),
    (Phrase("東都"), "東京都", False),
    (Phrase("都"), "東京都", True),
    (Phrase("東"), "東京都", True),
    (Phrase("東京 大阪"), "東京大阪", False),
    (Phrase("東京 ok"), "大東京 OK!", True),
    (Phrase("user_id"), "the User-ID", True),
    (Phrase("c"), "C++", True),
    (Wild("rel*"), "the Release", True),
    (Wild("rel*"), "frelease", False),
    (Wild("te?t"), "text", True),
    (Wild("te?t"), "teest", False),
    (Wild("re*se"), "release", True),
    (Wild("e-ma*"), "E Mails", True),
    (Near(Phrase("a"), Phrase("b"), 1), "a x b", True),
    (Near(Phrase("a"), Phrase("b"), 0), "a x b", False),
    (Near(Phrase("a"), Phrase("b"), 1), "b x a", True),
    (Near(Phrase("a"), Phrase("b"), 1, ordered=True), "b x a", False),
    (Near(Phrase("東京"), Phrase("b"), 0), "東京 b", True),
    (Near(Phrase("東"), Phrase("b"), 1), "東京 b", True),
    (Near(Phrase("東"), Phrase("b"), 0), "東京 b", False),
    (Near(Phrase("a a"), Phrase("a"), 0), "a a", False),
]


@pytest.mark.parametrize(("asked", "text", "there"), FOUND)
def test_what_is_asked_for_is_found_where_it_stands(
    asked: Phrase | Wild | Near, text: str, *, there: bool
) -> None:
    assert holds(asked, index_words(text), []) is there


def test_no_phrase_spans_two_file_names() -> None:
    names = joined(["annual report.pdf", "plan.doc"])

    assert holds(Phrase("report pdf"), [], names)
    assert not holds(Phrase("pdf plan"), [], names)


def test_a_word_that_is_too_long_for_a_database_is_found_whole_only() -> None:
    word = "x" * (2 * CHUNK + 50)
    words = index_words(word)

    assert max(map(len, words)) <= CHUNK + 2
    assert holds(Phrase(word), words, [])
    assert not holds(Phrase(word[:-1]), words, [])
    assert not holds(Phrase(word[: 2 * CHUNK]), words, [])
    assert not holds(Phrase("x" * 50), words, [])


@given(st.text(), st.text())
def test_every_part_of_a_text_is_found_in_it(before: str, text: str) -> None:
    whole = f"{before} {text}"
    try:
        asked = Elements.of(text)
    except BadInput:
        assert not pieces(text)
        return

    assert next(asked.starts(index_words(whole)), -1) >= 0


@given(st.text())
def test_words_hold_nothing_that_a_database_would_cut_or_refuse(text: str) -> None:
    for word in index_words(text):
        assert word
        assert not any(c.isspace() or c == "\0" or c in "\"'\\" for c in word)
        assert word.encode()


@given(
    st.text(alphabet="ab東京👍é‍🏽🇩 ", max_size=12), st.text(alphabet="東京", min_size=1)
)
def test_a_run_without_spaces_is_found_exactly_where_it_is_part(
    text: str, part: str
) -> None:
    # What only joins or colours glyphs does not keep words apart.
    seen = text.translate(dict.fromkeys(map(ord, "\u200d🏽")))
    assert holds(Phrase(part), index_words(text), []) is (part in seen)
