"""Changes of a directory in a line each, as people read them."""

from bridge.directory.difference import Change, What
from bridge.directory.held import State
from bridge.directory.model import Entry

_WORDS = {
    What.ADD: "+ {what}",
    What.CHANGE: "~ {what}: {how}",
    What.DISABLE: "- {what}: {how}",
    What.RETURN: "+ {what} is back",
    What.MISS: "? {what} was not named",
    What.SUSPEND: "- {what} is suspended: {why}",
    What.QUARANTINE: "- {what} goes into quarantine",
    What.BURY: "- {what} is buried",
    What.JOIN: "+ {who} into {group}",
    What.LEAVE: "- {who} out of {group}",
}


def described(change: Change, state: State) -> str:
    """Return what happens; names are those that are known before it."""
    what = f"{change.kind} {change.name or change.id}"
    return _WORDS[change.what].format(
        what=what,
        how=_how(change, state),
        why=change.why,
        who=_member(change, state),
        group=change.name or change.group,
    )


def _member(change: Change, state: State) -> str:
    kept = state.entries.get(change.ref)
    return kept.entry.name if kept and kept.entry.name else change.id


def _how(change: Change, state: State) -> str:
    kept, after = state.entries.get(change.ref), change.entry
    if kept is None or after is None:
        return change.why
    before = kept.entry
    moved = [
        name
        for name in sorted(before.attributes.keys() | after.attributes.keys())
        if before.attributes.get(name, "") != after.attributes.get(name, "")
    ]
    moved += [
        name for name in ("name", "path", "guest") if _differs(before, after, name)
    ]
    if before.standing != after.standing:
        moved.append(f"{before.standing} to {after.standing}")
    if before.parents != after.parents or before.unit != after.unit:
        moved.append("what it is in")
    return ", ".join(moved)


def _differs(before: Entry, after: Entry, name: str) -> bool:
    return bool(getattr(before, name) != getattr(after, name))
