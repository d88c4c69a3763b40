"""Where entries are on their way out, as rows, and which entries may be due at all."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bridge.delivery import AttemptState
from bridge.retention import State
from storage.compliance.retention import barrier
from storage.compliance.retention.kin import COLUMNS, Member, members
from storage.hot import Program, Statement

# What people said, and what was made from it. The rest of the log is ATOM's own books.
_SAID = (
    "message.",
    "reaction.",
    "pin.",
    "file.",
    "thread.",
    "history.",
    "bridge.",
    "record.",
    "dlp.",
    "card.action",
    "admin.command",
    "other",
)
# Of these it counts when they were said, not when they were brought in.
BACKDATED = frozenset({"import", "backfill"})
GONE = ", ".join(f"'{state}'" for state in State if state.gone)

_NOT_GONE = (
    "NOT EXISTS (SELECT 1 FROM item_state s WHERE s.tenant = l.tenant "
    f"AND s.seq = l.seq AND s.state IN ({GONE}))"
)
_SELECT = f"SELECT {COLUMNS} FROM log l WHERE l.tenant = :tenant AND l.seq > :after"


@dataclass(frozen=True, slots=True)
class ItemState:
    """What was decided about one entry."""

    seq: int
    state: State
    cap_us: int
    due_us: int
    erasure_us: int
    why: str


def disposable(etype: str) -> bool:
    """Whether entries of a type have content that retention is about."""
    return etype.startswith(_SAID)


def aged(tenant: str, before_us: int, limit: int, after: int) -> Statement:
    """Ask for entries that were captured before a time, and are not gone."""
    return Statement(
        f"{_SELECT} AND l.cap_us <= :before AND {_NOT_GONE} "
        "ORDER BY l.seq LIMIT :limit",
        {"tenant": tenant, "after": after, "before": before_us, "limit": limit},
    )


def backdated(tenant: str, before_us: int, limit: int, after: int) -> Statement:
    """Ask for entries that were said before a time and brought in later."""
    return Statement(
        f"{_SELECT} AND l.via IN ('import', 'backfill') AND l.src_us <= :before "
        f"AND {_NOT_GONE} ORDER BY l.seq LIMIT :limit",
        {"tenant": tenant, "after": after, "before": before_us, "limit": limit},
    )


def deferred(tenant: str, limit: int, after: int) -> Statement:
    """Ask for entries whose erasure waits for something."""
    return Statement(
        f"SELECT {COLUMNS} FROM item_state s JOIN log l ON l.tenant = s.tenant "
        f"AND l.seq = s.seq WHERE s.tenant = :tenant AND s.seq > :after "
        f"AND s.state = '{State.ERASURE_DEFERRED}' ORDER BY s.seq LIMIT :limit",
        {"tenant": tenant, "after": after, "limit": limit},
    )


def one(tenant: str, seq: int) -> Program[Member | None]:
    rows = yield Statement(
        f"{_SELECT} AND l.seq = :seq",
        {"tenant": tenant, "after": seq - 1, "seq": seq},
    )
    found = members(rows)
    return found[0] if found else None


def states(tenant: str, seqs: Collection[int]) -> Program[dict[int, ItemState]]:
    """Return what was decided about entries; those that are active have nothing."""
    rows = yield Statement(
        "SELECT s.seq, s.state, s.cap_us, s.due_us, s.erasure_us, s.why "
        "FROM json_each(:seqs) AS n CROSS JOIN item_state s "
        "WHERE s.tenant = :tenant AND s.seq = n.value",
        {"tenant": tenant, "seqs": _json(sorted(seqs))},
        postgres="SELECT seq, state, cap_us, due_us, erasure_us, why FROM item_state "
        "WHERE tenant = :tenant AND seq = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:seqs::text::jsonb)::bigint))",
    )
    return {
        row[0]: ItemState(row[0], State(row[1]), row[2], row[3], row[4], row[5])
        for row in rows
    }


def on_their_way(tenant: str, seqs: Collection[int]) -> Program[frozenset[int]]:
    """Return the entries that are still to be delivered somewhere."""
    final = ", ".join(f"'{state}'" for state in AttemptState if state.final)
    unfinished = (
        "NOT EXISTS (SELECT 1 FROM attempt a WHERE a.tenant = o.tenant "
        f"AND a.seq = o.seq AND a.n = o.n AND a.state IN ({final}))"
    )
    rows = yield Statement(
        "SELECT DISTINCT o.seq FROM json_each(:seqs) AS n CROSS JOIN outbox o "
        f"WHERE o.tenant = :tenant AND o.seq = n.value AND {unfinished}",
        {"tenant": tenant, "seqs": _json(sorted(seqs))},
        postgres="SELECT DISTINCT o.seq FROM outbox o WHERE o.tenant = :tenant "
        "AND o.seq = ANY(ARRAY(SELECT jsonb_array_elements_text("
        f":seqs::text::jsonb)::bigint)) AND {unfinished}",
    )
    return frozenset(row[0] for row in rows)


def decided(tenant: str, items: Iterable[ItemState], now_us: int) -> Statement:
    """Keep what was decided about entries, in place of what was decided before."""
    rows = [[i.seq, i.state, i.cap_us, i.due_us, i.erasure_us, i.why] for i in items]
    columns = "tenant, seq, state, cap_us, due_us, erasure_us, why, at_us"
    update = (
        "ON CONFLICT (tenant, seq) DO UPDATE SET state = excluded.state, "
        "due_us = excluded.due_us, erasure_us = excluded.erasure_us, "
        "why = excluded.why, at_us = excluded.at_us "
        f"WHERE item_state.state NOT IN ({GONE})"
    )
    values = ", ".join(f"json_extract(r.value, '$[{n}]')" for n in range(6))
    casts = ("bigint", "text", "bigint", "bigint", "bigint", "text")
    typed = ", ".join(f"(r.at->>{n})::{cast}" for n, cast in enumerate(casts))
    return Statement(
        f"INSERT INTO item_state ({columns}) SELECT :tenant, {values}, :now "
        f"FROM json_each(:rows) AS r WHERE true {update}",
        {"tenant": tenant, "rows": _json(rows), "now": now_us},
        postgres=f"INSERT INTO item_state ({columns}) SELECT :tenant::varchar, {typed}, "
        f":now::bigint FROM jsonb_array_elements(:rows::text::jsonb) AS r(at) {update}",
    )


def forgotten(tenant: str, seqs: Collection[int]) -> Statement:
    """Let entries be active again: a rule changed, or a hold ended before its time."""
    return Statement(
        "DELETE FROM item_state WHERE tenant = :tenant AND "
        f"state NOT IN ({GONE}) AND seq IN (SELECT value FROM json_each(:seqs))",
        {"tenant": tenant, "seqs": _json(sorted(seqs))},
        postgres="DELETE FROM item_state WHERE tenant = :tenant AND "
        f"state NOT IN ({GONE}) AND seq = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:seqs::text::jsonb)::bigint))",
    )


def blanked(tenant: str, gone: Mapping[int, int]) -> Sequence[Statement]:
    """
    Shred the bodies of entries, given with their capture times.

    Nothing else of them is touched: the leaf is made of the other columns.
    """
    seqs, times = sorted(gone), gone.values()
    parameters: dict[str, Any] = {
        "tenant": tenant,
        "seqs": _json(seqs),
        "first": min(times),
        "last": max(times),
        "empty": b"",
    }
    update = (
        "UPDATE log SET ct = :empty, raw_ct = NULL WHERE tenant = :tenant "
        "AND cap_us BETWEEN :first AND :last AND seq"
    )
    return (
        # What was overwritten is not to stand in the file's free pages either.
        Statement("PRAGMA secure_delete = ON", postgres="SELECT 1"),
        Statement(
            f"{update} IN (SELECT value FROM json_each(:seqs))",
            parameters,
            postgres=f"{update} = ANY(ARRAY(SELECT "
            "jsonb_array_elements_text(:seqs::text::jsonb)::bigint))",
        ),
    )


def asked_to_erase(
    tenant: str,
    entries: Iterable[tuple[int, int]],
    held: Iterable[tuple[int, str]],
    asked_us: int,
) -> tuple[Statement, ...]:
    """
    Note that entries (position, capture time) are to be erased as soon as they may be.

    Whoever erases by destroying keys says so here of what a hold or a floor keeps; the
    disposition shreds it when nothing does any more. `held` are positions and matters
    as `bridge.compliance.Holds` yields them: without the keys nobody can tell again
    whose the entries are. It belongs into one transaction with the entry that says so.
    """
    items = [
        ItemState(seq, State.ERASURE_DEFERRED, cap_us, 0, asked_us, "erasure")
        for seq, cap_us in entries
    ]
    pins = sorted({(seq, matter) for seq, matter in held})
    return (
        decided(tenant, items, asked_us),
        Statement(
            "INSERT INTO hold_item (tenant, seq, hold) SELECT :tenant, "
            "json_extract(p.value, '$[0]'), json_extract(p.value, '$[1]') "
            "FROM json_each(:pins) AS p WHERE true ON CONFLICT DO NOTHING",
            {"tenant": tenant, "pins": _json(pins)},
            postgres="INSERT INTO hold_item (tenant, seq, hold) SELECT "
            ":tenant::varchar, (p.at->>0)::bigint, p.at->>1 "
            "FROM jsonb_array_elements(:pins::text::jsonb) AS p(at) "
            "ON CONFLICT DO NOTHING",
        ),
        barrier.raised(tenant),
    )


def pinned(tenant: str, seqs: Collection[int]) -> Program[dict[int, set[str]]]:
    """Return which holds keep entries of people whose keys were destroyed."""
    rows = yield Statement(
        "SELECT h.seq, h.hold FROM json_each(:seqs) AS n CROSS JOIN hold_item h "
        "WHERE h.tenant = :tenant AND h.seq = n.value",
        {"tenant": tenant, "seqs": _json(sorted(seqs))},
        postgres="SELECT seq, hold FROM hold_item WHERE tenant = :tenant "
        "AND seq = ANY(ARRAY(SELECT "
        "jsonb_array_elements_text(:seqs::text::jsonb)::bigint))",
    )
    found: dict[int, set[str]] = {}
    for seq, hold in rows:
        found.setdefault(seq, set()).add(hold)
    return found


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
