"""
Keys that were destroyed and must stay so, whatever is restored from a backup.

A restored table of keys brings destroyed ones back. The log says which were; a restored
log may not know it yet, so they are in a file beside the company's key, too, one
reference a line. Before anything is served, whatever came back is destroyed again.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from storage.compliance.keys.ring import Keyring
from storage.log_reader import LogReader


@dataclass(frozen=True, slots=True)
class Graveyard:
    """References of destroyed keys, in files under `ATOM_HOME/keys`."""

    folder: Path
    ring: Keyring
    reader: LogReader

    def path(self, tenant: str) -> Path:
        return self.folder / f"{tenant}.destroyed"

    def bury(self, tenant: str, refs: Iterable[str]) -> None:
        """Write down that keys are destroyed."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        file = os.open(self.path(tenant), flags, 0o600)
        with os.fdopen(file, "ab") as stream:
            stream.write("".join(f"{ref}\n" for ref in sorted(refs)).encode())
            stream.flush()
            os.fsync(stream.fileno())

    def buried(self, tenant: str) -> set[str]:
        """Return what the file has."""
        try:
            return set(self.path(tenant).read_text().split())
        except FileNotFoundError:
            return set()

    async def came_back(self, tenant: str) -> list[str]:
        """Return which destroyed keys are there again; the file learns what it lacks."""
        buried, said = self.buried(tenant), (await self.reader.gone(tenant)).keys
        if said - buried:
            self.bury(tenant, said - buried)
        rows = await self.ring.rows_of(tenant, buried | said)
        return sorted(ref for ref, row in rows.items() if row.wrapped is not None)
