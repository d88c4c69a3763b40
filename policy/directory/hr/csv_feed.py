"""A CSV file that HR puts somewhere, again and again, as a feed of workers."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from bridge.errors import BadInput
from policy.directory.hr.csv_file import Layout, Parsed, checksum, parsed
from policy.directory.hr.source import Mark, Told

_LARGEST = 256 * 1024 * 1024  # bytes
_FEWEST = 2  # lines that may come and go in any file


@dataclass(frozen=True, slots=True)
class CsvFeed:
    """
    Implements `policy.directory.hr.source.Feed`.

    A file that has `guard` (a share) more or fewer lines than the last one is not
    believed to name everybody, unless its trailer counts them. Beside `path` there may
    be a `path.sha256`, and must be if `checked`.
    """

    path: Path
    layout: Layout
    guard: float = 0.10
    checked: bool = False

    async def everything(self, mark: Mark) -> Told:
        # Files block, and may lie on a network share that is away.
        content, stamp = await asyncio.to_thread(self._content)
        # A large file takes seconds to take apart.
        found = await asyncio.to_thread(parsed, content, self.layout)
        problems = (*found.problems, *self._odd_size(found, mark))
        return Told(
            found.workers,
            {"rows": found.rows, "stamp": stamp, "sha256": checksum(content)},
            problems=problems,
        )

    async def changed(self, mark: Mark) -> Told | None:
        stamp = await asyncio.to_thread(self._stamp)
        if stamp == mark.get("stamp"):
            return None
        return await self.everything(mark)

    def _content(self) -> tuple[bytes, str]:
        """Return what is in the file, and what tells this writing of it from others."""
        before = self._stamp()
        try:
            if self.path.stat().st_size > _LARGEST:
                raise BadInput(f"{self.path.name} is larger than 256 MB")
            content = self.path.read_bytes()
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if self._stamp() != before:
            raise BadInput(f"{self.path.name} is being written: it is read again later")
        self._check(content)
        return content, before

    def _stamp(self) -> str:
        try:
            found = self.path.stat()
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"

    def _check(self, content: bytes) -> None:
        beside = self.path.with_name(f"{self.path.name}.sha256")
        try:
            wanted = beside.read_text("ascii", "replace").split()
        except FileNotFoundError:
            if self.checked:
                raise BadInput(f"there is no checksum {beside.name}") from None
            return
        except OSError as error:
            raise _unreadable(beside, error) from error
        if wanted[:1] != [checksum(content)]:
            raise BadInput(
                f"{self.path.name} is not what {beside.name} says: it was cut off or "
                "changed on its way"
            )

    def _odd_size(self, found: Parsed, mark: Mark) -> tuple[str, ...]:
        last = mark.get("rows")
        if found.counted or not isinstance(last, int) or last <= 0:
            return ()
        if abs(found.rows - last) <= max(last * self.guard, _FEWEST):
            return ()
        said = f"there are {found.rows} workers' lines where there were {last}"
        return (f"{said}: if that is right, let a trailer in the file count them",)


def _unreadable(path: Path, error: OSError) -> BadInput:
    reason = error.strerror or "it cannot be read"
    return BadInput(f"{path}: {reason[:1].lower()}{reason[1:]}")
