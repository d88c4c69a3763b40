"""Histories are wanted, worked on by one process at a time, and done with."""

from dataclasses import replace

from bridge.delivery import Operation
from bridge.history import VIA, Wish, wishes
from bridge.messages import Event, EventKind, Person, Platform
from bridge.ports import Commitment
from bridge.relay import planned
from storage.histories import StoredArchive, StoredWishes
from storage.replay import Gaps
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT, message, words

HOUR = 3_600_000_000


def wishbook(store: Store) -> StoredWishes:
    return StoredWishes(store.database.hot, store.journal, store.links.clock)


async def wanted(store: Store) -> Wish:
    link = await store.links.add(TENANT, (FALCON, PROJECT), "test")
    [first, second] = wishes(link, 7, iter(["one", "two"]).__next__)
    await wishbook(store).add([first, second], "slack:U1")
    return first


async def test_a_wish_is_one_process_s_until_its_time_is_over(store: Store) -> None:
    first = await wanted(store)
    one, other = wishbook(store), wishbook(store.another_process("two"))

    assert await one.claim(TENANT, HOUR) == first
    second = await other.claim(TENANT, HOUR)
    assert second is not None
    assert second.source == PROJECT
    assert await one.claim(TENANT, HOUR) is None
    assert await one.claim("globex", HOUR) is None
    await one.hold(first, -HOUR)
    assert await other.claim(TENANT, HOUR) == first


async def test_a_wish_that_is_over_is_on_record_and_not_taken_again(
    store: Store,
) -> None:
    first = await wanted(store)
    book = wishbook(store)
    await book.claim(TENANT, 0)

    await book.close(first, "12 messages in 2 posts")

    left = await book.claim(TENANT, 0)
    assert left is not None
    assert left.source == PROJECT
    texts = [e.body["text"] for e in await store.reader.entries(TENANT, 0, 10)]
    assert texts[0] == f"history of {FALCON}, 7 days, wanted"
    assert texts[-1] == f"history of {FALCON}, 7 days: 12 messages in 2 posts"


async def test_the_log_tells_what_is_posted_what_crossed_and_what_waits(
    store: Store,
) -> None:
    wish = await wanted(store)
    archive = StoredArchive(store.database.hot, store.reader)
    [link] = await store.links.all(TENANT)
    before = replace(message(ts="1.000001", event_id="b"), via=VIA)
    await store.journal.append(Commitment(TENANT, before, (), ()))
    assert await archive.idle(wish)
    assert await archive.posted(wish) == []
    live = message(ts="2.000002", event_id="l")
    queued = planned(TENANT, live, Operation.POST, FALCON, [link])
    await store.journal.append(Commitment(TENANT, live, (), tuple(queued)))

    for n, held in enumerate(("", "1.000001 3.000003")):
        await store.journal.append(Commitment(TENANT, post(wish, n, held), (), ()))

    assert await archive.crossed(wish) == {"2.000002"}
    assert not await archive.idle(wish)
    assert await archive.posted(wish) == [
        frozenset(),
        frozenset({"1.000001", "3.000003"}),
    ]
    again = await store.journal.append(Commitment(TENANT, post(wish, 1, "9"), (), ()))
    assert again.duplicate


async def test_history_is_never_missing_on_the_other_side(store: Store) -> None:
    wish = await wanted(store)
    [link] = await store.links.all(TENANT)
    before = replace(message(ts="1.000001", event_id="b"), via=VIA)
    for event in (before, post(wish, 0, "")):
        await store.journal.append(Commitment(TENANT, event, (), ()))
    live = message(ts="2.000002", event_id="l")
    await store.journal.append(Commitment(TENANT, live, (), ()))

    found = await Gaps(store.database.hot, store.queue).since(link, 0)

    assert [d.message for d in found.deliveries] == ["2.000002"]


def post(wish: Wish, n: int, held: str) -> Event:
    return Event(
        platform=Platform.SLACK,
        account=FALCON.team,
        event_id=wish.message(n),
        kind=EventKind.HISTORY_POST,
        channel=FALCON,
        author=Person(Platform.SLACK, "", "ATOM"),
        sent_us=1,
        raw=b"",
        message=wish.message(n),
        document=words("history"),
        detail=(("messages", held),),
        via=VIA,
    )
