"""Duties against the record: whoever has one was given it by an entry of the log."""

from storage.hot import HotStore, Statement
from storage.log_reader import LogReader

_EVER = 2**62
_TRIES = 3


async def unaccounted(store: HotStore, reader: LogReader, tenant: str) -> str:
    """
    Say in a line which duty somebody has, or lacks, against what the log says.

    Empty if there is none. A row in the database gives a duty; the log gave the row.
    """
    wrong = ""
    for _ in range(_TRIES):  # somebody may be giving or taking one now
        wrong = await _unaccounted(store, reader, tenant)
        if not wrong:
            break
    return wrong


async def _unaccounted(store: HotStore, reader: LogReader, tenant: str) -> str:
    told: set[tuple[str, str]] = set()
    for entry in await reader.between(tenant, 0, _EVER, ("admin.config",)):
        if entry.erased:
            return ""  # what it said is gone, with an entry that says why
        detail = entry.body.get("detail") or {}
        if not str(detail.get("what", "")).startswith("duty:"):
            continue
        change = (detail["officer"], detail["duty"])
        (told.add if detail["new"] else told.discard)(change)
    rows = await store.fetch(
        Statement(
            "SELECT officer, duty FROM duty WHERE tenant = :tenant", {"tenant": tenant}
        )
    )
    had = {(officer, duty) for officer, duty in rows}
    for officer, duty in sorted(had - told):
        return f"{officer} has the duty {duty}, and no entry gave it"
    for officer, duty in sorted(told - had):
        return f"{officer} lacks the duty {duty}, and no entry took it"
    return ""
