"""What log entries say about messages and conversations, in the export's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.messages import EventKind
from storage.compliance.export.model import (
    Attached,
    Change,
    Origin,
    PlaceKind,
    Reaction,
    Revision,
    Stamp,
    Who,
)
from storage.log_reader import LogEntry

_CHANGES = {
    EventKind.MESSAGE_CREATE: Change.CREATE,
    EventKind.MESSAGE_EDIT: Change.EDIT,
    EventKind.MESSAGE_DELETE: Change.DELETE,
    EventKind.MESSAGE_RESTORE: Change.RESTORE,
    # What was typed at ATOM in a channel was read by everybody there.
    EventKind.COMMAND: Change.CREATE,
    "bridge.delivered": Change.CREATE,
    "bridge.edit_applied": Change.EDIT,
    "bridge.delete_applied": Change.DELETE,
}
_ERASED = "erased"
_NO_BYTES = "the bytes were not stored"


@dataclass(frozen=True, slots=True)
class Said:
    """A revision, and the message that it is one of."""

    revision: Revision
    thread: str
    link: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """Somebody came or went."""

    who: Who
    at_us: int
    joined: bool


@dataclass(frozen=True, slots=True)
class Called:
    """What a conversation is called from now on, and what kind it is, if told."""

    name: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of a file of a message; `blob` names its bytes, if they are kept."""

    id: str
    outcome: str
    reason: str
    blob: str
    sha256: str
    size: int


Fact = Said | Reaction | Moved | Called | Filed


def facts(entry: LogEntry) -> Iterator[Fact]:
    """Yield what an entry says that belongs into an export: often nothing."""
    etype, msg = entry.etype, entry.row["msg"]
    if change := _CHANGES.get(etype):
        if msg:
            yield _said(entry, change)
    elif etype.startswith("reaction.") and msg:
        yield from _reactions(entry)
    elif entry.erased:
        # Of what is no message nothing is left to be told.
        return
    elif etype in {EventKind.MEMBER_JOIN, EventKind.MEMBER_LEAVE}:
        joined = etype == EventKind.MEMBER_JOIN
        for who in _members(entry):
            yield Moved(who, entry.row["src_us"], joined)
    elif etype.startswith("file.") and msg:
        yield _filed(entry)
    elif etype.startswith("conv."):
        detail = _detail(entry)
        if detail.get("name") or detail.get("kind"):
            yield Called(str(detail.get("name", "")), str(detail.get("kind", "")))


def place_of(entry: LogEntry) -> tuple[str, str, str]:
    """Return the platform, team and id of the conversation of an entry."""
    row = entry.row
    return (row["platform"], row["team"], row["conv"])


def kind_of_place(platform: str, conv: str, told: str) -> PlaceKind:
    """Return who can be in a conversation, by its id unless an entry told more."""
    if told in set(PlaceKind):
        return PlaceKind(told)
    if platform == "slack":
        kinds = {"D": PlaceKind.DIRECT, "G": PlaceKind.PRIVATE}
        return kinds.get(conv[:1], PlaceKind.CHANNEL)
    if conv.endswith("@unq.gbl.spaces"):
        return PlaceKind.DIRECT
    return PlaceKind.GROUP if conv.endswith("@thread.v2") else PlaceKind.CHANNEL


def _said(entry: LogEntry, change: Change) -> Said:
    row, body = entry.row, entry.body
    copy = row["etype"].startswith("bridge.")
    seq, leaf = row["origin_seq"], row["origin_leaf"]
    origin = Origin(seq, bytes(leaf).hex()) if copy and leaf else None
    revision = Revision(
        change=change,
        stamp=stamp_of(entry),
        rev=row["rev"],
        at_us=row["src_us"],
        by=_author(entry, copied=copy),
        text="" if change is Change.DELETE else str(body.get("text") or ""),
        files=tuple(_files(body)),
        withheld=_ERASED if entry.erased else "",
    )
    return Said(revision, row["thread"], row["link"] or "", origin)


def _reactions(entry: LogEntry) -> Iterator[Reaction]:
    detail = _detail(entry)
    for name, added in (("added", True), ("removed", False)):
        for emoji in str(detail.get(name, "")).split():
            yield Reaction(
                stamp_of(entry), entry.row["src_us"], _author(entry), emoji, added
            )


def _filed(entry: LogEntry) -> Filed:
    told: Mapping[str, Any] = entry.body.get("file") or {}
    return Filed(
        id=str(told.get("id") or ""),
        outcome=str(entry.row["outcome"]),
        reason=str(entry.body.get("reason") or ""),
        blob=str(told.get("blob") or ""),
        sha256=str(told.get("sha256") or ""),
        size=int(told.get("size") or 0),
    )


def stamp_of(entry: LogEntry) -> Stamp:
    row = entry.row
    leaf = bytes(row["leaf"]).hex()
    return Stamp(row["seq"], leaf, row["eid"], row["cap_us"], row["via"])


def _author(entry: LogEntry, *, copied: bool = False) -> Who:
    if entry.erased:
        # What is left of a person is the pseudonym in the leaf.
        pseudonym = bytes(entry.row["actor_tok"]).hex()[:12]
        return Who(str(entry.row["platform"]), f"erased-{pseudonym}")
    told: Mapping[str, Any] = entry.body.get("author") or {}
    who, platform = str(told.get("id") or ""), str(entry.row["platform"])
    if copied:
        # Copies name who wrote the original, whose platform the entry does not tell.
        platform = "teams" if ":" in who or "-" in who else "slack"
    kind = "user" if copied else str(entry.row["actor_kind"])
    name, email = str(told.get("name") or ""), str(told.get("email") or "")
    return Who(platform, who, name, email, kind)


def _members(entry: LogEntry) -> Iterator[Who]:
    detail, platform = _detail(entry), str(entry.row["platform"])
    word = "joined" if entry.etype == EventKind.MEMBER_JOIN else "left"
    named = str(detail.get(word) or "").split()
    for who in named:
        yield Who(platform, who)
    if not named:
        yield _author(entry)


def _detail(entry: LogEntry) -> Mapping[str, Any]:
    detail = entry.body.get("detail")
    return detail if isinstance(detail, dict) else {}


def _files(body: Mapping[str, Any]) -> Iterator[Attached]:
    listed = body.get("files")
    for file in listed if isinstance(listed, list) else ():
        yield Attached(
            id=str(file.get("id") or ""),
            name=str(file.get("name") or ""),
            mime=str(file.get("mime") or ""),
            size=int(file.get("size") or 0),
            url=str(file.get("page") or file.get("url") or ""),
            missing=_NO_BYTES,
        )
