"""Two persons for one act: exactly that act, once, and not for ever."""

import asyncio

import pytest

from bridge.compliance import Duty, Officer
from bridge.errors import BadInput, Conflict, NotFound, Refused
from storage.compliance.acts import Acts
from storage.compliance.rights.approvals import LIFETIME_US, StoredApprovals
from storage.compliance.rights.duties import StoredDuties
from tests.contract.conftest import TENANT, Store
from tests.fakes import FakeClock

ADA, BEN, CLARA = Officer("cli:ada"), Officer("cli:ben"), Officer("cli:clara")
THIS, THAT = "ab" * 32, "cd" * 32


def desk_of(store: Store, clock: FakeClock) -> StoredApprovals:
    hot, acts = store.database.hot, Acts(store.journal, clock)
    return StoredApprovals(hot, acts, StoredDuties(hot, acts, clock), clock)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def desk(store: Store, clock: FakeClock) -> StoredApprovals:
    """A desk at which Ben and Clara may approve."""
    made = desk_of(store, clock)
    await made.duties.assign(TENANT, ADA, ADA, Duty.ASSIGN)
    await made.duties.assign(TENANT, ADA, BEN, Duty.APPROVE)
    await made.duties.assign(TENANT, ADA, CLARA, Duty.APPROVE)
    return made


async def test_an_act_takes_a_second_person_and_counts_once(
    store: Store, desk: StoredApprovals
) -> None:
    asked = await desk.ask(TENANT, ADA, "export 3 messages", THIS)
    with pytest.raises(Refused, match="waits"):
        await desk.spend(TENANT, ADA, THIS)
    await desk.approve(TENANT, BEN, asked)

    assert await desk.spend(TENANT, ADA, THIS) == asked

    with pytest.raises(Refused, match="used already"):
        await desk.spend(TENANT, ADA, THIS)
    entries = await store.reader.entries(TENANT, -1, 99)
    steps = [e.etype for e in entries if not e.etype.startswith("admin.")]
    assert steps == [
        "approval.ask",
        "access.refused",
        "approval.agree",
        "approval.spend",
        "access.refused",
    ]
    assert (await store.reader.verify(TENANT)).intact


async def test_asking_again_returns_the_same_one(desk: StoredApprovals) -> None:
    asked = await desk.ask(TENANT, ADA, "export", THIS)

    assert await desk.ask(TENANT, ADA, "export", THIS) == asked
    assert await desk.ask(TENANT, ADA, "export", THAT) != asked
    assert await desk.ask(TENANT, BEN, "export", THIS) != asked
    assert len(await desk.waiting(TENANT)) == 3


async def test_whoever_asks_cannot_approve_but_may_withdraw(
    store: Store, desk: StoredApprovals
) -> None:
    asked = await desk.ask(TENANT, BEN, "erase", THIS)

    with pytest.raises(Refused, match="second person"):
        await desk.approve(TENANT, BEN, asked)
    await desk.refuse(TENANT, BEN, asked)

    entries = await store.reader.entries(TENANT, -1, 99)
    assert "access.refused" in [e.etype for e in entries]
    with pytest.raises(Refused, match="refused"):
        await desk.spend(TENANT, BEN, THIS)


async def test_only_who_was_trusted_with_it_approves(desk: StoredApprovals) -> None:
    asked = await desk.ask(TENANT, BEN, "erase", THIS)

    with pytest.raises(Refused, match="duty to approve"):
        await desk.approve(TENANT, ADA, asked)
    with pytest.raises(Refused, match="duty to approve"):
        await desk.pending(TENANT, ADA)


async def test_it_is_bound_to_the_very_thing_and_to_who_asked(
    desk: StoredApprovals,
) -> None:
    asked = await desk.ask(TENANT, ADA, "export", THIS)
    await desk.approve(TENANT, BEN, asked)

    for officer, digest in ((ADA, THAT), (CLARA, THIS)):
        with pytest.raises(Refused, match="nobody was asked"):
            await desk.spend(TENANT, officer, digest)
    with pytest.raises(BadInput):
        await desk.ask(TENANT, ADA, "export", "no digest")


async def test_it_expires_whether_agreed_to_or_not(
    desk: StoredApprovals, clock: FakeClock
) -> None:
    agreed = await desk.ask(TENANT, ADA, "export", THIS)
    waiting = await desk.ask(TENANT, ADA, "export", THAT)
    await desk.approve(TENANT, BEN, agreed)

    clock.now_us += LIFETIME_US

    with pytest.raises(Refused, match="expired"):
        await desk.spend(TENANT, ADA, THIS)
    with pytest.raises(Conflict, match="expired"):
        await desk.approve(TENANT, BEN, waiting)
    assert await desk.waiting(TENANT) == []
    assert await desk.ask(TENANT, ADA, "export", THIS) != agreed


async def test_it_falls_with_the_duty_of_whoever_agreed(desk: StoredApprovals) -> None:
    asked = await desk.ask(TENANT, ADA, "export", THIS)
    await desk.approve(TENANT, BEN, asked)
    await desk.duties.revoke(TENANT, ADA, BEN, Duty.APPROVE)

    with pytest.raises(Refused, match="may not approve any more"):
        await desk.spend(TENANT, ADA, THIS)


async def test_it_is_decided_once(desk: StoredApprovals) -> None:
    asked = await desk.ask(TENANT, ADA, "export", THIS)

    ended = await asyncio.gather(
        desk.approve(TENANT, BEN, asked),
        desk.refuse(TENANT, CLARA, asked),
        return_exceptions=True,
    )

    assert sum(isinstance(each, Conflict) for each in ended) == 1
    with pytest.raises(Conflict):
        await desk.approve(TENANT, CLARA, asked)
    with pytest.raises(NotFound):
        await desk.approve(TENANT, CLARA, "A-none")


async def test_of_two_who_spend_it_at_once_one_wins(
    store: Store, desk: StoredApprovals, clock: FakeClock
) -> None:
    asked = await desk.ask(TENANT, ADA, "export", THIS)
    await desk.approve(TENANT, BEN, asked)
    desks = [desk, *(desk_of(store.another_process(f"p{n}"), clock) for n in range(3))]

    ended = await asyncio.gather(
        *(one.spend(TENANT, ADA, THIS) for one in desks), return_exceptions=True
    )

    assert ended.count(asked) == 1
    assert sum(isinstance(each, Refused) for each in ended) == 3
    entries = await store.reader.entries(TENANT, -1, 99)
    assert [e.etype for e in entries].count("approval.spend") == 1
