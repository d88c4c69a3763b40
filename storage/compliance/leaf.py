"""
The bytes that a log entry puts into the tree.

Canonical JSON (RFC 8785): sorted ASCII keys, no spaces, integers only. Every column
that matters is in it, so changing one in the database breaks the proof.

Version 2 of the leaf also commits to the platform's own words, and says whether the
clocks disagreed. Entries of version 1 stay what they are: a leaf is never made anew.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import orjson

from storage.compliance.tree import leaf_hash

Value = str | int | None

NEWEST = 2
SKEW_US = 300 * 1_000_000


def canonical(value: Mapping[str, object]) -> bytes:
    """Return canonical JSON. Keys are ASCII, numbers integers below 2**53."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


# Column of the log -> its name in the leaf. Those of _BINARY go in as hexadecimal.
FIELDS = {
    "tenant": "ten",
    "seq": "seq",
    "eid": "eid",
    "etype": "typ",
    "platform": "plat",
    "team": "team",
    "conv": "conv",
    "thread": "thr",
    "msg": "msg",
    "rev": "rev",
    "version_us": "ver_us",
    "actor_tok": "act",
    "actor_kind": "kind",
    "src_us": "src_us",
    "cap_us": "cap_us",
    "via": "via",
    "link": "link",
    "outcome": "out",
    "origin_seq": "oseq",
    "origin_leaf": "oleaf",
    "prev_seq": "prev",
    "key_ref": "key",
    "cmt": "cmt",
}
_SINCE_2 = {"raw_cmt": "raw", "label": "label", "dlp": "dlp"}
_BINARY = ("actor_tok", "origin_leaf", "cmt", "raw_cmt")


def _in_order(
    names: Mapping[str, str], *more: tuple[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = sorted([*((name, column) for column, name in names.items()), *more])
    return tuple(name for name, _ in pairs), tuple(column for _, column in pairs)


# What a leaf's row is read with. `leaf_v` says which version it is of.
COLUMNS = ("leaf_v", *FIELDS, *_SINCE_2)
_NAMES = {
    1: FIELDS,
    NEWEST: {**FIELDS, **_SINCE_2},
}
# The leaf's names in their canonical order, and the columns that they come from.
_ORDER = {
    1: _in_order(FIELDS, ("v", "leaf_v")),
    NEWEST: _in_order({**FIELDS, **_SINCE_2}, ("v", "leaf_v"), ("skew", "src_us")),
}
_SORTED = {
    version: (names, itemgetter(*columns))
    for version, (names, columns) in _ORDER.items()
}
_HEXED = {
    version: tuple(names[c] for c in _BINARY if c in names)
    for version, names in _NAMES.items()
}


def leaf_bytes(row: Mapping[str, Any]) -> bytes:
    """
    Return the leaf of a log row, given by column name.

    Raises `ValueError` for a version that this code does not know, and for what no
    leaf can hold.
    """
    version = row["leaf_v"]
    if version not in _NAMES:
        raise ValueError(f"leaves of version {version} are not known")
    names, pick = _SORTED[version]
    told: dict[str, Any] = dict(zip(names, pick(row), strict=True))
    for name in _HEXED[version]:
        if (value := told[name]) is not None:
            told[name] = bytes.hex(value)  # what is no bytes is refused
    if version >= NEWEST:
        told["skew"] = int(is_skewed(row))
    return orjson.dumps(told)


def leaf_maker(columns: Sequence[str]) -> Callable[[Sequence[Any]], bytes]:
    """
    Return what makes the leaves of rows that have these columns, in this order.

    It is `leaf_bytes` for whoever reads a whole log, and raises what that raises.
    """
    place = {column: number for number, column in enumerate(columns)}
    version_at, told_us, our_us = (place[c] for c in ("leaf_v", "src_us", "cap_us"))
    makers = {
        version: (names, itemgetter(*(place[c] for c in picked)), _HEXED[version])
        for version, (names, picked) in _ORDER.items()
    }

    def make(values: Sequence[Any]) -> bytes:
        version = values[version_at]
        if version not in makers:
            raise ValueError(f"leaves of version {version} are not known")
        names, pick, hexed = makers[version]
        told: dict[str, Any] = dict(zip(names, pick(values), strict=True))
        for name in hexed:
            if (value := told[name]) is not None:
                told[name] = bytes.hex(value)
        if version >= NEWEST:
            told["skew"] = int(abs(values[told_us] - values[our_us]) > SKEW_US)
        return orjson.dumps(told)

    return make


def leaf_of(row: Mapping[str, Any]) -> bytes:
    """Return the leaf hash of a log row."""
    return leaf_hash(leaf_bytes(row))


def is_skewed(row: Mapping[str, Any]) -> bool:
    """Whether the platform's clock and ours are further apart than five minutes."""
    apart: int = row["src_us"] - row["cap_us"]
    return abs(apart) > SKEW_US


def column_of(name: str) -> str:
    """Return the column that a leaf's field comes from."""
    found = {told: column for column, told in _NAMES[NEWEST].items()}
    return found.get(name, {"v": "leaf_v", "skew": "src_us"}.get(name, name))
