"""What no platform told is found from the command line, crosses, and is attested."""

import asyncio
import json
from pathlib import Path

from bots.sandbox.slack.grid_seed import COMPLIANCE_TOKEN
from tests.e2e.test_linking import command_line
from tests.e2e.world import COMPANY, World, teams_messages, world


async def test_dropped_events_are_found_cross_late_and_are_covered(
    tmp_path: Path, database_url: str
) -> None:
    settled = {"ATOM_TUNING_RECONCILE_SETTLED": "0"}
    async with world(tmp_path, database_url, **settled) as here:
        await here.link()
        await here.start()
        before = await command_line(here, "compliance", "coverage", "--json")
        days = json.loads(before.stdout)["days"]
        assert {day["covered"] for day in days} == {0.0}
        await here.slack("post", text="heard")
        await here.until(lambda s: len(teams_messages(s)) == 1)
        await here.fault("slack.deliver", "drop", times=2)
        dropped = [await here.slack("post", text=f"not heard {n}") for n in range(2)]

        ran = await command_line(here, "compliance", "reconcile", "--json")

        assert ran.code == 0, ran.stderr
        told = {c["channel"]: c for c in json.loads(ran.stdout)["channels"]}
        slack = next(c for name, c in told.items() if name.startswith("slack:"))
        assert slack["missing"] == slack["filled"] == sorted(dropped)
        assert (slack["shown"], slack["held"]) == (3, 3)
        assert all(channel["attested"] for channel in told.values())
        await here.until(lambda s: len(teams_messages(s)) == 3)
        after = await command_line(here, "compliance", "coverage", "--json")
        covered = [day["covered"] for day in json.loads(after.stdout)["days"]]
        assert all(0 < share <= 1 for share in covered)
        assert (await here.verdict()).intact
        wrong = await command_line(here, "compliance", "reconcile", "--channel", "x")
        assert wrong.code == 1
        assert "no channel address" in wrong.stderr
        assert json.loads(after.stdout)["company"] == COMPANY


async def test_what_the_organisation_says_about_itself_is_on_record(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as here:
        refused = await command_line(here, "compliance", "grid", "sync")
        assert refused.code == 1
        assert "ATOM_SLACK_COMPLIANCE_TOKEN" in refused.stderr
        here.more |= {
            "ATOM_SLACK_COMPLIANCE_TOKEN": COMPLIANCE_TOKEN,
            "ATOM_SLACK_AUDIT_URL": f"{here.base}/slack/audit/v1/",
            "ATOM_SLACK_DISCOVERY": "true",
            "ATOM_TUNING_RECONCILE_SETTLED": "0",
        }
        await here.set(slack__grid=True)
        await here.slack("audit", name="user_login")
        await here.slack("audit", name="manual_export_started")

        ran = await command_line(here, "compliance", "grid", "sync", "--json")

        assert ran.code == 0, ran.stderr
        assert json.loads(ran.stdout)["audit"] == 2
        await here.link()
        await here.fault("slack.deliver", "drop", times=2)
        gone = await here.slack("post", text="said and deleted, heard by nobody")
        await here.slack("delete", ts=gone)
        ran = await command_line(here, "compliance", "reconcile", "--json")
        assert gone in {e.row["msg"] for e in await here.log()}, ran.stdout
        await here.slack("audit", name="user_logout")
        await here.start()
        async with asyncio.timeout(60):
            while len(await audited(here)) < 3:
                await asyncio.sleep(0.1)
        assert {*await audited(here)} == {
            "user_login",
            "manual_export_started",
            "user_logout",
        }


async def audited(here: World) -> list[str]:
    entries = await here.log()
    return [e.body["text"] for e in entries if e.etype == "grid.audit"]
