"""The log as a page shows it: opened, flat, and in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.log_reader import LogEntry, LogReader

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LogView:
    """Implements `bots.web.log_api.LogSource`."""

    reader: LogReader

    async def page(self, tenant: str, after: int, limit: int) -> dict[str, Any]:
        """Return entries above `after` with the log's size and root."""
        head = await self.reader.head(tenant)
        entries: Sequence[LogEntry] = await self.reader.entries(tenant, after, limit)
        return {
            "entries": [as_json(entry) for entry in entries],
            "size": head.size,
            "root": head.root_hex,
        }


def as_json(entry: LogEntry) -> dict[str, Any]:
    """Return an entry as the API states it. It holds what people said."""
    row, body = entry.row, entry.body
    author = body.get("author") or {}
    conv = f"{row['platform']}:{row['team']}/{row['conv']}" if row["conv"] else None
    copied = row["etype"].startswith("bridge.") and row["msg"]
    return {
        "seq": row["seq"],
        "type": row["etype"],
        "at": (_EPOCH + timedelta(microseconds=row["cap_us"])).isoformat(),
        "platform": row["platform"],
        "channel": conv,
        "message": row["msg"] or None,
        "author": author.get("name") or author.get("id") or "",
        "text": body.get("text") or _typed(body),
        "reason": body.get("reason", ""),
        "decision": next(iter(body.get("decisions") or ()), None),
        "outcome": row["outcome"],
        "link": row["link"],
        "copy": {"channel": conv, "id": row["msg"]} if copied else None,
        "origin": row["origin_seq"],
        "leaf": bytes(row["leaf"]).hex(),
    }


def _typed(body: Mapping[str, Any]) -> str:
    """Return the command or the emoji, where that is all there is."""
    detail = body.get("detail") or {}
    if command := detail.get("command", ""):
        return f"/atom {command}"
    return str(detail.get("added") or detail.get("removed") or "")
