"""A link joins channels, and never lets a message come back to where it was."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Conflict
from bridge.links import MOST_CHANNELS, Link, LinkState, refuse_clash, refuse_growth
from bridge.messages import Channel, Platform

A, B, C, D, E = (Channel(Platform.SLACK, "T1", name) for name in "ABCDE")


def link(*channels: Channel, state: LinkState = LinkState.ACTIVE) -> Link:
    return Link("acme", "".join(c.id for c in channels), channels, state)


def refusal(wanted: Iterable[Channel], existing: Iterable[Link]) -> str:
    try:
        refuse_clash(wanted, existing)
    except Conflict as conflict:
        return str(conflict)
    return ""


def test_a_channels_others_are_all_but_itself() -> None:
    assert link(A, B, C).others(B) == (A, C)


@pytest.mark.parametrize(
    "existing",
    [
        [],
        [link(C, D)],
        [link(A, C), link(B, D)],
        [link(A, B, state=LinkState.REMOVED)],
        [link(A, C), link(C, B, state=LinkState.REMOVED)],
    ],
)
def test_channels_that_no_path_joins_may_be_linked(existing: list[Link]) -> None:
    assert refusal([A, B], existing) == ""


@pytest.mark.parametrize(
    "existing",
    [
        [link(A, B)],
        [link(B, A)],
        [link(A, B, C)],
        [link(C, D), link(A, B, state=LinkState.PAUSED)],
    ],
)
def test_channels_of_one_link_are_not_linked_twice(existing: list[Link]) -> None:
    assert refusal([A, B], existing) == "These channels are linked already."


@pytest.mark.parametrize(
    "existing", [*permutations([link(A, C), link(D, B), link(C, E, D)])]
)
def test_channels_that_a_chain_joins_are_refused_in_whatever_order_it_was_made(
    existing: tuple[Link, ...],
) -> None:
    assert "round in a circle" in refusal([A, B], existing)


def test_a_larger_link_may_not_close_a_circle_by_two_of_its_channels() -> None:
    assert "round in a circle" in refusal([A, B, C], [link(B, C)])


@given(
    st.lists(
        st.lists(st.sampled_from([A, B, C, D, E]), min_size=2, max_size=3, unique=True),
        max_size=12,
    )
)
def test_a_link_is_refused_exactly_when_it_would_make_a_second_path(
    wishes: list[list[Channel]],
) -> None:
    accepted: list[Link] = []

    for wish in wishes:
        refused = bool(refusal(wish, accepted))
        assert refused == (not _is_forest([*accepted, link(*wish)]))
        if not refused:
            accepted.append(link(*wish))


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.lists(
                st.sampled_from([A, B, C, D, E]), min_size=2, max_size=3, unique=True
            ),
        ),
        max_size=12,
    )
)
def test_links_that_grow_never_make_a_second_path(
    wishes: list[tuple[bool, list[Channel]]],
) -> None:
    accepted: list[Link] = []

    for grow, wish in wishes:
        if not (grow and accepted):
            if not refusal(wish, accepted):
                accepted.append(link(*wish))
            continue
        old, channel = accepted[0], wish[0]
        grown = replace(old, channels=(*old.channels, channel))
        wanted = channel not in old.channels and _is_forest([grown, *accepted[1:]])
        assert (not growth_refusal(old, channel, accepted)) == wanted
        if wanted:
            accepted[0] = grown
    assert _is_forest(accepted)


def growth_refusal(grown: Link, channel: Channel, existing: Iterable[Link]) -> str:
    try:
        refuse_growth(grown, channel, existing)
    except Conflict as conflict:
        return str(conflict)
    return ""


def test_a_link_that_has_ended_takes_nobody_in() -> None:
    ended = link(A, B, state=LinkState.REMOVED)

    assert "has ended" in growth_refusal(ended, C, [ended])
    assert "has ended" in growth_refusal(link(A, B), C, [])


def test_a_link_joins_so_many_channels_and_no_more() -> None:
    many = [Channel(Platform.SLACK, "T1", str(n)) for n in range(MOST_CHANNELS)]
    full = link(*many)

    assert refusal(many, []) == ""
    assert "at most" in refusal([*many, A], [])
    assert "at most" in growth_refusal(full, A, [full])


def test_a_channel_belongs_to_its_link_from_when_it_joined() -> None:
    young = replace(link(A, B, C), created_us=5, joined={C: 9})

    assert [young.since_us(channel) for channel in (A, C)] == [5, 9]


def _is_forest(links: list[Link]) -> bool:
    """Say whether channels and links, drawn as dots joined by lines, have no circle."""
    tree = {channel: {channel} for each in links for channel in each.channels}
    for each in links:
        met = {id(tree[channel]): tree[channel] for channel in each.channels}
        if len(met) < len(each.channels):
            return False
        joined = set[Channel]().union(*met.values())
        tree |= dict.fromkeys(joined, joined)
    return True
