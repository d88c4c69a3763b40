"""What is seen and done of records is an entry that can be explained later."""

from dataclasses import replace

import pytest

from bridge.access import Action, Decision
from bridge.messages import Person, Platform
from bridge.records import entries
from bridge.records.cards import CardField, RecordCard, Standing
from bridge.records.connections import Connection
from bridge.records.desk import Asker
from bridge.records.forms import Deed
from bridge.records.model import Record, Revision, Status, System
from bridge.records.ports import Done
from storage.compliance.acts import Acts
from storage.records.log import StoredRecordLog
from tests.contract.conftest import TENANT, Store
from tests.contract.records_books.conftest import CHANGE, card
from tests.events import FALCON
from tests.records_world import Clock

ALICE = Asker(TENANT, Person(Platform.SLACK, "U1"), "T01ACME", FALCON)
YES = Decision(True, "approvers", "hash", "v7", Action.RECORD_APPROVE, evidence="{}")
NO = Decision(False, "nobody", "hash", "v7", Action.RECORD_APPROVE)
DEED = Deed("approve", "deed-1", CHANGE, values={"comments": "ok"}, base=Revision(7))
RECORD = Record(CHANGE, "Change", "Memory", Status("Authorize"), Revision(8, "8"), 5)
CARD = RecordCard(
    "crd_1",
    CHANGE,
    "ServiceNow",
    "Change",
    "Memory",
    Standing.LIVE,
    5,
    rev="7",
    fields=(CardField("risk", "Risk", "Moderate"), CardField("plan", "Plan", None)),
    hidden=1,
)


@pytest.fixture
def log(acts: Acts) -> StoredRecordLog:
    return StoredRecordLog(acts)


async def test_an_act_is_told_with_what_it_was_decided_on_and_changed(
    log: StoredRecordLog, store: Store
) -> None:
    wish = entries.Wish(ALICE, "corr-1", YES, "crd_1")
    made = Done(RECORD, "req-9", {"state": "requested"}, {"state": "approved"})

    await log.note(entries.intended(wish, DEED))
    await log.note(entries.done(wish, DEED, made, Action.RECORD_APPROVE))

    intent, entry = await store.reader.entries(TENANT, -1, 99)
    assert (intent.etype, entry.etype) == ("record.intent", "record.approve")
    assert intent.body["detail"]["wanted"] == {"comments": "ok"}
    assert entry.body["author"]["id"] == "slack:U1"
    detail = entry.body["detail"]
    assert detail["platform"] == "slack"
    assert detail["record"] == str(CHANGE)
    assert detail["before"] == {"state": "requested"}
    assert detail["after"] == {"state": "approved"}
    assert detail["request"] == "req-9"
    assert detail["correlation"] == intent.body["detail"]["correlation"] == "corr-1"
    assert detail["decision"] == {
        "allowed": True,
        "rule": "approvers",
        "policy": "hash",
        "directory": "v7",
        "action": "record.approve",
        "reason": "",
        "duties": [],
        "evidence": "{}",
    }


async def test_a_deed_is_on_record_once_however_often_it_is_tried(
    log: StoredRecordLog, store: Store
) -> None:
    wish = entries.Wish(ALICE, "corr-1", YES)
    made = Done(RECORD, "req-9")

    for _ in range(2):
        await log.note(entries.intended(wish, DEED))
        await log.note(entries.done(wish, DEED, made, Action.RECORD_UPDATE))

    found = await store.reader.entries(TENANT, -1, 99)
    assert [each.etype for each in found] == ["record.intent", "record.update"]


async def test_every_kind_of_entry_can_be_written(
    log: StoredRecordLog, store: Store
) -> None:
    wish, no = entries.Wish(ALICE, "c", YES), entries.Wish(ALICE, "c", NO)
    snow = System.SERVICENOW
    account = Connection(TENANT, "p1", snow, "acme", "alice")
    told = [
        entries.viewed(wish, CARD),
        entries.shown(card(), CARD, YES, withheld=["plan"]),
        entries.done(wish, DEED, Done(RECORD), Action.RECORD_CREATE),
        entries.failed(wish, DEED, "the system said no", unsure=True),
        entries.denied(no, "approve", CHANGE, "not an approver"),
        entries.searched(wish, "memory", [CHANGE], ["ServiceNow"]),
        entries.told(TENANT, "sub_1", [CHANGE, CHANGE], FALCON),
        entries.heard(TENANT, snow, "acme", events=2),
        entries.heard(TENANT, snow, "acme", events=0, refused="bad signature"),
        entries.connected(account, "slack:U1"),
        entries.disconnected(account, "atom", "left"),
    ]

    for each in told:
        await log.note(each)

    found = await store.reader.entries(TENANT, -1, 99)
    assert [each.etype for each in found] == [each.etype for each in told]
    values = {"Moderate", "Memory", "alice"}
    assert not any(value in each.body["text"] for each in found for value in values)


async def test_what_is_told_once_in_a_while_is_so_in_every_process(
    store: Store,
) -> None:
    now = Clock()
    one, other = (
        StoredRecordLog(Acts(each.journal, now))
        for each in (store, store.another_process("b"))
    )
    prompt = entries.explained(ALICE, "jira:acme", "not connected", "m1")
    prompt = replace(prompt, key="slack:U1|jira:acme", again_us=600_000_000)
    other_person = replace(prompt, key="slack:U2|jira:acme")

    first = [
        (await log.note(entry)).duplicate
        for log, entry in ((one, prompt), (other, prompt), (other, other_person))
    ]
    now.us += 590_000_000
    soon = (await other.note(prompt)).duplicate
    now.us += 600_000_000
    later = (await other.note(prompt)).duplicate

    assert first == [False, True, False]
    assert (soon, later) == (True, False)
