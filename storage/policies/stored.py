"""Keeps versions of policies. Putting one into force is an entry of the log."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import Conflict
from bridge.policy_desk import PolicyVersion, Preview
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Row, Statement, run_one

PREVIEWS_LAST_US = 24 * 3600 * 1_000_000
_SHORTEST = 8  # digits of a preview's hash that people may type instead of all

_VERSION = "tenant, number, hash, front, cedar, resolved, author, at_us, note"
_PREVIEW = "tenant, hash, base, policy, directory, front, cedar, what, author, at_us"


@dataclass(frozen=True, slots=True)
class StoredPolicies:
    """Implements `bridge.policy_desk.PolicyShelf`."""

    store: HotStore
    acts: Acts
    clock: Callable[[], int]

    async def current(self, tenant: str) -> PolicyVersion | None:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_VERSION} FROM policy_version WHERE tenant = :tenant "
                "ORDER BY number DESC LIMIT 1",
                {"tenant": tenant},
            )
        )
        return _version(rows[0]) if rows else None

    async def number(self, tenant: str) -> int:
        """Return the number of the version in force, 0 if there is none."""
        rows = await self.store.fetch(
            Statement(
                "SELECT max(number) FROM policy_version WHERE tenant = :tenant",
                {"tenant": tenant},
                brief=True,
            )
        )
        return int(rows[0][0] or 0)

    async def version(self, tenant: str, number: int) -> PolicyVersion | None:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_VERSION} FROM policy_version "
                "WHERE tenant = :tenant AND number = :number",
                {"tenant": tenant, "number": number},
            )
        )
        return _version(rows[0]) if rows else None

    async def history(self, tenant: str) -> Sequence[PolicyVersion]:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_VERSION} FROM policy_version WHERE tenant = :tenant "
                "ORDER BY number DESC",
                {"tenant": tenant},
            )
        )
        return [_version(row) for row in rows]

    async def publish(self, version: PolicyVersion, body: str) -> None:
        act = Act(
            version.tenant,
            "policy.publish",
            version.author,
            f"published version {version.number} of the policy: {version.note}",
            {
                "number": version.number,
                "hash": version.hash,
                "front": version.front,
                "cedar": version.cedar,
                "resolved": dict(version.resolved),
                "note": version.note,
            },
        )
        row = _row(version)
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        insert = Statement(
            f"INSERT INTO policy_version ({names}) VALUES ({values})", row
        )
        kept = _keep(version.tenant, version.hash, body, version.at_us)
        key = f"policy/{version.number}"
        receipt = await self.acts.note(act, (insert, kept), key)
        if receipt.duplicate:
            raise Conflict(
                f"somebody else published version {version.number} meanwhile: "
                "look at what would change again"
            )

    async def keep_body(self, tenant: str, hash_: str, body: str) -> None:
        await run_one(self.store, _keep(tenant, hash_, body, self.clock()))

    async def body(self, tenant: str, hash_: str) -> str | None:
        rows = await self.store.fetch(
            Statement(
                "SELECT body FROM policy_body WHERE tenant = :tenant AND hash = :hash",
                {"tenant": tenant, "hash": hash_},
            )
        )
        return str(rows[0][0]) if rows else None

    async def keep_preview(self, preview: Preview) -> None:
        row = {
            name: getattr(preview, name)
            for name in (each.strip() for each in _PREVIEW.split(","))
        }
        values = ", ".join(f":{name}" for name in row)
        late = {"before": self.clock() - PREVIEWS_LAST_US}

        def program() -> Any:
            yield Statement("DELETE FROM policy_preview WHERE at_us < :before", late)
            yield Statement(
                f"INSERT INTO policy_preview ({_PREVIEW}) VALUES ({values}) "
                "ON CONFLICT (tenant, hash) DO UPDATE SET at_us = excluded.at_us, "
                "author = excluded.author, base = excluded.base",
                row,
            )

        await self.store.run(program)

    async def preview(self, tenant: str, hash_: str) -> Preview | None:
        wanted = hash_.lower()
        if len(wanted) < _SHORTEST or not set(wanted) <= set("0123456789abcdef"):
            return None
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_PREVIEW} FROM policy_preview "
                "WHERE tenant = :tenant AND hash >= :low AND hash <= :high "
                "AND at_us >= :after",
                {
                    "tenant": tenant,
                    "low": wanted,
                    "high": f"{wanted}g",
                    "after": self.clock() - PREVIEWS_LAST_US,
                },
            )
        )
        return Preview(*rows[0]) if len(rows) == 1 else None


def _keep(tenant: str, hash_: str, body: str, at_us: int) -> Statement:
    return Statement(
        "INSERT INTO policy_body (tenant, hash, body, at_us) "
        "VALUES (:tenant, :hash, :body, :at_us) ON CONFLICT (tenant, hash) DO NOTHING",
        {"tenant": tenant, "hash": hash_, "body": body, "at_us": at_us},
    )


def _row(version: PolicyVersion) -> dict[str, Any]:
    return {
        "tenant": version.tenant,
        "number": version.number,
        "hash": version.hash,
        "front": version.front,
        "cedar": version.cedar,
        "resolved": json.dumps(dict(version.resolved), sort_keys=True),
        "author": version.author,
        "at_us": version.at_us,
        "note": version.note,
    }


def _version(row: Row) -> PolicyVersion:
    tenant, number, hash_, front, cedar, resolved, author, at_us, note = row
    return PolicyVersion(
        tenant,
        number,
        hash_,
        front,
        cedar,
        json.loads(resolved),
        author,
        at_us,
        note,
    )
