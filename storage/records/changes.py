"""How far systems' changes were followed, what was heard, and what was written."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.records.model import System
from storage.hot import HotStore, Program, Statement, run_one
from storage.records.shapes import hashed
from storage.rows import clean_id, clean_text


@dataclass(frozen=True, slots=True)
class StoredChanges:
    """Implements `bridge.records.books.ChangesBook`."""

    store: HotStore
    clock: Callable[[], int]

    async def position(self, tenant: str, system: System, instance: str) -> str:
        rows = await self.store.fetch(
            Statement(
                "SELECT position FROM record_position WHERE tenant = :tenant "
                "AND system = :system AND instance = :instance",
                _of(tenant, system, instance),
                brief=True,
            )
        )
        return str(rows[0][0]) if rows else ""

    async def reached(
        self, tenant: str, system: System, instance: str, position: str
    ) -> None:
        await self._run(
            "INSERT INTO record_position (tenant, system, instance, position, at_us) "
            "VALUES (:tenant, :system, :instance, :position, :now) "
            "ON CONFLICT (tenant, system, instance) DO UPDATE SET "
            "position = excluded.position, at_us = excluded.at_us",
            _of(tenant, system, instance)
            | {"position": clean_text(position), "now": self.clock()},
        )

    async def first(self, tenant: str, event: str, now_us: int) -> bool:
        return await self._run(
            "INSERT INTO record_heard (tenant, event, at_us) "
            "VALUES (:tenant, :event, :now) "
            "ON CONFLICT (tenant, event) DO NOTHING RETURNING event",
            {"tenant": tenant, "event": hashed(event), "now": now_us},
        )

    async def done(self, tenant: str, key: str) -> str | None:
        rows = await self.store.fetch(
            Statement(
                "SELECT request FROM record_deed "
                "WHERE tenant = :tenant AND deed = :deed",
                {"tenant": tenant, "deed": hashed(key)},
                brief=True,
            )
        )
        return rows[0][0] if rows else None

    async def begin(self, tenant: str, key: str, now_us: int) -> int:
        row = {"tenant": tenant, "deed": hashed(key), "now": now_us}

        def program() -> Program[int]:
            made = yield Statement(
                "INSERT INTO record_deed (tenant, deed, request, begun_us) "
                "VALUES (:tenant, :deed, NULL, :now) "
                "ON CONFLICT (tenant, deed) DO NOTHING RETURNING deed",
                row,
            )
            if made:
                return 0
            known = yield Statement(
                "SELECT begun_us FROM record_deed "
                "WHERE tenant = :tenant AND deed = :deed",
                {name: row[name] for name in ("tenant", "deed")},
            )
            return max(1, int(known[0][0])) if known else 0

        return await self.store.run(program)

    async def finish(self, tenant: str, key: str, request: str, made: str = "") -> None:
        await self._run(
            "INSERT INTO record_deed (tenant, deed, request, begun_us, made) "
            "VALUES (:tenant, :deed, :request, :now, :made) "
            "ON CONFLICT (tenant, deed) "
            "DO UPDATE SET request = excluded.request, made = excluded.made",
            {
                "tenant": tenant,
                "deed": hashed(key),
                "request": clean_text(request),
                "made": clean_text(made),
                "now": self.clock(),
            },
        )

    async def made(self, tenant: str, key: str) -> str:
        rows = await self.store.fetch(
            Statement(
                "SELECT made FROM record_deed WHERE tenant = :tenant AND deed = :deed",
                {"tenant": tenant, "deed": hashed(key)},
                brief=True,
            )
        )
        return str(rows[0][0]) if rows else ""

    async def undone(self, tenant: str, key: str) -> None:
        await self._run(
            "DELETE FROM record_deed WHERE tenant = :tenant AND deed = :deed "
            "AND request IS NULL",
            {"tenant": tenant, "deed": hashed(key)},
        )

    async def sweep(self, before_us: int) -> int:
        deeds = await self._gone("record_deed", "begun_us", before_us)
        return deeds + await self.forget_heard(before_us)

    async def forget_heard(self, before_us: int) -> int:
        """Forget events alone: they are repeated for days, deeds for longer."""
        return await self._gone("record_heard", "at_us", before_us)

    async def _gone(self, table: str, column: str, before_us: int) -> int:
        gone = await run_one(
            self.store,
            Statement(
                f"DELETE FROM {table} WHERE {column} < :before RETURNING tenant",
                {"before": before_us},
            ),
        )
        return len(gone)

    async def _run(self, sql: str, row: dict[str, object]) -> bool:
        return bool(await run_one(self.store, Statement(sql, row)))


def _of(tenant: str, system: System, instance: str) -> dict[str, object]:
    return {
        "tenant": tenant,
        "system": str(system),
        "instance": clean_id(instance),
    }
