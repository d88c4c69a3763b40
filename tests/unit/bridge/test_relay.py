"""The relay decides, records and queues, in that order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bridge.access import Asked, Decision
from bridge.delivery import Operation
from bridge.links import Link
from bridge.messages import Channel, Event, EventKind, Person, PersonKind, Platform
from bridge.ports import Commitment, Receipt
from bridge.relay import NOT_OURS, Relay
from tests.events import ALICE, FALCON, PROJECT, message

OTHER = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:random@thread.tacv2")


@dataclass
class FakeTenants:
    async def tenant_of(self, platform: Platform, account: str) -> str | None:
        return "acme" if account == "T01ACME" else None


@dataclass
class FakeLinks:
    links: tuple[Link, ...] = (Link("acme", "L1", (FALCON, PROJECT, OTHER)),)

    async def of(self, tenant: str, channel: Channel) -> Sequence[Link]:
        return [link for link in self.links if channel in link.channels]


@dataclass
class FakePolicy:
    banned: frozenset[str] = frozenset()

    async def decide(self, asked: Asked) -> Decision:
        return Decision(asked.person.id not in self.banned, "rule", "hash", "1")


@dataclass
class FakeJournal:
    kept: list[Commitment] = field(default_factory=list)

    async def append(self, commitment: Commitment) -> Receipt:
        self.kept.append(commitment)
        return Receipt(len(self.kept) - 1)


@pytest.fixture
def journal() -> FakeJournal:
    return FakeJournal()


def relay(journal: FakeJournal, *, banned: str = "") -> Relay:
    policy = FakePolicy(frozenset({banned}))
    return Relay(FakeTenants(), FakeLinks(), policy, journal)


async def test_a_message_is_addressed_to_every_linked_channel(
    journal: FakeJournal,
) -> None:
    await relay(journal).receive(message())

    [kept] = journal.kept
    assert [d.target for d in kept.deliveries] == [PROJECT, OTHER]
    assert {d.operation for d in kept.deliveries} == {Operation.POST}
    assert kept.decisions[0].allowed


async def test_a_denied_message_is_recorded_but_not_queued(
    journal: FakeJournal,
) -> None:
    await relay(journal, banned=ALICE.id).receive(message())

    [kept] = journal.kept
    assert not kept.decisions[0].allowed
    assert kept.deliveries == ()


async def test_an_account_of_no_company_leaves_nothing(journal: FakeJournal) -> None:
    receipt = await relay(journal).receive(message(account="T99"))

    assert receipt == NOT_OURS
    assert journal.kept == []


@pytest.mark.parametrize(
    "event",
    [
        message(kind=EventKind.OTHER),
        message(kind=EventKind.COMMAND),
        message(channel=Channel(Platform.SLACK, "T01ACME", "C99")),
        message(author=Person(Platform.SLACK, "B1", kind=PersonKind.BOT)),
        message(channel=None),
    ],
    ids=["unknown event", "command", "unlinked channel", "other bot", "no channel"],
)
async def test_what_does_not_cross_is_recorded_all_the_same(
    journal: FakeJournal, event: Event
) -> None:
    await relay(journal).receive(event)

    [kept] = journal.kept
    assert kept.deliveries == ()


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        (EventKind.MESSAGE_EDIT, Operation.EDIT),
        (EventKind.MESSAGE_DELETE, Operation.DELETE),
        (EventKind.MESSAGE_RESTORE, Operation.POST),
    ],
)
async def test_every_kind_asks_for_its_operation(
    journal: FakeJournal, kind: EventKind, operation: Operation
) -> None:
    await relay(journal).receive(message(kind=kind))

    assert journal.kept[0].deliveries[0].operation is operation
