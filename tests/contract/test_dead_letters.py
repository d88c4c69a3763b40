"""What was given up stays on a list until somebody decides, and decides once."""

import asyncio

import pytest

from bridge.delivery import AttemptState, Delivery
from bridge.errors import Conflict, StoreUnavailable
from bridge.links import Link
from bridge.messages import EventKind
from bridge.ports import History
from storage.hot import Program, Statement
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import ended, open_now, said
from tests.events import FALCON, PROJECT, words

ADMIN = "slack:U01ALICE"


@pytest.fixture
async def link(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), ADMIN)


async def test_what_was_given_up_is_listed_with_its_reason(
    store: Store, link: Link
) -> None:
    first = await said(store, link, "17.1")
    await ended(store, AttemptState.DEAD, "no such channel")
    await said(store, link, "17.2")
    await ended(store, AttemptState.PARKED, "nobody knows")
    await said(store, link, "17.3")
    await ended(store, AttemptState.DELIVERED)

    dead, parked = await store.letters.all(TENANT, link.id)

    assert (dead.number, dead.reason, dead.unknown) == (
        f"{first}.0",
        "no such channel",
        False,
    )
    assert (parked.reason, parked.unknown) == ("nobody knows", True)
    assert parked.unknown_since_us <= parked.died_us
    assert await store.letters.all(TENANT, "L-other") == []
    assert await store.letters.all("globex") == []


async def test_a_retried_letter_is_delivered_again_and_off_the_list(
    store: Store, link: Link
) -> None:
    seq = await said(store, link, "17.1", text="again, please")
    await ended(store, AttemptState.DEAD, "no")

    await store.letters.retry(await store.letters.all(TENANT), ADMIN)

    [delivery] = await open_now(store)
    history = await store.ledger.history(delivery)
    assert await store.letters.all(TENANT) == []
    assert (delivery.entry, history.seq) == (seq, seq)
    assert history.document == words("again, please")
    assert (delivery.tries, delivery.unknown_since_us) == (0, 0)
    await ended(store, AttemptState.DELIVERED)
    delivered = (await store.reader.entries(TENANT, -1, 99))[-1]
    assert (delivered.etype, delivered.row["origin_seq"]) == ("bridge.delivered", seq)
    assert (await store.reader.verify(TENANT)).intact


async def test_an_unknown_outcome_is_looked_up_by_its_first_marker(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    first = await ended(store, AttemptState.PARKED, "nobody knows")
    [letter] = await store.letters.all(TENANT)

    await store.letters.retry([letter], ADMIN)

    [again] = await open_now(store)
    assert again.marker == first.marker
    assert again.unknown_since_us == letter.unknown_since_us > 0
    await ended(store, AttemptState.PARKED, "still nobody knows")
    [still] = await store.letters.all(TENANT)
    await store.letters.retry([still], ADMIN)
    assert (await open_now(store))[0].marker == first.marker


async def test_an_unknown_outcome_is_sent_anyway_under_a_new_marker(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    first = await ended(store, AttemptState.PARKED, "nobody knows")

    await store.letters.retry(await store.letters.all(TENANT), ADMIN, anyway=True)

    [again] = await open_now(store)
    assert (again.unknown_since_us, again.marker != first.marker) == (0, True)


async def test_a_dropped_letter_is_gone_for_good(store: Store, link: Link) -> None:
    await said(store, link, "17.1")
    await ended(store, AttemptState.DEAD, "no")

    await store.letters.drop(await store.letters.all(TENANT), ADMIN, "it was a test")

    assert await store.letters.all(TENANT) == []
    assert await open_now(store) == []


@pytest.mark.parametrize("change", ["retry", "drop", "replay"])
async def test_who_did_what_and_why_is_in_the_log(
    store: Store, link: Link, change: str
) -> None:
    await said(store, link, "17.1", text="xyzzy")
    await ended(store, AttemptState.DEAD, "no such channel")
    letters = await store.letters.all(TENANT)

    match change:
        case "retry":
            await store.letters.retry(letters, ADMIN)
        case "drop":
            await store.letters.drop(letters, ADMIN, "it was a test")
        case _:
            await store.letters.replay(link, 0, ADMIN)

    entry = (await store.reader.entries(TENANT, -1, 99))[-1]
    assert (entry.etype, entry.row["link"]) == ("admin.dead_letter", link.id)
    assert entry.body["author"]["id"] == ADMIN
    assert entry.body["change"] == change
    assert entry.body["reason"]
    assert entry.body["letters"][0]["reason"] == "no such channel"
    assert "xyzzy" not in str(entry.body)


async def test_two_admins_at_once_deal_with_a_letter_once(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    await ended(store, AttemptState.DEAD, "no")
    letters = await store.letters.all(TENANT)
    other = store.another_process("two").letters

    answers = await asyncio.gather(
        store.letters.retry(letters, ADMIN),
        other.drop(letters, "teams:admin", "enough"),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers if answer] == [Conflict]
    assert len(await open_now(store)) == (answers[0] is None)


async def test_another_process_finds_what_was_queued_again(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    first = await ended(store, AttemptState.PARKED, "nobody knows")
    owner, size = store.queue, (await store.queue.sizes())[TENANT]
    await store.queue.raise_low({(TENANT, first.shard): size - 1})
    admin = store.another_process("command line")

    await admin.letters.retry(await admin.letters.all(TENANT), ADMIN)

    [found] = await owner.newer(TENANT, size, size + 1, [first.shard])
    assert (found.marker, found.entry) == (first.marker, first.seq)


async def _read_anew(store: Store, delivery: Delivery) -> History:
    """As a process does that has not just captured the message itself."""
    return await store.another_process("two").ledger.history(delivery)


async def _break(store: Store, change: str) -> None:
    def program() -> Program[None]:
        yield Statement(f"UPDATE log SET {change} WHERE etype = 'message.create'")  # noqa: S608

    await store.database.hot.run(program)


BROKEN = [
    ("ct = leaf", "does not open with its key"),
    ("eid = '0'", "does not open with its key"),
    ("msg = 'another'", "cannot be understood"),
    ("etype = 'bridge.odd'", "cannot be understood"),
]


@pytest.mark.parametrize(("change", "fault"), BROKEN)
async def test_an_entry_that_cannot_be_read_is_a_fault_and_can_be_concluded(
    store: Store, link: Link, change: str, fault: str
) -> None:
    await said(store, link, "17.1")
    [delivery] = await open_now(store)
    await _break(store, change)

    history = await _read_anew(store, delivery)

    assert fault in history.fault
    assert history.leaf
    await ended(store, AttemptState.DEAD, history.fault)
    [letter] = await store.letters.all(TENANT)
    assert letter.reason == history.fault


async def test_an_entry_that_is_gone_is_a_fault_as_well(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    [delivery] = await open_now(store)

    def remove() -> Program[None]:
        yield Statement("DELETE FROM log WHERE etype = 'message.create'")

    await store.database.hot.run(remove)

    history = await _read_anew(store, delivery)

    assert "is missing" in history.fault
    await ended(store, AttemptState.DEAD, history.fault)
    assert len(await store.letters.all(TENANT)) == 1


async def test_a_key_file_that_is_away_is_no_fault_of_the_message(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    [delivery] = await open_now(store)
    store.keys.path(TENANT).rename(store.keys.path("elsewhere"))
    stranger = store.another_process("two")

    with pytest.raises(StoreUnavailable, match="restore it from a backup"):
        await stranger.ledger.history(delivery)


async def test_a_later_edit_crosses_with_the_retried_post(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1", text="old")
    await ended(store, AttemptState.DEAD, "no")
    await said(
        store,
        link,
        "17.1",
        kind=EventKind.MESSAGE_EDIT,
        version_us=5,
        document=words("new"),
    )

    await store.letters.retry(await store.letters.all(TENANT), ADMIN)

    last = (await open_now(store))[-1]
    assert (await store.ledger.history(last)).document == words("new")
