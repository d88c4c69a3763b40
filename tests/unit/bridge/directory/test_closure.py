"""Nested groups: circles, depth, and what a single edge is worth."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.closure import DEEPEST, Closure, circles, route

_NODES = [f"g{n}" for n in range(8)]
_EDGES = st.sets(st.tuples(st.sampled_from(_NODES), st.sampled_from(_NODES)))


def _above(edges: set[tuple[str, str]]) -> dict[str, set[str]]:
    above: dict[str, set[str]] = {}
    for member, group in edges:
        above.setdefault(member, set()).add(group)
    return above


def _brute(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Warshall's closure, which knows nothing of levels."""
    reach = set(edges)
    for middle in _NODES:
        for a in _NODES:
            for b in _NODES:
                if (a, middle) in reach and (middle, b) in reach:
                    reach.add((a, b))
    return reach


@given(_EDGES)
def test_the_closure_is_what_going_every_way_finds(edges: set[tuple[str, str]]) -> None:
    closure, reach = Closure(_above(edges)), _brute(edges)

    for node in _NODES:
        assert closure.ancestors(node) == {b for a, b in reach if a == node}


@given(_EDGES)
def test_circles_are_the_groups_that_are_in_themselves(
    edges: set[tuple[str, str]],
) -> None:
    reach = _brute(edges)
    inside = {a for a, b in reach if a == b}

    found = circles(_above(edges))

    assert {node for circle in found for node in circle} == inside
    for circle in found:
        assert all((a, b) in reach for a in circle for b in circle)


@given(_EDGES, st.sampled_from(_NODES), st.sampled_from(_NODES))
def test_a_route_goes_along_edges_and_is_there_whenever_there_is_a_way(
    edges: set[tuple[str, str]], start: str, goal: str
) -> None:
    way = route({start}, goal, _above(edges))

    if start != goal and (start, goal) not in _brute(edges):
        assert way == ()
        return
    assert (way[0], way[-1]) == (start, goal)
    assert all(pair in edges for pair in pairwise(way))


def test_sixty_levels_count_and_a_circle_among_them_ends() -> None:
    edges = {(f"n{n}", f"n{n + 1}") for n in range(60)} | {("n60", "n30")}

    closure = Closure(_above(edges))

    assert closure.of({"n0"}) == {f"n{n}" for n in range(61)}
    assert not closure.cut


def test_what_is_nested_deeper_than_anybody_nests_is_cut_and_reported() -> None:
    edges = {(f"n{n}", f"n{n + 1}") for n in range(DEEPEST + 5)}

    closure = Closure(_above(edges))

    assert len(closure.ancestors("n0")) == DEEPEST
    assert "n0" in closure.cut


def test_removing_an_edge_takes_out_those_with_no_other_way() -> None:
    above = _above({("a", "b"), ("b", "c"), ("c", "a"), ("d", "b"), ("d", "c")})
    closure = Closure(above)
    assert closure.ancestors("d") == {"a", "b", "c"}

    above["c"].discard("a")
    closure.changed()

    assert closure.ancestors("d") == {"b", "c"}
    assert closure.ancestors("a") == {"b", "c"}
