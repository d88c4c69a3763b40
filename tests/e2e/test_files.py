"""Files cross both ways, beside the text and never in its way."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clamd_server import EICAR, ClamdServer
from tests.e2e.files import (
    KEEPING,
    base64,
    choose,
    decisions,
    in_drive,
    in_slack,
    kept,
    pictures,
    png,
    slack_copy,
    teams_copy,
)
from tests.e2e.world import World, slack_messages, teams_messages, world

NUMBERS = "a,b\n" * 1000


@asynccontextmanager
async def linked(home: Path, database: str = "", **more: str) -> AsyncIterator[World]:
    async with world(home, database or f"sqlite:///{home}/atom.db", **more) as made:
        await made.set(teams__graph_roles=KEEPING)  # before ATOM has a token
        await made.link()
        await made.start()
        yield made


@pytest.fixture
async def either(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """ATOM on either database."""
    async with linked(tmp_path, database_url) as made:
        yield made


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with linked(tmp_path) as made:
        yield made


@pytest.fixture
async def scanned(
    tmp_path: Path, database_url: str, own_clamd: ClamdServer
) -> AsyncIterator[World]:
    """ATOM on either database, with a scanner of its own."""
    more = {"ATOM_CLAMD_ADDRESS": own_clamd.path}
    async with linked(tmp_path, database_url, **more) as made:
        yield made


async def test_files_stand_in_the_threads_of_their_copies_on_both_sides(
    either: World,
) -> None:
    here = either
    await here.slack("upload", text="from Slack", name="s.csv", content=NUMBERS)
    await here.teams("upload", text="from Teams", name="t.csv", content=NUMBERS)

    state = await here.until(
        lambda s: (
            "t.csv (4 kB)" in slack_copy(s, "from Teams")
            and "in this thread" in slack_copy(s, "from Teams")
            and "s.csv (4 kB): in this thread" in teams_copy(s, "from Slack")
        )
    )
    await here.quiet()

    [copy] = [m for m in teams_messages(state) if "from Slack" in m["text"]]
    [file] = [m for m in teams_messages(state) if m["root"] == copy["id"] != m["id"]]
    [(name, content)] = [f for f in in_drive(here).items() if f[0].startswith("s-")]
    assert content == NUMBERS.encode()
    assert name in file["html"]
    [copy] = [m for m in slack_messages(state) if "from Teams" in m["text"]]
    [file] = [m for m in slack_messages(state) if m.get("thread_ts") == copy["ts"]]
    assert [one["name"] for one in file["files"]] == ["t.csv"]
    assert in_slack(here) == {"t.csv": NUMBERS.encode()}
    told = await decisions(here)
    assert [e.etype for e in told] == ["bridge.file_copied"] * 2
    assert {e.body["file"]["size"] for e in told} == {4000}
    assert all(len(e.body["file"]["sha256"]) == 64 for e in told)
    assert not any("http" in str(e.body["file"]) for e in told)
    content = NUMBERS.encode()
    assert await kept(here, 2) == {"s.csv": content, "t.csv": content}
    assert (await here.verdict()).intact


@pytest.mark.parametrize(
    "otherwise",
    [
        {},
        {"slack.event_files_have_urls": False},
        {"slack.file_share_has_bot_id": False, "slack.file_share_has_username": False},
    ],
    ids=["as is likely", "without addresses", "without whose they are"],
)
async def test_pictures_without_a_word_cross_both_ways_however_slack_tells_of_them(
    here: World, otherwise: Mapping[str, Any]
) -> None:
    await here.choose(otherwise)
    await here.slack("upload", name="cat.png", content_base64=base64(png()))
    await here.teams("upload", name="dog.png", pasted=True, media_type="image/png",
                     content_base64=base64(png(3, 3)))  # fmt: skip

    await here.until(
        lambda s: (
            "in this thread" in teams_copy(s, "cat.png")
            and slack_copy(s, "in this thread") != ""
        )
    )

    await here.quiet()
    assert len(slack_messages(await here.state())) == 3
    assert png() in pictures(here)
    # What a pasted picture was called Teams tells by one of its two ways alone.
    assert [*in_slack(here).values()] == [png(3, 3)]


async def test_a_broken_a_huge_and_an_infected_file_hold_nothing_up(
    scanned: World,
) -> None:
    here = scanned
    await here.fault("slack.download", "page", times=2)
    await here.fault("slack.download", "503", times=1)
    await here.slack(
        "upload",
        text="three files",
        files=[
            {"name": "one.txt", "content": "the first"},
            {"name": "two.iso", "content": "x", "size": 2_000_000_000},
            {"name": "three.com", "content": EICAR.decode()},
        ],
    )
    await here.fault("teams.download", "503", times=1)
    await here.teams(
        "upload",
        text="two files",
        files=[
            {"name": "four.txt", "content": "the fourth"},
            {"name": "five.com", "content": EICAR.decode()},
        ],
    )
    await here.slack("post", text="and on we talk")
    state = await here.until(lambda s: bool(teams_copy(s, "and on we talk")))
    assert "two.iso (2 GB): too large: open it in Slack" in teams_copy(state, "three")

    state = await here.until(
        lambda s: (
            "one.txt (9 bytes): in this thread" in teams_copy(s, "three files")
            and "refused: it contains a virus" in teams_copy(s, "three files")
            and "four.txt (10 bytes): in this thread" in slack_copy(s, "two files")
            and "refused: it contains a virus" in slack_copy(s, "two files")
        )
    )
    state = await here.until(lambda s: len(whispers(s)) == 2)
    await here.quiet()

    theirs = {"four.txt", "five.com"}
    kept = [content for name, content in in_drive(here).items() if name not in theirs]
    assert kept == [b"the first"]
    assert in_slack(here) == {"four.txt": b"the fourth"}
    [copy] = [m for m in teams_messages(state) if "three files" in m["text"]]
    [file] = [m for m in teams_messages(state) if m["root"] == copy["id"] != m["id"]]
    assert "one.txt" in file["text"]
    refused = [e for e in await decisions(here) if e.etype == "bridge.file_refused"]
    assert [e.body["file"]["detail"] for e in refused] == ["Eicar-Test.UNOFFICIAL"] * 2
    assert "Eicar" not in str(state)
    journal = await here.journal()
    downloads = [e for e in journal if (e["side"], e["call"]) == ("slack", "download")]
    assert not any("F02" in str(e["request"]) for e in downloads[4:])


def whispers(state: Mapping[str, Any]) -> list[str]:
    """Return what single people were told in Slack."""
    told = [w for t in state["slack"]["workspaces"] for w in t["ephemerals"]]
    return [w["text"] for w in told if "file" in w["text"]]


async def test_while_the_virus_scanner_is_away_files_wait_and_text_goes_on(
    scanned: World, own_clamd: ClamdServer
) -> None:
    here = scanned
    own_clamd.kill()
    await here.teams("upload", text="wait for it", name="t.csv", content=NUMBERS)
    await here.teams("post", text="and on we talk")
    state = await here.until(lambda s: bool(slack_copy(s, "and on we talk")))
    assert "on its way" in slack_copy(state, "wait for it")
    assert in_slack(here) == {}

    own_clamd.start()

    await here.until(lambda s: "in this thread" in slack_copy(s, "wait for it"))
    assert in_slack(here) == {"t.csv": NUMBERS.encode()}


async def test_what_the_links_owners_do_not_want_is_never_fetched(
    tmp_path: Path,
) -> None:
    # The record is no business of the link's owners; here nothing is kept for it.
    async with linked(tmp_path, ATOM_TUNING_KEPT_FILE_MB="0") as here:
        await choose(here, "files=link")
        await here.slack("upload", text="linked", name="s.csv", content=NUMBERS)
        await here.until(lambda s: "open it in Slack" in teams_copy(s, "linked"))
        await here.quiet()
        await choose(here, "files=block")
        await here.slack("upload", text="blocked", name="s.csv", content=NUMBERS)
        state = await here.until(
            lambda s: "not allowed here" in teams_copy(s, "blocked")
        )
        await here.quiet()

        shown, blocked = [m for m in teams_messages(state) if "s.csv" in m["text"]]
        assert "acme.slack.com/files/" in shown["html"]
        assert "slack.com" not in blocked["html"]
        assert [e.etype for e in await decisions(here)] == [
            "bridge.file_linked",
            "bridge.file_blocked",
        ]
        assert "download" not in {e["call"] for e in await here.journal()}


async def test_without_the_right_to_keep_files_they_stay_links(tmp_path: Path) -> None:
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as here:
        await here.link()
        await here.start()
        await here.slack("upload", text="numbers", name="s.csv", content=NUMBERS)
        await here.slack("upload", name="cat.png", content_base64=base64(png()))

        state = await here.until(
            lambda s: (
                "ATOM may not keep files here" in teams_copy(s, "numbers")
                and "in this thread" in teams_copy(s, "cat.png")
            )
        )

        told = [m for m in teams_messages(state) if "s.csv" in m["text"]]
        assert len(told) == 1
        assert "acme.slack.com/files/" in told[0]["html"]
        assert (list(in_drive(here)), pictures(here)) == ([], [png()])


async def test_a_large_file_is_never_in_memory_and_a_larger_one_is_cut_off(
    tmp_path: Path,
) -> None:
    async with linked(tmp_path) as here:
        await choose(here, "file_mb=64")
        part, times = "0123456789abcdef" * 1000, 4000  # 64 MB
        large = {"name": "l.bin", "content": part, "repeat": times}
        # Buffers of all threads grow to what they stay at, whatever comes then.
        await here.slack("upload", text="ample", **large | {"repeat": 500})
        await here.until(lambda s: "in this thread" in teams_copy(s, "ample"), 60)
        before = memory(here)

        await here.slack("upload", text="large", **large)
        await here.until(lambda s: "in this thread" in teams_copy(s, "large"), 90)
        await here.slack("upload", text="lie", **large | {"repeat": 4001, "size": 10})
        await here.until(lambda s: "too large" in teams_copy(s, "lie"), 90)

        # A whole file kept would be 56 MB more than the ample one; buffers are less.
        assert memory(here) - before < 48_000_000
        assert part.encode() * times in in_drive(here).values()
        assert not list((tmp_path / "crossing").iterdir())


def memory(here: World) -> int:
    """Return the most memory that ATOM ever had, in bytes."""
    assert here.process is not None
    status = Path(f"/proc/{here.process.process.pid}/status").read_text()
    [peak] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(peak.split()[1]) * 1024


async def test_files_go_with_their_messages_and_with_edits(either: World) -> None:
    here = either
    ts = await here.slack("upload", text="to go", name="s.csv", content=NUMBERS)
    message = await here.teams("upload", text="to stay", name="t.csv", content=NUMBERS)
    await here.until(
        lambda s: (
            "in this thread" in teams_copy(s, "to go")
            and "in this thread" in slack_copy(s, "to stay")
        )
    )
    [old] = [f.id for f in here.sandbox.teams.files.values() if f.name == "t.csv"]

    await here.slack("delete", ts=ts)
    await here.teams("edit", message=message, text="to stay", drop_files=[old],
                     files=[{"name": "new.csv", "content": "new"}])  # fmt: skip

    state = await here.until(
        lambda s: (
            "new.csv" in (text := slack_copy(s, "to stay")) and "t.csv" not in text
        )
    )
    await here.until(lambda _: in_slack(here) == {"new.csv": b"new"})
    await here.until(lambda _: not [n for n in in_drive(here) if n.startswith("s-")])
    await here.quiet()
    state = await here.state()
    assert teams_copy(state, "to go") == teams_copy(state, "s.csv") == ""
    assert (await here.verdict()).intact


async def test_a_file_that_was_deleted_in_slack_goes_from_teams(here: World) -> None:
    await here.slack("upload", text="numbers", name="s.csv", content=NUMBERS)
    await here.until(lambda s: "in this thread" in teams_copy(s, "numbers"))
    [file] = here.sandbox.slack.files

    await here.slack("delete_file", file=file)

    await here.until(lambda s: len(teams_messages(s)) == 1 and not in_drive(here))
    await here.until(lambda s: "s.csv" not in teams_copy(s, "numbers"))
