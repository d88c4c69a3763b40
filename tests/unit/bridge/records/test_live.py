"""Cards are what their records are, wherever they stand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import Throttled
from bridge.messages import Person, Platform
from bridge.records.cards import Standing
from bridge.records.model import Record, Revision
from bridge.records.ports import Spent
from tests.records_world import (
    ALICE,
    SLACK,
    TENANT,
    World,
    refused,
    said,
    unavailable,
)

GUEST = Person(Platform.SLACK, "guest")


async def carded(key: str = "CHG1") -> tuple[World, Record]:
    world = World()
    record = world.system.add(key)
    await world.mentions.noticed(said(key))
    world.system.calls.clear()
    world.clock.pass_(10)
    return world, record


async def test_a_change_is_read_once_and_shown_on_both_sides() -> None:
    world, record = await carded()

    world.live.heard(TENANT, world.system.change(record.ref, "Scheduled"))
    await world.settle()

    for place in (world.slack, world.teams):
        [card] = place.shown
        assert card.status is not None
        assert card.status.text == "Scheduled"
    assert world.system.count("read") == 1


async def test_many_records_are_read_together() -> None:
    world = World()
    refs = [world.system.add(f"CHG{n}").ref for n in range(5)]
    for n, _ in enumerate(refs):
        await world.mentions.noticed(said(f"CHG{n}", f"m{n}"))
    world.system.calls.clear()
    world.clock.pass_(10)

    for ref in refs:
        world.live.heard(TENANT, world.system.change(ref, "Review"))
    await world.settle()

    assert world.system.count("read") == 1
    assert {c.status.text for c in world.slack.shown if c.status} == {"Review"}


async def test_d15_out_of_order_and_repeated_events_end_at_the_newest() -> None:
    world, record = await carded()
    first = world.system.change(record.ref, "Assess")
    second = world.system.change(record.ref, "Authorize")
    third = world.system.change(record.ref, "Scheduled")

    for change in (third, first, second, second):
        world.live.heard(TENANT, change)
        await world.settle()
    world.clock.pass_(10)
    await world.settle()

    [card] = world.slack.shown
    assert card.rev == "4"
    assert world.slack.edits <= 2


async def test_d15_an_echo_of_what_is_shown_causes_no_call() -> None:
    world, record = await carded()
    world.live.heard(TENANT, world.system.told(record.ref, record.rev, ours=True))

    await world.settle()

    assert not world.system.calls
    assert not world.slack.edits


async def test_an_older_answer_never_replaces_a_newer_one() -> None:
    world, record = await carded()
    world.live.heard(TENANT, world.system.change(record.ref, "Scheduled"))
    await world.settle()
    world.clock.pass_(10)
    world.system.records[record.ref.id] = record  # a replica that lags behind

    world.live.heard(TENANT, world.system.told(record.ref, Revision(9)))
    await world.settle()

    [card] = world.slack.shown
    assert card.rev == "2"


async def test_what_changes_nothing_for_a_room_edits_nothing() -> None:
    world, record = await carded()

    world.live.heard(TENANT, world.system.told(record.ref))
    await world.settle()

    assert world.system.count("read") == 1
    assert not world.slack.edits


async def test_d16_a_storm_edits_each_card_every_two_seconds_at_most() -> None:
    world, record = await carded()

    for n in range(100):
        world.live.heard(TENANT, world.system.change(record.ref, f"State {n}"))
        await world.settle()
        world.clock.pass_(0.1)
    world.clock.pass_(5)
    await world.settle()

    assert world.slack.edits <= 7  # in ten seconds and a bit
    [card] = world.slack.shown
    assert card.status is not None
    assert card.status.text == "State 99"


async def test_d16_a_storm_takes_no_memory() -> None:
    world, record = await carded()
    world.live.agenda.most = 50

    for n in range(5_000):
        ref = world.system.add(f"INC{n}").ref if n % 100 == 0 else record.ref
        other = type(ref)(ref.system, ref.instance, ref.kind, f"other-{n}")
        world.live.heard(TENANT, world.system.told(other))
    world.live.heard(TENANT, world.system.change(record.ref, "Closed"))

    assert len(world.live.agenda) <= 50
    await world.settle()
    [card] = world.slack.shown
    assert card.status is not None
    assert card.status.text == "Closed"


async def forty() -> tuple[World, list[Record]]:
    """Forty records, each with a card in the same two channels."""
    world = World()
    records = [world.system.add(f"CHG{n}") for n in range(40)]
    for n in range(40):
        await world.mentions.noticed(said(f"CHG{n}", f"m{n}"))
    world.system.calls.clear()
    world.clock.pass_(60)
    return world, records


async def test_d16_a_storm_on_forty_cards_keeps_to_what_a_channel_takes() -> None:
    world, records = await forty()
    seconds = []
    for n in range(600):  # a minute, 83 changes a second
        before = world.slack.edits + len(world.slack.notes)
        for k in range(8):
            ref = records[(n * 8 + k) % 40].ref
            world.live.heard(TENANT, world.system.change(ref, f"State {n}"))
        await world.settle()
        world.clock.pass_(0.1)
        seconds.append(world.slack.edits + len(world.slack.notes) - before)
    busiest = max(sum(seconds[n : n + 10]) for n in range(10, 591))
    edits = world.slack.edits

    assert edits <= 60 + 5
    assert busiest <= 2 * 2 + 2  # an edit and the line below it, and two at the seam
    world.clock.pass_(5)
    for _ in range(60):
        await world.settle()
        world.clock.pass_(1)
    last = {record.ref: world.system.records[record.ref.id] for record in records}
    for place in (world.slack, world.teams):
        shown = {card.ref: card.status for card in place.shown}
        assert shown == {ref: record.status for ref, record in last.items()}
    assert not world.live.agenda.parts()


async def test_d16_what_waits_for_its_channel_is_not_read_again() -> None:
    world, records = await forty()
    for record in records:
        world.live.heard(TENANT, world.system.change(record.ref, "Scheduled"))

    for _ in range(60):
        await world.settle()
        world.clock.pass_(1)

    assert {c.status.text for c in world.slack.shown if c.status} == {"Scheduled"}
    assert world.system.count("read") == 1
    said_below = [text for _, text in world.slack.notes]
    assert said_below == ["Authorize → Scheduled"] * 40  # each once


async def test_d16_an_approval_passes_by_what_waits() -> None:
    world, records = await forty()
    for record in records[:-1]:
        world.live.heard(TENANT, world.system.change(record.ref, "Scheduled"))
    await world.settle()
    mine = records[-1].ref
    world.system.change(mine, "Approved")

    world.live.stir(TENANT, mine, "Approved by A. Tuter via Teams")
    await world.settle()

    for place in (world.slack, world.teams):
        shown = {card.ref: card.status for card in place.shown}
        assert shown[mine] is not None
        assert shown[mine].text == "Approved"  # type: ignore[union-attr]
    texts = [text for _, text in world.slack.notes]
    assert texts.count("Approved by A. Tuter via Teams") == 1
    assert "Authorize → Approved" not in texts  # the one line says it


async def test_d16_a_channel_that_asked_to_wait_is_left_alone() -> None:
    world, records = await forty()
    world.slack.faults["change"].append(Throttled("wait", 20.0))
    before = world.slack.edits
    for record in records[:3]:
        world.live.stir(TENANT, record.ref, "Taken by Bob via Teams")
        world.system.change(record.ref, "Scheduled")
    await world.settle()

    assert world.slack.edits == before
    assert not world.slack.notes
    assert len(world.teams.notes) == 3
    world.clock.pass_(21)
    await world.settle()
    assert world.slack.edits == before + 3
    # What waited is said once, and nothing a second time where it was said.
    assert len(world.slack.notes) == len(world.teams.notes) == 3


async def test_after_a_start_five_hundred_cards_are_looked_at_and_none_is_posted() -> (
    None
):
    world = World()
    for n in range(250):
        world.system.add(f"CHG{n}")
        await world.mentions.noticed(said(f"CHG{n}", f"m{n}"))
    posts = len(world.slack.posts) + len(world.teams.posts)
    changed = world.system.records["id-CHG7"]
    world.system.change(changed.ref, "Scheduled")
    later = World(  # another process, with the same books
        system=world.system,
        cards=world.cards,
        acts=world.acts,
        slack=world.slack,
        teams=world.teams,
        clock=world.clock,
    )
    world.system.calls.clear()
    world.clock.pass_(10)

    later.live.everything(TENANT)
    await later.settle()

    assert posts == 500
    assert len(world.slack.posts) + len(world.teams.posts) == 500
    assert (world.slack.edits, world.teams.edits) == (1, 1)
    assert world.system.count("read") == 3  # of a hundred each


async def test_what_somebody_waits_for_is_not_slowed_down() -> None:
    world, record = await carded()
    for n in range(3):
        world.system.change(record.ref, f"State {n}")
        world.live.stir(TENANT, record.ref)
        await world.settle()

    assert world.slack.edits == 3


async def test_d15_lost_events_have_everything_read_again() -> None:
    world, record = await carded()
    world.system.change(record.ref, "Scheduled")

    world.live.heard(TENANT, world.system.told(None, kind="missed"))
    await world.settle()

    [card] = world.slack.shown
    assert card.rev == "2"


async def test_d9_what_is_deleted_is_gone_everywhere_and_can_come_back() -> None:
    world, record = await carded()
    world.system.gone.add(record.ref.id)
    world.live.heard(TENANT, world.system.told(record.ref, kind="deleted"))
    await world.settle()

    for place in (world.slack, world.teams):
        [card] = place.shown
        assert card.standing is Standing.GONE
        assert not card.fields
        assert not card.buttons
        assert "Increase memory" not in repr(card)

    world.system.gone.clear()
    world.clock.pass_(10)
    world.live.heard(TENANT, world.system.told(record.ref, kind="restored"))
    await world.settle()

    for place in (world.slack, world.teams):
        [card] = place.shown
        assert card.standing is Standing.LIVE


async def test_d9_deleted_and_forbidden_read_alike() -> None:
    deleted, record = await carded()
    deleted.system.gone.add(record.ref.id)
    deleted.live.heard(TENANT, deleted.system.told(record.ref, kind="deleted"))
    await deleted.settle()
    forbidden, record = await carded()
    forbidden.system.unseen.add(("", record.ref.id))
    forbidden.live.heard(TENANT, forbidden.system.told(record.ref))
    await forbidden.settle()

    assert deleted.slack.shown[0].reason == forbidden.slack.shown[0].reason


async def test_d3_a_spent_budget_makes_cards_stale_and_is_not_asked_again() -> None:
    world, record = await carded()
    world.system.change(record.ref, "Scheduled")
    world.system.faults["read"] += [Spent("no more calls", 900.0)] * 9

    world.live.heard(TENANT, world.system.told(record.ref))
    await world.settle()
    world.clock.pass_(60)
    await world.settle()

    [card] = world.slack.shown
    assert card.standing in {Standing.STALE, Standing.UNAVAILABLE}
    assert not card.fields
    assert world.system.count("read") == 1

    world.system.faults.clear()
    world.clock.pass_(900)
    await world.settle()
    assert world.slack.shown[0].standing is Standing.LIVE


async def test_a_hiccup_is_not_worth_an_edit() -> None:
    world, record = await carded()
    world.system.faults["read"].append(unavailable())

    world.live.heard(TENANT, world.system.change(record.ref, "Scheduled"))
    await world.settle()
    assert [len(shown) for shown in world.slack.posts.values()] == [1]
    world.clock.pass_(6)
    await world.settle()

    assert world.slack.edits == 1
    assert world.slack.shown[0].rev == "2"


async def test_d7_a_guest_who_joins_lowers_every_card_at_once() -> None:
    world, _ = await carded()
    world.policy.denied.add((GUEST.id, "record.view", "finance"))
    assert "4711" in repr(world.slack.shown)

    world.rooms.people[SLACK] = (*world.rooms.people[SLACK], GUEST)
    world.live.room_changed(TENANT, SLACK)
    await world.settle()

    assert "4711" not in repr(world.slack.shown)
    assert "4711" in repr(world.teams.shown)


async def test_d7_a_room_is_lowered_though_the_system_is_away() -> None:
    world, _ = await carded()
    world.policy.denied.add((GUEST.id, "record.view", "finance"))
    world.rooms.people[SLACK] = (*world.rooms.people[SLACK], GUEST)
    world.system.faults["read"] += [unavailable()] * 5

    world.live.room_changed(TENANT, SLACK)
    await world.settle()

    assert "4711" not in repr(world.slack.shown)


async def test_d7_a_card_that_is_on_its_way_is_lowered_as_soon_as_it_stands() -> None:
    """A guest joins after it was drawn, and before Slack said where it stands."""
    world = World()
    world.policy.denied.add((GUEST.id, "record.view", "finance"))
    world.system.add("CHG1")

    async def joined() -> None:
        world.rooms.people[SLACK] = (*world.rooms.people[SLACK], GUEST)
        world.live.room_changed(TENANT, SLACK)
        await world.settle()  # the card is not known to stand anywhere

    world.slack.slow = joined
    await world.mentions.noticed(said("CHG1"))
    world.slack.slow = None
    [card] = world.slack.shown
    assert "4711 EUR" in repr(card)

    world.clock.pass_(2)
    await world.settle()

    [card] = world.slack.shown
    assert "4711 EUR" not in repr(card)


async def test_d7_what_cannot_be_retracted_is_told_to_auditors() -> None:
    world, record = await carded()
    world.policy.denied.add((GUEST.id, "record.view", "finance"))
    world.rooms.people[SLACK] = (*world.rooms.people[SLACK], GUEST)
    world.slack.faults["change"].append(refused())

    world.live.room_changed(TENANT, SLACK)
    await world.settle()

    [entry] = world.log.of("record.unretracted")
    assert entry.detail["record"] == str(record.ref)
    assert entry.detail["withheld"] == ["amount"]


async def test_d18_a_lost_right_lowers_what_stands() -> None:
    world, _ = await carded()

    world.policy.denied.add((ALICE.id, "record.view", "finance"))
    world.live.rights_changed(TENANT)
    await world.settle()

    assert "4711" not in repr(world.slack.shown)


async def test_after_a_start_nothing_is_posted_again() -> None:
    world, record = await carded()
    world.system.change(record.ref, "Scheduled")

    world.live.everything(TENANT)
    await world.settle()

    assert len(world.slack.posts) == 1
    assert world.slack.shown[0].rev == "2"


async def test_a_throttled_edit_is_made_later() -> None:
    world, record = await carded()
    world.slack.faults["change"].append(Throttled("wait", 3.0))
    world.live.heard(TENANT, world.system.change(record.ref, "Scheduled"))
    await world.settle()
    assert world.slack.shown[0].rev == "1"
    assert world.teams.shown[0].rev == "2"

    world.clock.pass_(4)
    await world.settle()

    assert world.slack.shown[0].rev == "2"


async def test_a_material_change_is_said_in_the_thread_too() -> None:
    world, record = await carded()  # and nobody has read it since
    world.clock.pass_(10)

    world.live.heard(TENANT, world.system.change(record.ref, "Scheduled"))
    await world.settle()

    assert [text for _, text in world.slack.notes] == ["Authorize → Scheduled"]
    assert len(world.teams.notes) == 1


async def test_after_a_start_it_is_said_of_what_changes_from_then_on() -> None:
    """What a record was before ATOM was away is kept nowhere: the card says what it is."""
    world, record = await carded()
    world.system.change(record.ref, "Scheduled")
    later = World(  # another process, with the same books
        system=world.system,
        cards=world.cards,
        acts=world.acts,
        slack=world.slack,
        teams=world.teams,
        clock=world.clock,
    )
    world.clock.pass_(10)
    later.live.everything(TENANT)
    await later.settle()
    assert not world.slack.notes

    world.clock.pass_(10)
    later.live.heard(TENANT, world.system.change(record.ref, "Review"))
    await later.settle()

    assert [text for _, text in world.slack.notes] == ["Scheduled → Review"]
    assert len(world.teams.notes) == 1


@pytest.mark.parametrize("seconds", [0.0, 0.7, 2.5])
@given(
    order=st.lists(st.integers(0, 4), min_size=1, max_size=12),
    late=st.lists(st.booleans(), min_size=12, max_size=12),
)
@settings(max_examples=40, deadline=None)
async def test_whatever_the_order_the_newest_stands_in_the_end(
    seconds: float, order: list[int], late: list[bool]
) -> None:
    world, record = await carded()
    changes = [world.system.change(record.ref, f"State {n}") for n in range(5)]

    for n, settles in zip(order, late, strict=False):
        world.live.heard(TENANT, changes[n])
        if settles:
            await world.settle()
        world.clock.pass_(seconds)
    world.clock.pass_(10)
    await world.settle()

    assert world.slack.shown[0].rev == world.teams.shown[0].rev == "6"
