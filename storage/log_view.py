"""The log as a page shows it: opened, flat, and in words."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.log_reader import LogEntry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        "skewed": entry.skewed,
        "platform": row["platform"],
        "channel": conv,
        "message": row["msg"] or None,
        "author": author.get("name") or author.get("id") or "",
        "text": body.get("text") or _typed(body),
        "erased": entry.erased,
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
