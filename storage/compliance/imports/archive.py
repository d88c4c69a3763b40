"""
Zip files from elsewhere: read one entry at a time, and believed in nothing.

Refused are names that lead out of the archive, links, encryption, what is there twice,
and what unpacks to far more than it weighs.
"""

import json
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bridge.errors import BadInput

_MEGABYTE = 1024 * 1024
_MOST_ENTRIES = 2_000_000
_MOST_JSON = 512 * _MEGABYTE  # in one entry
_MOST_TOTAL = 64 * 1024 * _MEGABYTE
_MOST_RATIO = 300  # JSON of chat rarely reaches 30
_SMALL = 16 * _MEGABYTE  # what unpacks to less may have any ratio


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was looked at. `names` are its files, sorted."""

    zip: zipfile.ZipFile
    names: Sequence[str]

    def json(self, name: str) -> Any:
        """Return what a file holds. Raises `BadInput`."""
        return parsed(self._read(name), name)

    def _read(self, name: str) -> bytes:
        try:
            with self.zip.open(name) as stream:
                data = stream.read(_MOST_JSON + 1)
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
            raise BadInput(f"'{shown(name)}' in the archive is damaged") from error
        except Exception as error:  # zlib.error, lzma.LZMAError and their like
            raise BadInput(f"'{shown(name)}' in the archive is damaged") from error
        if len(data) > _MOST_JSON:
            raise BadInput(f"'{shown(name)}' unpacks to more than is read at once")
        return data


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open and look at an archive. Raises `BadInput` saying what is wrong with it."""
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist") from error
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadInput(f"{path} is no zip file, or a damaged one") from error
    with archive:
        yield Archive(archive, _looked_at(archive, path))


def parsed(data: bytes, name: str) -> Any:
    """
    Read JSON from elsewhere: lone halves of characters are in many exports.

    Raises `BadInput`.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"'{shown(name)}' is no JSON") from error


def shown(name: str) -> str:
    """Return a name that cannot break the line of an error."""
    return "".join(c if c.isprintable() else "�" for c in name)[:120]


def _looked_at(archive: zipfile.ZipFile, path: Path) -> Sequence[str]:
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise BadInput(f"{path} has more than {_MOST_ENTRIES} files")
    weight = path.stat().st_size
    names: set[str] = set()
    packed = unpacked = 0
    for entry in entries:
        _look_at(entry)
        if entry.filename in names:
            raise BadInput(f"'{shown(entry.filename)}' is in the archive twice")
        names.add(entry.filename)
        packed, unpacked = packed + entry.compress_size, unpacked + entry.file_size
    # Entries that overlap weigh more together than the file that holds them.
    if packed > weight or unpacked > _MOST_TOTAL:
        raise BadInput(f"{path} unpacks to far more than it weighs: it is refused")
    return sorted(name for name in names if not name.endswith("/"))


def _look_at(entry: zipfile.ZipInfo) -> None:
    # `filename` is cut at a NUL and has its separators turned; the other one is raw.
    for name in (entry.filename, entry.orig_filename):
        parts = name.replace("\\", "/").split("/")
        drive = parts[0].endswith(":") or (len(parts[0]) > 1 and parts[0][1] == ":")
        if name.startswith(("/", "\\")) or ".." in parts or drive or "\0" in name:
            raise BadInput(f"'{shown(name)}' leads out of the archive: it is refused")
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise BadInput(f"'{shown(entry.filename)}' is a link or no file: it is refused")
    if entry.flag_bits & 1:
        raise BadInput(f"'{shown(entry.filename)}' is encrypted: it cannot be read")
    if entry.file_size > max(_SMALL, entry.compress_size * _MOST_RATIO):
        raise BadInput(f"'{shown(entry.filename)}' unpacks to far more than it weighs")
