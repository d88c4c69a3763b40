"""
Random people and random faults: in the end both platforms agree with a small model.

`make soak` does the same for as long as it is told to, with new seeds.
"""

import asyncio
from pathlib import Path

from tests.databases import migrated_template
from tests.servers import Postgres
from tests.soak.staged import driver
from tests.soak.steps import Step, play

_STEPS = 80


def test_whatever_happens_on_sqlite_both_sides_agree(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/atom.db"
    play(lambda steps: asyncio.run(_played(steps, tmp_path, url)), 1, _STEPS)


def test_whatever_happens_to_two_processes_on_postgresql_both_sides_agree(
    tmp_path: Path, postgres: Postgres, redis_url: str
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        play(
            lambda steps: asyncio.run(_played(steps, tmp_path, url, redis_url, 2)),
            1,
            _STEPS,
        )


def test_the_same_seed_draws_the_same_steps() -> None:
    drawn: list[list[Step]] = []

    play(drawn.append, 1, 20)
    play(drawn.append, 1, 20)

    assert drawn[0] == drawn[1]
    assert len({step.action for step in drawn[0]}) > 1


async def _played(
    steps: list[Step], home: Path, url: str, redis_url: str = "", processes: int = 1
) -> None:
    async with driver(home, url, redis_url, processes) as made:
        await made.run(steps)
