"""Whose contact somebody is, in an org over HTTP: what each person sees there decides."""

from dataclasses import dataclass, replace

import pytest

from bridge.messages import Person
from bridge.records.desk import Found
from bridge.records.model import System
from bridge.records.ports import Access
from connectors.sandbox.salesforce.store import ONLY_FOR
from tests.integration.salesforce.conftest import Acme
from tests.records_world import ALICE, BOB, CAROL, TEAMS, FakeSystem, World, asker

GUS, MAIL = "U06GUS", "hank@globex.example"
_NAMES = {"p-alice": "alice", "p-bob": "bob", "p-carol": "carol"}


@dataclass
class OrgAccesses:
    """People's own accounts in the org, and the integration's for rooms."""

    acme: Acme

    def integration(self, tenant: str, system: System, instance: str) -> Access:
        return self.acme.account("atom")

    async def of(
        self, tenant: str, person: str, system: System, instance: str
    ) -> Access:
        return self.acme.account(_NAMES[person])


@pytest.fixture
async def world(acme: Acme) -> World:
    """A company whose book was read from the org."""
    made = World(
        FakeSystem(kinds=("change",)),
        others=(acme.records,),
        accesses=OrgAccesses(acme),  # type: ignore[arg-type]
    )
    for kind in acme.records.lists:
        [page] = await acme.records.listed(acme.account("atom"), kind, "")
        made.contacts.add(*page.listed)
    made.attested |= {GUS: frozenset({MAIL}), "29:gus": frozenset({MAIL})}
    made.rooms.people[TEAMS] = (CAROL,)
    return made


async def ask(world: World, kind: str, who: Person = ALICE) -> Found:
    alone = who.platform is ALICE.platform
    user = GUS if alone else "29:gus"
    traced = await world.whose.find(asker(who), user, kind, 20.0)
    return traced.found if alone else await world.whose.for_room(asker(who), traced)


def titles(found: Found) -> list[str]:
    return [card.title for card in found.cards]


@pytest.mark.parametrize("who", [ALICE, CAROL], ids=["slack", "teams"])
@pytest.mark.parametrize(
    ("kind", "title"), [("contact", "Hank Scorpio"), ("account", "Globex & Sons")]
)
async def test_a_person_leads_to_their_contact_and_its_account(
    *, world: World, who: Person, kind: str, title: str
) -> None:
    found = await ask(world, kind, who)

    assert titles(found) == [title]
    assert found.complete


@pytest.mark.parametrize("kind", ["contact", "account"])
async def test_who_lost_the_right_to_a_record_is_told_of_none(
    acme: Acme, world: World, kind: str
) -> None:
    for name, object_ in (("hank", "Contact"), ("globex", "Account")):
        acme.row(object_, name)[ONLY_FOR] = {"bob"}

    assert titles(await ask(world, kind)) == []
    assert len(titles(await ask(world, kind, BOB))) == 1


async def test_who_does_not_see_addresses_is_told_of_nobody(
    acme: Acme, world: World
) -> None:
    alice = acme.org.users["alice"]
    hidden = alice.profile.hidden | {"Contact.Email"}
    acme.org.users["alice"] = replace(
        alice, profile=replace(alice.profile, hidden=hidden)
    )

    assert titles(await ask(world, "contact")) == []
    assert titles(await ask(world, "contact", BOB)) == ["Hank Scorpio"]


async def test_who_sees_no_contacts_at_all_may_see_the_account_by_its_site(
    acme: Acme, world: World
) -> None:
    alice = acme.org.users["alice"]
    rights = {"*": "r", "Contact": ""}
    acme.org.users["alice"] = replace(
        alice, profile=replace(alice.profile, objects=rights)
    )

    assert titles(await ask(world, "contact")) == []
    assert titles(await ask(world, "account")) == ["Globex & Sons"]


async def test_a_new_contact_is_found_before_the_orgs_own_index_has_it(
    acme: Acme, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Salesforce's search index lags; the stand-in's is made to, by seeing nothing."""
    monkeypatch.setattr(
        "connectors.sandbox.salesforce.asking.Asking.search", lambda *_: []
    )

    contact = await ask(world, "contact")
    found = await world.searching.find(asker(ALICE), "scorpio", 20.0)
    by_site = await world.searching.find(asker(ALICE), "globex.example", 20.0)

    assert titles(contact) == ["Hank Scorpio"]
    assert titles(found) == ["Hank Scorpio"]
    assert titles(by_site) == ["Globex & Sons"]


@pytest.mark.parametrize("kind", ["contact", "account"])
async def test_an_org_that_is_away_is_not_an_org_without_contacts(
    acme: Acme, world: World, kind: str
) -> None:
    acme.told.fault("status", "POST *", arg=503, times=50)

    found = await ask(world, kind)

    assert [line.text for line in found.lines] == ["unavailable"]
