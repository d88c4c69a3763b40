"""What the log knows about files: which belong to a message, what became of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.delivery import Copy
from bridge.files import Fate, FileWord, Told, folded
from bridge.messages import File
from storage.log_reader import LogEntry, LogReader
from storage.rows import clean_id

_ENTRIES: Mapping[Fate, str] = {
    Fate.COPIED: "bridge.file_copied",
    Fate.BLOCKED: "bridge.file_blocked",
    Fate.INFECTED: "bridge.file_refused",
    Fate.UNSCANNED: "bridge.file_refused",
    Fate.WITHHELD: "bridge.file_blocked",
    Fate.HELD: "bridge.file_blocked",
    Fate.GONE: "bridge.file_failed",
    Fate.FAILED: "bridge.file_failed",
    Fate.REMOVED: "bridge.file_removed",
    Fate.NO_FILE: "bridge.file_ignored",
}


@dataclass(frozen=True, slots=True)
class LoggedFiles:
    """
    Implements `bridge.file_ports.FileLog`.

    There is no table of files: the log is the truth, and is read anew.
    """

    reader: LogReader

    async def told(self, copy: Copy) -> Told:
        entries = await self.reader.about(
            copy.tenant, clean_id(copy.target.id), clean_id(copy.remote), "bridge.%"
        )
        return folded(_word(entry) for entry in entries if "file" in entry.body)


def entry_type(word: FileWord) -> str:
    """Return the log's name for what became of a file."""
    if not word.key:
        return "bridge.file_shown"
    return _ENTRIES.get(word.fate, "bridge.file_linked")


def files_in(entry: LogEntry) -> tuple[File, ...]:
    """Return the files of a message, as one of its entries has them."""
    listed: Iterable[Mapping[str, Any]] = entry.body.get("files") or ()
    return tuple(
        File(
            id=each["id"],
            name=each["name"],
            mime=each["mime"],
            size=each["size"],
            url=each["url"],
            page=each.get("page", ""),
        )
        for each in listed
    )


def word_as_json(word: FileWord) -> dict[str, Any]:
    """Return a word as it stands in a log entry's body: neither bytes nor addresses."""
    return {
        "key": word.key,
        "fate": word.fate,
        "name": word.name,
        "size": word.size,
        "sha256": word.sha256,
        "remote": word.remote,
        "detail": word.detail,
        "upto": word.upto,
    }


def _word(entry: LogEntry) -> FileWord:
    body, row = entry.body["file"], entry.row
    return FileWord(
        key=body["key"],
        fate=Fate(body["fate"]),
        message=row["msg"],
        thread=row["thread"],
        name=body["name"],
        size=body["size"],
        sha256=body["sha256"],
        remote=body["remote"],
        detail=body["detail"],
        upto=body["upto"],
        seq=entry.seq,
    )
