"""
The hard cases that no other file holds: docs/scenarios.md has the list of all.

The judge is what stands in the sandbox, and the log.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from bots.core import core
from bots.sandbox.slack.model import Channel as SlackChannel
from bots.sandbox.teams.model import Channel as TeamsChannel
from bots.teams.translate import VERB
from bridge.links import LinkState
from storage.schema import link, link_channel
from tests.databases import migrated_template
from tests.e2e.resent import last_event, resend
from tests.e2e.sizes import FULL
from tests.e2e.test_dead_letters import change_link, poisoned, until_dead
from tests.e2e.test_linking import slack_answer, teams_answer
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    SHARING,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)
from tests.servers import Postgres, free_port

_TALKING = 30  # of the thousand
HELD_UP = 20 if FULL else 2  # seconds


_MORE = {
    "ATOM_TUNING_DELETIONS": "3/60",
    "ATOM_TUNING_EDITS": "3/60",
    "ATOM_TUNING_CALL_TIMEOUT": "10",
}


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url, **_MORE) as made:
        await made.link()
        await made.start()
        yield made


def copies_in_teams(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [m for m in teams_messages(state) if m["author"]["is_bot"]]


def copies_in_slack(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [m for m in slack_messages(state) if m.get("bot_id")]


async def said(here: World, text: str) -> list[str]:
    """Return the kinds of what the log has of messages with a text."""
    return [e.etype for e in await here.log() if e.body.get("text") == text]


async def last_activity(here: World, kind: str) -> Mapping[str, Any]:
    """Return the newest activity of a kind, as Teams sent it or would have."""
    told = [
        e["request"]["body"]
        for e in await here.journal()
        if (e["side"], e["call"]) == ("teams", "deliver")
    ]
    found: Mapping[str, Any] = [a for a in told if a["type"] == kind][-1]
    return found


async def calls(here: World, *names: str) -> int:
    """Count the calls to the Teams connector that ATOM made."""
    journal = await here.journal()
    return sum(e["side"] == "teams" and e["call"] in names for e in journal)


async def test_what_slack_sends_four_times_to_two_processes_crosses_once(
    tmp_path: Path, postgres: Postgres, redis_url: str
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with world(tmp_path, url, redis_url, **SHARING) as here:
            await here.link()
            await here.start()
            other = replace(here, port=free_port(), process=None)
            await other.start()
            try:
                await here.fault("slack.deliver", "drop")
                ts = await here.slack("post", text="once")
                body = await last_event(here, ts=ts)

                answers = [
                    await resend(here, body),
                    *await asyncio.gather(
                        resend(here, body, 1), resend(other, body, 2)
                    ),
                    await resend(other, body, 3),
                ]

                assert answers == [200] * 4
                await here.until(lambda s: teams_messages(s) != [])
                await here.quiet()
            finally:
                await other.stop()

            assert len(teams_messages(await here.state())) == 1
            assert (await said(here, "once")).count("message.create") == 1


async def test_what_teams_sends_again_in_two_layers_happens_once(here: World) -> None:
    await here.set(teams__answer_timeout=0.4, teams__resends=2)
    await here.fault("teams.deliver", "timeout_after", times=1)
    await here.teams("post", text="once")
    await here.until(lambda s: "once" in slack_texts(s))
    await teams_answer(here, "pause")
    [card] = [
        m["id"]
        for m in teams_messages(await here.state())
        if m["attachments"] and '"resume' in json.dumps(m["attachments"])
    ][-1:]
    # The first answer is lost, and the click comes again under a new activity id.
    await here.set(teams__resends=0, teams__second_layer_delay=0.2)
    await here.fault("teams.deliver", "timeout_after", match={"type": "invoke"})

    click = {"type": "Action.Execute", "verb": VERB, "data": {"command": "resume"}}
    await here.teams("invoke", message=card, card_action=click)

    await here.quiet()
    journal = await here.journal()
    clicks = [
        e["request"]["body"]["id"]
        for e in journal
        if e["call"] == "deliver" and e["request"]["body"].get("type") == "invoke"
    ]
    resumed = [
        e
        for e in await here.log()
        if e.etype == "bridge.link" and e.body["text"].startswith("active")
    ]
    assert len(set(clicks)) == len(clicks) == 2
    assert len(resumed) == 1
    assert slack_texts(await here.state()).count("once") == 1
    assert (await said(here, "once")).count("message.create") == 1


async def test_an_echo_that_comes_before_the_answer_is_known_as_ours(
    here: World,
) -> None:
    await here.fault("slack.chat.postMessage", "delay_after", seconds=2.5)
    message = await here.teams("post", text="said once")
    state = await here.until(lambda s: "said once" in slack_texts(s))
    [copy] = slack_messages(state)
    await here.heard()
    assert await last_event(here, ts=copy["ts"])  # heard, and the call still runs
    assert "bridge.delivered" not in [e.etype for e in await here.log()]

    await here.quiet()
    await here.teams("edit", message=message, text="changed")
    await here.until(lambda s: slack_texts(s) == ["changed"])

    state = await here.state()
    assert [t.strip() for t in teams_texts(state)] == ["changed"]
    [delivered] = [e for e in await here.log() if e.etype == "bridge.delivered"]
    assert delivered.row["msg"] == copy["ts"]


async def test_replies_and_an_edit_wait_for_a_root_that_is_held_up(
    here: World,
) -> None:
    for post in ("teams.post", "slack.chat.postMessage"):
        await here.fault(post, "429", retry_after=HELD_UP)
    ts = await here.slack("post", text="root")
    id_ = await here.teams("post", text="root")
    for n in range(3):
        await here.slack("reply", text=f"reply {n}", thread_ts=ts)
        await here.teams("reply", text=f"reply {n}", thread=id_)
    await here.slack("edit", ts=ts, text="root, better")
    await here.teams("edit", message=id_, text="root, better")

    for copies in (copies_in_teams, copies_in_slack):
        await here.until(
            lambda s: any("reply 2" in m["text"] for m in copies(s)),  # noqa: B023 - waited for at once
            60 + HELD_UP,
        )
    await here.quiet()

    state = await here.state()
    first, *replies = copies_in_teams(state)
    assert first["text"].strip().endswith("root, better")
    # They may share a copy: the channel was full.
    told = [line for r in replies for line in r["text"].split("\n") if "reply" in line]
    assert told == [f"reply {n}" for n in range(3)]
    assert {r["root"] for r in replies} == {first["id"]}
    first, *replies = copies_in_slack(state)
    assert first["text"] == "root, better"
    assert [r["text"] for r in replies] == [f"reply {n}" for n in range(3)]
    assert {r["thread_ts"] for r in replies} == {first["ts"]}


async def test_what_is_changed_and_deleted_while_it_waits_is_never_posted(
    here: World,
) -> None:
    await change_link(here, LinkState.PAUSED)
    ts = await here.slack("post", text="one")
    id_ = await here.teams("post", text="one")
    for text in ("two", "three"):
        await here.slack("edit", ts=ts, text=text)
        await here.teams("edit", message=id_, text=text)
    await here.slack("delete", ts=ts)
    await here.teams("delete", message=id_)
    await here.logged(
        lambda entries: sum(e.etype == "message.delete" for e in entries) == 2
    )

    await change_link(here, LinkState.ACTIVE)
    await here.quiet()

    state = await here.state()
    assert (teams_messages(state), slack_messages(state)) == ([], [])
    assert await calls(here, "post", "update", "delete") == 0
    assert [e for e in await here.journal() if e["call"].startswith("chat.")] == []
    kinds = Counter(e.etype for e in await here.log())
    assert [kinds[f"message.{k}"] for k in ("create", "edit", "delete")] == [2, 4, 2]


async def test_the_newest_edit_stands_in_whatever_order_edits_come(
    here: World,
) -> None:
    await here.set(
        slack__order_wait=0.0, slack__edited_ts_whole_seconds=False, teams__order_wait=0
    )
    ts = await here.slack("post", text="first")
    id_ = await here.teams("post", text="first")
    await here.until(lambda s: len(teams_messages(s)) == len(slack_messages(s)) == 2)
    changed = {"subtype": "message_changed"}
    await here.fault("slack.deliver", "drop", match=changed)
    await here.fault("teams.deliver", "drop", match={"type": "messageUpdate"})
    await here.slack("edit", ts=ts, text="second")
    await here.teams("edit", message=id_, text="second")
    second = await last_event(here, **changed)
    late = await last_activity(here, "messageUpdate")
    await here.slack("edit", ts=ts, text="third")
    await here.teams("edit", message=id_, text="third")
    await here.until(
        lambda s: (
            any(m["text"].endswith("third") for m in copies_in_teams(s))
            and any(m["text"] == "third" for m in copies_in_slack(s))
        )
    )

    assert await resend(here, second) == await resend(here, second, 1) == 200
    await here.teams("raw", activity=late)
    await here.quiet()
    made = await calls(here, "update")
    await here.slack("unfurl", ts=ts, url="https://acme.example")
    await here.teams("post", text="a mark")
    await here.until(lambda s: "a mark" in slack_texts(s))
    await here.quiet()

    state = await here.state()
    [in_teams] = copies_in_teams(state)
    assert in_teams["text"].strip().endswith("third")
    assert [m["text"] for m in copies_in_slack(state)] == ["third", "a mark"]
    assert await calls(here, "update") == made == 1
    assert [e["call"] for e in await here.journal()].count("chat.update") == 1


@pytest.mark.parametrize("fault", ["", "reset_after"])
async def test_a_reply_to_what_was_deleted_meanwhile_stands_by_itself(
    here: World, fault: str
) -> None:
    ts = await here.slack("post", text="root")
    id_ = await here.teams("post", text="root")
    state = await here.until(
        lambda s: len(copies_in_teams(s)) == len(copies_in_slack(s)) == 1
    )
    [below], [above] = copies_in_teams(state), copies_in_slack(state)
    await here.quiet()
    for side in ("slack", "teams"):
        await here.fault(f"{side}.deliver", "drop")
    await here.slack("delete", ts=ts)
    await here.teams("delete", message=id_)
    if fault:
        await here.fault("slack.chat.postMessage", fault, skip=1)
        await here.fault("teams.post", fault)

    await here.teams("reply", text="too late", thread=below["id"])
    await here.slack("reply", text="too late", thread_ts=above["ts"])
    await here.until(
        lambda s: all(
            any("too late" in m["text"] for m in copies(s))
            for copies in (copies_in_teams, copies_in_slack)
        )
    )
    await here.quiet()

    state = await here.state()
    [reply] = [m for m in copies_in_slack(state) if "too late" in m["text"]]
    assert reply["text"].startswith("too late")
    assert "in reply to a message that was deleted" in json.dumps(reply)
    assert not reply.get("thread_ts")
    # In Teams a deleted root keeps its thread.
    [reply] = [m for m in copies_in_teams(state) if "too late" in m["text"]]
    assert (reply["root"], reply["text"].endswith("\ntoo late")) == (id_, True)


@pytest.mark.parametrize("fault", ["", "reset_after"])
async def test_a_reply_to_what_teams_did_away_with_stands_by_itself(
    here: World, fault: str
) -> None:
    root = await here.teams("post", text="root")
    state = await here.until(lambda s: len(copies_in_slack(s)) == 1)
    [copy] = copies_in_slack(state)
    await here.quiet()
    del here.sandbox.teams.channels[PROJECT.id].messages[root]
    if fault:
        await here.fault("teams.post", fault)

    ts = await here.slack("reply", text="too late", thread_ts=copy["ts"])
    await here.until(lambda s: len(copies_in_teams(s)) == 1)
    await here.quiet()
    await here.slack("edit", text="far too late", ts=ts)

    state = await here.until(lambda s: "far too late" in teams_texts(s)[0])
    [reply] = teams_messages(state)
    assert "in reply to a message that was deleted" in reply["text"]
    assert reply["is_root"]
    await here.slack("delete", ts=ts)
    await here.until(lambda s: not teams_messages(s))


async def test_a_flood_of_deletions_waits_for_an_admins_word(here: World) -> None:
    posted = [await here.slack("post", text=f"m{n}") for n in range(8)]
    await here.until(lambda s: len(teams_messages(s)) == 8)
    for ts in posted[:7]:
        await here.slack("delete", ts=ts)

    await until_dead(here, 4)
    await here.slack("post", text="goes on")
    await here.until(lambda s: any(t.endswith("goes on") for t in teams_texts(s)))

    async with core(here.settings, "test") as built:
        [row] = await built.health.status(COMPANY)
    assert len(teams_messages(await here.state())) == 8 - 3 + 1
    assert row.dead == 4
    assert row.last_error == "more than 3 deletions within 60 seconds"
    await slack_answer(here, "retry")
    await here.until(lambda s: len(teams_messages(s)) == 2)
    assert [t.strip()[-7:] for t in teams_texts(await here.state())][1] == "goes on"


async def test_a_flood_of_edits_waits_for_an_admins_word(here: World) -> None:
    posted = [await here.slack("post", text=f"m{n}") for n in range(6)]
    await here.until(lambda s: len(teams_messages(s)) == 6)
    for n in range(5):
        await here.slack("edit", ts=posted[0], text=f"m0 for the {n}th time")
        await here.heard()
    for ts in posted[1:]:
        await here.slack("edit", ts=ts, text="written over")

    await until_dead(here, 3)

    def over(state: Mapping[str, Any]) -> int:
        return sum(text.endswith("written over") for text in teams_texts(state))

    async with core(here.settings, "test") as built:
        [row] = await built.health.status(COMPANY)
    assert row.last_error == "more than 3 edited messages within 60 seconds"
    assert over(await here.state()) == 2
    await slack_answer(here, "retry")
    await here.until(lambda s: over(s) == 5)
    assert any(
        t.endswith("m0 for the 4th time") for t in teams_texts(await here.state())
    )


async def test_one_poisoned_message_among_a_thousand_links_holds_up_nobody(
    tmp_path: Path,
) -> None:
    # Of a busy machine too many answers are late: three of them would be one's end.
    few = {"ATOM_TUNING_TRIES": "3", "ATOM_TUNING_CALL_TIMEOUT": "30"}
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db", **few) as here:
        await here.link()
        await link_many(here, 999)
        await here.start()
        await poisoned(here)
        for n in range(_TALKING):
            await here.slack("post", channel=f"C{n:05}", text=f"passes {n:05}")

        state = await here.until(
            lambda s: all(teams_messages(s, f"19:{n}@x") for n in range(_TALKING))
        )
        await until_dead(here)
        await here.until(lambda s: any(t.endswith("three") for t in teams_texts(s)))
        await here.quiet()

        for n in range(_TALKING):
            [copy] = teams_messages(state, f"19:{n}@x")
            assert copy["text"].strip().endswith(f"passes {n:05}")


async def link_many(here: World, count: int) -> None:
    """Put linked channels into both halves of the sandbox, as many as are asked for."""
    falcon = here.sandbox.slack.channels[FALCON.id]
    project = here.sandbox.teams.channels[PROJECT.id]
    async with core(here.settings, "test") as built:
        links, ends = [], []
        for n in range(count):
            ours = SlackChannel(f"C{n:05}", falcon.team, f"many-{n}")
            ours.members = [*falcon.members]
            here.sandbox.slack.channels[ours.id] = ours
            theirs = TeamsChannel(
                f"19:{n}@x", project.tenant, project.team, f"Many {n}"
            )
            here.sandbox.teams.channels[theirs.id] = theirs
            one = {"tenant": COMPANY, "id": f"Lmany{n:05}"}
            state = {"state": "active", "created_by": "test", "options": "{}"}
            links.append(one | state | {"created_us": 1, "changed_us": 1})
            pair = (replace(FALCON, id=ours.id), replace(PROJECT, id=theirs.id))
            ends += [
                {
                    "tenant": COMPANY,
                    "link": one["id"],
                    "position": position,
                    "channel": str(channel),
                    "joined_us": 1,
                }
                for position, channel in enumerate(pair)
            ]
        async with built.database.engine.begin() as connection:
            await connection.execute(insert(link), links)
            await connection.execute(insert(link_channel), ends)
