"""Who takes up a command that was left tells the person, and does nothing twice."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

from bots.commands.answering import Answering
from bots.commands.base import Request
from bots.late_answers import LateAnswers, moment
from bridge.cards import Card
from bridge.errors import (
    Ambiguous,
    NotSent,
    Refused,
    StoreUnavailable,
    Throttled,
)
from bridge.messages import Platform
from bridge.unanswered import AskedFor
from storage.hot import Address, HotStore, Program, Rows, Statement
from storage.outbox import StoredShards
from tests.contract.conftest import Store
from tests.contract.test_unanswered import (
    book_of,
    captured,
    claim_of,
    command,
    found_by,
    rows,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Away:
    """A database that does not answer."""

    store: HotStore

    @property
    def address(self) -> Address:
        return self.store.address

    async def run(self, program: Callable[[], Program[T]]) -> T:
        raise StoreUnavailable("away")

    async def fetch(self, statement: Statement) -> Rows:
        raise StoreUnavailable("away")

    async def close(self) -> None:
        return


class Companies:
    async def tenant_of(self, _platform: Platform, _account: str) -> str | None:
        return "acme"


@dataclass
class Clerk:
    """Commands that say what they were given, once they may."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Card:
        self.asked.append(request.text)
        await self.may.wait()
        return Card(f"did {request.text}")


@dataclass
class Chat:
    """Where people hear ATOM; `errors` are raised first, one a try."""

    heard: list[tuple[str, str]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    async def tell(self, _asked: AskedFor, card: Card, note: str) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.heard.append((f"{card.title}: {card.text}", note))


@dataclass
class Process:
    """One process that answers commands."""

    answering: Answering
    late: LateAnswers
    clerk: Clerk
    chat: Chat
    shards: StoredShards

    async def round(self) -> None:
        """Say that it lives, and take up what is left."""
        await self.shards.fair_share()
        await self.late.round()


def process(store: Store, owner: str, chat: Chat | None = None) -> Process:
    book, clerk, chat = book_of(store, owner), Clerk(), chat or Chat()
    answering = Answering(Companies(), clerk, book)
    late = LateAnswers(answering, book, {Platform.SLACK: chat}, book.clock)
    shards = StoredShards(store.database.hot, owner, lease_us=60_000_000)
    return Process(answering, late, clerk, chat, shards)


async def killed_at_work(store: Store, words: str) -> None:
    """Let a process capture a command, begin with it, and get no further."""
    event, one = command(words), process(store, "one")
    await captured(store, event)

    async def work() -> None:
        async with one.answering.turn(event, words) as turn:
            await turn.ready()

    working = asyncio.create_task(work())
    while not one.clerk.asked:
        await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def no_pause(store: Store) -> None:
    def program() -> Program[None]:
        yield Statement("UPDATE unanswered SET until_us = 0", {})

    await store.database.hot.run(program)


async def test_what_shows_something_is_run_again_and_says_that_it_is_late(
    store: Store,
) -> None:
    await killed_at_work(store, "status")
    two = process(store, "two")
    two.clerk.may.set()

    await two.round()

    [(said, note)] = two.chat.heard
    assert said == "did status: "
    assert "You asked at" in note or "You asked on" in note
    assert await rows(store) == 0


async def test_what_changes_something_outside_is_not_run_once_it_was_begun(
    store: Store,
) -> None:
    await killed_at_work(store, "disconnect jira")
    two = process(store, "two")

    await two.round()

    [(said, _)] = two.chat.heard
    assert "Whether all of it was done is not known" in said
    assert "jira" not in said
    assert two.clerk.asked == []
    assert await rows(store) == 0


async def test_what_changes_something_outside_is_run_if_it_was_not_begun(
    store: Store,
) -> None:
    await captured(store, command("disconnect jira"))
    two = process(store, "two")
    two.clerk.may.set()

    await two.round()

    assert two.clerk.asked == ["disconnect jira"]
    assert [said for said, _ in two.chat.heard] == ["did disconnect jira: "]


@pytest.mark.parametrize("error", [NotSent("away"), Throttled("wait", 1.0)], ids=str)
async def test_an_answer_that_was_not_sent_is_sent_later(
    store: Store, error: Exception
) -> None:
    await captured(store, command("status"))
    two = process(store, "two", Chat(errors=[error]))
    two.clerk.may.set()

    await two.round()
    assert (two.chat.heard, await rows(store)) == ([], 1)
    assert await found_by(book_of(store, "three")) == []  # not at once
    await no_pause(store)
    await two.round()

    assert [said for said, _ in two.chat.heard] == ["did status: "]
    assert await rows(store) == 0


async def test_an_outside_change_whose_answer_was_not_sent_is_not_done_again(
    store: Store,
) -> None:
    await captured(store, command("disconnect jira"))
    two = process(store, "two", Chat(errors=[NotSent("away")]))
    two.clerk.may.set()
    await two.round()
    await no_pause(store)

    await two.round()

    assert two.clerk.asked == ["disconnect jira"]
    [(said, _)] = two.chat.heard
    assert "not known" in said


@pytest.mark.parametrize("error", [Refused("no"), Ambiguous("lost")], ids=str)
async def test_what_is_refused_or_may_stand_there_is_not_sent_again(
    store: Store, error: Exception
) -> None:
    await captured(store, command("status"))
    two = process(store, "two", Chat(errors=[error]))
    two.clerk.may.set()

    await two.round()

    assert (two.chat.heard, await rows(store)) == ([], 0)


async def test_a_command_that_breaks_who_takes_it_up_rests_and_stops_no_other(
    store: Store,
) -> None:
    await captured(store, command("find 1"), command("status"))
    two = process(store, "two", Chat(errors=[RuntimeError("a bug")]))
    two.clerk.may.set()

    await two.round()
    await two.round()

    assert len(two.chat.heard) == 1
    assert await rows(store) == 1
    await no_pause(store)
    await two.round()
    # What broke may have been said before it broke.
    assert "as it answered" in two.chat.heard[1][0]
    assert await rows(store) == 0


async def test_whoever_cannot_be_reached_for_a_day_is_told_nothing_more(
    store: Store,
) -> None:
    yesterday = time.time_ns() // 1000 - 25 * 3600 * 1_000_000
    await captured(store, command("status", sent_us=yesterday))
    two = process(store, "two", Chat(errors=[NotSent("away")]))
    await two.round()
    await no_pause(store)

    await two.round()

    assert (two.chat.heard, await rows(store)) == ([], 0)


async def test_two_rounds_at_once_answer_once(store: Store) -> None:
    for number in range(5):
        await captured(store, command(f"find {number}"))
    chat = Chat()
    both = [process(store, owner, chat) for owner in ("two", "three")]
    for each in both:
        each.clerk.may.set()

    for each in both:
        await each.shards.fair_share()

    await asyncio.gather(*(each.round() for each in both))

    said = sorted(said for said, _ in chat.heard)
    assert said == [f"did find {number}: " for number in range(5)]
    assert await rows(store) == 0


async def test_who_was_slow_shows_nothing_after_another_one_took_over(
    store: Store,
) -> None:
    event, one, two = command("status"), process(store, "one"), process(store, "two")
    await captured(store, event)
    two.clerk.may.set()
    async with one.answering.turn(event, "status") as turn:
        working = asyncio.create_task(turn.ready())
        await two.round()
        one.clerk.may.set()
        assert await working is None

    assert len(two.chat.heard) == 1


async def test_an_answer_that_could_not_be_noted_is_noted_later_and_not_repeated(
    store: Store,
) -> None:
    event, one = command("status"), process(store, "one")
    await captured(store, event)
    one.clerk.may.set()
    book = book_of(store, "one")
    async with one.answering.turn(event, "status") as turn:
        assert await turn.ready()
        one.answering.book = replace(book, store=Away(book.store))
        await turn.shown()
    assert await rows(store) == 1

    one.answering.book = book
    await one.round()

    assert (one.chat.heard, await rows(store)) == ([], 0)
    assert claim_of(book, event) not in one.answering.at_work()


def test_the_day_is_told_only_if_it_is_another_one() -> None:
    noon = 1_700_000_000_000_000 - 1_700_000_000_000_000 % 86_400_000_000
    noon += 43_200_000_000

    assert moment(noon, noon + 60_000_000) == "at 12:00 UTC"
    assert moment(noon, noon + 86_400_000_000) == "on 2023-11-14 at 12:00 UTC"
