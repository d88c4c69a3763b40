"""Keeping, holding and disposing at the command line, as the operator meets them."""

import asyncio
from pathlib import Path

import pytest

from bots.command_line.officer import cli_officer
from bots.core import clock_us, core
from bridge.access import Decision
from bridge.compliance import Duty, Officer
from bridge.ports import Commitment
from storage.hot import Program, Statement
from tests.command_line import CommandLine
from tests.events import message
from tests.patient import patient

CLARA = Officer("cli:clara")
YEAR_US = 366 * 86_400_000_000


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    return made


async def _trusted(home: Path) -> None:
    async with core(patient(home), "tests") as built:
        await built.duties.assign("acme", CLARA, CLARA, Duty.ASSIGN)
        for duty in (Duty.HOLD, Duty.RETAIN):
            await built.duties.assign("acme", CLARA, cli_officer(), duty)


async def _said(home: Path) -> list[int]:
    """Let something be imported that is old, and a platform tell the time."""
    async with core(patient(home), "tests") as built:
        yes = Decision(allowed=True, rule="default", policy="p1", directory="none")
        now = clock_us()
        events = [
            message("1.1", "old", sent_us=now - YEAR_US, via="import"),
            message("1.2", "held", sent_us=now - YEAR_US, via="import"),
            message("1.3", "new", sent_us=now),
        ]
        return [
            (await built.journal.append(Commitment("acme", e, (yes,), ()))).seq
            for e in events
        ]


async def _a_day_ago(home: Path) -> None:
    """Let the rules be older than they are."""
    async with core(patient(home), "tests") as built:
        await built.database.hot.run(_aged)


def _aged() -> Program[None]:
    yield Statement(
        "UPDATE retention_rule SET changed_us = changed_us - :year", {"year": YEAR_US}
    )


def test_rules_holds_and_dispositions(atom: CommandLine) -> None:
    home = atom.folder / "var"
    refused = atom.run("compliance", "retention", "set", "R1", "--delete", "90d")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    asyncio.run(_trusted(home))
    old, held, new = asyncio.run(_said(home))

    atom.done("compliance", "retention", "set", "chat", "--delete", "90d")
    atom.done(
        "compliance",
        "retention",
        "set",
        "sec",
        "--floor",
        "sec-17a-4",
        "--channel",
        "slack:T01ACME/C0BROKERS",
    )
    atom.done("compliance", "retention", "set", "extra", "--keep", "1y")
    atom.done("compliance", "retention", "remove", "extra")
    rules = atom.done("compliance", "retention", "list", "--json").json
    assert [(r["rule"], r["floor"]) for r in rules] == [("chat", False), ("sec", True)]
    assert "3 years (floor)" in atom.done("compliance", "retention", "list").out
    made = atom.done(
        "compliance",
        "hold",
        "create",
        "Falcon",
        "--query",
        "held",
        "--channel",
        "slack:T01ACME/C02FALCON",
        "--json",
    ).json

    early = atom.done("compliance", "dispose", "--dry-run", "--json").json
    assert (early["shredded"], early["settling"], early["held"]) == (0, 1, 1)
    asyncio.run(_a_day_ago(home))
    dry = atom.done("compliance", "dispose", "--dry-run").out
    assert "1 entries would go" in dry
    done = atom.done("compliance", "dispose", "--json").json

    assert (done["shredded"], done["held"]) == (1, 1)
    [went] = atom.done("compliance", "dispositions", "--json").json
    assert went["seqs"] == [[old, old]]
    assert str(old) in atom.done("compliance", "dispositions").out
    why = atom.done("compliance", "retention", "explain", str(held)).out
    assert made["hold"] in why
    data = atom.done("compliance", "hold", "explain", str(new), "--json").json
    assert (data["state"], [c["won"] for c in data["considered"]]) == ("ACTIVE", [True])
    assert atom.done("log", "verify", "--json").json["intact"]

    listed = atom.done("compliance", "hold", "list").out
    assert "Falcon" in listed
    atom.done("compliance", "hold", "widen", made["hold"], "--from", "2030-01-31")
    shown = atom.done("compliance", "hold", "show", made["hold"]).out
    assert "what held finds" in shown
    assert "from 2030-01-31" in shown
    assert "until" in atom.done("compliance", "hold", "release", made["hold"]).out
    again = atom.run("compliance", "hold", "release", made["hold"])
    assert "released before" in again.err


BAD = (
    ("retention", "set", "R", "--delete", "soon"),
    ("retention", "set", "R"),
    ("retention", "set", "R", "--floor", "hipaa"),
    ("retention", "set", "R", "--delete", "1d", "--channel", "here"),
    ("retention", "remove", "nothing"),
    ("retention", "explain", "99999"),
    ("hold", "create", "X"),
    ("hold", "create", "X", "--everything", "--query", "a"),
    ("hold", "create", "X", "--query", "from:("),
    ("hold", "create", "X", "--person", "bob"),
    ("hold", "release", "H0"),
)


def test_bad_lines_are_one_line_errors(atom: CommandLine) -> None:
    asyncio.run(_trusted(atom.folder / "var"))
    for line in BAD:
        ended = atom.run("compliance", *line)

        assert ended.code == 1, line
        assert ended.err.startswith("atom: ")
        assert ended.err.count("\n") == 1
