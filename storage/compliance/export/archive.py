"""
Zip files that are the same bytes wherever, whenever and by whichever Python they are made.

Nothing is compressed: two builds of zlib need not agree on what a level means. Times
are 1 January 1980, modes 0644, paths sorted by who calls. The format is PKWARE's
APPNOTE 6.3, with the fields of zip64 in every header, so that nothing has to be known
of a file before it is written. Python's `zipfile` writes the same, and goes back to
each header; most of an export's files are proofs of half a kilobyte.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from types import TracebackType
from typing import IO, Self
from zlib import crc32

from bridge.errors import BadInput

_UNIX = 3
_MODE = 0o100644 << 16
_VERSION = 45  # the first that knows zip64
_NEW_YEAR_1980 = 0x0021
_UTF8 = 0x800
_LIMIT = (1 << 31) - 1  # above it, what stands in the directory is in zip64
_MOST_FILES = 0xFFFF
_FULL = 0xFFFFFFFF

_HEADER = struct.Struct("<4s2B4HL2L2H")
_SIZES = struct.Struct("<HHQQ")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True, slots=True)
class _File:
    """One file of the archive, as its headers tell of it."""

    name: bytes
    flags: int
    crc: int
    size: int
    start: int

    @property
    def header(self) -> bytes:
        """What stands before its bytes."""
        head = _HEADER.pack(
            b"PK\3\4",
            _VERSION,
            0,
            self.flags,
            0,
            0,
            _NEW_YEAR_1980,
            self.crc,
            _FULL,
            _FULL,
            len(self.name),
            _SIZES.size,
        )
        sizes = _SIZES.pack(1, _SIZES.size - 4, self.size, self.size)
        return head + self.name + sizes

    @property
    def entry(self) -> bytes:
        """What stands in the directory at the archive's end."""
        more = []
        size, start = self.size, self.start
        if size > _LIMIT:
            more += [size, size]
            size = _FULL
        if start > _LIMIT:
            more.append(start)
            start = _FULL
        extra = b""
        if more:
            extra = struct.pack(f"<HH{len(more)}Q", 1, 8 * len(more), *more)
        told = _ENTRY.pack(
            b"PK\1\2",
            _VERSION,
            _UNIX,
            _VERSION,
            0,
            self.flags,
            0,
            0,
            _NEW_YEAR_1980,
            self.crc,
            size,
            size,
            len(self.name),
            len(extra),
            0,
            0,
            0,
            _MODE,
            start,
        )
        return told + self.name + extra


class ZipWriter:
    """Writes to a seekable stream that is empty."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._files: list[_File] = []
        self._at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        start = self._at
        for file in self._files:
            self._write(file.entry)
        self._end(start, self._at - start)
        self._stream.flush()

    def add(self, path: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        """Add a file; returns its size and its SHA-256 in hexadecimal."""
        if path.startswith("/") or ".." in path.split("/") or "\\" in path:
            raise BadInput("a path of the export leads out of it")
        coming = iter(chunks)
        first, second = next(coming, b""), next(coming, None)
        name, flags, start = path.encode(), 0 if path.isascii() else _UTF8, self._at
        file = _File(name, flags, crc32(first), len(first), start)
        self._write(file.header)
        self._write(first)
        digest = sha256(first)
        if second is not None:
            crc, size = file.crc, file.size
            while second is not None:
                crc, size = crc32(second, crc), size + len(second)
                digest.update(second)
                self._write(second)
                second = next(coming, None)
            file = _File(name, flags, crc, size, start)
            self._stream.seek(start)
            self._stream.write(file.header)
            self._stream.seek(self._at)
        self._files.append(file)
        return file.size, digest.hexdigest()

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self._at += len(data)

    def _end(self, start: int, size: int) -> None:
        count, end = len(self._files), self._at
        if count > _MOST_FILES or start > _LIMIT or size > _LIMIT:
            self._write(
                _END_64.pack(b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
            )
            self._write(_LOCATOR.pack(b"PK\6\7", 0, end, 1))
            count, size, start = min(count, 0xFFFF), min(size, _FULL), min(start, _FULL)
        self._write(_END.pack(b"PK\5\6", 0, 0, count, count, size, start, 0))
