"""What readers should know about a copy beside what it says."""

from datetime import UTC, datetime

from bridge.ports import History


def note(history: History, *, orphan: bool) -> str:
    notes = ["in reply to a message that is not here"] if orphan else []
    if history.late_us:
        said = datetime.fromtimestamp(history.late_us // 1_000_000, UTC)
        notes.append(f"said {said:%Y-%m-%d %H:%M} UTC")
    return "; ".join(notes)
