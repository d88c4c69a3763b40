"""With a Salesforce configured, ATOM knows its accounts and contacts; doctors see it."""

import asyncio
from pathlib import Path

import pytest

from bots.core import core
from bots.doctor.contacts import contacts
from bots.doctor.findings import State
from bots.settings import Settings
from bots.tools import tools
from bridge.records.knowing import Chapter, asked
from bridge.records.model import System
from connectors.sandbox.salesforce import Salesforce as Org
from storage.records.contacts import figures_of
from tests.databases import with_tables
from tests.stand_ins import Told

CONTACTS = Chapter("acme", System.SALESFORCE, "crm", "contact")
PLENTY = 60.0


async def configured(home: Path, told: Told, **more: object) -> Settings:
    with_tables(home)
    async with core(Settings(home=home), "setup") as made:
        if not await made.company_ids():
            await made.companies.create("acme", "Acme", "admin@acme.example")
            await made.ring.begin("acme")
    crm = {
        "system": "salesforce",
        "url": told.url,
        "login_url": told.url,
        "client_id": "atom",
        "client_secret": "atom-secret",
        "poll": 0,
        **more,
    }
    given = {
        "home": home,
        "public_url": "https://atom.example",
        "records": {"crm": crm},
    }
    return Settings.model_validate(given)


async def served(settings: Settings, known: int) -> int:
    """Run what runs for records until so many contacts are known, and some longer."""
    async with tools(settings) as built:
        records = built.records
        assert records is not None
        jobs = [asyncio.create_task(job()) for job in records.jobs]
        book = built.connecting.books.contacts
        async with asyncio.timeout(PLENTY):
            while True:
                figures = await built.connecting.figures()
                many = sum(one.many for one in figures)
                whole = all(one.progress.whole_lap for one in figures)
                if many == known and whole:
                    break
                await asyncio.sleep(0.05)
        found = len(await book.find(CONTACTS, asked("hank@globex.example"), 5))
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
    return found


async def test_contacts_are_known_unless_that_is_switched_off(
    tmp_path: Path, told: Told
) -> None:
    assert isinstance(told.stand_in, Org)
    settings = await configured(tmp_path, told)

    assert await served(settings, known=4) == 1

    off = await configured(tmp_path, told, book=False)
    assert await served(off, known=0) == 0


async def test_without_any_system_they_are_forgotten(
    tmp_path: Path, told: Told
) -> None:
    await served(await configured(tmp_path, told), known=4)

    async with tools(Settings(home=tmp_path)) as built:
        await built.connecting.let_go()
        book = built.connecting.books.contacts
        assert await book.figures("acme") == []


@pytest.mark.parametrize(
    ("hours", "state", "says"),
    [
        (0, State.OK, "knows 2 accounts and 2 contacts, as of 0 minutes ago"),
        (5, State.WARN, "knows 2 accounts and 2 contacts, as of 5 hours ago"),
    ],
)
async def test_the_doctor_says_how_old_the_book_is(
    *, tmp_path: Path, told: Told, hours: int, state: State, says: str
) -> None:
    settings = await configured(tmp_path, told)
    await served(settings, known=4)

    async with core(settings, "doctor") as built:
        figures = await figures_of(built.database.hot, "acme")
        read_us = min(one.progress.read_us for one in figures)
        then = read_us + hours * 3_600_000_000
        [finding] = await contacts(built.database, settings, then)
        nothing = await contacts(built.database, Settings(home=tmp_path), then)

    assert (finding.what, finding.state, finding.detail) == ("records crm", state, says)
    assert nothing == []
