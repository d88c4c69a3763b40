"""What a reading changes: partial answers take nothing, and vanishing takes two."""

from dataclasses import replace

from bridge.directory.difference import What, difference, folded, ripened
from bridge.directory.held import Life, State
from bridge.directory.model import Edge, Fate, Gone, Reading, Standing
from tests.unit.bridge.directory.told import (
    HOUR,
    NOW,
    group,
    part,
    person,
    taken_in,
    whole,
)


def _state() -> State:
    state = State()
    taken_in(state, whole(person("ana"), person("ben"), group("fin", ["ana", "ben"])))
    return state


def _whats(state: State, reading: Reading, now_us: int = NOW) -> list[tuple[str, str]]:
    return [(c.what, c.id) for c in difference(state, reading, now_us, HOUR)]


def test_the_same_reading_again_changes_nothing() -> None:
    again = whole(person("ana"), person("ben"), group("fin", ["ben", "ana"]))

    assert _whats(_state(), again) == []


def test_an_incomplete_reading_removes_nobody_and_still_adds() -> None:
    broken = whole(person("eve"), group("fin", ["eve"]), complete=False)

    assert _whats(_state(), broken) == [(What.ADD, "eve"), (What.JOIN, "eve")]


def test_an_incomplete_reading_takes_nobody_out_of_a_department() -> None:
    state = State()
    taken_in(state, whole(person("ana", parents=["d1"])))
    reading = whole(person("ana", title="Head"), complete=False)

    [change] = difference(state, reading, NOW, HOUR)

    assert change.entry is not None
    assert change.entry.parents == {"d1"}
    assert change.entry.attributes == {"title": "Head"}


def test_vanished_people_need_two_complete_readings_and_the_grace() -> None:
    state = _state()
    less = whole(person("ana"), group("fin", ["ana", "ben"]))

    lives = []
    for later in (0, HOUR // 2, HOUR):
        taken_in(state, less, NOW + later)
        lives.append(state.entries["ad", "ben"].life)

    assert lives == [Life.MISSING, Life.MISSING, Life.SUSPENDED]
    assert state.entries["ad", "ben"].why == "vanished"


def test_who_is_seen_again_in_between_is_as_before() -> None:
    state = _state()
    taken_in(state, whole(person("ana"), group("fin", ["ana", "ben"])))

    taken_in(state, part(person("ben")))

    assert state.entries["ad", "ben"].life is Life.LIVE
    assert state.entries["ad", "ben"].missed == 0


def test_what_its_source_calls_gone_is_suspended_at_once_with_the_reason() -> None:
    state = _state()
    reading = Reading("ad", whole=False, gone=(Gone("ben", Fate.OUT_OF_SCOPE),))

    taken_in(state, reading)

    assert state.entries["ad", "ben"].life is Life.SUSPENDED
    assert state.entries["ad", "ben"].why == Fate.OUT_OF_SCOPE


def test_disabling_is_told_apart_from_other_changes() -> None:
    off = part(person("ben", standing=Standing.DISABLED))
    named = part(replace(person("ben"), name="Benedict"))

    assert _whats(_state(), off) == [(What.DISABLE, "ben")]
    assert _whats(_state(), named) == [(What.CHANGE, "ben")]


def test_whoever_is_told_of_both_ways_is_out() -> None:
    edge = Edge("ben", "fin")
    reading = Reading("ad", whole=False, joined=(edge,), left=(edge,))

    assert _whats(_state(), reading) == [(What.LEAVE, "ben")]


def test_suspended_people_ripen_and_come_back() -> None:
    state = _state()
    taken_in(state, Reading("ad", whole=False, gone=(Gone("ben"),)))
    day = 24 * HOUR

    assert not [*ripened(state, "ad", NOW + 6 * day, 7 * day, 30 * day)]
    [step] = ripened(state, "ad", NOW + 7 * day, 7 * day, 30 * day)
    assert step.what is What.QUARANTINE

    taken_in(state, part(person("ben")), NOW + day)
    assert state.entries["ad", "ben"].life is Life.LIVE
    assert "ben" in state.members["ad", "fin"]


def test_a_run_is_complete_only_if_nothing_broke_off() -> None:
    pages = [
        Reading("ad", whole=True, complete=False, entries=(person("ana"),)),
        Reading("ad", whole=True, entries=(person("ben"),), cursor=b"7"),
    ]

    assert folded(pages).complete
    assert folded(pages).cursor == b"7"
    pages[0] = replace(pages[0], why="timeout")
    assert not folded(pages).complete
    assert folded(pages).cursor == b""


def test_of_one_run_the_last_word_counts() -> None:
    edge = Edge("ana", "fin")
    run = folded(
        [
            Reading("ad", whole=False, joined=(edge,), entries=(person("ana"),)),
            Reading("ad", whole=False, left=(edge,), gone=(Gone("ana"),)),
        ]
    )

    assert (run.joined, run.left) == ((), (edge,))
    assert (run.entries, run.gone) == ((), (Gone("ana"),))
