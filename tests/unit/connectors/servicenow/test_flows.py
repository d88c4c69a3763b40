"""From a message to a written record: the desk and ServiceNow's connector together."""

from dataclasses import dataclass

import pytest

from bridge.records.model import System
from bridge.records.ports import Access, NotConnected
from tests.records_world import (
    ALICE,
    CAROL,
    FakeShown,
    asker,
    said,
)
from tests.records_world import World as Desk
from tests.unit.connectors.servicenow.world import INC1, World

_ACCOUNTS = {"p-alice": "erin", "p-carol": "bob"}


@dataclass
class Accounts:
    """Whose account of the stand-in is whose. The integration has one of its own."""

    snow: World

    def integration(self, tenant: str, system: System, instance: str) -> Access:
        return self.snow.as_("erin")

    async def of(
        self, tenant: str, person: str, system: System, instance: str
    ) -> Access:
        if person not in _ACCOUNTS:
            raise NotConnected("not connected")
        return self.snow.as_(_ACCOUNTS[person])


@pytest.fixture
async def desk(snow: World) -> Desk:
    return Desk(snow.records, accesses=Accounts(snow))  # type: ignore[arg-type]


async def test_a_number_in_a_message_is_edited_from_its_card(
    desk: Desk, snow: World
) -> None:
    await desk.mentions.noticed(said("see INC0010001"))
    [card] = desk.slack.shown
    assert card.key == "INC0010001"
    shown = FakeShown()
    await desk.desk.clicked(asker(ALICE), desk.token(card, "edit"), shown)
    [(form, token)] = shown.forms
    told = next(each for each in form.inputs if each.id == "short_description")

    done = FakeShown()
    values = {"short_description": f"{told.value}, again"}
    await desk.desk.submitted(asker(ALICE), token, values, done)
    desk.clock.pass_(10)
    await desk.settle()

    assert not done.wrongs
    assert done.texts == ["Edited: INC0010001."]
    row = snow.row("incident", INC1.id)
    assert row["short_description"] == values["short_description"]
    assert row["sys_updated_by"] == "erin"
    assert desk.slack.shown[0].title == desk.teams.shown[0].title
    assert desk.slack.shown[0].title.endswith(", again")


async def test_d1_two_people_see_what_each_wrote(desk: Desk, snow: World) -> None:
    await desk.mentions.noticed(said("see INC0010001"))
    shown = FakeShown()
    token = desk.token(desk.slack.shown[0], "edit")
    await desk.desk.clicked(asker(ALICE), token, shown)
    theirs = {"short_description": "Bob says so"}
    snow.stand_in.instance.update("incident", INC1.id, theirs, "bob")

    saved = FakeShown()
    values = {"short_description": "Alice says so"}
    await desk.desk.submitted(asker(ALICE), shown.forms[0][1], values, saved)

    [(compared, then)] = saved.forms
    assert "yours Alice says so · now Bob says so" in compared.note
    over = FakeShown()
    await desk.desk.submitted(asker(ALICE), then, {"resolution": "overwrite"}, over)
    assert over.texts == ["Edited: INC0010001."]
    assert snow.row("incident", INC1.id)["short_description"] == "Alice says so"


async def test_a_search_finds_it_as_the_person(desk: Desk) -> None:
    found = await desk.desk.find(asker(CAROL), "INC0010001", 30.0)

    assert [card.key for card in found.cards][:1] == ["INC0010001"]
