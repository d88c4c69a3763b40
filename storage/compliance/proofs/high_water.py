"""
The newest checkpoint that was signed, kept outside the database.

Who restores an older database does not restore this file with it. So a log that ends
before what was already signed, or goes on differently, is noticed, and is not signed.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from bridge.errors import BadInput


@dataclass(frozen=True, slots=True)
class HighWater:
    """One note a company, under `ATOM_HOME/high-water`."""

    folder: Path

    @classmethod
    def under(cls, home: Path) -> "HighWater":
        return cls(home / "high-water")

    def path(self, tenant: str) -> Path:
        return self.folder / f"{tenant}.note"

    def read(self, tenant: str) -> str:
        """Return the note; empty if nothing was signed yet. Raises `BadInput`."""
        try:
            return self.path(tenant).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{self.path(tenant)} cannot be read") from error

    def set_aside(self, tenant: str, size: int) -> None:
        """Keep the note of a log that does not go on, under another name."""
        aside = self.folder / f"{tenant}.{size}.{token_hex(4)}.restored"
        try:
            self.path(tenant).replace(aside)
        except OSError as error:
            raise BadInput(f"{self.path(tenant)} cannot be renamed") from error

    def raise_to(self, tenant: str, note: str) -> None:
        """Put the note there, on the disk, before it is shown to anybody."""
        draft = self.folder / f".{tenant}.{token_hex(8)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with draft.open("w", encoding="utf-8") as stream:
                stream.write(note)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self.path(tenant))
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise BadInput(f"{self.path(tenant)} cannot be written") from error
