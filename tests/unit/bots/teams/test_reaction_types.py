"""Teams' reaction ids lead to emoji, and emoji back to ids."""

import pytest
from emoji import EMOJI_DATA
from hypothesis import given
from hypothesis import strategies as st

from bots.teams.reaction_types import emoji_of, kind_of
from bridge.emoji import standard


@pytest.mark.parametrize(
    ("kind", "emoji"),
    [
        ("like", "👍"),
        ("heart", "❤️"),
        ("laugh", "😆"),
        ("surprised", "😮"),
        ("sad", "🙁"),
        ("angry", "😠"),
        ("1f44b_wavinghand", "👋"),
        ("1f44b_wavinghand-tone2", "👋🏼"),
        ("2705_whiteheavycheckmark", "✅"),
        ("2639_frowningface", "☹️"),
        ("like-tone5", "👍🏿"),
        ("victory-tone1", "✌🏻"),
        ("rainbowheart2", ":rainbowheart2:"),
        ("41_letter", ":41_letter:"),
        ("ffffff_beyond", ":ffffff_beyond:"),
        ("acme parrot;0-weu-d1", ":acmeparrot;0-weu-d1:"),
    ],
)
def test_an_id_is_an_emoji_or_stays_a_name(kind: str, emoji: str) -> None:
    assert emoji_of(kind) == emoji


@pytest.mark.parametrize(
    ("emoji", "kind"),
    [
        ("👍", "like"),
        ("🎉", "1f389_partypopper"),
        ("👋🏼", "1f44b_wavinghand-tone2"),
        ("✌🏻", "victory-tone1"),
        ("🦖", ""),
        (":party_parrot:", ""),
    ],
)
def test_teams_is_asked_only_for_ids_that_are_known(emoji: str, kind: str) -> None:
    assert kind_of(emoji) == kind


@given(st.sampled_from(sorted({standard(char) for char in EMOJI_DATA})))
def test_an_id_leads_back_to_its_emoji(emoji: str) -> None:
    kind = kind_of(emoji)

    assert not kind or emoji_of(kind) == emoji


@given(st.text())
def test_any_id_is_one_word(kind: str) -> None:
    assert len(emoji_of(kind).split()) == 1
