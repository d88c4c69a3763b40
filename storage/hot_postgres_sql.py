"""
The hot path's steps as PostgreSQL reads them: numbered parameters, one statement each.

A statement that does several things is one round trip and one plan. Its text depends
only on which things they are, so asyncpg prepares it once a connection.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy.dialects import postgresql

from storage.hot import Insert, Statement
from storage.tables import metadata

_NAME = re.compile(r"(?<![:\w]):([a-z_]\w*)")

_Table = tuple[str, tuple[str, ...], str]  # its name, its columns, and on a conflict


def positional(statement: Statement) -> tuple[str, list[Any]]:
    """Return the statement with `$1` for its first parameter, and the values."""
    sql, names = _numbered(_text(statement))
    return sql, [statement.parameters[name] for name in names]


def together(statements: Sequence[Statement]) -> tuple[str, list[Any]]:
    """Return one query with a column for each of the statements: all of its rows."""
    sql, names = _numbered(_columns(tuple(_text(each) for each in statements)))
    values: Mapping[str, Any] = {}
    for each in statements:
        values = {**values, **each.parameters}
    return sql, [values[name] for name in names]


def guarded(
    inserts: Sequence[Insert], guard: Statement | None
) -> tuple[str, list[Any]]:
    """Return one statement that does it all; an empty one if there is nothing to do."""
    sql, values = positional(guard) if guard else ("", [])
    tables = tuple((i.table, tuple(i.rows[0]), i.conflict) for i in inserts)
    first = len(values)
    for insert in inserts:
        values += [[row[name] for row in insert.rows] for name in insert.rows[0]]
    return _inserting(sql, first, tables), values


def _text(statement: Statement) -> str:
    return statement.postgres or statement.sql


@cache
def _columns(texts: tuple[str, ...]) -> str:
    columns = (f"ARRAY(SELECT ROW(q.*) FROM ({text}) q)" for text in texts)
    return f"SELECT {', '.join(columns)}"


@cache
def _inserting(guard: str, first: int, tables: tuple[_Table, ...]) -> str:
    parts, condition = [], ""
    if guard:
        # Whoever else holds the guard's row is waited for before anything is inserted.
        parts.append(f"guard AS ({guard})")
        condition = "WHERE EXISTS (SELECT FROM guard)"
    for table, names, conflict in tables:
        insert = _insert(table, names, range(first + 1, first + 1 + len(names)))
        parts.append(f"into_{table} AS ({insert} {condition} {conflict})")
        first += len(names)
    if not parts:
        return ""
    return f"WITH {', '.join(parts)} SELECT {'* FROM guard' if guard else '1'}"


def _insert(table: str, names: Sequence[str], numbers: Iterable[int]) -> str:
    columns = metadata.tables[table].columns
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    arrays = ", ".join(
        f"${number}::{columns[name].type.compile(dialect=dialect)}[]"
        for number, name in zip(numbers, names, strict=True)
    )
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT * FROM unnest({arrays})"


@cache
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return _NAME.sub(number, sql), tuple(names)
