"""Nobody may look at the record who was not trusted with it by somebody else."""

import asyncio

import pytest

from bridge.compliance import Duty, Officer
from bridge.errors import BadInput, Conflict, NotFound, Refused
from storage.compliance.acts import Acts
from storage.compliance.rights.duties import StoredDuties
from tests.contract.conftest import TENANT, Store, ticking_clock

HOST, BEN = Officer("cli:ada"), Officer("slack:T01ACME/U02BEN")
CLARA = Officer("teams:acme-tenant/29:clara")


def duties_of(store: Store) -> StoredDuties:
    clock = ticking_clock()
    return StoredDuties(store.database.hot, Acts(store.journal, clock), clock)


@pytest.fixture
async def duties(store: Store) -> StoredDuties:
    """Duties of which the host has the first: to assign others."""
    made = duties_of(store)
    await made.assign(TENANT, HOST, HOST, Duty.ASSIGN)
    return made


async def told(store: Store) -> list[tuple[str, str, str]]:
    """Every entry's type, whose it is and what it says."""
    entries = await store.reader.entries(TENANT, -1, 999)
    return [(e.etype, e.body["author"]["id"], e.body["text"]) for e in entries]


async def test_nobody_has_any_duty_at_first(store: Store) -> None:
    duties = duties_of(store)

    for duty in Duty:
        with pytest.raises(Refused, match="officers assign"):
            await duties.require(TENANT, HOST, duty)

    assert await duties.all(TENANT) == []
    assert {etype for etype, _, _ in await told(store)} == {"access.refused"}


async def test_only_the_host_makes_the_first_one_and_only_to_assign(
    store: Store,
) -> None:
    duties = duties_of(store)

    with pytest.raises(Refused):
        await duties.assign(TENANT, BEN, BEN, Duty.ASSIGN)
    with pytest.raises(BadInput, match="first"):
        await duties.assign(TENANT, HOST, HOST, Duty.READ)
    await duties.assign(TENANT, HOST, BEN, Duty.ASSIGN)
    with pytest.raises(Refused):
        await duties.assign(TENANT, HOST, HOST, Duty.ASSIGN)

    assert [(t.officer, t.duty) for t in await duties.all(TENANT)] == [
        (BEN, Duty.ASSIGN)
    ]


async def test_a_duty_is_had_where_it_was_given_and_nowhere_else(
    store: Store, duties: StoredDuties
) -> None:
    await duties.assign(TENANT, HOST, BEN, Duty.SEARCH)

    await duties.require(TENANT, BEN, Duty.SEARCH)

    for officer, duty in ((BEN, Duty.READ), (CLARA, Duty.SEARCH), (HOST, Duty.SEARCH)):
        with pytest.raises(Refused, match=r"Who can give it: cli:ada\."):
            await duties.require(TENANT, officer, duty)
    store.keys.create("globex")
    with pytest.raises(Refused):
        await duties.require("globex", BEN, Duty.SEARCH)
    assert (await store.reader.verify(TENANT)).intact


async def test_nobody_gives_a_duty_to_themselves_and_the_try_is_on_record(
    store: Store, duties: StoredDuties
) -> None:
    with pytest.raises(Refused, match="themselves"):
        await duties.assign(TENANT, HOST, HOST, Duty.READ)

    assert ("access.refused", "cli:ada", "gave read to themselves") in await told(store)
    assert not await duties.has(TENANT, HOST, Duty.READ)


async def test_giving_and_taking_are_on_record_with_old_and_new(
    store: Store, duties: StoredDuties
) -> None:
    await duties.assign(TENANT, HOST, BEN, Duty.HOLD)
    await duties.assign(TENANT, HOST, BEN, Duty.HOLD)
    await duties.revoke(TENANT, HOST, BEN, Duty.HOLD)

    entries = await store.reader.entries(TENANT, -1, 99)
    changes = [
        (e.etype, e.body["detail"]["old"], e.body["detail"]["new"]) for e in entries[1:]
    ]
    assert changes == [
        ("admin.config", "", "compliance.hold"),
        ("admin.config", "compliance.hold", ""),
    ]
    assert not await duties.has(TENANT, BEN, Duty.HOLD)
    with pytest.raises(NotFound):
        await duties.revoke(TENANT, HOST, BEN, Duty.HOLD)


async def test_whoever_assigns_no_longer_cannot_go_on(duties: StoredDuties) -> None:
    await duties.assign(TENANT, HOST, BEN, Duty.ASSIGN)
    await duties.revoke(TENANT, BEN, HOST, Duty.ASSIGN)

    with pytest.raises(Refused):
        await duties.assign(TENANT, HOST, CLARA, Duty.READ)
    with pytest.raises(BadInput, match="last"):
        await duties.revoke(TENANT, BEN, BEN, Duty.ASSIGN)


async def test_two_who_take_it_from_each_other_leave_one(
    store: Store, duties: StoredDuties
) -> None:
    await duties.assign(TENANT, HOST, BEN, Duty.ASSIGN)
    other = duties_of(store.another_process("two"))

    ended = await asyncio.gather(
        duties.revoke(TENANT, HOST, BEN, Duty.ASSIGN),
        other.revoke(TENANT, BEN, HOST, Duty.ASSIGN),
        return_exceptions=True,
    )

    assert len(await duties.all(TENANT)) == 1
    assert sorted(map(type, ended), key=str).count(type(None)) == 1
    assert any(isinstance(e, Conflict | Refused | BadInput) for e in ended)


async def test_two_first_ones_at_once_are_one(store: Store) -> None:
    one, two = duties_of(store), duties_of(store.another_process("two"))

    ended = await asyncio.gather(
        one.assign(TENANT, HOST, HOST, Duty.ASSIGN),
        two.assign(TENANT, Officer("cli:eve"), Officer("cli:eve"), Duty.ASSIGN),
        return_exceptions=True,
    )

    assert len(await one.all(TENANT)) == 1
    assert sum(isinstance(e, Conflict | Refused) for e in ended) == 1


async def test_a_duty_is_of_no_use_while_a_policy_is_against_it(
    store: Store, duties: StoredDuties
) -> None:
    await duties.assign(TENANT, HOST, BEN, Duty.SEARCH)
    why = [""]

    async def policy(_tenant: str, _officer: Officer, _duty: Duty) -> str:
        return why[0]

    duties.against.append(policy)
    await duties.require(TENANT, BEN, Duty.SEARCH)
    why[0] = "not in Legal any more"

    assert not await duties.has(TENANT, BEN, Duty.SEARCH)
    with pytest.raises(Refused, match="not in Legal any more"):
        await duties.require(TENANT, BEN, Duty.SEARCH)
    assert (await told(store))[-1][0] == "access.refused"
