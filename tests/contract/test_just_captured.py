"""What a process remembers of what it captured is what it would read in the log."""

from typing import Any

import pytest

from bridge.delivery import Delivery
from bridge.links import Link
from bridge.messages import EventKind
from storage.just_captured import JustCaptured, captured
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import open_now, said
from tests.events import ALICE, FALCON, PROJECT, words

ODD = ["plain", "a\ud800b\0c", "zero\u200bwidth", ""]


class Clock:
    """Stands still until it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(store: Store) -> Clock:
    clock = Clock()
    store.journal.recent = JustCaptured(clock)
    return clock


@pytest.fixture
async def link(store: Store, clock: Clock) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), "slack:U01ALICE")


def remembered(store: Store, delivery: Delivery) -> bool:
    found = store.journal.recent.get(TENANT, FALCON.id, delivery.message)
    return found is not None


@pytest.mark.parametrize("text", ODD)
async def test_it_is_exactly_what_is_stored(
    store: Store, link: Link, text: str
) -> None:
    await said(store, link, "17.1", document=words(text), author=ALICE)
    [delivery] = await open_now(store)

    own = await store.ledger.history(delivery)
    read = await store.another_process("two").ledger.history(delivery)

    assert remembered(store, delivery)
    assert own == read
    assert own.alone


@pytest.mark.parametrize("text", ODD)
async def test_the_document_is_kept_only_if_it_is_what_is_stored(
    store: Store, link: Link, text: str
) -> None:
    await said(store, link, "17.1", document=words(text))

    kept = store.journal.recent.get(TENANT, FALCON.id, "17.1")

    assert kept is not None
    [stored] = await store.reader.revisions(TENANT, FALCON.id, "17.1")
    assert kept.document == stored.document
    assert (kept.known is None) == ("\ud800" in text)


async def test_a_reaction_is_what_is_stored_at_its_position(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    added: dict[str, Any] = {"detail": {"added": "tada"}}
    at = await said(store, link, "17.1", kind=EventKind.REACTION_ADD, **added)
    [_, delivery] = await open_now(store)

    own = await store.ledger.history(delivery)
    read = await store.another_process("two").ledger.history(delivery)

    kept = store.journal.recent.at(TENANT, at)
    assert kept is not None
    assert kept.body == (await store.reader.entries(TENANT, at - 1, 1))[0].body
    assert own == read
    store.journal.recent.forget(TENANT)
    assert store.journal.recent.at(TENANT, at) is None


async def test_a_later_word_about_the_message_makes_it_read_the_log(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1", document=words("old"))
    [post] = await open_now(store)
    edit = {"kind": EventKind.MESSAGE_EDIT, "version_us": 5}

    await said(store, link, "17.1", document=words("new"), unheard=True, **edit)

    assert not remembered(store, post)
    assert (await store.ledger.history(post)).document == words("new")


@pytest.mark.parametrize("who", ["this process", "another process"])
async def test_an_edit_that_came_in_before_its_message_is_not_overlooked(
    store: Store, link: Link, who: str
) -> None:
    here = store if who == "this process" else store.another_process("two")
    edit = {"kind": EventKind.MESSAGE_EDIT, "version_us": 5}
    await said(here, link, "17.1", document=words("new"), unheard=True, **edit)

    await said(store, link, "17.1", document=words("old"))

    [post] = await open_now(store)
    history = await store.ledger.history(post)
    assert history.document == words("new")
    assert not history.alone


async def test_it_is_remembered_for_long_only_while_nobody_else_writes(
    store: Store, link: Link, clock: Clock
) -> None:
    clock.now += 1
    await said(store, link, "17.1")
    [post] = await open_now(store)
    clock.now += 60
    assert not remembered(store, post)  # who else wrote meanwhile is not known

    await said(store, link, "17.2", unheard=True)
    assert remembered(store, post)

    await said(store.another_process("two"), link, "17.3", unheard=True)
    await said(store, link, "17.4", unheard=True)
    assert not remembered(store, post)


def test_it_keeps_so_many_bytes_and_lets_the_oldest_go() -> None:
    kept = JustCaptured(Clock())
    body = b'{"text":"%s"}' % (b"x" * 1_000_000)
    row = {"seq": 1, "ct": b"sealed"}
    for number in range(60):
        kept.note(TENANT, {("C1", str(number)): captured(row, body)})
    kept.note(TENANT, {("C1", "59"): None})

    assert kept.get(TENANT, "C1", "0") is None
    assert kept.get(TENANT, "C1", "59") is None
    newest = kept.get(TENANT, "C1", "58")
    assert newest is not None
    assert len(newest.body["text"]) == 1_000_000
    assert "ct" not in newest.row
    assert len(kept._kept) < 40
    kept.forget(TENANT)
    assert kept._size == 0
