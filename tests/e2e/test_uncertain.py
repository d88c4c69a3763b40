"""
What nobody is sure of about Slack and Teams may be either way.

Each of these is a setting of the sandbox. The same conversation comes out the same
whichever way it is set.
"""

import html
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from bots.sandbox.slack.defaults import DEFAULTS as SLACK
from bots.sandbox.teams.defaults import DEFAULTS as TEAMS
from tests.e2e.graph import told_by_graph
from tests.e2e.world import World, slack_messages, slack_texts, teams_messages, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

_DEFAULTS = {**SLACK, **TEAMS}

# What is set otherwise than the sandbox takes for likely.
_OTHERWISE: Mapping[str, Mapping[str, Any]] = {
    "as is likely": {},
    "own messages name no app": {"slack.bot_message_has_app_id": False},
    "own messages tell no name": {"slack.bot_message_has_username": False},
    "own updates leave no mark": {"slack.bot_update_marks_edited": False},
    "edits are dated finely": {"slack.edited_ts_whole_seconds": False},
    "events carry metadata": {
        "slack.events_carry_metadata": True,
        "slack.metadata_events": True,
    },
    "threads tell that they grow": {
        "slack.message_replied_events": True,
        "slack.reply_counter_changes": True,
    },
    "threads tell it without a word": {
        "slack.message_replied_events": True,
        "slack.message_replied_has_subtype": False,
    },
    "tombstones stay": {"slack.tombstone_vanishes": False},
    "texts of apps get no blocks": {"slack.text_gets_blocks": False},
    "rich text is encoded": {"slack.rich_text_raw": False},
    "replies name no root": {"teams.reply_to_id": False},
    "texts are escaped": {"teams.text_escaped": True},
    "reactions to people are told": {"teams.reactions_on_user_messages": True},
    "bots may not react": {"teams.bot_reactions": False},
    "bots may speak for others": {"teams.on_behalf_of": True},
    "edits need the thread": {"teams.update_needs_thread": True},
    "other statuses": {"teams.update_status": 202, "teams.reaction_status": 204},
    "the second deletion is taken": {"teams.delete_twice": "accept"},
    "nothing is split": {"teams.split_text_and_card": False},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    home = tmp_path_factory.mktemp("uncertain")
    async with world(home, f"sqlite:///{home}/atom.db") as made:
        await made.link()
        await made.start()
        yield made


@pytest_asyncio.fixture(loop_scope="module", params=list(_OTHERWISE))
async def here(request: pytest.FixtureRequest, one: World) -> AsyncIterator[World]:
    """The same ATOM all the time: what it learned one way must not mislead it."""
    chosen = _OTHERWISE[request.param]
    await one.choose(chosen)
    yield one
    await one.quiet()
    await one.choose({name: _DEFAULTS[name] for name in chosen})


async def test_a_conversation_comes_out_the_same_either_way(here: World) -> None:
    name = uuid4().hex
    ts = await here.slack("post", text=f"{name} 1 < 2 &amp; 3")
    copy = await in_teams(here, f"{name} 1 < 2 &amp; 3")
    answer = await here.slack("reply", text=f"{name} yes", thread_ts=ts)
    await in_teams(here, f"{name} yes", root=copy)
    await here.teams("reply", text=f"{name} 4 < 5 &amp; 6", thread=copy)
    await in_slack(here, f"{name} 4 < 5 &amp; 6", root=ts)
    said = await here.teams("post", text=f"{name} frist")
    twin = await in_slack(here, f"{name} frist")
    await here.slack("react", ts=ts, name="+1", user="U02BOB")
    await here.until(lambda s: reacted(s, copy))
    await here.teams("edit", message=said, text=f"{name} first")
    await in_slack(here, f"{name} first", ts=twin)
    await here.slack("edit", ts=ts, text=f"{name} 1 > 0")
    await in_teams(here, f"{name} 1 > 0", id=copy)
    await here.slack("delete", ts=answer)
    await here.teams("delete", message=said)
    await here.until(lambda s: len(shown(s, name)[0]) == len(shown(s, name)[1]) == 2)
    await here.quiet()

    assert shown(await here.state(), name) == (
        [f"{name} 1 > 0", f"{name} 4 < 5 &amp; 6"],
        [f"{name} 1 > 0", f"{name} 4 < 5 &amp; 6"],
    )


@pytest.mark.parametrize("told", ["none", "mentioned"])
async def test_edits_and_deletions_that_bots_are_not_told_of_cross_by_graphs_word(
    tmp_path: Path, told: str
) -> None:
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as here:
        await here.link()
        await told_by_graph(here)
        await here.set(teams__edit_events=told)
        said = await here.teams("post", text="frist")
        await here.until(lambda s: slack_texts(s) == ["frist"])

        await here.teams("edit", message=said, text="first")
        await here.until(lambda s: slack_texts(s) == ["first"])
        await here.teams("delete", message=said)
        await here.until(lambda s: slack_texts(s) == [])
        await here.teams("undelete", message=said)
        await here.until(lambda s: slack_texts(s) == ["first"])
        await here.quiet()

        kinds = [e.etype for e in await here.log() if e.etype.startswith("message.")]
        assert kinds == [
            "message.create",
            "message.edit",
            "message.delete",
            "message.restore",
        ]


@pytest.mark.parametrize("told", [False, True])
async def test_reactions_to_people_cross_by_graphs_word_and_count_once(
    tmp_path: Path, *, told: bool
) -> None:
    """Teams may tell bots of reactions to their own messages alone."""
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as here:
        await here.link()
        await told_by_graph(here)
        await here.set(teams__reactions_on_user_messages=told)
        said = await here.teams("post", text="lunch?")
        await here.until(lambda s: slack_texts(s) == ["lunch?"])

        await here.teams("react", message=said, type="like", user="29:dave")
        await here.until(lambda s: thumbs(s) == ["+1"])
        await here.teams("react", message=said, type="like", user="29:carol")
        await here.teams("unreact", message=said, type="like", user="29:dave")
        await here.teams("react", message=said, type="heart", user="29:dave")
        await here.until(lambda s: thumbs(s) == ["+1", "heart"])
        await here.teams("unreact", message=said, type="like", user="29:carol")
        await here.until(lambda s: thumbs(s) == ["heart"])
        await here.quiet()

        assert thumbs(await here.state()) == ["heart"]
        assert await chosen(here) == {
            ("29:dave", "👍"): False,
            ("29:carol", "👍"): False,
            ("29:dave", "❤️"): True,
        }


async def chosen(here: World) -> dict[tuple[str, str], bool]:
    """Return whether people's reactions stand, by what the log has of each last."""
    last = {}
    for entry in await here.log():
        if entry.etype.startswith("reaction."):
            who, detail = entry.body["author"]["id"], entry.body["detail"]
            emoji = detail.get("added") or detail["removed"]
            last[who, emoji] = "added" in detail
    return last


def thumbs(state: Mapping[str, Any]) -> list[str]:
    [copy] = slack_messages(state)
    return sorted(one["name"] for one in copy.get("reactions", []))


async def in_teams(here: World, text: str, **more: str) -> str:
    state = await here.until(
        lambda s: any(_is(m, words_in_teams(m), text, more) for m in teams_messages(s))
    )
    found = [m for m in teams_messages(state) if words_in_teams(m) == text]
    return str(found[0]["id"])


async def in_slack(here: World, text: str, **more: str) -> str:
    named = {"thread_ts": more.pop("root")} if "root" in more else {}
    state = await here.until(
        lambda s: any(
            _is(m, words_in_slack(m), text, more | named) for m in slack_messages(s)
        )
    )
    found = [m for m in slack_messages(state) if words_in_slack(m) == text]
    return str(found[0]["ts"])


def _is(
    message: Mapping[str, Any], words: str, text: str, more: Mapping[str, str]
) -> bool:
    return words == text and all(message.get(key) == more[key] for key in more)


def words_in_teams(message: Mapping[str, Any]) -> str:
    """Return what people read there, without the line that says who wrote it."""
    lines = re.split(r"<(?:/p|br|hr)\b[^>]*>|👍", message["html"])
    read = [html.unescape(re.sub(r"<[^>]*>", "", line)).strip() for line in lines]
    return next((line for line in read if re.match(r"[0-9a-f]{32} ", line)), "")


def words_in_slack(message: Mapping[str, Any]) -> str:
    return html.unescape(message["text"])


def reacted(state: Mapping[str, Any], copy: str) -> bool:
    """Say whether a thumb is on a copy in Teams, or in the line below it."""
    [found] = [m for m in teams_messages(state) if m["id"] == copy]
    return bool(found["reactions"]) or "👍" in found["html"]


def shown(state: Mapping[str, Any], name: str) -> tuple[list[str], list[str]]:
    """Return what stands there of one conversation, in Slack and in Teams."""
    slack = [words_in_slack(m) for m in slack_messages(state)]
    teams = [words_in_teams(m) for m in teams_messages(state)]
    return ([t for t in slack if name in t], [t for t in teams if name in t])
