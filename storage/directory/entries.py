"""What the log says about changes of a directory."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from bridge.directory.difference import Change, What
from bridge.directory.frozen import FIRST, Frozen
from bridge.directory.held import Kept, Ref, State
from bridge.directory.model import Entry as Told
from bridge.directory.model import Grace, Kind, Standing
from bridge.directory.paths import MOVED
from storage.writes import Entry

SUBJECT = "atom|directory"
_AT_ONCE = 500  # changes that an entry names
_CLOSED = {Standing.DISABLED, Standing.EXPIRED, Standing.LEFT}


def entries_about(
    state: State, changes: Sequence[Change], people: Mapping[Ref, str], now_us: int
) -> Iterator[Entry]:
    """
    Return what to write about changes that are made.

    A first reading of a source is told in numbers, with a hash of all it said: the
    rows themselves say from which version they are.
    """
    first = [c for c in changes if c.why == FIRST]
    if first:
        yield _entry("directory.change", _summary(first), _whole(first, people), now_us)
        changes = [c for c in changes if c.why != FIRST]
    for start in range(0, len(changes), _AT_ONCE):
        some = changes[start : start + _AT_ONCE]
        detail = {"source": some[0].source, "changes": [_item(c, people) for c in some]}
        yield _entry("directory.change", _summary(some), detail, now_us)
    for change in changes:
        kept = state.entries.get(change.ref)
        if kept and kept.entry.kind is Kind.PERSON:
            yield from _about_person(kept, change, people, now_us)


def frozen_entry(frozen: Frozen, now_us: int) -> Entry:
    detail = {
        "source": frozen.source,
        "sort": frozen.sort,
        "digest": frozen.digest,
        "reason": frozen.reason,
        "changes": [_item(c, {}) for c in frozen.changes[:_AT_ONCE]],
        "count": len(frozen.changes),
    }
    text = f"{len(frozen.changes)} changes of {frozen.source} wait"
    return _entry("directory.frozen", text, detail, now_us)


def incomplete_entry(source: str, why: str, now_us: int) -> Entry:
    detail = {"source": source, "why": why}
    text = f"{source} was not read to its end"
    return _entry("directory.incomplete", text, detail, now_us)


def decided_entry(
    frozen: Frozen, digest: str, actor: str, now_us: int, *, agreed: bool
) -> Entry:
    detail = {
        "source": frozen.source,
        "sort": frozen.sort,
        "digest": digest,
        "count": len(frozen.changes),
        "agreed": agreed,
    }
    word = "let" if agreed else "refused"
    text = f"{word} {len(frozen.changes)} changes of {frozen.source}"
    return _entry("directory.decide", text, detail, now_us, actor)


def grace_entries(graces: Sequence[tuple[str, Grace]], now_us: int) -> Iterator[Entry]:
    """Return what to write about what people keep for a while, one about each."""
    by_person: dict[str, list[Grace]] = {}
    for person, grace in graces:
        by_person.setdefault(person, []).append(grace)
    for person, some in by_person.items():
        kept = [
            {"what": g.ancestor, "until_us": g.until_us} for g in some if g.until_us
        ]
        ended = [g.ancestor for g in some if not g.until_us]
        text = (
            f"of what was left {len(kept)} are kept for a while, {len(ended)} no more"
        )
        detail = {"person": person, "kept": kept, "ended": ended}
        told = _entry("directory.grace", text, detail, now_us)
        yield replace(told, subject=f"atom|{person}")


def cut_entry(person: str, ended: Sequence[Grace], actor: str, now_us: int) -> Entry:
    """Return what to write when somebody ends what a person keeps."""
    detail = {"person": person, "kept": [], "ended": [g.ancestor for g in ended]}
    text = f"ended early what was kept for a while: {len(ended)}"
    told = _entry("directory.grace", text, detail, now_us, actor)
    return replace(told, subject=f"atom|{person}")


def _about_person(
    kept: Kept, change: Change, people: Mapping[Ref, str], now_us: int
) -> Iterator[Entry]:
    person = people.get(change.ref, "")
    if not person or change.why == MOVED:
        return
    before, after = kept.entry, change.entry
    if after and (moved := _moved(before, after)):
        detail = {"person": person, "source": change.source, "changes": moved}
        told = _entry("user.profile", "a profile changed", detail, now_us)
        yield replace(told, subject=f"atom|{person}")
    closed = change.what is What.SUSPEND or (
        after is not None
        and after.standing in _CLOSED
        and before.standing not in _CLOSED
    )
    if closed:
        why = str(after.standing) if after else change.why
        detail = {"person": person, "source": change.source, "why": why}
        text = "an account was closed in the directory"
        told = _entry("user.deactivate", text, detail, now_us)
        yield replace(told, subject=f"atom|{person}")


def _moved(before: Told, after: Told) -> list[dict[str, Any]]:
    old, new = _profile(before), _profile(after)
    return [
        {"name": name, "before": old.get(name, ""), "after": new.get(name, "")}
        for name in sorted(old.keys() | new.keys())
        if old.get(name, "") != new.get(name, "")
    ]


def _profile(entry: Told) -> dict[str, str]:
    return {
        **entry.attributes,
        "name": entry.name,
        "path": entry.path,
        "unit": entry.unit,
        "parents": " ".join(sorted(entry.parents)),
        "standing": str(entry.standing),
        "guest": "yes" if entry.guest else "",
    }


def _whole(changes: Sequence[Change], people: Mapping[Ref, str]) -> dict[str, Any]:
    digest = hashlib.sha256()
    for change in changes:
        digest.update(orjson.dumps(_item(change, people)))
    counts = Counter(f"{change.what} {change.kind}" for change in changes)
    return {
        "source": changes[0].source,
        "first": True,
        "counts": dict(sorted(counts.items())),
        "sha256": digest.hexdigest(),
    }


def _item(change: Change, people: Mapping[Ref, str]) -> dict[str, str]:
    item = {"what": str(change.what), "kind": str(change.kind), "id": change.id}
    extra = {
        "group": change.group,
        "person": people.get(change.ref, ""),
        "why": change.why,
    }
    return item | {name: value for name, value in extra.items() if value}


def _summary(changes: Iterable[Change]) -> str:
    counts = Counter(str(change.what) for change in changes)
    told = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    return f"the directory changed: {told}"


def _entry(
    etype: str,
    text: str,
    detail: Mapping[str, Any],
    now_us: int,
    actor: str = "directory",
) -> Entry:
    return Entry(
        etype=etype,
        platform="atom",
        subject=SUBJECT,
        src_us=now_us,
        body={
            "text": text,
            "author": {"id": actor, "name": actor, "avatar": ""},
            "detail": dict(detail),
        },
        via="self",
    )
