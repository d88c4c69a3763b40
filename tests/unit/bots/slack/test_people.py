"""What Slack's `user` object says about somebody."""

from typing import Any

import pytest

from bots.slack.people import at_home, user
from bridge.messages import PersonKind

ALICE: dict[str, Any] = {
    "id": "U01ALICE",
    "team_id": "T01ACME",
    "name": "alice",
    "real_name": "Alice Wong",
    "profile": {"display_name": "ali", "image_72": "https://avatars.example/a.png"},
}


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, PersonKind.USER),
        ({"is_bot": True}, PersonKind.BOT),
        ({"is_restricted": True}, PersonKind.GUEST),
        ({"is_ultra_restricted": True}, PersonKind.GUEST),
        ({"is_stranger": True}, PersonKind.EXTERNAL),
        ({"team_id": "T77EXT"}, PersonKind.EXTERNAL),
        (
            {"team_id": "T77EXT", "enterprise_user": {"teams": ["T01ACME"]}},
            PersonKind.USER,
        ),
    ],
)
def test_kind_of_person_follows_from_slacks_flags(
    more: dict[str, Any], kind: PersonKind
) -> None:
    assert user(ALICE | more, "T01ACME").kind is kind


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ({"display_name": "ali", "real_name": "A. W."}, "ali"),
        ({"display_name": "", "real_name": "A. W."}, "A. W."),
        ({}, "Alice Wong"),
    ],
)
def test_people_are_called_what_they_chose(profile: dict[str, str], name: str) -> None:
    assert user(ALICE | {"profile": profile}, "T01ACME").name == name


def test_person_brings_id_and_picture() -> None:
    alice = user(ALICE, "T01ACME")

    assert (alice.id, alice.avatar) == ("U01ALICE", "https://avatars.example/a.png")


@pytest.mark.parametrize("odd", [{}, {"enterprise_user": {"teams": "T01ACME"}}])
def test_odd_answers_make_nobody_a_member_of_elsewhere(odd: dict[str, Any]) -> None:
    assert not at_home({"team_id": "T77EXT"} | odd, "T01ACME")
