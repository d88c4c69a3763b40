"""What is on record about approvals of people who left, and about who was told."""

from typing import Any

from bridge.records.desk import Asker
from bridge.records.entries import ATOM, RecordEntry
from bridge.records.orphans import Orphan


def orphaned(orphan: Orphan, correlation: str) -> RecordEntry:
    """An approval waits for somebody who left; its cards and people are about to say so."""
    detail = _orphan(orphan, correlation)
    text = f"{orphan.ref} waits for {orphan.leaver}, who left"
    key = f"record-orphan:{correlation}:{orphan.deputy}"
    return RecordEntry(orphan.tenant, "record.orphan", ATOM, text, detail, key=key)


def handed_to(orphan: Orphan, asker: Asker | None, correlation: str) -> RecordEntry:
    """Somebody, or without an asker the admins, is about to be told of an orphan."""
    whom = asker.name if asker else "the admins"
    detail = {"person": whom, **_orphan(orphan, correlation)}
    text = f"tells {whom} that {orphan.ref} waits for somebody who left"
    return RecordEntry(orphan.tenant, "record.reroute", ATOM, text, detail)


def _orphan(orphan: Orphan, correlation: str) -> dict[str, Any]:
    return {
        "record": str(orphan.ref),
        "approval": orphan.approval,
        "left": orphan.leaver,
        "heir": orphan.heir,
        "deputy": orphan.deputy,
        "correlation": correlation,
    }
