"""
Administrative units of a tenant, as groups of those who are in them.

Graph has no delta of them that every cloud answers, and a tenant has few: they are
listed with every look. A group in a unit is in it itself and does not put its members
there, so only people count.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.directory.model import Entry, Fate, Gone
from policy.directory.entra.graph import Graph, in_path
from policy.directory.entra.objects import Shape
from policy.directory.rest import text

_SELECT = "id,displayName,visibility,isMemberManagementRestricted"
_UNITS = "directory/administrativeUnits"
_HIDDEN = "hiddenmembership"
_PERSON = "#microsoft.graph.user"


async def units(graph: Graph, shape: Shape) -> tuple[Entry, ...]:
    """
    Return every unit with all that are in it. Raises `Unread`.

    Units that hide their members are left out: an app without a right of its own for
    them is told that nobody is in them.
    """
    listed = await _all(graph, f"{_UNITS}?$select={_SELECT}")
    found = []
    for unit in listed:
        oid = text(unit.get("id"))
        if not oid or text(unit.get("visibility")).lower() == _HIDDEN:
            continue
        members = await _all(graph, f"{_UNITS}/{in_path(oid)}/members?$select=id")
        people = (m for m in members if text(m.get("@odata.type")) == _PERSON)
        inside = frozenset(shape.key(text(one.get("id"))) for one in people)
        found.append(shape.unit(unit, inside))
    return tuple(found)


def gone(before: Iterable[str], now: Iterable[Entry]) -> tuple[Gone, ...]:
    """Return the units that are not told of any more, deleted or hidden."""
    there = {entry.id for entry in now}
    return tuple(Gone(key, Fate.OUT_OF_SCOPE) for key in before if key not in there)


async def _all(graph: Graph, start: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    async for page in graph.pages(start):
        found += page.items
    return found
