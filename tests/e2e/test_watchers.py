"""Whole ATOM processes: starts and stops on record, and copies taken down after erasure."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.core import core
from bridge.compliance import Duty, Officer
from storage.compliance.acts import Act
from storage.compliance.gdpr.notices import per_platform
from storage.compliance.keys.shredding import destroyed
from tests.e2e.world import COMPANY, World, teams_messages, teams_texts, world

ADA, BEN = Officer("cli:ada"), Officer("cli:ben")


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await made.link()
        await made.start()
        yield made


async def test_starts_stops_and_changed_settings_are_on_record(here: World) -> None:
    async with here.session.get(f"{here.atom}/metrics") as answer:
        figures = await answer.text()
    await here.stop()
    here.more["ATOM_TUNING_TRIES"] = "3"
    await here.start()

    told = [e.body["text"] for e in await here.log() if e.etype == "admin.config"]

    assert told == [
        "started serving",
        "stopped serving",
        "started serving; other settings: tuning.tries",
    ]
    assert re.search(r'atom_checkpoint_age_seconds\{company="acme"\} \d', figures)
    assert (await here.verdict()).intact


async def test_the_copy_of_what_was_erased_is_taken_down_and_the_result_is_shown(
    here: World,
) -> None:
    await here.slack("post", text="erase me")
    await here.slack("post", user="U02BOB", text="keep me")
    await here.until(lambda s: len(teams_messages(s)) == 2)
    await here.quiet()
    [seq] = [e.seq for e in await here.log() if e.body.get("text") == "erase me"][:1]

    async with core(here.settings, "officer") as built:
        await built.duties.assign(COMPANY, ADA, ADA, Duty.ASSIGN)
        await built.duties.assign(COMPANY, ADA, BEN, Duty.ERASE)
        [entry] = await built.log.entries(COMPANY, seq - 1, 1)
        refs = [entry.row["key_ref"]]
        act = Act(COMPANY, "erasure.shred", BEN.name, "erased", {"keys": refs})
        change = destroyed(COMPANY, refs, 1)
        await built.acts.note(act, (change,), rekeys=True)
        positions = await built.recipients.erased(COMPANY)
        assert await built.recipients.tell(COMPANY, BEN, positions) == 1

    state = await here.until(lambda s: len(teams_messages(s)) == 1)
    await here.quiet()
    async with core(here.settings, "officer") as built:
        results = per_platform(await built.recipients.results(COMPANY))
    assert "keep me" in " ".join(teams_texts(state))
    assert results == [("teams", "delivered", 1)]
    assert (await here.verdict()).intact
