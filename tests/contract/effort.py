"""How much a database does for an answer, counted and not timed."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storage.database import Database
from storage.hot import Rows, Statement

_TABLES = {"outbox", "attempt", "log", "dead_letter", "requeued"}


@dataclass
class Measured:
    """A store that counts its work: SQLite's instructions, PostgreSQL's rows read."""

    database: Database
    work: int = 0

    async def fetch(self, statement: Statement) -> Rows:
        if self.database.embedded:
            self.work += _instructions(str(self.database.url.database), statement)
        else:
            self.work += await self._rows_read(statement)
        return await self.database.hot.fetch(statement)

    async def _rows_read(self, statement: Statement) -> int:
        sql = statement.postgres or statement.sql
        explained = Statement(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", statement.parameters
        )
        [(plan,)] = await self.database.hot.fetch(explained)
        return sum(_read(node) for node in _nodes(json.loads(plan)[0]["Plan"]))


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
