"""
Everything that somebody is in, through any number of groups, without going in circles.

Groups that contain each other are in each other; that is reported, and ends no walk.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

DEEPEST = 100  # levels of nesting that count; real directories have fewer than ten

Above = Mapping[str, AbstractSet[str]]  # what something is directly in


@dataclass(slots=True)
class Closure:
    """What every node is in. `above` may change as long as `changed` is called."""

    above: Above
    deepest: int = DEEPEST
    cut: set[str] = field(default_factory=set)  # nodes with more levels than that
    _known: dict[str, frozenset[str]] = field(default_factory=dict)

    def of(self, direct: Iterable[str]) -> frozenset[str]:
        """Return all that something is in which is directly in `direct`."""
        found: set[str] = set()
        for node in direct:
            found.add(node)
            found |= self.ancestors(node)
        return frozenset(found)

    def ancestors(self, node: str) -> frozenset[str]:
        """Return all that a node is in; itself only if it is in a circle."""
        if node not in self._known:
            self._known[node] = self._walked(node)
        return self._known[node]

    def changed(self) -> None:
        """Forget what was found: groups are in other groups than before."""
        self._known.clear()
        self.cut.clear()

    def _walked(self, node: str) -> frozenset[str]:
        found: set[str] = set()
        level: set[str] = set(self.above.get(node, ()))
        for _ in range(self.deepest):
            found |= level
            ups: set[str] = set()
            for each in level:
                known = self._known.get(each)
                if known is not None and each not in self.cut:
                    found |= known  # all of it was found before: no need to go there
                else:
                    ups.update(self.above.get(each, ()))
            level = ups - found
            if not level:
                return frozenset(found)
        self.cut.add(node)
        return frozenset(found)


def route(direct: Iterable[str], goal: str, above: Above) -> Sequence[str]:
    """Return a shortest way from what something is directly in to `goal`, with both."""
    came: dict[str, str] = {}
    level = sorted(direct)
    came = dict.fromkeys(level, "")
    while level:
        if goal in came:
            return _back(goal, came)
        above_it: list[str] = []
        for node in level:
            for up in sorted(above.get(node, ())):
                if up not in came:
                    came[up] = node
                    above_it.append(up)
        level = above_it
    return ()


def _back(goal: str, came: Mapping[str, str]) -> Sequence[str]:
    way = [goal]
    while came[way[-1]]:
        way.append(came[way[-1]])
    return way[::-1]


def circles(above: Above) -> list[tuple[str, ...]]:
    """Return the groups of nodes that are in each other (Tarjan, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    standing: set[str] = set()
    found: list[tuple[str, ...]] = []

    def visited(start: str) -> None:
        work = [(start, iter(sorted(above.get(start, ()))))]
        _enter(start, order, low, stack, standing)
        while work:
            node, ups = work[-1]
            for up in ups:
                if up not in order:
                    _enter(up, order, low, stack, standing)
                    work.append((up, iter(sorted(above.get(up, ())))))
                    break
                if up in standing:
                    low[node] = min(low[node], order[up])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == order[node]:
                    _leave(node, stack, standing, _noting(found, above))

    for node in sorted(above):
        if node not in order:
            visited(node)
    return sorted(found)


def _enter(
    node: str,
    order: dict[str, int],
    low: dict[str, int],
    stack: list[str],
    standing: set[str],
) -> None:
    order[node] = low[node] = len(order)
    stack.append(node)
    standing.add(node)


def _leave(
    node: str,
    stack: list[str],
    standing: set[str],
    note: Callable[[tuple[str, ...]], None],
) -> None:
    together: list[str] = []
    while True:
        one = stack.pop()
        standing.discard(one)
        together.append(one)
        if one == node:
            note(tuple(sorted(together)))
            return


def _noting(
    found: list[tuple[str, ...]], above: Above
) -> Callable[[tuple[str, ...]], None]:
    def note(together: tuple[str, ...]) -> None:
        if len(together) > 1 or together[0] in above.get(together[0], ()):
            found.append(together)

    return note
