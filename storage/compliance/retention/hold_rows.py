"""Legal holds as rows: read and written by programs, so that a transaction can."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bridge.legal_holds import HoldScope, Matter
from storage.hot import Program, Statement

_MATTER = "id, name, created_by, created_us, released_by, released_us, until_us"


def matters(tenant: str) -> Program[list[Matter]]:
    """Return every hold that there ever was, oldest first."""
    rows = yield Statement(
        f"SELECT {_MATTER} FROM legal_hold WHERE tenant = :tenant "
        "ORDER BY created_us, id",
        {"tenant": tenant},
    )
    return [Matter(*row) for row in rows]


def scopes(tenant: str) -> Program[list[tuple[str, HoldScope]]]:
    """Return every hold's scopes, each with the hold's id."""
    rows = yield Statement(
        "SELECT hold, people, channels, query, from_us, to_us FROM hold_scope "
        "WHERE tenant = :tenant ORDER BY hold, n",
        {"tenant": tenant},
    )
    return [(row[0], _scope(row[1:])) for row in rows]


def addresses(tenant: str, channels: Sequence[str]) -> Program[list[str]]:
    """Return the addresses under which channels were and are found."""
    if not channels:
        return []
    rows = yield Statement(
        "SELECT a.address FROM channel_address a WHERE a.tenant = :tenant AND "
        "a.channel IN (SELECT b.channel FROM channel_address b WHERE "
        "b.tenant = :tenant AND (b.channel IN (SELECT value FROM json_each(:channels)) "
        "OR b.address IN (SELECT value FROM json_each(:channels)))) "
        "UNION SELECT b.channel FROM channel_address b WHERE b.tenant = :tenant "
        "AND b.address IN (SELECT value FROM json_each(:channels))",
        {"tenant": tenant, "channels": orjson.dumps([*channels]).decode()},
        postgres="WITH asked AS (SELECT "
        "jsonb_array_elements_text(:channels::text::jsonb) AS channel) "
        "SELECT a.address FROM channel_address a WHERE a.tenant = :tenant AND "
        "a.channel IN (SELECT b.channel FROM channel_address b WHERE "
        "b.tenant = :tenant AND (b.channel IN (SELECT channel FROM asked) "
        "OR b.address IN (SELECT channel FROM asked))) "
        "UNION SELECT b.channel FROM channel_address b WHERE b.tenant = :tenant "
        "AND b.address IN (SELECT channel FROM asked)",
    )
    return [row[0] for row in rows]


def created(tenant: str, matter: Matter) -> Statement:
    return Statement(
        f"INSERT INTO legal_hold (tenant, {_MATTER}) VALUES (:tenant, :id, :name, "
        ":created_by, :created_us, '', 0, 0)",
        {
            "tenant": tenant,
            "id": matter.id,
            "name": matter.name,
            "created_by": matter.created_by,
            "created_us": matter.created_us,
        },
    )


def scoped(tenant: str, matter: str, scope: HoldScope, now_us: int) -> Statement:
    """Add a scope to a hold; the hold's earlier scopes stay."""
    return Statement(
        "INSERT INTO hold_scope (tenant, hold, n, people, channels, query, from_us, "
        "to_us, added_us) SELECT :tenant, :hold, coalesce(max(n) + 1, 0), :people, "
        ":channels, :query, :from_us, :to_us, :now FROM hold_scope "
        "WHERE tenant = :tenant AND hold = :hold",
        {"tenant": tenant, "hold": matter, "now": now_us, **scope_columns(scope)},
        postgres="INSERT INTO hold_scope (tenant, hold, n, people, channels, query, "
        "from_us, to_us, added_us) SELECT :tenant::varchar, :hold::varchar, "
        "coalesce(max(n) + 1, 0), :people::text, :channels::text, :query::text, "
        ":from_us::bigint, :to_us::bigint, :now::bigint FROM hold_scope "
        "WHERE tenant = :tenant::varchar AND hold = :hold::varchar",
    )


def released(
    tenant: str, matter: str, by: str, now_us: int, until_us: int
) -> Statement:
    return Statement(
        "UPDATE legal_hold SET released_by = :by, released_us = :now, "
        "until_us = :until WHERE tenant = :tenant AND id = :id AND released_us = 0",
        {"tenant": tenant, "id": matter, "by": by, "now": now_us, "until": until_us},
    )


def scope_columns(scope: HoldScope) -> dict[str, Any]:
    return {
        "people": orjson.dumps(sorted(scope.people)).decode(),
        "channels": orjson.dumps(sorted(scope.channels)).decode(),
        "query": scope.query,
        "from_us": scope.from_us,
        "to_us": scope.to_us,
    }


def as_data(scope: HoldScope) -> Mapping[str, object]:
    """Return a scope for programs, and for the log."""
    return {
        "people": sorted(scope.people),
        "channels": sorted(scope.channels),
        "query": scope.query,
        "from_us": scope.from_us,
        "to_us": scope.to_us,
    }


def _scope(row: Sequence[Any]) -> HoldScope:
    people, channels, query, from_us, to_us = row
    return HoldScope(
        frozenset(orjson.loads(people)),
        frozenset(orjson.loads(channels)),
        query,
        from_us,
        to_us,
    )
