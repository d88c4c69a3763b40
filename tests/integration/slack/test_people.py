"""Names, rights and announcements, by Slack's own word."""

import pytest

from bots.slack.addresses import SlackAddresses
from bots.slack.announcer import SlackAnnouncer
from bots.slack.clients import Clients
from bots.slack.people import SlackPeople
from bots.slack.rights import SlackRights
from bridge.cards import Card
from bridge.errors import Refused, ServiceUnavailable, Throttled
from bridge.messages import Channel, Person, PersonKind, Platform
from tests.integration.slack.conftest import Slack

FALCON = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
QUIET = Channel(Platform.SLACK, "T01ACME", "C05QUIET")
BOARD = Channel(Platform.SLACK, "T01ACME", "C04BOARD")
ALICE = Person(Platform.SLACK, "U01ALICE")
BOB = Person(Platform.SLACK, "U02BOB")


async def test_people_are_known_by_name(slack: Slack, clients: Clients) -> None:
    people = SlackPeople(clients)

    found = await people.lookup(FALCON, ["U01ALICE", "UATOM", "U99NOBODY", ""])

    assert {i: p.name for i, p in found.items()} == {
        "U01ALICE": "Alice Wong",
        "UATOM": "ATOM",
    }
    assert found["UATOM"].kind is PersonKind.BOT


async def test_people_are_asked_for_once(slack: Slack, clients: Clients) -> None:
    people = SlackPeople(clients)

    for _ in range(3):
        await people.lookup(FALCON, ["U01ALICE", "U99NOBODY"])

    assert len(slack.calls("users.info")) == 2


async def test_silent_slack_makes_people_unknown_for_now(
    slack: Slack, clients: Clients
) -> None:
    people = SlackPeople(clients)
    slack.fault("slack.users.info", "503")
    assert await people.lookup(FALCON, ["U01ALICE"]) == {}

    found = await people.lookup(FALCON, ["U01ALICE"])

    assert found["U01ALICE"].name == "Alice Wong"


async def test_admins_administer_and_others_do_not(
    slack: Slack, clients: Clients
) -> None:
    rights = SlackRights(clients)

    assert await rights.is_admin(ALICE, FALCON)
    assert not await rights.is_admin(BOB, FALCON)
    assert not await rights.is_admin(Person(Platform.SLACK, "U99NOBODY"), FALCON)
    assert not await rights.is_admin(Person(Platform.TEAMS, "U01ALICE"), FALCON)


async def test_admin_of_another_workspace_is_none_here(
    slack: Slack, clients: Clients
) -> None:
    rights = SlackRights(clients)
    globex = Channel(Platform.SLACK, "T02GLOBEX", "C11GENERAL")

    assert not await rights.is_admin(ALICE, globex)


async def test_rights_that_are_taken_away_are_gone_at_once(
    slack: Slack, clients: Clients
) -> None:
    rights = SlackRights(clients)
    assert await rights.is_admin(ALICE, FALCON)

    await slack.act(action="change_user", is_admin=False)

    assert not await rights.is_admin(ALICE, FALCON)


async def test_silent_slack_does_not_say_who_administers(
    slack: Slack, clients: Clients
) -> None:
    slack.fault("slack.users.info", "503")

    with pytest.raises(ServiceUnavailable):
        await SlackRights(clients).is_admin(ALICE, FALCON)


async def test_card_is_announced_in_the_channel(slack: Slack, clients: Clients) -> None:
    await SlackAnnouncer(clients).announce(FALCON, Card("Linked", "Say hello."))

    (message,) = slack.messages()
    assert "Linked" in message["text"]
    assert message["blocks"][0]["type"] == "header"


async def test_announcer_joins_a_public_channel_first(
    slack: Slack, clients: Clients
) -> None:
    await SlackAnnouncer(clients).announce(QUIET, Card("Linked"))

    said = [m for m in slack.messages(QUIET.id) if m.get("bot_id")]
    assert "Linked" in said[-1]["text"]


async def test_private_channel_without_atom_is_refused_with_the_reason(
    slack: Slack, clients: Clients
) -> None:
    with pytest.raises(Refused, match="Slack says: "):
        await SlackAnnouncer(clients).announce(BOARD, Card("Linked"))


async def test_throttled_announcement_is_no_refusal(
    slack: Slack, clients: Clients
) -> None:
    slack.fault("slack.chat.postMessage", "429")

    with pytest.raises(Throttled):
        await SlackAnnouncer(clients).announce(FALCON, Card("Linked"))


async def test_channels_have_names(slack: Slack, clients: Clients) -> None:
    announcer = SlackAnnouncer(clients)
    unknown = Channel(Platform.SLACK, "T01ACME", "C99")

    assert await announcer.channel_name(FALCON) == "#project-falcon"
    assert await announcer.channel_name(unknown) == "C99"


async def test_atom_knows_who_it_is(slack: Slack, clients: Clients) -> None:
    identity = await clients.identity("T01ACME")

    assert (identity.bot, identity.user) == ("BATOM", "UATOM")
    assert (identity.team, identity.name) == ("T01ACME", "Acme")


async def test_messages_have_addresses_where_they_stand(
    slack: Slack, clients: Clients
) -> None:
    addresses = SlackAddresses(clients)
    said = await slack.act(action="post", text="hello")

    found = await addresses.of(FALCON, said["ts"])

    assert found.endswith(f"/archives/{FALCON.id}/p{said['ts'].replace('.', '')}")
    assert await addresses.of(FALCON, "1.0") == ""
