"""
What could not be taken in while the database was away: kept on this machine's disk.

A process appends to a file of its own, and answers after that is on the disk. Records
are sealed with AES-256-GCM (NIST SP 800-38D) under a key that is beside the others in
`ATOM_HOME/keys`. A file whose process has died is taken over by another one.
"""

import asyncio
import fcntl
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes, token_hex

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.errors import StoreUnavailable
from bridge.spooled import Kept

_HEAD = struct.Struct(">I")  # the length of the sealed record behind it
_NONCE_BYTES = 12
_KEY_BYTES = 32
_MOST = 64 << 20  # bytes of one record; what claims more is damage
_KEPT_FOR = b"atom/spool/v1"
_OWNER_ONLY = 0o600


@dataclass(slots=True)
class Spool:
    """
    One process's file, of at most `most` bytes.

    `keep` appends, `records` reads from the front, and `clear` empties it, if nothing
    was appended meanwhile.
    """

    path: Path
    key: bytes
    most: int
    _file: int = field(init=False)
    _size: int = field(init=False)
    _waiting: list[tuple[bytes, asyncio.Future[None]]] = field(default_factory=list)
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._file = os.open(self.path, flags, _OWNER_ONLY)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._size = os.fstat(self._file).st_size

    @property
    def size(self) -> int:
        """Return how many bytes there are to be taken in."""
        return self._size

    async def keep(self, kept: Kept) -> None:
        """
        Append a record; return when it is on the disk.

        Raises `StoreUnavailable` if the file is full, or cannot be written.
        """
        sealed = self._sealed(kept)
        waiting = sum(len(record) for record, _ in self._waiting)
        if self._size + waiting + len(sealed) > self.most:
            raise StoreUnavailable("the spool is full")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((sealed, done))
        async with self._writing:
            if not done.done():
                await self._flush()
        await done

    async def _flush(self) -> None:
        """Write all that wait with one flush."""
        batch, self._waiting = self._waiting, []
        try:
            await asyncio.to_thread(self._append, b"".join(each for each, _ in batch))
        except OSError as error:
            # A part of it may stand there: what is read stops at what is not whole.
            os.ftruncate(self._file, self._size)
            for _, done in batch:
                done.set_exception(StoreUnavailable(f"the spool: {error.strerror}"))
            return
        self._size += sum(len(each) for each, _ in batch)
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    def _append(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)

    def records(self, start: int = 0) -> Iterator[tuple[Kept, int]]:
        """
        Yield records from a place on, each with the place behind it.

        Ends before a record that is not whole: its process died while it wrote it, and
        never said that it was kept.
        """
        place = start
        while True:
            head = os.pread(self._file, _HEAD.size, place)
            if len(head) < _HEAD.size:
                return
            [length] = _HEAD.unpack(head)
            sealed = os.pread(self._file, min(length, _MOST), place + _HEAD.size)
            kept = self._opened(sealed) if len(sealed) == length else None
            if kept is None:
                return
            place += _HEAD.size + length
            yield kept, place

    async def clear(self, upto: int) -> bool:
        """Empty the file if it ends at this place; returns whether it did."""
        async with self._writing:
            if self._size > upto:
                return False
            os.ftruncate(self._file, 0)
            os.fsync(self._file)
            self._size = 0
            return True

    def aside(self) -> str:
        """Put a file away of which not all can be read; returns its new name."""
        name = self.path.with_suffix(".damaged")
        self.path.rename(name)
        return str(name)

    def close(self) -> None:
        """Let go of the file. An empty one is removed."""
        if not self._size:
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    def _sealed(self, kept: Kept) -> bytes:
        nonce = token_bytes(_NONCE_BYTES)
        plain = f"{kept.source} {kept.at_us}\n".encode() + kept.raw
        sealed = nonce + AESGCM(self.key).encrypt(nonce, plain, _KEPT_FOR)
        return _HEAD.pack(len(sealed)) + sealed

    def _opened(self, sealed: bytes) -> Kept | None:
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            plain = AESGCM(self.key).decrypt(nonce, rest, _KEPT_FOR)
        except (InvalidTag, ValueError):
            return None
        told, _, raw = plain.partition(b"\n")
        source, at_us = told.decode().split(" ")
        return Kept(source, int(at_us), raw)


@dataclass(frozen=True, slots=True)
class SpoolFolder:
    """`ATOM_HOME/spool`, where each process has a file. Raises `StoreUnavailable`."""

    home: Path
    most: int

    def own(self) -> Spool:
        """Make this process's file."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._spool(self._folder / f"{token_hex(8)}.spool")

    def left(self) -> Iterator[Spool]:
        """Yield the files of processes that have died, each taken over."""
        for path in sorted(self._folder.glob("*.spool")):
            try:
                yield self._spool(path)
            except (BlockingIOError, FileNotFoundError):
                continue  # its process lives, or somebody was quicker

    def waiting(self) -> int:
        """Return how many bytes are to be taken in, those of living processes too."""
        return sum(_size(path) for path in self._folder.glob("*.spool"))

    def damaged(self) -> list[Path]:
        """Return the files that were put aside."""
        return sorted(self._folder.glob("*.damaged"))

    @property
    def _folder(self) -> Path:
        return self.home / "spool"

    def _spool(self, path: Path) -> Spool:
        return Spool(path, self._key(), self.most)

    def _key(self) -> bytes:
        folder = self.home / "keys"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "spool.secret"
        try:
            return bytes.fromhex(path.read_text())
        except FileNotFoundError:
            made = folder / f".{token_hex(8)}"
            file = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
            with os.fdopen(file, "w") as stream:
                stream.write(token_bytes(_KEY_BYTES).hex())
                stream.flush()
                os.fsync(stream.fileno())
            try:
                os.link(made, path)  # whoever is first, made it for all
            except FileExistsError:
                pass
            finally:
                made.unlink()
            return bytes.fromhex(path.read_text())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # emptied meanwhile
        return 0
