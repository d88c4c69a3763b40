"""While ATOM serves, its log is signed, and the checkpoints are posted for all to see."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.compliance import verify_atom
from tests.e2e.process import Ended, ran
from tests.e2e.world import (
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
        await here.start()
        await here.slack("post", text="before the checkpoint")
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
    assert verdict.intact
