"""What other bots say crosses where a link wants it, and ATOM's own never does."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from bridge.errors import Conflict
from bridge.messages import Channel, Platform
from bridge.options import Bots, LinkOptions
from tests.e2e.graph import told_by_graph
from tests.e2e.test_linking import slack_answer
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

RANDOM = Channel(Platform.SLACK, "T01ACME", "C03RANDOM")
CAROL = "Carol Díaz (Teams)"
ALERT = {"title": "CPU is high", "text": "on host 7", "fallback": "CPU"}
CARD = {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Build 7"}]}


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await relaying(made, FALCON, PROJECT)
        await relaying(made, PROJECT, RANDOM)
        await made.start()
        yield made


@pytest.fixture
async def lone(tmp_path: Path) -> AsyncIterator[World]:
    """The same, where the database makes no difference."""
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as made:
        await relaying(made, FALCON, PROJECT)
        await relaying(made, PROJECT, RANDOM)
        await made.start()
        yield made


async def relaying(here: World, *channels: Channel, bots: Bots = Bots.RELAY) -> None:
    """Link channels so that other bots are heard."""
    async with core(here.settings, "test") as built:
        link = await built.links.add(COMPANY, channels, "test")
        await built.links.choose(link, LinkOptions(bots=bots), "test")


async def rules(here: World) -> list[str]:
    """Return by which rules something was denied."""
    return [
        decision["rule"]
        for entry in await here.log()
        for decision in entry.body.get("decisions") or ()
        if not decision["allowed"]
    ]


async def test_a_bots_message_its_edit_and_its_end_cross_as_an_apps(
    here: World,
) -> None:
    bot: dict[str, Any] = {"user": "B09OTHER"}
    ts = await here.slack("bot_post", wire={"attachments": [ALERT]}, **bot)
    state = await here.until(lambda s: len(teams_messages(s)) == 1)
    [told] = teams_texts(state)

    await here.slack("edit", ts=ts, text="all is well", wire={"attachments": []}, **bot)
    await here.until(lambda s: teams_texts(s)[0].endswith("all is well"))
    await here.slack("delete", ts=ts, **bot)
    await here.until(lambda s: not teams_messages(s))

    assert "Deploys (Slack, app)" in told
    assert told.endswith("CPU is high\non host 7")


async def test_an_apps_card_in_teams_is_read_through_graph(here: World) -> None:
    await here.stop()
    await here.teams("bot_post", card=CARD)
    await here.teams("post", text="a person")

    await here.start()

    state = await here.until(lambda s: len(slack_messages(s)) == 2)
    told = {m["username"]: m["text"] for m in slack_messages(state)}
    assert told["Standup (Teams, app)"].startswith("Build 7")
    assert len(told) == 2


async def test_a_link_hears_no_bots_unless_it_wants_to(tmp_path: Path) -> None:
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as here:
        await here.link()
        await here.start()

        await here.slack("bot_post", text="noise")
        await here.slack("topic", text="a new topic")
        await here.slack("post", text="a person")

        await here.until(lambda s: len(teams_messages(s)) == 1)
        await here.quiet()
        state = await here.state()
    assert teams_texts(state)[0].endswith("a person")


@pytest.mark.parametrize("side", ["slack", "teams"])
async def test_a_digest_comes_once_though_atom_died_before_it_knew(
    tmp_path: Path, database_url: str, side: str
) -> None:
    often = {"ATOM_TUNING_DIGEST_EVERY": "2", "ATOM_TUNING_FIRST_PAUSE": "0.1"}
    async with world(tmp_path, database_url, **often) as here:
        await relaying(here, FALCON, PROJECT, bots=Bots.DIGEST)
        # What other bots say in Teams, Graph alone tells.
        await told_by_graph(here, "sent")
        say = here.slack if side == "slack" else here.teams
        for n in range(3):
            await say("bot_post", text=f"build {n}")
        await say("bot_post", text="on fire", username="Pager", bot_id="B2")

        await here.died()
        await here.start()

        state = await here.until(lambda s: len(told_across(s, side)) == 1)
        await here.quiet()
        state = await here.state()
    [told] = told_across(state, side)
    if side == "slack":
        assert told.startswith("Digest (Slack, app)")
        assert "4 messages from Deploys, Pager" in told
    else:
        assert "4 messages from Standup" in told
    lines = [told.index(line) for line in ("build 0", "build 1", "build 2", "on fire")]
    assert lines == sorted(lines)


def told_across(state: Any, side: str) -> list[str]:
    return teams_texts(state) if side == "slack" else slack_texts(state)


async def test_many_echoes_raise_an_alarm(tmp_path: Path, database_url: str) -> None:
    few = {"ATOM_TUNING_ECHOES": "2/600"}
    async with world(tmp_path, database_url, **few) as here:
        await relaying(here, FALCON, PROJECT)
        await here.start()

        for n in range(3):
            said = f"said for the {n}th time"
            await here.teams("post", text=said)
            await here.until(lambda s: len(slack_texts(s)) > 2 * n)  # noqa: B023
            await here.quiet()
            if n == 2:
                assert "too many echoes" not in here.stderr
            await here.slack("bot_post", text=f"Carol: {said}")
        await here.quiet()

        assert len(teams_messages(await here.state())) == 3
        assert "too many echoes" in here.stderr
        assert "3 echoes within 600 seconds" in here.stderr
        async with core(here.settings, "test") as built:
            [row] = await built.health.status(COMPANY)
        assert row.echoes == 3
        card = await slack_answer(here, "status")
        assert "Messages go round in a circle, and are cut" in card
        async with here.session.get(f"{here.atom}/metrics") as answer:
            assert (
                f'atom_link_echoing{{link="{row.link.id}"}} 1.0' in await answer.text()
            )


async def test_our_copies_are_ours_whatever_bot_slack_names(lone: World) -> None:
    await lone.set(slack__bot_message_has_app_id=False)
    await lone.teams("post", text="said in Teams")
    state = await lone.until(lambda s: len(slack_messages(s)) == 1)
    await lone.quiet()
    copy = slack_messages(state)[0]
    as_before = {"bot_id": "B0BEFORE", "ts": copy["ts"], "type": "message"}
    changed = {
        "type": "message",
        "subtype": "message_changed",
        "channel": FALCON.id,
        "ts": "1900000000.000100",
        "message": as_before
        | {"text": "changed", "edited": {"ts": "1900000000.000000"}},
        "previous_message": as_before | {"text": "said in Teams"},
    }

    await lone.slack("event", event=changed)
    await lone.slack("post", text="a person")

    await lone.until(lambda s: len(teams_messages(s)) == 2)
    assert await rules(lone) == ["loop: it is a copy of ATOM's"]


async def test_a_triangle_and_a_foreign_bridge_come_to_rest(here: World) -> None:
    async with core(here.settings, "test") as built:
        with pytest.raises(Conflict):
            await built.links.add(COMPANY, (RANDOM, FALCON), "test")
    in_random = {"channel": RANDOM.id}

    await here.teams("post", text="round and round we go")
    await here.until(
        lambda s: bool(slack_texts(s)) and len(slack_messages(s, RANDOM.id)) == 1
    )
    await here.slack("bot_post", text="[Carol] round and round we go", **in_random)
    await here.slack("bot_post", text="Carol: round and round we go")
    await here.slack("post", text="the last word", **in_random)
    await here.until(lambda s: len(teams_messages(s)) == 2)
    await here.quiet()

    state = await here.state()
    assert teams_texts(state)[0] == "round and round we go"
    assert teams_texts(state)[1].endswith("the last word")
    copies = [m for m in _everything(state) if m.get("username") == CAROL]
    assert [m["text"] for m in copies] == ["round and round we go"] * 2
    assert [r.partition(":")[0] for r in await rules(here)] == ["loop", "loop"]


async def test_what_another_atom_brought_here_through_our_link_stays(
    lone: World,
) -> None:
    await lone.set(slack__events_carry_metadata=True)
    async with core(lone.settings, "test") as built:
        link, _ = await built.links.all(COMPANY)

    for hops in (["far", link.id], ["a", "b", "c", "d"], [], ["far"]):
        payload = {"op": "globex.7.0", "src": "slack", "hops": hops, "origin": ""}
        await lone.slack(
            "bot_post",
            text=f"through {len(hops)} links",
            metadata={"event_type": "atom_bridge", "event_payload": payload},
        )

    state = await lone.until(lambda s: len(teams_messages(s)) == 1)
    await lone.quiet()
    assert teams_texts(state)[0].endswith("through 1 links")
    assert "loop: it is marked as a bridge's copy" in await rules(lone)
    assert len(await rules(lone)) == 3
    said = [e for e in await lone.log() if e.etype == "message.create"]
    assert [e.body["text"] for e in said if "through 0" in e.body["text"]]


async def test_edits_and_the_end_of_a_copy_cause_no_call_to_teams(here: World) -> None:
    message = await here.teams("post", text="edit 0")
    await here.until(lambda s: len(slack_messages(s)) == 1)
    await here.quiet()
    copy = slack_messages(await here.state())[0]
    before = (await here.journal())[-1]["n"]

    for n in range(1_000):
        here.sandbox.slack.emit("T01ACME", _edit_of(copy, n), _channel(here))
    await here.heard()
    await here.teams("delete", message=message)
    await here.until(lambda s: not slack_messages(s))
    await here.heard()
    await here.quiet()
    since = [e for e in await here.journal() if e["n"] > before]
    told = [e for e in since if (e["side"], e["call"]) == ("slack", "deliver")]
    assert len(told) > 1_000
    assert all(e["status"] == 200 for e in told)
    changing = {"post", "reply", "update", "delete", "react", "unreact", "typing"}
    assert [e["call"] for e in since if e["call"] in changing] == []

    await here.slack("post", text="a person")
    await here.until(lambda s: len(teams_messages(s)) == 1)

    kinds = [e.etype for e in await here.log()]
    assert kinds.count("message.edit") == 0
    assert kinds.count("message.create") == 2


_LATER = 1_900_000_000  # seconds since 1970


def _channel(here: World) -> Any:
    return here.sandbox.slack.channels[FALCON.id]


def _edit_of(copy: Any, number: int) -> dict[str, Any]:
    """An edit of our copy as Slack reports it: only the nested bot id tells whose."""
    body = {k: copy[k] for k in ("bot_id", "ts", "username")} | {"type": "message"}
    return {
        "type": "message",
        "subtype": "message_changed",
        "channel": FALCON.id,
        "ts": f"{_LATER + number}.000100",
        "event_ts": f"{_LATER + number}.000100",
        "message": body
        | {"text": f"edit {number}", "edited": {"ts": f"{_LATER + number}.000000"}},
        "previous_message": body | {"text": f"edit {number - 1}"},
    }


def _everything(state: Any) -> list[Any]:
    return slack_messages(state) + slack_messages(state, RANDOM.id)
