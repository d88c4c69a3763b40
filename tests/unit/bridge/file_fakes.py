"""Fakes around files, which remember what they were asked and told."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bridge.delivery import Copy
from bridge.errors import AtomError
from bridge.file_ports import Kept, Parcel
from bridge.files import FileWord, Told, folded
from bridge.messages import File
from bridge.reactions import Spot


@dataclass
class FakeFileLog:
    """The words that outcomes have left behind."""

    words: list[FileWord] = field(default_factory=list)

    async def told(self, copy: Copy) -> Told:
        return folded(word for word in self.words if word.message == copy.remote)


@dataclass
class FakeSource:
    """Gives out bytes by the file's id, in chunks; `read_` counts what was asked for."""

    content: dict[str, list[bytes]] = field(default_factory=dict)
    failures: list[AtomError] = field(default_factory=list)
    known: dict[str, File] = field(default_factory=dict)
    given: int = 0

    async def look(self, spot: Spot, file: File) -> File:
        return self.known.get(file.id, file)

    async def read(self, spot: Spot, file: File) -> AsyncGenerator[bytes, None]:
        if self.failures:
            raise self.failures.pop(0)
        for chunk in self.content[file.id]:
            self.given += len(chunk)
            yield chunk


@dataclass
class FakeFileTarget:
    """A platform on which files stand. A lost answer may still have its effect."""

    failures: list[AtomError] = field(default_factory=list)
    lost: list[AtomError] = field(default_factory=list)
    blindness: AtomError | None = None
    standing: dict[str, tuple[Parcel, bytes]] = field(default_factory=dict)
    puts: int = 0
    finds: int = 0

    async def put(self, parcel: Parcel, kept: Kept) -> str:
        self.puts += 1
        if self.failures:
            raise self.failures.pop(0)
        remote = f"f{self.puts}"
        content = b"".join([chunk async for chunk in kept.chunks()])
        self.standing[remote] = (parcel, content)
        if self.lost:
            raise self.lost.pop(0)
        return remote

    async def find(self, parcel: Parcel, since_us: int) -> str | None:
        self.finds += 1
        if self.blindness:
            raise self.blindness
        for remote, (there, _) in self.standing.items():
            if there.mark == parcel.mark:
                return remote
        return None

    async def remove(self, spot: Spot, remote: str) -> None:
        self.standing.pop(remote, None)


@dataclass
class FakeKept:
    content: bytearray = field(default_factory=bytearray)

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    async def write(self, chunk: bytes) -> None:
        self.content += chunk

    async def chunks(
        self, first: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        yield bytes(self.content[first:end])


@dataclass
class FakeShelf:
    """Remembers how much was put on it at most."""

    rooms: list[FakeKept] = field(default_factory=list)

    @asynccontextmanager
    async def room(self) -> AsyncIterator[FakeKept]:
        self.rooms.append(FakeKept())
        yield self.rooms[-1]


@dataclass
class FakeScanner:
    """Finds a virus wherever it says so."""

    failures: list[AtomError] = field(default_factory=list)
    looked: int = 0

    async def scan(self, chunks: AsyncIterator[bytes]) -> str:
        self.looked += 1
        if self.failures:
            raise self.failures.pop(0)
        content = b"".join([chunk async for chunk in chunks])
        return "Virus.Test" if b"virus" in content else ""
