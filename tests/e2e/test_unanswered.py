"""
ATOM dies or freezes between a command and its answer; the person hears once.

The judge is what stands in the sandbox's Slack and Teams, and what is on record.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bots.sandbox.teams import seed as teams
from storage.hot import Program, Statement
from tests.databases import migrated_sqlite, migrated_template
from tests.e2e.resent import signed
from tests.e2e.world import (
    FALCON,
    PROJECT,
    SHARING,
    World,
    teams_messages,
    world,
)
from tests.servers import Postgres, free_port

BOTH = pytest.mark.parametrize("side", ["slack", "teams"])

# The steps between a command's capture and its answer, and what it is answered with
# after a death there: `pause` is done late, or was done, or may be answered.
LATE, DONE, UNSURE = "You asked", "That was done", "as it answered"
STEPS = {
    "command begun": LATE,
    "command run": DONE,
    "answering": UNSURE,
    "answer shown": UNSURE,
}


@dataclass
class Asking:
    """Somebody who gives commands on one side, and what they heard."""

    here: World
    side: str

    async def ask(self, line: str) -> None:
        """Give a command, whether ATOM lives or not."""
        if self.side == "teams":
            await self.here.teams("post", text=line, mention_bot=True)
            return
        given = {
            "workspace": "T01ACME",
            "user": "U01ALICE",
            "channel": FALCON.id,
            "action": "command",
            "command": "/atom",
            "args": line,
        }
        with suppress(AssertionError):
            await self.here._act("slack", given)

    def heard(self, state: Mapping[str, Any]) -> list[str]:
        """Return every answer: in Slack those to one person, in Teams the replies."""
        if self.side == "teams":
            return [
                json.dumps(m["attachments"], ensure_ascii=False)
                for m in teams_messages(state)
                if not m["is_root"]
            ]
        spaces = state["slack"]["workspaces"]
        whispers = [each for space in spaces for each in space["ephemerals"]]
        own = [
            message
            for space in spaces
            for found in space["channels"]
            if found["id"].startswith("D")
            for message in found["messages"]
        ]
        return [json.dumps(m, ensure_ascii=False) for m in (*whispers, *own)]

    async def hears(self, words: str) -> str:
        """Wait for an answer with some words; returns it."""

        def answered(state: Mapping[str, Any]) -> bool:
            return any(words in each for each in self.heard(state))

        state = await self.here.until(answered)
        return next(each for each in self.heard(state) if words in each)

    async def all_heard(self) -> list[str]:
        """Return every answer once nothing is left to be answered."""
        await nothing_left(self.here)
        await self.here.quiet()
        return self.heard(await self.here.state())


async def nothing_left(here: World) -> None:
    """Wait until no command is without an answer."""
    query = Statement("SELECT count(*) FROM unanswered", {})
    async with here.store() as store, asyncio.timeout(60):
        while (await store.fetch(query))[0][0]:
            await asyncio.sleep(0.05)


async def pauses(here: World) -> int:
    """Return how often the link was paused, by the log."""
    changes = [e.body.get("change") for e in await here.log() if e.row["link"]]
    return changes.count("paused")


async def asked_long_ago(here: World) -> None:
    def program() -> Program[None]:
        hour = 3600 * 1_000_000
        yield Statement("UPDATE unanswered SET asked_us = asked_us - :h", {"h": hour})

    async with here.store() as store:
        await store.run(program)


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        # Nobody sends anything again by itself: the person would wait for ever.
        await made.set(teams__resends=0)
        await made.link()
        yield made


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, migrated_sqlite(tmp_path)) as made:
        await made.set(teams__resends=0)
        await made.link()
        yield made


@pytest.fixture
async def shared(tmp_path: Path, postgres: Postgres) -> AsyncIterator[World]:
    with postgres.database(migrated_template(postgres)) as url:
        async with world(tmp_path, url, **SHARING) as made:
            await made.set(
                teams__resends=0, slack__answer_timeout=3.0, teams__answer_timeout=3.0
            )
            await made.link()
            yield made


@BOTH
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_a_change_is_made_and_told_once(
    here: World, side: str, step: str
) -> None:
    asking = Asking(here, side)
    await here.start(step)
    await asking.ask("pause")
    await here.died()
    in_time = len(asking.heard(await here.state()))
    await here.start()

    await asking.hears(STEPS[step])

    heard = await asking.all_heard()
    # In Teams the answer itself may stand there already, and is not repeated.
    assert len(heard) - in_time == 1
    assert in_time == (1 if (side, step) == ("teams", "answer shown") else 0)
    assert await pauses(here) == 1
    assert (await here.verdict()).intact


@BOTH
@pytest.mark.parametrize("step", ["command begun", "command run"])
async def test_killed_before_its_answer_a_question_is_answered_late(
    here: World, side: str, step: str
) -> None:
    asking = Asking(here, side)
    await here.start(step)
    await asking.ask("status")
    await here.died()
    await here.start()

    answer = await asking.hears(LATE)

    assert "All is well" in answer
    assert len(await asking.all_heard()) == 1


@BOTH
async def test_an_answer_that_is_noted_is_not_given_again(
    embedded: World, side: str
) -> None:
    asking = Asking(embedded, side)
    await embedded.start("answer noted")
    await asking.ask("status")
    await embedded.died()
    before = len(asking.heard(await embedded.state()))
    await embedded.start()
    await asking.ask("links")
    await asking.hears("1 link")

    assert len(await asking.all_heard()) == before + 1


@BOTH
async def test_killed_again_and_again_over_one_command_it_is_told_not_run(
    embedded: World, side: str
) -> None:
    """A command that takes its process with it does not take every process."""
    asking = Asking(embedded, side)
    await embedded.start("command begun")
    await asking.ask("pause")
    await embedded.died()
    for _ in range(2):
        with suppress(AssertionError):  # it may be killed before it is ready
            await embedded.start("command begun")
        await embedded.died()
    await embedded.start("command begun")

    await asking.hears("That was not done")

    assert len(await asking.all_heard()) == 1
    assert await pauses(embedded) == 0


@BOTH
async def test_killed_while_it_answers_late_the_person_hears_once(
    embedded: World, side: str
) -> None:
    asking = Asking(embedded, side)
    await embedded.start("command begun")
    await asking.ask("pause")
    await embedded.died()
    with suppress(AssertionError):
        await embedded.start("answering")
    await embedded.died()
    await embedded.start()

    await asking.hears(UNSURE)

    [heard] = await asking.all_heard()
    assert "a link was made, changed or ended" in heard
    assert await pauses(embedded) == 1


@BOTH
async def test_killed_while_it_tells_in_place_of_an_answer_it_is_not_told_twice(
    embedded: World, side: str
) -> None:
    asking = Asking(embedded, side)
    await embedded.start("command run")
    await asking.ask("pause")
    await embedded.died()
    with suppress(AssertionError):
        await embedded.start("answer shown")
    await embedded.died()
    await asking.hears(DONE)
    await embedded.start()

    assert len(await asking.all_heard()) == 1


@BOTH
async def test_what_was_asked_long_ago_is_told_and_not_run(
    embedded: World, side: str
) -> None:
    asking = Asking(embedded, side)
    await embedded.start("command begun")
    await asking.ask("pause")
    await embedded.died()
    await asked_long_ago(embedded)
    await embedded.start()

    await asking.hears("send it again")

    [heard] = await asking.all_heard()
    assert "That was not done" in heard
    assert await pauses(embedded) == 0


@BOTH
async def test_who_may_not_do_it_any_more_is_refused_late(
    embedded: World, side: str
) -> None:
    """Whoever was an admin when they asked, and is none when it would be done."""
    asking = Asking(embedded, side)
    await embedded.start("command begun")
    await asking.ask("pause")
    await embedded.died()
    users = embedded.sandbox.slack.users
    users["U01ALICE"].is_admin = users["U01ALICE"].is_owner = False
    team = next(iter(embedded.sandbox.teams.teams.values()))
    team.owners.remove("29:carol")
    await embedded.start()

    await asking.hears("You may not do that")

    assert len(await asking.all_heard()) == 1
    assert await pauses(embedded) == 0


async def test_a_button_that_stands_for_a_command_is_no_other_in_slack(
    embedded: World,
) -> None:
    asking = Asking(embedded, "slack")
    await embedded.start("command begun", times=2)
    await asking.ask("help")
    [shown] = (await embedded.state())["slack"]["workspaces"][0]["ephemerals"]
    click = {
        "workspace": "T01ACME",
        "user": "U01ALICE",
        "channel": FALCON.id,
        "action": "click",
        "ts": shown["ts"],
        "value": "status",
    }
    with suppress(AssertionError):
        await embedded._act("slack", click)
    await embedded.died()
    await embedded.start()

    answer = await asking.hears(LATE)

    assert "All is well" in answer
    assert len(await asking.all_heard()) == 2


async def test_a_button_that_stands_for_a_command_is_no_other_in_teams(
    embedded: World,
) -> None:
    asking = Asking(embedded, "teams")
    await embedded.start("command begun", times=2)
    await asking.ask("help")
    await asking.hears("status")
    [reply] = [m for m in teams_messages(await embedded.state()) if not m["is_root"]]
    actions = reply["attachments"][0]["content"]["actions"]
    [button] = [a for a in actions if a["data"]["command"] == "status"]
    click = {
        "tenant": teams.ACME,
        "user": "29:carol",
        "team": PROJECT.team,
        "channel": PROJECT.id,
        "action": "invoke",
        "message": reply["id"],
        "card_action": button,
    }
    # The click waits for its answer, and nobody waits for it here.
    clicking = asyncio.create_task(embedded._act("teams", click))
    await embedded.died()
    await embedded.start()

    answer = await asking.hears(LATE)

    assert "All is well" in answer
    await nothing_left(embedded)
    assert len(asking.heard(await embedded.state())) == 2
    clicking.cancel()
    await asyncio.gather(clicking, return_exceptions=True)


async def test_a_response_url_that_ran_out_leaves_the_persons_own_chat(
    embedded: World,
) -> None:
    asking = Asking(embedded, "slack")
    await embedded.set(slack__response_url_seconds=0.0)
    await embedded.start("command begun")
    await asking.ask("status")
    await embedded.died()
    await embedded.start()

    answer = await asking.hears(LATE)

    assert '"to"' not in answer
    assert len(await asking.all_heard()) == 1


async def test_a_mention_that_was_not_answered_is_in_slack_as_well(
    embedded: World,
) -> None:
    asking = Asking(embedded, "slack")
    await embedded.start("command begun")
    await embedded.slack("post", text="<@UATOM> status", typed=True)
    await embedded.died()
    await embedded.start()

    await asking.hears(LATE)

    assert len(await asking.all_heard()) == 1


async def test_a_whisper_that_slack_refuses_comes_in_the_persons_own_chat(
    embedded: World,
) -> None:
    asking = Asking(embedded, "slack")
    await embedded.fault(
        "slack.chat.postEphemeral", "error", times=1, error="user_not_in_channel"
    )
    await embedded.start()

    await embedded.slack("post", text="<@UATOM> status", typed=True)

    answer = await asking.hears(LATE)
    assert '"to"' not in answer
    assert len(await asking.all_heard()) == 1


@pytest.mark.parametrize("repeats", [True, False])
async def test_a_mention_while_nothing_ran_is_answered_once(
    embedded: World, *, repeats: bool
) -> None:
    """It is read from the channel, and Slack may send it as well."""
    asking = Asking(embedded, "slack")
    await embedded.start()
    await embedded.slack("post", text="hello")
    await embedded.quiet()
    await embedded.kill()
    if not repeats:
        await embedded.set(slack__retry_delays=[])
    await embedded.slack("post", text="<@UATOM> status", typed=True)
    await embedded.start()

    await asking.hears("All is well")

    assert len(await asking.all_heard()) == 1


@BOTH
@pytest.mark.parametrize("step", ["command begun", "command run", "answering"])
async def test_frozen_at_a_step_another_one_answers_and_it_does_no_harm(
    shared: World, side: str, step: str
) -> None:
    asking = Asking(shared, side)
    await shared.start(step, blow=signal.SIGSTOP)
    asked = asyncio.create_task(asking.ask("pause"))
    assert shared.process is not None
    async with asyncio.timeout(40):
        await shared.process.frozen()
    other = replace(shared, port=free_port(), process=None)
    await other.start()
    try:
        await shared.set(atom_url=other.atom)
        await asking.hears(STEPS[step])

        shared.process.go_on()
        await asked
        async with asyncio.timeout(40):
            while "shards lost" not in shared.stderr:
                await asyncio.sleep(0.05)
        await asking.ask("links")
        await asking.hears("1 link")

        assert len(await asking.all_heard()) == 2
        assert await pauses(shared) == 1
        assert (await shared.verdict()).intact
    finally:
        await other.stop()


@BOTH
async def test_of_two_that_notice_at_once_one_answers(shared: World, side: str) -> None:
    asking = Asking(shared, side)
    others = [replace(shared, port=free_port(), process=None) for _ in range(2)]
    await asyncio.gather(*(other.start() for other in others))
    try:
        await shared.start("command begun")
        await asking.ask("pause")
        await shared.died()
        await shared.set(atom_url=others[0].atom)

        await asking.hears(LATE)

        assert len(await asking.all_heard()) == 1
        assert await pauses(shared) == 1
    finally:
        await asyncio.gather(*(other.stop() for other in others))


async def test_slacks_repetition_of_a_command_is_no_second_one(
    embedded: World,
) -> None:
    asking = Asking(embedded, "slack")
    await embedded.start("command begun")
    await asking.ask("pause")
    await embedded.died()
    form = next(
        entry["request"]["body"]
        for entry in await embedded.journal()
        if (entry["side"], entry["call"]) == ("slack", "command")
    )
    await embedded.start()
    text = urlencode(form)

    statuses = [
        await signed(embedded, text, "application/x-www-form-urlencoded")
        for _ in range(3)
    ]

    assert statuses == [200] * 3
    await asking.hears(LATE)
    assert len(await asking.all_heard()) == 1
    assert await pauses(embedded) == 1


async def test_teams_repetition_of_a_command_is_no_second_one(
    embedded: World,
) -> None:
    asking = Asking(embedded, "teams")
    await embedded.set(teams__resends=1000)
    await embedded.start("command begun")
    await asking.ask("pause")
    await embedded.died()
    await embedded.start()
    await embedded.heard()

    await asking.hears(LATE)

    assert len(await asking.all_heard()) == 1
    assert await pauses(embedded) == 1


async def test_a_command_that_is_answered_leaves_nothing_behind(here: World) -> None:
    await here.start()
    for side in ("slack", "teams"):
        asking = Asking(here, side)
        await asking.ask("status")
        await asking.hears("All is well")
        assert len(await asking.all_heard()) == 1
