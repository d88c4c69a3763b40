"""Who left is told apart from who is not known, and looked for when it matters."""

from asyncio import timeout
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from bots.records.polling import Polling, Told
from bots.records.rerouting_loop import Leaving, ReroutingLoop
from bots.records.staff import DirectoryStaff
from bridge.directory.accounts import Account
from bridge.directory.held import State
from bridge.directory.model import Entry, Standing
from bridge.directory.people import Precedence
from bridge.directory.view import LiveDirectory
from bridge.errors import ServiceUnavailable
from bridge.messages import Platform
from bridge.records.model import System
from bridge.records.ports import Access
from bridge.records.rerouting import Rerouting
from tests.records_world import TENANT, FakeSystem, World
from tests.unit.bots.records.test_running import Holding
from tests.unit.bridge.directory.told import HOUR, NOW, person, taken_in, whole


class Company:
    """A directory as its source told of it last."""

    def __init__(self) -> None:
        self.view = LiveDirectory(lambda: NOW)
        self.view.configure("acme", ("ad",), Precedence())
        self.state = State()
        self.accounts: dict[str, list[Account]] = {}

        async def homes(_tenant: str) -> Sequence[Account]:
            return [
                Account(Platform.SLACK, "T1", ""),
                Account(Platform.SLACK, "T2", ""),
                Account(Platform.TEAMS, "tid", ""),
            ]

        def accounts(_tenant: str, who: str) -> Iterable[Account]:
            return self.accounts.get(who, [])

        self.staff = DirectoryStaff(self.view, accounts, homes)

    def tells(self, *entries: Entry) -> None:
        self.view.follow("acme", taken_in(self.state, whole(*entries)))

    def id_of(self, name: str) -> str:
        return self.state.people["ad", name]


@pytest.fixture
def company() -> Company:
    made = Company()
    made.tells(
        person("lea", mail="Lea@acme.example", manager="boss"),
        person("boss", mail="boss@acme.example"),
    )
    return made


def test_nobody_left_as_long_as_all_are_at_work(company: Company) -> None:
    assert company.staff.leavers("acme") == {}
    assert company.staff.at_work("acme", "lea@acme.example") == company.id_of("lea")
    assert company.staff.at_work("acme", "unknown@acme.example") == ""
    assert company.staff.leavers("globex") == {}


@pytest.mark.parametrize(
    "standing", [Standing.LEFT, Standing.DISABLED, Standing.EXPIRED]
)
def test_who_left_is_known_by_their_address_and_has_a_manager(
    company: Company, standing: Standing
) -> None:
    company.tells(
        person("lea", mail="Lea@acme.example", manager="boss", standing=standing),
        person("boss", mail="boss@acme.example"),
    )
    lea = company.id_of("lea")

    assert company.staff.leavers("acme") == {"lea@acme.example": lea}
    assert company.staff.gone("acme") == {lea}
    assert company.staff.at_work("acme", "lea@acme.example") == ""
    assert company.staff.manager("acme", lea) == company.id_of("boss")
    assert company.staff.address("acme", company.id_of("boss")) == "boss@acme.example"
    assert company.staff.name("acme", lea) == "Lea"
    assert company.staff.name("acme", "p-nobody") == ""


@pytest.mark.parametrize("standing", [Standing.LOCKED, Standing.PENDING])
def test_who_is_locked_out_or_not_there_yet_has_not_left(
    company: Company, standing: Standing
) -> None:
    company.tells(person("lea", mail="lea@acme.example", standing=standing))

    assert "lea@acme.example" not in company.staff.leavers("acme")


def test_who_is_not_named_any_more_has_left(company: Company) -> None:
    boss = person("boss", mail="boss@acme.example")
    company.tells(boss)
    assert company.staff.leavers("acme") == {}  # not named once is not gone

    for hours in (2, 4):
        heard = taken_in(company.state, whole(boss), NOW + hours * HOUR)
        company.view.follow("acme", heard)

    assert set(company.staff.leavers("acme")) == {"lea@acme.example"}


def test_an_address_that_somebody_has_now_is_no_leavers(company: Company) -> None:
    company.tells(
        person("lea", mail="lea@acme.example", standing=Standing.LEFT),
        person("new", mail="lea@acme.example"),
    )

    assert company.staff.leavers("acme") == {}


def test_a_manager_who_left_is_nobodys(company: Company) -> None:
    company.tells(
        person("lea", mail="lea@acme.example", manager="boss", standing=Standing.LEFT),
        person("boss", mail="boss@acme.example", standing=Standing.LEFT),
    )

    assert company.staff.manager("acme", company.id_of("lea")) == ""


async def test_an_id_alone_is_of_the_companys_only_home(company: Company) -> None:
    named = Account(Platform.SLACK, "T2", "U1")
    company.accounts["p"] = [
        named,
        Account(Platform.SLACK, "", "U2"),  # of which workspace?
        Account(Platform.TEAMS, "", "29:lea"),
    ]

    chats = await company.staff.chats("acme", "p")

    assert chats == [named, Account(Platform.TEAMS, "tid", "29:lea")]


@dataclass
class Looked:
    """Counts looks; `answers` are what they come to, True after the last."""

    answers: list[bool | Exception] = field(default_factory=list)
    looks: int = 0

    async def look(self, tenant: str) -> bool:
        self.looks += 1
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Watch:
    """A loop with a directory and a clock that a test moves."""

    looked: Looked = field(default_factory=Looked)
    holding: Holding = field(default_factory=Holding)
    version: str | None = "1"
    gone: frozenset[str] = frozenset()
    now: float = 0.0

    def __post_init__(self) -> None:
        async def tenants() -> Sequence[str]:
            return [TENANT]

        rerouting: Rerouting = self.looked  # type: ignore[assignment]
        leaving = Leaving(lambda _: self.version, lambda _: self.gone)
        self.loop = ReroutingLoop(
            rerouting, self.holding, tenants, leaving, "one", steady=lambda: self.now
        )

    async def turns(self, count: int = 1) -> int:
        for _ in range(count):
            await self.loop.turn(TENANT)
        return self.looked.looks


async def test_it_looks_after_a_start_and_when_others_are_gone() -> None:
    watch = Watch()
    assert await watch.turns(3) == 1

    watch.version = "2"  # something else changed
    assert await watch.turns(2) == 1
    watch.version, watch.gone = "3", frozenset({"p-lea"})
    assert await watch.turns(2) == 2
    watch.now = 301.0
    assert await watch.turns(2) == 3


async def test_it_looks_again_until_everybody_was_told() -> None:
    watch = Watch(Looked([False, ServiceUnavailable("away"), True]))

    assert await watch.turns() == 1
    with pytest.raises(ServiceUnavailable):
        await watch.turns()
    assert await watch.turns(3) == 3


async def test_without_a_directory_nobody_is_taken_for_gone() -> None:
    watch = Watch(version=None)

    assert await watch.turns(2) == 0


async def test_who_takes_over_from_another_process_looks_at_everything() -> None:
    watch = Watch()
    await watch.turns()

    watch.holding.mine = False
    assert await watch.turns(2) == 1
    watch.holding.mine = True
    assert await watch.turns(2) == 2


@dataclass
class Tended(FakeSystem):
    """A system at which ATOM keeps a webhook alive."""

    tended: list[str] = field(default_factory=list)

    async def tend(self, access: Access) -> float:
        self.tended.append(access.account)
        raise KeyboardInterrupt  # it goes on for ever


@pytest.mark.parametrize("mine", [True, False])
async def test_what_nobody_asks_is_tended_all_the_same(*, mine: bool) -> None:
    system = Tended(System.JIRA, kinds=("issue",))
    world = World(system)
    polling = Polling(
        TENANT,
        system,
        world.accesses,
        world.changes,
        Holding(mine=mine),
        Told(world.log),
        "one",
        0.0,
    )

    if mine:
        with pytest.raises(KeyboardInterrupt):
            await polling.run()
        assert system.tended == [""]
        return
    with pytest.raises(TimeoutError):
        async with timeout(0.05):
            await polling.run()
    assert system.tended == []


async def test_a_system_that_is_neither_asked_nor_tended_is_left_alone() -> None:
    world = World()
    polling = Polling(
        TENANT,
        world.system,
        world.accesses,
        world.changes,
        Holding(),
        Told(world.log),
        "one",
        0.0,
    )

    await polling.run()

    assert not world.system.calls
