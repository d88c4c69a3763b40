"""Slack's organisation-wide audit log and holds, as entries: each once, none lost."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import orjson

from bridge.organisation_log import AuditEntry, AuditLogs, GridHold, LegalHolds
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Statement, run_one
from storage.journal import Journal
from storage.writes import Entry, Write

_MICRO = 1_000_000
# Entries may show late, and several share a second.
_OVERLAP_US = 300 * _MICRO
_FIRST_US = 30 * 24 * 3600 * _MICRO
_AUDIT = "slack.audit"

_RAISE = (
    "INSERT INTO grid_cursor (tenant, feed, us) VALUES (:tenant, :feed, :us) "
    "ON CONFLICT (tenant, feed) DO UPDATE SET us = excluded.us "
    "WHERE grid_cursor.us < excluded.us"
)


@dataclass(frozen=True, slots=True)
class GridIngest:
    """
    Takes in what an organisation says about itself.

    The cursor rises after the entries are written, and every entry is written once by
    its id: whoever dies in between reads some of it again, and writes none twice.
    """

    store: HotStore
    journal: Journal
    acts: Acts
    clock: Callable[[], int]

    async def audit(self, tenant: str, logs: AuditLogs) -> int:
        """Take in what is new in the audit log; returns how many entries were."""
        cursor = await self.cursor(tenant)
        since = cursor - _OVERLAP_US if cursor else self.clock() - _FIRST_US
        found = await logs.since(since)
        news = 0
        for entry in found:
            news += await self._take(tenant, entry)
        if found:
            await self._raise(tenant, max(entry.at_us for entry in found))
        return news

    async def holds(self, tenant: str, holds: LegalHolds) -> list[GridHold]:
        """Take in how each legal hold is, once for each state; returns them all."""
        found = [*await holds.all()]
        for hold in found:
            state = "active" if hold.active else "released"
            people = sorted(hold.people)
            act = Act(
                tenant,
                "grid.hold",
                "atom",
                f"{hold.name}: {state}, {len(people)} people",
                {
                    "id": hold.id,
                    "name": hold.name,
                    "description": hold.description,
                    "state": state,
                    "people": people,
                    "begun_us": hold.begun_us,
                    "released_us": hold.released_us,
                },
            )
            told = orjson.dumps([hold.id, hold.name, state, people])
            await self.acts.note(act, key=f"grid.hold:{sha256(told).hexdigest()}")
        return found

    async def cursor(self, tenant: str) -> int:
        """Return up to when the audit log was taken in, 0 for never."""
        rows = await self.store.fetch(
            Statement(
                "SELECT us FROM grid_cursor WHERE tenant = :tenant AND feed = :feed",
                {"tenant": tenant, "feed": _AUDIT},
            )
        )
        return int(rows[0][0]) if rows else 0

    async def _take(self, tenant: str, entry: AuditEntry) -> bool:
        written = Entry(
            etype="grid.audit",
            platform="slack",
            subject=f"slack|{entry.actor}",
            src_us=entry.at_us,
            body={
                "text": entry.action,
                "author": {"id": entry.actor, "name": "", "avatar": ""},
                "detail": {"id": entry.id, "action": entry.action},
            },
            raw=orjson.dumps(entry.raw),
            team=entry.team,
            conv=entry.conversation,
            via="grid",
        )
        key = f"grid.audit:{entry.id}"
        return not (
            await self.journal.write(Write(tenant, keys=(key,), entry=written))
        ).duplicate

    async def _raise(self, tenant: str, us: int) -> None:
        await run_one(
            self.store, Statement(_RAISE, {"tenant": tenant, "feed": _AUDIT, "us": us})
        )
