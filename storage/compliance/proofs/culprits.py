"""
Which column of a log entry was changed.

An entry's bundle has the leaf's bytes, so that the fields can be compared one by one.
An entry that is too young to be in a bundle has only its hash: then each column is
tried with what its neighbours, or other parts of the log, have there. What makes the
hash right again was there before, since nobody finds a second such value.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from storage.compliance.leaf import COLUMNS, column_of, leaf_of
from storage.compliance.tree import leaf_hash

_SMALL = range(-1, 8)
_NEAR = 1000  # microseconds


def culprit(own: bytes, kept: bytes | None, leaf: bytes, told: bytes) -> str:
    """
    Return the column that was changed, or nothing if that cannot be told.

    `own` are the bytes that the row makes, `kept` those in its bundle, `leaf` the
    hash in the row, `told` the one in the tiles.
    """
    if leaf_hash(own) == told:
        if leaf != told:
            return "leaf"
        return "" if kept in (None, own) else "data of its bundle"
    if kept is None:
        return ""
    if leaf_hash(kept) != told:
        return "data of its tile" if leaf == leaf_hash(kept) == leaf_hash(own) else ""
    return _difference(own, kept) or ("leaf" if leaf != told else "")


def _difference(own: bytes, kept: bytes) -> str:
    if not own:
        return "leaf_v"
    before, after = orjson.loads(kept), orjson.loads(own)
    if before.get("v") != after.get("v"):
        return "leaf_v"
    changed = [name for name in before if before[name] != after.get(name)]
    if "skew" in changed and len(changed) > 1:
        changed.remove("skew")  # it follows from the others
    return ", ".join(column_of(name) for name in changed)


def guessed(
    row: Mapping[str, Any], told: bytes, others: Sequence[Mapping[str, Any]]
) -> str:
    """Return the column whose former value can be found again, or nothing."""
    for column in COLUMNS:
        for value in _candidates(column, row, others):
            try:
                if leaf_of({**row, column: value}) == told:
                    return column
            except (TypeError, ValueError):
                continue
    return ""


def _candidates(
    column: str, row: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> Iterator[Any]:
    yield from (None, "", 0)
    yield from {
        bytes(v) if isinstance(v, memoryview) else v for v in _of(column, others)
    }
    if column in {"rev", "leaf_v"}:
        yield from _SMALL
    if column == "origin_leaf":
        yield from (bytes(o["leaf"]) for o in others if o["seq"] == row["origin_seq"])
    if column in {"origin_seq", "prev_seq", "seq"}:
        yield from (other["seq"] for other in others)
    if column in {"version_us", "src_us", "cap_us"}:
        for known in ("version_us", "src_us", "cap_us"):
            yield row[known]
        yield from _moments(row)


def _of(column: str, others: Sequence[Mapping[str, Any]]) -> list[Any]:
    return [other[column] for other in others]


def _moments(row: Mapping[str, Any]) -> Iterator[int]:
    """Yield the moments that the entry's id allows: a UUIDv7 has the milliseconds."""
    try:
        stamp = int(row["eid"].replace("-", "")[:12], 16) * 1000
    except ValueError:
        return
    yield from range(stamp, stamp + _NEAR)
    with_message = row["msg"].replace(".", "")
    if with_message.isascii() and with_message.isdecimal():
        yield int(with_message)
