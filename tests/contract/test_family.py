"""A message and all its copies are one family, from whichever entry one asks."""

import pytest

from bridge.access import Decision
from bridge.delivery import AttemptState, Copy, Operation
from bridge.errors import BadInput
from bridge.links import Link
from bridge.messages import Channel, EventKind, Person, Platform
from bridge.ports import Commitment, Outcome
from bridge.relay import planned
from storage.compliance.family import Family, Spoken, family
from storage.hot import Statement
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import lease_of, open_now, said
from tests.events import FALCON, PROJECT, message

THIRD = Channel(Platform.SLACK, "T01ACME", "C03THIRD")
YES = Decision(allowed=True, rule="default", policy="p1", directory="none")


@pytest.fixture
async def link(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT, THIRD), "slack:U01ALICE")


async def all_delivered(store: Store) -> None:
    """Let every open delivery end with a copy, one for each target."""
    for delivery in await open_now(store):
        lease = await lease_of(store, delivery)
        history = await store.ledger.history(delivery)
        copy = Copy(
            TENANT,
            delivery.link,
            delivery.source,
            delivery.message,
            delivery.target,
            f"r{delivery.message}.{delivery.target.id}",
            "",
            history.version_us,
            deleted=delivery.operation is Operation.DELETE,
        )
        outcome = Outcome(AttemptState.DELIVERED, copy=copy)
        await store.ledger.conclude(delivery, lease, outcome, history)


async def the_family(store: Store, seq: int) -> Family:
    return await family(store.database.hot, TENANT, seq)


async def etypes(store: Store) -> dict[int, str]:
    return {e.seq: e.etype for e in await store.reader.entries(TENANT, -1, 999)}


async def test_one_origin_and_all_its_copies_from_any_of_them(
    store: Store, link: Link
) -> None:
    create = await said(store, link, "17.1")
    await all_delivered(store)
    await said(store, link, "99.9", text="somebody else's")
    await all_delivered(store)
    edit = await said(
        store, link, "17.1", kind=EventKind.MESSAGE_EDIT, version_us=5, text="new"
    )
    await all_delivered(store)
    delete = await said(store, link, "17.1", kind=EventKind.MESSAGE_DELETE)
    await all_delivered(store)

    found = await the_family(store, create)

    kinds = await etypes(store)
    assert found.original == Spoken(FALCON, "17.1")
    assert found.revisions == (create, edit, delete)
    assert sorted(kinds[seq] for seq in found.copies) == [
        *["bridge.delete_applied"] * 2,
        *["bridge.delivered"] * 2,
        *["bridge.edit_applied"] * 2,
    ]
    assert found.unproven == ()
    for seq in found.positions:
        assert await the_family(store, seq) == found


async def test_a_reaction_on_a_copy_is_family_and_no_copy(
    store: Store, link: Link
) -> None:
    create = await said(store, link, "17.1")
    await all_delivered(store)
    reaction = message(
        platform=Platform.TEAMS,
        channel=PROJECT,
        ts=f"r17.1.{PROJECT.id}",
        kind=EventKind.REACTION_ADD,
        author=Person(Platform.TEAMS, "29:bob"),
    )
    receipt = await store.journal.append(Commitment(TENANT, reaction, (YES,), ()))

    found = await the_family(store, create)

    assert receipt.seq in found.originals
    assert receipt.seq not in found.revisions
    assert await the_family(store, receipt.seq) == found


async def test_a_copy_that_was_read_back_counts_as_no_original(
    store: Store, link: Link
) -> None:
    create = await said(store, link, "17.1")
    await all_delivered(store)
    echo = message(channel=THIRD, ts=f"r17.1.{THIRD.id}", text="hello")
    wanted = planned(TENANT, echo, Operation.POST, THIRD, [link])
    again = await store.journal.append(
        Commitment(TENANT, echo, (YES,), tuple(wanted[:1]))
    )
    await all_delivered(store)

    found = await the_family(store, again.seq)

    assert found.original == Spoken(FALCON, "17.1")
    assert found.revisions == (create,)
    assert again.seq in found.copies


async def test_a_delivery_that_failed_is_family(store: Store, link: Link) -> None:
    create = await said(store, link, "17.1")
    delivery = (await open_now(store))[0]
    history = await store.ledger.history(delivery)
    dead = Outcome(AttemptState.DEAD, "no such channel")
    await store.ledger.conclude(
        delivery, await lease_of(store, delivery), dead, history
    )

    found = await the_family(store, create)

    failed = [r for r in found.relatives if r.etype == "bridge.failed"]
    assert [(r.spoken, r.origin_seq) for r in failed] == [(None, create)]


async def test_what_is_about_no_message_is_alone(store: Store, link: Link) -> None:
    await said(store, link, "17.1")
    [linked] = [s for s, kind in (await etypes(store)).items() if kind == "bridge.link"]

    found = await the_family(store, linked)

    assert (found.original, found.positions) == (None, (linked,))
    with pytest.raises(BadInput, match="no entry 999"):
        await the_family(store, 999)


async def test_a_copy_whose_origin_was_changed_is_named(
    store: Store, link: Link
) -> None:
    create = await said(store, link, "17.1")
    await all_delivered(store)

    def forge():  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield Statement(
            "UPDATE log SET leaf = :leaf WHERE tenant = :tenant AND seq = :seq",
            {"tenant": TENANT, "seq": create, "leaf": bytes(32)},
        )

    await store.database.hot.run(forge)

    found = await the_family(store, create)

    assert len(found.unproven) == len(found.copies) == len(link.channels) - 1
