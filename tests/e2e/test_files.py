"""Files cross both ways, beside the text and never in its way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.world import World, slack_messages, teams_messages, world

EVERYTHING = ["Group.Selected", "Files.ReadWrite.All"]


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await made.set(teams__graph_roles=EVERYTHING)
        await made.link()
        await made.start()
        yield made


async def test_a_file_from_slack_stands_in_the_thread_of_its_copy(here: World) -> None:
    content = "a,b\n" * 1000
    await here.slack("upload", text="the numbers", name="numbers.csv", content=content)

    state = await here.until(lambda s: len(teams_messages(s)) == 2)
    state = await here.until(lambda s: "in this thread" in teams_messages(s)[0]["text"])

    copy, file = teams_messages(state)
    assert "the numbers" in copy["text"]
    assert "numbers.csv (4 kB): in this thread" in copy["text"]
    assert file["root"] == copy["id"]
    [kept] = [f for f in here.sandbox.teams.files.values() if not f.pasted]
    assert kept.content == content.encode()
    assert kept.id in file["html"]


async def test_a_file_from_teams_stands_in_the_thread_of_its_copy(here: World) -> None:
    content = "a,b\n" * 1000
    await here.teams("upload", text="the numbers", name="numbers.csv", content=content)

    await here.until(lambda s: len(slack_messages(s)) == 2)
    state = await here.until(lambda s: "in this thread" in slack_messages(s)[0]["text"])

    copy, file = slack_messages(state)
    assert "the numbers" in copy["text"]
    assert "numbers.csv (4 kB)" in copy["text"]
    assert file["thread_ts"] == copy["ts"]
    [shown] = file["files"]
    assert here.sandbox.slack.files[shown["id"]].content == content.encode()
