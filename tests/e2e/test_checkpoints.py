"""While ATOM serves, its log is signed, and the checkpoints are posted for all to see."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from storage.compliance import verify_atom
from tests.e2e.process import Ended, ran
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    World,
    slack_messages,
    teams_messages,
    world,
)


async def typed(here: World, *arguments: str) -> Ended:
    ended = await ran(here.environment(), arguments, here.home)
    assert ended.code == 0, ended.stderr
    return ended


def checkpoints_in(messages: list[Mapping[str, Any]]) -> list[str]:
    """Return the signed notes that stand in a channel, whatever they are wrapped in."""
    texts = [json.dumps(each, ensure_ascii=False) for each in messages]
    return [text for text in texts if "Checkpoint of the record" in text]


async def test_checkpoints_stand_in_a_slack_and_a_teams_channel_and_hold(
    tmp_path: Path,
) -> None:
    database = f"sqlite:///{tmp_path}/atom.db"
    async with world(tmp_path, database, ATOM_TUNING_ANCHOR_EVERY="1") as here:
        await here.link()
        await here.start()
        await here.slack("post", text="before the checkpoint")
        await here.until(lambda s: "before the checkpoint" in str(teams_messages(s)))
        await here.quiet()
        # One that cannot be reached must not keep the others from being posted.
        dead = await ran(
            here.environment(),
            ("log", "anchor", "slack:T01ACME/C0NOWHERE"),
            here.home,
        )
        for channel in (FALCON, PROJECT):
            await typed(here, "log", "anchor", str(channel))

        def posted(state: Mapping[str, Any]) -> bool:
            slack = checkpoints_in(slack_messages(state))
            teams = checkpoints_in(teams_messages(state))
            return len(slack) > 1 and len(teams) > 1

        state = await here.until(posted)

        [key] = json.loads((await typed(here, "log", "keys", "--json")).stdout)
        newest = (await typed(here, "log", "checkpoint")).stdout
        anchors = json.loads((await typed(here, "log", "anchors", "--json")).stdout)
        proved = (await typed(here, "log", "prove", "0")).stdout
        verdict = await here.verdict()
        [delivered] = [e for e in await here.log() if e.etype == "bridge.delivered"]
        line = ("log", "prove-link", str(delivered.seq))
        linked = json.loads((await typed(here, *line)).stdout)
        refused = await ran(here.environment(), (*line, "--disclose"), here.home)
        async with core(here.settings, "test") as built:
            disclosed = await built.prover.link(COMPANY, delivered.seq, opened=True)

    trust = verify_atom.Trust([verify_atom.Key.parse(key["vkey"])])
    assert verify_atom.Proof(proved).verify(trust)[0].size > 1
    origin = trust.checkpoint(newest).origin
    for messages in (slack_messages(state), teams_messages(state)):
        for text in checkpoints_in(messages):
            assert origin in text
    faults = {each["address"]: each["fault"] for each in anchors}
    assert faults[str(FALCON)] == faults[str(PROJECT)] == ""
    assert faults["slack:T01ACME/C0NOWHERE"]
    assert dead.code == 1
    told = verify_atom.check_link(trust, linked)
    assert f"was delivered as {delivered.row['msg']} in {PROJECT.id}" in told
    assert "before the checkpoint" not in told
    assert refused.code == 1
    told = verify_atom.check_link(trust, disclosed)
    assert "what it said: 'before the checkpoint'" in told
    assert "what was shown (markdown): 'before the checkpoint'" in told
    changed = disclosed["opened"]["copy"]["body"].replace("before", "after")
    disclosed["opened"]["copy"]["body"] = changed
    with pytest.raises(verify_atom.Bad, match="not what was committed to"):
        verify_atom.check_link(trust, disclosed)
    assert verdict.intact
