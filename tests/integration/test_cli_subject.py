"""People's rights at the command line, as an officer meets them."""

import asyncio
import json
from pathlib import Path

import jsonschema
import pytest

from bots.command_line.officer import cli_officer
from bots.core import core
from bridge.access import Decision
from bridge.compliance import Duty, Officer
from bridge.ports import Commitment
from tests.command_line import CommandLine
from tests.events import FALCON, PROJECT, message
from tests.patient import patient

ME, CLARA = cli_officer(), Officer("teams:acme/29:clara")
ALICE = "slack:T01ACME/U01ALICE"
YES = Decision(allowed=True, rule="default", policy="p1", directory="none")


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A company in which Alice said something, and this host's officer may export."""
    made = CommandLine(tmp_path, capsys)
    made.set_up()

    async def furnish() -> None:
        async with core(patient(tmp_path / "var"), "test") as built:
            duties = built.duties
            await duties.assign("acme", ME, ME, Duty.ASSIGN)
            await duties.assign("acme", ME, CLARA, Duty.ASSIGN)
            await duties.assign("acme", ME, CLARA, Duty.APPROVE)
            for duty in (Duty.EXPORT, Duty.RETAIN, Duty.ERASE):
                await duties.assign("acme", CLARA, ME, duty)
            await built.links.add("acme", (FALCON, PROJECT), "cli")
            said = message(text="it is me, Alice")
            await built.journal.append(Commitment("acme", said, (YES,), ()))

    asyncio.run(furnish())
    return made


def approve(atom: CommandLine) -> None:
    async def agree() -> None:
        async with core(patient(atom.folder / "var"), "test") as built:
            for one in await built.approvals.waiting("acme"):
                await built.approvals.approve("acme", CLARA, one.id)

    asyncio.run(agree())


def test_a_package_waits_for_a_second_person_and_then_is_written(
    atom: CommandLine,
) -> None:
    line = ("compliance", "subject", "access", ALICE, "--received", "2026-01-31")
    first = atom.run(*line)
    approve(atom)
    done = atom.done(*line, "--json").json
    again = atom.run(*line)

    assert "is due on 2026-02-28" in first.err
    assert "approvals approve A-" in first.err
    assert done["counts"] == {"messages": 1, "entries": 1, "about": 0}
    package = json.loads((atom.folder / "subject/package.json").read_bytes())
    assert package["said_and_done"][0]["text"] == "it is me, Alice"
    assert b"it is me, Alice" in (atom.folder / "subject/package.html").read_bytes()
    assert again.code == 1
    listed = atom.done("compliance", "subject", "requests", "--json").json
    assert sorted(bool(one["answered_us"]) for one in listed) == [False, True]
    assert "answered" in atom.done("compliance", "subject", "requests").out


def test_an_approval_of_one_package_is_none_of_another(atom: CommandLine) -> None:
    atom.run("compliance", "subject", "access", ALICE)
    approve(atom)

    for line in (("access", ALICE, "--name", "Ali"), ("portability", ALICE)):
        assert atom.run("compliance", "subject", *line).code == 1


def test_what_is_carried_on_follows_the_schema_that_is_printed(
    atom: CommandLine,
) -> None:
    atom.run("compliance", "subject", "portability", ALICE)
    approve(atom)
    atom.done("compliance", "subject", "portability", ALICE, "--out", "mine")

    schema = atom.done("compliance", "subject", "schema").json
    data = json.loads((atom.folder / "mine/portability.json").read_bytes())
    jsonschema.validate(data, schema)
    assert data["messages"][0]["revisions"][0]["text"] == "it is me, Alice"


def test_restriction_is_set_and_lifted_with_a_reason(atom: CommandLine) -> None:
    line = ("compliance", "subject", "restrict", ALICE)

    assert atom.run(*line).code == 2
    assert "shown to nobody" in atom.done(*line, "--reason", "disputed").out
    lifted = atom.done("compliance", "subject", "unrestrict", ALICE, "--reason", "ok")
    assert "can be used again" in lifted.out


def test_notices_are_shown_even_if_there_are_none(atom: CommandLine) -> None:
    line = ("compliance", "subject", "notices")

    assert "No recipient" in atom.done(*line).out
    assert "0 copies" in atom.done(*line, "--take-down").out
    assert atom.done(*line, "--json").json == []


def test_records_of_processing_come_from_the_configuration(atom: CommandLine) -> None:
    before = atom.done("compliance", "processing", "--json").json
    again = atom.done("compliance", "processing", "--json").json

    assert before == again
    [link] = before["activities"][0]["recipients"]
    assert link["channels"] == [str(FALCON), str(PROJECT)]
    assert before["controller"]["contact"] == "admin@acme.example"
    assert before["assessments"] == {"open": 2}
    text = (atom.folder / "processing/processing.md").read_text()
    assert text.startswith("# Records of processing: acme")
    assert "kept until it is erased" in text
    assert str(FALCON.id) in text


def test_assessments_are_shown_and_closed(atom: CommandLine) -> None:
    found = atom.done("compliance", "assessments", "--json").json
    [monitoring] = [one for one in found if one["trigger"] == "monitoring"]

    line = ("compliance", "assessments", "--close", monitoring["id"])
    assert atom.run(*line).code == 1
    shown = atom.done(*line, "--outcome", "the works council agreed").out
    assert "the works council agreed" in shown


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (("access", "alice"), "names nobody"),
        (("access", ALICE, "--received", "soon"), "is no day"),
        (("access", ALICE, "--received", "2999-01-01"), "not yet"),
        (("access", ALICE, "--decisions", "none.json"), "cannot be read"),
        (("extend", "R-1", "--reason", "x"), "no request"),
        (("unrestrict", ALICE, "--reason", "x"), "Nothing of"),
    ],
)
def test_bad_input_is_told_in_a_line(
    atom: CommandLine, line: tuple[str, ...], why: str
) -> None:
    ran = atom.run("compliance", "subject", *line)

    assert ran.code == 1
    assert why in ran.err
    assert len(ran.err.splitlines()) == 1
