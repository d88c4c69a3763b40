"""Officers and second persons in chat: who may see what, and what a click does."""

import pytest

from bridge.cards import Card
from bridge.compliance import Duty, Officer
from bridge.messages import Channel
from tests.unit.bots.commands.conftest import TENANT, Office

DIGEST = "ab" * 32


def told(card: Card) -> str:
    fields = " ".join(f"{f.label} {f.value}" for s in card.sections for f in s.fields)
    sections = " ".join(f"{s.title} {s.text}" for s in card.sections)
    return f"{card.title} {card.text} {sections} {fields}"


async def test_officers_see_each_other_and_others_learn_their_own_name(
    office: Office, here: Channel
) -> None:
    await office.type(here, "officers assign cli:ada read")
    stranger = await office.type(here, "officers", "somebody")
    name = f"{here.platform}:{here.team}/somebody"
    office.trusted.given[name] = {Duty.HOLD}

    seen = await office.type(here, "officers", "somebody")

    assert stranger.title == "You may not do that"
    assert name in stranger.text
    assert "cli:ada" not in told(stranger)
    assert seen.title == "2 officers"
    assert "cli:ada read" in told(seen)


async def test_only_who_assigns_gives_and_takes_duties(
    office: Office, here: Channel
) -> None:
    given = await office.type(here, "officers assign cli:ada read")
    refused = await office.type(here, "officers assign cli:eve read", "somebody")
    taken = await office.type(here, "officers revoke cli:ada read")

    assert given.title == taken.title == "Done"
    assert refused.title == "That did not work"
    assert office.trusted.given == {"cli:ada": set()}
    assert office.trusted.refused == [
        (f"{here.platform}:{here.team}/somebody", Duty.ASSIGN)
    ]


async def test_what_waits_has_buttons_but_for_whoever_asked(
    office: Office, here: Channel
) -> None:
    me = Officer(f"{here.platform}:{here.team}/admin")
    mine = await office.trusted.ask(TENANT, me, "export mine", DIGEST)
    theirs = await office.trusted.ask(TENANT, Officer("cli:ada"), "theirs", "cd" * 32)

    card = await office.type(here, "approvals")
    done = await office.type(here, card.buttons[0].command)
    own = await office.type(here, f"approve {mine}")

    assert card.title == "2 acts wait"
    assert [button.command for button in card.buttons] == [
        f"approve {theirs}",
        f"refuse {theirs}",
    ]
    assert (done.title, done.text) == ("Approved", "theirs")
    assert own.title == "That did not work"
    assert office.trusted.agreed == {theirs}


async def test_what_waits_is_for_who_may_approve(office: Office, here: Channel) -> None:
    await office.trusted.ask(TENANT, Officer("cli:ada"), "export", DIGEST)

    for line in ("approvals", f"approve A-{DIGEST[:8]}", f"refuse A-{DIGEST[:8]}"):
        card = await office.type(here, line, "somebody")
        assert card.title == "That did not work"
    assert office.trusted.agreed == set()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("approve", "Say which one"),
        ("refuse one two", "Say which one"),
        ("approve A-none", "no approval"),
        ("officers assign cli:ada", "officers assign OFFICER DUTY"),
        ("officers burn cli:ada read", "officers assign OFFICER DUTY"),
    ],
)
async def test_what_is_not_understood_is_told(
    office: Office, here: Channel, line: str, why: str
) -> None:
    card = await office.type(here, line)

    assert card.title == "That did not work"
    assert why in card.text
