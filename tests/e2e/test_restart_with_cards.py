"""ATOM is killed and started again while five hundred cards stand on both platforms."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bots.demo_records import Systems
from bots.settings_sources import read_settings
from bots.tools import tools
from bridge.messages import Channel, Platform
from bridge.records.books import CardInstance
from bridge.records.model import Record, RecordRef, System
from bridge.records.posting import UNASKED
from connectors.sandbox.servicenow import seed
from storage.hot import Program, Statement
from tests.e2e.at_work import at_work, said
from tests.e2e.test_linking import slack_answer
from tests.e2e.world import COMPANY, FALCON, PROJECT, World

CARDS, RECORDS = 500, 20
WAITS = 180.0
_DAY = 86_400.0
_ROOMS = (
    FALCON,
    PROJECT,
    Channel(Platform.SLACK, "T01ACME", "C03RANDOM"),
    Channel(Platform.TEAMS, PROJECT.team, "19:random@thread.tacv2"),
)
_INCIDENT = "INC0010001"
# Every call that a look at 500 cards may take of one system, whatever it is for.
_MOST_CALLS = 25


async def test_five_hundred_cards_stand_over_a_kill(
    tmp_path: Path, database_url: str
) -> None:
    async with at_work(tmp_path, database_url, started=False) as (here, systems):
        told_alone(tmp_path, systems)
        refs = await stand(here, systems)
        await here.start()
        await slack_answer(here, f"follow {_INCIDENT}")
        await looked_at(here, systems, refs, {})
        [hook] = systems.jira.site.dynamic_hooks
        before = cards(await here.state())
        assert len(before) == CARDS

        await here.kill()
        # Meanwhile one record changes, and the webhook gets near to its thirty days' end.
        incident = seed.sys_id(_INCIDENT)
        changed = {"short_description": "Mail is late", "urgency": "1"}
        systems.servicenow.instance.update("incident", incident, changed, "erin")
        hook.expires = time.time() + 5 * _DAY
        await leases_run_out(here)
        counted = {system: asked(systems, system) for system in _ASKED}
        await here.start()
        await looked_at(here, systems, refs, counted)
        await here.until(
            lambda s: len(saying(s, "Mail is late")) == CARDS // RECORDS, WAITS
        )
        async with asyncio.timeout(WAITS):
            while hook.expires < time.time() + 25 * _DAY:
                await asyncio.sleep(0.1)
        await here.quiet()

        after = cards(await here.state())
        assert set(after) == set(before)
        edited = {id_ for id_, card in after.items() if card != before[id_]}
        assert edited == {id_ for id_, c in after.items() if "Mail is late" in c}
        assert [each.id for each in systems.jira.site.dynamic_hooks] == [hook.id]
        assert await follows(here) == 1
        for system, number in counted.items():
            assert asked(systems, system) - number <= _MOST_CALLS, system
        assert (await here.verdict()).intact


def told_alone(home: Path, systems: Systems) -> None:
    """
    Let systems tell what changed, and not be asked for it; what they told meanwhile is
    lost. Jira does so by a webhook that ATOM has registered.
    """
    file = home / "atom.toml"
    text = file.read_text(encoding="utf-8").replace("poll = 3.0", "poll = 0")
    text = text.replace("options = { projects", _HOOK + "projects")
    file.write_text(text, encoding="utf-8")


_HOOK = 'options = { hook_url = "http://127.0.0.1:9/hooks/jira", '
_ASKED = (System.SALESFORCE, System.SERVICENOW, System.JIRA, System.HUBSPOT)


async def stand(here: World, systems: Systems) -> Sequence[RecordRef]:
    """Post the cards as ATOM itself does, of twenty records in four channels."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in here.environment().items():
            patched.setenv(name, value)
        settings = read_settings(Path(os.environ["ATOM_CONFIG"]))
    async with tools(settings) as built:
        assert built.records is not None
        posting = built.records.desk.acting.own.posting
        seen = (await posting.reading.read(COMPANY, known(systems))).seen
        records = [each for each in seen.values() if isinstance(each, Record)]
        refs = [record.ref for record in records]
        assert len(refs) == RECORDS, seen
        planned = await posting.cards.plan(
            [
                CardInstance(
                    f"crd_{number:04d}",
                    COMPANY,
                    refs[number % len(refs)],
                    _ROOMS[number // len(refs) % len(_ROOMS)],
                    f"{FALCON}/{UNASKED}{number}",
                )
                for number in range(CARDS)
            ]
        )
        for instance in planned:
            assert await posting.post(instance, seen[instance.ref])
    return refs


def known(systems: Systems) -> list[RecordRef]:
    """Return records of four systems, that which will change among them."""
    org, site, portal = systems.salesforce, systems.jira.site, systems.hubspot.portal
    numbers = (_INCIDENT, "INC0010002", "INC0010003")
    changes = (seed.WAITING, seed.ANY_OF, "CHG0030353")
    found = [("servicenow", "incident", seed.sys_id(n)) for n in numbers]
    found += [("servicenow", "change", seed.sys_id(n)) for n in changes]
    for kind in ("Case", "Opportunity", "Account"):
        rows = list(org.rows.rows[kind])[:2]
        found += [("salesforce", kind.lower(), id_) for id_ in rows]
    found += [("jira", "issue", id_) for id_ in list(site.issues)[:4]]
    found += [("hubspot", "deal", id_) for id_ in list(portal.things["deals"])[:4]]
    return [RecordRef(System(s), s, kind, id_) for s, kind, id_ in found]


def asked(systems: Systems, system: System) -> int:
    return len(systems.all[system].journal.all())


async def looked_at(
    here: World,
    systems: Systems,
    refs: Sequence[RecordRef],
    before: Mapping[System, int],
) -> None:
    """Wait until each record was read since, and what came of it is settled."""
    async with asyncio.timeout(WAITS):
        while True:
            unread = [
                ref
                for ref in refs
                if ref.id not in since(systems, ref.system, before.get(ref.system, 0))
            ]
            if not unread and systems.jira.site.dynamic_hooks:
                break
            await asyncio.sleep(0.1)
    await here.quiet()


def since(systems: Systems, system: System, number: int) -> str:
    """Return what a system was asked after so many calls."""
    entries = systems.all[system].journal.all()[number:]
    return said([[e.path, dict(e.query), e.body] for e in entries])


def cards(state: Mapping[str, Any]) -> dict[str, str]:
    """Return every card on either side, as it stands, by its message's id."""
    slack = {
        f"{channel['id']}/{m['ts']}": said([m["text"], m["blocks"]])
        for workspace in state["slack"]["workspaces"]
        for channel in workspace["channels"]
        for m in channel["messages"]
        if (m.get("metadata") or {}).get("event_type") == "atom_record_card"
    }
    teams = {
        f"{channel['id']}/{m['id']}": said(m["attachments"])
        for tenant in state["teams"]["tenants"]
        for team in tenant["teams"]
        for channel in team["channels"]
        for m in channel["messages"]
        if "rec.view" in said(m["attachments"])
    }
    return slack | teams


def saying(state: Mapping[str, Any], words: str) -> list[str]:
    return [id_ for id_, card in cards(state).items() if words in card]


async def leases_run_out(here: World) -> None:
    """Let the minutes pass in which a dead process could still be asking."""

    def program() -> Program[None]:
        yield Statement("UPDATE record_position SET at_us = 0 WHERE system = 'lease'")

    async with here.store() as store:
        await store.run(program)


async def follows(here: World) -> int:
    async with here.store() as store:
        rows = await store.fetch(Statement("SELECT count(*) FROM record_subscription"))
    return int(rows[0][0])
