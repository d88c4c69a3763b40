"""What bringing files across asks of the outside world."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bridge.delivery import Copy
from bridge.files import Told
from bridge.messages import Channel, File, Person, Platform
from bridge.reactions import Spot


@dataclass(frozen=True, slots=True)
class Parcel:
    """
    A file as the target needs it: what it is called, and which thread it goes to.

    `mark` is the same for every attempt to bring this file below this copy; by it the
    file is found again when an answer was lost. `page` is where people open the
    original, empty if nowhere.
    """

    mark: str
    target: Channel
    thread: str
    author: Person
    origin: Platform
    name: str
    mime: str = ""
    page: str = ""


class Kept(Protocol):
    """One file's bytes while it crosses. They are on disk, not in memory."""

    @property
    def size(self) -> int: ...

    @property
    def sha256(self) -> str:
        """The hash of everything written so far, in hexadecimal."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Add bytes at the end."""
        ...

    def chunks(self, first: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read from `first` to before `end`, some tens of kilobytes at a time."""
        ...


class Shelf(Protocol):
    """Where files are kept while they cross, and no longer."""

    def room(self) -> AbstractAsyncContextManager[Kept]:
        """Lend room for one file; whatever happens, nothing is left of it after."""
        ...


class FileSource(Protocol):
    """
    Where files come from. Only the platform's own addresses are ever asked.

    Methods raise `StaysBehind` for a file that can never be had, `NotGiven` for one
    that may be given out later, and `Throttled`, `NotSent` or `Refused`.
    """

    async def look(self, spot: Spot, file: File) -> File:
        """Return the file with what its message did not tell: name, size, address."""
        ...

    def read(self, spot: Spot, file: File) -> AsyncGenerator[bytes, None]:
        """Yield the bytes, some tens of kilobytes at a time."""
        ...


class FileTarget(Protocol):
    """How files come to stand on one platform."""

    async def put(self, parcel: Parcel, kept: Kept) -> str:
        """
        Store the file and show it in its thread; return its id there.

        Raises `StaysBehind`, `Throttled`, `NotSent`, `Ambiguous` or `Refused`.
        """
        ...

    async def find(self, parcel: Parcel, since_us: int) -> str | None:
        """
        Look up whether a `put` whose answer was lost took effect.

        Returns the file's id, or None if it is certain that it does not show. Raises
        `CannotTell`, `Throttled` or `NotSent`.
        """
        ...

    async def remove(self, spot: Spot, remote: str) -> None:
        """
        Remove a file, and what shows it in the thread of the message at the spot.

        What is gone is removed. Raises `Throttled`, `NotSent`, `Ambiguous`, `Refused`.
        """
        ...


class Scanner(Protocol):
    """What looks for viruses."""

    async def scan(self, chunks: AsyncIterator[bytes]) -> str:
        """
        Return the name of what was found, or nothing for a clean file.

        Raises `ServiceUnavailable` as long as it cannot tell, and `StaysBehind` for a
        file that is larger than it will ever look at.
        """
        ...


class FileLog(Protocol):
    """What the log knows about copies of files."""

    async def told(self, copy: Copy) -> Told:
        """Return what was said about the files below a copy."""
        ...
