"""Approvals that wait for people who left: ids alone, gone again when they are settled."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from bridge.records.model import RecordRef, System
from bridge.records.orphans import Orphan
from storage.hot import HotStore, Statement, run_one
from storage.records.shapes import listed
from storage.rows import clean_id

_COLUMNS = "tenant, ref, approval, approver, person, heir, deputy, told"
_ROWS = f"SELECT {_COLUMNS} FROM record_orphan WHERE tenant = :tenant AND"
_KEY = "tenant, system, instance, approval"


@dataclass(frozen=True, slots=True)
class StoredOrphans:
    """Implements `bridge.records.orphans.OrphanBook`; `clock` is in microseconds."""

    store: HotStore
    clock: Callable[[], int]

    async def all(self, tenant: str, system: System, instance: str) -> Sequence[Orphan]:
        row = {"tenant": tenant, "system": str(system), "instance": clean_id(instance)}
        sql = f"{_ROWS} system = :system AND instance = :instance ORDER BY approval"
        return [_orphan(each) for each in await self.store.fetch(Statement(sql, row))]

    async def of(self, tenant: str, refs: Collection[RecordRef]) -> Sequence[Orphan]:
        row = {"tenant": tenant, "refs": listed([str(ref) for ref in refs])}
        sqlite = "ref IN (SELECT value FROM json_each(:refs))"
        postgres = (
            "ref = ANY(ARRAY(SELECT jsonb_array_elements_text(:refs::text::jsonb)))"
        )
        order = "ORDER BY ref, approval"
        rows = await self.store.fetch(
            Statement(
                f"{_ROWS} {sqlite} {order}", row, postgres=f"{_ROWS} {postgres} {order}"
            )
        )
        return [_orphan(each) for each in rows]

    async def keep(self, orphan: Orphan) -> None:
        row = _key(orphan) | {
            "ref": str(orphan.ref),
            "approver": clean_id(orphan.approver),
            "person": clean_id(orphan.leaver),
            "heir": clean_id(orphan.heir),
            "deputy": int(orphan.deputy),
            "told": int(orphan.told),
            "now": self.clock(),
        }
        names = ("ref", "approver", "person", "heir", "deputy", "told")
        changes = ", ".join(f"{name} = excluded.{name}" for name in names)
        await self._run(
            f"INSERT INTO record_orphan ({_KEY}, {', '.join(names)}, found_us) VALUES "
            "(:tenant, :system, :instance, :approval, "
            f"{', '.join(f':{name}' for name in names)}, :now) "
            f"ON CONFLICT ({_KEY}) DO UPDATE SET {changes}",
            row,
        )

    async def drop(self, orphan: Orphan) -> None:
        where = " AND ".join(f"{name} = :{name}" for name in _KEY.split(", "))
        await self._run(f"DELETE FROM record_orphan WHERE {where}", _key(orphan))

    async def _run(self, sql: str, row: dict[str, object]) -> None:
        await run_one(self.store, Statement(sql, row))


def _key(orphan: Orphan) -> dict[str, object]:
    return {
        "tenant": orphan.tenant,
        "system": str(orphan.ref.system),
        "instance": clean_id(orphan.ref.instance),
        "approval": clean_id(orphan.approval),
    }


def _orphan(row: Sequence[object]) -> Orphan:
    tenant, ref, approval, approver, leaver, heir = map(str, row[:6])
    deputy, told = bool(row[6]), bool(row[7])
    return Orphan(
        tenant, RecordRef.parse(ref), approval, approver, leaver, heir, deputy, told
    )
