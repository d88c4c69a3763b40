"""Movers keep what they left for some days, where the company says so, and no longer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.syncing import Rules, Sync
from bridge.directory.grace import Leniency
from bridge.directory.model import Entry, Standing, Subject
from bridge.directory.people import Precedence
from bridge.directory.view import LiveDirectory
from storage.directory.stored import StoredDirectory
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

    entries = company.sync.view.entries(TENANT, company.ana().id)
    [lost] = await company.sync.store.losses(TENANT, entries)

    assert (lost.source, lost.group, lost.at_us) == ("ad", "team", NOW + DAY)
