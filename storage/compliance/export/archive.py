"""
Zip files that are the same bytes wherever and whenever they are made.

Nothing is compressed: two builds of zlib need not agree on what a level means. Times
are 1 January 1980, modes 0644, paths sorted by who calls.
"""

import zipfile
from collections.abc import Iterable
from hashlib import sha256
from types import TracebackType
from typing import IO, Self

from bridge.errors import BadInput

_UNIX = 3
_MODE = 0o100644 << 16


class ZipWriter:
    """Writes to a seekable stream."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._zip.close()

    def add(self, path: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        """Add a file; returns its size and its SHA-256 in hexadecimal."""
        if path.startswith("/") or ".." in path.split("/") or "\\" in path:
            raise BadInput("a path of the export leads out of it")
        info = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
        info.create_system, info.external_attr = _UNIX, _MODE
        size, digest = 0, sha256()
        with self._zip.open(info, "w", force_zip64=True) as target:
            for chunk in chunks:
                target.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        return size, digest.hexdigest()
