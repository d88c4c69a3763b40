"""Slack's reaction names lead to emoji, and emoji back to names."""

import pytest
from emoji import EMOJI_DATA
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.emoji_reactions import emoji_of, names_for
from bridge.emoji import standard


@pytest.mark.parametrize(
    ("name", "emoji"),
    [
        ("+1", "👍"),
        ("thumbsup", "👍"),
        ("heart", "❤️"),
        ("wave::skin-tone-3", "👋🏼"),
        ("flag-at", "🇦🇹"),
        ("party_parrot", ":party_parrot:"),
        ("party_parrot::skin-tone-3", ":party_parrotskin-tone-3:"),
    ],
)
def test_a_name_is_an_emoji_or_stays_a_name(name: str, emoji: str) -> None:
    assert emoji_of(name) == emoji


@pytest.mark.parametrize(
    ("emoji", "name"),
    [
        ("👍", "+1"),
        ("🎉", "tada"),
        ("🇦🇹", "flag-at"),
        ("👋🏼", "wave::skin-tone-3"),
        ("🖐🏽", "raised_hand_with_fingers_splayed::skin-tone-4"),
        (":party_parrot:", "party_parrot"),
    ],
)
def test_the_likeliest_name_comes_first(emoji: str, name: str) -> None:
    assert names_for(emoji)[0] == name


@given(st.sampled_from(sorted({standard(char) for char in EMOJI_DATA})))
def test_every_name_leads_back_to_its_emoji(emoji: str) -> None:
    assert {emoji_of(name) for name in names_for(emoji)} <= {emoji}


def test_every_emoji_has_a_name() -> None:
    every = {standard(char) for char in EMOJI_DATA}

    assert [emoji for emoji in every if not names_for(emoji)] == []


@given(st.text())
def test_any_name_is_one_word(name: str) -> None:
    assert len(emoji_of(name).split()) == 1
