"""Changes that admins make, in the log before they are made and after."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.workspaces import Change
from storage.journal import Journal
from storage.writes import Entry, Write


@dataclass(frozen=True, slots=True)
class StoredAudit:
    """Implements `bridge.workspaces.AuditLog`."""

    journal: Journal
    clock: Callable[[], int]

    async def intend(self, change: Change) -> int:
        return await self._write(change, "admin.intent", "intended", change.text, {})

    async def conclude(
        self, change: Change, intent: int, outcome: str, reason: str = ""
    ) -> None:
        told = {"intent": intent, "reason": reason}
        text = f"{outcome}: {change.text}"
        await self._write(change, "admin.outcome", outcome, text, told)

    async def _write(
        self,
        change: Change,
        etype: str,
        outcome: str,
        text: str,
        more: dict[str, object],
    ) -> int:
        entry = Entry(
            etype=etype,
            platform="atom",
            subject=f"atom|{change.actor}",
            src_us=self.clock(),
            body={
                "platform": str(change.platform),
                "text": text,
                "author": {"id": change.actor, "name": change.actor, "avatar": ""},
                **more,
            },
            via="self",
            outcome=outcome,
        )
        receipt = await self.journal.write(Write(change.tenant, entry=entry))
        return receipt.seq
