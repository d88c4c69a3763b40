"""Destroying keys: what was sealed with them is erased, wherever it lies."""

from collections.abc import Iterable

import orjson

from storage.hot import Statement


def destroyed(tenant: str, refs: Iterable[str], now_us: int) -> Statement:
    """
    Destroy subject keys. Those that are destroyed already stay as they are.

    The row forgets whose key it was as well: nothing links the entries under it to
    anybody then. It belongs into one transaction with the log entry that says so.
    """
    update = (
        "UPDATE subject_key SET wrapped = NULL, version = 0, person = ref, "
        "destroyed_us = :now WHERE tenant = :tenant AND destroyed_us = 0 AND ref"
    )
    return Statement(
        f"{update} IN (SELECT value FROM json_each(:refs))",
        {"tenant": tenant, "now": now_us, "refs": orjson.dumps(sorted(refs)).decode()},
        postgres=f"{update} = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:refs::text::jsonb)))",
    )


def scrubbed() -> Statement:
    """Let SQLite overwrite what this connection deletes from now on."""
    return Statement("PRAGMA secure_delete = ON", postgres="SELECT 1")


def swept() -> Statement:
    """Let the database itself forget what was destroyed, as far as it is let."""
    return Statement("PRAGMA wal_checkpoint(TRUNCATE)", postgres="VACUUM subject_key")
