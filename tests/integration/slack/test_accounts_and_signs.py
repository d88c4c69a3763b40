"""Accounts, channels, groups and emoji by Slack's own word, asked for as rarely as can be."""

from collections.abc import Mapping
from typing import Any

import pytest

from bots.slack.clients import Clients
from bots.slack.people import SlackPeople
from bots.slack.signs import SlackSigns, custom_emoji
from bridge.messages import Channel, PersonKind, Platform
from bridge.naming import CustomEmoji, Seen
from tests.integration.slack.conftest import Slack

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
ALICE = "alice@acme.example"


async def test_an_account_is_found_by_its_address(
    slack: Slack, clients: Clients
) -> None:
    people = SlackPeople(clients)

    [alice] = await people.holders(FALCON, [ALICE, "nobody@acme.example"])
    again = await people.holders(FALCON, [ALICE, "nobody@acme.example"])

    assert alice.person.id == "U01ALICE"
    assert alice.addresses == {ALICE}
    assert alice.proven == frozenset()
    assert again == [alice]
    assert len(slack.calls("users.lookupByEmail")) == 2


async def test_the_address_of_an_account_is_its_confirmed_one(
    slack: Slack, clients: Clients
) -> None:
    users = slack.world.slack.users
    users["U02BOB"].email_confirmed = False
    users["U03CHEN"].is_guest = True
    users["U04DANA"].deleted = True
    people = SlackPeople(clients)

    found = await people.described(FALCON, ["U01ALICE", "U02BOB", "U03CHEN", "U04DANA"])

    assert found["U01ALICE"].addresses == {ALICE}
    assert found["U02BOB"].addresses == frozenset()
    assert found["U03CHEN"].person.kind is PersonKind.GUEST
    assert not found["U04DANA"].active


async def test_a_stranger_from_another_company_is_external(
    slack: Slack, clients: Clients
) -> None:
    channel = slack.world.slack.channels["C02FALCON"]
    channel.connected.append("T02GLOBEX")
    channel.members.append("U11GRACE")
    slack.world.slack.users["U11GRACE"].email = "carol@acme.example"

    found = await SlackPeople(clients).described(FALCON, ["U11GRACE"])

    assert found["U11GRACE"].person.kind is PersonKind.EXTERNAL


async def test_a_workspace_that_asks_to_wait_is_left_alone(
    slack: Slack, clients: Clients
) -> None:
    people = SlackPeople(clients)
    slack.fault("slack.users.lookupByEmail", "429", retry_after=30)

    for name in ("alice", "bob", "chen"):
        assert await people.holders(FALCON, [f"{name}@acme.example"]) == []

    assert len(slack.calls("users.lookupByEmail")) == 1


async def test_a_public_channel_has_a_name_and_a_private_one_only_for_its_members(
    slack: Slack, clients: Clients
) -> None:
    slack.world.slack.channels["C04BOARD"].members.append("UATOM")
    signs = SlackSigns(clients)

    seen = await signs.channels(FALCON, ["C03RANDOM", "C04BOARD", "C99NONE"])
    await signs.channels(FALCON, ["C03RANDOM", "C04BOARD", "C99NONE"])

    assert seen == {
        "C03RANDOM": Seen("random", public=True),
        "C04BOARD": Seen("board", public=False),
    }
    assert len(slack.calls("conversations.info")) == 3


async def test_groups_and_emoji_are_listed_once(slack: Slack, clients: Clients) -> None:
    signs = SlackSigns(clients)

    groups = [await signs.groups(FALCON, ["S01ENG", "S99"]) for _ in range(2)]
    emoji = [await signs.emoji(FALCON, ["party_atom", "no"]) for _ in range(2)]

    picture = CustomEmoji(url="https://emoji.example/party_atom.png")
    assert groups == [{"S01ENG": "engineers"}] * 2
    assert emoji == [{"party_atom": picture}] * 2
    assert len(slack.calls("usergroups.list")) == 1
    assert len(slack.calls("emoji.list")) == 1


async def test_silent_slack_leaves_everything_unnamed(
    slack: Slack, clients: Clients
) -> None:
    signs = SlackSigns(clients)
    for method in ("conversations.info", "usergroups.list", "emoji.list"):
        slack.fault(f"slack.{method}", "503")

    assert await signs.channels(FALCON, ["C03RANDOM"]) == {}
    assert await signs.groups(FALCON, ["S01ENG"]) == {}
    assert await signs.emoji(FALCON, ["party_atom"]) == {}


LISTED: Mapping[str, Any] = {
    "party": "https://emoji.example/party.png",
    "again": "alias:party",
    "third": "alias:again",
    "tada2": "alias:tada",
    "lost": "alias:nothing-there",
    "round": "alias:about",
    "about": "alias:round",
    "moves": "https://emoji.example/moves.GIF?v=1",
    "script": "javascript:alert(1)",
    "plain": "http://emoji.example/plain.png",
}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("party", CustomEmoji(url="https://emoji.example/party.png")),
        ("third", CustomEmoji(url="https://emoji.example/party.png")),
        ("tada2", CustomEmoji(char="🎉")),
        ("lost", CustomEmoji()),
        ("round", CustomEmoji()),
        ("moves", CustomEmoji()),
        ("script", CustomEmoji()),
        ("plain", CustomEmoji()),
        ("unknown", None),
    ],
)
def test_a_custom_emoji_shows_a_still_picture_or_a_character(
    name: str, shown: CustomEmoji | None
) -> None:
    assert custom_emoji(name, LISTED) == shown


@pytest.mark.parametrize(
    ("url", "channel"),
    [
        ("https://acme.slack.com/archives/C02FALCON", "C02FALCON"),
        ("https://acme.slack.com/archives/C02FALCON/p1700000000000100", ""),
        ("https://acme.slack.com.evil.example/archives/C02FALCON", ""),
        ("https://evil.example/archives/C02FALCON", ""),
    ],
)
def test_a_channels_own_address_opens_it(
    clients: Clients, url: str, channel: str
) -> None:
    assert SlackSigns(clients).channel_in(url) == channel
