"""Changes of a directory that wait for somebody's word, and the name of exactly these."""

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from bridge.directory.difference import Change, What
from bridge.directory.held import State
from bridge.directory.model import Reading

REMOVALS, GROWTH, ADMINS = "removals", "growth", "admins"
FIRST = "first reading"
AGREED = " (agreed to)"


@dataclass(frozen=True, slots=True)
class Frozen:
    """Changes that wait, and why. `digest` names exactly these."""

    source: str
    sort: str
    changes: tuple[Change, ...]
    reason: str

    @property
    def digest(self) -> str:
        """Return 32 hexadecimal digits that no other set of changes has."""
        text = json.dumps(
            [self.source, self.sort, [_told(change) for change in self.changes]],
            sort_keys=True,
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def agreed(frozen: Frozen) -> list[Change]:
    """Return what to do when somebody said yes; it does not count as sudden."""
    return [replace(c, why=f"{c.why}{AGREED}") for c in frozen.changes]


def stands(state: State, reading: Reading, change: Change) -> bool:
    """Whether what waits is neither done nor overtaken by what a reading says."""
    if change.what in {What.JOIN, What.LEAVE}:
        return _edge_stands(state, reading, change)
    if any(entry.id == change.id for entry in reading.entries):
        return False  # it is judged anew
    kept = state.entries.get(change.ref)
    if change.what is What.SUSPEND:
        return kept is not None and not kept.life.gone
    if change.what is What.ADD:
        return kept is None
    return kept is not None and kept.entry != change.entry


def _edge_stands(state: State, reading: Reading, change: Change) -> bool:
    if any(e.id == change.group and e.members is not None for e in reading.entries):
        return False
    told = [*reading.joined, *reading.left]
    if any((e.member, e.group) == (change.id, change.group) for e in told):
        return False
    inside = change.id in state.members.get((change.source, change.group), ())
    return inside is (change.what is What.LEAVE)


def _told(change: Change) -> list[Any]:
    entry = change.entry
    told: list[Any] = [*change.key]
    if entry is not None:
        told += [
            entry.name,
            entry.path,
            entry.unit,
            sorted(entry.parents),
            sorted(entry.attributes.items()),
            entry.standing,
            entry.guest,
        ]
    return told
