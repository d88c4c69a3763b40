"""The marks of channels only rise, and the record knows what the log holds."""

import time
from dataclasses import replace

import pytest

from bridge.delivery import Delivery, Operation
from bridge.messages import EventKind, File
from bridge.ports import Commitment
from bridge.recent import Known
from storage.record import StoredRecord
from storage.watermarks import StoredWatermarks
from tests.contract.conftest import TENANT, Store
from tests.events import ALICE, FALCON, PROJECT, message, words

PICTURE = File("F01", "falcon.png")


async def test_a_channel_has_no_mark_until_it_is_raised(store: Store) -> None:
    marks = StoredWatermarks(store.database.hot)
    before = await marks.of(TENANT, FALCON)

    await marks.raise_to(TENANT, [FALCON, PROJECT], 7)

    assert before == 0
    assert await marks.of(TENANT, FALCON) == await marks.of(TENANT, PROJECT) == 7


async def test_a_mark_never_falls(store: Store) -> None:
    marks = StoredWatermarks(store.database.hot)
    await marks.raise_to(TENANT, [FALCON], 7)

    await marks.raise_to(TENANT, [FALCON], 6)

    assert await marks.of(TENANT, FALCON) == 7


async def test_marks_are_each_companys_own(store: Store) -> None:
    marks = StoredWatermarks(store.database.hot)

    await marks.raise_to(TENANT, [FALCON], 7)

    assert await marks.of("globex", FALCON) == 0


async def test_the_record_tells_threads_versions_and_deletions(store: Store) -> None:
    record = StoredRecord(store.database.hot, store.reader)
    edit, delete = EventKind.MESSAGE_EDIT, EventKind.MESSAGE_DELETE
    for event in (
        message("1.0"),
        message("2.0", thread="1.0"),
        message("2.0", thread="1.0", kind=edit, version_us=9),
        message("3.0"),
        message("3.0", kind=delete),
        message("4.0", kind=EventKind.REACTION_ADD),
        message("5.0", kind=edit, version_us=9),
    ):
        await store.journal.append(Commitment(TENANT, event, (), ()))

    known = await record.known(TENANT, FALCON, 0)

    assert known == {
        "1.0": Known(),
        "2.0": Known("1.0", 9),
        "3.0": Known(deleted=True),
        "5.0": Known(version_us=9, said=False),
    }


async def test_the_record_leaves_out_what_was_captured_before(store: Store) -> None:
    record = StoredRecord(store.database.hot, store.reader)
    await store.journal.append(Commitment(TENANT, message("1.0"), (), ()))

    assert await record.known(TENANT, FALCON, 1 << 60) == {}


async def test_the_record_knows_who_wrote_a_message(store: Store) -> None:
    record = StoredRecord(store.database.hot, store.reader)
    await store.journal.append(Commitment(TENANT, message("1.0"), (), ()))

    assert await record.author(TENANT, FALCON, "1.0") == ALICE
    assert await record.author(TENANT, FALCON, "2.0") is None


async def test_how_an_event_came_in_is_on_record(store: Store) -> None:
    caught = replace(message("1.0"), via="catchup")

    await store.journal.append(Commitment(TENANT, caught, (), ()))

    entries = await store.reader.entries(TENANT, -1, 10)
    assert [entry.row["via"] for entry in entries] == ["catchup"]


@pytest.mark.parametrize(
    ("via", "minutes", "late"),
    [
        ("push", 1, False),
        ("push", 11, False),  # or our clock is ahead by ten minutes
        ("push", 60, True),
        ("catchup", 1, False),
        ("catchup", 11, True),
    ],
)
async def test_what_came_in_late_is_known_by_when_it_was_said(
    store: Store, via: str, minutes: int, *, late: bool
) -> None:
    said = time.time_ns() // 1000 - minutes * 60_000_000
    post = Delivery(
        tenant=TENANT,
        seq=0,
        n=0,
        link="L1",
        operation=Operation.POST,
        source=FALCON,
        target=PROJECT,
        message="1.0",
        thread="",
        version_us=0,
        created_us=0,
    )
    heard = replace(message("1.0", sent_us=said), via=via)
    await store.journal.append(Commitment(TENANT, heard, (), (post,)))

    history = await store.ledger.history(post)

    assert history.late_us == (said if late else 0)


async def test_the_record_tells_what_a_message_says_now(store: Store) -> None:
    record = StoredRecord(store.database.hot, store.reader)
    edit, files = EventKind.MESSAGE_EDIT, (PICTURE,)
    for event in (
        message("1.0", "old", files=files),
        message("1.0", "new", files=files, kind=edit, version_us=9),
        message("2.0", "as it was"),
    ):
        await store.journal.append(Commitment(TENANT, event, (), ()))

    assert await record.says(TENANT, FALCON, "1.0") == (words("new"), (PICTURE.key,))
    assert await record.says(TENANT, FALCON, "2.0") == (words("as it was"), ())
    assert await record.says(TENANT, FALCON, "3.0") is None
