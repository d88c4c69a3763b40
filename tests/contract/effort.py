"""How much a database does for an answer, counted and not timed."""

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from storage.database import Database
from storage.hot import Rows, Statement

_SEARCHED = re.compile(r"USING (?:COVERING )?INDEX (\w+)")
# A partition's index has a name of its own, and belongs to the table's.
_WHOSE = "SELECT pg_partition_root(to_regclass(:name))::text"
_TABLES = {"outbox", "attempt", "log", "dead_letter", "requeued"}


@dataclass
class Measured:
    """
    A store that counts its work: SQLite's instructions, PostgreSQL's rows read.

    `indexes` are those that it looked into. PostgreSQL takes one only where there are
    many rows and it knows about them (`analysed`).
    """

    database: Database
    work: int = 0
    indexes: set[str] = field(default_factory=set)

    async def analysed(self) -> None:
        """Let the database learn how many rows it has."""
        async with self.database.engine.begin() as connection:
            await connection.execute(text("ANALYZE"))

    async def fetch(self, statement: Statement) -> Rows:
        if self.database.embedded:
            self.work += _instructions(str(self.database.url.database), statement)
            plan = Statement(
                f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters
            )
            said = " ".join(row[-1] for row in await self.database.hot.fetch(plan))
            self.indexes.update(_SEARCHED.findall(said))
        else:
            nodes = await self._planned(statement)
            self.work += sum(_read(node) for node in nodes)
            for name in {node["Index Name"] for node in nodes if "Index Name" in node}:
                whose = Statement(_WHOSE, {"name": name})
                self.indexes.update(r[0] for r in await self.database.hot.fetch(whose))
        return await self.database.hot.fetch(statement)

    async def _planned(self, statement: Statement) -> list[Mapping[str, Any]]:
        sql = statement.postgres or statement.sql
        explained = Statement(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", statement.parameters
        )
        [(plan,)] = await self.database.hot.fetch(explained)
        return list(_nodes(json.loads(plan)[0]["Plan"]))


def _instructions(path: str, statement: Statement) -> int:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection = sqlite3.connect(path)
    try:
        connection.set_progress_handler(step, 1)
        connection.execute(statement.sql, statement.parameters).fetchall()
    finally:
        connection.close()
    return steps


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _read(node: Mapping[str, Any]) -> int:
    table = node.get("Relation Name", "")
    if not any(table == name or table.startswith(f"{name}_") for name in _TABLES):
        return 0
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return int(rows * node["Actual Loops"])
