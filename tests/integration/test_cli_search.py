"""Searching the record at the command line, as an officer meets it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bots.command_line.officer import cli_officer
from bots.core import core
from bridge.compliance import Duty, Officer
from bridge.messages import Event, EventKind, File
from bridge.ports import Commitment
from storage.search.engine import Page
from tests.command_line import CommandLine
from tests.events import message
from tests.patient import patient

ME = cli_officer()
CLARA = Officer("teams:acme/29:clara")
ID = "1700000001.000001"


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    return made


def said(atom: CommandLine, events: Sequence[Event], *duties: Duty) -> None:
    async def writing() -> None:
        async with core(patient(atom.folder / "var"), "test") as built:
            for event in events:
                await built.journal.append(Commitment("acme", event, (), ()))
            if duties:
                await built.duties.assign("acme", ME, ME, Duty.ASSIGN)
                await built.duties.assign("acme", ME, CLARA, Duty.ASSIGN)
            for duty in duties:
                await built.duties.assign("acme", CLARA, ME, duty)

    asyncio.run(writing())


def talk() -> list[Event]:
    edit: dict[str, Any] = {"kind": EventKind.MESSAGE_EDIT, "event_id": "Ev2"}
    return [
        message(ID, "the first draft", event_id="Ev1"),
        message(ID, "the final plan", version_us=5, **edit),
        message(
            "1700000002.000001",
            "another plan",
            event_id="Ev3",
            files=(File("F1", "budget.pdf"),),
        ),
    ]


def test_nobody_searches_without_the_duty_to(atom: CommandLine) -> None:
    said(atom, talk())

    refused = atom.run("compliance", "search", "plan")

    assert refused.code == 1
    assert "search" in refused.err
    assert "plan" not in refused.out


def test_a_search_finds_and_is_on_record_with_what_it_found(atom: CommandLine) -> None:
    said(atom, talk(), Duty.SEARCH)

    found = atom.done("compliance", "search", "plan -draft", "--json").json

    assert [one["text"] for one in found["results"]] == [
        "another plan",
        "the final plan",
    ]
    assert (found["count"], found["complete"]) == (2, True)
    [entry] = [
        e for e in atom.done("log", "show", "--json").json if e["type"] == "search.run"
    ]
    assert entry["seq"] == found["entry"]
    detail = asyncio.run(detail_of(atom, entry["seq"]))
    assert detail["query"] == "plan -draft"
    assert detail["result_count"] == 2
    assert detail["result_root"] == found["root"]
    assert detail["query_ast_sha256"] == found["query_ast_sha256"]
    assert detail["as_of"] == found["as_of"]


async def detail_of(atom: CommandLine, seq: int) -> dict[str, Any]:
    async with core(patient(atom.folder / "var"), "test") as built:
        [entry] = await built.log.at("acme", [seq])
        return dict(entry.body["detail"])


def test_the_same_search_as_of_then_finds_the_same(atom: CommandLine) -> None:
    said(atom, talk(), Duty.SEARCH)
    first = atom.done("compliance", "search", "plan after:-3000d", "--json").json
    later = message("1700000009.000001", "a later plan", event_id="Ev9")
    said(atom, [later])

    size = ("--as-of", str(first["as_of"]))
    again = atom.done("compliance", "search", first["query"], *size, "--json").json
    now = atom.done("compliance", "search", first["query"], "--json").json

    same = ("root", "count", "as_of", "query_ast_sha256", "results")
    assert {k: again[k] for k in same} == {k: first[k] for k in same}
    assert (first["count"], now["count"]) == (2, 3)


def test_pages_and_counts(atom: CommandLine) -> None:
    said(atom, talk(), Duty.SEARCH)

    first = atom.done("compliance", "search", "plan", "--limit", "1", "--json").json
    second = atom.done(
        "compliance", "search", "plan", "--limit", "1", "--cursor", first["cursor"],
        "--json",
    ).json  # fmt: skip
    counted = atom.done("compliance", "search", "plan", "--count")

    assert [r["text"] for r in first["results"]] == ["another plan"]
    assert [r["text"] for r in second["results"]] == ["the final plan"]
    assert "2 messages" in counted.out
    assert "final" not in counted.out


def test_what_cannot_be_read_is_told_in_a_line_and_is_no_search(
    atom: CommandLine,
) -> None:
    said(atom, talk(), Duty.SEARCH)

    for query, hint in (("foo:bar", "There is no field"), ('"plan', "quote")):
        ran = atom.run("compliance", "search", query)
        assert (ran.code, len(ran.err.splitlines())) == (1, 1)
        assert hint in ran.err

    assert "search.run" not in atom.done("log", "show", "--json").out


def test_showing_a_message_shows_its_revisions_and_is_on_record(
    atom: CommandLine,
) -> None:
    said(atom, talk(), Duty.READ)

    shown = atom.done("compliance", "show", "1", "--json").json
    first = atom.done("compliance", "recreate", "--msg", ID, "--json").json
    last = atom.done("compliance", "recreate", "--msg", ID, "--rev", "1", "--json").json
    absent = atom.run("compliance", "recreate", "--msg", ID, "--rev", "2")

    assert [one["text"] for one in shown] == ["the first draft", "the final plan"]
    assert [one["text"] for one in first] == ["the first draft"]
    assert [one["text"] for one in last] == ["the final plan"]
    assert "no revision 2" in absent.err
    types = [e["type"] for e in atom.done("log", "show", "--json").json]
    assert types.count("item.view") == 3


def test_showing_takes_the_duty_to_read(atom: CommandLine) -> None:
    said(atom, talk(), Duty.SEARCH)

    for words in (("show", "1"), ("recreate", "--msg", ID)):
        ran = atom.run("compliance", *words)
        assert ran.code == 1
        assert "draft" not in ran.out


def test_the_index_says_how_far_it_is_and_is_made_anew(atom: CommandLine) -> None:
    said(atom, talk(), Duty.SEARCH)

    before = atom.done("compliance", "index", "status", "--json").json
    atom.done("compliance", "index", "rebuild")
    after = atom.done("compliance", "index", "status", "--json").json

    assert (before["indexed"], before["complete"]) == (0, False)
    assert (after["indexed"], after["complete"]) == (after["size"], True)
    assert "of" in atom.done("compliance", "index", "status").out


def test_a_hold_is_found_by_what_it_is_about(atom: CommandLine) -> None:
    said(atom, talk(), Duty.SEARCH)

    async def held() -> list[int]:
        from bridge.legal_holds import HoldScope, Matter
        from storage.compliance.retention.hold_rows import created, scoped

        def holding() -> Any:
            yield created("acme", Matter("m1", "case", ME.name, 1))
            yield scoped("acme", "m1", HoldScope(query="another"), 1)

        async with core(patient(atom.folder / "var"), "test") as built:
            await built.database.hot.run(holding)
            await built.search.indexing.catch_up("acme")
            run = await built.search.officers.run("acme", ME, "plan is:held", Page())
            other = await built.search.officers.run("acme", ME, "hold:m2", Page())
            return [*run.answer.seqs, *other.answer.seqs]

    assert len(asyncio.run(held())) == 1
