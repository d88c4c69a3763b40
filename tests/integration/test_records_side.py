"""With a business system configured, everything about records is there; else nothing."""

import asyncio
from pathlib import Path

import pytest

from bots.commands.base import Request
from bots.core import core
from bots.settings import Settings
from bots.tools import tools
from bridge.cards import Tone
from tests.databases import with_tables
from tests.events import ALICE, FALCON

SNOW = {
    "system": "servicenow",
    "url": "https://acme.service-now.example",
    "auth": "token",
    "token": "reads-only",
    "client_id": "atom",
    "client_secret": "atom-secret",
}


async def configured(home: Path, **more: object) -> Settings:
    with_tables(home)
    async with core(Settings(home=home), "setup") as made:
        await made.companies.create("acme", "Acme", "admin@acme.example")
        await made.ring.begin("acme")
    return Settings.model_validate(
        {"home": home, "public_url": "https://atom.example", **more}
    )


def typed(text: str) -> Request:
    return Request("acme", FALCON, ALICE, text, "T01ACME")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("find globex", "ServiceNow: your account is not connected"),
        ("records", "ServiceNow (itsm)"),
        ("subscriptions", "Nothing is followed here"),
        ("follow incident where priority = 1", "Followed"),
        ("follow incident where priority =", "something is missing"),
    ],
)
async def test_commands_about_records_are_there(
    tmp_path: Path, line: str, says: str
) -> None:
    settings = await configured(tmp_path, records={"itsm": SNOW})

    async with tools(settings) as built:
        card = await built.commands.answer(typed(line))

    assert says in repr(card)


async def test_without_business_systems_there_are_none(tmp_path: Path) -> None:
    settings = await configured(tmp_path)

    async with tools(settings) as built:
        card = await built.commands.answer(typed("find globex"))
        records = built.records

    assert records is None
    assert card.tone is Tone.WARNING
    assert card.title == "I do not know that command"


async def test_what_runs_for_records_runs_until_it_is_stopped(tmp_path: Path) -> None:
    settings = await configured(tmp_path, records={"itsm": SNOW | {"poll": 0}})

    async with tools(settings) as built:
        records = built.records
        assert records is not None
        jobs = [asyncio.create_task(job()) for job in records.jobs]
        async with asyncio.timeout(30):
            while await records.follower.following.position("acme") is None:
                await asyncio.sleep(0.02)
        broken = [job for job in jobs if job.done() and job.exception()]
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    assert not broken
