"""A button is good once for each person, until it runs out or is replaced."""

import asyncio
from dataclasses import replace

import pytest

from bridge.errors import BadInput, NotAllowed, NotFound
from bridge.records.books import Outdated, UsedUp
from storage.hot import Statement
from storage.records.acts import StoredActs, new_token
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.contract.records_books.conftest import act

NOW = 500
ALICE, CAROL = "person-alice", "person-carol"


@pytest.fixture
def book(store: Store) -> StoredActs:
    return StoredActs(store.database.hot, ticking_clock(), lease_us=100)


async def test_a_token_stands_for_what_it_was_issued_for(book: StoredActs) -> None:
    button = act()
    await book.issue([button])

    assert await book.look(TENANT, button.token, NOW) == button
    assert await book.claim(TENANT, button.token, ALICE, NOW) == button


async def test_tokens_are_not_in_the_database(book: StoredActs, store: Store) -> None:
    button = act()
    await book.issue([button])

    rows = await store.database.hot.fetch(Statement("SELECT * FROM record_act"))

    assert rows
    assert button.token not in str([tuple(row) for row in rows])


def test_tokens_are_long_and_never_the_same() -> None:
    made = {new_token() for _ in range(100)}

    assert len(made) == 100
    assert {len(token) for token in made} == {32}


async def test_a_token_that_could_be_guessed_is_not_issued(book: StoredActs) -> None:
    with pytest.raises(BadInput, match="random"):
        await book.issue([replace(act(), token="act_1")])


async def test_an_unknown_token_and_another_companys_are_not_found(
    book: StoredActs,
) -> None:
    button = act()
    await book.issue([button])

    for tenant, token in ((TENANT, new_token()), ("globex", button.token)):
        with pytest.raises(NotFound):
            await book.look(tenant, token, NOW)
        with pytest.raises(NotFound):
            await book.claim(tenant, token, ALICE, NOW)


async def test_each_person_uses_it_once_and_hears_what_came_of_it(
    book: StoredActs,
) -> None:
    button = act()
    await book.issue([button])
    await book.claim(TENANT, button.token, ALICE, NOW)

    with pytest.raises(UsedUp, match="under way") as first:
        await book.claim(TENANT, button.token, ALICE, NOW + 1)
    await book.claim(TENANT, button.token, CAROL, NOW)
    await book.concluded(TENANT, button.token, ALICE, "Approved by A. Tuter")
    with pytest.raises(UsedUp) as second:
        await book.claim(TENANT, button.token, ALICE, 999)

    assert first.value.outcome == ""
    assert second.value.outcome == "Approved by A. Tuter"


async def test_of_many_clicks_at_once_one_wins_in_whatever_process(
    book: StoredActs, store: Store
) -> None:
    button = act()
    await book.issue([button])
    other = StoredActs(store.another_process("two").database.hot, ticking_clock(), 100)

    answers = await asyncio.gather(
        *(
            each.claim(TENANT, button.token, ALICE, NOW)
            for _ in range(8)
            for each in (book, other)
        ),
        return_exceptions=True,
    )

    assert [a for a in answers if not isinstance(a, UsedUp)] == [button]


async def test_what_came_to_nothing_may_be_tried_again(book: StoredActs) -> None:
    button = act()
    await book.issue([button])
    await book.claim(TENANT, button.token, ALICE, NOW)

    await book.released(TENANT, button.token, ALICE)

    assert await book.claim(TENANT, button.token, ALICE, NOW) == button
    await book.concluded(TENANT, button.token, ALICE, "done")
    await book.released(TENANT, button.token, ALICE)
    with pytest.raises(UsedUp):
        await book.claim(TENANT, button.token, ALICE, NOW)


async def test_a_claim_whose_process_died_is_given_out_again(book: StoredActs) -> None:
    button = act()
    await book.issue([button])
    await book.claim(TENANT, button.token, ALICE, NOW)

    with pytest.raises(UsedUp):
        await book.claim(TENANT, button.token, ALICE, NOW + 100)
    assert await book.claim(TENANT, button.token, ALICE, NOW + 101) == button
    with pytest.raises(UsedUp):
        await book.claim(TENANT, button.token, ALICE, NOW + 102)


async def test_a_claim_of_which_nothing_was_heard_is_told_of_once(
    book: StoredActs,
) -> None:
    button, done = act(), act("crd_2")
    await book.issue([button, done])
    for each in (button, done):
        await book.claim(
            TENANT, each.token, ALICE, NOW, address="slack:T01ACME/U1", deed="d" * 64
        )
    await book.claim(TENANT, button.token, CAROL, NOW)  # of before there were addresses
    await book.concluded(TENANT, done.token, ALICE, "done")

    assert not await book.left(TENANT, NOW + 100)
    assert not await book.left("globex", NOW + 101)
    [left] = await book.left(TENANT, NOW + 101)
    assert left.act == replace(button, token="")
    assert (left.person, left.address) == (ALICE, "slack:T01ACME/U1")
    assert (left.deed, left.at_us) == ("d" * 64, NOW)

    await book.left_told(left)
    assert not await book.left(TENANT, NOW + 101)

    # Pressed again and cut short again, it is told of again.
    await book.claim(TENANT, button.token, ALICE, NOW + 200, address="slack:T01ACME/U1")
    await book.left_told(left)  # of the first one
    [again] = await book.left(TENANT, NOW + 301)
    assert again.at_us == NOW + 200


async def test_after_its_time_a_button_is_out_of_date(book: StoredActs) -> None:
    button = act(until_us=1_000)
    await book.issue([button])

    assert await book.look(TENANT, button.token, 999) == button
    for call in (
        book.look(TENANT, button.token, 1_000),
        book.claim(TENANT, button.token, ALICE, 1_000),
    ):
        with pytest.raises(Outdated):
            await call


async def test_new_buttons_of_a_card_replace_the_old_ones(book: StoredActs) -> None:
    old, elsewhere = act(), act("crd_2")
    form, view = act(""), act("", ALICE)
    await book.issue([old, elsewhere, form, view])
    used = act()
    await book.issue([used])
    await book.claim(TENANT, used.token, ALICE, NOW)
    await book.concluded(TENANT, used.token, ALICE, "done")

    new = [act(), act()]
    await book.issue(new)

    for still in (*new, elsewhere, form, view):
        assert await book.look(TENANT, still.token, NOW) == still
    for call in (
        book.look(TENANT, old.token, NOW),
        book.claim(TENANT, old.token, CAROL, NOW),
        book.claim(TENANT, used.token, CAROL, NOW),
    ):
        with pytest.raises(Outdated):
            await call
    with pytest.raises(UsedUp, match="done"):
        await book.claim(TENANT, used.token, ALICE, NOW)


async def test_what_one_person_sees_alone_nobody_else_uses(book: StoredActs) -> None:
    button = act("", ALICE)
    await book.issue([button])

    with pytest.raises(NotAllowed, match="somebody else"):
        await book.claim(TENANT, button.token, CAROL, NOW)
    assert await book.claim(TENANT, button.token, ALICE, NOW) == button


async def test_who_leaves_takes_their_buttons_along(book: StoredActs) -> None:
    mine, theirs, shared = act("", ALICE), act("", CAROL), act()
    await book.issue([mine, act("", ALICE), theirs, shared])

    assert await book.revoke(TENANT, ALICE) == 2
    assert await book.revoke(TENANT, "") == 0
    assert await book.revoke("globex", CAROL) == 0

    with pytest.raises(NotFound):
        await book.look(TENANT, mine.token, NOW)
    for still in (theirs, shared):
        assert await book.look(TENANT, still.token, NOW) == still


async def test_what_ran_out_is_forgotten(book: StoredActs, store: Store) -> None:
    old, new = act(until_us=10), act(until_us=900)
    await book.issue([old, new])
    for button in (old, new):
        await book.claim(TENANT, button.token, ALICE, 5)

    assert await book.sweep(500) == 1

    with pytest.raises(NotFound):
        await book.look(TENANT, old.token, 5)
    rows = await store.database.hot.fetch(
        Statement("SELECT count(*) FROM record_act_use")
    )
    assert rows[0][0] == 1
