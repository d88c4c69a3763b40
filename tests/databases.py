"""
Databases that have every table already, for tests that are not about making them.

Migrations take most of a short test's time. They run once a server, and each test
gets a copy of what they made.
"""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from storage.database import opened
from storage.database_url import database_url
from storage.migrate import upgrade
from tests.servers import Postgres

_templates: dict[int, str] = {}


def migrated_template(server: Postgres) -> str:
    """Return a database to make others from; of the server's port there is one."""
    if server.port not in _templates:
        name = server.create_database()
        _migrate(server.url(name))
        _templates[server.port] = name
    return _templates[server.port]


def migrated_sqlite(folder: Path) -> str:
    """Return the URL of a new SQLite database in a folder, with every table."""
    file = folder / "atom.db"
    file.write_bytes(_migrated_sqlite())
    return f"sqlite:///{file}"


def with_tables(home: Path) -> None:
    """Let a home have a database with every table, unless it has one."""
    if not (home / "atom.db").exists():
        migrated_sqlite(home)


@cache
def _migrated_sqlite() -> bytes:
    with tempfile.TemporaryDirectory(prefix="atom-sqlite-") as folder:
        file = Path(folder) / "atom.db"
        _migrate(f"sqlite:///{file}")
        return file.read_bytes()


def _migrate(url: str) -> None:
    async def migrated() -> None:
        async with opened(database_url(url)) as database:
            await upgrade(database.engine)

    # Whoever asks may have a loop of its own running.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrated()).result()
