"""A room's floor as ATOM's own policy engine decides it, by the rules in the manual."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from bots.slack import record_cards as slack
from bots.teams import record_cards as teams
from bridge.directory.model import Kind, Subject
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.records.floor import Floor, Floors, Room
from bridge.records.model import PUBLIC, Record
from bridge.records.places import Present
from bridge.records.redaction import Audience
from connectors.hr.employees import Company, Employee, record
from policy.cedar.bundle import Draft, build
from policy.cedar.engine import Engine
from policy.cedar.naming import FromDirectory
from policy.default import MembershipPolicy
from tests.fakes_directory import FakeDirectory
from tests.record_fixtures import READ_US
from tests.record_rendering import card
from tests.record_samples import OPPORTUNITY

GUIDES = Path(__file__).parents[3] / "docs"
GUIDE = GUIDES / "records-cards.md"
TENANT = "acme"
DEAL_DESK = Channel(Platform.SLACK, "T1", "C-DEALS")
PARTNERS = Channel(Platform.TEAMS, "19:t", "19:partners")
DANA, FINN = (Person(Platform.SLACK, name) for name in ("dana", "finn"))
GUEST = Person(Platform.TEAMS, "gus", kind=PersonKind.GUEST)
CLASSES = OPPORTUNITY.classes


@pytest.fixture
def floors() -> Floors:
    return floors_by(rules_in(GUIDE))


@pytest.fixture
def hr_floors() -> Floors:
    """The rules that the page on HR gives as an example are in force."""
    return floors_by(rules_in(GUIDES / "records-hr.md"))


def rules_in(guide: Path) -> object:
    rules = re.search(r"```yaml\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)
    assert rules
    return yaml.safe_load(rules[1])


def floors_by(rules: object) -> Floors:
    groups = {"finn": "finance", "hana": "hr", "hugo": "hr"}
    people = {
        f"{platform}:{name}": Subject(
            f"p-{name}",
            name.capitalize(),
            confidence=2,
            version=1,
            ancestors=frozenset({f"group:{groups[name]}"} if name in groups else ()),
        )
        for platform in Platform
        for name in ("dana", "finn", "hana", "hugo")
    }
    people["teams:gus"] = Subject("p3", "Gus", confidence=2, guest=True)
    things = {
        (Kind.GROUP, "finance"): "GG-Sales-Finance",
        (Kind.GROUP, "hr"): "GG-HR",
    }
    directory = FakeDirectory(TENANT, people, things)
    front = json.dumps({"rules": rules})
    engine = Engine(directory, MembershipPolicy())
    engine.use(build(TENANT, Draft(front), FromDirectory(directory, TENANT), ()))
    return Floors(engine, directory.version, lambda: 0.0)


async def floor(
    floors: Floors,
    where: Channel,
    *people: Person,
    outsiders: bool = False,
    of: Record = OPPORTUNITY,
) -> Floor:
    room = Room(TENANT, where, Present(people, outsiders=outsiders))
    return await floors.of_room(room, of.ref, of.classes)


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


HR_DESK = Channel(Platform.TEAMS, "19:t", "19:hr")
HANA, HUGO = (Person(Platform.TEAMS, name) for name in ("hana", "hugo"))
NORA = record(
    Employee(
        "121",
        "Nora Feld",
        "Financial Analyst",
        "Finance",
        "Dana Fox",
        "Hamburg",
        start="2027-01-04",
        last_day="2027-03-31",
    ),
    Company("people", "https://hr.acme.example/people/{id}"),
    date(2026, 12, 1),
    READ_US,
)
KEPT = ("Nora Feld", "2027-03-31", "Last day")


def pictures(of: Record, audience: Audience) -> dict[str, str]:
    """Return what goes out on either platform for an audience."""
    made = card(of, audience)
    return {
        "slack": repr(slack.render(made)),
        "teams": json.dumps(teams.activity(made, ()), ensure_ascii=False),
    }


async def test_a_room_sees_what_hr_knows_only_if_all_of_it_are_hr(
    hr_floors: Floors,
) -> None:
    alone = await floor(hr_floors, HR_DESK, HANA, HUGO, of=NORA)
    mixed = await floor(hr_floors, HR_DESK, HANA, DANA, of=NORA)

    assert alone.classes == {PUBLIC, "hr"}
    assert mixed.classes == {PUBLIC}
    for platform, shown in pictures(NORA, alone.audience()).items():
        assert all(secret in shown for secret in KEPT), platform
    for platform, shown in pictures(NORA, mixed.audience()).items():
        assert not [secret for secret in KEPT if secret in shown], platform
        assert "Financial Analyst" in shown, platform


async def test_hr_sees_more_of_an_employee_alone_than_others_do(
    hr_floors: Floors,
) -> None:
    hana = await hr_floors.of_viewer((TENANT, HANA, "T1"), NORA.ref, NORA.classes)
    dana = await hr_floors.of_viewer((TENANT, DANA, "T1"), NORA.ref, NORA.classes)

    for platform, shown in pictures(NORA, hana.audience(viewer=True)).items():
        assert all(secret in shown for secret in KEPT), platform
    for platform, shown in pictures(NORA, dana.audience(viewer=True)).items():
        assert not [secret for secret in KEPT if secret in shown], platform


@pytest.mark.parametrize("rules", [[], None], ids=["no rules", "no directory"])
async def test_without_rules_of_ones_own_only_what_is_public_is_shown(
    rules: list[object] | None,
) -> None:
    """Rooms, and everybody of HR's: both are read with ATOM's own account."""
    floors = (
        Floors(MembershipPolicy(), lambda _: "1", lambda: 0.0)
        if rules is None
        else floors_by(rules)
    )
    deal, person = OPPORTUNITY, NORA
    desk = await floor(floors, DEAL_DESK, FINN)
    hr = await floor(floors, HR_DESK, HANA, of=person)
    alone = await floors.of_viewer((TENANT, HANA, "T1"), person.ref, person.classes)
    # Their own account of Salesforce says what they see of it.
    own = await floors.of_viewer((TENANT, FINN, "T1"), deal.ref, deal.classes)

    assert desk.classes == hr.classes == alone.classes == {PUBLIC}
    assert own.classes == deal.classes
