"""One card for a record, a message and a channel, however often it is asked for."""

import asyncio
from dataclasses import replace

import pytest

from bridge.records.books import CardInstance, CardState, Outdated
from bridge.records.cards import Level, Standing
from bridge.records.model import RecordRef, Revision, System
from storage.records.acts import StoredActs
from storage.records.cards import StoredCards
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.contract.records_books.conftest import CHANGE, act, card
from tests.events import FALCON, PROJECT

ISSUE = RecordRef(System.JIRA, "acme", "issue", "10001")


@pytest.fixture
def cards(store: Store) -> StoredCards:
    return StoredCards(store.database.hot, ticking_clock())


async def posted(cards: StoredCards) -> None:
    await cards.plan([card()])
    await cards.posting(TENANT, "crd_1")
    await cards.posted(TENANT, "crd_1", "17.1", {})


async def test_what_is_planned_is_kept_as_it_was(cards: StoredCards) -> None:
    planned = replace(
        card(),
        level=Level.KIND,
        thread="1.0001",
        unfurl={"unfurl_id": "U1"},
        rev=Revision(7, "seven"),
        digest="d",
        made_us=5,
    )

    kept = await cards.plan([planned])

    assert kept == [planned]
    assert await cards.get(TENANT, "crd_1") == planned
    assert await cards.get("globex", "crd_1") is None


async def test_the_same_record_for_the_same_message_is_one_card(
    cards: StoredCards,
) -> None:
    first, elsewhere = card(), card("crd_2", PROJECT)
    await cards.plan([first, elsewhere])

    again = await cards.plan([card("crd_3"), card("crd_4", PROJECT)])

    assert [each.card_id for each in again] == ["crd_1", "crd_2"]
    found = await cards.of_record(TENANT, CHANGE)
    assert {each.card_id for each in found} == {"crd_1", "crd_2"}


async def test_two_who_plan_at_once_get_the_same_card(
    cards: StoredCards, store: Store
) -> None:
    other = StoredCards(store.another_process("two").database.hot, ticking_clock())

    kept = await asyncio.gather(
        *(each.plan([card(f"crd_{n}")]) for n in range(8) for each in (cards, other))
    )

    assert len({found[0].card_id for found in kept}) == 1


async def test_one_of_many_posts_and_the_others_do_not(
    cards: StoredCards, store: Store
) -> None:
    await cards.plan([card()])
    other = StoredCards(store.another_process("two").database.hot, ticking_clock())

    answers = await asyncio.gather(
        *(each.posting(TENANT, "crd_1") for _ in range(5) for each in (cards, other))
    )

    assert answers.count(True) == 1
    assert not await cards.posting("globex", "crd_1")


async def test_a_card_whose_process_died_is_taken_up_again(cards: StoredCards) -> None:
    later = 1 << 62
    await cards.plan([card(), card("crd_2", PROJECT)])
    await cards.posting(TENANT, "crd_1")

    found = await cards.unfinished(TENANT, later)
    assert {each.card_id: each.state for each in found} == {
        "crd_1": CardState.POSTING,
        "crd_2": CardState.PLANNED,
    }
    assert await cards.unfinished(TENANT, 0) == []

    await cards.unposted(TENANT, "crd_1")
    assert await cards.posting(TENANT, "crd_1")
    await cards.posted(TENANT, "crd_1", "17.1", {"source": "composer"})
    [left] = await cards.unfinished(TENANT, later)
    assert left.card_id == "crd_2"
    known = await cards.get(TENANT, "crd_1")
    assert known is not None
    assert (known.state, known.message) == (CardState.POSTED, "17.1")
    assert known.unfurl == {"source": "composer"}


async def test_what_is_posted_is_not_planned_again(cards: StoredCards) -> None:
    await posted(cards)

    await cards.unposted(TENANT, "crd_1")

    assert not await cards.posting(TENANT, "crd_1")


@pytest.mark.parametrize(
    ("before", "after", "goes"),
    [
        ((3, 100), (4, 90), True),
        ((3, 100), (3, 100), True),
        ((3, 100), (3, 101), True),
        ((3, 100), (3, 99), False),
        ((3, 100), (2, 200), False),
        ((3, 100), (-1, 200), False),
    ],
)
async def test_nothing_older_is_shown(
    cards: StoredCards, before: tuple[int, int], after: tuple[int, int], *, goes: bool
) -> None:
    await posted(cards)

    def at(moment: tuple[int, int], digest: str) -> CardInstance:
        order, shown_us = moment
        return replace(
            card(),
            rev=Revision(order, str(order)),
            digest=digest,
            shown_us=shown_us,
            standing=Standing.LIVE,
        )

    assert await cards.shown(at(before, "one"))
    assert await cards.shown(at(after, "two")) is goes
    known = await cards.get(TENANT, "crd_1")
    assert known is not None
    assert known.digest == ("two" if goes else "one")
    assert known.message == "17.1"


async def test_of_many_revisions_at_once_the_newest_stays(
    cards: StoredCards, store: Store
) -> None:
    await posted(cards)
    other = StoredCards(store.another_process("two").database.hot, ticking_clock())

    await asyncio.gather(
        *(
            (cards if n % 2 else other).shown(
                replace(card(), rev=Revision(n), digest=str(n), shown_us=50 - n)
            )
            for n in (3, 1, 9, 2, 9, 4, 8)
        )
    )

    known = await cards.get(TENANT, "crd_1")
    assert known is not None
    assert (known.rev, known.digest) == (Revision(9), "9")


async def test_what_was_let_go_of_shows_nothing_and_its_buttons_do_nothing(
    cards: StoredCards, store: Store
) -> None:
    acts = StoredActs(store.database.hot, ticking_clock())
    await posted(cards)
    await acts.issue([button := act()])

    await cards.retire(TENANT, ["crd_1", "crd_9"])

    assert await cards.of_record(TENANT, CHANGE) == []
    assert await cards.in_channel(TENANT, FALCON) == []
    assert await cards.records(TENANT) == []
    assert not await cards.shown(replace(card(), rev=Revision(9)))
    await cards.posted(TENANT, "crd_1", "17.2", {})
    known = await cards.get(TENANT, "crd_1")
    assert known is not None
    assert known.state is CardState.RETIRED
    with pytest.raises(Outdated):
        await acts.look(TENANT, button.token, 0)


async def test_cards_are_found_by_channel_and_record(cards: StoredCards) -> None:
    await cards.plan(
        [
            card(),
            card("crd_2", PROJECT),
            replace(card("crd_3"), ref=ISSUE),
            replace(card("crd_4"), tenant="globex"),
        ]
    )

    here = await cards.in_channel(TENANT, FALCON)

    assert {each.card_id for each in here} == {"crd_1", "crd_3"}
    assert set(await cards.records(TENANT)) == {CHANGE, ISSUE}
    assert [c.card_id for c in await cards.of_record("globex", CHANGE)] == ["crd_4"]
