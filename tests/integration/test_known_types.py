"""Connections know PostgreSQL's own arrays, and are right about them."""

import asyncpg
import pytest
from sqlalchemy.dialects import postgresql

from storage.known_types import ARRAYS, Connection
from storage.tables import metadata
from tests.servers import Postgres


async def connected(postgres: Postgres, kind: type[asyncpg.Connection]) -> Connection:
    everything = {"log_statement": "all"}
    made: Connection = await asyncpg.connect(
        postgres.url(), timeout=20, connection_class=kind, server_settings=everything
    )
    return made


async def test_what_is_known_is_what_the_server_says(postgres: Postgres) -> None:
    names = [name for _, name, _ in ARRAYS]
    connection = await connected(postgres, asyncpg.Connection)
    try:
        rows = await connection.fetch(
            "SELECT oid, typname, typelem FROM pg_type WHERE typdelim = ','"
            " AND typnamespace = 'pg_catalog'::regnamespace AND typname = ANY($1)"
            " ORDER BY oid",
            names,
        )
    finally:
        await connection.close()

    assert [tuple(row) for row in rows] == list(ARRAYS)


async def test_every_type_of_a_table_has_a_known_array(postgres: Postgres) -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    types = {
        column.type.compile(dialect=dialect)
        for table in metadata.tables.values()
        for column in table.columns
    }
    connection = await connected(postgres, asyncpg.Connection)
    try:
        texts = [f"{each}[]" for each in sorted(types)]
        numbers = await connection.fetch(
            "SELECT t, t::regtype::oid AS number FROM unnest($1::text[]) t", texts
        )
    finally:
        await connection.close()

    known = {number for number, _, _ in ARRAYS}
    assert [row["t"] for row in numbers if row["number"] not in known] == []


@pytest.mark.parametrize(("kind", "asks"), [(asyncpg.Connection, 2), (Connection, 0)])
async def test_nothing_known_is_asked_for(
    postgres: Postgres, kind: type[asyncpg.Connection], asks: int
) -> None:
    before = asked(postgres)
    connection = await connected(postgres, kind)
    try:
        given = [True], [b"x"], [1], [2], ["t"], ["v"], [3], [0.5]
        [row] = await connection.fetch(
            "SELECT $1::bool[], $2::bytea[], $3::int2[], $4::int4[], $5::text[],"
            " $6::varchar[], $7::int8[], $8::float8[]",
            *given,
        )
        [rows] = await connection.fetch("SELECT ARRAY(SELECT ROW(1::int8, 'x'::text))")
    finally:
        await connection.close()

    assert tuple(row) == given
    assert [tuple(each) for each in rows[0]] == [(1, "x")]
    assert asked(postgres) - before == asks


async def test_of_what_is_not_known_the_server_is_asked(postgres: Postgres) -> None:
    connection = await connected(postgres, Connection)
    try:
        assert await connection.fetchval("SELECT $1::date[] = '{}'", []) is True
        assert await connection.fetchval("SELECT ARRAY[1.5::numeric]::text[]") == [
            "1.5"
        ]
    finally:
        await connection.close()


def asked(postgres: Postgres) -> int:
    """Return how often asyncpg has asked this server what a type is."""
    told = (postgres.folder / "server.log").read_text(errors="replace")
    return told.count("WITH RECURSIVE typeinfo_tree")
