"""
What is asked for every message leaves the months alone that cannot have an answer.

Those months are locked here: whoever plans to look into one of them waits for the lock.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bridge.delivery import Delivery
from bridge.links import Link
from bridge.messages import EventKind
from bridge.reactions import Spot
from storage.compliance.keys import KeyFile
from storage.database import opened
from storage.database_url import database_url
from storage.migrate import ensure_partitions, upgrade
from storage.reactions import LoggedReactions
from tests.contract.conftest import TENANT, Store, assemble
from tests.contract.letters import said
from tests.events import FALCON, PROJECT, words
from tests.servers import Postgres

_PATIENCE = 60  # seconds, for a machine that is busy; a lock would last for ever
_LONG_AGO = datetime.now(UTC) - timedelta(days=200)
_NOW = f"{datetime.now(UTC).timestamp():.6f}"
_MONTHS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent IN
('log'::regclass, 'outbox'::regclass, 'attempt'::regclass)
"""


@pytest.fixture
async def url(postgres: Postgres) -> AsyncIterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
async def store(url: str, tmp_path: Path) -> AsyncIterator[Store]:
    keys = KeyFile.under(tmp_path)
    keys.create(TENANT)
    async with opened(database_url(url)) as database:
        await upgrade(database.engine)
        old = int(_LONG_AGO.timestamp()) * 1_000_000
        await ensure_partitions(database.engine, old)
        yield assemble(database, keys, "one")


@pytest.fixture
async def link(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), "slack:U01ALICE")


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Hold locks on that old month of every partitioned table."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        async with connection.transaction():
            names = [row[0] for row in await connection.fetch(_MONTHS)]
            old = [n for n in names if n.endswith(f"{_LONG_AGO:_%Y_%m}")]
            assert len(old) == 3
            for name in old:
                await connection.execute(f"LOCK TABLE {name}")
            yield
    finally:
        await connection.close()


async def newest(store: Store, first: int) -> list[Delivery]:
    size = (await store.queue.sizes())[TENANT]
    return await store.queue.newer(TENANT, first, size, range(256))


async def test_a_message_and_its_edit_look_into_no_month_before_it(
    store: Store, link: Link, url: str
) -> None:
    other = store.another_process("two")
    await said(store, link, "1700000000.000100")
    await newest(other, 0)  # the first look cannot know how old things are

    async with asyncio.timeout(_PATIENCE), locked(url):
        at = await said(store, link, _NOW, document=words("old"))
        edit: dict[str, Any] = {"kind": EventKind.MESSAGE_EDIT, "version_us": 5}
        await said(store, link, _NOW, document=words("new"), **edit)

        post, change = await newest(other, at)
        told = await other.ledger.history(post)
        await other.ledger.history(change)

    assert told.document == words("new")


async def test_a_reaction_looks_into_no_month_before_its_message(
    store: Store, link: Link, url: str
) -> None:
    spot = Spot(FALCON, _NOW)
    async with asyncio.timeout(_PATIENCE), locked(url):
        at = await said(store, link, _NOW)

        told = await LoggedReactions(store.reader).told(TENANT, spot, [spot], spot)
        entry = await store.reader.entry(TENANT, at, _NOW)

    assert told.story is not None
    assert entry is not None
    assert entry.body["text"] == "hello"


async def test_what_was_said_in_an_earlier_month_is_found(
    store: Store, link: Link
) -> None:
    long_ago = f"{_LONG_AGO.timestamp():.6f}"
    store.journal.clock = lambda: int(_LONG_AGO.timestamp()) * 1_000_000
    at = await said(store, link, long_ago)
    other = store.another_process("two")

    [entry] = await other.reader.revisions(TENANT, FALCON.id, long_ago)

    assert entry.seq == at


async def test_what_was_captured_by_a_clock_far_behind_is_found_all_the_same(
    store: Store, link: Link
) -> None:
    store.journal.clock = lambda: int(_LONG_AGO.timestamp()) * 1_000_000
    at = await said(store, link, _NOW)
    spot = Spot(FALCON, _NOW)

    reader = store.another_process("two").reader
    [entry] = await reader.revisions(TENANT, FALCON.id, _NOW)
    told = await LoggedReactions(reader).told(TENANT, spot, [spot], spot)

    assert entry.seq == at
    assert told.story is not None
    assert (await reader.entry(TENANT, at, _NOW)) is not None
