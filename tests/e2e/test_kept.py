"""What a mover keeps for a while holds, until an admin ends it: on the next message."""

import json
from pathlib import Path

from bots.core import core
from bots.sandbox.teams import seed
from bridge.compliance import Duty, Officer
from tests.e2e.company import PROJECT_GROUP, employed, known, settings
from tests.e2e.test_access import decided, in_teams
from tests.e2e.test_linking import slack_answer, teams_answer
from tests.e2e.world import COMPANY

CHIEF = Officer("cli:chief")
CAROL = Officer(f"teams:{seed.ACME}/29:carol")
RUNS = json.dumps({"on": True, "keep": {"*": 3}})


async def test_what_a_mover_keeps_is_ended_from_the_other_side_at_once(
    tmp_path: Path, database_url: str
) -> None:
    async with employed(tmp_path, database_url, ATOM_DIRECTORY_RUNS=RUNS) as (
        here,
        company,
    ):
        company.inside[PROJECT_GROUP] -= {"alice"}
        company.write()
        await known(here, company)
        await here.slack("post", text="still here", typed=True)
        await in_teams(here, "still here")

        refused = await teams_answer(here, "kept end alice")
        async with core(settings(here, company), "test") as built:
            await built.duties.assign(COMPANY, CHIEF, CHIEF, Duty.ASSIGN)
            await built.duties.assign(COMPANY, CHIEF, CAROL, Duty.APPROVE)
        ended = await teams_answer(here, "kept end alice Project Falcon")
        await here.slack("post", text="no more", typed=True)
        why = await slack_answer(here, "why me")

        told = await decided(here)
        assert "duty" in refused
        assert "does not keep any more: group Project Falcon" in ended
        assert told["still here"] == ("allow", "falcon-talks")
        assert told["no more"][0] == "deny"
        assert f"Kept group Project Falcon until {CAROL.name} ended that" in why
        last = [e for e in await here.log() if e.etype == "directory.grace"][-1]
        assert last.body["author"]["id"] == CAROL.name
        assert (await here.verdict()).intact
