"""How far the log was followed for records, and which process follows it."""

from collections.abc import Callable
from dataclasses import dataclass

from storage.hot import HotStore, Statement, run_one
from storage.rows import clean_id

# Kept beside the systems' own positions, under names that no system has.
_LOG, _LEASE = "log", "lease"
_KEY = "tenant = :tenant AND system = :system AND instance = :instance"


@dataclass(frozen=True, slots=True)
class StoredFollowing:
    """Implements `bots.records.log_follower.Following`; `clock` is in microseconds."""

    store: HotStore
    clock: Callable[[], int]

    async def position(self, tenant: str) -> int | None:
        """Return up to where the log was followed, None if it never was."""
        rows = await self.store.fetch(
            Statement(
                f"SELECT position FROM record_position WHERE {_KEY}",
                {"tenant": tenant, "system": _LOG, "instance": "records"},
                brief=True,
            )
        )
        return int(rows[0][0]) if rows else None

    async def began(self, tenant: str, seq: int) -> int:
        """Note where following begins, if it never did; returns up to where it came."""
        await self._run(
            "INSERT INTO record_position (tenant, system, instance, position, at_us) "
            "VALUES (:tenant, :system, :instance, :position, :now) "
            "ON CONFLICT (tenant, system, instance) DO NOTHING",
            self._row(tenant, seq),
        )
        kept = await self.position(tenant)
        return seq if kept is None else kept

    async def reached(self, tenant: str, seq: int) -> None:
        """Everything below a position was taken in."""
        await self._run(
            "INSERT INTO record_position (tenant, system, instance, position, at_us) "
            "VALUES (:tenant, :system, :instance, :position, :now) "
            "ON CONFLICT (tenant, system, instance) DO UPDATE SET "
            "position = excluded.position, at_us = excluded.at_us",
            self._row(tenant, seq),
        )

    def _row(self, tenant: str, seq: int) -> dict[str, object]:
        return {
            "tenant": tenant,
            "system": _LOG,
            "instance": "records",
            "position": str(seq),
            "now": self.clock(),
        }

    async def hold(self, tenant: str, name: str, owner: str, seconds: float) -> bool:
        """Take or keep the right to do something alone; it ends by itself."""
        now = self.clock()
        row = {
            "tenant": tenant,
            "system": _LEASE,
            "instance": clean_id(name),
            "position": owner,
            "until": now + int(seconds * 1_000_000),
            "now": now,
        }
        return await self._run(
            "INSERT INTO record_position (tenant, system, instance, position, at_us) "
            "VALUES (:tenant, :system, :instance, :position, :until) "
            "ON CONFLICT (tenant, system, instance) DO UPDATE SET "
            "position = excluded.position, at_us = excluded.at_us "
            "WHERE record_position.at_us < :now "
            "OR record_position.position = excluded.position RETURNING position",
            row,
        )

    async def seize(self) -> None:
        """End every such right. Only for a process that knows itself alone."""
        await self._run(
            "UPDATE record_position SET at_us = 0 WHERE system = :system",
            {"system": _LEASE},
        )

    async def _run(self, sql: str, row: dict[str, object]) -> bool:
        return bool(await run_one(self.store, Statement(sql, row)))
