"""What waits behind the head of a lane is told while its channel is full."""

from dataclasses import replace

from bridge.lanes import Lanes
from tests.unit.bridge.test_lanes import OTHER, VERTRIEB, delivery, started

FULL = str(VERTRIEB)


def turned_away(lanes: Lanes, until_us: int = 10) -> None:
    """Let the first delivery find its channel full."""
    [head] = lanes.start(0)
    lanes.again(replace(head, not_before_us=until_us), full=FULL)


def behind(lanes: Lanes, now_us: int) -> list[int]:
    """Return what waits behind the one lane that may go on."""
    [head] = lanes.start(now_us)
    return [each.seq for each in lanes.companions(head)]


def test_nothing_is_told_where_there_is_room() -> None:
    lanes = Lanes()
    lanes.add([delivery(1), delivery(2)])

    assert behind(lanes, 0) == []


def test_behind_a_head_that_was_turned_away_its_lane_is_told_in_order() -> None:
    lanes = Lanes()
    lanes.add([delivery(1), delivery(2), delivery(3), delivery(4, target=OTHER)])
    lanes.add([delivery(5, thread="m9")])
    [head, *_] = lanes.start(0)
    lanes.again(replace(head, not_before_us=10), full=FULL)
    lanes.add([delivery(6)])

    [again] = lanes.start(10)

    assert [each.seq for each in lanes.companions(again)] == [2, 3, 6]
    assert lanes.companions(delivery(2)) == ()


def test_a_head_that_queued_at_a_closed_gate_was_turned_away_as_well() -> None:
    lanes = Lanes()
    lanes.pause(FULL, 10)
    lanes.add([delivery(1), delivery(2)])

    assert started(lanes) == []
    assert behind(lanes, 10) == [2]


def test_so_was_one_that_an_earlier_owner_was_asked_to_wait_with() -> None:
    lanes = Lanes()
    head = replace(delivery(1), throttled=True, not_before_us=10)
    lanes.add([head, delivery(2)])

    assert started(lanes) == []
    assert behind(lanes, 10) == [2]


def test_busy_neighbours_do_not_make_a_channel_full() -> None:
    lanes = Lanes(at_once=1)
    lanes.add([delivery(1, message="r"), delivery(2), delivery(3)])
    lanes.add([delivery(4, thread="q"), delivery(5, thread="q")])
    [first] = lanes.start(0)
    lanes.finish(first)

    assert behind(lanes, 0) == []


def test_what_ended_with_the_head_is_over() -> None:
    lanes = Lanes()
    lanes.add([delivery(1), delivery(2), delivery(3), delivery(4)])
    lanes.add([delivery(5, thread="3")])
    turned_away(lanes)
    [head] = lanes.start(10)

    lanes.finish(head, [delivery(2), delivery(3)])

    assert {each.seq for each in lanes.waiting()} == {4, 5}
    assert sorted(started(lanes, 20_000_000)) == [4, 5]
    assert lanes.companions(delivery(4)) == ()
    lanes.add([delivery(2)])  # no longer known
    assert len(lanes) == 3
