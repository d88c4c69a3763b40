"""Keys at the command line, as the operator meets them."""

import asyncio
from pathlib import Path

import pytest

from bots.command_line.officer import cli_officer
from bots.core import core
from bridge.access import Decision
from bridge.compliance import Duty, Officer
from bridge.messages import Person, Platform
from bridge.ports import Commitment
from storage.compliance.erasure.certificates import checked, committed
from storage.compliance.proofs.notes import VerifierKey
from tests.command_line import CommandLine
from tests.events import message
from tests.patient import patient

YES = Decision(allowed=True, rule="default", policy="p1", directory="none")

ADA = "slack:T01ACME/UADA"
BEN = Officer("cli:ben")
CLARA = Officer("cli:clara")


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    return made


async def _trusted(home: Path) -> None:
    async with core(patient(home), "tests") as built:
        await built.duties.assign("acme", CLARA, CLARA, Duty.ASSIGN)
        await built.duties.assign("acme", CLARA, cli_officer(), Duty.ERASE)
        await built.duties.assign("acme", CLARA, BEN, Duty.APPROVE)


async def _said(home: Path, person: str, count: int = 1) -> None:
    async with core(patient(home), "tests") as built:
        for n in range(count):
            author = Person(Platform.SLACK, person, person)
            event = message(ts=f"17.{n:06}{person}", author=author)
            await built.journal.append(Commitment("acme", event, (YES,), ()))


async def _vkey(home: Path) -> VerifierKey:
    async with core(patient(home), "tests") as built:
        return (await built.signers.current("acme")).verifier


async def _agreed(home: Path) -> None:
    async with core(patient(home), "tests") as built:
        [asked] = await built.approvals.waiting("acme")
        await built.approvals.approve("acme", BEN, asked.id)


def test_a_key_is_rotated_and_the_old_one_destroyed(atom: CommandLine) -> None:
    home = atom.folder / "var"
    refused = atom.run("compliance", "keys", "rotate")
    asyncio.run(_trusted(home))

    rotated = atom.done("compliance", "keys", "rotate")
    early = atom.run("compliance", "keys", "destroy-old", "--approved")
    asked = atom.done("compliance", "keys", "destroy-old").out
    asyncio.run(_agreed(home))
    atom.done("compliance", "keys", "destroy-old", "--approved")

    assert rotated.err == ""  # no bar where nobody looks
    assert refused.code == early.code == 1
    assert "approvals approve A-" in asked
    listed = atom.done("compliance", "keys", "status", "--json").json
    assert [(v["version"], v["state"]) for v in listed] == [
        (1, "destroyed"),
        (2, "active"),
    ]
    assert (listed[0]["keys"], listed[1]["keys"] > 0) == (0, True)
    assert not (home / "keys" / "acme.key").exists()
    assert (home / "keys" / "acme.key.2").exists()
    assert "active" in atom.done("compliance", "keys", "status").out
    assert atom.done("log", "verify", "--json").json["intact"]
    atom.set_up()
    assert not (home / "keys" / "acme.key").exists()


def test_somebody_is_erased_with_a_certificate(atom: CommandLine) -> None:
    home = atom.folder / "var"
    asyncio.run(_trusted(home))
    asyncio.run(_said(home, "UADA", 3))
    asyncio.run(_said(home, "UBEN", 2))
    early = atom.run("compliance", "erase", ADA, "--approved")
    nobody = atom.run("compliance", "erase", "UADA")
    no_address = atom.run("compliance", "erase", ADA, "--address", "ada")
    atom.done("compliance", "erase", ADA)
    asyncio.run(_agreed(home))

    address = ("--address", "ada@acme.example")
    done = atom.done("compliance", "erase", ADA, "--approved", *address).out

    assert early.code == nobody.code == no_address.code == 1
    assert "'ada' is no e-mail address" in no_address.err
    assert "3 entries are erased, 2 keys" in done
    [erasure] = atom.done("compliance", "erasures", "--json").json
    assert (erasure["state"], erasure["entries"], erasure["held"]) == ("done", 3, 0)
    assert erasure["id"] in atom.done("compliance", "erasures").out
    told = ("compliance", "certificate", erasure["id"])
    certificate = atom.done(*told, "--person", ADA).json
    said = checked(certificate["note"], [asyncio.run(_vkey(home))])
    assert said == certificate["said"]
    assert said["person"] == committed(certificate["salt"], "slack|UADA")
    assert atom.run(*told, "--person", "slack:T01ACME/UBEN").code == 1
    assert atom.done("log", "verify", "--json").json["intact"]
    shown = atom.done("log", "show", "--last", "100", "--json").json
    erased = [e["erased"] for e in shown if e["type"] == "message.create"]
    assert erased == [True] * 3 + [False] * 2
    again = atom.run("compliance", "erase", ADA)
    assert "not any more" in again.err
    refused = atom.run("compliance", "matter", "H1")
    assert refused.code == 1
