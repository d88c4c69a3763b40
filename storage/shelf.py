"""
Keep files on disk while they cross: never in memory, and no longer than it takes.

A file has no name there from the start, so nothing is left of it when the process is
killed. Reading and writing block, and happen in threads.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_CHUNK = 256 * 1024


@dataclass(slots=True)
class KeptFile:
    """Implements `bridge.file_ports.Kept`."""

    file: IO[bytes]
    size: int = 0
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def write(self, chunk: bytes) -> None:
        await asyncio.to_thread(self._write, chunk)

    async def chunks(
        self, first: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        end = self.size if end is None else min(end, self.size)
        while first < end:
            chunk = await asyncio.to_thread(self._read, first, min(_CHUNK, end - first))
            if not chunk:
                raise OSError("the file is shorter than it was")
            first += len(chunk)
            yield chunk

    def _write(self, chunk: bytes) -> None:
        self.file.seek(self.size)
        self.file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def _read(self, first: int, count: int) -> bytes:
        self.file.seek(first)
        return self.file.read(count)


@dataclass(frozen=True, slots=True)
class DiskShelf:
    """Implements `bridge.file_ports.Shelf`, in a folder that is made if it is not there."""

    folder: Path

    @asynccontextmanager
    async def room(self) -> AsyncIterator[KeptFile]:
        file = await asyncio.to_thread(self._opened)
        try:
            yield KeptFile(file)
        finally:
            await asyncio.to_thread(file.close)

    def _opened(self) -> IO[bytes]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=self.folder, buffering=0)
