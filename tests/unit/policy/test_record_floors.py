"""A room's floor as ATOM's own policy engine decides it, by the rules in the manual."""

import json
import re
from pathlib import Path

import pytest
import yaml

from bots.slack import record_cards as slack
from bots.teams import record_cards as teams
from bridge.directory.model import Kind, Subject
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.records.floor import Floor, Floors, Room
from bridge.records.model import PUBLIC
from bridge.records.places import Present
from policy.cedar.bundle import Draft, build
from policy.cedar.engine import Engine
from policy.cedar.naming import FromDirectory
from policy.default import MembershipPolicy
from tests.fakes_directory import FakeDirectory
from tests.record_rendering import card
from tests.record_samples import OPPORTUNITY

GUIDE = Path(__file__).parents[3] / "docs" / "records-cards.md"
TENANT = "acme"
DEAL_DESK = Channel(Platform.SLACK, "T1", "C-DEALS")
PARTNERS = Channel(Platform.TEAMS, "19:t", "19:partners")
DANA, FINN = (Person(Platform.SLACK, name) for name in ("dana", "finn"))
GUEST = Person(Platform.TEAMS, "gus", kind=PersonKind.GUEST)
CLASSES = OPPORTUNITY.classes


@pytest.fixture
def floors() -> Floors:
    in_finance = frozenset({"group:finance"})
    people = {
        "slack:dana": Subject("p1", "Dana", confidence=2, version=1),
        "slack:finn": Subject("p2", "Finn", confidence=2, ancestors=in_finance),
        "teams:gus": Subject("p3", "Gus", confidence=2, guest=True),
    }
    things = {(Kind.GROUP, "finance"): "GG-Sales-Finance"}
    directory = FakeDirectory(TENANT, people, things)
    rules = re.search(r"```yaml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert rules
    front = json.dumps({"rules": yaml.safe_load(rules[1])})
    engine = Engine(directory, MembershipPolicy())
    engine.use(build(TENANT, Draft(front), FromDirectory(directory, TENANT), ()))
    return Floors(engine, directory.version, lambda: 0.0)


async def floor(
    floors: Floors, where: Channel, *people: Person, outsiders: bool = False
) -> Floor:
    room = Room(TENANT, where, Present(people, outsiders=outsiders))
    return await floors.of_room(room, OPPORTUNITY.ref, CLASSES)


async def test_finance_sees_amounts_where_finance_is_alone(floors: Floors) -> None:
    seen = await floor(floors, DEAL_DESK, FINN)

    assert seen.classes == {PUBLIC, "sales-finance"}


async def test_one_who_is_not_in_finance_hides_them(floors: Floors) -> None:
    seen = await floor(floors, DEAL_DESK, FINN, DANA)

    assert seen.classes == {PUBLIC}
    (hidden,) = seen.hidden
    assert hidden.person == DANA
    assert all(decision.policy for decision in seen.decisions)


async def test_amount_crosses_no_bridge_to_where_a_guest_reads(
    floors: Floors,
) -> None:
    here = await floor(floors, DEAL_DESK, FINN)
    there = await floor(floors, PARTNERS, FINN, GUEST, outsiders=True)

    shown = slack.render(card(OPPORTUNITY, here.audience()))
    copy = teams.activity(card(OPPORTUNITY, there.audience()), ("29:gus",))

    assert "€ 1,250,000" in repr(shown)
    for secret in ("1,250,000", "Commit 1.1m", "Initech", "Competitor"):
        assert secret not in json.dumps(copy, ensure_ascii=False)
    assert "Globex" in json.dumps(copy)


async def test_viewer_is_decided_for_alone(floors: Floors) -> None:
    dana = await floors.of_viewer((TENANT, DANA, "T1"), OPPORTUNITY.ref, CLASSES)
    finn = await floors.of_viewer((TENANT, FINN, "T1"), OPPORTUNITY.ref, CLASSES)

    assert dana.classes == {PUBLIC}
    assert finn.classes == {PUBLIC, "sales-finance"}
