"""
Random people and random faults: in the end both platforms agree with a small model.

`make soak` does the same for as long as it is told to, with new seeds.
"""

import asyncio
from pathlib import Path

import pytest

from tests.databases import migrated_template
from tests.servers import Postgres
from tests.soak.staged import driver
from tests.soak.steps import NothingPlayed, Step, play, with_the_rare

_STEPS = 70
_RARE = {"link", "unlink", "upload", "kill", "deafness", "undelete", "broadcast"}


def test_whatever_happens_on_sqlite_both_sides_agree(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/atom.db"
    happened: list[set[str]] = []

    def episode(steps: list[Step]) -> None:
        happened.append(asyncio.run(_played(steps, tmp_path, url)))

    play(episode, 1, _STEPS)

    [rare] = happened
    assert rare >= _RARE


def test_whatever_happens_to_two_processes_on_postgresql_both_sides_agree(
    tmp_path: Path, postgres: Postgres, redis_url: str
) -> None:
    happened: list[set[str]] = []
    with postgres.database(migrated_template(postgres)) as url:

        def episode(steps: list[Step]) -> None:
            run = _played(steps, tmp_path, url, redis_url, 2)
            happened.append(asyncio.run(run))

        play(episode, 1, _STEPS)

    [rare] = happened
    assert rare >= _RARE


def test_the_same_seed_draws_the_same_steps() -> None:
    drawn: list[list[Step]] = []

    play(drawn.append, 1, 20)
    play(drawn.append, 1, 20)

    assert drawn[0] == drawn[1]
    assert len({step.action for step in drawn[0]}) > 1


async def _played(
    drawn: list[Step], home: Path, url: str, redis_url: str = "", processes: int = 1
) -> set[str]:
    """Return which of the rare things came about."""
    async with driver(home, url, redis_url, processes) as made:
        await made.run(with_the_rare(drawn))
    return {*made.happened}


def test_an_episode_that_was_not_played_is_no_success() -> None:
    played: list[list[Step]] = []

    with pytest.raises(NothingPlayed):
        play(played.append, 1, 0)  # of which there is but one, the simplest

    assert played == []
