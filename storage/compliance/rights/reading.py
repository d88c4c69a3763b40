"""
Reading what people said is a use of the duty to read, and goes on record first.

Entries of ATOM's own, on what admins, officers and ATOM itself did, are the trail that
this leaves; they are shown to whoever may see the log at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.compliance import Duty, Officer, Restrictions
from storage.compliance.acts import Act, Acts
from storage.compliance.rights.duties import StoredDuties
from storage.compliance.tree import Frontier
from storage.log_reader import LogEntry
from storage.log_view import as_json

CONSOLE = Officer("console:token")
HIDDEN = "(not shown: it takes the duty to read)"
RESTRICTED = "(not shown: its use is restricted, GDPR Art. 18)"
_ALONG_US = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Shown:
    """Entries as an officer may see them; `hidden` counts those without their text."""

    entries: list[dict[str, Any]]
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """Opens entries for officers."""

    duties: StoredDuties
    acts: Acts
    clock: Callable[[], int]
    restrictions: Restrictions | None = None
    _along: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)

    async def show(
        self, tenant: str, officer: Officer, entries: Sequence[LogEntry], how: str
    ) -> Shown:
        """
        Return the entries, opened if the officer may read; the log says so first.

        `how` names the way it is read. Raises `StoreUnavailable`; nothing is shown then.
        """
        closed = await self._restricted(tenant)
        said = [e for e in entries if not (_ours(e) or _author(e) in closed)]
        if not said:
            return _opened(entries, closed)
        if not await self.duties.has(tenant, officer, Duty.READ):
            return _closed(entries, len(said))
        await self.acts.note(viewed(tenant, officer, said, how))
        return _opened(entries, closed)

    async def follow(
        self, tenant: str, officer: Officer, entries: Sequence[LogEntry]
    ) -> Shown:
        """
        Return the entries to somebody who follows the log as it grows.

        An entry for each look would be news itself, without end: there is one an
        hour, which says from where on, and that all that follows is read.
        """
        closed = await self._restricted(tenant)
        said = [e for e in entries if not (_ours(e) or _author(e) in closed)]
        if not said:
            return _opened(entries, closed)
        if not await self.duties.has(tenant, officer, Duty.READ):
            return _closed(entries, len(said))
        now, key = self.clock(), (tenant, officer.name)
        if self._along.get(key, 0) <= now:
            until = now + _ALONG_US
            detail = {"how": "follows the log", "first": said[0].seq, "until_us": until}
            text = f"reads along from entry {said[0].seq} on, for an hour"
            await self.acts.note(Act(tenant, "item.view", officer.name, text, detail))
            self._along[key] = until
        return _opened(entries, closed)

    async def _restricted(self, tenant: str) -> frozenset[str]:
        if self.restrictions is None:
            return frozenset()
        return await self.restrictions.authors(tenant)


def viewed(tenant: str, officer: Officer, entries: Sequence[LogEntry], how: str) -> Act:
    """Return the act of looking at these entries, with their count and their root."""
    root = Frontier().extend([bytes(entry.row["leaf"]) for entry in entries]).root()
    count = "1 entry" if len(entries) == 1 else f"{len(entries)} entries"
    return Act(
        tenant,
        "item.view",
        officer.name,
        f"read {count}: {how}",
        {
            "how": how,
            "first": entries[0].seq,
            "last": entries[-1].seq,
            "result_count": len(entries),
            "result_root": root.hex(),
        },
    )


def _ours(entry: LogEntry) -> bool:
    return entry.row["platform"] == "atom" or entry.etype.startswith("admin.")


def _author(entry: LogEntry) -> str:
    return str((entry.body.get("author") or {}).get("id", ""))


def _opened(entries: Sequence[LogEntry], closed: frozenset[str]) -> Shown:
    """Show all but what people said whose entries are restricted."""
    return Shown(
        [
            _without_text(as_json(entry), RESTRICTED)
            if _author(entry) in closed and not _ours(entry)
            else as_json(entry)
            for entry in entries
        ]
    )


def _closed(entries: Sequence[LogEntry], hidden: int) -> Shown:
    return Shown(
        [as_json(e) if _ours(e) else _without_text(as_json(e)) for e in entries], hidden
    )


def _without_text(shown: dict[str, Any], why: str = HIDDEN) -> dict[str, Any]:
    return {**shown, "text": why, "author": "", "hidden": True}
