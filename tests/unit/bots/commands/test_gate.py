"""The policy and the platform must both agree before a command does anything."""

from dataclasses import dataclass, field, replace

import pytest

from bots.commands.gate import Gate
from bots.enforcing import compliance, person_of
from bridge.access import Action, Asked, Decision
from bridge.cards import Tone
from bridge.compliance import Duty, Officer
from bridge.links import LinkState
from bridge.messages import Channel, Person, Platform
from tests.unit.bots.commands.conftest import TENANT, Office

YES = Decision(allowed=True, rule="admins", policy="hash", directory="7")
NO = replace(YES, allowed=False, reason="Only IT gives commands.")


@dataclass
class Judge:
    """A policy that answers as told, and remembers what it was asked."""

    answer: Decision = YES
    asked: list[Asked] = field(default_factory=list)

    async def decide(self, asked: Asked) -> Decision:
        self.asked.append(asked)
        return self.answer


@dataclass
class GatedOffice(Office):
    judge: Judge = field(default_factory=Judge)

    @property
    def gate(self) -> Gate:
        return Gate(self.judge)


@pytest.fixture
def gated() -> GatedOffice:
    return GatedOffice()


async def test_a_command_is_asked_for_by_its_name(
    gated: GatedOffice, here: Channel, there: Channel
) -> None:
    await gated.link(here, there)

    await gated.type(here, "pause")

    [asked] = gated.judge.asked
    assert (asked.name, asked.channel) == ("admin.pause", here)
    assert gated.links.links[0].state is LinkState.PAUSED


async def test_who_the_policy_is_against_does_nothing_though_an_admin(
    gated: GatedOffice, here: Channel, there: Channel
) -> None:
    await gated.link(here, there)
    gated.judge.answer = NO

    card = await gated.type(here, "pause")

    assert card.tone is Tone.WARNING
    assert card.text == "`pause`: Only IT gives commands (admins)."
    assert gated.links.links[0].state is LinkState.ACTIVE


async def test_who_is_no_admin_there_does_nothing_though_the_policy_agrees(
    gated: GatedOffice, here: Channel, there: Channel
) -> None:
    await gated.link(here, there)

    card = await gated.type(here, "pause", who="mallory")

    assert card.title == "You may not do that"
    assert gated.links.links[0].state is LinkState.ACTIVE


@pytest.mark.parametrize("line", ["help", "", "help me"])
async def test_whoever_may_do_nothing_may_ask_for_help(
    gated: GatedOffice, here: Channel, line: str
) -> None:
    gated.judge.answer = NO

    card = await gated.type(here, line)

    assert card.tone is Tone.PLAIN
    assert gated.judge.asked == []


@dataclass
class Notes:
    """Keeps what would be written down."""

    noted: list[tuple[str, bool]] = field(default_factory=list)

    async def note(
        self, _t: str, actor: str, _c: Channel | None, thing: str, decision: Decision
    ) -> None:
        self.noted.append((f"{actor} {thing}", decision.allowed))


@pytest.mark.parametrize(
    ("duty", "name"),
    [
        (Duty.SEARCH, Action.SEARCH),
        (Duty.EXPORT, Action.EXPORT),
        (Duty.HOLD, Action.HOLD),
        (Duty.ERASE, "admin.erase"),
    ],
)
async def test_a_duty_is_of_no_use_to_whom_the_policy_is_against(
    duty: Duty, name: str
) -> None:
    judge, notes = Judge(NO), Notes()
    against = compliance(judge, notes)  # type: ignore[arg-type]
    officer = Officer("slack:T01ACME/U01ALICE")

    assert await against(TENANT, officer, duty) == "Only IT gives commands. (admins)"

    [asked] = judge.asked
    assert asked.name == name
    assert (asked.person, asked.account) == (
        Person(Platform.SLACK, "U01ALICE"),
        "T01ACME",
    )
    assert notes.noted == [(f"slack:T01ACME/U01ALICE {name}", False)]
    judge.answer = YES
    assert await against(TENANT, officer, duty) == ""


async def test_the_hosts_own_people_are_nobody_that_a_directory_knows() -> None:
    judge = Judge(NO)
    against = compliance(judge, Notes())  # type: ignore[arg-type]

    assert await against(TENANT, Officer("cli:root"), Duty.SEARCH) == ""
    assert judge.asked == []
    assert person_of(Officer("slack:T1")) is None
