"""
Soak ATOM: `make soak MINUTES=10`, and `make soak SEED=…` for one episode again.

Seeds take turns between one process on SQLite and two on PostgreSQL with Redis.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.servers import Postgres, Redis, running_postgres, running_redis
from tests.soak.staged import driver
from tests.soak.steps import Step, play

_STEPS = 150


def main() -> int:
    asked = _arguments()
    with running_postgres() as postgres, running_redis() as redis:
        return soak(
            _seeds(asked.seed, asked.minutes),
            lambda number, steps: _episode(number, postgres, redis, steps),
            asked.steps,
            shrink=asked.shrink,
        )


def soak(
    numbers: Iterable[int],
    episode: Callable[[int, list[Step]], None],
    steps: int,
    *,
    shrink: bool = False,
) -> int:
    """Play an episode a seed until one fails; tells of each, and returns how it went."""
    total, began = 0, time.monotonic()
    for number in numbers:
        started = time.monotonic()
        try:
            play(partial(episode, number), number, steps, shrink=shrink)
        except Exception:  # noqa: BLE001 - the outermost frame: say the seed
            traceback.print_exc()
            print(f"seed {number} failed: make soak SEED={number} repeats it")
            return 1
        total += steps
        now = time.monotonic()
        print(
            f"seed {number} {_store(number)}: "
            f"{steps / (now - started):.0f} steps/s, "
            f"{total} steps in {now - began:.0f} s",
            flush=True,
        )
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, help="repeat this one, and no other")
    parser.add_argument("--steps", type=int, default=_STEPS, help="in each episode")
    parser.add_argument("--shrink", action="store_true", help="look for a shorter one")
    return parser.parse_args()


def _seeds(only: int | None, minutes: float) -> Iterator[int]:
    if only is not None:
        yield only
        return
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        yield random.getrandbits(32)


def _store(number: int) -> str:
    return "on PostgreSQL" if number % 2 else "on SQLite"


def _episode(
    number: int, postgres: Postgres, redis: Redis, steps: Sequence[Step]
) -> None:
    with tempfile.TemporaryDirectory() as home, _place(number, postgres, redis) as at:
        asyncio.run(_played(steps, Path(home), *at))


@contextmanager
def _place(
    number: int, postgres: Postgres, redis: Redis
) -> Iterator[tuple[str, str, int]]:
    """Lend a store: its URL, a Redis, and how many processes share them."""
    if not number % 2:
        yield "", "", 1
        return
    redis.forget()
    with postgres.database() as url:
        yield url, redis.url, 2


async def _played(
    steps: Sequence[Step], home: Path, url: str, redis_url: str, processes: int
) -> None:
    database = url or f"sqlite:///{home}/atom.db"
    async with driver(home, database, redis_url, processes) as made:
        await made.run(steps)


if __name__ == "__main__":
    sys.exit(main())
