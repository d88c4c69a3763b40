"""The log as whoever holds the console token may see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storage.compliance.rights.reading import CONSOLE, Reading
from storage.log_reader import LogEntry, LogReader


@dataclass(frozen=True, slots=True)
class LogView:
    """
    Implements `bots.web.log_api.LogSource`.

    What people said is in it if the officer `console:token` was given the duty to
    read; one entry an hour says that the log is followed.
    """

    reader: LogReader
    reading: Reading

    async def page(self, tenant: str, after: int, limit: int) -> dict[str, Any]:
        """Return entries above `after` with the log's size and root."""
        head = await self.reader.head(tenant)
        entries: Sequence[LogEntry] = await self.reader.entries(tenant, after, limit)
        shown = await self.reading.follow(tenant, CONSOLE, entries)
        return {"entries": shown.entries, "size": head.size, "root": head.root_hex}
