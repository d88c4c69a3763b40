"""ATOM as it is measured: as people install it, with fifty linked channels."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

from bots.core import core
from bots.settings import Settings
from bridge.messages import Channel, Platform
from bridge.places import Place
from tests.load.processes import Server, running
from tests.load.traffic import CHANNELS, SECRET, WORKSPACE
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
    home.
    """

    home: Path
    sink: int
    database: Callable[[Path], AbstractContextManager[str]]

    @contextmanager
    def started(self) -> Iterator[Server]:
        """Run a fresh ATOM."""
        with TemporaryDirectory(prefix="atom-bench-") as folder:
            home = Path(folder) / "home"
            shutil.copytree(self.home, home)
            with self.database(home) as url:
                port = free_port()
                environment = _environment(home, url, port, self.sink)
                with running(["-m", "bots", "serve"], port, environment) as server:
                    yield server


@contextmanager
def on_sqlite(sink: int, *, linked: bool) -> Iterator[Atom]:
    with TemporaryDirectory(prefix="atom-bench-") as folder:
        home = Path(folder)
        asyncio.run(_prepare(home, f"sqlite:///{home}/atom.db", sink, linked=linked))

        @contextmanager
        def copied(own: Path) -> Iterator[str]:
            yield f"sqlite:///{own}/atom.db"

        yield Atom(home, sink, copied)


@contextmanager
def on_postgres(server: Postgres, sink: int, *, linked: bool) -> Iterator[Atom]:
    with TemporaryDirectory(prefix="atom-bench-") as folder, server.database() as url:
        home, template = Path(folder), url.rpartition("/")[2]
        asyncio.run(_prepare(home, url, sink, linked=linked))

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


async def _prepare(home: Path, url: str, sink: int, *, linked: bool) -> None:
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
        for n, name in enumerate(CHANNELS if linked else ()):
            target = Channel(Platform.TEAMS, _TEAM, f"19:bench{n:02}@thread.tacv2")
            place = Place(_TENANT, _TEAM, target.id, service_url, f"Bench {n}")
            await built.places.remember(place)
            source = Channel(Platform.SLACK, WORKSPACE, name)
            await built.links.add(_COMPANY, (source, target), "bench")


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
    }
