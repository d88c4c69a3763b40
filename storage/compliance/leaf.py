"""
The bytes that a log entry puts into the tree.

Canonical JSON (RFC 8785): sorted ASCII keys, no spaces, integers only. Every column
that matters is in it, so changing one in the database breaks the proof.

Version 2 of the leaf also commits to the platform's own words, and says whether the
clocks disagreed. Entries of version 1 stay what they are: a leaf is never made anew.
"""

from collections.abc import Mapping

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

# What a leaf's row is read with. `leaf_v` says which version it is of.
COLUMNS = ("leaf_v", *FIELDS, *_SINCE_2)
_NAMES = {
    1: FIELDS,
    NEWEST: {**FIELDS, **_SINCE_2},
}
_PLAIN = {
    version: tuple((c, n) for c, n in names.items() if c not in _BINARY)
    for version, names in _NAMES.items()
}
_HEXED = {
    version: tuple((c, n) for c, n in names.items() if c in _BINARY)
    for version, names in _NAMES.items()
}


def leaf_bytes(row: Mapping[str, object]) -> bytes:
    """
    Return the leaf of a log row, given by column name.

    Raises `ValueError` for a version that this code does not know, and for what no
    leaf can hold.
    """
    version = row["leaf_v"]
    if version not in _NAMES:
        raise ValueError(f"leaves of version {version} are not known")
    told: dict[str, object] = {name: row[column] for column, name in _PLAIN[version]}
    for column, name in _HEXED[version]:
        value = row[column]
        told[name] = bytes(value).hex() if value is not None else None  # type: ignore[call-overload]
    told["v"] = version
    if version >= NEWEST:
        told["skew"] = int(is_skewed(row))
    return canonical(told)


def leaf_of(row: Mapping[str, object]) -> bytes:
    """Return the leaf hash of a log row."""
    return leaf_hash(leaf_bytes(row))


def is_skewed(row: Mapping[str, object]) -> bool:
    """Whether the platform's clock and ours are further apart than five minutes."""
    apart: int = row["src_us"] - row["cap_us"]  # type: ignore[operator] # integers
    return abs(apart) > SKEW_US


def column_of(name: str) -> str:
    """Return the column that a leaf's field comes from."""
    found = {told: column for column, told in _NAMES[NEWEST].items()}
    return found.get(name, {"v": "leaf_v", "skew": "src_us"}.get(name, name))
