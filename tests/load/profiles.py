"""
What ATOM does under traffic of other shapes: many links, a full day, a long queue.

    python -m tests.load.profiles [--rows links throughput people drain memory]

On PostgreSQL with Redis. Each row can be run alone and prints medians of several runs,
figure by figure. What they mean, and how long each takes, is in docs/benchmarks.md.
"""

import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from statistics import median

import orjson
from rich.console import Console

from tests.load.atom import Team, on_postgres, postgres_settings
from tests.load.generator import Plan, Samples
from tests.load.machine import description, resident, spent
from tests.load.processes import asked, fired, served
from tests.load.report import table
from tests.load.rows import Spread
from tests.load.traffic import Kind, Mix
from tests.servers import Postgres, Redis, running_postgres, running_redis

# Of a hundred events. Nobody publishes such figures, so these are assumed, on the busy
# side: half of what is said stands in threads.
_MIXED = Mix(replies=38, edits=5, deletes=1, reactions=18)
_MESSAGES = 0.76  # of the events: posts and replies
_FIRST = 1_000_000

_LAST_COPIES = 60.0  # seconds
_SILENCE = 5.0
_IDLE = 0.2  # of a core
_IDLE_WITHIN = 120.0

Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where rows are measured. `size` makes them shorter: 1 is a whole row."""

    sink: int
    postgres: Postgres
    redis: Redis
    size: float = 1.0

    @contextmanager
    def team(
        self, processes: int, links: int, state: str = "active", **settings: str
    ) -> Iterator[Team]:
        """Run a fresh ATOM that has found its links and has nothing to do."""
        asked(f"{self._bench}/reset", post=True)
        with on_postgres(self.postgres, self.sink, links=links, state=state) as atom:
            shared = {"ATOM_REDIS_URL": self.redis.url, **settings}
            with replace(atom, settings=shared).team(processes) as team:
                _until_idle(team)
                yield team

    def arrivals(self, expected: set[int], patience: float) -> dict[int, int]:
        """Return when each of the numbered messages came, until no more come."""
        deadline = time.monotonic() + patience
        found: dict[int, int] = {}
        news = time.monotonic()
        while True:
            said = orjson.loads(asked(f"{self._bench}/arrivals"))
            before, found = found, {n: at for n, at in said if n in expected}
            now = time.monotonic()
            news = now if len(found) > len(before) else news
            # Some never come by themselves: a later edit took their place.
            silent = now - news > _SILENCE and bool(found)
            if len(found) == len(expected) or silent or now > deadline:
                return found
            time.sleep(0.3)

    @property
    def _bench(self) -> str:
        return f"http://127.0.0.1:{self.sink}/bench"


def links(ground: Ground) -> Figures:
    """1,000 links, mixed traffic at 200 events/s, two processes"""
    mix = replace(_MIXED, channels=1000)
    return mixed(ground, mix, processes=2, rate=200, seconds=30)


def people(ground: Ground) -> Figures:
    """50,000 people: 420 messages/s in 2,000 channels, mixed, one process"""
    mix = replace(_MIXED, channels=2000)
    return mixed(ground, mix, processes=1, rate=420 / _MESSAGES, seconds=60)


def people_on_two(ground: Ground) -> Figures:
    """50,000 people: 420 messages/s in 2,000 channels, mixed, two processes"""
    mix = replace(_MIXED, channels=2000)
    return mixed(ground, mix, processes=2, rate=420 / _MESSAGES, seconds=60)


def throughput(ground: Ground) -> Figures:
    """Delivered messages, 50 links, more coming in than can leave"""
    found: dict[str, float] = {}
    for processes in (1, 2):
        with ground.team(processes, links=50) as team:
            samples = fired(Plan(_ports(team), 800, 15 * ground.size, _FIRST))
            arrived = ground.arrivals(_numbers(samples), 4 * _LAST_COPIES)
        took = (max(arrived.values(), default=0) - samples.due[0]) / 1e9
        found[f"messages/s, {processes} process(es)"] = len(arrived) / took
        found[f"copied %, {processes} process(es)"] = _share(arrived, samples.due)
    return found


def drain(ground: Ground) -> Figures:
    """10,000 queued messages, 50 links, limits seven times as wide as Teams'"""
    count, limit = int(10_000 * ground.size), 200
    settings = {
        "ATOM_TUNING_TEAMS_CHANNEL_LIMIT": "40/1",
        "ATOM_TUNING_TEAMS_TENANT_LIMIT": f"{limit}/1",
    }
    with ground.team(1, links=50, state="paused", **settings) as team:
        plan = Plan(_ports(team), 250, count / 250, _FIRST, warm_up=False)
        numbers = _numbers(fired(plan))
        began = time.monotonic_ns()
        team.resume()
        arrived = ground.arrivals(numbers, _LAST_COPIES + 5 * count / limit)
    took, ideal = (max(arrived.values(), default=0) - began) / 1e9, count / limit
    return {
        "seconds": took,
        "seconds, ideal": ideal,
        "ratio to the ideal": took / ideal,
        "copied %": _share(arrived, numbers),
    }


def memory(ground: Ground) -> Figures:
    """An hour of ten messages a second, at ten times the speed, one process"""
    found: dict[str, float] = {}
    with ground.team(1, links=50) as team:
        [server] = team.servers
        found["MiB before"] = resident(server.pid)
        first = _FIRST
        for part in range(1, 7):
            plan = Plan([server.port], 100, 60 * ground.size, first, warm_up=False)
            samples = fired(plan)
            numbers = _numbers(samples)
            missing = numbers - ground.arrivals(numbers, _LAST_COPIES).keys()
            found[f"MiB after {10 * part} minutes' worth"] = resident(server.pid)
            found["not copied"] = found.get("not copied", 0) + len(missing)
            first += len(samples.due)
    return found


ROWS: Mapping[str, Sequence[Callable[[Ground], Figures]]] = {
    "links": (links,),
    "throughput": (throughput,),
    "people": (people, people_on_two),
    "drain": (drain,),
    "memory": (memory,),
}


def mixed(
    ground: Ground, mix: Mix, *, processes: int, rate: float, seconds: float
) -> Figures:
    mix = replace(mix, first=_FIRST)
    with ground.team(processes, links=mix.channels) as team:
        before = sum(spent(server.pid) for server in team.servers)
        plan = Plan(_ports(team), rate, seconds * ground.size, _FIRST, mix)
        samples = fired(plan)
        used = sum(spent(server.pid) for server in team.servers) - before
        said = {n for n in _numbers(samples) if mix.kind(n) in _SHOWN}
        arrived = ground.arrivals(said, _LAST_COPIES)
    due = dict(enumerate(samples.due, samples.first))
    answer = Spread.of([took for took in samples.took if took >= 0], len(samples.due))
    lag = Spread.of([(at - due[n]) / 1e6 for n, at in arrived.items()], len(said))
    return {
        "events/s offered": rate,
        "answer p50 ms": answer.p50,
        "answer p95 ms": answer.p95,
        "answer p99 ms": answer.p99,
        "event to call p50 ms": lag.p50,
        "event to call p95 ms": lag.p95,
        "copied %": _share(arrived, said),
        "CPU of ATOM until the last answer, cores": used / seconds / ground.size,
        "steal %": samples.steal,
    }


# What arrives with a number of its own; a deletion and a reaction bring none.
_SHOWN = {Kind.POST, Kind.REPLY, Kind.EDIT}


def _ports(team: Team) -> list[int]:
    return [server.port for server in team.servers]


def _numbers(samples: Samples) -> set[int]:
    return set(range(samples.first, samples.first + len(samples.due)))


def _share(arrived: Mapping[int, int], expected: Sequence[int] | set[int]) -> float:
    return 100 * len(arrived) / len(expected)


def _until_idle(team: Team) -> None:
    """Let the processes find their links, claim their shards and look around."""
    deadline = time.monotonic() + _IDLE_WITHIN
    while time.monotonic() < deadline:
        before = [spent(server.pid) for server in team.servers]
        time.sleep(2)
        after = [spent(server.pid) for server in team.servers]
        if sum(after) - sum(before) < 2 * _IDLE * len(after):
            return


def main() -> None:
    parser = ArgumentParser("python -m tests.load.profiles", description=__doc__)
    parser.add_argument("--rows", nargs="+", choices=[*ROWS], default=[*ROWS])
    parser.add_argument("--runs", type=int, default=3, help="medians of so many")
    parser.add_argument("--size", type=float, default=1.0, help="1 is a whole row")
    given = parser.parse_args()
    # Whoever ends us, the servers are stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    screen = Console(stderr=True)
    with ExitStack() as stack:
        sink = stack.enter_context(served("tests.load.sink")).port
        postgres = stack.enter_context(running_postgres())
        redis = stack.enter_context(running_redis())
        ground = Ground(sink, postgres, redis, given.size)
        for line in (*description(), postgres_settings(postgres)):
            print(f"- {line}")
        print(f"- medians of {given.runs} run(s), rows of {given.size:.0%} length")
        for row in (row for name in given.rows for row in ROWS[name]):
            title = str(row.__doc__)
            runs = []
            for run in range(1, given.runs + 1):
                screen.print(f"run {run} of {given.runs}: {title}")
                runs.append(row(ground))
            figures = {name: median(found[name] for found in runs) for name in runs[0]}
            print(f"\n**{title}**\n\n{table(figures)}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
