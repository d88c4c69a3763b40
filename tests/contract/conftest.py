"""Every adapter of a storage port, on every database."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from storage.companies import StoredCompanies
from storage.compliance.keys import KeyFile, Keyring
from storage.copies import StoredCopies
from storage.database import Database, opened
from storage.database_url import database_url as parsed
from storage.dead_letters import StoredDeadLetters
from storage.journal import Journal
from storage.ledger import StoredLedger
from storage.links import StoredLinks
from storage.log_reader import LogReader
from storage.migrate import upgrade
from storage.outbox import Outbox, StoredShards
from storage.status import StoredHealth
from tests.databases import migrated_sqlite, migrated_template
from tests.servers import Postgres

TENANT = "acme"
PATIENCE = 60.0  # seconds that a journal waits for a busy machine's database


@dataclass
class Store:
    """Everything that stands on one database."""

    database: Database
    keys: KeyFile
    journal: Journal
    reader: LogReader
    queue: Outbox
    shards: StoredShards
    ledger: StoredLedger
    copies: StoredCopies
    links: StoredLinks
    companies: StoredCompanies
    health: StoredHealth
    letters: StoredDeadLetters
    ring: Keyring

    def another_process(self, name: str) -> "Store":
        """Return what a second process on the same database would hold."""
        return assemble(self.database, KeyFile(self.keys.folder), name)


def assemble(database: Database, keys: KeyFile, owner: str) -> Store:
    hot, clock = database.hot, ticking_clock()
    ring = Keyring(hot, keys)
    journal = Journal(hot, ring, clock, patience=PATIENCE, owner=owner)
    reader = LogReader(hot, ring)
    copies = StoredCopies(hot)
    links = StoredLinks(hot, journal, ring, clock)
    queue = Outbox(hot)
    return Store(
        database,
        keys,
        journal,
        reader,
        queue,
        StoredShards(hot, owner, lease_us=10_000_000),
        StoredLedger(journal, reader, copies, owner, clock),
        copies,
        links,
        StoredCompanies(database.engine, clock),
        StoredHealth(hot, links, clock),
        StoredDeadLetters(hot, journal, queue, clock),
        ring,
    )


def ticking_clock() -> Callable[[], int]:
    """A clock that never stands still, so that caches of moments pass."""
    start, ticks = time.time_ns() // 1000, count()
    return lambda: start + 300_000 * next(ticks)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database, which may have its tables already."""
    if request.param == "sqlite":
        yield migrated_sqlite(tmp_path)
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(migrated_template(server)) as url:
        yield url


@pytest.fixture
async def store(database_url: str, tmp_path: Path) -> AsyncIterator[Store]:
    keys = KeyFile.under(tmp_path)
    keys.create(TENANT)
    async with opened(parsed(database_url)) as database:
        await upgrade(database.engine)
        yield assemble(database, keys, "one")
