"""Fetch what people shared, keep it, and say so in the log."""

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from bridge.errors import AtomError, Throttled
from bridge.file_ports import FileSource, Kept, Shelf
from bridge.files import Fate, StaysBehind
from bridge.messages import File, Platform
from bridge.reactions import Spot
from storage.compliance.blobs.kept import Blob, Blobs
from storage.compliance.blobs.plan import KEPT, FileWord, Task, as_told, tasks
from storage.compliance.blobs.work import FileWork, FileWorkList
from storage.hot import Statement
from storage.journal import Journal
from storage.log_reader import LogReader
from storage.writes import Entry, Origin, Said, Write

log = structlog.get_logger()

_SECOND = 1_000_000
_FIRST_PAUSE_US = 15 * _SECOND
_LONGEST_PAUSE_US = 3600 * _SECOND
_PATIENCE_US = 24 * 3600 * _SECOND
_DOUBLED_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class _Ending:
    """What became of a file, for its entry; a `blob` is what `changes` hold."""

    outcome: str
    file: File
    reason: str = ""
    blob: Blob | None = None
    changes: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class FileKeeper:
    """
    Sees to the files of one message at a time.

    `most` is how many bytes a file may have to be kept. What cannot be had now is
    asked for again for a day; then, and when it never can, the entry says why.
    """

    sources: Mapping[Platform, FileSource]
    shelf: Shelf
    blobs: Blobs
    journal: Journal
    reader: LogReader
    work: FileWorkList
    clock: Callable[[], int]
    most: int

    async def next(self) -> bool:
        """See to what is due the longest; returns whether anything was."""
        work = await self.work.claim()
        if work is None:
            return False
        try:
            await self._see_to(work)
        except AtomError as error:
            wait = _pause(work.tries)
            if isinstance(error, Throttled):
                wait = max(int(error.retry_after * _SECOND), _SECOND)
            log.info("files wait", platform=work.channel.platform, reason=str(error))
            await self.work.again(work, self.clock() + wait)
        else:
            await self.work.done(work)
        return True

    async def _see_to(self, work: FileWork) -> None:
        entries = await self.reader.about(
            work.tenant, work.channel.id, work.message, "%"
        )
        ours = [e for e in entries if e.row["platform"] == work.channel.platform]
        for task in tasks(ours):
            if task.word is FileWord.DELETE:
                await self._write(work, task, _Ending("deleted", task.file))
            else:
                await self._keep(work, task)

    async def _keep(self, work: FileWork, task: Task) -> None:
        patient = self.clock() - work.since_us < _PATIENCE_US
        try:
            await self._fetched(work, task)
        except StaysBehind as error:
            await self._write(work, task, _Ending(error.fate, task.file, error.detail))
        except AtomError as error:
            if patient:
                raise
            await self._write(work, task, _Ending(Fate.FAILED, task.file, str(error)))

    async def _fetched(self, work: FileWork, task: Task) -> None:
        source = self.sources.get(work.channel.platform)
        if source is None:
            raise StaysBehind(Fate.FAILED, "the platform is switched off")
        spot = Spot(work.channel, work.message, work.thread)
        file = await source.look(spot, task.file)
        if file.size > self.most:
            raise StaysBehind(Fate.TOO_LARGE)
        async with self.shelf.room() as room:
            async with aclosing(source.read(spot, file)) as chunks:
                async for chunk in chunks:
                    if room.size + len(chunk) > self.most:
                        raise StaysBehind(Fate.TOO_LARGE)
                    await room.write(chunk)
            await self._kept(work, task, file, room)

    async def _kept(self, work: FileWork, task: Task, file: File, room: Kept) -> None:
        blob = await self.blobs.put(work.tenant, room)
        changes = self.blobs.held(
            blob, work.channel.platform, work.channel.id, work.message
        )
        found = replace(file, size=blob.size)
        await self._write(work, task, _Ending(KEPT, found, "", blob, changes))
        await self.blobs.settle(blob)

    async def _write(self, work: FileWork, task: Task, ending: "_Ending") -> None:
        file, blob = ending.file, ending.blob
        cause, channel = task.entry, work.channel
        author = cause.body["author"]
        entry = Entry(
            etype=task.word,
            platform=channel.platform,
            subject=f"{channel.platform}|{author['id']}",
            src_us=cause.row["src_us"],
            body={
                "text": file.name,
                "author": author,
                "reason": ending.reason,
                "file": {
                    "key": task.file.key,
                    "id": task.file.id,
                    "name": file.name,
                    "mime": file.mime,
                    "size": file.size,
                    "told": as_told(task.file),
                    "sha256": blob.sha256 if blob else "",
                    "blob": blob.name if blob else "",
                },
            },
            team=channel.team,
            conv=channel.id,
            thread=work.thread,
            msg=work.message,
            actor_kind=cause.row["actor_kind"],
            via="self",
            outcome=ending.outcome,
            origin=Origin(cause.seq, bytes(cause.row["leaf"])),
        )
        place = f"{channel.platform}:{channel.id}:{work.message}:{task.file.key}"
        key = f"file:{place}:{task.number}"
        said = Said(entry.subject, cause.row["cap_us"], entry.via, key)
        await self.journal.write(
            Write(work.tenant, (key,), entry, changes=ending.changes, said=said)
        )


def _pause(tries: int) -> int:
    return min(_FIRST_PAUSE_US << min(tries, _DOUBLED_AT_MOST), _LONGEST_PAUSE_US)
