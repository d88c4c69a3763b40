"""
The records that cards are tried with are those that connectors read.

`ATOM_RECORD_CARDS=1 pytest tests/contract/records/test_samples.py` records them anew;
the cards are recorded anew after it (`tests/unit/bots/records/test_golden.py`).
"""

import os
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bridge.records.forms import Deed
from bridge.records.model import Record, RecordRef
from connectors.sandbox.servicenow import seed
from tests.contract.records.conftest import WORLDS
from tests.contract.records.hr_world import NEW
from tests.contract.records.worlds import World
from tests.record_fixtures import FOLDER, NAMES, READ_US, record_anew, recorded
from tests.stand_ins import running

RECORDING = bool(os.environ.get("ATOM_RECORD_CARDS"))
# Where people would read them, in place of the stand-in's own address.
PAGES = {
    "salesforce": "https://acme.lightning.force.com",
    "servicenow": "https://acme.service-now.com",
    "jira": "https://acme.atlassian.net",
    "hubspot": "https://app.hubspot.com",
    "hr": "https://hr.acme.example",
}


@pytest.mark.parametrize("system", sorted(WORLDS))
async def test_connectors_read_what_cards_are_tried_with(system: str) -> None:
    for name, read in (await everything_of(system)).items():
        if RECORDING:
            record_anew(name, read)
        assert recorded(name) == read, (
            f"{name} is read otherwise; if that is meant, record it anew with "
            "ATOM_RECORD_CARDS=1"
        )


async def test_every_record_that_cards_are_tried_with_is_read_here() -> None:
    read = {name for system in WORLDS for name in await everything_of(system)}

    assert read == set(NAMES)
    assert read == {path.stem for path in (FOLDER / "read").glob("*.json")}


async def everything_of(system: str) -> Mapping[str, Record]:
    """Return one record of each kind, as somebody reads it who sees nearly all of it."""
    stand_in, made = WORLDS[system]
    then = stand_in()
    then.clock.stop(READ_US / 1_000_000)
    then.seed()
    async with running(then) as told:
        world = made(told)
        try:
            named = await refs_in(world)
            account = world.account("insider")
            read = await world.records.read(account, list(named.values()))
        finally:
            await world.aclose()
    found = {}
    for name, ref in named.items():
        record = read[ref]
        assert isinstance(record, Record), name
        url = record.url.replace(told.url, PAGES[system])
        found[name] = replace(record, as_of_us=READ_US, url=url)
    return found


async def refs_in(world: World) -> Mapping[str, RecordRef]:
    """Return the address of a record of each kind, by the sample's name."""
    sample, system = world.sample, world.records.system
    match system:
        case "salesforce" | "hubspot":
            apart = "hubspot_" if system == "hubspot" else ""
            return {
                f"{apart if ref.kind == 'contact' else ''}{ref.kind}": ref
                for ref in sample.open
            }
        case "servicenow":
            _, item, article = sample.open
            incident = sample.secret  # one that is assigned, and commented on
            wanted = {"quantity": "1", "var-memory": "64", "var-reason": "Builds"}
            deed = Deed("order", "sample", item, values=wanted)
            done = await world.records.perform(world.account("reader"), deed)
            change = replace(incident, kind="change", id=seed.sys_id("CHG0030351"))
            refs = (incident, change, item, article, done.record.ref)
            return {ref.kind: ref for ref in refs}
        case "jira":
            secured = replace(sample.open[0], id="10043")
            return {"issue": sample.open[0], "secured_issue": secured}
        case _:
            return {
                "employee": replace(sample.open[0], id=NEW),
                "leaver": sample.open[0],
            }
