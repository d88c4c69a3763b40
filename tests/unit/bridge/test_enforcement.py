"""The policy is asked about every place that would see something, and asked again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bridge.access import Action, Asked, Decision, Label
from bridge.courier import Done, Later
from bridge.delivery import AttemptState, Operation
from bridge.document import Audience, Broadcast, Document, Paragraph
from bridge.holds import Cause, Condition, Hold
from bridge.lifecycle import readers_moved
from bridge.links import Link, LinkState
from bridge.messages import Channel, Event, EventKind, File, Platform
from bridge.options import External, LinkOptions, Pings
from bridge.ports import Commitment, Receipt
from bridge.relay import Relay
from tests.events import ALICE, FALCON, PROJECT, message, words
from tests.unit.bridge.stage import LINK, NOW, Stage, copied, delivery

OTHER = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:random@thread.tacv2")
BOTH = Link("acme", "L1", (FALCON, PROJECT, OTHER))
YES = Decision(allowed=True, rule="open", policy="hash", directory="7")
NO = Decision(allowed=False, rule="closed", policy="hash", directory="7")
STALE = replace(NO, rule="directory too old", unsure=True)

Answer = Callable[[Asked], Decision]


@dataclass
class Judge:
    """A policy that answers as told, and remembers what it was asked."""

    answer: Answer = lambda _: YES
    asked: list[Asked] = field(default_factory=list)

    async def decide(self, asked: Asked) -> Decision:
        self.asked.append(asked)
        return self.answer(asked)


@dataclass
class Reader:
    """Reads everything that says secret as confidential."""

    def label(self, tenant: str, document: Document, files: Sequence[File]) -> Label:
        return Label.CONFIDENTIAL if "secret" in str(document) else Label.PUBLIC


@dataclass
class Journal:
    kept: list[Commitment] = field(default_factory=list)

    async def append(self, commitment: Commitment) -> Receipt:
        self.kept.append(commitment)
        return Receipt(len(self.kept) - 1)


@dataclass
class Links:
    link: Link = BOTH

    async def of(self, tenant: str, channel: Channel) -> list[Link]:
        return [self.link] if channel in self.link.channels else []


class Tenants:
    async def tenant_of(self, platform: Platform, account: str) -> str:
        return "acme"


async def heard(
    judge: Judge, event: Event, link: Link = BOTH, *, guarded: bool = True
) -> Commitment:
    """Let a relay hear an event; returns what it wrote down."""
    journal = Journal()
    relay = Relay(
        Tenants(),
        Links(link),
        judge,
        journal,
        labels=Reader(),
        guarded=lambda _: guarded,
    )
    await relay.receive(event)
    return journal.kept[0]


def held(channel: Channel, cause: Cause, link: Link = BOTH) -> Link:
    return replace(link, holds=(Hold(channel, cause),))


async def test_each_target_is_asked_for_with_all_that_is_known() -> None:
    judge = Judge()

    await heard(judge, message(text="a secret"), held(OTHER, Cause.GUESTS))

    here = Asked("acme", ALICE, Action.POST, FALCON, PROJECT, "L1", "T01ACME")
    here = replace(here, label=Label.CONFIDENTIAL)
    assert judge.asked == [here, replace(here, target=OTHER, outsiders=True)]


async def test_the_same_answer_for_all_targets_is_one_decision() -> None:
    kept = await heard(Judge(), message())

    assert kept.decisions == (YES,)
    assert [d.target for d in kept.deliveries] == [PROJECT, OTHER]


async def test_a_message_may_go_to_one_target_and_not_to_another() -> None:
    judge = Judge(lambda asked: NO if asked.outsiders else YES)

    kept = await heard(judge, message(), held(OTHER, Cause.GUESTS))

    assert [d.target for d in kept.deliveries] == [PROJECT]
    assert kept.decisions == (
        replace(YES, target=str(PROJECT)),
        replace(NO, target=str(OTHER)),
    )


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        (EventKind.MESSAGE_EDIT, Action.EDIT),
        (EventKind.MESSAGE_DELETE, Action.DELETE),
        (EventKind.REACTION_ADD, Action.REACT),
        (EventKind.REACTION_REMOVE, Action.REACT),
        (EventKind.MESSAGE_RESTORE, Action.POST),
    ],
)
async def test_whatever_somebody_does_is_asked_by_its_own_name(
    kind: EventKind, action: Action
) -> None:
    judge = Judge(lambda _: NO)

    kept = await heard(judge, message(kind=kind))

    assert {asked.action for asked in judge.asked} == {action}
    assert kept.deliveries == ()
    assert kept.decisions == (NO,)


async def test_what_cannot_be_decided_now_waits_in_the_queue() -> None:
    kept = await heard(Judge(lambda _: STALE), message())

    assert kept.decisions == (STALE,)
    assert [d.target for d in kept.deliveries] == [PROJECT, OTHER]


async def test_a_call_to_everybody_is_a_question_of_its_own() -> None:
    loud = replace(BOTH, options=LinkOptions(pings=Pings.PING))
    said = message(document=Document((Paragraph((Broadcast(Audience.CHANNEL),)),)))
    judge = Judge(lambda asked: NO if asked.action is Action.PING else YES)

    kept = await heard(judge, said, loud)

    assert kept.decisions == (YES, NO)
    assert len(kept.deliveries) == 2

    quiet = Judge()
    await heard(quiet, said)
    assert {asked.action for asked in quiet.asked} == {Action.POST}


async def test_an_edit_denied_for_what_it_says_is_queued_to_be_hidden() -> None:
    judge = Judge(lambda asked: NO if asked.label else YES)

    kept = await heard(
        judge, message(kind=EventKind.MESSAGE_EDIT, text="secret", version_us=2)
    )

    assert kept.decisions == (NO,)
    assert {d.operation for d in kept.deliveries} == {Operation.EDIT}


@pytest.mark.parametrize("cause", [Cause.GUESTS, Cause.NEWCOMER])
async def test_who_reads_along_keeps_nothing_from_crossing_by_itself(
    cause: Cause,
) -> None:
    assert held(PROJECT, cause).settled().state is LinkState.ACTIVE
    assert held(PROJECT, cause).held_by == ()


async def test_somebody_who_joins_counts_as_an_outsider_until_it_is_known() -> None:
    joins = message(kind=EventKind.MEMBER_JOIN, message="")

    [follows] = (await heard(Judge(), joins)).consequences

    assert follows.placed == {Cause.NEWCOMER}
    assert follows.ask
    assert (await heard(Judge(), joins, guarded=False)).consequences == ()


def test_who_goes_is_asked_for_only_where_outsiders_were() -> None:
    leaves = message(kind=EventKind.MEMBER_LEAVE, message="")

    assert readers_moved(leaves, [BOTH]) == ()
    [follows] = readers_moved(leaves, [held(FALCON, Cause.GUESTS)])
    assert (follows.placed, follows.ask) == (frozenset(), True)


def test_what_a_vague_answer_cannot_see_stays_known() -> None:
    blocked = Condition(frozenset({Cause.CLOSED}), vague=True)
    standing = frozenset({Cause.GUESTS, Cause.EXTERNAL})

    assert blocked.among(standing) == {Cause.CLOSED, Cause.GUESTS, Cause.EXTERNAL}
    assert Condition().among(standing) == frozenset()


async def test_a_denial_for_want_of_a_directory_keeps_the_delivery(
    stage: Stage,
) -> None:
    stage.policy = judge = Judge(lambda _: STALE)  # type: ignore[assignment]

    first = await stage.deliver(delivery())
    judge.answer = lambda _: YES
    second = await stage.deliver(delivery())

    assert isinstance(first, Later)
    assert isinstance(second, Done)
    assert stage.ledger.states == [AttemptState.DELIVERED]
    assert stage.ledger.written[0].copy is not None


async def test_after_five_minutes_it_is_refused(stage: Stage) -> None:
    stage.policy = Judge(lambda _: STALE)  # type: ignore[assignment]
    waiting = replace(delivery(), created_us=NOW)
    stage.now = NOW + stage.tuning.undecided_us - 1
    assert isinstance(await stage.deliver(waiting), Later)
    stage.now += 1

    assert isinstance(await stage.deliver(waiting), Done)
    assert stage.ledger.written[0].reason == "not allowed: directory too old"
    assert stage.sender.posts == []


async def test_as_it_leaves_the_target_and_its_readers_are_asked_for(
    stage: Stage,
) -> None:
    stage.policy = judge = Judge()  # type: ignore[assignment]
    stage.links.links = [held(PROJECT, Cause.GUESTS, LINK)]

    await stage.deliver(delivery())

    [asked] = judge.asked
    assert (asked.target, asked.link, asked.outsiders) == (PROJECT, "L1", True)


async def test_nobody_waits_long_for_who_came_just_now(stage: Stage) -> None:
    """While it is not known who joined, a message that is denied for it waits."""
    stage.policy = Judge(  # type: ignore[assignment]
        lambda asked: NO if asked.outsiders else YES
    )
    stage.links.links = [held(PROJECT, Cause.NEWCOMER, LINK)]
    assert isinstance(await stage.deliver(delivery()), Later)

    stage.links.links = [LINK]
    await stage.deliver(delivery())
    assert stage.ledger.states == [AttemptState.DELIVERED]


async def test_guests_who_are_known_are_a_denial_at_once(stage: Stage) -> None:
    stage.policy = Judge(  # type: ignore[assignment]
        lambda asked: NO if asked.outsiders else YES
    )
    stage.links.links = [held(PROJECT, Cause.GUESTS, LINK)]

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DROPPED]


async def test_a_copy_does_not_go_on_saying_what_its_original_no_longer_says(
    stage: Stage,
) -> None:
    """Scenario 14: the label rises above what the target may see."""
    stage.policy = Judge(lambda asked: NO if asked.label else YES)  # type: ignore[assignment]
    stage.labels = Reader()
    stage.copies.copies.append(copied(version_us=1))
    said = replace(stage.ledger.history_of["m1"], document=words("a secret"))
    stage.ledger.history_of["m1"] = said

    await stage.deliver(delivery(Operation.EDIT))

    [post] = stage.sender.edited
    assert "secret" not in str(post.document)
    assert "may not be shown here" in str(post.document)


async def test_an_edit_by_somebody_who_may_not_edit_changes_nothing(
    stage: Stage,
) -> None:
    stage.policy = Judge(lambda _: NO)  # type: ignore[assignment]
    stage.labels = Reader()
    stage.copies.copies.append(copied(version_us=1))
    said = replace(stage.ledger.history_of["m1"], document=words("a secret"))
    stage.ledger.history_of["m1"] = said

    await stage.deliver(delivery(Operation.EDIT))

    assert stage.ledger.states == [AttemptState.DROPPED]
    assert stage.sender.edited == []


def test_outsiders_who_are_let_in_are_still_outsiders() -> None:
    allowed = LinkOptions(external=External.ALLOW)
    link = replace(held(PROJECT, Cause.EXTERNAL), options=allowed)

    assert link.held_by == ()
    assert link.holds
