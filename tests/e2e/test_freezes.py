"""
A process stands still while another one takes over; when it goes on, it does no harm.

As in a long pause of a virtual machine. The judge is what stands in the sandbox.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.databases import migrated_template
from tests.e2e.world import SHARING, World, slack_texts, teams_texts, world
from tests.servers import Postgres, free_port

_SOON = 40.0


@pytest.fixture
async def here(tmp_path: Path, postgres: Postgres) -> AsyncIterator[World]:
    with postgres.database(migrated_template(postgres)) as url:
        async with world(tmp_path, url, **SHARING) as made:
            # What the frozen one does not answer goes to the other one.
            await made.set(slack__answer_timeout=3.0, teams__answer_timeout=3.0)
            await made.link()
            yield made


def copies(state: Mapping[str, Any], side: str, text: str) -> int:
    """Count the copies of what was said on a side."""
    texts = teams_texts(state) if side == "slack" else slack_texts(state)
    return sum(found.endswith(text) for found in texts)


@pytest.mark.parametrize("side", ["slack", "teams"])
@pytest.mark.parametrize("step", ["written", "checked", "intended", "sent"])
async def test_a_process_that_was_frozen_at_a_step_makes_no_second_copy(
    here: World, step: str, side: str
) -> None:
    say = here.slack if side == "slack" else here.teams
    await here.start(step, blow=signal.SIGSTOP)
    await say("post", text="one")
    assert here.process is not None
    # Frozen within a transaction, it keeps its locks as long as the server lets it.
    async with asyncio.timeout(_SOON):
        await here.process.frozen()
    other = replace(here, port=free_port(), process=None)
    await other.start()
    try:
        await here.set(atom_url=other.atom)
        await _delivered(here, 1)
        assert copies(await here.state(), side, "one") == 1

        here.process.go_on()

        await _until_it_knows(here)
        await say("post", text="two")
        await _delivered(here, 2)
        await here.quiet()
        state = await here.state()
        assert [copies(state, side, text) for text in ("one", "two")] == [1, 1]
        assert (await here.verdict()).intact
    finally:
        await other.stop()


async def test_a_process_frozen_while_its_call_is_under_way_makes_no_second_copy(
    here: World,
) -> None:
    await here.start()
    await here.fault("teams.post", "delay_after", times=1, seconds=2.0)
    await here.slack("post", text="one")
    await here.until(lambda s: copies(s, "slack", "one") == 1)
    assert here.process is not None
    os.kill(here.process.process.pid or 0, signal.SIGSTOP)
    other = replace(here, port=free_port(), process=None)
    await other.start()
    try:
        await here.set(atom_url=other.atom)
        await _delivered(here, 1)

        here.process.go_on()

        await _until_it_knows(here)
        await here.slack("post", text="two")
        await _delivered(here, 2)
        await here.quiet()
        state = await here.state()
        assert [copies(state, "slack", text) for text in ("one", "two")] == [1, 1]
        assert (await here.verdict()).intact
    finally:
        await other.stop()


async def _delivered(here: World, count: int) -> None:
    """Wait until the log has that many copies."""
    await here.logged(
        lambda entries: sum(e.etype == "bridge.delivered" for e in entries) >= count
    )


async def _until_it_knows(here: World) -> None:
    """Wait until the process that was frozen has lost its shards."""
    async with asyncio.timeout(_SOON):
        while "shards lost" not in here.stderr:
            await asyncio.sleep(0.05)
