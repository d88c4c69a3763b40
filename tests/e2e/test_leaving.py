"""What must not leave does not, on either side, and its author and an admin are told."""

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from policy.dlp.rulebook import prepared
from storage.log_reader import LogEntry
from tests.e2e.files import KEEPING, in_slack
from tests.e2e.test_linking import slack_answer, teams_answer
from tests.e2e.test_private_notices import whispers
from tests.e2e.world import (
    COMPANY,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

CARD = "4242 4242 4242 4242"
HIDDEN = "[hidden]"
REDACTS = """
rules:
  - {name: cards, detectors: [credit_card], do: redact}
"""
BLOCKS = """
labels: {phrases: {"inner circle": restricted}}
rules:
  - {name: cards, detectors: [credit_card], do: block, says: no cards in chat}
  - {name: circle, label: restricted, do: block}
"""
HOLDS = """
rules:
  - {name: cards, detectors: [credit_card], do: quarantine}
"""


@asynccontextmanager
async def ruled(
    home: Path, rules: str, database: str = "", **more: str
) -> AsyncIterator[World]:
    url = database or f"sqlite:///{home}/atom.db"
    async with world(home, url, **more) as made:
        await made.set(teams__graph_roles=KEEPING)
        await made.link()
        if rules:
            await publish(made, rules)
        await made.start()
        yield made


async def publish(here: World, rules: str) -> None:
    async with core(here.settings, "test") as built:
        name = prepared(rules).name
        await built.leaving.stored.publish(COMPANY, rules, name, "test")


def entries(log: list[LogEntry], etype: str) -> list[Mapping[str, Any]]:
    return [entry.body["detail"] for entry in log if entry.etype == etype]


async def has(here: World, text: str) -> None:
    await here.until(lambda s: any(text in t for t in teams_texts(s)))


async def test_a_card_typed_on_either_side_arrives_hidden_on_the_other(
    tmp_path: Path, database_url: str
) -> None:
    async with ruled(tmp_path, REDACTS, database_url) as here:
        await here.slack("post", text=f"pay with {CARD} *please*", typed=True)
        await here.teams("post", text=f"no, with {CARD}.")

        await has(here, f"pay with {HIDDEN} please")
        state = await here.until(
            lambda s: any(f"no, with {HIDDEN}." in t for t in slack_texts(s))
        )
        state = await here.until(lambda s: len(whispers(s)) == 1)
        assert "A part of this was hidden in Teams" in whispers(state)[0]["text"]
        await here.quiet()
        log = await here.log()

        copies = [m for m in teams_messages(state) if "pay with" in m["text"]]
        assert "4242" not in json.dumps(copies)
        said = [
            e for e in log if e.etype == "message.create" and CARD in e.body["text"]
        ]
        assert len(said) == 2  # as it was said, on record
        assert {e.row["label"] for e in said} == {None}
        assert {e.row["dlp"] for e in said} == {"credit_card"}
        delivered = [e for e in log if e.etype == "bridge.delivered"]
        assert {e.body["transform"] for e in delivered} == {"redact:cards"}
        assert [told["action"] for told in entries(log, "dlp.action")] == ["redact"] * 2
        findings = entries(log, "dlp.finding")
        assert len(findings) == 2
        assert "4242" not in json.dumps(findings)
        assert len({f["hash"] for told in findings for f in told["findings"]}) == 1
        assert (await here.verdict()).intact


async def test_a_blocked_message_stays_and_its_author_is_told(tmp_path: Path) -> None:
    async with ruled(tmp_path, BLOCKS) as here:
        await here.slack("post", text=f"pay with {CARD}", typed=True)
        await here.slack("post", text="harmless", typed=True)

        await has(here, "harmless")
        state = await here.until(lambda s: len(whispers(s)) == 1)

        assert not any("pay with" in text for text in teams_texts(state))
        [told] = whispers(state)
        assert "no cards in chat" in told["text"]
        assert "4242" not in told["text"]


async def test_an_edit_that_may_not_be_seen_takes_the_copy_away(
    tmp_path: Path, database_url: str
) -> None:
    async with ruled(tmp_path, BLOCKS, database_url) as here:
        ts = await here.slack("post", text="the plan", typed=True)
        await has(here, "the plan")

        await here.slack("edit", ts=ts, text="#restricted the plan of ours", typed=True)
        await has(here, "may not be shown here")
        assert not any("the plan" in t for t in teams_texts(await here.state()))

        await here.slack("edit", ts=ts, text="the plan for everybody", typed=True)
        await has(here, "the plan for everybody")
        await here.quiet()
        labels = [
            e.row["label"]
            for e in await here.log()
            if e.etype in {"message.create", "message.edit"}
        ]
        assert labels == [None, "restricted", None]


async def test_what_is_held_crosses_once_somebody_else_lets_it_go(
    tmp_path: Path, database_url: str
) -> None:
    async with ruled(tmp_path, HOLDS, database_url) as here:
        await here.slack("post", text=f"first {CARD}", typed=True, user="U02BOB")
        await here.slack("post", text="second", typed=True, user="U02BOB")
        await has(here, "second")
        await here.quiet()
        assert not any("first" in t for t in teams_texts(await here.state()))
        listed = await slack_answer(here, "review")
        assert "1 message is held" in listed
        assert "credit_card" in listed
        assert "4242" not in listed
        [held] = [e for e in await here.log() if e.etype == "bridge.failed"]
        number = f"{held.row['origin_seq']}.0"
        assert f"{number}: a message" in listed
        assert "No dead letters" in await slack_answer(here, "dead")

        assert "Released" in await slack_answer(here, f"release {number}")

        await has(here, f"first {CARD}")
        await here.quiet()
        log = await here.log()
        acts = [told["action"] for told in entries(log, "dlp.action")]
        assert acts == ["quarantine", "released"]
        assert "Nothing to review" in await slack_answer(here, "review")
        assert (await here.verdict()).intact


async def test_what_is_refused_never_crosses_and_nobody_passes_their_own(
    tmp_path: Path,
) -> None:
    async with ruled(tmp_path, HOLDS) as here:
        await here.slack("post", text=f"mine {CARD}", typed=True)
        await here.until(lambda s: len(whispers(s)) == 1)
        await here.quiet()
        [held] = [e for e in await here.log() if e.etype == "bridge.failed"]
        number = f"{held.row['origin_seq']}.0"

        own = await slack_answer(here, f"release {number}")
        refused = await teams_answer(here, f"refuse {number}")

        assert "Somebody else has to look at it" in own
        assert "Refused" in refused
        await here.quiet()
        assert teams_texts(await here.state())[:1] != [f"mine {CARD}"]
        assert "Nothing to review" in await slack_answer(here, "review")


async def test_an_edit_that_is_held_takes_the_copy_back_until_it_is_let_go(
    tmp_path: Path,
) -> None:
    async with ruled(tmp_path, HOLDS) as here:
        ts = await here.slack("post", text="pay me", typed=True, user="U02BOB")
        await has(here, "pay me")
        await here.slack(
            "edit", ts=ts, text=f"pay me at {CARD}", typed=True, user="U02BOB"
        )
        await has(here, "may not be shown here")
        await here.until(lambda s: len(whispers(s)) == 1)
        await here.quiet()
        [letter] = [e for e in await here.log() if e.etype == "bridge.failed"]

        await slack_answer(here, f"release {letter.row['origin_seq']}.0")

        await has(here, f"pay me at {CARD}")
        assert len(teams_texts(await here.state())) == 1


async def test_a_number_in_pieces_does_not_get_past(tmp_path: Path) -> None:
    async with ruled(tmp_path, REDACTS) as here:
        await here.slack("post", text="it is 4242 4242", typed=True)
        await here.slack("post", text="4242 4242 ok?", typed=True)

        await has(here, f"{HIDDEN} ok?")
        [found] = entries(await here.log(), "dlp.finding")
        assert found["findings"][0]["about"]


async def test_rules_hold_from_when_they_are_published(tmp_path: Path) -> None:
    async with ruled(tmp_path, "") as here:
        await here.slack("post", text=f"before {CARD}", typed=True)
        await has(here, f"before {CARD}")  # told to its author, and carried
        state = await here.until(lambda s: len(whispers(s)) == 1)
        assert "look at it again" in whispers(state)[0]["text"]

        await publish(here, REDACTS)
        for n in range(100):
            await here.slack("post", text=f"n{n} {CARD}", typed=True)
            await has(here, f"n{n} ")
            if any(f"n{n} {HIDDEN}" in t for t in teams_texts(await here.state())):
                break
        else:
            pytest.fail("the rules never held")


@pytest.mark.parametrize(
    ("rules", "fate"),
    [(BLOCKS, "kept back by the company's rules"), (HOLDS, "waits until somebody")],
)
async def test_a_file_is_read_before_it_crosses(
    tmp_path: Path, rules: str, fate: str
) -> None:
    async with ruled(tmp_path, rules) as here:
        await here.teams("upload", text="see", name="pay.csv", content=f"a,{CARD}\n")
        await here.teams("upload", text="and", name="fine.csv", content="a,b\n")

        await here.until(lambda s: any(fate in t for t in slack_texts(s)))
        await here.until(lambda _: "fine.csv" in in_slack(here))
        assert set(in_slack(here)) == {"fine.csv"}
        log = await here.log()
        [told] = entries(log, "dlp.finding")
        assert told["findings"][0]["part"] == "file"


async def test_names_of_files_and_people_are_looked_at(tmp_path: Path) -> None:
    async with ruled(tmp_path, REDACTS) as here:
        name = f"card {CARD}.csv"
        await here.slack("upload", text="see", name=name, content="a,b\n", typed=True)

        await has(here, f"card {HIDDEN}")
        assert "4242" not in " ".join(teams_texts(await here.state()))


async def test_nowhere_in_the_database_is_what_was_found(tmp_path: Path) -> None:
    async with ruled(tmp_path, HOLDS) as here:
        await here.slack("post", text=f"held {CARD}", typed=True)
        await here.until(lambda s: len(whispers(s)) == 1)
        await here.quiet()
        await here.stop()

    database = sqlite3.connect(tmp_path / "atom.db")
    with database:
        dump = "\n".join(database.iterdump())
    database.close()

    # The search index is made of what people say, and is no place of findings.
    told = [line for line in dump.splitlines() if '"search_' not in line]
    assert not any("4242 4242" in line for line in told)
    assert "4242424242424242" not in dump


async def test_admins_are_told_once_of_what_waits_for_them(tmp_path: Path) -> None:
    tell = {"ATOM_DIRECTORY_TELL": "slack:T01ACME/C03RANDOM"}
    async with ruled(tmp_path, HOLDS, **tell) as here:
        await here.slack("post", text=f"first {CARD}", typed=True)
        await here.until(lambda s: bool(in_random(s)))
        await here.stop()
        await here.start()  # and not again
        await here.teams("post", text=f"second {CARD}")
        await here.until(lambda s: len(in_random(s)) > 1)
        await here.quiet()
        first, second = in_random(await here.state())
        assert "A message is held for review" in first["text"]
        assert "/atom review" in json.dumps(second)
        assert "4242" not in json.dumps((first, second))


def in_random(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return slack_messages(state, "C03RANDOM")


async def test_what_an_app_shows_in_its_card_is_looked_at(tmp_path: Path) -> None:
    alert = {"title": "Order 12", "text": f"paid with {CARD}", "fallback": CARD}
    async with ruled(tmp_path, REDACTS) as here:
        async with core(here.settings, "test") as built:
            [link] = await built.links.all(COMPANY)
            await built.links.choose(link, link.options.said(["bots=relay"]), "test")
        await here.stop()
        await here.start()

        await here.slack("bot_post", user="B09OTHER", wire={"attachments": [alert]})
        await has(here, "paid with")

        [copy] = [m for m in teams_messages(await here.state()) if m["text"]]
        assert HIDDEN in copy["text"]
        assert "4242" not in json.dumps(copy)
