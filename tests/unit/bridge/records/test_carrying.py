"""What is said below a card goes into its record, where the channel chose that."""

from dataclasses import replace

import pytest

from bridge.cards import Card
from bridge.messages import Person, PersonKind
from bridge.records.books import Way
from bridge.records.forms import Form, Input, InputKind
from bridge.records.model import Offer, RecordRef
from bridge.records.ports import Access, Rejected
from tests.records_world import (
    ALICE,
    BOB,
    SLACK,
    STRANGER,
    TENANT,
    FakeSystem,
    World,
    said,
    unavailable,
)

COMMENT = Offer("comment", "Comment…")


class WithVisibility(FakeSystem):
    """A system in which comments are for customers as well, unless one says no."""

    async def form(
        self, access: Access, act: str, ref: RecordRef | None = None, kind: str = ""
    ) -> Form:
        made = await super().form(access, act, ref, kind)
        public = Input(
            "public", "For customers", InputKind.CHECK, value="true", inside="false"
        )
        text = replace(made.inputs[0], kind=InputKind.TEXT)
        return replace(made, inputs=(text, public))


async def listening(*, on: bool = True) -> World:
    world = World(system=WithVisibility(offers=(COMMENT,)))
    world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1"))
    way = Way.OUT if on else Way.NONE
    await world.levels.let_threads(TENANT, SLACK, "slack:alice", way)
    await world.carrying.look(TENANT)
    return world


async def test_what_is_said_below_a_card_is_added_as_who_said_it_and_once() -> None:
    world = await listening()

    for _ in range(2):  # the same message again, as after a crash
        await world.carrying.noticed(said("It is the fan", "m2", BOB, thread="m1"))

    [(who, deed)] = world.system.written
    assert (who, deed.act) == ("p-bob", "comment")
    # Customers may read comments there: what is said among colleagues stays there.
    assert dict(deed.values) == {"comment": "It is the fan", "public": "false"}
    [entry] = world.log.of("record.update")
    assert entry.actor == "slack:bob"
    assert not world.log.of("record.failed")
    await world.settle()
    assert not world.slack.notes  # the thread says it already


async def test_without_the_channels_choice_nothing_is_added() -> None:
    world = await listening(on=False)

    await world.carrying.noticed(said("It is the fan", "m2", thread="m1"))

    assert not world.carrying.listens(TENANT)
    assert not world.system.written


@pytest.mark.parametrize(
    ("by", "thread", "text"),
    [
        (ALICE, "", "Elsewhere"),
        (ALICE, "m9", "In another thread"),
        (replace(ALICE, kind=PersonKind.BOT), "m1", "By a program"),
        (STRANGER, "m1", "By nobody known"),
        (ALICE, "m1", "  "),
    ],
)
async def test_other_words_stay_in_chat(by: Person, thread: str, text: str) -> None:
    world = await listening()

    await world.carrying.noticed(said(text, "m2", by, thread=thread))

    assert not world.system.written


async def test_a_thread_of_two_records_is_neithers() -> None:
    world = await listening()
    world.system.add("CHG2")
    await world.mentions.noticed(said("CHG2", "m3", thread="m1"))

    await world.carrying.noticed(said("Both", "m4", thread="m1"))

    assert not world.system.written


async def test_who_has_no_account_is_asked_to_connect_once_and_alone() -> None:
    world = await listening()
    world.accesses.connected.clear()

    for n in range(3):
        await world.carrying.noticed(said("It is the fan", f"m{n}", thread="m1"))

    [(person, card)] = world.slack.whispers
    assert person.id == ALICE.id
    assert isinstance(card, Card)
    assert "Connect your" in card.title
    assert not world.system.written


async def test_what_could_not_be_added_is_told_alone() -> None:
    world = await listening()
    world.system.faults["perform"] += [unavailable(), Rejected("Closed for comments")]

    for n in range(2):
        await world.carrying.noticed(said(f"Try {n}", f"m{n}", thread="m1"))

    told = [card.text for _, card in world.slack.whispers if isinstance(card, Card)]
    assert "does not answer now" in told[0]
    assert told[1] == "Closed for comments"
    assert not world.system.written


async def test_who_may_not_write_adds_nothing() -> None:
    world = await listening()
    world.policy.denied.add((ALICE.id, "record.update", ""))

    await world.carrying.noticed(said("It is the fan", "m2", thread="m1"))

    assert not world.system.written
    assert world.log.of("record.denied")
