"""
Keeping the keys of entries from before persons had keys of their own.

Those are derived from the key file, so nobody could be erased, and the file never be
destroyed. At a rotation they are kept like all others, each under its person's name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bridge.errors import Conflict
from bridge.messages import Platform
from storage.compliance.keys.company import Company, is_active
from storage.compliance.keys.derived import PREFIX, TenantKey
from storage.compliance.keys.ring import Keyring
from storage.hot import Program, Row, Statement
from storage.log_reader import LogEntry, LogReader

_PAGE = 500
_LEFT = (
    "FROM log l LEFT JOIN subject_key k ON k.tenant = l.tenant AND k.ref = l.key_ref "
    f"WHERE l.tenant = :tenant AND l.key_ref LIKE '{PREFIX}%' AND k.ref IS NULL"
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Finds references whose keys are still derived, and keeps their keys."""

    ring: Keyring
    reader: LogReader
    clock: Callable[[], int]

    async def left(self, tenant: str) -> bool:
        """Whether any entry's key is still derived."""
        if not (await self.ring.company(tenant)).derived:
            return False
        found = Statement(f"SELECT 1 {_LEFT} LIMIT 1", {"tenant": tenant})
        return bool(await self.ring.store.fetch(found))

    async def keep(self, tenant: str) -> None:
        """Keep every key that is still derived."""
        if not (await self.ring.company(tenant)).derived:
            return
        while rows := await self._page(tenant):
            for ref, seq in rows:
                company = await self.ring.company(tenant)
                if not await self._keep(tenant, company, ref, seq):
                    self.ring.forget(tenant)
                    break

    async def _page(self, tenant: str) -> list[Row]:
        sql = f"SELECT l.key_ref, min(l.seq) {_LEFT} GROUP BY l.key_ref LIMIT :most"
        found = Statement(sql, {"tenant": tenant, "most": _PAGE})
        return [*await self.ring.store.fetch(found)]

    async def _keep(self, tenant: str, company: Company, ref: str, seq: int) -> bool:
        if (old := self.ring.of_file(tenant)) is None:
            raise Conflict(f"the key file of {tenant} is missing: restore it first")
        [entry] = await self.reader.entries(tenant, seq - 1, 1)
        subject, version = _subject(old, entry), company.version
        row = {
            "tenant": tenant,
            "ref": ref,
            "person": company.person(subject) if subject else ref,
            "version": version,
            "wrapped": await self.ring.wrapped(tenant, version, ref, old.subject(ref)),
            "now": self.clock(),
        }
        return await self.ring.store.run(partial(_kept, row))


def _subject(old: TenantKey, entry: LogEntry) -> str:
    """Return whose key an entry is sealed with, as the entry itself tells."""
    author = str((entry.body.get("author") or {}).get("id", ""))
    for platform in (*Platform, "atom"):
        if old.reference(f"{platform}|{author}") == entry.row["key_ref"]:
            return f"{platform}|{author}"
    return ""


def _kept(row: dict[str, Any]) -> Program[bool]:
    if not (yield is_active(row["tenant"], row["version"])):
        return False
    # The person's pseudonym comes from this key, unless there is another one already.
    for quarter in ("", "before"):
        yield Statement(
            "INSERT INTO subject_key (tenant, ref, person, quarter, version, wrapped, "
            f"created_us, destroyed_us) VALUES (:tenant, :ref, :person, '{quarter}', "
            ":version, :wrapped, :now, 0) ON CONFLICT DO NOTHING",
            row,
        )
    return True
