"""Rules for what may leave, in versions: none is ever changed, the newest holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.errors import Conflict
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Row, Statement

_MEANWHILE = "Somebody published other rules just now: look again."


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """One version of a company's rules, as they were published."""

    number: int
    hash: str
    text: str
    actor: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What was looked at, as the log tells it, when `after` was the newest version."""

    after: int
    told: str


@dataclass(frozen=True, slots=True)
class StoredRules:
    """Keeps every version. Publishing one is a log entry."""

    store: HotStore
    acts: Acts
    clock: Callable[[], int]

    async def newest(self) -> Mapping[str, int]:
        """Return every company's newest version, of those that have any."""
        rows = await self.store.fetch(
            Statement("SELECT tenant, max(version) FROM dlp_rules GROUP BY tenant", {})
        )
        return {row[0]: row[1] for row in rows}

    async def version(self, tenant: str, number: int = 0) -> RulesVersion | None:
        """Return one version, the newest without a number; None if there is none."""
        rows = await self.store.fetch(
            Statement(
                "SELECT version, hash, text, actor, at_us FROM dlp_rules "
                "WHERE tenant = :tenant AND (:number = 0 OR version = :number) "
                "ORDER BY version DESC LIMIT 1",
                {"tenant": tenant, "number": number},
            )
        )
        return _version(rows[0]) if rows else None

    async def named(self, tenant: str, name: str) -> int:
        """Return the newest version of a name, 0 if there is none."""
        rows = await self.store.fetch(
            Statement(
                "SELECT coalesce(max(version), 0) FROM dlp_rules "
                "WHERE tenant = :tenant AND hash = :hash",
                {"tenant": tenant, "hash": name},
            )
        )
        return int(rows[0][0])

    async def versions(self, tenant: str) -> list[RulesVersion]:
        """Return all of them, newest first."""
        rows = await self.store.fetch(
            Statement(
                "SELECT version, hash, text, actor, at_us FROM dlp_rules "
                "WHERE tenant = :tenant ORDER BY version DESC",
                {"tenant": tenant},
            )
        )
        return [_version(row) for row in rows]

    async def publish(
        self,
        tenant: str,
        text: str,
        name: str,
        actor: str,
        preview: Preview | None = None,
    ) -> int:
        """
        Make a text the newest version; `name` is its hash. Returns its number.

        Raises `Conflict` if somebody else published one just now, or since the preview.
        """
        now = await self.version(tenant)
        newest = now.number if now else 0
        if preview and preview.after != newest:
            raise Conflict(_MEANWHILE)
        if now is not None and now.hash == name:
            return now.number
        number = newest + 1
        act = Act(
            tenant,
            "admin.config",
            actor,
            f"published version {number} of the rules for what may leave",
            {
                "setting": "leaving",
                "version": number,
                "hash": name,
                "preview": preview.told if preview else "",
            },
        )
        change = Statement(
            "INSERT INTO dlp_rules (tenant, version, hash, text, actor, at_us) "
            "VALUES (:tenant, :version, :hash, :text, :actor, :at_us)",
            {
                "tenant": tenant,
                "version": number,
                "hash": name,
                "text": text,
                "actor": actor,
                "at_us": self.clock(),
            },
        )
        receipt = await self.acts.note(act, (change,), f"dlp-rules:{number}")
        if receipt.duplicate:
            raise Conflict(_MEANWHILE)
        return number


def _version(row: Row) -> RulesVersion:
    number, name, text, actor, at_us = row
    return RulesVersion(number, name, text, actor, at_us)
