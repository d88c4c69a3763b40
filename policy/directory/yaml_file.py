"""Read the company's directory from a YAML file, and again whenever it changes."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from bridge.directory.model import Gone, Reading
from policy.directory.yaml_people import Mistakes, people_in

_LOOK = 0.2  # seconds between looks at the file
_ALIVE = 20.0  # seconds after which it is said that nothing changed
_LARGEST = 64 << 20

_Stamp = tuple[int, int, int]


@dataclass(slots=True)
class YamlFile:
    """
    Implements `bridge.directory.ports.Source` on a file that people edit.

    Whoever is taken out of the file while it is followed is gone. Whoever is not in it
    when ATOM starts is missing first: the file may be the wrong one.
    """

    name: str
    path: Path
    look: float = _LOOK
    _ids: frozenset[str] = frozenset()
    _stamp: _Stamp = field(default=(0, 0, 0))

    async def read(self, cursor: bytes) -> AsyncIterator[Reading]:
        # Reading and parsing a large file takes seconds: not on the loop.
        yield await asyncio.to_thread(self._reading, cursor)

    async def follow(self, cursor: bytes) -> AsyncIterator[Reading]:
        told, before = time.monotonic(), _stamp_of(self.path)
        if before != self._stamp:
            yield await asyncio.to_thread(self._reading, cursor)
        while True:
            await asyncio.sleep(self.look)
            now = _stamp_of(self.path)
            # Whoever writes it may not be done: it is read once it stands still.
            if now == before and now != self._stamp:
                yield await asyncio.to_thread(self._reading, b"")
                told = time.monotonic()
            elif time.monotonic() - told >= _ALIVE and now == self._stamp:
                yield Reading(self.name, whole=False, cursor=b"")
                told = time.monotonic()
            before = now

    def _reading(self, cursor: bytes) -> Reading:
        """Return all that is in the file, or nothing if it is what the cursor says."""
        stamp = _stamp_of(self.path)
        try:
            content = self._content()
            digest = hashlib.sha256(content).digest()
            if cursor == digest and self._ids:
                self._stamp = stamp
                return Reading(self.name, whole=False, cursor=digest)
            entries = people_in(content.decode("utf-8-sig"))
        except OSError as error:
            return self._broken(f"it cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            self._stamp = stamp
            return self._broken("it is not UTF-8")
        except Mistakes as mistakes:
            self._stamp = stamp
            return self._broken(str(mistakes))
        ids = frozenset(entry.id for entry in entries)
        gone = tuple(Gone(id_) for id_ in sorted(self._ids - ids))
        self._ids, self._stamp = ids, stamp
        return Reading(self.name, whole=True, entries=entries, gone=gone, cursor=digest)

    def _content(self) -> bytes:
        with self.path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise OSError(0, f"it is larger than {_LARGEST >> 20} MB")
        return content

    def _broken(self, why: str) -> Reading:
        return Reading(
            self.name, whole=True, complete=False, why=f"{self.path.name}: {why}"
        )


def _stamp_of(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
