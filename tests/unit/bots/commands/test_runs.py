"""Runs in chat: what is shown, and a word on exactly the steps that were shown."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bots.commands.base import Commands, Request
from bots.commands.runs import RunsCommand, run_card, waiting_card
from bots.core import core
from bots.runs_desk import Desk, RunTelling
from bots.settings import Settings
from bridge.cards import Card, Tone
from bridge.compliance import Duty, Officer
from bridge.directory.accounts import Account
from bridge.directory.lifecycle import Deed, Happening, Plan, Step
from bridge.directory.model import Subject
from bridge.directory.runs import Done, Run, RunState, StepState
from bridge.messages import Channel, Person, Platform
from storage.runs.stored import StoredRuns
from tests.unit.bots.commands.conftest import FALCON

HERE = FALCON[Platform.SLACK]
BOB = Account(Platform.SLACK, "T1", "U2")
STEPS = (
    Step(Deed.REMOVE, "not in Finance any more", BOB, HERE),
    Step(Deed.END_SESSIONS, "left the company", BOB),
)
RUN = Run(
    id="R-abcdef012345",
    tenant="acme",
    person="p-bob",
    name="Bob",
    happening=Happening.LEAVER,
    version="7",
    digest="abcdef012345" + "0" * 52,
    state=RunState.WAITING,
    created_us=1_700_000_000_000_000,
    steps=STEPS,
    progress=(Done(), Done()),
    notes=("#general was joined by choice",),
)


@dataclass
class FakeDesk:
    """One run, and what was said about it."""

    runs: list[Run] = field(default_factory=lambda: [RUN])
    said: list[tuple[str, str, str]] = field(default_factory=list)

    async def listed(
        self, tenant: str, officer: Officer, *, everything: bool = False
    ) -> list[Run]:
        return self.runs

    async def called(self, tenant: str, officer: Officer, run: str) -> Run:
        return self.runs[0]

    async def decide(
        self, tenant: str, officer: Officer, run: str, digest: str, *, agreed: bool
    ) -> Run:
        self.said.append((officer.name, digest, "agree" if agreed else "refuse"))
        return self.runs[0]

    async def revert(self, tenant: str, officer: Officer, run: str) -> Run:
        self.said.append((officer.name, run, "revert"))
        return self.runs[0]


async def _type(desk: FakeDesk, text: str) -> Card:
    request = Request("acme", HERE, Person(Platform.SLACK, "U1"), text, "T1")
    return await Commands((RunsCommand(desk),)).answer(request)


async def test_a_run_is_shown_with_its_reasons_and_buttons_for_just_these_steps() -> (
    None
):
    card = await _type(FakeDesk(), f"runs {RUN.id}")

    assert card.tone is Tone.WARNING
    assert card.title == f"{RUN.id}: leaver Bob"
    first, second, note = card.sections
    assert first.text == "not in Finance any more"
    assert second.title.endswith(", for good")
    assert note.text == "#general was joined by choice"
    assert [b.command for b in card.buttons] == [
        f"runs {RUN.id} approve {RUN.digest}",
        f"runs {RUN.id} refuse {RUN.digest}",
    ]


async def test_the_list_leads_to_each_run() -> None:
    card = await _type(FakeDesk(), "runs")

    assert [b.command for b in card.buttons] == [f"runs {RUN.id}"]
    assert (await _type(FakeDesk([]), "runs")).text == "No run waits."
    assert (await _type(FakeDesk([]), "runs all")).text == "There was no run yet."


async def test_what_was_done_can_be_taken_back() -> None:
    done = replace(
        RUN, state=RunState.DONE, progress=(Done(StepState.DONE), Done(StepState.KEPT))
    )
    desk = FakeDesk([done])

    assert [b.label for b in run_card(done).buttons] == ["Take back"]
    assert "1 step" in (await _type(desk, f"runs {RUN.id} revert")).text
    assert desk.said == [("slack:T1/U1", RUN.id, "revert")]


@pytest.mark.parametrize(
    "text", ["runs R-1 approve", "runs R-1 approve abc", "runs a b c d"]
)
async def test_a_word_needs_to_say_on_what(text: str) -> None:
    desk = FakeDesk()

    assert (await _type(desk, text)).tone is Tone.BAD
    assert desk.said == []


async def test_a_long_run_is_cut_and_says_so() -> None:
    long = replace(RUN, steps=STEPS * 15, progress=(Done(),) * 30, notes=())

    assert run_card(long).sections[-1].title == "and 10 more"
    assert waiting_card(long).buttons == run_card(long).buttons


class View:
    """A directory in which U2 is Bob."""

    def subject(self, tenant: str, person: Person, account: str) -> Subject | None:
        return Subject("p-bob", "Bob") if person.id == "U2" else None


@dataclass
class Room:
    """An admins' channel that can be away."""

    cards: list[Card] = field(default_factory=list)

    async def announce(self, channel: Channel, card: Card) -> None:
        self.cards.append(card)

    async def channel_name(self, channel: Channel) -> str:
        return channel.id

    def forget(self, channel: Channel) -> None:
        """It has one name only."""


async def test_only_who_has_the_duty_sees_and_nobody_decides_about_themselves(
    tmp_path: Path,
) -> None:
    chief, ana, bob = (Officer(n) for n in ("cli:chief", "slack:T1/U1", "slack:T1/U2"))
    async with core(Settings(home=tmp_path), "test") as built:
        await built.companies.create("acme", "Acme", "a@acme.example")
        built.keys.create("acme")
        await built.duties.assign("acme", chief, chief, Duty.ASSIGN)
        runs = StoredRuns(built.database.hot, built.acts, lambda: 1)
        made = await runs.keep(
            Plan("acme", "p-bob", "Bob", Happening.LEAVER, "7", STEPS, (), asks=True)
        )
        assert made
        desk = Desk(runs, built.duties, View())  # type: ignore[arg-type] # one question
        command = Commands((RunsCommand(desk),))

        async def types(who: str, text: str) -> Card:
            person = Person(Platform.SLACK, who)
            return await command.answer(Request("acme", HERE, person, text, "T1"))

        word = f"runs {made.id} approve {made.digest}"
        assert (await types("U1", "runs")).tone is Tone.BAD
        for officer in (ana, bob):
            await built.duties.assign("acme", chief, officer, Duty.APPROVE)
        assert "about yourself" in (await types("U2", word)).text
        assert (await runs.called("acme", made.id)).state is RunState.WAITING
        assert (await types("U1", word)).title == "Agreed"
        assert (await runs.called("acme", made.id)).state is RunState.READY
        assert (await types("U1", word)).tone is Tone.BAD


async def test_admins_are_told_of_a_run_that_waits_once(tmp_path: Path) -> None:
    async with core(Settings(home=tmp_path), "test") as built:
        await built.companies.create("acme", "Acme", "a@acme.example")
        built.keys.create("acme")
        runs = StoredRuns(built.database.hot, built.acts, lambda: 1)
        for name, asks in (("Bob", True), ("Eve", False)):
            plan = Plan("acme", name, name, Happening.MOVER, "7", STEPS, (), asks=asks)
            await runs.keep(plan)
        room = Room()
        telling = RunTelling(
            runs, built.acts, {Platform.SLACK: room}, "acme", str(HERE)
        )

        await telling.tell(HERE)
        await telling.tell(HERE)

    [card] = room.cards
    assert "Bob" in card.title
    assert [b.label for b in card.buttons] == ["Approve", "Refuse"]
