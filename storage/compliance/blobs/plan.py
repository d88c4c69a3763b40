"""What the log still has to say about a message's files. Nothing here waits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bridge.messages import EventKind, File
from storage.files import files_in
from storage.ledger import is_deleted, newest_content
from storage.log_reader import LogEntry

KEPT = "kept"
_TELLS_CONTENT = {
    EventKind.MESSAGE_CREATE,
    EventKind.MESSAGE_EDIT,
    EventKind.MESSAGE_RESTORE,
}


class FileWord(StrEnum):
    """The entry types about a message's files."""

    SHARE = "file.share"
    UPDATE = "file.update"
    DELETE = "file.delete"


@dataclass(frozen=True, slots=True)
class Task:
    """
    One entry that is missing.

    `entry` is the message's entry that it follows from, `number` how many entries
    about this file there are already.
    """

    word: FileWord
    file: File
    entry: LogEntry
    number: int


def tasks(entries: Sequence[LogEntry]) -> list[Task]:
    """
    Return what is missing, in the order in which it has to be written.

    A file that was shared and is gone from its message is both shared and deleted:
    what was there for a minute was there.
    """
    content = [e for e in entries if e.etype in _TELLS_CONTENT]
    if not content:
        return []
    newest, deleted = newest_content(content), is_deleted([*entries])
    standing = {} if deleted else _by_key(newest)
    told = _told(entries)
    found: dict[str, Task] = {}
    for entry in sorted(content, key=lambda e: (e.row["version_us"], e.seq)):
        for key, file in _by_key(entry).items():
            if key not in told:
                found.setdefault(key, Task(FileWord.SHARE, file, entry, 0))
    for key, words in told.items():
        if key in standing and (word := _changed(standing[key], words)):
            found[key] = Task(word, standing[key], newest, len(words))
    deletions = [e for e in entries if e.etype == EventKind.MESSAGE_DELETE]
    cause = deletions[-1] if deleted else newest
    shared = [*found.values()]
    return [*shared, *_deletions(shared, told, standing, cause)]


def _deletions(
    found: Sequence[Task],
    told: Mapping[str, Sequence[LogEntry]],
    standing: Mapping[str, File],
    cause: LogEntry,
) -> Iterator[Task]:
    for task in found:
        if task.word is FileWord.SHARE and task.file.key not in standing:
            yield Task(FileWord.DELETE, task.file, cause, 1)
    for key, words in told.items():
        if key not in standing and words[-1].etype != FileWord.DELETE:
            file = _file(words[-1].body["file"])
            yield Task(FileWord.DELETE, file, cause, len(words))


def _changed(file: File, words: Sequence[LogEntry]) -> FileWord | None:
    """Return what has to be said of a file that stands and was told of before."""
    if words[-1].etype == FileWord.DELETE:
        return FileWord.SHARE
    before = words[-1].body["file"]["told"]
    return FileWord.UPDATE if before != as_told(file) else None


def as_told(file: File) -> list[object]:
    """Return what tells a changed file from the same one, as its message had it."""
    return [file.name, file.mime, file.size]


def _by_key(entry: LogEntry) -> dict[str, File]:
    return {file.key: file for file in files_in(entry)}


def _told(entries: Sequence[LogEntry]) -> dict[str, list[LogEntry]]:
    told: dict[str, list[LogEntry]] = {}
    for entry in entries:
        if entry.etype in set(FileWord):
            told.setdefault(entry.body["file"]["key"], []).append(entry)
    return told


def _file(body: Mapping[str, Any]) -> File:
    return File(id=body["id"], name=body["name"], mime=body["mime"], size=body["size"])
