"""Every state that a message ever had can be made again, with who and when."""

import itertools
from dataclasses import replace

from bridge.document import Document, Paragraph, Text
from bridge.messages import Event, EventKind
from storage.log_reader import LogEntry
from tests.contract.conftest import TENANT, Store
from tests.contract.test_journal import commitment
from tests.events import ALICE, FALCON, message

CREATE, EDIT = EventKind.MESSAGE_CREATE, EventKind.MESSAGE_EDIT
DELETE, RESTORE = EventKind.MESSAGE_DELETE, EventKind.MESSAGE_RESTORE
ID = "1900000001.000100"
_ORDER = itertools.count(1)


def happened(kind: EventKind, text: str = "", version: int = 0) -> Event:
    said = Document((Paragraph((Text(text),)),)) if text else Document()
    event = message(ts=ID, kind=kind, event_id=f"Ev{next(_ORDER)}")
    return replace(event, document=said, version_us=version, sent_us=version)


async def revisions(store: Store, *events: Event) -> list[LogEntry]:
    for event in events:
        await store.journal.append(commitment(event))
    return await store.reader.revisions(TENANT, FALCON.id, ID)


async def test_a_whole_life_is_on_record_step_by_step(store: Store) -> None:
    found = await revisions(
        store,
        happened(CREATE, "one", 1),
        happened(EDIT, "two", 2),
        happened(EDIT, "three", 3),
        happened(EDIT, "four", 4),
        happened(DELETE, version=5),
        happened(RESTORE, "four", 6),
        happened(DELETE, version=7),
    )

    kinds = [CREATE, EDIT, EDIT, EDIT, DELETE, RESTORE, DELETE]
    assert [entry.etype for entry in found] == kinds
    assert [e.body["text"] for e in found[:4]] == ["one", "two", "three", "four"]
    assert [entry.row["rev"] for entry in found[:4]] == [0, 1, 2, 3]
    assert [entry.row["src_us"] for entry in found] == [1, 2, 3, 4, 5, 6, 7]
    assert {entry.body["author"]["id"] for entry in found} == {ALICE.id}
    seqs = [entry.seq for entry in found]
    assert [entry.row["prev_seq"] for entry in found] == [None, *seqs[:-1]]
    assert (await store.reader.verify(TENANT)).intact


async def test_the_same_fact_again_makes_no_revision(store: Store) -> None:
    found = await revisions(
        store,
        happened(CREATE, "one", 1),
        happened(EDIT, "two", 2),
        happened(EDIT, "two", 2),
    )

    assert [entry.row["rev"] for entry in found] == [0, 1]


async def test_an_edit_that_comes_first_is_linked_and_not_lost(store: Store) -> None:
    found = await revisions(store, happened(EDIT, "two", 2), happened(CREATE, "one", 1))

    assert {entry.body["text"] for entry in found} == {"one", "two"}
    assert {entry.row["msg"] for entry in found} == {ID}
    assert found[1].row["prev_seq"] in {None, found[0].seq}
