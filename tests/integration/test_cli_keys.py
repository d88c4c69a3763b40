"""Keys at the command line, as the operator meets them."""

import asyncio
from pathlib import Path

import pytest

from bots.at_command_line import cli_officer
from bots.core import core
from bots.settings import Settings
from bridge.compliance import Duty, Officer
from tests.command_line import CommandLine

BEN = Officer("cli:ben")
CLARA = Officer("cli:clara")


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    return made


async def _trusted(home: Path) -> None:
    async with core(Settings(home=home), "tests") as built:
        await built.duties.assign("acme", CLARA, CLARA, Duty.ASSIGN)
        await built.duties.assign("acme", CLARA, cli_officer(), Duty.ERASE)
        await built.duties.assign("acme", CLARA, BEN, Duty.APPROVE)


async def _agreed(home: Path) -> None:
    async with core(Settings(home=home), "tests") as built:
        [asked] = await built.approvals.waiting("acme")
        await built.approvals.approve("acme", BEN, asked.id)


def test_a_key_is_rotated_and_the_old_one_destroyed(atom: CommandLine) -> None:
    home = atom.folder / "var"
    refused = atom.run("compliance", "keys", "rotate")
    asyncio.run(_trusted(home))

    atom.done("compliance", "keys", "rotate")
    early = atom.run("compliance", "keys", "destroy-old", "--approved")
    asked = atom.done("compliance", "keys", "destroy-old").out
    asyncio.run(_agreed(home))
    atom.done("compliance", "keys", "destroy-old", "--approved")

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
