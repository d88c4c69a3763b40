"""Several messages in one copy: noted before the call, ended in one transaction."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bridge.delivery import AttemptState, Copy, Delivery, Joined
from bridge.errors import Fenced
from bridge.links import Link
from bridge.ports import Ended, Lease, Outcome
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import lease_of, open_now, said
from tests.events import FALCON, PROJECT

TEXTS = ("17.1", "17.2", "17.3")


@pytest.fixture
async def link(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), "test")


async def intended(store: Store, link: Link) -> tuple[Delivery, list[Delivery], Lease]:
    """Let three messages be about to be posted in one."""
    for ts in TEXTS:
        await said(store, link, ts)
    head, *others = await open_now(store)
    lease = await lease_of(store, head)
    all_ = tuple(Joined(d.seq, d.n, d.message, d.version_us) for d in (head, *others))
    noted = await store.ledger.intend(replace(head, part=1, joined=all_), lease)
    return noted, others, lease


def share(delivery: Delivery, segment: int) -> Copy:
    return replace(Copy.of(delivery, "r1", "", 5), segment=segment)


async def concluded(
    store: Store,
    noted: Delivery,
    others: Sequence[Delivery],
    lease: Lease,
    state: AttemptState = AttemptState.DELIVERED,
) -> Delivery:
    made = state is AttemptState.DELIVERED
    ended = []
    for segment, other in enumerate(others, 2):
        copy = share(other, segment) if made else None
        known = 0 if made else noted.unknown_since_us
        ended.append(
            Ended(
                replace(other, joined=noted.joined, unknown_since_us=known),
                Outcome(state, "why", copy=copy, text=other.message),
                await store.ledger.history(other),
            )
        )
    outcome = Outcome(
        state,
        "why",
        copy=share(noted, 1) if made else None,
        text=noted.message,
        others=tuple(ended),
    )
    history = await store.ledger.history(noted)
    return await store.ledger.conclude(noted, lease, outcome, history)


async def test_who_takes_over_knows_what_was_in_the_post(
    store: Store, link: Link
) -> None:
    noted, _, _ = await intended(store, link)

    head, *others = await open_now(store)

    assert head.joined == noted.joined
    assert [one.message for one in head.joined] == [*TEXTS]
    assert head.lost
    assert head.marker == noted.marker
    assert all(each.fresh and not each.joined for each in others)


async def test_all_of_a_post_end_together_each_with_an_entry_of_its_own(
    store: Store, link: Link
) -> None:
    noted, others, lease = await intended(store, link)

    after = await concluded(store, noted, others, lease)

    assert after.joined == ()
    assert await open_now(store) == []
    entries = await store.reader.entries(TENANT, -1, 100)
    told = [e for e in entries if e.etype == "bridge.delivered"]
    assert [e.body["text"] for e in told] == [*TEXTS]
    assert [e.body["segment"] for e in told] == [1, 2, 3]
    assert {e.row["msg"] for e in told} == {"r1"}
    origins = {e.seq: e.row["msg"] for e in entries if e.etype == "message.create"}
    assert [origins[e.row["origin_seq"]] for e in told] == [*TEXTS]
    assert (await store.reader.verify(TENANT)).intact


async def test_each_message_finds_its_share_and_its_neighbours(
    store: Store, link: Link
) -> None:
    noted, others, lease = await intended(store, link)
    await concluded(store, noted, others, lease)

    second = await store.copies.copy_of(TENANT, link.id, FALCON, "17.2", PROJECT)

    assert second is not None
    assert (second.remote, second.segment) == ("r1", 2)
    found = await store.copies.segments_of(second)
    assert [(c.message, c.segment) for c in found] == [
        ("17.1", 1),
        ("17.2", 2),
        ("17.3", 3),
    ]


@pytest.mark.parametrize("marked", [False, True])
async def test_the_first_that_stands_speaks_for_a_shared_copy(
    store: Store, link: Link, *, marked: bool
) -> None:
    noted, others, lease = await intended(store, link)
    await concluded(store, noted, others, lease)
    assert await origin(store) == "17.1"
    await said(store, link, "17.9")
    [later] = await open_now(store)
    gone = replace(share(noted, 1), deleted=True, marked=marked)
    history = await store.ledger.history(later)
    outcome = Outcome(AttemptState.DELIVERED, copy=gone)
    await store.ledger.conclude(later, lease, outcome, history)

    assert await origin(store) == "17.2"


async def origin(store: Store) -> str:
    found = await store.copies.origin_of(TENANT, PROJECT, "r1")
    assert found is not None
    return found.message


async def test_one_transaction_or_none(store: Store, link: Link) -> None:
    noted, others, lease = await intended(store, link)

    with pytest.raises(Fenced):
        await concluded(store, noted, others, replace(lease, epoch=lease.epoch + 1))

    assert len(await open_now(store)) == 3
    assert await store.copies.origin_of(TENANT, PROJECT, "r1") is None


async def test_what_nobody_knows_is_parked_for_all_and_looked_up_for_each(
    store: Store, link: Link
) -> None:
    noted, others, lease = await intended(store, link)
    await concluded(store, noted, others, lease, AttemptState.PARKED)

    letters = await store.letters.all(TENANT)
    assert [letter.unknown for letter in letters] == [True] * 3
    assert {letter.delivery.joined for letter in letters} == {noted.joined}
    await store.letters.retry(letters[1:2], "test")
    await store.letters.retry(letters[2:], "test", anyway=True)

    second, third = await open_now(store)
    assert second.message == "17.2"
    assert second.joined == noted.joined
    assert second.marker == noted.marker
    assert second.lost
    assert (third.joined, third.lost) == ((), False)


async def test_what_was_noted_is_forgotten_with_its_outcome(
    store: Store, link: Link
) -> None:
    noted, _, lease = await intended(store, link)
    history = await store.ledger.history(noted)
    await store.ledger.conclude(noted, lease, Outcome(AttemptState.RETRY), history)

    head, *_ = await open_now(store)

    assert head.joined == ()
    assert not head.lost


async def test_an_intent_that_was_written_unheard_does_not_hide_the_next(
    store: Store, link: Link
) -> None:
    """The first answer was lost: whoever asks again may mean other messages."""
    noted, others, lease = await intended(store, link)
    before = replace(noted, attempts=noted.attempts - 1, joined=noted.joined[:2])

    again = await store.ledger.intend(before, lease)

    head, *_ = await open_now(store)
    assert again.attempts == noted.attempts + 1
    assert len(others) == 2
    assert head.joined == noted.joined[:2]
