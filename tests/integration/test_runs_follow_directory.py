"""From a change in the directory to seats on a platform: a whole ATOM without platforms."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from bots.core import Core, clock_us, core
from bots.directory_settings import DirectorySettings, RunSettings
from bots.directory_side import Means, source_of
from bots.following import read_once
from bots.keeping_members import Keeping
from bots.lifecycle import Lifecycle
from bots.lifecycle_side import lifecycle
from bots.settings import Settings
from bridge.access import Action, Asked
from bridge.compliance import Duty, Officer
from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.directory.lifecycle import Deed, Happening
from bridge.directory.model import Kind
from bridge.directory.runs import Run, RunState, StepState
from bridge.links import Link
from bridge.messages import Channel, Person, Platform
from policy.cedar.bundle import Draft
from storage.compliance.membership.changes import came
from storage.hot import Program
from tests.command_line import CommandLine

TENANT = "acme"
SECOND = Account(Platform.SLACK, "T1", "U8")
FIN = Channel(Platform.SLACK, "T1", "CFIN")
THERE = Channel(Platform.TEAMS, "19:g@thread.tacv2", "19:f@thread.tacv2")
SALES = Channel(Platform.SLACK, "T1", "CSALES")
AWAY = Channel(Platform.TEAMS, "19:g@thread.tacv2", "19:s@thread.tacv2")


@dataclass
class FakeSeats:
    """Who is in channels of one platform."""

    inside: set[tuple[str, str]] = field(default_factory=set)

    async def people(self, channel: Channel) -> tuple[Person, ...]:
        return ()

    async def invite(self, channel: Channel, user: str) -> None:
        self.inside.add((channel.id, user))

    async def remove(self, channel: Channel, user: str) -> None:
        self.inside.discard((channel.id, user))


@dataclass
class Company:
    """A company whose directory is a file, and what ATOM does about it."""

    path: Path
    built: Core
    seats: FakeSeats
    lifecycle: Lifecycle
    links: dict[str, Link]

    async def directory(self, ana: dict[str, object] | None) -> None:
        """Let the directory say something else of Ana, and ATOM read it."""
        self.write(ana)
        settings = self.built.settings.directory
        source = source_of(settings.all_sources[0], Means(None, clock_us))
        reading = await read_once(source)
        assert reading is not None
        await self.built.sources.push(TENANT, reading)
        await self.look()

    async def look(self) -> None:
        await self.lifecycle.look(TENANT)
        await self.lifecycle.work(TENANT)

    def write(self, ana: dict[str, object] | None) -> None:
        boss = {"id": "boss", "name": "Boss", "accounts": ["slack:T1/U9"]}
        people = [boss, *([{"id": "ana", "name": "Ana", **ana}] if ana else [])]
        groups = {"fin": {"name": "Finance"}, "sales": {"name": "Sales"}}
        told = {"people": people, "groups": groups}
        self.path.write_text(yaml.safe_dump(told), "utf-8")

    async def runs(self) -> list[Run]:
        return await self.lifecycle.runs.listed(TENANT, everything=True)


def ana(**more: object) -> dict[str, object]:
    return {"accounts": ["slack:T1/U1"], "manager": "boss", "groups": ["fin"], **more}


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    CommandLine(tmp_path, capsys).set_up()
    return tmp_path / "var"


@pytest.fixture
async def company(home: Path, tmp_path: Path) -> AsyncIterator[Company]:
    path = tmp_path / "people.yaml"
    path.write_text("people: []\n", "utf-8")
    settings = Settings(home=home, directory=DirectorySettings(people=path))
    async with core(settings, "tests") as first:
        made = {
            "fin": await first.links.add(TENANT, (FIN, THERE), "slack:U1"),
            "sales": await first.links.add(TENANT, (SALES, AWAY), "slack:U9"),
        }
    rooms = {f"group:{name}": (link.id,) for name, link in made.items()}
    runs = RunSettings(on=True, rooms=rooms, keep={"group:fin": 14})
    directory = DirectorySettings(people=path, runs=runs)
    settings = settings.model_copy(update={"directory": directory})
    async with core(settings, "tests") as built:
        seats = FakeSeats()
        keeping = Keeping(
            built.policy,
            built.sources.view,
            built.links,
            {Platform.SLACK: seats},
            built.departures,
            lambda *_: (),
            built.company_ids,
        )
        cycle = lifecycle(built, keeping, {})
        assert cycle is not None
        there = Company(path, built, seats, cycle, made)
        await there.directory(None)
        yield there


async def test_runs_are_off_unless_they_are_switched_on(company: Company) -> None:
    off = company.built.settings.directory.model_copy(update={"runs": RunSettings()})
    settings = company.built.settings.model_copy(update={"directory": off})
    async with core(settings, "others") as built:
        assert lifecycle(built, None, {}) is None  # type: ignore[arg-type]


async def test_somebody_joins_moves_and_leaves(company: Company) -> None:
    await company.directory(ana())
    assert company.seats.inside == {("CFIN", "U1")}
    await _in(company, FIN)

    await company.directory(ana(groups=["sales"]))
    runs = await company.runs()
    assert [run.happening for run in runs] == [Happening.MOVER, Happening.JOINER]
    assert [step.deed for step in runs[0].steps] == [Deed.ADD]
    assert ("CSALES", "U1") in company.seats.inside

    await company.directory(ana(standing="left"))
    leaving = (await company.runs())[0]
    assert leaving.happening is Happening.LEAVER
    assert company.seats.inside <= {("CSALES", "U1")}  # the log has not heard of it
    done = dict(zip([s.deed for s in leaving.steps], leaving.progress, strict=True))
    assert done[Deed.END_SESSIONS].state is StepState.FAILED
    assert "no admin app is set up for Slack" in done[Deed.END_SESSIONS].note
    assert done[Deed.REMOVE].state is StepState.DONE
    assert ("CFIN", "U1") not in company.seats.inside


async def test_what_a_leaver_looked_after_goes_to_their_manager(
    company: Company,
) -> None:
    """The link that Ana made is the boss's, and her duty is nobody's."""
    officer, clara = Officer("slack:T1/U1"), Officer("cli:clara")
    duties = company.built.duties
    await duties.assign(TENANT, clara, clara, Duty.ASSIGN)
    await duties.assign(TENANT, clara, officer, Duty.EXPORT)
    await company.directory(ana())

    await company.directory(ana(standing="disabled"))

    run = (await company.runs())[0]
    assert run.state is RunState.PARTLY  # nobody can be signed out here
    links = {link.id: link for link in await company.built.links.all(TENANT)}
    assert links[company.links["fin"].id].created_by == "slack:U9"
    assert [t.officer.name for t in await duties.all(TENANT)] == ["cli:clara"]


async def test_a_run_that_is_taken_back_gives_the_link_back(company: Company) -> None:
    await company.directory(ana())
    await company.directory(ana(standing="disabled"))
    run = (await company.runs())[0]

    await company.lifecycle.runs.revert(TENANT, run.id, "boss")
    await company.lifecycle.work(TENANT)

    links = {link.id: link for link in await company.built.links.all(TENANT)}
    assert links[company.links["fin"].id].created_by == "slack:U1"
    assert (await company.runs())[0].state is RunState.REVERTED


async def test_a_mover_stays_where_they_were_until_their_days_are_over(
    company: Company,
) -> None:
    """It is in the run and the answer to why; ATOM ends it by itself."""
    await _published(company, _only("fin", "Finance", FIN))
    await company.directory(ana())
    await _in(company, FIN)
    await company.directory(ana(groups=["sales"]))

    moved = (await company.runs())[0]
    told = await company.built.policies.explainer.why(_join(company, FIN))

    assert ("CFIN", "U1") in company.seats.inside
    assert [step.deed for step in moved.steps] == [Deed.ADD]
    assert re.match(r"Finance is kept until \d{4}-\d\d-\d\d", moved.notes[0])
    assert told.decision.allowed
    assert re.match("Left group Finance .* and keeps it until ", told.facts[2])
    assert "kept until" in told.hits[0].ways[0].names[0]

    later = clock_us() + 14 * 86_400_000_000
    view = company.built.sources.view
    view.clock = lambda: later
    view.heard(TENANT, dict.fromkeys(view.sources(TENANT), later))
    await company.lifecycle.look(TENANT)
    await company.lifecycle.work(TENANT)

    ended = (await company.runs())[0]
    assert ("CFIN", "U1") not in company.seats.inside
    assert (ended.steps[0].deed, ended.steps[0].why) == (
        Deed.REMOVE,
        "may keep Finance no longer",
    )
    assert ended.notes == ("Finance is kept no longer",)
    assert not (await company.built.policy.decide(_join(company, FIN))).allowed


async def test_a_joiners_account_that_is_known_late_comes_in(company: Company) -> None:
    await company.directory(ana(accounts=[]))
    assert await company.runs() == []
    (person,) = company.built.sources.view.named(TENANT, Kind.PERSON, "Ana")
    late = AccountLink(SECOND, person, Confidence.PROVED, How.CONFIRMED)
    await company.built.accounts.keep(TENANT, late, "Ana showed it")

    await company.look()
    await company.look()

    assert company.seats.inside == {("CFIN", "U8")}
    assert [run.happening for run in await company.runs()] == [Happening.JOINER]


async def test_a_leavers_account_that_is_known_late_is_ended_and_never_joined(
    company: Company,
) -> None:
    """Whatever is known first: how they stand now says what becomes of it."""
    await company.directory(ana())
    await _in(company, FIN, "U1", "U8")
    company.seats.inside |= {("CFIN", "U1"), ("CFIN", "U8")}
    await company.directory(ana(standing="left"))
    assert company.seats.inside == {("CFIN", "U8")}
    (known,) = (
        s for s in company.built.sources.view.subjects(TENANT) if s.name == "Ana"
    )

    late = AccountLink(SECOND, known.id, Confidence.PROVISIONED, How.ADMIN, "boss")
    await company.built.accounts.keep(TENANT, late, "an admin said so")
    await company.look()
    await company.look()

    assert company.seats.inside == set()
    runs = await company.runs()
    assert [run.happening for run in runs] == [
        Happening.LEAVER,
        Happening.LEAVER,
        Happening.JOINER,
    ]
    assert [str(step.account) for step in runs[0].steps] == ["slack:T1/U8"] * 2


async def test_who_left_before_any_account_was_known_is_not_joined_by_it(
    company: Company,
) -> None:
    await company.directory(ana(accounts=[]))
    await company.directory(ana(accounts=[], standing="disabled"))

    await company.directory(ana(accounts=["slack:T1/U8"], standing="disabled"))

    assert company.seats.inside == set()
    assert [run.happening for run in await company.runs()] == [Happening.LEAVER]


async def test_who_came_back_meanwhile_is_joined_by_it(company: Company) -> None:
    await company.directory(ana(accounts=[]))
    await company.directory(ana(accounts=[], standing="disabled"))
    await company.directory(ana(accounts=[]))

    await company.directory(ana(accounts=["slack:T1/U8"]))

    assert company.seats.inside == {("CFIN", "U8")}


def _join(company: Company, channel: Channel) -> Asked:
    person = Person(Platform.SLACK, "U1")
    link = company.links["fin"].id
    return Asked(TENANT, person, Action.JOIN, channel, link=link, account="T1")


def _only(rule: str, group: str, channel: Channel) -> dict[str, object]:
    where = {"channel": str(channel)}
    return {
        "rules": [
            {
                "id": rule,
                "allow": "channel.join",
                "who": {"group": group},
                "where": where,
            }
        ],
        "tests": [
            {
                "name": "they may",
                "given": {"groups": [group]},
                "ask": {"action": "channel.join", **where},
                "expect": {"effect": "allow", "rules": [rule]},
            }
        ],
    }


async def _published(company: Company, policy: dict[str, object]) -> None:
    desk = company.built.policies.desk
    draft = Draft(yaml.safe_dump(policy))
    shown = await desk.preview(TENANT, "clara", draft, "")
    await desk.apply(TENANT, "clara", shown.report.hash)


async def _in(company: Company, channel: Channel, *users: str) -> None:
    """Let the platform tell that Ana is in a channel."""
    statements = came(TENANT, channel, users or ["U1"], clock_us())

    def program() -> Program[None]:
        yield from (one for one in statements)

    await company.built.database.hot.run(program)
