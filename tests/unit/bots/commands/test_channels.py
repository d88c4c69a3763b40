"""Admins of the organisation manage its channels from chat; every change is on record."""

import pytest

from bots.commands.base import Commands, Request
from bots.commands.channels import Channels
from bots.commands.organisations import Organisations
from bridge.cards import Card, Tone
from bridge.errors import Ambiguous, Refused
from bridge.messages import Channel, Person, Platform
from tests.fakes_organisation import FakeAudit
from tests.unit.bots.commands.conftest import FALCON, TENANT, Office

CHANGES = [
    ("create launch acme-labs", "create the channel launch in Acme Labs"),
    ("create launch T03LABS private", "create the private channel launch in Acme Labs"),
    ("rename vault safe", "rename vault (C23VAULT) to safe"),
    ("unarchive vault", "unarchive vault (C23VAULT)"),
    ("archive vault confirm", "archive vault (C23VAULT)"),
    ("delete vault confirm", "delete vault (C23VAULT)"),
    ("share vault acme Acme-Sales", "share vault (C23VAULT) with Acme, Acme Sales"),
    ("move vault acme confirm", "move vault (C23VAULT) to Acme"),
    ("invite vault @bob", "let bob into vault (C23VAULT)"),
    ("remove vault @bob", "put bob out of vault (C23VAULT)"),
    ("connect vault S1", "let vault (C23VAULT) follow the group S1"),
]
DANGEROUS = ["archive vault", "delete vault", "move vault acme-sales"]


@pytest.mark.parametrize(("line", "text"), CHANGES)
async def test_a_change_is_logged_before_and_after(
    office: Office, here: Channel, line: str, text: str
) -> None:
    card = await office.type(here, f"channels {line}")

    assert card.tone is Tone.GOOD
    assert office.audit.lines == [f"{here.platform}:admin wants to {text}", "0 done"]


@pytest.mark.parametrize(("line", "_text"), CHANGES)
async def test_nothing_is_changed_that_could_not_be_logged(
    office: Office, here: Channel, line: str, _text: str
) -> None:
    before = dict(office.organisation.known)
    office.audit.most = 0

    card = await office.type(here, f"channels {line}")

    assert (card.title, card.text) == ("That did not work", "the log is down")
    assert office.organisation.known == before
    assert office.organisation.inside == office.organisation.following == {}


@pytest.mark.parametrize(("line", "_text"), CHANGES)
async def test_who_administers_one_workspace_only_may_not(
    office: Office, here: Channel, line: str, _text: str
) -> None:
    before = dict(office.organisation.known)
    office.rights[here.platform].admins.add("lead")

    card = await office.type(here, f"channels {line}", who="lead")

    assert card.title == "You may not do that"
    assert "whole organisation" in card.text
    assert (office.audit.lines, office.organisation.known) == ([], before)


@pytest.mark.parametrize("line", ["channels", "workspaces", "sessions reset @bob"])
async def test_even_looking_is_for_admins_and_unknown_rights_deny(
    office: Office, here: Channel, line: str
) -> None:
    denied = await office.type(here, line, who="somebody")
    office.organisation.down = True
    unknown = await office.type(here, line)

    assert denied.title == "You may not do that"
    assert unknown.title == "That did not work"
    assert unknown.sections == denied.sections == ()


@pytest.mark.parametrize("line", DANGEROUS)
async def test_dangerous_changes_take_two_goes(
    office: Office, here: Channel, line: str
) -> None:
    before = dict(office.organisation.known)

    asked = await office.type(here, f"channels {line}")

    assert (asked.title, office.organisation.known) == ("Are you sure?", before)
    assert office.audit.lines == []
    [button] = asked.buttons
    assert button.command == f"channels {line} confirm"
    assert (await office.type(here, button.command)).tone is Tone.GOOD
    assert office.organisation.known != before


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (Refused("a setting forbids it"), "0 refused: a setting forbids it"),
        (Ambiguous("no answer came"), "0 unknown: no answer came"),
    ],
)
async def test_how_a_change_failed_is_logged_and_told(
    office: Office, here: Channel, failure: Refused, outcome: str
) -> None:
    office.organisation.failure = failure

    card = await office.type(here, "channels rename vault safe")

    assert (card.tone, card.text) == (Tone.BAD, str(failure))
    assert office.audit.lines[1:] == [outcome]


async def test_an_outcome_that_cannot_be_logged_is_said_to_be_done(
    office: Office, here: Channel
) -> None:
    office.audit.most = 1

    card = await office.type(here, "channels rename vault safe")

    assert "It was done" in card.text
    assert office.organisation.known["C23VAULT"].name == "safe"


async def test_sharing_keeps_the_workspaces_that_there_were(
    office: Office, here: Channel
) -> None:
    await office.type(here, "channels share vault acme")
    await office.type(here, "channels share vault acme-sales")

    seen = office.organisation.known["C23VAULT"].workspaces
    assert seen == ("T03LABS", "T01ACME", "T04SALES")


async def test_who_could_not_be_let_in_is_named(office: Office, here: Channel) -> None:
    part = await office.type(here, "channels invite vault @bob stranger")
    nobody = await office.type(here, "channels invite vault stranger")

    assert (part.title, part.text) == ("Done in part", "1 person is in vault now.")
    assert nobody.tone is Tone.BAD
    assert office.organisation.inside["C23VAULT"] == ["bob"]
    assert office.audit.lines[-1].startswith("2 refused")


async def test_the_lists_name_channels_workspaces_and_groups(
    office: Office, here: Channel
) -> None:
    office.organisation.following["C23VAULT"] = ["S1"]

    everything = await office.type(here, "channels")
    labs = await office.type(here, "channels list acme")
    spaces = await office.type(here, "workspaces")
    groups = await office.type(here, "channels groups vault")

    assert everything.title == "2 channels"
    assert [one.title for one in everything.sections] == ["lab-notes", "vault"]
    assert everything.sections[0].fields[1].value == "Acme Labs"
    assert everything.sections[0].fields[2].value == "public, 1 member"
    assert labs.title == "0 channels in Acme"
    assert [one.title for one in spaces.sections] == ["Acme", "Acme Labs", "Acme Sales"]
    assert groups.sections[0].fields[0].value == "S1"


async def test_a_workspace_that_does_not_exist_is_answered_with_those_that_do(
    office: Office, here: Channel
) -> None:
    card = await office.type(here, "channels create x nowhere")

    assert "acme, acme-labs, acme-sales" in card.text


async def test_sessions_are_reset_on_the_second_go(
    office: Office, here: Channel
) -> None:
    asked = await office.type(here, "sessions reset @bob")
    before = list(office.organisation.signed_out)
    done = await office.type(here, asked.buttons[0].command)
    wrong = await office.type(here, "sessions bob")

    assert (asked.title, before) == ("Are you sure?", [])
    assert (done.tone, office.organisation.signed_out) == (Tone.GOOD, ["bob"])
    assert "sessions reset PERSON" in wrong.text
    assert len(office.audit.lines) == 2


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        (Platform.SLACK, "set ATOM_SLACK_ADMIN_TOKEN"),
        (Platform.TEAMS, "ATOM_TEAMS_ADMIN_APP_ID"),
    ],
)
async def test_without_an_admin_app_it_is_said_what_to_set(
    platform: Platform, said: str
) -> None:
    commands = Commands((Channels(Organisations({}, FakeAudit())),))
    here = FALCON[platform]

    card: Card = await commands.answer(
        Request(TENANT, here, Person(platform, "admin"), "channels list")
    )

    assert said in card.text
