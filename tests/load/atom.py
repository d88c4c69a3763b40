"""ATOM as it is measured: as people install it, with fifty linked channels."""

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from bots.core import core
from bots.settings import Settings
from bridge.messages import Channel, Platform
from bridge.places import Place
from storage.database import opened
from storage.database_url import database_url
from storage.hot import Insert, Program, Statement, Step
from tests.load.processes import Server, running
from tests.load.traffic import CHANNELS, SECRET, WORKSPACE, channel
from tests.servers import Postgres, free_port

_COMPANY = "acme"
_TENANT = "7e4a4700-0000-4000-8000-000000000001"
_TEAM = "19:acme@thread.tacv2"
_GROUP = "6a1c0de5-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class Atom:
    """
    Starts fresh ATOMs that are alike: company, accounts and links are there already.

    `database` lends a copy of the prepared database, given a copy of the prepared
    home. `settings` are environment variables that differ from the usual ones.
    """

    home: Path
    sink: int
    database: Callable[[Path], AbstractContextManager[str]]
    settings: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def started(self) -> Iterator[Server]:
        """Run a fresh ATOM."""
        with self.team(1) as team:
            yield team.servers[0]

    @contextmanager
    def team(self, count: int) -> Iterator["Team"]:
        """Run several processes of a fresh ATOM on one database."""
        with ExitStack() as stack:
            folder = stack.enter_context(TemporaryDirectory(prefix="atom-bench-"))
            home = Path(folder) / "home"
            shutil.copytree(self.home, home)
            url = stack.enter_context(self.database(home))
            team = Team(home, url, [])
            for _ in range(count):
                port = free_port()
                usual = _environment(home, url, port, self.sink)
                command, environment = (
                    ["-m", "bots", "serve"],
                    {**usual, **self.settings},
                )
                server = stack.enter_context(running(command, port, environment))
                team.servers.append(server)
            yield team


@dataclass(frozen=True, slots=True)
class Team:
    """Processes that share a home folder and a database."""

    home: Path
    url: str
    servers: list[Server]

    def resume(self) -> None:
        """Let every link carry, as `atom resume` would."""
        asyncio.run(self._resume())

    async def _resume(self) -> None:
        now = time.time_ns() // 1000
        change = Statement(
            "UPDATE link SET state = 'active', changed_us = :now", {"now": now}
        )
        async with opened(database_url(self.url)) as database:
            await database.hot.run(lambda: _each([change]))


@contextmanager
def on_sqlite(
    sink: int, *, links: int = len(CHANNELS), state: str = "active"
) -> Iterator[Atom]:
    with TemporaryDirectory(prefix="atom-bench-") as folder:
        home = Path(folder)
        asyncio.run(_prepare(home, f"sqlite:///{home}/atom.db", sink, links, state))

        @contextmanager
        def copied(own: Path) -> Iterator[str]:
            yield f"sqlite:///{own}/atom.db"

        yield Atom(home, sink, copied)


@contextmanager
def on_postgres(
    server: Postgres, sink: int, *, links: int = len(CHANNELS), state: str = "active"
) -> Iterator[Atom]:
    with TemporaryDirectory(prefix="atom-bench-") as folder, server.database() as url:
        home, template = Path(folder), url.rpartition("/")[2]
        asyncio.run(_prepare(home, url, sink, links, state))

        def copied(_own: Path) -> AbstractContextManager[str]:
            return server.database(template)

        yield Atom(home, sink, copied)


def sqlite_settings() -> str:
    return f"SQLite {sqlite3.sqlite_version}, WAL, synchronous=FULL"


def postgres_settings(server: Postgres) -> str:
    """Return the version and what decides whether a commit is on the disk."""
    names = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
    found = asyncio.run(_shown(server.url(), names))
    return "PostgreSQL " + ", ".join(
        found[name] if name == "server_version" else f"{name}={found[name]}"
        for name in names
    )


async def _shown(url: str, names: tuple[str, ...]) -> dict[str, str]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return {name: await connection.fetchval(f"SHOW {name}") for name in names}
    finally:
        await connection.close()


async def _prepare(home: Path, url: str, sink: int, links: int, state: str) -> None:
    """Do what `atom setup`, the installs and `/atom link` would do."""
    settings = Settings.model_validate({"home": home, "database_url": url})
    async with core(settings, "bench") as built:
        await built.companies.create(_COMPANY, "Acme", "admin@acme.example")
        built.keys.create(_COMPANY)
        await built.companies.bind(_COMPANY, Platform.SLACK, WORKSPACE, "Acme")
        await built.companies.bind(_COMPANY, Platform.TEAMS, _TENANT, "Acme")
        service_url = f"http://127.0.0.1:{sink}/teams/connector/"
        team = Place(_TENANT, _TEAM, "", service_url, "Acme", group_id=_GROUP)
        await built.places.remember(team)
        # One by one, each would look at all that are there: a minute for thousands.
        rows = _linked(range(links), state, service_url)
        await built.database.hot.run(lambda: _each(rows))


def _linked(numbers: range, state: str, service_url: str) -> list[Step]:
    """Return the rows of links from a Slack channel to a Teams channel each."""
    links, ends, places = [], [], []
    usual = {"tenant": _COMPANY, "created_by": "bench", "created_us": 1}
    for n in numbers:
        name, target = f"L{n:05}", f"19:bench{n:02}@thread.tacv2"
        links.append(usual | {"id": name, "state": state, "changed_us": n})
        source = Channel(Platform.SLACK, WORKSPACE, channel(n))
        for position, end in enumerate(
            (source, Channel(Platform.TEAMS, _TEAM, target))
        ):
            ends.append(
                {"tenant": _COMPANY, "link": name, "position": position}
                | {"channel": str(end)}
            )
        places.append(
            {"account": _TENANT, "team": _TEAM, "channel": target}
            | {"service_url": service_url, "name": f"Bench {n}", "group_id": ""}
            | {"kind": "standard", "updated_us": 1}
        )
    return [
        Insert("link", links),
        Insert("link_channel", ends),
        Insert("place", places),
    ]


def _each(steps: Sequence[Step]) -> Program[None]:
    for step in steps:  # noqa: UP028 - a tuple cannot be sent rows
        yield step


def _environment(home: Path, url: str, port: int, sink: int) -> dict[str, str]:
    base = f"http://127.0.0.1:{sink}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ATOM_")}
    return kept | {
        "ATOM_CONFIG": os.devnull,
        "ATOM_HOME": str(home),
        "ATOM_HOST": "127.0.0.1",
        "ATOM_PORT": str(port),
        "ATOM_DATABASE_URL": url,
        "ATOM_SLACK_SIGNING_SECRET": SECRET,
        "ATOM_SLACK_BOT_TOKEN": "xoxb-sandbox-bench",
        "ATOM_SLACK_API_URL": f"{base}/slack/api/",
        "ATOM_TEAMS_APP_ID": "6f2d0f8a-0d0e-4f0e-9d51-2f6b7c1f1a02",
        "ATOM_TEAMS_APP_PASSWORD": "sandbox-bench",
        "ATOM_TEAMS_TENANT_ID": _TENANT,
        "ATOM_TEAMS_OPENID_URL": f"{base}/teams/openid",
        "ATOM_TEAMS_TOKEN_URL": f"{base}/teams/token",
        "ATOM_TEAMS_GRAPH_URL": f"{base}/teams/graph",
        # The sink takes whatever comes: ATOM is measured, not the platforms.
        "ATOM_TUNING_TEAMS_CHANNEL_LIMIT": "none",
        "ATOM_TUNING_TEAMS_TENANT_LIMIT": "none",
        "ATOM_TUNING_SLACK_CHANNEL_LIMIT": "none",
        "ATOM_TUNING_SLACK_WORKSPACE_LIMIT": "none",
        "ATOM_TUNING_SLACK_METHOD_LIMIT": "none",
        # Counted as ever, and never too many.
        "ATOM_TUNING_EDITS": "1000000/60",
    }
