"""People hear of what did not cross; of what did, and of what need not, they do not."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bridge.access import Decision
from bridge.delivery import AttemptState, Operation
from bridge.holds import Cause as Reason
from bridge.holds import Hold
from bridge.messages import EventKind, Person, PersonKind, Platform
from bridge.notices import Cause, Notice, TellingJournal, TellingLedger
from bridge.ports import Commitment, Outcome, Receipt
from tests.events import ALICE, FALCON, PROJECT, message
from tests.unit.bridge.stage import (
    LEASE,
    LINK,
    TENANT,
    FakeLedger,
    FakeLinks,
    Stage,
    delivery,
)

NO = Decision(allowed=False, rule="a rule", policy="hash", directory="1")
YES = replace(NO, allowed=True)
BOT = Person(Platform.SLACK, "B1", "Deploys", kind=PersonKind.BOT)


@dataclass
class FakeNotices:
    """Keeps what was to be told."""

    told: list[Notice] = field(default_factory=list)

    def tell(self, notice: Notice) -> None:
        self.told.append(notice)

    @property
    def causes(self) -> list[Cause]:
        return [notice.cause for notice in self.told]


@dataclass
class FakeJournal:
    duplicate: bool = False

    async def append(self, commitment: Commitment) -> Receipt:
        return Receipt(7, self.duplicate)


async def told_of(
    decisions: Sequence[Decision],
    *,
    kind: EventKind = EventKind.MESSAGE_CREATE,
    author: Person = ALICE,
    duplicate: bool = False,
) -> list[Notice]:
    notices = FakeNotices()
    event = message("1.2", thread="1.0", kind=kind, author=author)
    journal = TellingJournal(FakeJournal(duplicate), notices)
    await journal.append(Commitment(TENANT, event, tuple(decisions), ()))
    return notices.told


async def test_who_was_denied_is_told_in_the_thread() -> None:
    told = await told_of([NO])

    notice = Notice(TENANT, ALICE, FALCON, "1.2", "1.0", Cause.NOT_ALLOWED, "a rule", 7)
    assert told == [notice]


async def test_what_may_be_allowed_yet_is_not_told() -> None:
    assert await told_of([replace(NO, unsure=True)]) == []


async def test_a_rules_own_sentence_is_told_with_it() -> None:
    [notice] = await told_of([YES, replace(NO, reason="Only Finance posts here.")])

    assert notice.rule == "a rule: Only Finance posts here."


async def test_who_made_a_link_is_told_what_guests_keep_from_crossing() -> None:
    """Scenario 15: the owner hears the rule, and where outsiders do not matter not."""
    for cause, causes in (
        (Reason.GUESTS, [Cause.NOT_ALLOWED, Cause.OWNER]),
        (None, [Cause.NOT_ALLOWED]),
    ):
        notices = FakeNotices()
        holds = (Hold(PROJECT, cause),) if cause else ()
        links = FakeLinks([replace(LINK, created_by="teams:29:carol", holds=holds)])
        journal = TellingJournal(FakeJournal(), notices, links)

        await journal.append(Commitment(TENANT, message(), (NO,), ()))

        assert notices.causes == causes
        if cause:
            owner = notices.told[1]
            assert (owner.person.id, owner.channel) == ("29:carol", PROJECT)
            assert (owner.rule, owner.reference) == ("a rule", 7)


async def test_who_was_allowed_is_told_nothing() -> None:
    assert await told_of([YES]) == []


async def test_an_event_that_came_again_is_not_told_again() -> None:
    assert await told_of([NO], duplicate=True) == []


async def test_a_denied_reaction_is_not_worth_a_notice() -> None:
    assert await told_of([NO], kind=EventKind.REACTION_ADD) == []


async def test_apps_are_told_nothing() -> None:
    assert await told_of([NO], author=BOT) == []


@pytest.mark.parametrize(
    ("state", "reason", "causes"),
    [
        (AttemptState.DELIVERED, "", []),
        (AttemptState.RETRY, "", []),
        (AttemptState.DEAD, "Teams said 413", [Cause.REFUSED]),
        (AttemptState.PARKED, "the answer was lost", [Cause.UNKNOWN]),
        (AttemptState.DROPPED, "deleted before it was sent", []),
    ],
)
async def test_an_end_without_a_copy_is_told(
    state: AttemptState, reason: str, causes: list[Cause]
) -> None:
    notices, stage = FakeNotices(), Stage()
    stage.knows()
    ledger = TellingLedger(FakeLedger(), notices)
    history = await stage.ledger.history(delivery())

    await ledger.conclude(delivery(), LEASE, Outcome(state, reason), history)

    assert notices.causes == causes


async def test_what_crossed_long_after_it_was_said_is_told() -> None:
    notices, stage = FakeNotices(), Stage()
    stage.knows()
    ledger = TellingLedger(FakeLedger(), notices)
    history = replace(await stage.ledger.history(delivery()), late_us=1)
    done = Outcome(AttemptState.DELIVERED, "")

    await ledger.conclude(delivery(Operation.EDIT), LEASE, done, history)
    assert notices.causes == []
    await ledger.conclude(delivery(), LEASE, done, history)
    assert notices.causes == [Cause.LATE]


@pytest.mark.parametrize("operation", [Operation.POST, Operation.REACT])
async def test_what_the_policy_denies_as_it_leaves_is_told_unless_a_reaction(
    operation: Operation,
) -> None:
    notices, stage = FakeNotices(), Stage()
    stage.knows()
    stage.policy.allowed = False
    courier = replace(stage.courier, ledger=TellingLedger(stage.ledger, notices))

    await courier.deliver(delivery(operation), LEASE)

    assert stage.ledger.states == [AttemptState.DROPPED]
    wanted = [Cause.NOT_ALLOWED] if operation is Operation.POST else []
    assert notices.causes == wanted


async def test_a_message_on_its_way_when_its_link_went_is_told() -> None:
    notices, stage = FakeNotices(), Stage()
    stage.knows()
    stage.links.links = []
    courier = replace(stage.courier, ledger=TellingLedger(stage.ledger, notices))

    await courier.deliver(delivery(), LEASE)

    assert notices.causes == [Cause.UNLINKED]
