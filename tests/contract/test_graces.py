"""Movers keep what they left for some days, where the company says so, and no longer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bots.syncing import Rules, Sync
from bridge.directory.grace import Leniency
from bridge.directory.held import Ending, Lost
from bridge.directory.model import Entry, Gone, Kind, Reading, Standing, Subject
from bridge.directory.people import Precedence
from bridge.directory.view import LiveDirectory
from bridge.errors import Conflict
from storage.directory.stored import StoredDirectory
from storage.hot import Statement
from tests.contract.conftest import TENANT, Store
from tests.unit.bridge.directory.told import NOW, group, part, person, whole

DAY = 86_400_000_000
FIN, SALES, TEAM = "group:fin", "group:sales", "group:team"
ROLE = {"group:fin": 14.0}


@dataclass
class Company:
    """One process's directory, with a clock of its own."""

    store: Store
    days: Mapping[str, float] = field(default_factory=lambda: ROLE)
    admins: frozenset[str] = frozenset()
    now: int = NOW
    sync: Sync = field(init=False)

    def __post_init__(self) -> None:
        self.sync = self._sync(self.store)

    def _sync(self, store: Store) -> Sync:
        view = LiveDirectory(lambda: self.now)
        view.configure(TENANT, ("ad",), Precedence())
        rules = Rules(
            unbraked=frozenset({"ad"}), leniency=Leniency(self.days, self.admins)
        )
        stored = StoredDirectory(store.database.hot, store.journal, lambda: self.now)
        return Sync(TENANT, view, stored, rules, lambda: self.now)

    async def tell(self, *entries: Entry) -> None:
        await self.sync.apply(part(*entries))

    def ana(self) -> Subject:
        (found,) = (s for s in self.sync.view.subjects(TENANT) if s.name == "Ana")
        return found

    async def elsewhere(self, name: str) -> Subject:
        """Return Ana as a process sees her that has just started."""
        other = self._sync(self.store.another_process(name))
        await other.refresh()
        (found,) = (s for s in other.view.subjects(TENANT) if s.name == "Ana")
        return found

    async def lost(self) -> Sequence[Lost]:
        ana = self.ana().id
        entries = self.sync.view.entries(TENANT, ana)
        return await self.sync.store.losses(TENANT, ana, entries)

    async def logged(self) -> list[Any]:
        entries = await self.store.reader.entries(TENANT, -1, 1_000)
        return [e.body["detail"] for e in entries if e.etype == "directory.grace"]


async def finance(store: Store, **more: Any) -> Company:
    """A company in which Ana is in a team of Finance."""
    company = Company(store, **more)
    await company.sync.apply(
        whole(
            person("ana"),
            group("fin", ["team"]),
            group("team", ["ana"]),
            group("sales", []),
            group("bosses", []),
        )
    )
    return company


async def to_sales(company: Company) -> None:
    await company.tell(group("team", []), group("sales", ["ana"]))


async def test_without_a_word_in_the_settings_nothing_is_kept(store: Store) -> None:
    company = await finance(store, days={})

    await to_sales(company)

    assert company.ana().ancestors == {SALES}
    assert await company.logged() == []


async def test_a_mover_keeps_what_is_named_until_its_days_are_over(
    store: Store,
) -> None:
    company = await finance(store)

    await to_sales(company)
    moved = company.ana()

    assert moved.ancestors == {SALES, FIN}
    assert [(g.ancestor, g.until_us) for g in moved.kept] == [(FIN, NOW + 14 * DAY)]
    company.now += 14 * DAY - 1
    assert company.ana() == moved
    company.now += 1
    ended = company.ana()
    assert ended.ancestors == {SALES}
    assert not ended.kept
    assert ended.version != moved.version  # or what was decided before would hold on


async def test_every_process_and_one_that_starts_later_sees_the_same_end(
    store: Store,
) -> None:
    company = await finance(store)
    await to_sales(company)

    assert await company.elsewhere("two") == company.ana()
    company.now += 14 * DAY

    assert (await company.elsewhere("three")).ancestors == {SALES}


async def test_who_keeps_a_group_keeps_what_it_is_in(store: Store) -> None:
    company = await finance(store, days={TEAM: 3.0})

    await to_sales(company)

    assert company.ana().ancestors == {SALES, TEAM, FIN}


async def test_who_moves_back_has_it_as_before_and_nothing_is_kept_any_more(
    store: Store,
) -> None:
    company = await finance(store)
    await to_sales(company)

    await company.tell(group("team", ["ana"]), group("sales", []))

    assert company.ana().ancestors == {FIN, TEAM}
    assert not company.ana().kept
    company.now += 20 * DAY
    assert company.ana().ancestors == {FIN, TEAM}
    person_id = company.ana().id
    assert [
        (d["person"], len(d["kept"]), d["ended"]) for d in await company.logged()
    ] == [
        (person_id, 1, []),
        (person_id, 0, [FIN]),
    ]


async def test_a_leaver_keeps_nothing_and_comes_back_without_it(store: Store) -> None:
    company = await finance(store)
    await to_sales(company)

    await company.tell(person("ana", standing=Standing.LEFT))
    left = company.ana()
    await company.tell(person("ana"))

    assert left.kept == ()
    assert company.ana().ancestors == {SALES}


async def test_who_becomes_a_guest_keeps_nothing(store: Store) -> None:
    company = await finance(store)
    await to_sales(company)

    await company.tell(person("ana", guest=True))

    assert company.ana().ancestors == {SALES}


async def test_everything_means_neither_roles_nor_who_administers(store: Store) -> None:
    company = await finance(store, days={"*": 5.0}, admins=frozenset({"Bosses"}))
    await company.tell(group("bosses", ["ana"]))

    await company.tell(group("bosses", []), group("team", []))

    assert company.ana().ancestors == {FIN, TEAM}


async def test_a_group_that_was_taken_out_of_another_is_a_move_of_all_in_it(
    store: Store,
) -> None:
    company = await finance(store)

    await company.tell(group("fin", []))

    assert company.ana().ancestors == {TEAM, FIN}
    assert [g.ancestor for g in company.ana().kept] == [FIN]


async def test_a_group_that_is_gone_is_not_kept(store: Store) -> None:
    company = await finance(store)

    await company.sync.apply(
        whole(person("ana"), group("team", ["ana"]), group("sales", []))
    )
    company.now += 7_200_000_000
    await company.sync.apply(
        whole(person("ana"), group("team", ["ana"]), group("sales", []))
    )

    assert company.ana().ancestors == {TEAM}


async def test_a_department_is_kept_like_a_group(store: Store) -> None:
    company = await finance(store, days={"department:finance": 2.0})
    await company.tell(person("ana", department="finance"))

    await company.tell(person("ana", department="ops"))

    assert {"department:finance", "department:ops"} <= company.ana().ancestors
    assert company.ana().department == "ops"


async def test_what_somebody_left_is_remembered_with_when_and_by_whom(
    store: Store,
) -> None:
    company = await finance(store, days={})
    company.now += DAY
    await to_sales(company)

    [lost] = await company.lost()

    assert lost == Lost("team", NOW + DAY, "ad")


async def test_departments_units_and_roles_that_were_others_are_remembered(
    store: Store,
) -> None:
    company = await finance(store, days={})
    before = person("ana", department="Finance", unit="emea", parents=["clerk", "fire"])
    await company.tell(before)
    company.now += DAY

    await company.tell(person("ana", department="Ops", unit="apac", parents=["fire"]))
    await company.tell(person("ana", unit="apac", parents=["fire"]))

    assert {(one.kind, one.thing) for one in await company.lost()} == {
        (Kind.DEPARTMENT, "finance"),
        (Kind.DEPARTMENT, "ops"),
        (None, "emea"),
        (None, "clerk"),
    }
    assert {(one.at_us, one.by) for one in await company.lost()} == {(NOW + DAY, "ad")}


async def test_two_sources_may_tell_the_same_and_a_leaver_has_left_nothing(
    store: Store,
) -> None:
    company = await finance(store, days={})
    await company.tell(person("ana", department="Finance"))

    await company.tell(person("ana", department="Ops"))
    await company.tell(person("ana", department="Finance"))
    company.now += DAY
    await company.tell(person("ana", department="Ops"))
    [lost, _ops] = await company.lost()
    await company.sync.apply(
        Reading("ad", whole=False, gone=(Gone("ana"),), entries=())
    )

    assert (lost.thing, lost.at_us) == ("finance", NOW + DAY)
    entries = await company.store.reader.entries(TENANT, -1, 1_000)
    assert entries[-1].etype == "user.deactivate"
    rows = await company.store.database.hot.fetch(
        Statement("SELECT COUNT(*) FROM directory_past")
    )
    assert rows[0][0] == 2


async def test_an_admin_ends_it_early_in_every_process_and_on_record(
    store: Store,
) -> None:
    company = await finance(store)
    await to_sales(company)
    before = company.ana()
    company.now += DAY

    ended = await company.sync.cut(before.id, [FIN], "slack:T1/U9")

    assert [grace.ancestor for grace in ended] == [FIN]
    assert company.ana().ancestors == {SALES}
    assert company.ana().version != before.version  # or old answers would hold on
    assert await company.elsewhere("two") == company.ana()
    entry = (await company.store.reader.entries(TENANT, -1, 1_000))[-1]
    assert entry.etype == "directory.grace"
    assert entry.body["author"]["id"] == "slack:T1/U9"
    assert entry.body["detail"]["person"] == before.id
    assert entry.body["detail"]["ended"] == [FIN]
    assert (await company.lost())[0] == Lost(
        "fin", NOW + DAY, "slack:T1/U9", Kind.GROUP, Ending.CUT
    )


async def test_what_was_ended_does_not_come_back_with_another_move(
    store: Store,
) -> None:
    company = await finance(store, days={"*": 14.0})
    await to_sales(company)
    await company.sync.cut(company.ana().id, [FIN, TEAM], "cli:ada")

    await company.tell(group("sales", []))

    assert company.ana().ancestors == {SALES}
    assert [grace.ancestor for grace in company.ana().kept] == [SALES]


async def test_what_a_group_is_in_ends_with_it_unless_another_keeps_it(
    store: Store,
) -> None:
    company = await finance(store, days={"*": 14.0})
    await company.tell(group("fin", ["team", "bosses"]), group("bosses", ["ana"]))
    await company.tell(group("team", []), group("bosses", []))
    assert company.ana().ancestors == {FIN, TEAM, "group:bosses"}

    one = await company.sync.cut(company.ana().id, [TEAM], "cli:ada")
    other = await company.sync.cut(company.ana().id, ["group:bosses"], "cli:ada")

    assert {grace.ancestor for grace in one} == {TEAM}
    assert {grace.ancestor for grace in other} == {FIN, "group:bosses"}
    assert company.ana().ancestors == frozenset()


async def test_only_what_is_kept_can_be_ended(store: Store) -> None:
    company = await finance(store)
    ana = company.ana().id

    for person_id, what in ((ana, FIN), ("p-nobody", FIN)):
        with pytest.raises(Conflict):
            await company.sync.cut(person_id, [what], "cli:ada")

    assert company.ana().ancestors == {FIN, TEAM}
    assert await company.logged() == []
