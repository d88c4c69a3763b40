"""The benchmark measures what it says: checked without asserting any time."""

import math
from collections import Counter
from contextlib import ExitStack
from functools import partial

import pytest

from tests.load.generator import Plan, moments
from tests.load.pipeline import measured
from tests.load.processes import served
from tests.load.profiles import Ground, drain, mixed
from tests.load.report import Compared, Results, as_text
from tests.load.rows import Range, Row, Spread
from tests.load.traffic import Kind, Mix, event
from tests.servers import running_postgres, running_redis

_QUICK = Spread(1.0, 2.0, 3.0)
_ROW = Row(200.0, _QUICK, _QUICK, 1.0, _QUICK, 1.0, steal=0.0)


@pytest.mark.parametrize("name", ["aiohttp", "slack-bolt"])
def test_a_bare_server_answers_every_signed_event(name: str) -> None:
    with served("tests.load.sink") as sink:
        row = Range(sink.port, 0.5, print).row(
            partial(served, "tests.load.bare", name), 50
        )

    assert row.answered == 1.0
    assert row.copied == 0.0


def test_events_without_an_answer_count_as_the_slowest() -> None:
    spread = Spread.of([1.0] * 96, 100)

    assert spread == Spread(1.0, 1.0, math.inf)


def test_every_server_is_offered_the_same_moments() -> None:
    plan = Plan(ports=[1], rate=100, seconds=2, first=0)

    assert moments(plan) == moments(plan)
    assert len(moments(plan)) == 200


def test_a_rate_is_not_sustained_when_a_queue_was_only_filling() -> None:
    slow = Spread(90.0, 140.0, 150.0)

    assert _ROW.sustained
    assert not Row(200.0, _QUICK, slow, 1.0, _QUICK, 1.0, steal=0.0).sustained


def test_a_row_on_a_disturbed_machine_is_marked() -> None:
    disturbed = Row(200.0, _QUICK, _QUICK, 1.0, _QUICK, 1.0, steal=7.0)
    bare = Results({200.0: _ROW}, 1000.0, _ROW)
    compared = Compared("A", Results({200.0: disturbed}, 500.0, _ROW), bare, bare)

    text = as_text(["a machine"], [compared])

    assert "7.0! / 0.0 / 0.0" in text
    assert "0.50" in text


MIXED = Mix(channels=4, replies=38, edits=5, deletes=1, reactions=18)


def test_what_is_no_post_is_about_an_earlier_one_in_its_channel() -> None:
    posted: set[tuple[str, str]] = set()
    kinds: Counter[Kind] = Counter()
    for number in range(2000):
        happened = event(number, MIXED)["event"]
        kind = MIXED.kind(number)
        kinds[kind] += 1
        if kind is Kind.POST:
            posted.add((happened["channel"], happened["ts"]))
            continue
        about = {
            Kind.REPLY: lambda said: (said["channel"], said["thread_ts"]),
            Kind.EDIT: lambda said: (said["channel"], said["message"]["ts"]),
            Kind.DELETE: lambda said: (said["channel"], said["deleted_ts"]),
            Kind.REACTION: lambda said: (said["item"]["channel"], said["item"]["ts"]),
        }[kind](happened)
        assert about in posted

    assert all(kinds[kind] > 0 for kind in Kind)
    assert 700 < kinds[Kind.REPLY] < 800


def test_mixed_traffic_and_a_long_queue_reach_the_other_platform() -> None:
    with (
        served("tests.load.sink") as sink,
        running_postgres() as postgres,
        running_redis() as redis,
    ):
        mixed_rows = mixed(
            Ground(sink.port, postgres, redis),
            MIXED,
            processes=1,
            rate=30,
            seconds=1,
        )
        queued = drain(Ground(sink.port, postgres, redis, size=0.002))

    assert mixed_rows["copied %"] > 90  # an edit may overtake what it corrects
    assert mixed_rows["answer p50 ms"] < math.inf
    assert queued["copied %"] == 100


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_stores_pipeline_is_measured_beside_its_floor(database: str) -> None:
    with ExitStack() as stack:
        figures = measured(stack, database, 0.2)

    assert figures["events/s, sustained"] > 0
    assert figures["bare rows/s"] > 0
    assert figures["log verified with every body, entries/s"] > 0
