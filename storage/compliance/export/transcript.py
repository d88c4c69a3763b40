"""A conversation as people read it: one block of lines a thing that happened."""

from collections.abc import Iterator

from storage.compliance.export.model import Change, Item, Revision
from storage.compliance.export.text import local, utc

_WORDS = {
    Change.CREATE: "said",
    Change.EDIT: "edited",
    Change.DELETE: "deleted",
    Change.RESTORE: "restored",
}


def blocks(item: Item, zone: str) -> Iterator[str]:
    """Yield what happened to a message, in the order of capture."""
    for revision in item.revisions:
        yield "\n".join(_revision(item, revision, zone))
    for one in item.reactions:
        word = "reacted with" if one.added else "took back"
        at = _at(one.at_us, zone)
        yield f"{at} {one.by.shown} ({one.by.address}) {word} {one.emoji}"


def _revision(item: Item, revision: Revision, zone: str) -> Iterator[str]:
    who = f"{revision.by.shown} ({revision.by.address})"
    marks = f"[message {item.msg}, entry {revision.stamp.seq}]"
    copy = f" [copy of entry {item.origin.seq}]" if item.origin else ""
    below = f" [in thread {item.thread}]" if item.thread else ""
    word = _WORDS[revision.change]
    yield f"{_at(revision.at_us, zone)} {who} {word} {marks}{below}{copy}"
    content = revision
    if revision.change is Change.DELETE:
        content = item.before(revision) or revision
    if revision.withheld or content.withheld:
        yield f"    (withheld: {revision.withheld or content.withheld})"
    elif content.text:
        yield from (f"    {line}" for line in content.text.split("\n"))
    for file in revision.files:
        held = f"sha256 {file.sha256}" if file.path else f"not here: {file.missing}"
        yield f"    [file {file.name}, {file.size} bytes, {file.path} {held}]"


def _at(us: int, zone: str) -> str:
    there = "" if zone == "UTC" else f" ({local(us, zone)})"
    return f"{utc(us)}{there}"
