"""Whoever reads what people said is on record before they see it."""

import pytest

from bridge.compliance import Duty, Officer
from bridge.errors import Refused
from bridge.links import Link
from storage.compliance.acts import Act, Acts
from storage.compliance.rights.access_log import AccessLog, tally
from storage.compliance.rights.console import LogView
from storage.compliance.rights.duties import StoredDuties
from storage.compliance.rights.reading import CONSOLE, HIDDEN, Reading
from storage.compliance.tree import Frontier
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import said
from tests.events import FALCON, PROJECT
from tests.fakes import FakeClock

ADA, BEN = Officer("cli:ada"), Officer("cli:ben")


@pytest.fixture
async def link(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), "slack:U01ALICE")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def reading(store: Store, clock: FakeClock) -> Reading:
    hot, acts = store.database.hot, Acts(store.journal, clock)
    duties = StoredDuties(hot, acts, clock)
    await duties.assign(TENANT, ADA, ADA, Duty.ASSIGN)
    return Reading(duties, acts, clock)


async def views(store: Store) -> list[dict[str, object]]:
    entries = await store.reader.entries(TENANT, -1, 999)
    return [e.body["detail"] for e in entries if e.etype == "item.view"]


async def test_without_the_duty_nothing_that_people_said_is_shown(
    store: Store, link: Link, reading: Reading
) -> None:
    seq = await said(store, link, "17.1", text="between us")
    entries = await store.reader.entries(TENANT, -1, 999)

    shown = await reading.show(TENANT, BEN, entries, "a test")

    assert shown.hidden == 1
    texts = {entry["seq"]: entry["text"] for entry in shown.entries}
    assert texts[seq] == HIDDEN
    assert "between us" not in str(shown.entries)
    assert "gave assign to cli:ada" in texts.values()
    assert await views(store) == []


async def test_with_the_duty_it_is_shown_and_on_record_with_count_and_root(
    store: Store, link: Link, reading: Reading
) -> None:
    await reading.duties.assign(TENANT, ADA, BEN, Duty.READ)
    seqs = [await said(store, link, f"17.{n}", text=f"words {n}") for n in range(3)]
    entries = await store.reader.entries(TENANT, -1, 999)

    shown = await reading.show(TENANT, BEN, entries, "a test")

    assert [e["text"] for e in shown.entries if e["seq"] in seqs] == [
        "words 0",
        "words 1",
        "words 2",
    ]
    leaves = [bytes(e.row["leaf"]) for e in entries if e.seq in seqs]
    root = Frontier().extend(leaves).root().hex()
    assert await views(store) == [
        {
            "how": "a test",
            "first": seqs[0],
            "last": seqs[-1],
            "result_count": 3,
            "result_root": root,
        }
    ]


async def test_whoever_follows_the_log_is_on_record_once_an_hour(
    store: Store, link: Link, reading: Reading, clock: FakeClock
) -> None:
    view = LogView(store.reader, reading)
    await said(store, link, "17.1", text="hello")
    hidden = await view.page(TENANT, -1, 99)
    await reading.duties.assign(TENANT, ADA, CONSOLE, Duty.READ)

    page = await view.page(TENANT, -1, 99)
    await view.page(TENANT, -1, 99)
    clock.advance(3600)
    await view.page(TENANT, -1, 99)

    assert "hello" not in str(hidden["entries"])
    assert "hello" in str(page["entries"])
    assert len(await views(store)) == 2
    assert (await store.reader.verify(TENANT)).intact


async def test_the_access_log_tells_who_did_what_with_counts_and_roots(
    store: Store, link: Link, reading: Reading, clock: FakeClock
) -> None:
    await reading.duties.assign(TENANT, ADA, BEN, Duty.READ)
    await said(store, link, "17.1", text="hello")
    await reading.show(
        TENANT, BEN, await store.reader.entries(TENANT, -1, 99), "a test"
    )
    detail = {"result_count": 7, "result_root": "ab" * 32}
    await reading.acts.note(Act(TENANT, "search.run", "cli:ben", "falcon", detail))
    trail = AccessLog(store.reader, reading.duties, reading.acts)

    found = await trail.read(TENANT, ADA, 0, 2**53)
    again = await trail.read(TENANT, ADA, 0, 2**53)

    assert ("cli:ben", "search.run", 1, 7) in tally(found)
    assert ("cli:ben", "item.view", 1, 1) in tally(found)
    assert {one.root for one in found if one.etype == "search.run"} == {"ab" * 32}
    assert not [one for one in found if one.etype.startswith("message.")]
    assert [(one.officer, one.etype) for one in again[len(found) :]] == [
        ("cli:ada", "item.view")
    ]
    with pytest.raises(Refused):
        await trail.read(TENANT, Officer("cli:eve"), 0, 2**53)
    assert await trail.read(TENANT, ADA, 0, 1) == []
