"""What Slack and Teams exported gets on record, once, and marked as imported."""

import asyncio
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bots.command_line.officer import cli_officer
from bots.core import core
from bridge.compliance import Duty, Officer
from bridge.ports import Commitment
from storage.hot import Program, Statement
from tests.command_line import CommandLine
from tests.events import message
from tests.exports import tell
from tests.patient import patient

CLARA = Officer("teams:acme/29:clara")
ME = cli_officer()
SLACK = ("compliance", "import", "slack", "slack.zip")
TEAMS = ("compliance", "import", "teams", "teams.json", "--account", "7e4a4700-tenant")

_USERS = [
    {"id": "U01ALICE", "team_id": "T01ACME", "profile": {"real_name": "Alice Wong"}},
    {"id": "U02BOB", "team_id": "T01ACME", "profile": {"display_name": "bob"}},
]
_SAID = {"type": "message", "user": "U01ALICE", "ts": "1700000000.000100"}
_EDITED = {"user": "U02BOB", "ts": "1700000050.000000"}
_DAY = [
    {**_SAID, "text": "hello", "reactions": [{"name": "+1", "users": ["U02BOB"]}]},
    {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "ts": "1700000040.000000",
        "message": {
            **_SAID,
            "text": "hello you",
            "edited": {**_EDITED, "ts": "1700000040.000000"},
        },
        "previous_message": {**_SAID, "text": "hello"},
    },
    {
        "type": "message",
        "user": "U02BOB",
        "text": "a reply",
        "ts": "1700000060.000200",
        "thread_ts": "1700000000.000100",
        "edited": _EDITED,
        "files": [{"id": "F1", "name": "cat.png", "mimetype": "image/png", "size": 5}],
    },
    {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "ts": "1700000070.000000",
        "deleted_ts": "1700000060.000200",
        "previous_message": {
            "user": "U02BOB",
            "text": "a reply",
            "ts": "1700000060.000200",
        },
    },
    {
        "type": "message",
        "subtype": "channel_join",
        "user": "U02BOB",
        "ts": "1699999999.000000",
    },
    {
        "type": "message",
        "text": "\ud83d \u0000 half",
        "user": "U01ALICE",
        "ts": "1700000080.000000",
    },
]

_GRAPH = {
    "value": [
        {
            "id": "1700000000123",
            "messageType": "message",
            "createdDateTime": "2023-11-14T22:13:20.123Z",
            "lastEditedDateTime": "2023-11-14T22:20:00Z",
            "from": {"user": {"id": "aad-carol", "displayName": "Carol Díaz"}},
            "body": {"contentType": "html", "content": "<p>hi <b>all</b></p>"},
            "channelIdentity": {
                "teamId": "group-1",
                "channelId": "19:falcon@thread.tacv2",
            },
            "reactions": [
                {
                    "reactionType": "like",
                    "createdDateTime": "2023-11-14T22:15:00Z",
                    "user": {"user": {"id": "aad-bob", "displayName": "Bob"}},
                }
            ],
            "replies": [
                {
                    "id": "1700000100123",
                    "replyToId": "1700000000123",
                    "messageType": "message",
                    "createdDateTime": "2023-11-14T22:15:00.123Z",
                    "deletedDateTime": "2023-11-14T22:16:00Z",
                    "from": {"user": {"id": "aad-bob", "displayName": "Bob"}},
                    "body": {"contentType": "text", "content": "gone"},
                    "channelIdentity": {
                        "teamId": "group-1",
                        "channelId": "19:falcon@thread.tacv2",
                    },
                }
            ],
        },
        {
            "id": "1700000200000",
            "messageType": "message",
            "createdDateTime": "2023-11-14T22:16:40Z",
            "from": {"user": {"id": "aad-bob", "displayName": "Bob"}},
            "body": {"contentType": "text", "content": "in a chat"},
            "chatId": "19:chat@thread.v2",
        },
        {"id": "1", "messageType": "systemEventMessage", "from": None},
    ]
}


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()

    async def prepared() -> None:
        async with core(patient(tmp_path / "var"), "test") as built:
            await built.duties.assign("acme", ME, ME, Duty.ASSIGN)
            await built.duties.assign("acme", ME, CLARA, Duty.ASSIGN)
            await built.duties.assign("acme", CLARA, ME, Duty.RETAIN)

    asyncio.run(prepared())
    zipped(tmp_path / "slack.zip")
    (tmp_path / "teams.json").write_text(json.dumps(_GRAPH))
    return made


def zipped(path: Path, day: list[dict[str, Any]] | None = None) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        channel = {"id": "C02FALCON", "name": "falcon", "created": 1_600_000_000}
        archive.writestr("channels.json", json.dumps([channel]))
        archive.writestr("dms.json", json.dumps([{"id": "D01", "members": []}]))
        archive.writestr("users.json", json.dumps(_USERS))
        archive.writestr(
            "falcon/2023-11-14.json", json.dumps(_DAY if day is None else day)
        )
        direct = [
            {"type": "message", "user": "U02BOB", "text": "psst", "ts": "1700000090.0"}
        ]
        archive.writestr("D01/2023-11-14.json", json.dumps(direct))


def on_record(atom: CommandLine) -> list[dict[str, Any]]:
    async def read() -> list[dict[str, Any]]:
        async with core(patient(atom.folder / "var"), "test") as built:
            entries = await built.log.entries("acme", -1, 500)
            return [
                {
                    **e.row,
                    "text": e.body.get("text"),
                    "author": e.body.get("author"),
                    "body": e.body,
                }
                for e in entries
                if e.row["via"] == "import"
            ]

    return asyncio.run(read())


def test_a_slack_export_gets_on_record_with_what_became_of_messages(
    atom: CommandLine,
) -> None:
    done = atom.done(*SLACK, "--json").json

    told = on_record(atom)
    assert done["new"] == len(told)
    first = [e for e in told if e["msg"] == "1700000000.000100"]
    assert [(e["etype"], e["text"], e["rev"]) for e in first] == [
        ("message.create", "hello", 0),
        ("reaction.add", "", 0),
        ("message.edit", "hello you", 1),
    ]
    assert first[0]["author"]["name"] == "Alice Wong"
    second = [e["etype"] for e in told if e["msg"] == "1700000060.000200"]
    assert second == ["message.create", "message.edit", "message.delete"]
    reply = next(e for e in told if e["text"] == "a reply")
    assert reply["thread"] == "1700000000.000100"
    assert reply["body"]["files"][0]["name"] == "cat.png"
    assert {e["conv"] for e in told} == {"C02FALCON", "D01"}
    kinds = {e["etype"] for e in told}
    assert {"member.join", "conv.change"} <= kinds
    assert atom.done("log", "verify").out.startswith("Intact")
    assert atom.done("log", "show", "--json").json[-1]["type"] == "import.run"


def test_a_second_import_and_a_dry_run_write_nothing(atom: CommandLine) -> None:
    dry = atom.done(*SLACK, "--dry-run", "--json").json
    nothing = on_record(atom)
    first = atom.done(*SLACK, "--json").json
    count = len(on_record(atom))
    again = atom.done(*SLACK, "--json").json

    assert nothing == []
    assert dry["read"] == first["read"] == again["read"]
    assert (again["new"], again["known"]) == (0, first["read"])
    assert len(on_record(atom)) == count


def test_what_was_heard_in_its_time_is_not_taken_twice(atom: CommandLine) -> None:
    async def heard() -> None:
        async with core(patient(atom.folder / "var"), "test") as built:
            said = message(text="hello")
            await built.journal.append(Commitment("acme", said, (), ()))
            # What came in is remembered for a while; the log is for ever.
            await built.database.hot.run(forgotten)

    def forgotten() -> Program[None]:
        yield Statement("DELETE FROM seen", {})

    asyncio.run(heard())
    atom.done(*SLACK)

    first = [e for e in on_record(atom) if e["msg"] == "1700000000.000100"]
    assert [e["etype"] for e in first] == ["message.edit"]


def test_an_import_that_was_stopped_is_begun_again(atom: CommandLine) -> None:
    zipped(atom.folder / "slack.zip", [*_DAY[:3], 7, {"ts": []}])  # type: ignore[list-item]
    atom.done(*SLACK)
    before = len(on_record(atom))
    zipped(atom.folder / "slack.zip")

    done = atom.done(*SLACK, "--json").json

    assert done["new"] == len(on_record(atom)) - before
    assert done["known"] >= before


def test_graphs_messages_get_on_record(atom: CommandLine) -> None:
    done = atom.done(*TEAMS, "--json").json
    again = atom.done(*TEAMS, "--json").json

    told = on_record(atom)
    assert (done["new"], again["new"]) == (len(told), 0)
    first = [e for e in told if e["msg"] == "1700000000123"]
    assert [(e["etype"], e["text"]) for e in first] == [
        ("message.create", "hi all"),
        ("message.edit", "hi all"),
        ("reaction.add", ""),
    ]
    assert first[0]["author"]["name"] == "Carol Díaz"
    assert first[2]["body"]["detail"]["added"] == "👍"
    gone = [(e["etype"], e["thread"]) for e in told if e["msg"] == "1700000100123"]
    assert gone == [
        ("message.create", "1700000000123"),
        ("message.delete", "1700000000123"),
    ]
    assert "19:chat@thread.v2" in {e["conv"] for e in told}


def test_bad_files_are_told_in_a_line(atom: CommandLine) -> None:
    folder = atom.folder
    (folder / "text.json").write_text("no json")
    (folder / "other.json").write_text("[1, {}]")
    with zipfile.ZipFile(folder / "evil.zip", "w") as archive:
        archive.writestr("../../evil.json", "[]")
    with zipfile.ZipFile(folder / "empty.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    base = ("compliance", "import")
    for words, hint in (
        ((*base, "slack", "evil.zip", "--account", "T1"), "leads out"),
        ((*base, "slack", "empty.zip", "--account", "T1"), "no Slack export"),
        ((*base, "slack", "none.zip"), "does not exist"),
        ((*base, "slack", "empty.zip"), "--account"),
        ((*base, "teams", "text.json", "--account", "t"), "is no JSON"),
        ((*base, "teams", "other.json", "--account", "t"), "no chat messages"),
        ((*base, "teams", "none.json", "--account", "t"), "cannot be read"),
    ):
        ran = atom.run(*words)
        assert ran.code == 1
        assert hint in ran.err
        assert len(ran.err.splitlines()) == 1
    assert on_record(atom) == []


def test_nobody_without_the_duty_imports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    atom = CommandLine(tmp_path, capsys)
    atom.set_up()
    zipped(tmp_path / "slack.zip")

    assert "does not have the duty" in atom.run(*SLACK).err
    assert on_record(atom) == []


def test_what_was_exported_in_slacks_layout_is_imported_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From one company's record, through a zip, into another installation's."""
    from_, to = tmp_path / "from", tmp_path / "to"
    from_.mkdir()
    to.mkdir()
    first, second = CommandLine(from_, capsys), CommandLine(to, capsys)
    for atom in (first, second):
        atom.set_up()
        asyncio.run(trusted(atom))
    asyncio.run(told(first))
    export = ("compliance", "export", "--all", "--format", "slack", "--out", "out.zip")
    first.run(*export)
    asyncio.run(agreed(first))
    first.done(*export)

    with zipfile.ZipFile(from_ / "out.zip") as archive:
        archive.extractall(from_ / "out")
    with zipfile.ZipFile(to / "slack.zip", "w") as archive:
        for path in sorted((from_ / "out/slack").rglob("*.json")):
            archive.write(path, path.relative_to(from_ / "out"))
    second.done(*SLACK, "--account", "T01ACME")

    def of(entries: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
        return sorted(
            tuple(e[n] for n in names)
            for e in entries
            if e["etype"].startswith("message.") and e["platform"] == "slack"
        )

    here = [
        e
        for e in asyncio.run(everything(first))
        if e["conv"] != "19:falcon@thread.tacv2"
    ]
    there = [
        e
        for e in asyncio.run(everything(second))
        if e["conv"] != "19:falcon@thread.tacv2"
    ]
    told_names = ("conv", "msg", "etype")
    restored = [t for t in of(here, *told_names) if t[2] == "message.restore"]
    assert len(restored) == 1
    edits = [(conv, msg, "message.edit") for conv, msg, _ in restored]
    expected = sorted([t for t in of(here, *told_names) if t not in restored] + edits)
    assert of(there, *told_names) == expected
    texts = {
        e["text"] for e in here if e["etype"] in {"message.create", "message.edit"}
    }
    back = {
        e["text"] for e in there if e["etype"] in {"message.create", "message.edit"}
    }
    assert {t.replace("\r", "") for t in texts if len(t) < 99} <= back


async def trusted(atom: CommandLine) -> None:
    async with core(patient(atom.folder / "var"), "test") as built:
        await built.duties.assign("acme", ME, ME, Duty.ASSIGN)
        await built.duties.assign("acme", ME, CLARA, Duty.ASSIGN)
        await built.duties.assign("acme", ME, CLARA, Duty.APPROVE)
        for duty in (Duty.RETAIN, Duty.EXPORT):
            await built.duties.assign("acme", CLARA, ME, duty)


async def told(atom: CommandLine) -> None:
    async with core(patient(atom.folder / "var"), "test") as built:
        await tell(built.journal)


async def agreed(atom: CommandLine) -> None:
    async with core(patient(atom.folder / "var"), "test") as built:
        for waiting in await built.approvals.waiting("acme"):
            await built.approvals.approve("acme", CLARA, waiting.id)


async def everything(atom: CommandLine) -> list[dict[str, Any]]:
    async with core(patient(atom.folder / "var"), "test") as built:
        entries = await built.log.entries("acme", -1, 500)
        return [{**e.row, "text": e.body.get("text")} for e in entries]
