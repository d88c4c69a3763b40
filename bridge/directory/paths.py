"""
Where entries stand in a tree of names, and what moves along when a part of it moves.

A directory that renames a unit tells of the unit alone: what is in it has another name
since, and nothing says so. Names are compared part by part (RFC 4514), for a comma may
be part of a name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bridge.directory.difference import Change, What
from bridge.directory.held import State
from bridge.directory.model import Kind

MOVED = "moved with its unit"


def parts(path: str) -> list[str]:
    """Cut a distinguished name at the commas that are not escaped."""
    found, part, escaped, quoted = [], "", False, False
    for character in path:
        if escaped or character == "\\":
            escaped = not escaped
        elif character == '"':
            quoted = not quoted
        elif character in ",;" and not quoted:
            found.append(part.strip())
            part = ""
            continue
        part += character
    return [*found, part.strip()] if path else []


def rebased(path: str, old: str, new: str) -> str:
    """Return where something stands after `old` became `new`; as it was if elsewhere."""
    names, base = parts(path), _folded(parts(old))
    if not base or len(names) <= len(base) or _folded(names[-len(base) :]) != base:
        return path
    return ",".join([*names[: -len(base)], new])


def moved(state: State, changes: Sequence[Change]) -> Iterator[Change]:
    """Return what else has another path since units moved, but was not told of."""
    told = {change.ref for change in changes}
    for change in changes:
        kept, entry = state.entries.get(change.ref), change.entry
        if kept is None or entry is None or entry.kind is not Kind.UNIT:
            continue
        if not kept.entry.path or kept.entry.path == entry.path:
            continue
        for other in state.of(change.source):
            path = rebased(other.entry.path, kept.entry.path, entry.path)
            if (
                path != other.entry.path
                and other.ref not in told
                and not other.life.gone
            ):
                now = replace(other.entry, path=path)
                yield Change(
                    What.CHANGE,
                    change.source,
                    now.id,
                    now.kind,
                    now.name,
                    entry=now,
                    why=MOVED,
                )


def _folded(names: Sequence[str]) -> list[str]:
    return [name.casefold() for name in names]
