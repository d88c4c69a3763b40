"""What is due goes, what is held stays, and the log says which and why."""

from asyncio import gather
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.compliance import Officer
from bridge.errors import Refused, StoreUnavailable
from bridge.legal_holds import HoldScope
from bridge.messages import Channel, EventKind, Platform
from bridge.ranges import positions
from bridge.retention import DAY_US, FOREVER, Rule, Scope
from storage.hot import Program, Statement
from tests.contract.retained import (
    ALICE,
    BEGIN_US,
    BOB,
    OFFICER,
    TENANT,
    Retained,
    company,
)
from tests.events import FALCON, PROJECT

ALICE_, BOB_ = f"slack:T01ACME/{ALICE}", f"slack:T01ACME/{BOB}"
GONE, STAYS = [False], [True]
THIRD = Channel(Platform.SLACK, "T01ACME", "C03THIRD")


@pytest.fixture
async def acme(database_url: str, tmp_path: Path) -> AsyncIterator[Retained]:
    async with company(database_url, tmp_path) as built:
        yield built


async def test_what_is_due_is_shredded_and_named(acme: Retained) -> None:
    await acme.rule()
    old = await acme.said("1.1")
    await acme.later(31)
    young = await acme.said("2.1")

    done = await acme.dispose()

    assert done.shredded == 1
    assert await acme.readable(old, young) == [False, True]
    assert [each["seqs"] for each in await acme.acts_of("retention.dispose")] == [
        [[old, old]]
    ]
    assert acme.index.forgotten == [old]
    assert await acme.state(old) == "SHREDDED"


async def test_a_thousand_due_and_ten_held_twice(acme: Retained) -> None:
    """Facts D6, as it is written."""
    await acme.rule()
    held = await gather(*(acme.said(f"h.{n}", who=BOB) for n in range(10)))
    others = await gather(*(acme.said(f"o.{n}") for n in range(990)))
    first = await acme.hold("A", people=[BOB_])
    second = await acme.hold("B", people=[BOB_], channels=[FALCON])
    await acme.later(31)

    done = await acme.dispose()

    assert (done.shredded, done.held) == (990, 10)
    assert await acme.readable(*others) == [False] * 990
    assert await acme.readable(*held) == [True] * 10

    await acme.holds.release(TENANT, OFFICER, first.matter.id)
    await acme.later(31)
    await acme.dispose()
    assert await acme.readable(*held) == [True] * 10

    await acme.holds.release(TENANT, OFFICER, second.matter.id)
    await acme.later(29)
    await acme.dispose()
    assert await acme.readable(*held) == [True] * 10, "the grace is not over"

    await acme.later(2)
    await acme.dispose()
    assert await acme.readable(*held) == [False] * 10
    named = [each["seqs"] for each in await acme.acts_of("retention.dispose")]
    gone = {seq for pairs in named for seq in positions(pairs)}
    assert {*held, *others} <= gone
    kept = [each["kept"] for each in await acme.acts_of("retention.dispose")]
    why = {reason["why"] for reasons in kept for reason in reasons}
    both = " ".join(sorted([first.matter.id, second.matter.id]))
    assert why == {f"hold {both}", f"hold {second.matter.id}"}


async def test_a_hold_made_later_keeps_what_is_already_due(acme: Retained) -> None:
    await acme.rule()
    old = await acme.said("1.1")
    await acme.later(31)
    await acme.hold(people=[ALICE_])

    done = await acme.dispose()

    assert (done.shredded, done.held) == (0, 1)
    assert await acme.readable(old) == STAYS
    assert await acme.state(old) == "HELD"


async def test_a_hold_keeps_what_is_said_after_it_was_made(acme: Retained) -> None:
    await acme.rule()
    await acme.hold(people=[ALICE_])
    await acme.hold(query="merger falcon")
    by_her = await acme.said("1.1")
    by_words = await acme.said("1.2", "Falcon: the MERGER", who=BOB)
    neither = await acme.said("1.3", "the merger", who=BOB)
    await acme.later(31)

    await acme.dispose()

    assert await acme.readable(by_her, by_words, neither) == [True, True, False]


async def test_dates_bound_a_hold(acme: Retained) -> None:
    await acme.rule()
    start = acme.now_us
    before = await acme.said("1.1")
    await acme.later(1)
    within = await acme.said("1.2")
    await acme.later(1)
    after = await acme.said("1.3")
    await acme.hold(from_us=start + DAY_US, to_us=start + 2 * DAY_US, people=[ALICE_])
    await acme.later(40)

    await acme.dispose()

    assert await acme.readable(before, within, after) == [False, True, False]


async def test_a_held_copy_keeps_its_origin_and_the_reverse(acme: Retained) -> None:
    await acme.rule()
    origin = await acme.said("1.1")
    copy = await acme.copied(origin, "1.1")
    answer = await acme.said("9.1", who="T-EVE", where=PROJECT)
    carried = await acme.copied(answer, "9.1", PROJECT, FALCON)
    alone = await acme.said("5.5", where=THIRD)
    await acme.hold(channels=[PROJECT])
    await acme.later(31)
    await acme.dispose()
    assert await acme.readable(origin, copy, answer, carried) == [True] * 4
    assert await acme.readable(alone) == GONE


async def test_a_held_revision_keeps_revision_0(acme: Retained) -> None:
    await acme.rule()
    first = await acme.said("1.1", "secret")
    await acme.hold(query="better")
    edit = await acme.said(
        "1.1", "better", kind=EventKind.MESSAGE_EDIT, version_us=acme.now_us
    )
    delete = await acme.said("1.1", "", kind=EventKind.MESSAGE_DELETE)
    await acme.later(31)

    await acme.dispose()

    assert await acme.readable(first, edit, delete) == [True] * 3


async def test_a_root_stays_as_long_as_a_reply_is_held(acme: Retained) -> None:
    await acme.rule()
    root = await acme.said("1.1")
    reply = await acme.said("1.2", who=BOB, thread="1.1")
    another = await acme.said("1.3", thread="1.1")
    await acme.hold(people=[BOB_])
    await acme.later(31)

    await acme.dispose()

    assert await acme.readable(root, reply, another) == [True, True, False]


async def test_a_custodian_is_their_account_whatever_they_are_called(
    acme: Retained,
) -> None:
    """Who left, was renamed or deactivated: nothing of that is asked."""
    await acme.rule()
    hold = await acme.hold(people=[BOB_])
    as_bob = await acme.said("1.1", who=BOB)
    merged = await acme.said("9.1", who="29:robert", where=PROJECT)
    await acme.holds.widen(
        TENANT, OFFICER, hold.matter.id, HoldScope(frozenset({"teams:t1/29:robert"}))
    )
    await acme.later(31)

    await acme.dispose()

    assert await acme.readable(as_bob, merged) == [True, True]


async def test_a_channel_that_is_gone_or_has_another_address_is_held(
    acme: Retained,
) -> None:
    await acme.rule()
    moved = Channel(Platform.SLACK, "T01ACME", "C77MOVED")
    before = await acme.said("1.1")
    await acme.readdressed(moved, FALCON)
    after = await acme.said("1.2", where=moved)
    await acme.hold(channels=[FALCON])
    await acme.later(31)

    await acme.dispose()

    assert await acme.readable(before, after) == [True, True]


async def test_nothing_goes_within_a_day_of_a_change_of_rules(acme: Retained) -> None:
    await acme.rule(delete_us=90 * DAY_US)
    old = await acme.said("1.1")
    await acme.later(31)
    await acme.rule(delete_us=30 * DAY_US)

    done = await acme.dispose()
    assert (done.shredded, done.settling) == (0, 1)
    assert await acme.state(old) == "DUE"

    await acme.later(0.99)
    assert (await acme.dispose()).shredded == 0
    await acme.later(0.02)
    assert (await acme.dispose()).shredded == 1
    assert await acme.readable(old) == GONE


async def test_a_longer_rule_or_label_makes_what_was_due_stay(acme: Retained) -> None:
    await acme.rule()
    await acme.rule(
        "keep", scope=Scope.LABEL, value="deal", keep_us=90 * DAY_US, delete_us=None
    )
    deal, other = await acme.said("1.1"), await acme.said("1.2")
    await acme.later(31)
    assert await acme.state(deal) == "PENDING_DISPOSITION"

    await acme.rules.label(TENANT, OFFICER, FALCON, "1.1", "deal")
    await acme.dispose()

    assert await acme.readable(deal, other) == [True, False]
    assert await acme.state(deal) == "ACTIVE"


async def test_a_held_entry_is_active_again_when_its_rule_got_longer(
    acme: Retained,
) -> None:
    await acme.rule()
    old = await acme.said("1.1")
    hold = await acme.hold(people=[ALICE_])
    await acme.later(31)
    await acme.dispose()
    assert await acme.state(old) == "HELD"

    await acme.rule(delete_us=365 * DAY_US)
    await acme.holds.release(TENANT, OFFICER, hold.matter.id)
    await acme.later(31)
    await acme.dispose()

    assert await acme.state(old) == "ACTIVE"
    assert await acme.readable(old) == STAYS


async def test_a_clock_set_forward_purges_nothing(acme: Retained) -> None:
    await acme.rule()
    old = await acme.said("1.1")
    for ahead in (2 / 24, 31, 3650):
        acme.now_us = BEGIN_US + int(29.99 * DAY_US + ahead * DAY_US)
        await acme.partitions()
        assert (await acme.dispose()).shredded == 0

    await acme.at(BEGIN_US + int(30.01 * DAY_US))
    await acme.dispose()
    assert await acme.readable(old) == GONE


async def test_an_entry_goes_at_its_time_exactly(acme: Retained) -> None:
    await acme.rule()
    old = await acme.said("1.1")
    due = acme.now_us + 30 * DAY_US
    await acme.at(due - 1)
    assert (await acme.dispose()).shredded == 0

    await acme.at(due)

    assert (await acme.dispose()).shredded == 1
    assert await acme.readable(old) == GONE


async def test_what_was_imported_counts_from_when_it_was_said(acme: Retained) -> None:
    await acme.rule()
    await acme.rule(
        "deal",
        scope=Scope.LABEL,
        value="deal",
        floor=True,
        delete_us=None,
        keep_us=20 * DAY_US,
    )
    long_ago = acme.now_us - 60 * DAY_US
    await acme.later(2)
    free = await acme.said("1.1", via="import", said_us=long_ago)
    floored = await acme.said("1.2", via="import", said_us=long_ago)
    pushed = await acme.said("1.3", said_us=long_ago)
    await acme.rules.label(TENANT, OFFICER, FALCON, "1.2", "deal")
    await acme.later(1)

    await acme.dispose()
    assert await acme.readable(free, floored, pushed) == [False, True, True]

    await acme.later(20)
    await acme.dispose()
    assert await acme.readable(floored, pushed) == [False, True]


async def test_rules_of_no_length_and_without_end(acme: Retained) -> None:
    await acme.rule(delete_us=0)
    await acme.rule("never", scope=Scope.CHANNEL, value=str(PROJECT), delete_us=FOREVER)
    at_once = await acme.said("1.1")
    never = await acme.said("9.1", where=PROJECT)
    await acme.later(2)

    await acme.dispose()

    assert await acme.readable(at_once, never) == [False, True]


async def test_erasure_waits_for_hold_and_floor_and_is_served_then(
    acme: Retained,
) -> None:
    await acme.rule("floor", floor=True, keep_us=10 * DAY_US, delete_us=None)
    old = await acme.said("1.1")
    hold = await acme.hold(people=[ALICE_])
    await acme.asked_to_erase(old)
    await acme.later(11)
    assert (await acme.dispose()).deferred == 1
    assert await acme.state(old) == "ERASURE_DEFERRED"

    await acme.holds.release(TENANT, OFFICER, hold.matter.id)
    await acme.later(29)
    await acme.dispose()
    assert await acme.readable(old) == STAYS

    await acme.later(2)
    await acme.dispose()
    assert await acme.readable(old) == GONE


async def test_a_hold_keeps_what_was_somebodys_whose_keys_are_destroyed(
    acme: Retained,
) -> None:
    await acme.rule(delete_us=0)
    old = await acme.said("1.1")
    hold = await acme.hold(people=[ALICE_])
    await acme.later(2)
    await acme.asked_to_erase(old)
    await acme.destroy_key_of(old)
    await acme.dispose()
    assert await acme.readable(old) == STAYS

    await acme.holds.release(TENANT, OFFICER, hold.matter.id)
    await acme.later(31)
    await acme.dispose()

    assert await acme.readable(old) == GONE


async def test_a_floor_alone_defers_erasure(acme: Retained) -> None:
    await acme.rule("floor", floor=True, keep_us=10 * DAY_US, delete_us=None)
    await acme.rule("keep", keep_us=FOREVER, delete_us=None)
    old = await acme.said("1.1")
    await acme.later(2)
    await acme.asked_to_erase(old)
    await acme.dispose()
    assert await acme.state(old) == "ERASURE_DEFERRED"

    await acme.later(8.01)
    await acme.dispose()

    assert await acme.readable(old) == GONE


async def test_a_dry_run_changes_nothing(acme: Retained) -> None:
    await acme.rule()
    old = await acme.said("1.1")
    await acme.later(31)
    before = await acme.reader.head(TENANT)

    done = await acme.dispose(dry=True)

    assert done.shredded == 1
    assert await acme.readable(old) == STAYS
    assert await acme.reader.head(TENANT) == before


async def test_nobody_vouches_for_a_time_and_nothing_goes(acme: Retained) -> None:
    await acme.rule()
    old = await acme.said("1.1", via="import", said_us=1)
    acme.now_us += 100 * DAY_US

    done = await acme.dispose()

    assert (done.trusted_us, done.shredded) == (0, 0)
    assert await acme.readable(old) == STAYS


async def test_the_index_forgets_after_a_crash_too(acme: Retained) -> None:
    await acme.rule()
    old = await acme.said("1.1")
    await acme.later(31)
    acme.index.broken = True
    with pytest.raises(StoreUnavailable):
        await acme.dispose()
    assert (await acme.readable(old), acme.index.forgotten) == (GONE, [])
    acme.index.broken = False

    await acme.dispose()

    assert acme.index.forgotten == [old]


async def test_what_is_still_to_be_delivered_stays(acme: Retained) -> None:
    await acme.rule(delete_us=0)
    waiting = await acme.said("1.1", queued=True)
    await acme.later(2)

    await acme.dispose()

    assert await acme.readable(waiting) == STAYS


async def test_holds_are_changed_by_those_with_the_duty_alone(acme: Retained) -> None:
    nobody = Officer("slack:T01ACME/U01ALICE")
    hold = await acme.hold(people=[ALICE_])

    with pytest.raises(Refused):
        await acme.holds.create(TENANT, nobody, "mine", HoldScope())
    with pytest.raises(Refused):
        await acme.holds.release(TENANT, nobody, hold.matter.id)
    with pytest.raises(Refused):
        await acme.rules.set(TENANT, nobody, Rule("R", "R", delete_us=0))

    assert [h.matter.released_us for h in await acme.holds.all(TENANT)] == [0]


async def test_erasure_is_told_what_is_held_by_whom(acme: Retained) -> None:
    first, second = await acme.said("1.1"), await acme.said("1.2", where=PROJECT)
    await acme.said("1.3", who=BOB)
    a = (await acme.hold(people=[ALICE_])).matter.id
    b = (await acme.hold(channels=[FALCON])).matter.id
    [entry, _] = await acme.reader.at(TENANT, [first, second])

    found = [each async for each in acme.holds.held(TENANT, [entry.row["key_ref"]])]

    assert found == [*sorted([(first, a), (first, b)])]
    assert await acme.holds.active(TENANT) == sorted([a, b])
    assert await acme.holds.version(TENANT) == 2


async def test_a_file_stays_as_long_as_one_message_holds_it(acme: Retained) -> None:
    await acme.rule()
    await acme.said("1.1")
    await acme.later(10)
    await acme.said("1.2")
    await acme.shared("1.1", "1.2")
    await acme.later(25)

    await acme.dispose()
    assert await acme.files() == ["f1"]

    await acme.later(6)
    await acme.dispose()
    assert await acme.files() == []


async def test_a_file_stays_as_long_as_a_revision_can_be_read(acme: Retained) -> None:
    await acme.rule()
    first = await acme.said("1.1")
    await acme.shared("1.1")
    await acme.later(20)
    edit = await acme.said(
        "1.1", "more", kind=EventKind.MESSAGE_EDIT, version_us=acme.now_us
    )
    await acme.later(15)

    await acme.dispose()
    assert await acme.readable(first, edit) == [False, True]
    assert await acme.files() == ["f1"]

    await acme.later(20)
    await acme.dispose()
    assert await acme.files() == []


async def test_what_was_disposed_of_is_no_fault_of_the_log(acme: Retained) -> None:
    await acme.rule()
    old, other = await acme.said("1.1"), await acme.said("1.2", where=PROJECT)
    await acme.hold(channels=[PROJECT])
    await acme.later(31)
    await acme.dispose()
    assert (await acme.reader.verify(TENANT)).intact
    assert (await acme.reader.at(TENANT, [old]))[0].erased

    await acme.hot.run(lambda: _blank(other))

    assert (
        f"entry {other}: column ct is empty" in (await acme.reader.verify(TENANT)).fault
    )


def _blank(seq: int) -> Program[None]:
    yield Statement(
        "UPDATE log SET ct = :empty WHERE seq = :seq", {"empty": b"", "seq": seq}
    )
