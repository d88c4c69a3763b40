"""The book is read from an org over HTTP, on every database, whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bots.records.bookkeeping import Bookkeepers, Bookkeeping, Rhythm
from bridge.errors import ServiceUnavailable
from bridge.records.knowing import Chapter, Page, asked
from bridge.records.model import ChangeKind, RecordChange, RecordRef, System
from bridge.records.ports import Access, Records, Spent
from bridge.records.systems import Connected
from connectors.guarded import Limits
from connectors.salesforce import Salesforce, Setup
from connectors.sandbox.salesforce import Salesforce as Org
from connectors.sandbox.salesforce.store import ONLY_FOR
from storage.records.contacts import StoredContacts
from storage.records.following import StoredFollowing
from tests.contract.conftest import TENANT, Store
from tests.records_world import Clock, FakeSystem
from tests.stand_ins import Account, CountingBudget, Told, running

ACCOUNTS = Chapter(TENANT, System.SALESFORCE, "crm", "account")
CONTACTS = replace(ACCOUNTS, kind="contact")
DAY = 86_400.0
PLENTY = 60.0


@dataclass
class OnlyIntegration:
    """The integration's account, which is all that may read for the book."""

    org: Org

    def integration(self, tenant: str, system: System, instance: str) -> Access:
        return Account(self.org, "atom", "-")

    async def of(
        self, tenant: str, person: str, system: System, instance: str
    ) -> Access:
        raise AssertionError("nobody asked")


@dataclass
class Keeping:
    """A company whose book is kept of an org."""

    told: Told
    org: Org
    store: Store
    budget: CountingBudget
    crm: Salesforce
    clock: Clock = field(default_factory=Clock)
    keeps: bool = True

    def keepers(self, owner: str = "one", **rhythm: float) -> Bookkeepers:
        systems: tuple[Records, ...] = (self.crm, FakeSystem())
        hot = self.store.database.hot
        return Bookkeepers(
            Connected({TENANT: systems}),
            OnlyIntegration(self.org),
            self.book,
            StoredFollowing(hot, self.clock),
            owner,
            self.clock,
            lambda _: self.keeps,
            Rhythm(**{"breath": 0.0, **rhythm}),
        )

    def keeper(self, owner: str = "one") -> Bookkeeping:
        made = self.keepers(owner)._keeper(TENANT, self.crm)
        assert made is not None
        return made

    @property
    def book(self) -> StoredContacts:
        return StoredContacts(self.store.database.hot, self.store.ring)

    async def read(self, owner: str = "one") -> int:
        """Read until nothing is due; returns how many turns brought more."""
        keeper, turns = self.keeper(owner), 0
        while await keeper.turn():
            turns += 1
            assert turns < 100
        return turns

    async def found(
        self, words: str, chapter: Chapter = CONTACTS
    ) -> Sequence[RecordRef]:
        return await self.book.find(chapter, asked(words), 50)

    def ref(self, kind: str, name: str) -> RecordRef:
        return RecordRef(System.SALESFORCE, "crm", kind, self.org.ids[name])

    def contacts(self, many: int) -> None:
        for n in range(many):
            values = {"LastName": f"Person{n}", "Email": f"p{n}@many.example"}
            self.org.rows.create(None, "Contact", values)

    async def known(self) -> dict[str, int]:
        figures = await self.book.figures(TENANT)
        return {one.progress.chapter.kind: one.many for one in figures}


@pytest.fixture
async def keeping(store: Store) -> AsyncIterator[Keeping]:
    async with running(Org()) as told:
        assert isinstance(told.stand_in, Org)
        budget = CountingBudget()
        setup = Setup("crm", told.url, page=3)
        crm = Salesforce(setup, budget, Limits(deadline=20.0))
        yield Keeping(told, told.stand_in, store, budget, crm)
        await crm.aclose()


async def test_everything_is_read_once(keeping: Keeping) -> None:
    keeping.contacts(5)

    await keeping.read()

    assert await keeping.known() == {"account": 2, "contact": 7}
    hank, globex = keeping.ref("contact", "hank"), keeping.ref("account", "globex")
    assert await keeping.found("hank@globex.example") == [hank]
    assert await keeping.found("globex.example", ACCOUNTS) == [globex]
    assert await keeping.book.accounts(TENANT, [hank]) == {hank: globex}
    calls = len(keeping.told.calls())
    await keeping.read()
    assert len(keeping.told.calls()) == calls
    assert keeping.budget.spent == {"-": calls}


async def test_a_change_is_read_when_the_system_tells_of_it(keeping: Keeping) -> None:
    await keeping.read()
    keeping.org.clock.move(60)
    hank, org = keeping.ref("contact", "hank"), keeping.org
    org.rows.update(org.users["atom"], "Contact", hank.id, {"Email": "h@new.example"})
    keeping.clock.pass_(20)
    await keeping.read()
    assert await keeping.found("h@new.example") == []

    keepers = keeping.keepers()
    told = RecordChange(System.SALESFORCE, "crm", ChangeKind.CHANGED, "e1", hank)
    keepers.heard(TENANT, told)
    await keepers.keep(TENANT)
    await keeping.read("one")

    assert await keeping.found("h@new.example") == [hank]
    assert await keeping.found("hank@globex.example") == []


async def test_a_change_is_found_unasked_after_a_while(keeping: Keeping) -> None:
    await keeping.read()
    keeping.org.clock.move(60)
    keeping.contacts(1)

    keeping.clock.pass_(901)
    await keeping.read()

    assert len(await keeping.found("p0@many.example")) == 1


async def test_changes_of_other_records_read_nothing(keeping: Keeping) -> None:
    await keeping.read()
    keeping.clock.pass_(20)
    calls = len(keeping.told.calls())
    keepers = keeping.keepers()
    case = RecordRef(System.SALESFORCE, "crm", "case", "5001")
    for ref, instance in ((case, "crm"), (None, "crm2")):
        change = RecordChange(System.SALESFORCE, instance, ChangeKind.CHANGED, "e", ref)
        keepers.heard(TENANT, change)
    await keepers.keep(TENANT)

    await keeping.read()

    assert len(keeping.told.calls()) == calls


async def test_lost_events_have_everything_looked_at(keeping: Keeping) -> None:
    await keeping.read()
    keeping.clock.pass_(20)
    calls = len(keeping.told.calls())
    keepers = keeping.keepers()
    keepers.heard(
        TENANT, RecordChange(System.SALESFORCE, "crm", ChangeKind.MISSED, "e")
    )
    await keepers.keep(TENANT)

    await keeping.read()

    assert len(keeping.told.calls()) == calls + 2


async def test_a_deletion_is_taken_over(keeping: Keeping) -> None:
    await keeping.read()
    keeping.org.clock.move(60)
    hank = keeping.ref("contact", "hank")
    keeping.org.rows.delete(keeping.org.users["atom"], "Contact", hank.id)

    keeping.clock.pass_(901)
    await keeping.read()

    assert await keeping.found("hank@globex.example") == []
    assert await keeping.known() == {"account": 2, "contact": 1}


async def test_what_is_restored_is_known_again(keeping: Keeping) -> None:
    hank = keeping.ref("contact", "hank")
    keeping.org.rows.delete(keeping.org.users["atom"], "Contact", hank.id)
    await keeping.read()
    assert await keeping.found("hank@globex.example") == []
    keeping.org.clock.move(60)
    keeping.org.rows.undelete("Contact", hank.id)

    keeping.clock.pass_(901)
    await keeping.read()

    assert await keeping.found("hank@globex.example") == [hank]


async def test_who_is_cut_short_goes_on_where_it_was(keeping: Keeping) -> None:
    keeping.contacts(9)
    await keeping.keeper().turn()
    await keeping.keeper().turn()
    before = keeping.told.calls()

    keeping.clock.pass_(121)  # the one that died held the right to read until now
    await keeping.read("another")

    assert await keeping.known() == {"account": 2, "contact": 11}
    rest = len(keeping.told.calls()) - len(before)
    assert rest == 2  # of four pages of contacts two were read
    assert len(await keeping.found("p8@many.example")) == 1


async def test_an_answer_that_is_lost_is_asked_for_again(keeping: Keeping) -> None:
    keeping.contacts(4)
    await keeping.keeper().turn()
    keeping.told.fault("drop", "GET *queryAll*", times=5)
    with pytest.raises(ServiceUnavailable):
        await keeping.keeper().turn()
    keeping.org.faults.clear()

    await keeping.read()

    assert await keeping.known() == {"account": 2, "contact": 6}


async def test_one_process_reads_at_a_time(keeping: Keeping) -> None:
    keeping.contacts(9)
    assert await keeping.keeper("one").turn()
    calls = len(keeping.told.calls())

    assert not await keeping.keeper("two").turn()

    assert len(keeping.told.calls()) == calls


async def test_what_is_hidden_from_the_account_goes_with_the_next_lap(
    keeping: Keeping,
) -> None:
    await keeping.read()
    hank = keeping.ref("contact", "hank")
    user = keeping.org.users["atom"]
    profile = replace(user.profile, everything=False, objects={"*": "r"})
    keeping.org.users["atom"] = replace(user, profile=profile)
    keeping.org.rows.rows["Contact"][hank.id][ONLY_FOR] = {"bob"}
    keeping.clock.pass_(901)
    await keeping.read()
    assert await keeping.found("hank@globex.example") == [hank]

    keeping.clock.pass_(DAY)
    await keeping.read()

    assert await keeping.found("hank@globex.example") == []
    assert await keeping.known() == {"account": 2, "contact": 1}


async def test_an_account_that_lost_a_whole_kind_knows_none_of_it(
    keeping: Keeping,
) -> None:
    await keeping.read()
    user = keeping.org.users["atom"]
    rights = {"*": "r", "Contact": ""}
    profile = replace(user.profile, everything=False, objects=rights)
    keeping.org.users["atom"] = replace(user, profile=profile)

    keeping.clock.pass_(DAY + 1)
    await keeping.read()

    assert await keeping.known() == {"account": 2, "contact": 0}


async def test_a_lap_that_breaks_off_drops_nothing(keeping: Keeping) -> None:
    keeping.contacts(9)
    await keeping.read()
    keeping.clock.pass_(DAY + 1)
    await keeping.keeper().turn()
    keeping.told.fault("status", "GET *queryAll*", arg=503, times=9)
    with pytest.raises(ServiceUnavailable):
        await keeping.keeper().turn()

    assert await keeping.known() == {"account": 2, "contact": 11}


async def test_a_used_up_quota_stops_reading_and_loses_nothing(
    keeping: Keeping,
) -> None:
    keeping.contacts(9)
    await keeping.keeper().turn()
    keeping.told.fault("ratelimit", "GET *queryAll*")

    with pytest.raises(Spent) as spent:
        await keeping.keeper().turn()
    with pytest.raises(Spent):
        await keeping.keeper().turn()

    assert spent.value.retry_after > 0
    assert (await keeping.book.progress(CONTACTS)).under_way
    keeping.budget.paused.clear()
    await keeping.read()
    assert await keeping.known() == {"account": 2, "contact": 11}


async def test_a_token_that_ends_in_the_middle_is_renewed(keeping: Keeping) -> None:
    keeping.contacts(4)
    await keeping.keeper().turn()
    keeping.told.fault("expire_token", "GET *queryAll*")

    await keeping.read()

    assert await keeping.known() == {"account": 2, "contact": 6}


async def test_what_another_process_took_in_meanwhile_is_left_alone(
    keeping: Keeping,
) -> None:
    """One that was slow enough to lose its right stops in the middle of its pages."""
    keeping.contacts(9)
    slow = keeping.keeper("slow")
    first = await keeping.crm.listed(slow.access(), "contact", "")

    class Late:
        lists = ("contact",)

        async def listed(
            self, access: Access, kind: str, position: str
        ) -> Sequence[Page]:
            keeping.clock.pass_(121)
            await keeping.read("quick")
            return first

    late = replace(slow, chapters=[CONTACTS], lists=Late())

    assert not await late.turn()
    assert await keeping.known() == {"account": 2, "contact": 11}


@dataclass
class Stuck:
    """A system that lists the same for ever."""

    lists: tuple[str, ...] = ("contact",)
    calls: int = 0

    async def listed(self, access: Access, kind: str, position: str) -> Sequence[Page]:
        self.calls += 1
        return [Page((), (), "here", complete=False)]


async def test_a_list_that_does_not_go_on_is_given_up(keeping: Keeping) -> None:
    stuck = Stuck()
    keeper = replace(keeping.keeper(), chapters=[CONTACTS], lists=stuck)

    assert await keeper.turn()
    with pytest.raises(ServiceUnavailable):
        await keeper.turn()

    assert stuck.calls == 2


async def test_it_runs_until_it_is_stopped_and_goes_on_after_a_fault(
    keeping: Keeping,
) -> None:
    keeping.told.fault("status", "GET *queryAll*", arg=503, times=3)
    keepers = keeping.keepers(look=0.01, again=0.01)
    running_ = asyncio.create_task(keepers.run([TENANT]))
    async with asyncio.timeout(PLENTY):
        while await keeping.known() != {"account": 2, "contact": 2}:
            await asyncio.sleep(0.01)

    running_.cancel()
    await asyncio.gather(running_, return_exceptions=True)


async def test_a_system_that_is_switched_off_is_forgotten(keeping: Keeping) -> None:
    await keeping.read()
    keeping.keeps = False

    await keeping.keepers().run([TENANT])

    assert await keeping.known() == {}
    assert await keeping.found("hank@globex.example") == []
    assert keeping.keepers().chapters(TENANT) == []
