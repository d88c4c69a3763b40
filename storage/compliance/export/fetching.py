"""Bring the bytes of the chosen messages' files into the export's folder, each once."""

from collections.abc import AsyncIterator
from hashlib import md5, sha256
from typing import Protocol

from bridge.errors import NotFound
from storage.compliance.export.gathering import Progress
from storage.compliance.export.question import Question
from storage.compliance.export.spool import Spool
from storage.compliance.export.spooled import FILES
from storage.compliance.keys import SealBroken

MOST_BYTES = 4 * 1024 * 1024 * 1024
"""A file larger than this is named with its hash, and left out."""


class Blobs(Protocol):
    """Where files' bytes are kept; `storage.compliance.blobs.kept` is one."""

    def read(self, tenant: str, name: str) -> AsyncIterator[bytes]:
        """Yield a blob's bytes. Raises `NotFound` or `SealBroken`."""
        ...


async def fetch(
    spool: Spool,
    blobs: Blobs,
    question: Question,
    progress: Progress,
    most: int,
) -> None:
    """Read what is not here yet. What cannot be had is noted with the reason."""
    waiting = [
        *spool.rows(
            "SELECT path, blob FROM content WHERE start IS NULL AND missing = '' "
            "ORDER BY path"
        )
    ]
    for done, (path, blob) in enumerate(waiting, 1):
        try:
            await _fetched(spool, blobs.read(question.tenant, blob), path, most)
        except NotFound:
            _missing(spool, path, "erased, or not kept any more")
        except SealBroken:
            _missing(spool, path, "its bytes were changed where they are kept")
        except _TooLarge:
            _missing(spool, path, f"larger than {most} bytes")
        progress("fetching files", done, len(waiting))


class _TooLarge(Exception):
    """The file has more bytes than an export takes."""


async def _fetched(
    spool: Spool, chunks: AsyncIterator[bytes], path: str, most: int
) -> None:
    start = next(spool.rows("SELECT COALESCE(MAX(start + size), 0) FROM content"))[0]
    size, strong, weak = 0, sha256(), md5(usedforsecurity=False)
    with spool.writing(FILES, start) as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise _TooLarge
            file.write(chunk)
            strong.update(chunk)
            weak.update(chunk)
    spool.base.execute(
        "UPDATE content SET start = ?, size = ?, sha256 = ?, md5 = ? WHERE path = ?",
        (start, size, strong.hexdigest(), weak.hexdigest(), path),
    )


def _missing(spool: Spool, path: str, reason: str) -> None:
    spool.base.execute("UPDATE content SET missing = ? WHERE path = ?", (reason, path))
