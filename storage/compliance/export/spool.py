"""
The folder in which an export is put together, and the journal of what is done in it.

Everything that a killed process must not do again is one SQLite file: which entries
were read, which files' bytes are here, which formats are written. Large contents stand
in files beside it, and only up to where the journal says. It holds what people said:
its mode is 0700, and it is removed when the export is there.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from bridge.errors import BadInput
from storage.compliance.export.text import as_json

_TABLES = """
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fact (
    seq INTEGER PRIMARY KEY, place TEXT NOT NULL, msg TEXT NOT NULL,
    told BLOB NOT NULL, nonce TEXT NOT NULL, body BLOB NOT NULL,
    leaf BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS fact_message ON fact (place, msg, seq);
CREATE TABLE IF NOT EXISTS item (
    place TEXT NOT NULL, at_us INTEGER NOT NULL, seq INTEGER NOT NULL,
    msg TEXT NOT NULL, thread TEXT NOT NULL, author TEXT NOT NULL,
    files INTEGER NOT NULL, packed BLOB NOT NULL, PRIMARY KEY (place, at_us, seq));
CREATE INDEX IF NOT EXISTS item_thread ON item (place, thread, at_us, seq);
CREATE TABLE IF NOT EXISTS place (key TEXT PRIMARY KEY, told BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS content (
    path TEXT PRIMARY KEY, blob TEXT NOT NULL, size INTEGER NOT NULL,
    start INTEGER, sha256 TEXT NOT NULL, md5 TEXT NOT NULL, missing TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS unkept (path TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS part (
    path TEXT PRIMARY KEY, store TEXT NOT NULL, start INTEGER NOT NULL,
    size INTEGER NOT NULL, sha256 TEXT NOT NULL, entries BLOB);
"""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A content in one of the folder's files."""

    store: str
    start: int
    size: int


class Spool:
    """One export's folder. A second process in the same folder is refused."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.base = sqlite3.connect(
            folder / "journal.db",
            isolation_level=None,
            check_same_thread=False,
            timeout=0,
        )
        try:
            self.base.execute("PRAGMA locking_mode=EXCLUSIVE")
            self.base.execute("PRAGMA journal_mode=WAL")
            self.base.execute("PRAGMA synchronous=NORMAL")
            self.base.execute("PRAGMA cache_size=-65536")
            self.base.executescript(_TABLES)
        except sqlite3.OperationalError as error:
            self.base.close()
            raise BadInput("this export is being made by another process") from error

    def close(self) -> None:
        self.base.close()

    def remove(self) -> None:
        self.close()
        shutil.rmtree(self.folder)

    def get(self, name: str, default: str = "") -> str:
        row = self.base.execute(
            "SELECT value FROM state WHERE name = ?", (name,)
        ).fetchone()
        return row[0] if row else default

    def put(self, name: str, value: str) -> None:
        self.base.execute(
            "INSERT INTO state VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    @contextmanager
    def together(self) -> Iterator[sqlite3.Connection]:
        """Do several things or none."""
        self.base.execute("BEGIN")
        try:
            yield self.base
        except BaseException:
            self.base.execute("ROLLBACK")
            raise
        self.base.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Read with a cursor of its own, row by row."""
        yield from self.base.cursor().execute(sql, values)

    def path(self, store: str) -> Path:
        return self.folder / f"{store}.bin"

    def append(self, store: str, start: int, chunks: Iterable[bytes]) -> int:
        """Write a content at a place of a store; returns its size, once on disk."""
        with self.writing(store, start) as file:
            for chunk in chunks:
                file.write(chunk)
            return int(file.tell()) - start

    @contextmanager
    def writing(self, store: str, start: int) -> Iterator[Any]:
        """Open a store to write from a place on: what stood there is cut off."""
        path = self.path(store)
        flags = os.O_RDWR | os.O_CREAT
        with os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=_CHUNK) as file:
            file.truncate(start)
            file.seek(start)
            yield file
            file.flush()
            os.fsync(file.fileno())

    def read(self, piece: Piece) -> Iterator[bytes]:
        """Yield a content in chunks of at most 1 MiB."""
        if not piece.size:
            return
        with self.path(piece.store).open("rb") as file:
            yield from _piece(file, piece)

    @contextmanager
    def reading(self) -> Iterator[Callable[[Piece], Iterator[bytes]]]:
        """Read many contents: each store is opened once, and they come in turn."""
        with ExitStack() as open_ones:
            files: dict[str, IO[bytes]] = {}

            def read(piece: Piece) -> Iterator[bytes]:
                if piece.size and piece.store not in files:
                    file = self.path(piece.store).open("rb")
                    files[piece.store] = open_ones.enter_context(file)
                return _piece(files[piece.store], piece) if piece.size else iter(())

            yield read


def _piece(file: IO[bytes], piece: Piece) -> Iterator[bytes]:
    file.seek(piece.start)
    left = piece.size
    while left:
        chunk = file.read(min(left, _CHUNK))
        if not chunk:
            raise BadInput("the export's folder was changed: remove it")
        left -= len(chunk)
        yield chunk


def place_key(platform: str, team: str, conv: str) -> str:
    """Return a place as one text that sorts by platform, team and id."""
    return as_json([platform, team, conv]).decode()


def split_key(key: str) -> tuple[str, str, str]:
    platform, team, conv = unjson(key)
    return platform, team, conv


def unjson(data: bytes | str) -> Any:
    return orjson.loads(data)
