"""
Measure ATOM beside bare servers, on this machine, in one run.

    python -m tests.load.bench [--quick] [--databases sqlite postgresql]

One table a database: how soon an event is acknowledged at several rates offered, the
largest rate that is still acknowledged quickly, and how soon the other platform is
called. What that means, and how to read it, is in docs/benchmarks.md.
"""

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

import pytest
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.load.atom import (
    on_postgres,
    on_sqlite,
    postgres_settings,
    sqlite_settings,
)
from tests.load.machine import description
from tests.load.processes import served
from tests.load.report import Compared, Results, as_text, for_terminal
from tests.load.rows import RATES, Range, Started, middle
from tests.load.traffic import CHANNELS
from tests.servers import running_postgres

_ANSWERS_AT = (200.0, 500.0, 1000.0)
_CALLS_AT = (50.0, 200.0)  # slow enough for every copy to be waited for
_DATABASES = ("sqlite", "postgresql")
_STEPS = len(RATES).bit_length()
_BARE = ("slack-bolt", "aiohttp")


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to measure, and at which rates."""

    name: str
    title: str
    started: Started
    rates: Sequence[float] = _ANSWERS_AT


def main() -> None:
    arguments = _arguments()
    # Whoever ends us, the servers are stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    screen = Console(stderr=True)
    try:
        head, tables = _bench(arguments, screen)
    except KeyboardInterrupt:
        sys.exit(130)
    if screen.is_terminal:
        for compared in tables:
            screen.print(for_terminal(compared))
    print(as_text(head, tables))


def _bench(
    arguments: Namespace, screen: Console
) -> tuple[Sequence[str], Sequence[Compared]]:
    with ExitStack() as stack:
        sink = stack.enter_context(served("tests.load.sink")).port
        contenders = [
            Contender(name, name, partial(served, "tests.load.bare", name))
            for name in _BARE
        ]
        for database in arguments.databases:
            if ours := _atom(stack, database, sink, linked=not arguments.unlinked):
                contenders.append(ours)
            else:
                screen.print(f"{database} is missing, and was not measured")
        found = _measure(arguments, contenders, sink, screen)
    bolt, aiohttp = found["slack-bolt"], found["aiohttp"]
    compared = [
        Compared(c.title, found[c.name], bolt, aiohttp)
        for c in contenders
        if c.name not in _BARE
    ]
    return _head(arguments), compared


def _measure(
    arguments: Namespace, contenders: Sequence[Contender], sink: int, screen: Console
) -> dict[str, Results]:
    """Measure everybody in turn, as often as asked, and take the medians."""
    taken: dict[str, list[Results]] = {c.name: [] for c in contenders}
    steps = sum(len(c.rates) + _STEPS for c in contenders) * arguments.runs
    with _progress(screen, steps) as note:
        for run in range(1, arguments.runs + 1):
            for contender in contenders:
                name = f"run {run} of {arguments.runs}, {contender.name}"
                ground = Range(sink, arguments.seconds, partial(note, name))
                taken[contender.name].append(_once(contender, ground))
    return {name: _medians(runs) for name, runs in taken.items()}


def _once(contender: Contender, ground: Range) -> Results:
    rows = {
        rate: ground.row(contender.started, rate, copies=rate in _CALLS_AT)
        for rate in contender.rates
    }
    return Results(rows, *ground.largest(contender.started))


def _medians(runs: Sequence[Results]) -> Results:
    rows = {rate: middle([run.rows[rate] for run in runs]) for rate in runs[0].rows}
    searched = [run.at_largest for run in runs if run.at_largest]
    return Results(
        rows,
        median(run.largest for run in runs),
        max(searched, key=lambda row: row.steal, default=None),
    )


def _atom(
    stack: ExitStack, database: str, sink: int, *, linked: bool
) -> Contender | None:
    links = len(CHANNELS) if linked else 0
    rates = sorted({*_ANSWERS_AT, *(_CALLS_AT if linked else ())})
    if database == "sqlite":
        atom = stack.enter_context(on_sqlite(sink, links=links))
        return Contender(database, sqlite_settings(), atom.started, rates)
    try:
        server = stack.enter_context(running_postgres())
    except (pytest.skip.Exception, pytest.fail.Exception):
        return None
    atom = stack.enter_context(on_postgres(server, sink, links=links))
    return Contender(database, postgres_settings(server), atom.started, rates)


def _head(arguments: Namespace) -> list[str]:
    linked = "that nobody listens to" if arguments.unlinked else "linked with Teams"
    return [
        *description(),
        f"Slack messages of 1.5 kB, in 50 channels {linked}, due at random moments",
        "latency counts from the moment a message was due",
        f"{arguments.seconds:g} s a row, on a fresh server with a fresh database",
        f"medians of {arguments.runs} run(s)",
    ]


def _arguments() -> Namespace:
    parser = ArgumentParser("python -m tests.load.bench", description=__doc__)
    parser.add_argument("--databases", nargs="+", choices=_DATABASES)
    parser.add_argument("--runs", type=int, default=3, help="medians of so many")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of a row")
    parser.add_argument("--quick", action="store_true", help="1 run, 3 s a row")
    parser.add_argument(
        "--unlinked", action="store_true", help="channels that nothing is copied from"
    )
    arguments = parser.parse_args()
    arguments.databases = arguments.databases or _DATABASES
    if arguments.quick:
        arguments.runs, arguments.seconds = 1, 3.0
    return arguments


@contextmanager
def _progress(screen: Console, steps: int) -> Iterator[Callable[[str, str], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of about {task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as progress:
        task = progress.add_task("starting", total=steps)

        def note(name: str, doing: str) -> None:
            progress.update(task, description=f"{name}: {doing}", advance=1)

        yield note


if __name__ == "__main__":
    main()
