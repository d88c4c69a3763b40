"""What the log knows about reactions, on every database."""

from dataclasses import replace

import pytest

from bridge.access import Decision
from bridge.delivery import AttemptState, Copy, Delivery, Operation
from bridge.links import Link
from bridge.messages import Event, EventKind, Person, Platform
from bridge.ports import Commitment, Lease, Outcome
from bridge.reactions import Reaction, Spot, Word, counted
from bridge.relay import planned
from storage.reactions import LoggedReactions
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT, message, words

YES = Decision(allowed=True, rule="default", policy="p1", directory="none")
NO = Decision(allowed=False, rule="not you", policy="p1", directory="none")
LINK = Link(TENANT, "L1", (FALCON, PROJECT))
BOB = Person(Platform.SLACK, "U02BOB")
TS = "1700000000.000100"
HERE = Spot(FALCON, TS)


@pytest.fixture
def reactions(store: Store) -> LoggedReactions:
    return LoggedReactions(store.reader)


def reacted(
    at: int, *, added: str = "", removed: str = "", by: Person | None = None
) -> Event:
    kind = EventKind.REACTION_ADD if added else EventKind.REACTION_REMOVE
    detail = (("added", added), ("removed", removed))
    event = message(
        kind=kind,
        event_id=f"Ev{at}",
        sent_us=at,
        detail=tuple(pair for pair in detail if pair[1]),
    )
    return replace(event, author=by or event.author)


async def keep(store: Store, event: Event, *decisions: Decision) -> Delivery:
    """Append an event as the relay would; returns its delivery."""
    operation = (
        Operation.REACT if event.kind.startswith("reaction.") else Operation.POST
    )
    deliveries = tuple(planned(TENANT, event, operation, FALCON, [LINK]))
    receipt = await store.journal.append(
        Commitment(TENANT, event, decisions or (YES,), deliveries)
    )
    return replace(deliveries[0], seq=receipt.seq, n=0)


async def test_reactions_are_counted_from_the_log(
    store: Store, reactions: LoggedReactions
) -> None:
    await keep(store, reacted(1, added="👍"))
    await keep(store, reacted(2, added="👍", by=BOB))
    await keep(store, reacted(3, added="🎉 :parrot:"))
    await keep(store, reacted(4, removed="👍"))

    said = await reactions.reacted(TENANT, [HERE])

    assert counted(said) == (
        Reaction("👍", 1),
        Reaction("🎉", 1),
        Reaction(":parrot:", 1),
    )


async def test_the_newest_by_the_platforms_time_counts_however_it_arrives(
    store: Store, reactions: LoggedReactions
) -> None:
    await keep(store, reacted(9, removed="👍"))
    await keep(store, reacted(5, added="👍"))
    await keep(store, reacted(5, added="👍"))

    assert counted(await reactions.reacted(TENANT, [HERE])) == ()


async def test_denied_and_unasked_reactions_do_not_count(
    store: Store, reactions: LoggedReactions
) -> None:
    await keep(store, reacted(1, added="👍"), NO)
    unasked = Commitment(TENANT, reacted(2, added="🎉"), (), ())
    await store.journal.append(unasked)

    assert await reactions.reacted(TENANT, [HERE]) == ()


async def test_a_denied_removal_takes_nothing_back(
    store: Store, reactions: LoggedReactions
) -> None:
    await keep(store, reacted(1, added="👍"))
    await keep(store, reacted(2, removed="👍"), NO)

    assert counted(await reactions.reacted(TENANT, [HERE])) == (Reaction("👍", 1),)


async def test_a_removal_while_no_link_asked_the_policy_counts(
    store: Store, reactions: LoggedReactions
) -> None:
    await keep(store, reacted(1, added="👍"))
    await store.journal.append(Commitment(TENANT, reacted(2, removed="👍"), (), ()))

    assert counted(await reactions.reacted(TENANT, [HERE])) == ()


async def test_other_messages_reactions_are_not_this_ones(
    store: Store, reactions: LoggedReactions
) -> None:
    await keep(store, reacted(1, added="👍"))

    assert await reactions.reacted(TENANT, [Spot(FALCON, "1.2")]) == ()
    assert await reactions.reacted(TENANT, [Spot(PROJECT, TS)]) == ()


async def test_a_message_is_told_in_its_newest_allowed_content(
    store: Store, reactions: LoggedReactions
) -> None:
    edit = EventKind.MESSAGE_EDIT
    await keep(store, message())
    await keep(store, message(kind=edit, version_us=5, document=words("good")))
    await keep(store, message(kind=edit, version_us=6, document=words("secret")), NO)

    story = (await reactions.told(TENANT, HERE, [], HERE)).story

    assert story is not None
    assert (story.document, story.version_us) == (words("good"), 5)
    assert not story.deleted


async def test_a_deleted_message_is_told_as_deleted(
    store: Store, reactions: LoggedReactions
) -> None:
    await keep(store, message())
    await keep(store, message(kind=EventKind.MESSAGE_DELETE))

    story = (await reactions.told(TENANT, HERE, [], HERE)).story

    assert story is not None
    assert story.deleted


async def test_a_message_never_heard_of_is_not_known(
    reactions: LoggedReactions,
) -> None:
    assert (await reactions.told(TENANT, HERE, [], HERE)).story is None


async def test_what_was_left_standing_is_remembered(
    store: Store, reactions: LoggedReactions
) -> None:
    leases = {lease.shard: lease for lease in await store.shards.claim(256)}
    first = await keep(store, reacted(1, added="👍"))
    await conclude(store, leases, first, native=frozenset({"👍"}), footer="🎉 1")
    second = await keep(store, reacted(2, removed="👍"))
    await conclude(store, leases, second, gone=frozenset({"👍"}))

    shown = await reactions.shown(TENANT, Spot(PROJECT, "r1"))

    assert shown.native == frozenset()
    assert shown.upto == {"👍": second.seq}
    assert (shown.footer, shown.footer_upto) == ("🎉 1", first.seq)
    assert shown.footer_at_us > 0
    assert (await reactions.shown(TENANT, Spot(PROJECT, "r2"))).footer == ""


async def test_all_of_it_is_told_in_one_look(
    store: Store, reactions: LoggedReactions
) -> None:
    leases = {lease.shard: lease for lease in await store.shards.claim(256)}
    await keep(store, message(TS, "hello"))
    first = await keep(store, reacted(1, added="👍"))
    await conclude(store, leases, first, native=frozenset({"👍"}))
    there = Spot(PROJECT, "r1")
    on_the_copy = message(
        "r1",
        kind=EventKind.REACTION_ADD,
        channel=PROJECT,
        event_id="Ev9",
        sent_us=9,
        detail=(("added", "🎉"),),
    )
    await store.journal.append(Commitment(TENANT, on_the_copy, (YES,), ()))

    told = await reactions.told(TENANT, HERE, [HERE, there], there)
    deaf = await reactions.told(TENANT, HERE, [there], HERE)

    assert told.story is not None
    assert told.story.document == words("hello")
    assert [one.emoji for one in told.said] == ["👍", "🎉"]
    assert told.shown.native == {"👍"}
    assert [one.emoji for one in deaf.said] == ["🎉"]
    assert not deaf.shown.native


async def conclude(
    store: Store, leases: dict[int, Lease], delivery: Delivery, **said: object
) -> None:
    lease = leases[delivery.shard]
    history = await store.ledger.history(delivery)
    noted = await store.ledger.intend(delivery, lease)
    word = Word(delivery.seq, "r1", **said)  # type: ignore[arg-type]
    outcome = Outcome(AttemptState.DELIVERED, shown=word)
    await store.ledger.conclude(noted, lease, outcome, history)


async def test_a_reactions_history_is_who_reacted(store: Store) -> None:
    await keep(store, message())
    delivery = await keep(store, reacted(1, added="👍", by=BOB))

    history = await store.ledger.history(delivery)

    assert (history.seq, history.author.id) == (delivery.seq, BOB.id)
    gone = await store.ledger.history(replace(delivery, seq=99))
    assert gone.fault == "log entry 99 is missing"


async def test_every_copy_of_a_message_is_found_oldest_first(store: Store) -> None:
    leases = {lease.shard: lease for lease in await store.shards.claim(256)}
    post = await keep(store, message())
    history = await store.ledger.history(post)
    for remote in ("r1", "r2"):
        noted = await store.ledger.intend(post, leases[post.shard])
        copy = replace(_copy(post), remote=remote)
        outcome = Outcome(AttemptState.DELIVERED, copy=copy)
        post = await store.ledger.conclude(noted, leases[post.shard], outcome, history)

    found = await store.copies.copies_of(TENANT, FALCON, TS)

    assert [copy.remote for copy in found] == ["r1", "r2"]
    assert await store.copies.copies_of(TENANT, FALCON, "1.2") == []


def _copy(post: Delivery) -> Copy:
    return Copy(TENANT, post.link, post.source, post.message, post.target, "", "", 0)
