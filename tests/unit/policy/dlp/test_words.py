"""Dictionaries find their entries as the eye reads them, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from policy.dlp.homographs import HOMOGRAPH, is_homograph, skeleton
from policy.dlp.scanner import Scanner
from policy.dlp.words import WordList, dictionary

LIST = WordList.of(["Bluebird", "project falcon", "project falcon nine", "機密"])


def _found(text: str) -> list[str]:
    return [phrase for _, _, phrase in LIST.found(text)]


def test_words_and_phrases_are_found_whatever_their_case() -> None:
    assert _found("BLUEBIRD flies; Project\nFalcon too") == [
        "bluebird",
        "project falcon",
    ]


def test_the_longest_phrase_counts() -> None:
    assert _found("the project falcon nine team") == ["project falcon nine"]


def test_parts_of_words_are_nothing() -> None:
    assert _found("bluebirds, projects, falcon") == []


def test_letters_of_another_alphabet_do_not_hide_a_word() -> None:
    assert _found("Вluеbird") == ["bluebird"]


def test_scripts_without_blanks_are_read_by_the_character() -> None:
    assert _found("これは機密です") == ["機 密"]


@given(st.lists(st.sampled_from(["bluebird", "project", "falcon", "nine", "x"])))
def test_places_are_those_of_the_text(words: list[str]) -> None:
    text = " ".join(words)

    for start, end, phrase in LIST.found(text):
        assert text[start:end] == phrase


@given(st.text())
def test_what_the_eye_reads_is_as_long_as_what_stands_there(text: str) -> None:
    assert len(skeleton(text)) == len(text)


@pytest.mark.parametrize("entry", ["", "—", "x" * 300, " ".join("abcdefghijklmnop")])
def test_entries_that_are_none_are_refused(entry: str) -> None:
    with pytest.raises(BadInput):
        WordList.of([entry])


def test_a_large_list_is_found_in_one_pass() -> None:
    many = dictionary("many", "many words", (f"word{n}" for n in range(50_000)))

    found = Scanner({"many": many}).scan("word1 word49999 word50000", b"k").findings

    assert [(f.start, f.end) for f in found] == [(0, 5), (6, 15)]


@pytest.mark.parametrize(
    ("word", "false"),
    [
        ("pаypal", True),
        ("Αda", True),
        ("Москва", False),
        ("café", False),
        ("ada", False),
    ],
)
def test_words_that_pass_for_others_are_told_from_honest_ones(
    word: str, *, false: bool
) -> None:
    assert is_homograph(word) is false
    assert bool(list(HOMOGRAPH.hits(f"a {word} b"))) is false
