"""Reactions cross, both ways: one for all who chose the same, gone with the last."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bots.demo_declared import declared
from bots.sandbox.teams import seed as teams
from tests.e2e.world import (
    FALCON,
    PROJECT,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

BOT = "UATOM"
STORM = [
    "+1",
    "-1",
    "heart",
    "tada",
    "joy",
    "eyes",
    "fire",
    "pray",
    "clap",
    "rocket",
    "wave",
    "star",
    "x",
    "warning",
    "bulb",
    "coffee",
    "sob",
    "muscle",
    "memo",
    "100",
]


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await made.link()
        await made.start()
        yield made


async def crossed_from_slack(here: World, text: str = "from Slack") -> tuple[str, str]:
    """Return the ts of a message in Slack, and the id of its copy in Teams."""
    ts = await here.slack("post", text=text)
    state = await here.until(lambda s: any(t.endswith(text) for t in teams_texts(s)))
    [copy] = [m for m in teams_messages(state) if m["text"].endswith(text)]
    return ts, str(copy["id"])


async def crossed_from_teams(here: World, text: str = "from Teams") -> tuple[str, str]:
    """Return the id of a message in Teams, and the ts of its copy in Slack."""
    message = await here.teams("post", text=text)
    state = await here.until(lambda s: text in slack_texts(s))
    [copy] = [m for m in slack_messages(state) if m["text"] == text]
    return message, str(copy["ts"])


def ours(state: Mapping[str, Any], ts: str) -> set[str]:
    """Return which reactions ATOM has left on a message in Slack."""
    [message] = [m for m in slack_messages(state) if m["ts"] == ts]
    return {r["name"] for r in message.get("reactions", []) if BOT in r["users"]}


def below(state: Mapping[str, Any], message: str) -> str:
    """Return the line below a copy in Teams."""
    [copy] = [m for m in teams_messages(state) if m["id"] == message]
    html: str = copy["html"]
    last = html.rpartition("<p>")[2].removesuffix("</p>")
    return last if " " in last and last[-1].isdigit() else ""


def bots(state: Mapping[str, Any], message: str) -> set[str]:
    """Return which reactions ATOM has left on a message in Teams."""
    [found] = [m for m in teams_messages(state) if m["id"] == message]
    return {
        r["type"]
        for r in found["reactions"]
        if any(user.startswith("28:") for user in r["users"])
    }


async def logged(here: World, etype: str) -> None:
    """Wait until something of a kind is in the log."""
    await here.logged(lambda entries: any(e.etype == etype for e in entries))


async def settled(here: World, kind: str, count: int) -> None:
    """Wait until so many events are in the log, and all that follows has been done."""
    await here.logged(
        lambda entries: sum(e.etype.startswith(kind) for e in entries) >= count
    )
    await here.quiet()


async def test_reactions_in_slack_stand_below_the_copy_in_teams(here: World) -> None:
    ts, copy = await crossed_from_slack(here)

    await here.slack("react", ts=ts, name="+1", user="U01ALICE")
    await here.slack("react", ts=ts, name="+1", user="U02BOB")
    await here.slack("react", ts=ts, name="tada", user="U02BOB")
    await here.until(lambda s: below(s, copy) == "👍 2 · 🎉 1")
    await here.slack("unreact", ts=ts, name="+1", user="U01ALICE")
    await here.slack("unreact", ts=ts, name="+1", user="U02BOB")

    await here.until(lambda s: below(s, copy) == "🎉 1")


async def test_who_reacted_is_told_on_either_side_to_the_one_who_asks(
    here: World,
) -> None:
    await here.set(**told_of_shortcuts())
    ts, copy = await crossed_from_slack(here)
    await here.slack("react", ts=ts, name="+1", user="U01ALICE")
    await here.heard()
    await here.slack("react", ts=ts, name="tada", user="U02BOB")
    await here.slack("unreact", ts=ts, name="tada", user="U02BOB")
    await here.teams("react", message=copy, type="like", user="29:carol")
    await settled(here, "reaction.", 4)
    stood = len(teams_messages(await here.state()))

    wish = {"action": "message_shortcut", "callback_id": "atom_who_reacted", "ts": ts}
    place = {"workspace": "T01ACME", "user": "U02BOB", "channel": FALCON.id}
    await here._act("slack", place | wish)
    state = await here.until(lambda s: bool(whispers(s)))
    answer = await here._act(
        "teams",
        {
            "tenant": teams.ACME,
            "user": "29:dave",
            "team": PROJECT.team,
            "channel": PROJECT.id,
            "action": "extension_action",
            "command": "whoReacted",
            "message": copy,
        },
    )

    [whisper] = whispers(state)
    assert whisper["to"] == "U02BOB"
    for shown in (json.dumps(whisper, ensure_ascii=False), dialog(answer)):
        assert "👍" in shown
        assert "Alice" in shown
        assert "Carol" in shown
        assert "🎉" not in shown
    assert len(teams_messages(await here.state())) == stood


def told_of_shortcuts() -> dict[str, Any]:
    found = declared("https://atom.example", teams.BOT_APP_ID, [])
    return {name.replace(".", "__"): value for name, value in found.items()}


def whispers(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [w for space in state["slack"]["workspaces"] for w in space["ephemerals"]]


def dialog(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


async def test_pins_and_new_channels_are_on_record_and_do_not_cross(
    here: World,
) -> None:
    ts, _copy = await crossed_from_slack(here)
    await here.quiet()
    before = teams_messages(await here.state())

    await here.slack("pin", ts=ts, user="U02BOB")
    await here.slack("pin", ts=ts, user="U02BOB", off=True)
    await here.slack("create", name="fresh", user="U02BOB")
    await logged(here, "conv.create")
    await settled(here, "pin.", 2)

    told = [e for e in await here.log() if e.etype.startswith("pin.")]
    assert [(e.etype, e.row["msg"]) for e in told] == [
        ("pin.add", ts),
        ("pin.remove", ts),
    ]
    assert {e.body["author"]["id"] for e in told} == {"U02BOB"}
    assert teams_messages(await here.state()) == before


async def test_reactions_to_a_copy_in_teams_are_left_once_in_slack(
    here: World,
) -> None:
    ts, copy = await crossed_from_slack(here)
    await here.teams("react", message=copy, reaction="like", user="29:carol")
    await here.teams("react", message=copy, reaction="like", user="29:dave")
    await here.until(lambda s: ours(s, ts) == {"+1"})
    await here.quiet()

    await here.teams("unreact", message=copy, reaction="like", user="29:carol")
    await here.quiet()
    after_one = ours(await here.state(), ts)
    await here.teams("unreact", message=copy, reaction="like", user="29:dave")

    assert after_one == {"+1"}
    await here.until(lambda s: ours(s, ts) == set())


async def test_reactions_in_teams_are_left_on_the_copy_in_slack(here: World) -> None:
    await here.set(teams__reactions_on_user_messages=True)
    message, copy = await crossed_from_teams(here)

    await here.teams("react", message=message, reaction="1f44b_wavinghand-tone2")
    await here.teams("react", message=message, reaction="heart", user="29:dave")
    await here.until(lambda s: ours(s, copy) == {"wave::skin-tone-3", "heart"})
    await here.teams("unreact", message=message, reaction="heart", user="29:dave")

    await here.until(lambda s: ours(s, copy) == {"wave::skin-tone-3"})


async def test_a_reaction_to_a_copy_in_slack_leaves_a_persons_message_alone(
    here: World,
) -> None:
    message, copy = await crossed_from_teams(here)

    await here.slack("react", ts=copy, name="tada", user="U02BOB")
    await logged(here, "bridge.dropped")

    [original] = [m for m in teams_messages(await here.state()) if m["id"] == message]
    assert (original["reactions"], original["text"].strip()) == ([], "from Teams")
    dropped = [e for e in await here.log() if e.etype == "bridge.dropped"]
    assert "not ATOM's" in dropped[-1].body["reason"]


async def test_our_own_reactions_cause_nothing(here: World) -> None:
    ts, copy = await crossed_from_slack(here)
    await here.teams("react", message=copy, reaction="like")
    await here.until(lambda s: ours(s, ts) == {"+1"})
    await here.quiet()

    state = await here.state()

    assert below(state, copy) == ""
    kinds = [e.etype for e in await here.log()]
    assert kinds.count("reaction.add") == 1


async def test_an_edit_of_the_message_keeps_the_line_below(here: World) -> None:
    ts, copy = await crossed_from_slack(here)
    await here.slack("react", ts=ts, name="tada")
    await here.until(lambda s: below(s, copy) == "🎉 1")

    await here.slack("edit", ts=ts, text="better")

    await here.until(
        lambda s: (
            any("better" in t for t in teams_texts(s)) and below(s, copy) == "🎉 1"
        )
    )
    await here.quiet()
    assert below(await here.state(), copy) == "🎉 1"


async def test_a_reply_that_is_reacted_to_at_once_shows_it(here: World) -> None:
    ts, _ = await crossed_from_slack(here)
    reply = await here.slack("reply", text="a reply", thread_ts=ts)
    await here.slack("react", ts=reply, name="eyes")

    state = await here.until(
        lambda s: any(below(s, m["id"]) == "👀 1" for m in teams_messages(s))
    )

    [shown] = [m for m in teams_messages(state) if below(state, m["id"])]
    assert "a reply" in shown["text"]
    assert not shown["is_root"]


async def test_reactions_to_a_deleted_message_are_dropped(here: World) -> None:
    ts, _ = await crossed_from_slack(here)
    await here.fault("slack.deliver", "delay", times=1, seconds=1.5)
    await here.set(slack__order_wait=0.0)
    await here.slack("react", ts=ts, name="tada")
    await here.slack("delete", ts=ts)
    await logged(here, "bridge.dropped")

    assert teams_messages(await here.state()) == []
    dropped = [e for e in await here.log() if e.etype == "bridge.dropped"]
    assert dropped[-1].body["reason"] == "the message was deleted"


def on_both(*faults: str) -> list[tuple[str, str]]:
    """Return every fault on SQLite, and on PostgreSQL that of an answer too late."""
    late = "timeout_after"
    return [(fault, "sqlite") for fault in (*faults, late)] + [(late, "postgresql")]


@pytest.mark.parametrize(
    ("fault", "database_url"),
    on_both("500_after", "reset_after", "503", "429"),
    indirect=["database_url"],
)
async def test_whatever_slack_answers_the_reaction_stands_once(
    tmp_path: Path, database_url: str, fault: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        ts, copy = await crossed_from_slack(here)
        await here.fault("slack.reactions.*", fault, times=1, seconds=4.0)
        await here.teams("react", message=copy, reaction="like")
        await here.until(lambda s: ours(s, ts) == {"+1"})
        await here.quiet()
        await here.fault("slack.reactions.*", fault, times=1, seconds=4.0)

        await here.teams("unreact", message=copy, reaction="like")

        await here.until(lambda s: ours(s, ts) == set())
        await here.quiet()
        assert ours(await here.state(), ts) == set()


@pytest.mark.parametrize(
    ("fault", "database_url"),
    on_both("502_after", "reset_after", "503", "412"),
    indirect=["database_url"],
)
async def test_whatever_teams_answers_the_line_says_what_is_true(
    tmp_path: Path, database_url: str, fault: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        ts, copy = await crossed_from_slack(here)
        await here.fault("teams.update", fault, times=2, seconds=4.0)

        await here.slack("react", ts=ts, name="+1")
        await here.slack("react", ts=ts, name="tada")
        await here.slack("unreact", ts=ts, name="+1")

        await here.until(lambda s: below(s, copy) == "🎉 1")
        await here.quiet()
        assert below(await here.state(), copy) == "🎉 1"


async def test_doubled_and_reordered_events_come_to_the_same(here: World) -> None:
    ts, copy = await crossed_from_slack(here)
    await here.set(slack__order_wait=0.0, teams__order_wait=0.0)
    for side in ("slack", "teams"):
        await here.fault(f"{side}.deliver", "duplicate", times=20)
        await here.fault(f"{side}.deliver", "reorder", times=5, seconds=0.4)
    for _ in range(3):
        await here.slack("react", ts=ts, name="tada")
        await here.slack("unreact", ts=ts, name="tada")
        await here.teams("react", message=copy, reaction="like")
        await here.teams("unreact", message=copy, reaction="like")
    await here.slack("react", ts=ts, name="eyes")
    await here.teams("react", message=copy, reaction="heart")

    await here.until(lambda s: below(s, copy) == "👀 1" and ours(s, ts) == {"heart"})
    await settled(here, "reaction.", 14)

    state = await here.state()
    assert (below(state, copy), ours(state, ts)) == ("👀 1", {"heart"})
    assert (await here.verdict()).intact


async def test_a_storm_of_reactions_ends_with_the_right_counts(here: World) -> None:
    await here.set(slack__reactions_per_user=50)
    ts, copy = await crossed_from_slack(here)
    names = [*STORM, *(f"acme_{n}" for n in range(10))]
    people = ("U01ALICE", "U02BOB")
    await asyncio.gather(
        *(here.slack("react", ts=ts, name=n, user=who) for n in names for who in people)
    )
    kinds = ("like", "heart", "laugh", "acme-parrot;0-weu-d1")
    await asyncio.gather(
        *(
            here.teams("react", message=copy, reaction=kind, user=who)
            for kind in kinds
            for who in ("29:carol", "29:dave")
        )
    )
    await asyncio.gather(
        *(here.slack("unreact", ts=ts, name=n, user="U02BOB") for n in names[::2]),
        *(here.slack("unreact", ts=ts, name=n, user="U01ALICE") for n in names[:5]),
        here.teams("unreact", message=copy, reaction="like", user="29:carol"),
        here.teams("unreact", message=copy, reaction="heart", user="29:carol"),
        here.teams("unreact", message=copy, reaction="heart", user="29:dave"),
    )
    await settled(here, "reaction.", 2 * len(names) + len(kinds) * 2 + 15 + 5 + 3)

    state = await here.state()
    [message] = [m for m in slack_messages(state) if m["ts"] == ts]
    said = {
        r["name"]: len([who for who in r["users"] if who != BOT])
        for r in message["reactions"]
    }
    expected = sorted(count for count in said.values() if count)
    shown = [int(part.split()[-1]) for part in below(state, copy).split(" · ")]
    assert sorted(shown) == expected
    assert ours(state, ts) == {"+1", "laughing", "acme-parrot;0-weu-d1"}


async def test_what_slack_has_no_room_for_stands_below_the_copy(here: World) -> None:
    await here.set(
        teams__reactions_on_user_messages=True,
        slack__reactions_per_user=2,
        slack__unknown_emoji=["acme-parrot"],
    )
    message, copy = await crossed_from_teams(here)

    for kind in ("like", "acme-parrot", "heart", "laugh"):
        await here.teams("react", message=message, reaction=kind)

    await here.until(lambda s: ours(s, copy) == {"+1", "heart"})
    state = await here.until(
        lambda s: any(t.endswith(":acme-parrot: 1 · 😆 1") for t in slack_texts(s))
    )
    assert ours(state, copy) == {"+1", "heart"}


async def test_switched_on_teams_shows_reactions_itself(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/atom.db"
    async with world(tmp_path, database, ATOM_TEAMS_NATIVE_REACTIONS="true") as here:
        await here.link()
        await here.start()
        ts, copy = await crossed_from_slack(here)
        message, twin = await crossed_from_teams(here)
        await here.slack("react", ts=ts, name="tada")
        await here.slack("react", ts=ts, name="acme_parrot")
        await here.slack("react", ts=twin, name="+1")
        await here.slack("react", ts=twin, name="+1", user="U02BOB")
        await here.until(
            lambda s: (
                bots(s, copy) == {"1f389_partypopper"}
                and below(s, copy) == ":acme_parrot: 1"
                and bots(s, message) == {"like"}
            )
        )

        await here.slack("unreact", ts=ts, name="tada")
        await here.slack("unreact", ts=ts, name="acme_parrot")
        await here.slack("unreact", ts=twin, name="+1")

        await here.until(lambda s: not bots(s, copy) and not below(s, copy))
        await here.quiet()
        assert bots(await here.state(), message) == {"like"}


@pytest.mark.parametrize("step", ["picked", "intended", "sent", "concluding"])
async def test_killed_at_any_step_the_counts_come_out_right(
    tmp_path: Path, database_url: str, step: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        ts, copy = await crossed_from_slack(here)
        await here.quiet()
        await here.stop()
        await here.start(step, times=2)
        reacting = asyncio.create_task(_react_and_take_back(here, ts, copy))
        await here.died()
        await here.start()
        await reacting

        await here.until(
            lambda s: below(s, copy) == "👍 1" and ours(s, ts) == {"heart"}
        )
        await settled(here, "reaction.", 6)

        state = await here.state()
        assert (below(state, copy), ours(state, ts)) == ("👍 1", {"heart"})
        assert (await here.verdict()).intact


async def _react_and_take_back(here: World, ts: str, copy: str) -> None:
    await here.slack("react", ts=ts, name="+1")
    await here.teams("react", message=copy, reaction="like")
    await here.slack("react", ts=ts, name="+1", user="U02BOB")
    await here.teams("unreact", message=copy, reaction="like")
    await here.slack("unreact", ts=ts, name="+1")
    await here.teams("react", message=copy, reaction="heart")
