"""Lanes wait for room in the buckets that their deliveries count in, and for no other."""

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery import Delivery
from bridge.lanes import Lanes
from bridge.limits import Accountant, Bucket, Window
from bridge.messages import Channel, Platform
from tests.unit.bridge.test_lanes import OTHER, VERTRIEB, delivery, started

COMPANY = "teams:acme"
CHANNELS = [Channel(Platform.TEAMS, "19:team", f"19:c{n}") for n in range(4)]


@dataclass
class Town:
    """Lanes whose deliveries ask an accountant before they are made."""

    channel: tuple[Window, ...] = ()
    company: tuple[Window, ...] = ()
    now: int = 0
    asked: int = 0
    made: list[Delivery] = field(default_factory=list)
    accountant: Accountant = field(default_factory=Accountant)

    def __post_init__(self) -> None:
        self.lanes = Lanes(gates_of=lambda d: (str(d.target), COMPANY))

    def ask(self, wanted: Delivery) -> bool:
        """Make the delivery if it may be made now; it is not over then."""
        self.asked += 1
        buckets = [
            Bucket("acme", str(wanted.target), self.channel),
            Bucket("acme", COMPANY, self.company),
        ]
        if wait := self.accountant.reserve(buckets, self.now):
            later = replace(wanted, not_before_us=self.now + wait.us)
            self.lanes.again(later, full=wait.bucket)
            return False
        self.made.append(wanted)
        return True

    def wait(self) -> None:
        """Let the time pass until a lane may go on."""
        due = self.lanes.next_us()
        assert due is not None, "everything waits and nothing is due"
        self.now = max(self.now, due)

    def run(self) -> None:
        """Make everything, one call after the other."""
        while len(self.lanes):
            for leaving in self.lanes.start(self.now):
                if self.ask(leaving):
                    self.lanes.finish(leaving)
            if len(self.lanes):
                self.wait()


def test_a_lane_that_was_turned_away_is_the_first_when_there_is_room() -> None:
    lanes = Lanes()
    lanes.add([delivery(1, thread="a"), delivery(2, thread="b")])
    first, second = lanes.start(0)

    lanes.again(replace(first, not_before_us=100), full=str(VERTRIEB))
    lanes.again(replace(second, not_before_us=50))
    lanes.add([delivery(3, thread="c")])

    assert started(lanes, 99) == []
    assert started(lanes, 100) == [1]


def test_a_full_channel_holds_up_no_other() -> None:
    lanes = Lanes()
    lanes.add([delivery(1), delivery(2, thread="a"), delivery(3, target=OTHER)])
    first, *_ = lanes.start(0)

    lanes.again(replace(first, not_before_us=100), full=str(VERTRIEB))
    lanes.add([delivery(4, thread="b"), delivery(5, thread="c", target=OTHER)])

    assert started(lanes) == [5]


def test_what_the_platform_told_an_earlier_owner_holds_for_the_whole_channel() -> None:
    lanes = Lanes()
    throttled = replace(delivery(1, thread="a"), throttled=True, not_before_us=100)

    lanes.add([throttled, delivery(2), delivery(3, target=OTHER)])

    assert started(lanes, 99) == [3]
    assert len(started(lanes, 100)) == 1


def test_channels_take_turns_when_the_company_has_no_room() -> None:
    town = Town(company=(Window(1, 1_000),))
    busy = [delivery(n, thread=f"t{n}", target=CHANNELS[0]) for n in range(1, 101)]
    town.lanes.add([*busy, delivery(999, target=CHANNELS[1])])

    town.run()

    assert [d.seq for d in town.made].index(999) <= 2


def test_few_ask_in_vain_however_many_wait() -> None:
    town = Town(company=(Window(30, 1_000_000),))
    town.lanes.add(
        delivery(n, thread=f"t{n}", target=CHANNELS[n % 4]) for n in range(600)
    )

    town.run()

    assert len(town.made) == 600
    assert town.asked < 600 * 2


def test_a_gate_that_nobody_needs_is_forgotten() -> None:
    town = Town(channel=(Window(1, 10),), company=(Window(2, 10),))
    town.lanes.add(delivery(n, target=CHANNELS[n % 4]) for n in range(40))
    town.run()
    town.now += 10_000_000

    assert started(town.lanes, town.now) == []
    while (due := town.lanes.next_us()) is not None:
        started(town.lanes, due)

    assert town.lanes._gates == {}
    assert town.lanes._alarms == {}


def test_as_many_as_may_leave_do_so_again_soon_after_a_pause() -> None:
    lanes = Lanes(at_once=100)
    lanes.pause(str(VERTRIEB), 100)
    lanes.add(delivery(n, thread=f"t{n}") for n in range(50))
    assert started(lanes, 0) == []

    rounds: list[int] = []
    while (due := lanes.next_us()) is not None:
        rounds.append(len(started(lanes, due)))

    assert rounds[:6] == [1, 2, 4, 8, 16, 19]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["", "a", "b"])), max_size=40
    ),
    st.integers(1, 5),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_everything_leaves_once_in_order_and_inside_the_limits(
    wanted: list[tuple[int, str]], channel: int, company: int, random: st.DrawFn
) -> None:
    town = Town((Window(channel, 7_000),), (Window(company, 3_000),))
    town.lanes.add(
        delivery(seq, thread=thread, target=CHANNELS[n], link=f"L{n}")
        for seq, (n, thread) in enumerate(wanted)
    )
    running: list[Delivery] = []

    while len(town.lanes):
        running += [d for d in town.lanes.start(town.now) if town.ask(d)]
        if running and random.random() < 0.7:  # type: ignore[attr-defined]
            done = running.pop(random.randrange(len(running)))  # type: ignore[attr-defined]
            town.lanes.finish(done)
        elif not running or town.lanes.next_us() is not None:
            town.wait()

    assert sorted(d.seq for d in town.made) == list(range(len(wanted)))
    for lane in {d.lane for d in town.made}:
        in_lane = [d.seq for d in town.made if d.lane == lane]
        assert in_lane == sorted(in_lane)
