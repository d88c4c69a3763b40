"""A direct message and a group chat with one guest of another company, on record."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from bots.core import Core, core
from bots.sandbox.slack.model import Channel as Chat
from bots.sandbox.slack.model import Kind
from bridge.compliance import Duty, Officer
from bridge.messages import Channel, Platform
from bridge.search.fields import resolved
from bridge.search.grammar import read
from storage.search.engine import Page
from tests.e2e.test_linking import command_line
from tests.e2e.world import COMPANY, World, teams_messages, world
from tests.exports import asked, contents, exported, maker

ADA, BEN, CLARA = Officer("cli:ada"), Officer("cli:ben"), Officer("cli:clara")
HUGO, THEIRS = "U12HUGO", "T02GLOBEX"
DIRECT, GROUP = "D77HUGO", "G77DEAL"
CHATS = tuple(Channel(Platform.SLACK, "T01ACME", conv) for conv in (DIRECT, GROUP))
OURS, FIRST, SECOND = "our quokka offer", "their quokka answer", "their quokka change"
SLIP, ALONE = "their quokka slip", "quokka for you alone"


def opened_chats(here: World) -> None:
    """Let Slack Connect join a guest to ATOM alone, and to Alice and ATOM."""
    for id_, kind, members in (
        (DIRECT, Kind.DIRECT, [HUGO, "UATOM"]),
        (GROUP, Kind.GROUP, [HUGO, "U01ALICE", "UATOM"]),
    ):
        here.sandbox.slack.channels[id_] = Chat(
            id_, "T01ACME", "", kind, HUGO, members, connected=[THEIRS]
        )


async def guest(here: World, action: str, channel: str, **wish: Any) -> str:
    # Of people of other companies Slack says in each message where they are from.
    wire = {"user_team": THEIRS, "source_team": THEIRS}
    return await here.slack(action, user=HUGO, channel=channel, wire=wire, **wish)


async def export(built: Core, home: Path) -> Mapping[str, bytes]:
    size = (await built.log.head(COMPANY)).size
    exports = await maker(built.database.hot, built.log, home)
    question = asked(size, channels=CHATS, formats=("native", "csv"))
    return contents((await exported(exports, question, home)).path)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def said_in(found: Mapping[str, bytes], conv: str) -> list[dict[str, Any]]:
    lines = found[f"native/slack-{conv}.jsonl"].splitlines()
    return [orjson.loads(line) for line in lines]


async def found(built: Core, text: str) -> list[str]:
    await built.search.indexing.catch_up(COMPANY)
    answer = await built.search.engine.answer(
        COMPANY, resolved(read(text), built.journal.clock()), Page()
    )
    entries = await built.log.at(COMPANY, answer.seqs)
    return [str(entry.body["text"]) for entry in entries]


async def erased(built: Core, whom: str) -> None:
    await built.duties.assign(COMPANY, CLARA, CLARA, Duty.ASSIGN)
    await built.duties.assign(COMPANY, CLARA, ADA, Duty.ERASE)
    await built.duties.assign(COMPANY, CLARA, BEN, Duty.APPROVE)
    wanted = await built.eraser.ask(COMPANY, ADA, whom)
    await built.approvals.approve(COMPANY, BEN, wanted)
    await built.eraser.erase(COMPANY, ADA, whom)


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """A group chat and a direct message, in which everything has been said."""
    async with world(tmp_path, database_url) as made:
        await made.link()
        await made.start()
        opened_chats(made)
        await made.slack("post", channel=GROUP, text=OURS)
        said = await guest(made, "post", GROUP, text=FIRST)
        await guest(made, "edit", GROUP, ts=said, text=SECOND)
        slip = await guest(made, "post", GROUP, text=SLIP)
        await guest(made, "delete", GROUP, ts=slip)
        await made.fault("slack.deliver", "duplicate", times=1)
        await guest(made, "post", DIRECT, text=ALONE)
        await made.quiet()
        yield made


async def test_a_chat_with_one_guest_is_on_record_and_goes_nowhere(here: World) -> None:
    chats = [e for e in await here.log() if e.row["conv"] in {DIRECT, GROUP}]

    told = Counter(
        (e.row["conv"], e.etype, e.row["actor_kind"], e.body["text"]) for e in chats
    )
    assert told == Counter(
        [
            (GROUP, "message.create", "user", OURS),
            (GROUP, "message.create", "external", FIRST),
            (GROUP, "message.edit", "external", SECOND),
            (GROUP, "message.create", "external", SLIP),
            (GROUP, "message.delete", "external", ""),
            (DIRECT, "message.create", "external", ALONE),
        ]
    )
    assert teams_messages(await here.state()) == []
    assert (await here.verdict()).intact
    # Nothing compares chats with the platform, so nothing says that they are whole.
    coverage = await command_line(here, "compliance", "coverage", "--json")
    compared = {day["channel"] for day in json.loads(coverage.stdout)["days"]}
    assert compared
    assert not [name for name in compared if DIRECT in name or GROUP in name]


async def test_a_guest_in_a_chat_is_found_exported_and_erased(
    here: World, tmp_path: Path
) -> None:
    async with core(here.settings, "officer") as built:
        outside = await found(built, "quokka is:external")
        alone = await found(built, "quokka is:external is:dm")
        before = await export(built, made(tmp_path / "before"))
        await erased(built, f"slack|{HUGO}")
        left = await found(built, "quokka")
        after = await export(built, made(tmp_path / "after"))

    assert sorted(outside) == sorted([SECOND, SLIP, ALONE])
    assert alone == [ALONE]
    revisions = [
        [(r["change"], r["text"]) for r in line["revisions"]]
        for line in said_in(before, GROUP)
    ]
    assert revisions == [
        [("create", OURS)],
        [("create", FIRST), ("edit", SECOND)],
        [("create", SLIP), ("delete", "")],
    ]
    listed = json.loads(before["native/conversations.json"])["conversations"]
    kinds = {
        place["id"]: (place["kind"], {p["id"]: p["kind"] for p in place["people"]})
        for place in listed
    }
    assert kinds[DIRECT] == ("direct", {HUGO: "external"})
    assert kinds[GROUP][1] == {"U01ALICE": "user", HUGO: "external"}
    assert left == [OURS]
    everything = b"".join(after.values())
    assert OURS.encode() in everything
    for text in (FIRST, SECOND, SLIP, ALONE):
        assert text.encode() not in everything
    assert said_in(after, DIRECT)[0]["revisions"][0]["withheld"] == "erased"
    assert (await here.verdict()).intact
