"""
What a record's card costs: redacted, digested, and rendered for both platforms.

Each figure is CPU time, the median of three runs, each the mean of many cards. A bare `json.dumps`
of what was rendered stands beside it: less than that no renderer can cost.
`python -m tests.load.cards`.
"""

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median

from bots.slack import record_cards as slack
from bots.teams import record_cards as teams
from bridge.messages import Channel, Person, Platform
from bridge.records.floor import Floors, Room
from bridge.records.model import PUBLIC, Fact, Record
from bridge.records.places import Present
from bridge.records.redaction import digest_of
from policy.default import MembershipPolicy
from tests.record_hostility import hostile
from tests.record_rendering import card
from tests.record_samples import CHANGE, INCIDENT, OPPORTUNITY

_RUNS = 3


def samples() -> dict[str, list[Record]]:
    """Return records that people have, and such as nobody should."""
    many = tuple(Fact(f"f{n}", f"Label {n}", "v" * 100) for n in range(60))
    long = Fact("description", "Description", "long words " * 18_000)
    return {
        "usual": [OPPORTUNITY, CHANGE, INCIDENT],
        "60 fields, 200 kB": [replace(CHANGE, facts=many, body=long)],
        "10,000 fields": [
            replace(CHANGE, facts=tuple(Fact(f"f{n}", "L", "v") for n in range(10_000)))
        ],
        "hostile, by lot": [hostile(random.Random(number)) for number in range(30)],
    }


def microseconds(work: Callable[[Record], object], records: Sequence[Record]) -> float:
    """Return the median of the runs' mean time for one record."""
    runs = []
    for _ in range(_RUNS):
        begin, done = time.process_time(), 0
        while time.process_time() - begin < _seconds(records):
            for record in records:
                work(record)
            done += len(records)
        runs.append((time.process_time() - begin) / done * 1e6)
    return median(runs)


def _seconds(records: Sequence[Record]) -> float:
    return 0.5 + 0.02 * len(records)


def row(name: str, records: Sequence[Record]) -> str:
    cards = {record.ref.id + record.title: card(record) for record in records}
    of = {id(record): cards[record.ref.id + record.title] for record in records}
    blocks = {id(r): slack.render(of[id(r)]).blocks for r in records}
    made = {id(r): teams.render(of[id(r)]) for r in records}
    figures = [
        microseconds(card, records),
        microseconds(lambda r: digest_of(of[id(r)]), records),
        microseconds(lambda r: slack.render(of[id(r)]), records),
        microseconds(lambda r: json.dumps(blocks[id(r)]), records),
        microseconds(lambda r: teams.render(of[id(r)]), records),
        microseconds(lambda r: json.dumps(made[id(r)]), records),
    ]
    return f"{name:<20}" + "".join(f"{figure:>12,.0f}" for figure in figures)


def floors(people: int, classes: int) -> str:
    """Say what a floor costs, before anything is kept and after."""
    room = Room(
        "acme",
        Channel(Platform.SLACK, "T1", "C1"),
        Present(
            tuple(Person(Platform.SLACK, f"U{n}") for n in range(people)), version="1"
        ),
    )
    wanted = {PUBLIC, *(f"class-{n}" for n in range(classes - 1))}
    first: list[float] = []
    again: list[float] = []
    newcomer: list[float] = []
    for _ in range(_RUNS):
        made = Floors(MembershipPolicy(), lambda _: "1", time.monotonic)
        more = replace(room, present=replace(room.present, version="2"))
        for taken, where in ((first, room), (again, room), (newcomer, more)):
            begin = time.process_time()
            _drive(made, where, wanted)
            taken.append((time.process_time() - begin) * 1e6)
    figures = "".join(f"{median(each):>12,.0f}" for each in (first, newcomer, again))
    return f"{f'{people} people, {classes} classes':<32}{figures}"


def _drive(made: Floors, room: Room, wanted: set[str]) -> None:
    """Run a coroutine that waits for nothing, without a loop's own cost."""
    try:
        made.of_room(room, OPPORTUNITY.ref, wanted).send(None)
    except StopIteration:
        return
    raise SystemExit("the policy waited for something")


def tables() -> None:
    """Measure, and print both tables."""
    print(_head("µs of CPU a card", 20, "redact digest Slack json Teams json"))
    for name, records in samples().items():
        print(row(name, records))
    print()
    print(_head("µs of CPU a floor", 32, "first newcomer kept"))
    for people, classes in ((20, 3), (500, 4)):
        print(floors(people, classes))


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    tables()


def _head(name: str, width: int, columns: str) -> str:
    return f"{name:<{width}}" + "".join(f"{each:>12}" for each in columns.split())


if __name__ == "__main__":
    main()
