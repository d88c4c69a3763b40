"""What is odd about a company's workers as a whole."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.directory.model import Entry

_MOST = 5  # names in one line


def without_circles(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """
    Return the entries with no circle of managers, and a line about each circle.

    Who is everybody's manager in the end decides approvals: in a circle nobody is, so
    none of its members has a manager until HR says who.
    """
    managers = {e.id: e.attributes.get("manager", "") for e in entries}
    circles = _circles(managers)
    inside = {member for circle in circles for member in circle}
    kept = [_unmanaged(one) if one.id in inside else one for one in entries]
    return kept, [
        f"workers {_listed(circle)} are each other's managers" for circle in circles
    ]


def conversions(entries: Sequence[Entry]) -> list[tuple[str, list[str]]]:
    """
    Return the humans who have several worker's ids, with these.

    A contractor who is hired gets another id. Nothing passes from one to the other by
    itself: somebody has to approve that it is the same human.
    """
    ids: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if person := entry.attributes.get("person_id"):
            ids[person].append(entry.id)
    return [(person, sorted(many)) for person, many in ids.items() if len(many) > 1]


def _circles(managers: Mapping[str, str]) -> list[list[str]]:
    """Each worker has one manager, so a walk upwards ends, or goes round once."""
    done: set[str] = set()
    circles = []
    for start in managers:
        path: dict[str, int] = {}
        here = start
        while here in managers and here not in done and here not in path:
            path[here] = len(path)
            here = managers[here]
        if here in path:
            circles.append(list(path)[path[here] :])
        done |= path.keys()
    return circles


def _unmanaged(entry: Entry) -> Entry:
    kept = {k: v for k, v in entry.attributes.items() if k != "manager"}
    return replace(entry, attributes=kept)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST])
    return f"{shown} and {len(names) - _MOST} more" if len(names) > _MOST else shown
