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

import orjson

from tests.load.atom import Atom, on_postgres, on_sqlite
from tests.load.generator import Plan
from tests.load.machine import spent
from tests.load.processes import asked, fired, served
from tests.servers import running_postgres

_ALL_COPIED_WITHIN = 120.0  # seconds


def cpu_of_capture(atom: Atom, *, events: int, rate: float, first: int) -> float:
    """Return the CPU milliseconds an event of channels that nobody listens to."""
    with atom.started() as server:
        fired(Plan(server.port, rate, 1.0, first))
        before = spent(server.pid)
        samples = fired(Plan(server.port, rate, events / rate, first + 1_000_000))
        used = spent(server.pid) - before
    return used * 1000 / len(samples.due)


def cpu_of_both(
    atom: Atom, sink: int, *, events: int, rate: float, first: int
) -> float:
    """Return the CPU milliseconds an event that is captured and copied."""
    with atom.started() as server:
        fired(Plan(server.port, rate, 1.0, first))
        before = spent(server.pid)
        samples = fired(Plan(server.port, rate, events / rate, first + 1_000_000))
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
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--events", type=int, default=2000)
    parser.add_argument("--rate", type=float, default=300.0, help="events a second")
    given = parser.parse_args()
    with ExitStack() as stack:
        sink = stack.enter_context(served("tests.load.sink")).port
        for database in given.databases:
            if database == "sqlite":
                alone = stack.enter_context(on_sqlite(sink, linked=False))
                linked = stack.enter_context(on_sqlite(sink, linked=True))
            else:
                server = stack.enter_context(running_postgres())
                alone = stack.enter_context(on_postgres(server, sink, linked=False))
                linked = stack.enter_context(on_postgres(server, sink, linked=True))
            many = {"events": given.events, "rate": given.rate}
            captures, boths = [], []
            for run in range(given.runs):
                first = run * 100_000_000
                captures.append(cpu_of_capture(alone, first=first, **many))
                boths.append(
                    cpu_of_both(linked, sink, first=first + 50_000_000, **many)
                )
            print(
                database,
                [f"{x:.3f}" for x in captures],
                [f"{x:.3f}" for x in boths],
                f"capture {min(captures):.3f} ms, copy {min(boths) - min(captures):.3f} ms",
                flush=True,
            )


if __name__ == "__main__":
    main()
