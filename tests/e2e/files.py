"""What tests of files share: pictures, and what stands on either side."""

import asyncio
import struct
import zlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from bots.core import core
from storage.log_reader import LogEntry
from tests.e2e.world import COMPANY, World, slack_messages, teams_messages

KEEPING = ["Group.Selected", "Files.ReadWrite.All"]


def png(width: int = 2, height: int = 2) -> bytes:
    """Return a black picture."""

    def part(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes(width)) * height)
    parts = part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def base64(content: bytes) -> str:
    return b64encode(content).decode()


def in_drive(here: World) -> dict[str, bytes]:
    """Return what lies in the teams' folders, by name."""
    files = here.sandbox.teams.files.values()
    return {file.name: file.content for file in files if not file.pasted}


def pictures(here: World) -> list[bytes]:
    return [f.content for f in here.sandbox.teams.files.values() if f.pasted]


def in_slack(here: World) -> dict[str, bytes]:
    """Return the files that the bot shares in Slack, by name."""
    files = here.sandbox.slack.files.values()
    ours = [f for f in files if f.shares and not f.deleted and f.user == "UATOM"]
    return {file.name: file.content or b"" for file in ours}


def slack_copy(state: Mapping[str, Any], says: str) -> str:
    """Return the text of the first message in Slack that says so, or nothing."""
    return next((m["text"] for m in slack_messages(state) if says in m["text"]), "")


def teams_copy(state: Mapping[str, Any], says: str) -> str:
    return next((m["text"] for m in teams_messages(state) if says in m["text"]), "")


async def decisions(here: World) -> list[LogEntry]:
    """Return what the log says of files, oldest first."""
    entries = await here.log()
    return [e for e in entries if e.etype.startswith("bridge.file_") and named(e)]


def named(entry: LogEntry) -> bool:
    return bool((entry.body.get("file") or {}).get("key"))


async def choose(here: World, words: str) -> None:
    """Let the channel's admin choose, as admins do."""
    await here.slack("command", command="/atom", args=f"options {words}")


async def kept(here: World, count: int) -> dict[str, bytes]:
    """Wait until so many files are on record; return the bytes of those kept."""
    async with core(here.settings, "test") as built, asyncio.timeout(60):
        while True:
            entries = await built.log.entries(COMPANY, -1, 10_000)
            shared = [e.body["file"] for e in entries if e.etype == "file.share"]
            if len(shared) >= count:
                break
            await asyncio.sleep(0.05)
        return {
            file["name"]: b"".join(
                [part async for part in built.blobs.read(COMPANY, file["blob"])]
            )
            for file in shared
            if file["blob"]
        }
