"""The organisation's audit log: who did what in its administration."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from bots.sandbox.slack import grid_seed


@dataclass(slots=True)
class AuditLog:
    """The organisation's audit log. `clock` returns seconds since 1970."""

    clock: Callable[[], float] = time.time
    entries: list[dict[str, Any]] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)

    def clear(self) -> None:
        self.entries.clear()
        self.calls.clear()

    def note(
        self,
        action: str,
        actor: str,
        entity: Mapping[str, Any],
        *,
        at: int = 0,
        details: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Add an entry as Slack would, and return it."""
        entry: dict[str, Any] = {
            "id": str(uuid4()),
            "date_create": at or int(self.clock()),
            "action": action,
            "actor": {"type": "user", "user": {"id": actor, "team": ""}},
            "entity": dict(entity),
            "context": {
                "location": {
                    "type": "enterprise",
                    "id": grid_seed.ORG,
                    "name": grid_seed.ORG_NAME,
                    "domain": "acme-group",
                },
                "ua": "sandbox",
                "ip_address": "203.0.113.5",
            },
        }
        if details:
            entry["details"] = dict(details)
        self.entries.append(entry)
        return entry

    def wait(self, per_minute: int) -> int:
        """Count a call of the whole organisation; returns the seconds to wait."""
        now = self.clock()
        self.calls = [at for at in self.calls if at > now - 60]
        if per_minute and len(self.calls) >= per_minute:
            return int(self.calls[0] + 60 - now) + 1
        self.calls.append(now)
        return 0
