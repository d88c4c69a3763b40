"""
What a vendor's own instance keeps of the port's promises, by reading alone.

ATOM_TRY_RECORDS says on which: names of `[records.NAME]` of an `atom.toml`, each with
the address of a record's page there, such as

    ATOM_CONFIG=atom.toml ATOM_TRY_RECORDS='crm=https://acme.my.salesforce.com/… …'

Without it the same is asked of the stand-ins alone.
"""

import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

import pytest
from aiohttp import ClientSession

from bots.connecting_side import integration_of
from bots.records.connected import connected
from bots.settings_sources import read_settings
from bridge.errors import BadInput
from bridge.records.model import Absence, Record, RecordRef, System
from bridge.records.ports import Access, NotConnected, Records
from connectors.sign_in.asking import Asking
from tests.contract.records.conftest import WORLDS
from tests.stand_ins import CountingBudget, running

TRIED = dict(
    pair.split("=", 1) for pair in os.environ.get("ATOM_TRY_RECORDS", "").split()
)
NOWHERE = {
    System.SALESFORCE: "5005g00000ZZZZZ",
    System.SERVICENOW: "f" * 32,
    System.JIRA: "999999999",
    System.HUBSPOT: "999999999999",
    System.HR: "999999999",
}


@dataclass(frozen=True, slots=True)
class There:
    """An instance, somebody's right to it, and the page of a record that they may see."""

    records: Records
    access: Access
    url: str

    async def ref(self) -> RecordRef:
        (mention,) = self.records.recognise(f"See <{self.url}>.")
        return (
            mention.ref
            or (await self.records.resolve(self.access, [mention]))[mention.key]
        )

    async def record(self) -> Record:
        ref = await self.ref()
        read = (await self.records.read(self.access, [ref]))[ref]
        assert isinstance(read, Record), read
        return read


@dataclass(frozen=True, slots=True)
class Held:
    """Implements `Access` with a token that ATOM itself got."""

    held: str
    account: str = ""

    async def token(self) -> str:
        return self.held

    async def renewed(self, refused: str) -> str:
        raise NotConnected("the token was refused")


@asynccontextmanager
async def real(name: str) -> AsyncIterator[There]:
    one = read_settings().records[name]
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        asking = Asking(session, one.kind.shown, lambda: time.time_ns() // 1000)
        tokens = await integration_of(name, one, asking).tokens()
        systems = {("acme", one.kind, name): one}
        made = connected(stack, systems, lambda _company: CountingBudget())
        yield There(made.of("acme")[0], Held(tokens.access), TRIED[name])


@asynccontextmanager
async def standing_in(name: str) -> AsyncIterator[There]:
    stand_in, made = WORLDS[name]
    async with running(stand_in()) as told:
        world = made(told)
        yield There(world.records, world.account("reader"), world.sample.url)
        await world.aclose()


@pytest.fixture(
    params=[*(f"stand-in {name}" for name in sorted(WORLDS)), *sorted(TRIED)]
)
async def there(request: pytest.FixtureRequest) -> AsyncIterator[There]:
    kind, _, name = request.param.partition(" ")
    async with standing_in(name) if name else real(kind) as one:
        yield one


async def test_a_page_leads_to_its_record(there: There) -> None:
    record = await there.record()

    assert record.ref == await there.ref()
    assert record.title
    assert record.what
    assert record.as_of_us


async def test_what_is_not_there_is_gone(there: There) -> None:
    ref = replace(await there.ref(), id=NOWHERE[there.records.system])

    assert await there.records.read(there.access, [ref]) == {ref: Absence.GONE}


async def test_it_is_found_by_a_word_of_its_title(there: There) -> None:
    record = await there.record()
    word = max(re.findall(r"\w+", record.title), key=len)

    found = await there.records.find(there.access, word, 50)

    assert record.ref in {one.ref for one in found}


async def test_what_is_searched_for_is_no_syntax(there: There) -> None:
    for words in (
        "zzqx' OR 1=1 --",
        'zzqx" OR summary ~ "*',
        "zzqx^ORnumberISNOTEMPTY",
        "zzqx} {",
    ):
        with suppress(BadInput):  # to refuse it is as good
            assert list(await there.records.find(there.access, words, 5)) == []
