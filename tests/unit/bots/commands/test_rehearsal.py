"""A dry run of `link` tells what would be, and leaves everything as it was."""

import pytest

from bridge.cards import Card, Tone
from bridge.messages import Channel, Platform
from bridge.outlook import Outlook
from tests.unit.bots.commands.conftest import FALCON, NAMES, RANDOM, TENANT, Office


def fields(card: Card) -> dict[str, dict[str, str]]:
    return {s.title: {f.label: f.value for f in s.fields} for s in card.sections}


def named(channel: Channel) -> str:
    return f"{NAMES[channel]} ({channel.platform.title()})"


async def test_it_tells_both_sides_and_links_nothing(
    office: Office, here: Channel, there: Channel
) -> None:
    office.rehearsal.seen = {
        here: Outlook(here, (), (), 12, 2, 1, 34),
        there: Outlook(there, (), ("no private talk",), 5, None, 0, 2000, more=True),
    }
    await office.type(here, "link")

    card = await office.type(there, "link CODE-0001 backfill=3 dry-run")

    assert "new link" in card.text
    assert "The last 3 days would be brought across." in card.text
    assert fields(card) == {
        named(here): {
            "ATOM there": "can read and post",
            "Would read": named(there),
            "People": "12, 2 of them guests or from elsewhere",
            "Kept from reading by policy": "1",
            "Said in 3 d": "34 messages",
        },
        named(there): {
            "ATOM there": "can read and post",
            "Not heard": "no private talk",
            "Would read": named(here),
            "People": "5, not known how many of them guests or from elsewhere",
            "Kept from reading by policy": "0",
            "Said in 3 d": "more than 2000 messages",
        },
    }
    assert await office.links.all(TENANT) == []
    assert len(office.links.offers) == 1
    assert not any(a.announced for a in office.announcers.values())
    assert office.wishes.open == []


async def test_the_code_is_good_afterwards(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.type(here, "link")
    await office.type(there, "link CODE-0001 dry-run")

    card = await office.type(there, "link CODE-0001")

    assert card.title == "Linked"
    assert office.rehearsal.days == [7]


async def test_missing_rights_are_told_first(
    office: Office, here: Channel, there: Channel
) -> None:
    seen = Outlook(there, ("ATOM is not in it",), unread="not_in_channel")
    office.rehearsal.seen[there] = seen
    await office.type(here, "link")

    card = await office.type(there, "link CODE-0001 dry-run")

    assert (card.title, card.tone) == ("It would not work yet", Tone.WARNING)
    told = fields(card)[named(there)]
    assert told["ATOM there"] == "ATOM is not in it"
    assert told["People"] == "not known"
    assert told["Said in 7 d"] == "cannot be read: not_in_channel"


async def test_what_would_be_refused_is_refused(office: Office) -> None:
    slack, teams = FALCON[Platform.SLACK], FALCON[Platform.TEAMS]
    far = RANDOM[Platform.TEAMS]
    await office.link(slack, teams)
    await office.link(teams, far)
    await office.type(slack, "link")

    card = await office.type(far, "link CODE-0001 dry-run")

    assert "circle" in card.text
    assert len(office.links.offers) == 1


async def test_a_link_that_would_grow_is_shown_whole(
    office: Office, here: Channel, there: Channel
) -> None:
    id_ = await office.link(here, there)
    await office.type(here, "link")

    further = RANDOM[there.platform]
    card = await office.type(further, "link CODE-0001 dry-run")

    assert f"grow link {id_}" in card.text
    assert len(card.sections) == 3
    [link] = await office.links.all(TENANT)
    assert link.channels == (here, there)


async def test_without_a_code_one_sees_ones_own_side(
    office: Office, here: Channel
) -> None:
    card = await office.type(here, "link dry-run")

    assert [*fields(card)] == [named(here)]
    assert office.links.offers == {}


@pytest.mark.parametrize("line", ["link dry-run", "link CODE-0001 dry-run"])
async def test_only_admins_may_look(office: Office, here: Channel, line: str) -> None:
    card = await office.type(here, line, who="somebody")

    assert card.title == "You may not do that"
    assert office.rehearsal.days == []
