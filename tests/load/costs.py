"""
What an event and a copy cost in CPU time, which other work on the machine hides least.

    python -m tests.load.costs [--databases sqlite postgresql] [--events 2000]

Seconds that ATOM's process, with its threads, spent on a fixed number of events,
divided by their number: what happens once, such as starting, is left out. The least
of several runs counts; whatever disturbs a run makes it dearer. PostgreSQL's own time
is not in it.
"""

import time
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import orjson

from tests.load.atom import Atom, on_postgres, on_sqlite
from tests.load.generator import Plan
from tests.load.machine import spent
from tests.load.processes import asked, fired, served
from tests.load.report import table
from tests.servers import running_postgres

_ALL_COPIED_WITHIN = 120.0  # seconds
_APART = 10_000_000  # between the numbers of two volleys
_DATABASES = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Load:
    """So many events, at so many a second."""

    events: int
    rate: float

    def plan(self, port: int, first: int) -> Plan:
        return Plan([port], self.rate, self.events / self.rate, first, warm_up=False)


def of_capture(atom: Atom, load: Load, first: int) -> float:
    """Return the CPU milliseconds an event of channels that nobody listens to."""
    with atom.started() as server:
        fired(Plan([server.port], 100, 1.0, first))
        before = spent(server.pid)
        samples = fired(load.plan(server.port, first + _APART))
        used = spent(server.pid) - before
    return used * 1000 / len(samples.due)


def of_both(atom: Atom, sink: int, load: Load, first: int) -> float:
    """Return the CPU milliseconds an event that is captured and copied."""
    with atom.started() as server:
        fired(Plan([server.port], 100, 1.0, first))
        before = spent(server.pid)
        samples = fired(load.plan(server.port, first + _APART))
        numbers = range(samples.first, samples.first + len(samples.due))
        deadline = time.monotonic() + _ALL_COPIED_WITHIN
        while not _all_there(sink, numbers):
            if time.monotonic() > deadline:
                raise TimeoutError("copies are missing")
            time.sleep(0.1)
        used = spent(server.pid) - before
    return used * 1000 / len(samples.due)


def _all_there(sink: int, numbers: Sequence[int]) -> bool:
    found = dict(orjson.loads(asked(f"http://127.0.0.1:{sink}/bench/arrivals")))
    return all(number in found for number in numbers)


def main() -> None:
    parser = ArgumentParser("python -m tests.load.costs", description=__doc__)
    parser.add_argument("--databases", nargs="+", choices=_DATABASES)
    parser.add_argument("--runs", type=int, default=3, help="the least of so many")
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=300.0, help="events a second")
    given = parser.parse_args()
    load = Load(given.events, given.rate)
    with ExitStack() as stack:
        sink = stack.enter_context(served("tests.load.sink")).port
        for database in given.databases or _DATABASES:
            alone, linked = _atoms(stack, database, sink)
            firsts = range(_APART, (2 * given.runs + 1) * _APART, 2 * _APART)
            capture = min(of_capture(alone, load, first) for first in firsts)
            both = min(of_both(linked, sink, load, first) for first in firsts)
            figures = {"capture, ms an event": capture, "copy, ms": both - capture}
            print(f"**{database}**, {load.rate:g} events/s\n\n{table(figures)}\n")


def _atoms(stack: ExitStack, database: str, sink: int) -> list[Atom]:
    if database == "sqlite":
        return [stack.enter_context(on_sqlite(sink, links=n)) for n in (0, 50)]
    server = stack.enter_context(running_postgres())
    return [stack.enter_context(on_postgres(server, sink, links=n)) for n in (0, 50)]


if __name__ == "__main__":
    main()
