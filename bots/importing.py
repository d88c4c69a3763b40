"""Imports of what Slack and Teams exported: from a file to events, from those to the log."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from bots.core import Core
from bots.slack.exported import Place, Reader
from bots.teams.exported import Reader as TeamsReader
from bots.teams.exported import messages_in
from bridge.compliance import Duty, Officer
from bridge.errors import BadInput
from bridge.messages import Event, Platform
from storage.compliance.acts import Act
from storage.compliance.imports.archive import Archive, opened, parsed, shown
from storage.compliance.imports.recording import Counts, Recording
from storage.hot import Statement

_LISTS = {
    "channels.json": "channel",
    "groups.json": "private",
    "mpims.json": "group",
    "dms.json": "direct",
}
_MOST_JSON = 2 * 1024 * 1024 * 1024
_CHUNK = 1024 * 1024
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    counts: Counts
    sha256: str
    files: int


@dataclass(slots=True)
class _Files:
    """Counts the files that were read."""

    read: int = field(default=0)


async def import_slack(
    built: Core, tenant: str, path: Path, wish: "Wish", progress: Progress
) -> Imported:
    """Take a Slack export's zip into the record. Raises `BadInput` or `Refused`."""
    await built.duties.require(tenant, wish.officer, Duty.RETAIN)
    with opened(path) as archive:
        account = wish.account or _team_in(archive)
        account = account or await _only_account(built, tenant, Platform.SLACK)
        files = _Files()
        events = _slack_events(archive, account, files)
        done = _Import(built, tenant, path, wish)
        return await done.recorded(events, files, progress)


async def import_teams(
    built: Core, tenant: str, path: Path, wish: "Wish", progress: Progress
) -> Imported:
    """Take Graph's JSON of chat messages, alone or in a zip, into the record."""
    await built.duties.require(tenant, wish.officer, Duty.RETAIN)
    account = wish.account or await _only_account(built, tenant, Platform.TEAMS)
    teams = await _teams(built, account)
    known = built.settings.teams
    reader = TeamsReader(account, str(known.app_id) if known else "", teams)
    files, done = _Files(), _Import(built, tenant, path, wish)
    if path.suffix.lower() != ".zip":
        events = _teams_events([_single(path)], reader, files)
        return await done.recorded(events, files, progress)
    with opened(path) as archive:
        named = (n for n in archive.names if n.lower().endswith((".json", ".jsonl")))
        values = (archive.json(name) for name in named)
        events = _teams_events(values, reader, files)
        return await done.recorded(events, files, progress)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who imports, and how. Without an `account` it is the company's only one."""

    officer: Officer
    account: str = ""
    dry: bool = False


@dataclass(frozen=True, slots=True)
class _Import:
    """One import of one file."""

    built: Core
    tenant: str
    path: Path
    wish: Wish

    async def recorded(
        self, events: Iterator[Event], files: _Files, progress: Progress
    ) -> Imported:
        built, tenant = self.built, self.tenant
        digest = _digest(self.path)
        recording = Recording(built.database.hot, built.journal, tenant)
        counts = await recording.take(events, progress, dry=self.wish.dry)
        if not self.wish.dry:
            detail: Mapping[str, Any] = {"sha256": digest, **counts.as_json()}
            name = shown(self.path.name)
            text = f"imported {counts.new} of {counts.read} events from {name}"
            officer = self.wish.officer.name
            await built.acts.note(Act(tenant, "import.run", officer, text, detail))
        return Imported(counts, digest, files.read)


def _slack_events(archive: Archive, account: str, files: _Files) -> Iterator[Event]:
    people = {
        user["id"]: user
        for name in ("users.json", "org_users.json")
        for user in _listed(archive, name)
        if isinstance(user.get("id"), str)
    }
    reader = Reader(account, people)
    places = _places(archive)
    if not places:
        raise BadInput("this is no Slack export: it lists no channels")
    for folder, place in sorted(places.items()):
        yield reader.place(place)
        for name in archive.names:
            if name.rpartition("/")[0] != folder or not name.endswith(".json"):
                continue
            files.read += 1
            value = archive.json(name)
            if not isinstance(value, list):
                raise BadInput(f"'{shown(name)}' is no list of messages")
            for message in value:
                if isinstance(message, dict):
                    yield from reader.events(place, message)


def _places(archive: Archive) -> dict[str, Place]:
    """Return the conversations by their folders; chats' folders are their ids."""
    found: dict[str, Place] = {}
    prefix = _prefix(archive)
    for name, kind in _LISTS.items():
        for listed in _listed(archive, name):
            told, id_ = listed.get("name"), listed.get("id")
            if not isinstance(id_, str) or not id_:
                continue
            called = told if isinstance(told, str) else ""
            made = listed.get("created")
            created = made if isinstance(made, int) and 0 <= made < 1 << 33 else 0
            for folder in filter(None, (called, id_)):
                place = Place(id_, called, kind, created)
                found.setdefault(f"{prefix}{folder}", place)
    used = {name.rpartition("/")[0] for name in archive.names}
    return {folder: place for folder, place in found.items() if folder in used}


def _listed(archive: Archive, name: str) -> Iterator[dict[str, Any]]:
    path = f"{_prefix(archive)}{name}"
    if path not in archive.names:
        return
    value = archive.json(path)
    if not isinstance(value, list):
        raise BadInput(f"'{name}' is no list")
    yield from (each for each in value if isinstance(each, dict))


def _prefix(archive: Archive) -> str:
    """Return the folder that all is in: some zip the folder, ATOM's own do."""
    found = (n for n in archive.names if n.rpartition("/")[2] == "channels.json")
    return next(found, "channels.json")[: -len("channels.json")]


def _team_in(archive: Archive) -> str:
    for user in _listed(archive, "users.json"):
        if isinstance(user.get("team_id"), str) and user["team_id"]:
            return str(user["team_id"])
    return ""


def _teams_events(
    values: Iterator[Any] | list[Any], reader: TeamsReader, files: _Files
) -> Iterator[Event]:
    messages = 0
    for value in values:
        files.read += 1
        for message in messages_in(value):
            messages += 1
            yield from reader.events(message)
    if not messages:
        raise BadInput("there are no chat messages of Microsoft Graph's in it")


def _single(path: Path) -> Any:
    try:
        if path.stat().st_size > _MOST_JSON:
            raise BadInput(f"{path} is too large to be read at once: give a zip")
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read") from error
    return parsed(data, path.name)


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


async def _only_account(built: Core, tenant: str, platform: Platform) -> str:
    owned = await built.companies.accounts(tenant)
    ids = [one.id for one in owned if one.platform is platform]
    if len(ids) != 1:
        raise BadInput(
            f"which {platform} account is it from? Say so with --account, such as "
            f"--account {ids[0] if ids else 'ID'}"
        )
    return ids[0]


async def _teams(built: Core, account: str) -> dict[str, str]:
    """Return the teams' own ids by those of their groups, as far as they are known."""
    rows = await built.database.hot.fetch(
        Statement(
            "SELECT group_id, team FROM place WHERE account = :account "
            "AND group_id <> '' AND channel = ''",
            {"account": account},
        )
    )
    return dict(rows)
