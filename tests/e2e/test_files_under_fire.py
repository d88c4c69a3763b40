"""Whatever happens to an upload, a file stands once in the end."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.files import KEEPING, in_drive, slack_copy, teams_copy
from tests.e2e.world import World, slack_messages, teams_messages, world

# What is called on a file's way, and in which direction: Slack to Teams, and back.
TO_TEAMS = ("slack.download", "teams.graph.upload_part", "teams.reply")
TO_SLACK = (
    "teams.download",
    "slack.files.getUploadURLExternal",
    "slack.upload",
    "slack.files.completeUploadExternal",
)


async def upload(here: World, call: str) -> None:
    """Upload a file whose way leads over the call, named after it."""
    side = here.slack if call in TO_TEAMS else here.teams
    await side("upload", text=f"over {call}", name=f"{call}.txt", content=call)


async def stands_once(here: World, call: str) -> None:
    """Wait until the file is across, and see that it is there once."""
    copy = teams_copy if call in TO_TEAMS else slack_copy
    await here.until(lambda s: "in this thread" in copy(s, f"over {call}"), 60)
    await here.quiet()
    state = await here.state()
    if call in TO_TEAMS:
        shown = [m["text"] for m in teams_messages(state) if "📎" in m["text"]]
        assert len([t for t in shown if f"{call}.txt" in t]) == 2, shown
        assert list(in_drive(here).values()).count(call.encode()) == 1
        return
    files = [f["name"] for m in slack_messages(state) for f in m.get("files", ())]
    assert files.count(f"{call}.txt") == 1, files


async def test_killed_at_any_call_files_stand_once_afterwards(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.set(teams__graph_roles=KEEPING)
        await here.link()
        await here.start()
        calls = (*TO_TEAMS, *TO_SLACK)
        for call in calls:
            await here.fault(call, "delay_after", seconds=5)
        await asyncio.gather(*(upload(here, call) for call in calls))
        # Each call's fault holds one of the files: they are on seven steps of their way.
        async with asyncio.timeout(60):
            while not all(rule["hits"] for rule in here.sandbox.faults.listing()):
                await asyncio.sleep(0.02)

        await here.kill()
        left = list((tmp_path / "crossing").iterdir())
        await here.no_faults()
        await here.start()

        for call in calls:
            await stands_once(here, call)
        assert left == []
        assert (await here.verdict()).intact


@pytest.mark.parametrize(
    ("fault", "database_url"),
    [
        ("reset_after", "sqlite"),
        ("503", "sqlite"),
        ("timeout_after", "sqlite"),
        ("timeout_after", "postgresql"),
    ],
    indirect=["database_url"],
)
async def test_lost_answers_are_looked_up_and_no_file_stands_twice(
    tmp_path: Path, database_url: str, fault: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.set(teams__graph_roles=KEEPING)
        await here.link()
        await here.start()
        calls = (*TO_TEAMS, *TO_SLACK)
        for call in calls:
            await here.fault(call, fault, times=1, seconds=4.0)

        await asyncio.gather(*(upload(here, call) for call in calls))

        for call in calls:
            await stands_once(here, call)


async def test_without_the_right_to_look_a_lost_answer_is_parked_and_told(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as here:
        await here.link()
        await here.set(teams__graph_roles=["Files.ReadWrite.All"])
        await here.start()
        await here.fault("teams.reply", "reset_after")

        await here.slack("upload", text="numbers", name="s.csv", content="a,b")

        await here.until(lambda s: "could not be fetched" in teams_copy(s, "numbers"))
        await here.quiet()
        state = await here.state()
        assert len([m for m in teams_messages(state) if "s.csv" in m["text"]]) == 2
        assert "bridge.file_failed" in {e.etype for e in await here.log()}
