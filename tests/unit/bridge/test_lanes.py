"""Deliveries leave in order, and nothing waits for a stranger."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery import Delivery, Operation
from bridge.lanes import Lanes
from bridge.messages import Channel, Platform

SALES = Channel(Platform.SLACK, "T1", "C1")
VERTRIEB = Channel(Platform.TEAMS, "19:team", "19:vertrieb")
OTHER = Channel(Platform.TEAMS, "19:team", "19:other")


def delivery(
    seq: int,
    *,
    message: str = "",
    thread: str = "",
    operation: Operation = Operation.POST,
    target: Channel = VERTRIEB,
    link: str = "L1",
) -> Delivery:
    return Delivery(
        "acme",
        seq,
        0,
        link,
        operation,
        SALES,
        target,
        message or str(seq),
        thread,
        0,
        seq,
    )


def started(lanes: Lanes, now_us: int = 0) -> list[int]:
    return [d.seq for d in lanes.start(now_us)]


def test_roots_of_a_direction_leave_one_after_the_other() -> None:
    lanes, first, second = Lanes(), delivery(1), delivery(2)
    lanes.add([first, second])

    assert started(lanes) == [1]
    assert started(lanes) == []
    lanes.finish(first)
    assert started(lanes) == [2]


def test_a_reply_waits_for_its_root() -> None:
    lanes, root = Lanes(), delivery(1, message="m1")
    lanes.add([root, delivery(2, thread="m1")])

    assert started(lanes) == [1]
    lanes.finish(root)
    assert started(lanes) == [2]


def test_threads_do_not_wait_for_each_other() -> None:
    lanes = Lanes()

    lanes.add([delivery(1, thread="a"), delivery(2, thread="b")])

    assert started(lanes) == [1, 2]


def test_a_paused_channel_delays_no_other() -> None:
    lanes = Lanes()
    lanes.pause(str(VERTRIEB), until_us=100)

    lanes.add([delivery(1), delivery(2, target=OTHER)])

    assert started(lanes) == [2]
    assert lanes.next_us() == 100
    assert started(lanes, now_us=100) == [1]


def test_a_delivery_that_must_wait_keeps_its_place() -> None:
    lanes, first = Lanes(), delivery(1)
    lanes.add([first, delivery(2)])
    assert started(lanes) == [1]

    lanes.again(replace(first, not_before_us=50))

    assert started(lanes, now_us=49) == []
    assert started(lanes, now_us=50) == [1]


def test_the_same_delivery_is_queued_once() -> None:
    lanes = Lanes()

    lanes.add([delivery(1)])
    lanes.add([delivery(1)])

    assert len(lanes) == 1


def test_a_lost_shard_leaves_nothing_behind() -> None:
    lanes, root = Lanes(), delivery(1, message="m1")
    lanes.add([root, delivery(2, thread="m1")])
    assert started(lanes) == [1]

    lanes.drop([root.shard])
    lanes.finish(root)

    assert len(lanes) == 0
    assert started(lanes) == []


def test_a_lost_shard_takes_nothing_of_another_with_it() -> None:
    lanes, lost, kept = Lanes(), delivery(1), delivery(2, target=OTHER)
    lanes.add([lost, kept])

    lanes.drop([lost.shard])

    assert [*lanes.waiting()] == [kept]


def test_what_comes_back_from_a_lost_shard_is_not_queued_again() -> None:
    lanes, lost = Lanes(), delivery(1)
    lanes.add([lost])
    assert started(lanes) == [1]
    lanes.drop([lost.shard])

    lanes.again(lost)

    assert len(lanes) == 0
    assert started(lanes) == []


def test_a_reply_waits_for_every_delivery_of_its_root() -> None:
    lanes = Lanes()
    posted, restored = delivery(1, message="m1"), delivery(2, message="m1")
    lanes.add([posted, restored, delivery(3, thread="m1")])

    assert started(lanes) == [1]
    lanes.finish(posted)
    assert started(lanes) == [2]
    lanes.finish(restored)
    assert started(lanes) == [3]


def test_a_lane_goes_on_after_an_edit() -> None:
    lanes, edit = Lanes(), delivery(1, operation=Operation.EDIT)
    lanes.add([edit, delivery(2)])
    assert started(lanes) == [1]

    lanes.finish(edit)

    assert started(lanes) == [2]


def test_a_long_pause_is_not_cut_short_by_a_shorter_one() -> None:
    lanes = Lanes()
    lanes.add([delivery(1)])

    lanes.pause(str(VERTRIEB), until_us=100)
    lanes.pause(str(VERTRIEB), until_us=50)

    assert started(lanes, now_us=99) == []
    assert started(lanes, now_us=100) == [1]


def test_nothing_is_due_where_nothing_waits_for_time() -> None:
    lanes = Lanes()
    lanes.add([delivery(1)])

    assert lanes.next_us() is None


def test_a_changed_link_has_its_deliveries_looked_at_at_once() -> None:
    lanes, resumed, other = Lanes(), delivery(1), delivery(2, link="L2")
    lanes.add([resumed, other])
    assert started(lanes) == [1, 2]
    lanes.again(replace(resumed, not_before_us=100))
    lanes.again(replace(other, not_before_us=100))

    lanes.hurry("L1")

    assert started(lanes) == [1]


def test_a_changed_link_starts_nothing_twice() -> None:
    lanes = Lanes()
    lanes.add([delivery(1)])
    assert started(lanes) == [1]

    lanes.hurry("L1")

    assert started(lanes) == []


def test_what_looked_at_the_link_before_it_changed_looks_again() -> None:
    lanes, under_way = Lanes(), delivery(1)
    lanes.add([under_way])
    assert started(lanes) == [1]
    lanes.hurry("L1")

    lanes.again(replace(under_way, not_before_us=100))

    assert started(lanes) == [1]
    lanes.again(replace(under_way, not_before_us=100))
    assert started(lanes) == []


def test_a_changed_link_does_not_hurry_the_look_up_of_a_lost_answer() -> None:
    lanes, lost = Lanes(), delivery(1)
    lanes.add([lost])
    assert started(lanes) == [1]
    lanes.again(replace(lost, unknown_since_us=1, not_before_us=100))

    lanes.hurry("L1")

    assert started(lanes, now_us=99) == []
    assert started(lanes, now_us=100) == [1]


def test_a_slow_channel_leaves_room_for_the_others() -> None:
    lanes = Lanes(at_once=2)
    slow = [delivery(seq, thread=f"t{seq}") for seq in (1, 2, 3, 4)]
    lanes.add([*slow, delivery(5, target=OTHER)])

    assert started(lanes) == [1, 2, 5]
    lanes.finish(slow[0])
    third = started(lanes)
    lanes.again(replace(slow[1], not_before_us=100))
    fourth = started(lanes)

    assert len(third) == len(fourth) == 1
    assert {*third, *fourth} == {3, 4}


def test_a_channel_has_room_again_when_its_shard_is_lost() -> None:
    lanes, lost = Lanes(at_once=1), delivery(1)
    kept = next(
        each
        for each in (delivery(2, link=f"L{n}") for n in range(2, 99))
        if each.shard != lost.shard
    )
    lanes.add([lost, kept])
    assert started(lanes) == [1]

    lanes.drop([lost.shard])

    assert started(lanes) == [2]


def test_what_has_left_is_still_waiting_until_it_is_over() -> None:
    lanes, first, second = Lanes(), delivery(1), delivery(2)
    lanes.add([first, second])

    assert started(lanes) == [1]
    assert [*lanes.waiting()] == [first, second]
    lanes.finish(first)
    assert [*lanes.waiting()] == [second]


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "1", "2", "3"]), st.booleans()), max_size=30
    ),
    st.randoms(use_true_random=False),
)
def test_every_delivery_leaves_once_and_lanes_keep_their_order(
    wanted: list[tuple[str, bool]], random: st.DrawFn
) -> None:
    lanes = Lanes()
    lanes.add(
        delivery(
            seq,
            thread=thread,
            operation=Operation.EDIT if edit else Operation.POST,
        )
        for seq, (thread, edit) in enumerate(wanted, 1)
    )
    left: list[Delivery] = []
    running: list[Delivery] = []

    while running or len(lanes) > 0:
        running += lanes.start(0)
        done = running.pop(random.randrange(len(running)))  # type: ignore[attr-defined]
        left.append(done)
        lanes.finish(done)

    assert sorted(d.seq for d in left) == list(range(1, len(wanted) + 1))
    for lane in {d.lane for d in left}:
        in_lane = [d.seq for d in left if d.lane == lane]
        assert in_lane == sorted(in_lane)


def test_a_busy_thread_does_not_keep_another_of_its_channel_waiting() -> None:
    lanes = Lanes(at_once=1)
    busy = [delivery(n, thread="a") for n in range(1, 6)]
    lanes.add([busy[0], delivery(9, thread="b"), *busy[1:]])
    order: list[int] = []

    while len(lanes) > 0:
        for running in list(lanes.start(0)):
            order.append(running.seq)
            lanes.finish(running)

    assert order.index(9) == 1


HOUR = 3_600_000_000


def test_a_clock_that_was_ahead_keeps_a_retry_waiting_no_longer_than_it_asked() -> None:
    lanes, head = Lanes(), delivery(1)
    lanes.add([head])
    assert started(lanes, 5) == [1]
    lanes.again(replace(head, not_before_us=HOUR + 100))
    assert started(lanes, HOUR) == []

    assert started(lanes, 10) == []
    assert lanes.next_us() == 110
    assert started(lanes, 110) == [1]


def test_a_clock_that_was_ahead_pauses_a_channel_no_longer_than_it_asked() -> None:
    lanes, head = Lanes(), delivery(1)
    lanes.add([head, delivery(2, link="L2")])
    assert started(lanes, HOUR) == [1, 2]
    lanes.pause(str(VERTRIEB), HOUR + 100)
    lanes.again(head)
    assert started(lanes, HOUR) == []

    assert started(lanes, 10) == []
    assert started(lanes, 110) == [1]


@given(
    pauses=st.lists(st.integers(1, 1000), min_size=1, max_size=6),
    jumps=st.lists(st.integers(-HOUR, HOUR), min_size=1, max_size=6),
)
def test_however_the_clock_jumps_nobody_waits_longer_than_the_pauses(
    pauses: list[int], jumps: list[int]
) -> None:
    """Real time passes in steps of a pause; the clock is off by whatever it jumped."""
    lanes, waiting = Lanes(), {}
    for seq, pause in enumerate(pauses):
        head = delivery(seq, thread=f"t{seq}")
        lanes.add([head])
        waiting[seq] = replace(head, not_before_us=100 * HOUR + pause)
    assert len(started(lanes, 100 * HOUR)) == len(pauses)
    for later in waiting.values():
        lanes.again(later)
    begun = set(started(lanes, 100 * HOUR))

    for real, jump in enumerate(jumps):
        begun |= set(started(lanes, 100 * HOUR + jump + real))
    last = 100 * HOUR + jumps[-1] + len(jumps)

    assert begun | set(started(lanes, last + max(pauses))) == set(waiting)


def test_a_reaction_waits_for_its_message_but_holds_nothing_up() -> None:
    lanes, post = Lanes(), delivery(1, message="m1", thread="m0")
    reaction = delivery(2, message="m1", operation=Operation.REACT)
    lanes.add([post, reaction, delivery(3, message="m2", thread="m0")])

    assert started(lanes) == [1]
    lanes.finish(post)

    assert sorted(started(lanes)) == [2, 3]


def test_a_message_said_in_reply_to_itself_waits_for_nobody() -> None:
    lanes = Lanes()
    lanes.add([delivery(1, message="m1", thread="m1")])

    assert started(lanes) == [1]
