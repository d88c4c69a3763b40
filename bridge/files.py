"""
What became of a message's files on the other side, worked out from the log.

The copy of a message has a line for each of its files from the first moment on. What
the line says is what the log says by then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bridge.errors import AtomError
from bridge.messages import File, Platform
from bridge.options import Files, LinkOptions

_MEGABYTE = 1_000_000
_PLATFORMS = {Platform.SLACK: "Slack", Platform.TEAMS: "Teams"}


class Fate(StrEnum):
    """What became of one file. The values stand in the log."""

    COMING = "coming"
    COPIED = "copied"
    LINKED = "linked"  # the link's owners want no copies
    BLOCKED = "blocked"  # the link's owners, or the policy, want nothing of it here
    TOO_LARGE = "too_large"
    EMPTY = "empty"  # neither platform keeps a file without bytes
    ELSEWHERE = "elsewhere"  # a third party keeps it, which is never asked for it
    UNKEPT = "unkept"  # ATOM may not keep it on this platform
    INFECTED = "infected"
    UNSCANNED = "unscanned"  # larger than the scanner looks at
    WITHHELD = "withheld"  # for what it says
    HELD = "held"  # for what it says, until somebody has looked at it
    GONE = "gone"  # from where it came
    FAILED = "failed"
    REMOVED = "removed"  # its copy, after the message or the file was deleted
    NO_FILE = "no_file"  # what looked like one was something else


_SAID: Mapping[Fate, str] = {
    Fate.COMING: "on its way",
    Fate.COPIED: "in this thread",
    Fate.LINKED: "open it in {where}",
    Fate.BLOCKED: "not allowed here",
    Fate.TOO_LARGE: "too large: open it in {where}",
    Fate.EMPTY: "empty",
    Fate.ELSEWHERE: "kept elsewhere: open it there",
    Fate.UNKEPT: "ATOM may not keep files here: open it in {where}",
    Fate.INFECTED: "refused: it contains a virus",
    Fate.UNSCANNED: "refused: too large to be scanned for viruses",
    Fate.WITHHELD: "kept back by the company's rules",
    Fate.HELD: "waits until somebody has looked at it",
    Fate.GONE: "not there any more",
    Fate.FAILED: "could not be fetched: open it in {where}",
}
# Nothing of these may be reached from here, not even by a link.
_UNLINKED = {
    Fate.BLOCKED,
    Fate.INFECTED,
    Fate.UNSCANNED,
    Fate.WITHHELD,
    Fate.HELD,
    Fate.GONE,
}


class StaysBehind(AtomError):
    """A file does not cross, for good. `fate` says why; `detail` is for the log."""

    def __init__(self, fate: Fate, detail: str = "") -> None:
        super().__init__(f"the file stays behind: {detail or fate}")
        self.fate = fate
        self.detail = detail


@dataclass(frozen=True, slots=True)
class FileLine:
    """What a copy says about one file. `page` is where people open it, if anywhere."""

    name: str
    size: int
    fate: Fate
    origin: Platform
    page: str = ""

    @property
    def said(self) -> str:
        """Return what becomes of the file, in a person's words."""
        return _SAID.get(self.fate, "").format(where=_PLATFORMS[self.origin])

    @property
    def label(self) -> str:
        """Return what the file is called, with its size if that is known."""
        return f"{self.name} ({size_said(self.size)})" if self.size else self.name

    @property
    def address(self) -> str:
        return "" if self.fate in _UNLINKED else self.page


@dataclass(frozen=True, slots=True)
class FileWord:
    """
    What one delivery says about a file below a copy: the log entry's content.

    `message` is the copy, `remote` the file's own id on that platform once it stands
    there. Without a `key` it says that the copy's lines were brought up to date with
    everything that the log said up to `upto`.
    """

    key: str
    fate: Fate
    message: str
    thread: str = ""
    name: str = ""
    size: int = 0
    sha256: str = ""
    remote: str = ""
    detail: str = ""
    upto: int = -1
    seq: int = -1


@dataclass(frozen=True, slots=True)
class Told:
    """What all deliveries so far have said about the files below one copy."""

    newest: Mapping[str, FileWord]
    shown_upto: int = -1

    @property
    def upto(self) -> int:
        return max((word.seq for word in self.newest.values()), default=-1)


def folded(words: Iterable[FileWord]) -> Told:
    """Return what holds now: of each file the last word."""
    newest: dict[str, FileWord] = {}
    shown = -1
    for word in sorted(words, key=lambda word: word.seq):
        if word.key:
            newest[word.key] = word
        else:
            shown = max(shown, word.upto)
    return Told(newest, shown)


def first_fate(file: File, options: LinkOptions) -> Fate:
    """Return what can be said of a file before anything of it was fetched."""
    match options.files:
        case Files.BLOCK:
            return Fate.BLOCKED
        case Files.LINK:
            return Fate.LINKED
        case Files.COPY:
            too_large = file.size > most_bytes(options)
            return Fate.TOO_LARGE if too_large else Fate.COMING


def most_bytes(options: LinkOptions) -> int:
    """Return the size above which a file stays where it is."""
    return options.file_mb * _MEGABYTE


def lines(
    files: Iterable[File], options: LinkOptions, told: Told, origin: Platform
) -> tuple[FileLine, ...]:
    """Return a line for each file of a message, in its order."""
    found: list[FileLine] = []
    for file in files:
        word = told.newest.get(file.key)
        fate = word.fate if word else first_fate(file, options)
        if fate is Fate.NO_FILE:
            continue
        if fate is Fate.REMOVED:  # it was there before, and is wanted again
            fate = Fate.COMING
        name = (word.name if word else "") or file.name or "a file"
        size = (word.size if word else 0) or file.size
        found.append(FileLine(name, size, fate, origin, file.page))
    return tuple(found)


def size_said(size: int) -> str:
    """Return a size as people read it, such as 2.1 MB."""
    if size < 1_000:  # noqa: PLR2004 - a kilobyte
        return f"{size} bytes"
    for unit in ("kB", "MB"):
        size_in = size / (1_000 if unit == "kB" else _MEGABYTE)
        if size_in < 999.95:  # noqa: PLR2004 - what would round up to the next unit
            return f"{size_in:.1f} {unit}".replace(".0 ", " ")
    return f"{size / 1_000_000_000:.1f} GB".replace(".0 ", " ")
