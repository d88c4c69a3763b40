"""Where an activity happened."""

import pytest

from bots.teams.places import (
    channel_in,
    is_safe_address,
    places_in,
    root_of,
    tenant_of,
    threaded,
)
from bridge.messages import Channel, Platform
from bridge.places import Place
from tests.teams_world import FALCON, GROUP, SERVICE, TEAM, TENANT, recorded


def test_trap_tenant_comes_from_the_channel_data() -> None:
    activity = recorded("channel_message")
    del activity["conversation"]["tenantId"]

    assert tenant_of(activity) == TENANT


def test_message_tells_its_team_and_its_channel() -> None:
    assert places_in(recorded("channel_message")) == [
        Place(TENANT, TEAM, "", SERVICE, group_id=GROUP),
        Place(TENANT, TEAM, FALCON.id, SERVICE, group_id=GROUP),
    ]


def test_rename_tells_the_new_name() -> None:
    team, channel = places_in(recorded("channel_renamed"))

    assert (team.name, channel.name) == ("Acme", "Project Falcon 2")


def test_installation_tells_the_selected_channel() -> None:
    assert [place.channel for place in places_in(recorded("installed"))] == [
        "",
        FALCON.id,
    ]


def test_newer_knowledge_keeps_what_it_is_silent_about() -> None:
    known = Place(TENANT, TEAM, FALCON.id, SERVICE, "Falcon", GROUP, "standard")
    newer = Place(TENANT, TEAM, FALCON.id, "https://smba.example/emea/")

    assert known.updated(newer) == Place(
        TENANT,
        TEAM,
        FALCON.id,
        "https://smba.example/emea/",
        "Falcon",
        GROUP,
        "standard",
    )


def test_chat_is_a_channel_of_its_own() -> None:
    chat = recorded("personal_message")

    assert channel_in(chat) == Channel(Platform.TEAMS, "a:1carol", "a:1carol")
    assert [place.kind for place in places_in(chat)] == ["chat"]


def test_trap_threads_are_addressed_by_the_conversation_id() -> None:
    reply = recorded("thread_reply")

    assert root_of(reply) == "1700000000123"
    assert threaded(FALCON.id, "1700000000123") == reply["conversation"]["id"]
    assert threaded(FALCON.id, "") == FALCON.id


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://smba.trafficmanager.net/amer/", True),
        ("http://127.0.0.1:9000/teams/", True),
        ("http://localhost/", True),
        ("http://[::1]:80/", True),
        ("http://smba.trafficmanager.net/", False),
        ("http://127.0.0.1@evil.example/", False),
        ("http://127.0.0.1.evil.example/", False),
        ("ftp://127.0.0.1/", False),
        ("https://", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_tokens_travel_encrypted_or_not_at_all(url: str, *, safe: bool) -> None:
    assert is_safe_address(url) is safe
