"""What people share is on record with its bytes, or with the reason why not."""

from pathlib import Path
from typing import Any

import pytest

from bridge.errors import AtomError, NotGiven, NotSent, Throttled
from bridge.files import Fate, StaysBehind
from bridge.messages import EventKind, File, Platform
from bridge.ports import Commitment
from storage.compliance.blobs.keeper import FileKeeper
from storage.compliance.blobs.kept import Blobs
from storage.compliance.blobs.shelves import RowShelf
from storage.compliance.blobs.work import FileWorkList
from storage.log_reader import LogEntry
from storage.shelf import DiskShelf
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import YES
from tests.events import message
from tests.unit.bridge.file_fakes import FakeSource

PLAN = File("F1", "plan.txt", "text/plain", 5, "https://files.slack.com/F1")
LIST = File("F2", "list.csv", "text/csv", 4, "https://files.slack.com/F2")
HERE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR = 3600 * 1_000_000


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000_000_000

    def __call__(self) -> int:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source() -> FakeSource:
    return FakeSource({"F1": [b"pl", b"ans"], "F2": [b"a,b\n"]})


@pytest.fixture
def keeper(
    store: Store, source: FakeSource, clock: Clock, tmp_path: Path
) -> FileKeeper:
    hot = store.database.hot
    store.journal.clock = clock
    return FileKeeper(
        {Platform.SLACK: source},
        DiskShelf(tmp_path / "crossing"),
        Blobs(hot, store.ring, RowShelf(hot, clock), clock),
        store.journal,
        store.reader,
        FileWorkList(hot, clock),
        clock,
        most=1_000,
    )


async def happened(store: Store, *files: File, **more: Any) -> int:
    event = message(ts="17.1", files=files, **more)
    return (await store.journal.append(Commitment(TENANT, event, (YES,), ()))).seq


async def everything_kept(keeper: FileKeeper) -> None:
    while await keeper.next():
        pass


async def words(store: Store) -> list[LogEntry]:
    entries = await store.reader.entries(TENANT, -1, 99)
    return [entry for entry in entries if entry.etype.startswith("file.")]


async def told(store: Store) -> list[tuple[str, str, str]]:
    return [
        (e.etype, e.body["file"]["name"], e.row["outcome"]) for e in await words(store)
    ]


async def test_a_shared_file_is_kept_with_its_hash_and_its_message(
    store: Store, keeper: FileKeeper
) -> None:
    said = await happened(store, PLAN)

    await everything_kept(keeper)

    [word] = await words(store)
    file = word.body["file"]
    kept = [chunk async for chunk in keeper.blobs.read(TENANT, file["blob"])]
    assert b"".join(kept) == b"plans"
    assert (file["size"], len(file["sha256"]), word.row["outcome"]) == (5, 64, "kept")
    assert (word.row["conv"], word.row["msg"]) == ("C02FALCON", "17.1")
    assert word.row["origin_seq"] == said
    assert await keeper.work.waiting(TENANT) == 0
    assert (await store.reader.verify(TENANT)).intact


@HERE
async def test_messages_without_files_make_no_work(
    store: Store, keeper: FileKeeper
) -> None:
    await happened(store)
    await happened(store, kind=EventKind.MESSAGE_EDIT, version_us=3)
    await happened(store, kind=EventKind.MESSAGE_DELETE)

    assert not await keeper.next()


async def test_files_come_and_go_with_their_message(
    store: Store, keeper: FileKeeper
) -> None:
    await happened(store, PLAN)
    await everything_kept(keeper)
    renamed = File("F1", "plans.txt", "text/plain", 5, PLAN.url)
    await happened(store, renamed, LIST, kind=EventKind.MESSAGE_EDIT, version_us=2)
    await everything_kept(keeper)
    await happened(store, LIST, kind=EventKind.MESSAGE_EDIT, version_us=3)
    await everything_kept(keeper)
    await happened(store, kind=EventKind.MESSAGE_DELETE)
    await everything_kept(keeper)

    assert await told(store) == [
        ("file.share", "plan.txt", "kept"),
        ("file.share", "list.csv", "kept"),
        ("file.update", "plans.txt", "kept"),
        ("file.delete", "plans.txt", "deleted"),
        ("file.delete", "list.csv", "deleted"),
    ]


@HERE
async def test_what_was_deleted_before_it_could_be_kept_is_said(
    store: Store, keeper: FileKeeper, source: FakeSource
) -> None:
    await happened(store, PLAN)
    await happened(store, kind=EventKind.MESSAGE_DELETE)
    source.failures = [StaysBehind(Fate.GONE)]

    await everything_kept(keeper)

    assert await told(store) == [
        ("file.share", "plan.txt", "gone"),
        ("file.delete", "plan.txt", "deleted"),
    ]


@HERE
@pytest.mark.parametrize("size", [2_000, 0])
async def test_what_is_too_large_is_said_whether_it_was_known_or_not(
    store: Store, keeper: FileKeeper, source: FakeSource, size: int
) -> None:
    source.content["F1"] = [b"x" * 700, b"x" * 700, b"x" * 700]
    await happened(store, File("F1", "film.mp4", size=size, url=PLAN.url))

    await everything_kept(keeper)

    assert await told(store) == [("file.share", "film.mp4", "too_large")]
    assert source.given <= 1_400


@HERE
@pytest.mark.parametrize(
    "failure", [NotSent("away"), NotGiven("not yet"), Throttled("slow down", 7)]
)
async def test_what_is_not_given_out_now_is_asked_for_again(
    store: Store,
    keeper: FileKeeper,
    source: FakeSource,
    failure: AtomError,
    clock: Clock,
) -> None:
    await happened(store, PLAN)
    source.failures = [failure]

    assert await keeper.next()
    assert not await keeper.next()
    assert await told(store) == []
    clock.now += HOUR
    await everything_kept(keeper)

    assert await told(store) == [("file.share", "plan.txt", "kept")]


@HERE
async def test_after_a_day_the_entry_says_that_it_failed(
    store: Store, keeper: FileKeeper, source: FakeSource, clock: Clock
) -> None:
    await happened(store, PLAN)
    source.failures = [NotSent("away")] * 99

    for _ in range(30):
        clock.now += HOUR
        await everything_kept(keeper)

    [(_, _, outcome)] = await told(store)
    assert outcome == "failed"


async def test_work_of_a_process_that_died_is_taken_up_and_written_once(
    store: Store, keeper: FileKeeper, clock: Clock
) -> None:
    await happened(store, PLAN)
    work = await keeper.work.claim()
    assert work
    assert await keeper.work.claim() is None
    clock.now += HOUR
    await everything_kept(keeper)
    await keeper._see_to(work)  # the dead one was only slow

    assert await told(store) == [("file.share", "plan.txt", "kept")]


async def test_a_change_while_a_file_is_being_kept_is_seen_to_afterwards(
    store: Store, keeper: FileKeeper
) -> None:
    await happened(store, PLAN)
    work = await keeper.work.claim()
    assert work
    await happened(store, PLAN, LIST, kind=EventKind.MESSAGE_EDIT, version_us=2)
    await keeper.work.done(work)

    await everything_kept(keeper)

    assert [name for _, name, _ in await told(store)] == ["plan.txt", "list.csv"]
