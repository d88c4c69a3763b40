"""
How long a large directory takes, and how much memory.

    python -m tests.load.directory [--people 20000] [--groups 500] [--changes 200]

reads a company from a YAML file, syncs it into a fresh database for the first time, loads
it in a second process's stead, and then follows single changes. Beside each step stands
what the process's memory grew by. `tests.load.directory_ldap` and `directory_samba` do
the first reading against servers.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TypeVar

import psutil
import yaml

from bots.following import read_once
from bots.syncing import Rules, Sync
from bridge.directory.closure import Closure
from bridge.directory.held import Kept
from bridge.directory.model import Edge, Reading
from bridge.directory.people import Precedence
from bridge.directory.view import LiveDirectory
from bridge.messages import Person, Platform
from policy.directory.yaml_file import YamlFile
from storage.compliance.keys import KeyFile, Keyring
from storage.database import opened
from storage.database_url import database_url
from storage.directory.stored import StoredDirectory
from storage.journal import Journal
from storage.migrate import upgrade
from tests.load.machine import description

T = TypeVar("T")

TENANT = "acme"
_MEGABYTE = 1024 * 1024
_DEPTH = 60  # levels of the deepest chain of groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--database", default="", help="a fresh one; SQLite without")
    options = parser.parse_args()
    print(*description(), sep="\n")
    with tempfile.TemporaryDirectory(prefix="atom-directory-") as folder:
        asyncio.run(_measured(options, Path(folder)))


def company(people: int, groups: int) -> str:
    """Return a file of people in 3 to 12 groups each, which are nested in a circle."""
    chance = random.Random(5)
    units = [f"u{n}" for n in range(40)]
    names = [f"g{n}" for n in range(groups)]
    everybody = [
        {
            "id": f"p{n}",
            "name": f"Person {n}",
            "mail": f"p{n}@acme.example",
            "title": f"Title {n % 90}",
            "employee_id": f"{n:06}",
            "department": f"d{n % 25}",
            "unit": chance.choice(units),
            "groups": chance.sample(names, min(groups, chance.randint(3, 12))),
            "accounts": [f"slack:T1/U{n}"],
        }
        for n in range(people)
    ]
    nested: dict[str, object] = {
        name: {"in": [names[(n + 1) % groups] if n < _DEPTH else names[n // 2]]}
        for n, name in enumerate(names)
    }
    nested[names[min(_DEPTH, groups) - 1]] = {"in": [names[0]]}
    content = {
        "people": everybody,
        "groups": nested,
        "units": {
            unit: {"in": [units[n // 2]]} if n else unit for n, unit in enumerate(units)
        },
        "departments": {f"d{n}": f"Department {n}" for n in range(25)},
    }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(content, Dumper=dumper, sort_keys=False))


async def _measured(options: argparse.Namespace, folder: Path) -> None:
    path = folder / "people.yaml"
    path.write_text(company(options.people, options.groups), "utf-8")
    url = options.database or f"sqlite:///{folder}/atom.db"
    print(f"{options.people} people, {options.groups} groups, {url.partition(':')[0]}")
    print(f"{'':34}{'seconds':>10}{'CPU s':>10}{'MB more':>10}")
    async with _sync(url, folder) as (sync, again):
        source = YamlFile("people", path)
        reading = await _timed("read and parse the file", lambda: read_once(source))
        if reading is None:
            raise AssertionError("the file says nothing")
        await _timed("first sync", lambda: sync.apply(reading))
        await _timed("full sync, nothing changed", lambda: sync.apply(reading))
        await _timed("load it in another process", again.refresh)
        await _timed("everybody's groups", lambda: _everybody(sync.view))
        await _timed("everybody's groups, known", lambda: _everybody(sync.view))
        await _changes(sync, options.changes, options.groups)
    _closure()


@asynccontextmanager
async def _sync(url: str, folder: Path) -> AsyncIterator[tuple[Sync, Sync]]:
    keys = KeyFile.under(folder)
    keys.create(TENANT)
    async with opened(database_url(url)) as database:
        await upgrade(database.engine)
        journal = Journal(database.hot, Keyring(database.hot, keys), _clock)
        kept = StoredDirectory(database.hot, journal, _clock)
        yield _one(kept), _one(kept)


def _one(kept: StoredDirectory) -> Sync:
    view = LiveDirectory(_clock)
    view.configure(TENANT, ("people",), Precedence())
    return Sync(TENANT, view, kept, Rules(), _clock)


def _clock() -> int:
    return time.time_ns() // 1000


async def _everybody(view: LiveDirectory) -> int:
    return len(view.subjects(TENANT))


async def _timed(name: str, work: Callable[[], Awaitable[T]]) -> T:
    process = psutil.Process()
    memory, cpu, start = (
        process.memory_info().rss,
        time.process_time(),
        time.perf_counter(),
    )
    result = await work()
    seconds, spent = time.perf_counter() - start, time.process_time() - cpu
    more = (process.memory_info().rss - memory) / _MEGABYTE
    print(f"{name:34}{seconds:>10.2f}{spent:>10.2f}{more:>10.1f}")
    return result


async def _changes(sync: Sync, count: int, groups: int) -> None:
    """Follow one change after another, each until a decision sees it."""
    for name, readings in (
        ("somebody joins a group", _joins(sync, count, groups)),
        ("somebody has another title", _titles(sync, count)),
        ("a group is put into another", _nestings(count, groups)),
    ):
        times = []
        for who, reading in readings:
            start = time.perf_counter()
            await sync.apply(reading)
            sync.view.subject(TENANT, Person(Platform.SLACK, f"U{who}"), "T1")
            times.append((time.perf_counter() - start) * 1000)
        worst = sorted(times)[int(0.95 * len(times))]
        print(f"{name:34}{median(times):>8.1f} ms{worst:>8.1f} ms (median, 95 %)")


def _joins(sync: Sync, count: int, groups: int) -> Iterator[tuple[int, Reading]]:
    del sync
    for n in range(count):
        edge = Edge(f"p{n}", f"g{(n * 7) % groups}")
        yield n, Reading("people", whole=False, joined=(edge,))


def _titles(sync: Sync, count: int) -> Iterator[tuple[int, Reading]]:
    for n in range(count):
        kept: Kept = sync.state.entries["people", f"p{n}"]
        attributes = {**kept.entry.attributes, "title": "Another"}
        entry = replace(kept.entry, attributes=attributes)
        yield n, Reading("people", whole=False, entries=(entry,))


def _nestings(count: int, groups: int) -> Iterator[tuple[int, Reading]]:
    for n in range(count):
        edge = Edge(f"g{(n * 11) % groups}", f"g{(n * 5 + 1) % groups}")
        yield n, Reading("people", whole=False, joined=(edge,))


def _closure() -> None:
    """Nest groups 60 deep with a circle, 1,000 of them, and ask for all at once."""
    above = {f"n{n}": {f"n{n + 1}"} for n in range(_DEPTH)} | {f"n{_DEPTH}": {"n30"}}
    above |= {f"w{n}": {f"n{n % _DEPTH}", f"w{n // 2}"} for n in range(1, 1000)}
    closure, start = Closure(above), time.perf_counter()
    for node in above:
        closure.ancestors(node)
    spent = (time.perf_counter() - start) * 1000
    print(f"{'1,000 groups, 60 deep, a circle':34}{spent:>8.1f} ms")
    if len(closure.ancestors("n0")) != _DEPTH:
        raise AssertionError("the closure is wrong")


if __name__ == "__main__":
    main()
