"""Whose address changes stays who they are, and nobody inherits the old address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bots.introducing import Introducer
from bots.syncing import Rules, Sync
from bots.teams.roster import roster
from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.directory.model import Entry, Kind
from bridge.directory.people import Precedence
from bridge.directory.view import LiveDirectory
from bridge.identities import Identity
from bridge.messages import Channel, Person, Platform
from bridge.places import Place
from storage.compliance.acts import Acts
from storage.directory.stored import StoredDirectory
from storage.people.accounts import StoredAccounts
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.teams_world import FALCON, FakePlaces
from tests.teams_world import TENANT as TID
from tests.unit.bridge.directory.told import part, person, whole

ANA = Account(Platform.TEAMS, TID, "29:ana")
NEW = Account(Platform.TEAMS, TID, "29:new")
OLD_NAME, NEW_NAME = "ana@acme.example", "ana.weber@acme.example"


@dataclass
class Tenant:
    """A tenant of Teams in which people have accounts under sign-in names."""

    members: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, account: Account, name: str, oid: str, role: str = "user") -> None:
        self.members[account.user] = {
            "id": account.user,
            "name": name.partition("@")[0],
            "userPrincipalName": name,
            "email": name,
            "aadObjectId": oid,
            "tenantId": TID,
            "userRole": role,
        }

    async def described(self, channel: Channel, ids: Any) -> Mapping[str, Identity]:
        known = roster(self.members.values(), TID).by_id
        return {i: known[i] for i in ids if i in known}

    async def holders(self, channel: Channel, addresses: Any) -> list[Identity]:
        return []


@dataclass
class Company:
    store: Store
    tenant: Tenant = field(default_factory=Tenant)
    accounts: StoredAccounts = field(init=False)
    sync: Sync = field(init=False)
    introducer: Introducer = field(init=False)

    def __post_init__(self) -> None:
        clock, store = ticking_clock(), self.store
        acts = Acts(store.journal, clock)
        self.accounts = StoredAccounts(store.database.hot, acts, store.ring, clock)
        view = LiveDirectory(clock, self.accounts)
        view.configure(TENANT, ("ad",), Precedence())
        stored = StoredDirectory(store.database.hot, store.journal, clock)
        self.sync = Sync(TENANT, view, stored, Rules(unbraked=frozenset({"ad"})), clock)
        place = Place(TID, FALCON.team, "", "https://teams.example")
        places = FakePlaces({(FALCON.team, ""): place})
        self.introducer = Introducer(
            self.accounts, view, places, {Platform.TEAMS: self.tenant}
        )

    async def meet(self, account: Account) -> AccountLink | None:
        one = Person(Platform.TEAMS, account.user)
        await self.introducer.meet(TENANT, one, FALCON)
        return self.accounts.link_of(TENANT, account)

    async def listed(self) -> None:
        """Have the tenant's people be listed again."""
        told = roster(self.tenant.members.values(), TID)
        await self.introducer.looked_at(TENANT, TID, told.everybody)

    def whose(self, account: Account) -> str:
        link = self.accounts.link_of(TENANT, account)
        return link.person if link and link.confidence else ""

    def called(self, name: str) -> str:
        (found,) = self.sync.view.named(TENANT, Kind.PERSON, name)
        return found


def entry(id_: str, mail: str, oid: str = "") -> Entry:
    entra_id = f"{TID}/{oid}" if oid else ""
    return person(id_, mail=mail, user_name=mail, entra_id=entra_id)


@pytest.fixture
def company(store: Store) -> Company:
    return Company(store)


async def test_a_new_sign_in_name_changes_nothing_where_the_id_is_known(
    company: Company,
) -> None:
    await company.sync.apply(whole(entry("ana", OLD_NAME, "oid-ana")))
    company.tenant.put(ANA, OLD_NAME, "oid-ana")
    await company.meet(ANA)
    ana = company.whose(ANA)

    company.tenant.put(ANA, NEW_NAME, "oid-ana")
    await company.listed()
    await company.sync.apply(part(entry("ana", NEW_NAME, "oid-ana")))
    await company.listed()

    assert ana == company.called(NEW_NAME) == company.whose(ANA)


async def test_a_link_by_address_rests_on_the_id_once_that_is_what_counts(
    company: Company,
) -> None:
    """HR alone knew of the person at first; then Entra said which account is theirs."""
    await company.sync.apply(whole(entry("ana", OLD_NAME)))
    company.tenant.put(ANA, OLD_NAME, "oid-ana")
    await company.meet(ANA)
    await company.sync.apply(part(entry("ana", NEW_NAME, "oid-ana")))

    company.tenant.put(ANA, NEW_NAME, "oid-ana")
    await company.listed()

    link = company.accounts.link_of(TENANT, ANA)
    assert link is not None
    assert (link.how, link.confidence) == (How.PROVISIONED, Confidence.PROVISIONED)
    assert link.person == company.called(NEW_NAME)


async def test_a_link_by_address_alone_is_doubted_with_another_address(
    company: Company,
) -> None:
    await company.sync.apply(
        whole(entry("ana", OLD_NAME), entry("ben", "ben@acme.example"))
    )
    company.tenant.put(ANA, OLD_NAME, "oid-ana")
    await company.meet(ANA)

    company.tenant.put(ANA, "ben@acme.example", "oid-ana")
    await company.listed()
    await company.meet(ANA)

    link = company.accounts.link_of(TENANT, ANA)
    assert link is not None
    assert (link.how, link.confidence) == (How.CHANGED, Confidence.NONE)


async def test_who_is_hired_under_the_old_name_inherits_nothing(
    company: Company,
) -> None:
    await company.sync.apply(whole(entry("ana", OLD_NAME, "oid-ana")))
    company.tenant.put(ANA, OLD_NAME, "oid-ana")
    await company.meet(ANA)
    ana = company.whose(ANA)
    company.tenant.put(ANA, NEW_NAME, "oid-ana")
    await company.sync.apply(part(entry("ana", NEW_NAME, "oid-ana")))

    company.tenant.put(NEW, OLD_NAME, "oid-new")
    await company.sync.apply(part(entry("new", OLD_NAME, "oid-new")))
    await company.meet(NEW)
    await company.listed()

    assert company.whose(ANA) == ana
    assert company.whose(NEW) == company.called(OLD_NAME) != ana


async def test_an_account_that_still_has_an_old_name_is_not_its_new_owners(
    company: Company,
) -> None:
    """Ana's account was never seen; the directory gave her name to somebody new."""
    await company.sync.apply(whole(entry("ana", OLD_NAME)))
    await company.sync.apply(part(entry("ana", NEW_NAME)))
    await company.sync.apply(part(entry("new", OLD_NAME)))
    company.tenant.put(ANA, OLD_NAME, "oid-ana")

    link = await company.meet(ANA)
    other = Company(company.store)
    await other.sync.refresh()

    assert link is not None
    assert (link.person, link.how) == ("", How.REFUSED)
    assert other.sync.view.formerly(TENANT, OLD_NAME) == [other.called(NEW_NAME)]


async def test_a_guest_under_the_same_address_shakes_nobodys_link(
    company: Company,
) -> None:
    await company.sync.apply(whole(entry("ana", OLD_NAME)))
    company.tenant.put(ANA, OLD_NAME, "oid-ana")
    await company.meet(ANA)

    company.tenant.put(NEW, OLD_NAME, "oid-guest", "guest")
    await company.listed()

    assert company.whose(ANA) == company.called(OLD_NAME)
    assert company.whose(NEW) == ""
