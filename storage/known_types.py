"""Connections to PostgreSQL that need not ask what an array of its own types is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

# Each array that the log's tables and statements know: its number, its name, and the
# number of what is in it. PostgreSQL gave them out by hand: they never change.
ARRAYS = (
    (1000, "_bool", 16),
    (1001, "_bytea", 17),
    (1005, "_int2", 21),
    (1007, "_int4", 23),
    (1009, "_text", 25),
    (1015, "_varchar", 1043),
    (1016, "_int8", 20),
    (1022, "_float8", 701),
    (2287, "_record", 2249),
)


def _as_asked(number: int, name: str, element: int) -> Mapping[str, object]:
    """Return what asyncpg's question would be answered with."""
    array = {"oid": number, "ns": "pg_catalog", "name": name, "kind": b"b"}
    unused = ("basetype", "range_subtype", "attrtypoids", "attrnames")
    return array | {"elemtype": element, "elemdelim": b","} | dict.fromkeys(unused)


_ANSWERS = {array[0]: _as_asked(*array) for array in ARRAYS}


@dataclass(frozen=True, slots=True)
class _Unasked:
    """Stands for the statement that would have asked: it took no other one's place."""

    name: str = "unasked"


class Connection(asyncpg.Connection):  # type: ignore[misc] # it has no types
    """
    A connection that knows the arrays of PostgreSQL's own types.

    Before its first array, asyncpg asks by four statements on each connection, and one
    of them takes longer than what is done then. This is no part of asyncpg's interface:
    where it has another name, connections ask again, and a test says so.
    """

    async def _introspect_types(
        self,
        typeoids: Collection[int],
        timeout: float | None,  # noqa: ASYNC109 - as asyncpg gives it
    ) -> tuple[Sequence[object], Any]:
        if all(number in _ANSWERS for number in typeoids):
            return [_ANSWERS[number] for number in typeoids], _Unasked()
        asked: tuple[Sequence[object], Any]
        asked = await super()._introspect_types(typeoids, timeout)
        return asked
