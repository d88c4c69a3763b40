"""
The bytes that a log entry puts into the tree.

Canonical JSON (RFC 8785): sorted ASCII keys, no spaces, integers only. Every column
that matters is in it, so changing one in the database breaks the proof.
"""

from collections.abc import Mapping

import orjson

from storage.compliance.tree import leaf_hash

Value = str | int | None


def canonical(value: Mapping[str, object]) -> bytes:
    """Return canonical JSON. Keys are ASCII, numbers integers below 2**53."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


# Column of the log -> its name in the leaf; binary columns go in as hexadecimal.
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


def leaf_bytes(row: Mapping[str, object]) -> bytes:
    """Return the leaf of a log row, given by column name."""
    return canonical({"v": 1} | {FIELDS[c]: _plain(row[c]) for c in FIELDS})


def leaf_of(row: Mapping[str, object]) -> bytes:
    """Return the leaf hash of a log row."""
    return leaf_hash(leaf_bytes(row))


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
