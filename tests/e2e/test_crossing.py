"""Messages, threads, edits and deletes cross, both ways, once and in order."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.world import (
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await made.link()
        await made.start()
        yield made


async def test_what_is_said_in_slack_stands_in_teams_under_its_authors_name(
    here: World,
) -> None:
    await here.slack("post", text="hello from Slack")

    state = await here.until(lambda s: len(teams_messages(s)) == 1)

    [copy] = teams_messages(state)
    assert "hello from Slack" in copy["text"]
    assert "Alice Wong" in copy["text"]
    assert copy["author"]["is_bot"]


async def test_what_is_said_in_teams_stands_in_slack_under_its_authors_name(
    here: World,
) -> None:
    await here.teams("post", text="hello from Teams")

    state = await here.until(lambda s: len(slack_messages(s)) == 1)

    [copy] = slack_messages(state)
    assert copy["text"] == "hello from Teams"
    assert copy["username"] == "Carol Díaz (Teams)"


async def test_a_thread_stays_a_thread_in_both_directions(here: World) -> None:
    ts = await here.slack("post", text="root")
    state = await here.until(lambda s: len(teams_messages(s)) == 1)
    root = teams_messages(state)[0]["id"]

    await here.slack("reply", text="from Slack", thread_ts=ts)
    await here.until(lambda s: len(teams_messages(s)) == 2)
    await here.teams("reply", text="from Teams", thread=root)

    state = await here.until(lambda s: len(slack_messages(s)) == 3)
    assert [m["thread_ts"] for m in slack_messages(state)[1:]] == [ts, ts]
    assert [m["root"] for m in teams_messages(state)] == [root] * 3


async def test_edits_cross_both_ways(here: World) -> None:
    ts = await here.slack("post", text="frist")
    message = await here.teams("post", text="secnod")
    await here.until(lambda s: len(teams_messages(s)) == len(slack_messages(s)) == 2)

    await here.slack("edit", ts=ts, text="first")
    await here.teams("edit", message=message, text="second")

    await here.until(
        lambda s: (
            any(text.endswith("first") for text in teams_texts(s))
            and "second" in slack_texts(s)
        )
    )


async def test_deletes_cross_both_ways(here: World) -> None:
    ts = await here.slack("post", text="one")
    message = await here.teams("post", text="two")
    await here.until(lambda s: len(teams_messages(s)) == len(slack_messages(s)) == 2)

    await here.slack("delete", ts=ts)
    await here.teams("delete", message=message)

    await here.until(lambda s: not teams_messages(s) and not slack_messages(s))


async def test_many_messages_keep_their_order(here: World) -> None:
    # Slack sends the next event only when this one is answered, however busy we are.
    await here.set(slack__order_wait=30)
    for n in range(30):
        await here.slack("post", text=f"message {n:02}")

    state = await here.until(lambda s: len(teams_messages(s)) == 30)

    told = [text[-10:] for text in teams_texts(state)]
    assert told == [f"message {n:02}" for n in range(30)]


async def test_our_own_posts_edits_and_deletes_cause_nothing(here: World) -> None:
    message = await here.teams("post", text="one")
    await here.until(lambda s: len(slack_messages(s)) == 1)
    await here.teams("edit", message=message, text="two")
    await here.until(lambda s: slack_texts(s) == ["two"])
    await here.teams("delete", message=message)
    await here.until(lambda s: not slack_messages(s))
    await here.quiet()

    state = await here.state()

    assert teams_messages(state) == []
    calls = [e["call"] for e in await here.journal() if e["side"] == "teams"]
    assert not {"post", "reply", "update", "delete", "react", "unreact"} & set(calls)


async def test_previews_of_links_are_no_edits(here: World) -> None:
    link = "https://example.com/page"
    ts = await here.slack("post", text=link)
    message = await here.teams("post", text=link)
    await here.until(lambda s: len(teams_messages(s)) == len(slack_messages(s)) == 2)
    await here.quiet()
    before = len(await here.journal())

    await here.slack("unfurl", ts=ts, url=link)
    await here.teams("edit", message=message, text=link)  # Teams says it is one
    await here.teams("edit", message=message, text=link)
    await here.slack("post", text="done")
    await here.until(lambda s: len(teams_messages(s)) == 3)
    await here.quiet()

    calls = {e["call"] for e in (await here.journal())[before:]}
    assert not {"chat.update", "update"} & calls


async def test_everything_that_crossed_is_in_an_intact_log(here: World) -> None:
    await here.slack("post", text="hello")
    await here.until(lambda s: len(teams_messages(s)) == 1)
    await here.quiet()

    # Who is in the channels is found out meanwhile, whenever that is; starts are told.
    entries = [
        e
        for e in await here.log()
        if not e.etype.startswith(("member.", "admin.config"))
    ]

    assert [e.etype for e in entries] == [
        "bridge.link",
        "message.create",
        "bridge.delivered",
    ]
    assert entries[2].row["origin_leaf"] == entries[1].row["leaf"]
    assert (await here.verdict()).intact
