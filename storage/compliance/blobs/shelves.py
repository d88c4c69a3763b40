"""Where sealed bytes are kept: a folder on one host, or rows that processes share."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from bridge.errors import NotFound
from storage.hot import HotStore, Insert, Program, Statement, run_one

CHUNK = 256 * 1024
"""Bytes of content in a chunk; the last one may have fewer."""
SEALED = CHUNK + 16


class BlobShelf(Protocol):
    """
    Keeps sealed chunks under a place that nothing else was ever kept under.

    What was not written to its end is not there. Methods raise `StoreUnavailable` or
    `OSError`.
    """

    async def write(
        self, tenant: str, place: str, chunks: AsyncIterator[bytes]
    ) -> None:
        """Keep chunks, all but the last of `SEALED` bytes, durably."""
        ...

    def read(self, tenant: str, place: str) -> AsyncIterator[bytes]:
        """Yield the chunks as they were written. Raises `NotFound`."""
        ...

    async def remove(self, tenant: str, places: Sequence[str]) -> None:
        """Remove what is kept; what is not there is removed."""
        ...

    async def places(self, tenant: str, before_us: int) -> Sequence[str]:
        """Return the places written before a time, half-written ones included."""
        ...


_HALF = ".part"


@dataclass(frozen=True, slots=True)
class FolderShelf:
    """Implements `BlobShelf` in a folder that only its owner may read."""

    folder: Path

    async def write(
        self, tenant: str, place: str, chunks: AsyncIterator[bytes]
    ) -> None:
        path = self._path(tenant, place)
        half = path.with_suffix(_HALF)
        file = await asyncio.to_thread(_created, half)
        try:
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(_finished, file, half, path)
        finally:
            await asyncio.to_thread(file.close)
            half.unlink(missing_ok=True)

    async def read(self, tenant: str, place: str) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread(self._path(tenant, place).open, "rb")
        except FileNotFoundError as error:
            raise NotFound("the file's bytes are not there") from error
        try:
            while chunk := await asyncio.to_thread(file.read, SEALED):
                yield chunk
        finally:
            await asyncio.to_thread(file.close)

    async def remove(self, tenant: str, places: Sequence[str]) -> None:
        for place in places:
            path = self._path(tenant, place)
            path.unlink(missing_ok=True)
            path.with_suffix(_HALF).unlink(missing_ok=True)

    async def places(self, tenant: str, before_us: int) -> Sequence[str]:
        return await asyncio.to_thread(self._old, tenant, before_us)

    def _old(self, tenant: str, before_us: int) -> Sequence[str]:
        return [
            path.stem
            for path in (self.folder / tenant).glob("*/*")
            if path.stat().st_mtime_ns // 1000 < before_us
        ]

    def _path(self, tenant: str, place: str) -> Path:
        return self.folder / tenant / place[:2] / place


def _created(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _finished(file: IO[bytes], half: Path, path: Path) -> None:
    """Let a file have its name once its bytes are on disk, and the name as well."""
    file.flush()
    os.fsync(file.fileno())
    half.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@dataclass(frozen=True, slots=True)
class RowShelf:
    """Implements `BlobShelf` in rows of `blob_chunk`, a chunk each."""

    store: HotStore
    clock: Callable[[], int]

    async def write(
        self, tenant: str, place: str, chunks: AsyncIterator[bytes]
    ) -> None:
        n = 0
        async for chunk in chunks:
            await self._add(tenant, place, n, chunk)
            n += 1

    async def _add(self, tenant: str, place: str, n: int, chunk: bytes) -> None:
        row = {
            "tenant": tenant,
            "place": place,
            "n": n,
            "sealed": chunk,
            "at_us": self.clock(),
        }

        await run_one(self.store, Insert("blob_chunk", [row]))

    async def read(self, tenant: str, place: str) -> AsyncIterator[bytes]:
        n = 0
        while rows := await self.store.fetch(
            Statement(
                "SELECT sealed FROM blob_chunk WHERE tenant = :tenant "
                "AND place = :place AND n = :n",
                {"tenant": tenant, "place": place, "n": n},
            )
        ):
            yield bytes(rows[0][0])
            n += 1
        if not n:
            raise NotFound("the file's bytes are not there")

    async def remove(self, tenant: str, places: Sequence[str]) -> None:
        def program(place: str) -> Program[None]:
            yield Statement(
                "DELETE FROM blob_chunk WHERE tenant = :tenant AND place = :place",
                {"tenant": tenant, "place": place},
            )

        for place in places:
            await self.store.run(lambda gone=place: program(gone))  # type: ignore[misc]

    async def places(self, tenant: str, before_us: int) -> Sequence[str]:
        rows = await self.store.fetch(
            Statement(
                "SELECT place FROM blob_chunk WHERE tenant = :tenant AND n = 0 "
                "AND at_us < :before",
                {"tenant": tenant, "before": before_us},
            )
        )
        return [place for (place,) in rows]
