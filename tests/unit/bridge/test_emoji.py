"""Each emoji has one spelling, and what has no character keeps its name."""

import pytest
from emoji import EMOJI_DATA
from hypothesis import given
from hypothesis import strategies as st

from bridge.emoji import custom, name_of, standard


@pytest.mark.parametrize("spelling", ["❤", "❤️"])
def test_however_it_is_written_an_emoji_has_one_spelling(spelling: str) -> None:
    assert standard(spelling) == "❤️"


@given(st.sampled_from(sorted(EMOJI_DATA)))
def test_the_one_spelling_of_an_emoji_is_its_own(char: str) -> None:
    assert standard(standard(char)) == standard(char) != ""


@pytest.mark.parametrize("text", ["", "a", ":tada:", "👍👍"])
def test_what_is_no_emoji_has_no_spelling(text: str) -> None:
    assert standard(text) == ""


@given(st.text())
def test_a_name_in_colons_is_one_word_and_read_back(name: str) -> None:
    emoji = custom(name)

    assert len(emoji.split()) == 1
    assert custom(name_of(emoji)) == emoji
    assert standard(emoji) == ""


def test_a_character_has_no_name_of_its_own() -> None:
    assert name_of("👍") == name_of("::") == name_of(":") == ""
