"""Commands that are not answered are found by one process, and done by one."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bridge.errors import Fenced
from bridge.links import Link, LinkState
from bridge.messages import Event, EventKind
from bridge.ports import Commitment
from bridge.unanswered import Claim, Left, Stage
from storage.compliance.acts import Act, Acts
from storage.hot import Program, Statement
from storage.outbox import StoredShards
from storage.unanswered import StoredCommands
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT, message

RAW = b"command=%2Fatom&text=pause&response_url=https%3A%2F%2Fslack.example%2F1"


def command(words: str = "pause", **more: Any) -> Event:
    """A slash command that was typed a minute ago, so that it is not too young."""
    asked = time.time_ns() // 1000 - 60_000_000
    given: dict[str, Any] = {
        "event_id": f"command:{words}",
        "raw": RAW,
        "sent_us": asked,
        **more,
    }
    event = message(kind=EventKind.COMMAND, detail=(("command", words),), **given)
    return replace(event, message="")


async def captured(store: Store, *events: Event) -> None:
    for event in events:
        await store.journal.append(Commitment(TENANT, event, (), ()))


def book_of(store: Store, owner: str) -> StoredCommands:
    return StoredCommands(
        store.database.hot, store.reader, owner, lambda: time.time_ns() // 1000
    )


def claim_of(book: StoredCommands, event: Event) -> Claim:
    claim = book.claim(TENANT, event)
    assert claim is not None
    return claim


async def found_by(book: StoredCommands) -> Sequence[Left]:
    """Return what a process finds left once it has said that it lives."""
    await StoredShards(book.store, book.owner, lease_us=60_000_000).fair_share()
    return await book.left(())


async def only_left(book: StoredCommands) -> Left:
    [left] = await found_by(book)
    return left


async def rows(store: Store) -> int:
    found = await store.database.hot.fetch(
        Statement("SELECT count(*) FROM unanswered", {})
    )
    return int(found[0][0])


async def linked(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), "test")


async def test_what_was_asked_for_is_found_with_the_platforms_own_words(
    store: Store,
) -> None:
    await captured(store, message(), command())
    book = book_of(store, "two")

    left = await only_left(book)
    asked = await book.asked(left)

    assert (left.claim.owner, left.stage, left.effect) == ("one", Stage.CAPTURED, -1)
    assert asked is not None
    assert (asked.words, asked.channel, asked.raw) == ("pause", FALCON, RAW)
    assert (asked.person.id, asked.account) == ("U01ALICE", "T01ACME")


async def test_only_commands_take_a_row_and_a_repetition_takes_none(
    store: Store,
) -> None:
    clicked = message(
        "1700000000.000200", kind=EventKind.ACTION, detail=(("command", "status"),)
    )
    about_record = message(
        "1700000000.000300", kind=EventKind.ACTION, detail=(("record", "card"),)
    )
    before_link = command("why", via="backfill")
    await captured(store, message(), command(), about_record, before_link)
    assert await rows(store) == 1

    await captured(store, command(), clicked, clicked)

    assert await rows(store) == 2


async def test_what_a_living_process_sees_to_is_left_to_it(store: Store) -> None:
    await store.shards.fair_share()
    await captured(store, command())
    other = store.another_process("two")

    assert await found_by(book_of(store, "two")) == []
    await store.shards.leave()

    left = await only_left(book_of(other, "two"))
    assert left.claim.owner == "one"


async def test_what_was_only_read_later_is_nobodys_until_it_is_taken(
    store: Store,
) -> None:
    now = time.time_ns() // 1000
    await captured(store, command(via="catchup", sent_us=now))
    book = book_of(store, "one")

    claim = await book.take(await only_left(book))

    assert claim is not None
    assert (claim.owner, claim.epoch) == ("one", 2)
    assert await book.left({claim}) == []


async def test_a_process_takes_up_its_own_only_if_it_is_not_at_it_any_more(
    store: Store,
) -> None:
    book = book_of(store, "one")
    old, young = command("pause"), command("links", sent_us=time.time_ns() // 1000)
    await captured(store, old, young)
    await store.shards.fair_share()

    assert await book.left({claim_of(book, old)}) == []
    [left] = await book.left(())
    assert left.claim == claim_of(book, old)


async def test_who_has_not_said_that_it_lives_takes_up_nothing(store: Store) -> None:
    await captured(store, command())
    book = book_of(store, "two")

    assert await book.left(()) == []
    assert len(await found_by(book)) == 1


async def test_of_many_that_notice_at_once_one_takes_it(store: Store) -> None:
    await captured(store, command())
    books = [book_of(store, f"p{n}") for n in range(5)]
    left = await only_left(books[0])

    claims = await asyncio.gather(*(book.take(left) for book in books))

    taken = [claim for claim in claims if claim]
    assert len(taken) == 1
    assert taken[0].epoch == 2


async def test_an_answer_is_one_processs_and_forgotten_once_it_is_given(
    store: Store,
) -> None:
    event = command()
    await captured(store, event)
    first, second = book_of(store, "one"), book_of(store, "two")
    was = claim_of(first, event)
    now = await second.take(await only_left(second))
    assert now is not None

    assert not await first.stage(was, Stage.ANSWERING)
    await first.answered(was)
    assert await second.stage(now, Stage.ANSWERING)
    assert await rows(store) == 1

    await second.answered(now)
    assert await rows(store) == 0


async def test_what_a_command_does_is_noted_with_it(store: Store) -> None:
    link, event = await linked(store), command()
    await captured(store, event)
    book = book_of(store, "one")

    with book.behalf(claim_of(book, event)):
        await Acts(store.journal, book.clock).note(
            Act(TENANT, "policy.decision", "atom", "may pause")
        )
        assert (await only_left(book_of(store, "two"))).effect == -1
        await store.links.change(link, LinkState.PAUSED, "alice")

    left = await only_left(book_of(store, "two"))
    entry = await store.reader.entry(TENANT, left.effect)
    assert entry is not None
    assert entry.etype == "bridge.link"
    assert entry.body["change"] == "paused"


async def test_who_lost_a_command_changes_nothing_more(store: Store) -> None:
    link, event = await linked(store), command()
    await captured(store, event)
    first, second = book_of(store, "one"), book_of(store, "two")
    with first.behalf(claim_of(first, event)):
        taken = await second.take(await only_left(second))
        with pytest.raises(Fenced):
            await store.links.change(link, LinkState.PAUSED, "alice")

    assert taken is not None
    [known] = await store.another_process("two").links.all(TENANT)
    assert known.state is LinkState.ACTIVE
    assert (await store.reader.verify(TENANT)).intact


async def test_what_outlives_its_command_is_written_for_itself(store: Store) -> None:
    link, event = await linked(store), command()
    await captured(store, event)
    book, may = book_of(store, "one"), asyncio.Event()

    async def later() -> None:
        await may.wait()
        await store.links.change(link, LinkState.PAUSED, "alice")

    with book.behalf(claim_of(book, event)):
        work = asyncio.create_task(later())
        await asyncio.sleep(0)
    await book.answered(claim_of(book, event))
    may.set()
    await work

    [known] = await store.another_process("two").links.all(TENANT)
    assert known.state is LinkState.PAUSED


async def test_messages_of_one_commit_do_not_suffer_for_a_lost_command(
    store: Store,
) -> None:
    """The claim is one write's alone, whatever it is committed with."""
    link, event = await linked(store), command()
    await captured(store, event)
    book = book_of(store, "one")
    await book.answered(claim_of(book, event))

    async def lost() -> None:
        with book.behalf(claim_of(book, event)):
            await store.links.change(link, LinkState.PAUSED, "alice")

    said = [message(f"1700000000.{n:06}", text=str(n)) for n in range(5)]
    results = await asyncio.gather(
        lost(), *(captured(store, each) for each in said), return_exceptions=True
    )

    assert isinstance(results[0], Fenced)
    assert results[1:] == [None] * 5


async def test_what_was_not_shown_is_anybodys_after_a_pause(store: Store) -> None:
    event = command()
    await captured(store, event)
    book = book_of(store, "one")

    await book.later(claim_of(book, event), Stage.CAPTURED, 60_000_000)

    assert await found_by(book) == []
    hour = time.time_ns() // 1000 + 3600 * 1_000_000
    late = StoredCommands(store.database.hot, store.reader, "two", lambda: hour)
    assert (await only_left(late)).claim.owner == ""


async def test_a_command_that_was_erased_is_not_asked_for(store: Store) -> None:
    await captured(store, command())
    book = book_of(store, "two")
    left = await only_left(book)

    def erased() -> Program[None]:
        yield Statement("UPDATE subject_key SET wrapped = NULL", {})

    await store.database.hot.run(erased)
    other = store.another_process("two")
    assert await book_of(other, "two").asked(left) is None
