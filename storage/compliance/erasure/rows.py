"""Erasures as rows, and the statements that change them."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import orjson

from storage.hot import Row, Statement

REQUESTED, SHREDDED, DONE = "requested", "shredded", "done"
_COLUMNS = "id, person, state, officer, keys, requested_us, shredded_us, entries, held"


@dataclass(frozen=True, slots=True)
class Erasure:
    """
    One erasure. `entries` and `held` count what it was about once it was shredded.

    Times are microseconds UTC, 0 for what has not happened.
    """

    id: str
    person: str
    state: str
    officer: str
    keys: tuple[str, ...]
    requested_us: int
    shredded_us: int = 0
    entries: int = 0
    held: int = 0


def all_of(tenant: str) -> Statement:
    """Ask for a company's erasures, oldest first."""
    return Statement(
        f"SELECT {_COLUMNS} FROM erasure WHERE tenant = :tenant "
        "ORDER BY requested_us, id",
        {"tenant": tenant},
    )


def read(row: Row) -> Erasure:
    known, person, state, officer, keys, *rest = row
    return Erasure(known, person, state, officer, tuple(orjson.loads(keys)), *rest)


def inserted(tenant: str, made: Erasure) -> Statement:
    return Statement(
        f"INSERT INTO erasure (tenant, {_COLUMNS}) VALUES (:tenant, :id, :person, "
        ":state, :officer, :keys, :requested_us, 0, 0, 0)",
        {
            "tenant": tenant,
            "id": made.id,
            "person": made.person,
            "state": made.state,
            "officer": made.officer,
            "keys": orjson.dumps(made.keys).decode(),
            "requested_us": made.requested_us,
        },
    )


def shredded(tenant: str, made: Erasure) -> Statement:
    return Statement(
        f"UPDATE erasure SET state = '{SHREDDED}', shredded_us = :now, "
        "entries = :entries, held = :held WHERE tenant = :tenant AND id = :id",
        {
            "tenant": tenant,
            "id": made.id,
            "now": made.shredded_us,
            "entries": made.entries,
            "held": made.held,
        },
    )


def unnamed(tenant: str, made: Erasure, digest: str) -> Statement:
    """Have the approvals of an erasure point to it instead of to the person."""
    return Statement(
        "UPDATE approval SET act = :act, digest = :id WHERE tenant = :tenant "
        "AND digest = :digest",
        {
            "tenant": tenant,
            "act": f"erase somebody: {made.id}",
            "id": made.id,
            "digest": digest,
        },
    )


def done(tenant: str, id_: str) -> Statement:
    return Statement(
        f"UPDATE erasure SET state = '{DONE}' WHERE tenant = :tenant AND id = :id",
        {"tenant": tenant, "id": id_},
    )


def frozen(tenant: str, refs: Sequence[str]) -> list[Statement]:
    """
    Take keys out of use: whoever they belong to gets others for what comes next.

    They stay the person's, so that holds find them, but of no quarter that there is.
    """
    return [
        Statement(
            "UPDATE subject_key SET quarter = :quarter WHERE tenant = :tenant "
            "AND ref = :ref AND destroyed_us = 0",
            {
                "tenant": tenant,
                "ref": ref,
                "quarter": f"~{sha256(ref.encode()).hexdigest()[:7]}",
            },
        )
        for ref in sorted(refs)
    ]


def keys_of(tenant: str, person: str) -> Statement:
    """Ask for the references of somebody's keys that are not destroyed."""
    return Statement(
        "SELECT ref FROM subject_key WHERE tenant = :tenant AND person = :person "
        "AND destroyed_us = 0 ORDER BY ref",
        {"tenant": tenant, "person": person},
    )


def people_of(tenant: str, refs: Sequence[str]) -> Statement:
    """Ask for the hashes of those whose keys these are, each once."""
    select = "SELECT DISTINCT person FROM subject_key WHERE tenant = :tenant AND ref"
    return Statement(
        f"{select} IN (SELECT value FROM json_each(:refs))",
        {"tenant": tenant, "refs": orjson.dumps(sorted(refs)).decode()},
        postgres=f"{select} = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:refs::text::jsonb)))",
    )


def entries_under(tenant: str, refs: Sequence[str], after: int, most: int) -> Statement:
    """Ask for entries under keys, each with whether a matter keeps it."""
    select = (
        "SELECT l.seq, EXISTS (SELECT 1 FROM item_key_wrap w WHERE w.tenant = l.tenant "
        "AND w.seq = l.seq) FROM log l WHERE l.tenant = :tenant AND l.seq > :after "
        "AND l.key_ref"
    )
    return Statement(
        f"{select} IN (SELECT value FROM json_each(:refs)) ORDER BY l.seq LIMIT :most",
        {
            "tenant": tenant,
            "after": after,
            "most": most,
            "refs": orjson.dumps(sorted(refs)).decode(),
        },
        postgres=f"{select} = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:refs::text::jsonb))) ORDER BY l.seq LIMIT :most",
    )
