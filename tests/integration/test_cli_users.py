"""Runs about joiners, movers and leavers at the command line."""

import asyncio
from pathlib import Path

import pytest

from bots.core import clock_us, core
from bots.settings import Settings
from bridge.directory.accounts import Account
from bridge.directory.lifecycle import Deed, Happening, Plan, Step
from bridge.directory.runs import Done, Run, RunState, StepState
from bridge.messages import Channel, Platform
from storage.runs.stored import StoredRuns
from tests.command_line import CommandLine

ANA = Account(Platform.SLACK, "T1", "U1")
FINANCE = Channel(Platform.SLACK, "T1", "CFIN")
PLAN = Plan(
    "acme",
    "p-1",
    "Ana \x1b[2J",
    Happening.LEAVER,
    "7",
    (
        Step(Deed.END_SESSIONS, "is left", ANA),
        Step(Deed.REMOVE, "is left", ANA, FINANCE, "fin"),
    ),
    ("link x has nobody to take it over: an admin has to",),
    asks=True,
)


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    return made


async def _planned(home: Path) -> Run:
    async with core(Settings(home=home), "tests") as built:
        runs = StoredRuns(built.database.hot, built.acts, clock_us)
        run = await runs.keep(PLAN)
        assert run is not None
        return run


async def _over(home: Path) -> None:
    async with core(Settings(home=home), "tests") as built:
        runs = StoredRuns(built.database.hot, built.acts, clock_us)
        run = await runs.due("acme", 1)
        assert run is not None
        await runs.end(run, 0, Done(StepState.DONE))
        await runs.end(run, 1, Done(StepState.FAILED, "no right"))
        await runs.conclude(run, RunState.PARTLY)


def test_a_run_is_shown_agreed_to_and_taken_back(atom: CommandLine) -> None:
    assert "No run waits." in atom.done("users", "runs", "list").out
    run = asyncio.run(_planned(atom.folder / "var"))

    listed = atom.done("users", "runs", "list").out
    shown = atom.done("users", "runs", "show", run.id).out

    assert run.id in listed
    assert "1 end sessions, 1 remove" in listed
    assert "sign slack:T1/U1 out everywhere, for good: is left" in shown
    assert "remove slack:T1/U1 from slack:T1/CFIN: is left" in shown
    assert "left alone: link x has nobody to take it over" in shown
    assert "\x1b" not in listed + shown

    atom.done("users", "runs", "approve", run.id, run.digest[:12])
    asyncio.run(_over(atom.folder / "var"))
    data = atom.done("users", "runs", "show", run.id, "--json").json
    atom.done("users", "runs", "revert", run.id)

    assert data["state"] == "partly done"
    assert [(s["state"], s["note"]) for s in data["steps"]] == [
        ("done", ""),
        ("failed", "no right"),
    ]
    assert data["decided_by"].startswith("cli:")
    [after] = atom.done("users", "runs", "list", "--json").json
    assert after["state"] == "reverting"


def test_a_refused_run_is_over(atom: CommandLine) -> None:
    run = asyncio.run(_planned(atom.folder / "var"))

    atom.done("users", "runs", "refuse", run.id, run.digest[:8])

    assert atom.done("users", "runs", "list", "--json").json == []
    assert len(atom.done("users", "runs", "list", "--all", "--json").json) == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("show", "R-none"), "There is no run R-none."),
        (("approve", "R-none", "12345678"), "There is no run R-none."),
        (("approve", "{run}", "1234"), "give 8 digits or more"),
        (("approve", "{run}", "00000000"), "other steps than those that were shown"),
        (("revert", "{run}"), "cannot be taken back: it is waiting"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    atom: CommandLine, arguments: tuple[str, ...], reason: str
) -> None:
    run = asyncio.run(_planned(atom.folder / "var"))
    ran = atom.run("users", "runs", *(one.format(run=run.id) for one in arguments))

    assert ran.code == 1
    assert reason in ran.err
    assert ran.err.count("\n") == 1
