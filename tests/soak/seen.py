"""What stands in the sandbox, in the model's words."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from bots.sandbox.slack.model import Message as SlackMessage
from bots.sandbox.teams.model import Message as TeamsMessage
from bots.sandbox.world import World as Outside
from storage.log_reader import LogEntry
from tests.e2e.world import FALCON, PROJECT
from tests.soak.model import Brought, Copy, Seen, Side

_BOT = "UATOM"
_TEXT = re.compile(r"m(\d{5}) r\d+")
_FILE = re.compile(r"f(\d{5})\.txt")
_IN_DRIVE = re.compile(r"/(f(\d{5})-[0-9a-f]+\.txt)#")
_COUNT = re.compile(r"(\S+) (\d+)")
_NOTHING: Mapping[str, int] = MappingProxyType({})


def seen(outside: Outside, entries: list[LogEntry]) -> Seen:
    """Read both channels as they are now."""
    return Seen(
        {
            Side.SLACK: [*_copies_in_slack(outside)],
            Side.TEAMS: [*_copies_in_teams(outside)],
        },
        {m.ts: _ours(m) for m in slack_messages(outside)},
        {
            (Side(entry.row["platform"]), str(entry.row["msg"])): entry.seq
            for entry in reversed(entries)
            if entry.etype == "message.create"
        },
        _shared(entries),
        {
            Side.SLACK: [*_files_in_slack(outside)],
            Side.TEAMS: [*_files_in_teams(outside)],
        },
    )


def _shared(entries: list[LogEntry]) -> list[frozenset[int]]:
    """Return what was brought across in one, by the words of the log."""
    found: dict[str, set[int]] = {}
    for entry in entries:
        shares = entry.etype == "bridge.delivered" and "segment" in entry.body
        if shares and (text := _TEXT.search(entry.body["text"])):
            found.setdefault(str(entry.row["msg"]), set()).add(int(text[1]))
    return [frozenset(numbers) for numbers in found.values()]


def slack_messages(outside: Outside) -> list[SlackMessage]:
    messages = outside.slack.channels[FALCON.id].messages.values()
    return [
        message
        for message in messages
        if not message.deleted and message.body.get("subtype") != "tombstone"
    ]


def teams_messages(outside: Outside) -> list[TeamsMessage]:
    messages = outside.teams.channels[PROJECT.id].messages.values()
    return [message for message in messages if not message.deleted]


def _copies_in_slack(outside: Outside) -> Iterator[Copy]:
    for message in slack_messages(outside):
        found = _TEXT.search(str(message.body.get("text", "")))
        if message.body.get("bot_id") and found:
            place = tuple(int(part) for part in message.ts.split("."))
            yield Copy(
                int(found[1]),
                found[0],
                message.ts,
                message.root,
                place,
                _NOTHING,
                _ours(message),
            )


def _copies_in_teams(outside: Outside) -> Iterator[Copy]:
    for message in teams_messages(outside):
        html = message.content.html
        for place, found in enumerate(_TEXT.finditer(html) if message.by_bot else ()):
            yield Copy(
                int(found[1]),
                found[0],
                message.id,
                "" if message.is_root else message.root,
                (int(message.id), place),
                _line(html),
                frozenset(),
            )


def _files_in_slack(outside: Outside) -> Iterator[Brought]:
    for file in outside.slack.files.values():
        found = _FILE.fullmatch(file.name)
        if file.user != _BOT or file.deleted or not found:
            continue
        for channel, ts in file.shares:
            message = outside.slack.channels[channel].messages[ts]
            if not message.deleted:
                content = (file.content or b"").decode()
                yield Brought(int(found[1]), message.root, content)


def _files_in_teams(outside: Outside) -> Iterator[Brought]:
    contents = {file.name: file.content for file in outside.teams.files.values()}
    for message in teams_messages(outside):
        for name, n in _IN_DRIVE.findall(
            message.content.html if message.by_bot else ""
        ):
            yield Brought(int(n), message.root, contents.get(name, b"").decode())


def _ours(message: SlackMessage) -> frozenset[str]:
    return frozenset(name for name, who in message.reactions.items() if _BOT in who)


def _line(html: str) -> Mapping[str, int]:
    """Return what the line below a copy counts."""
    last = html.rpartition("<p>")[2].removesuffix("</p>")
    if _TEXT.search(last):
        return {}
    return {name: int(count) for name, count in _COUNT.findall(last)}
