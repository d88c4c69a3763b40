"""Restriction, telling recipients, deadlines and the register, on both databases."""

from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bridge.compliance import Duty, Officer
from bridge.delivery import AttemptState, Operation
from bridge.errors import BadInput, Conflict, NotFound, Refused
from bridge.needless import needless
from bridge.options import External, LinkOptions
from bridge.standing import Standing
from storage.compliance.gdpr.assessments import MONITORING
from storage.compliance.gdpr.notices import per_platform
from storage.compliance.rights.reading import RESTRICTED
from tests.contract.conftest import TENANT, Store
from tests.contract.gdpr import ADA, ALICE, BEN, BOB, Office, office
from tests.contract.letters import ended, open_now, said
from tests.contract.test_search_index import searched_on


@pytest.fixture
async def made(store: Store) -> Office:
    return await office(store)


async def texts(made: Office, officer: Officer) -> list[str]:
    entries = await made.store.reader.entries(TENANT, -1, 999)
    shown = await made.reading.show(TENANT, officer, entries, "a test")
    return [entry["text"] for entry in shown.entries]


async def test_what_is_restricted_nobody_is_shown_until_it_is_lifted(
    store: Store, made: Office
) -> None:
    await made.trust(BEN, Duty.READ, Duty.RETAIN)
    await said(store, made.link, "17.1", text="mine")
    await said(store, made.link, "17.2", text="another's", author=BOB)

    await made.restrictions.restrict(TENANT, BEN, ALICE, "disputed")
    hidden = await texts(made, BEN)
    await made.restrictions.lift(TENANT, BEN, ALICE, "settled")
    shown = await texts(made, BEN)

    assert RESTRICTED in hidden
    assert "mine" not in hidden
    assert "another's" in hidden
    assert "mine" in shown
    assert (await store.reader.verify(TENANT)).intact
    etypes = await made.etypes()
    assert "subject.restrict" in etypes
    assert "subject.unrestrict" in etypes


async def test_restricting_takes_the_duty_and_lifting_something_restricted(
    made: Office,
) -> None:
    with pytest.raises(Refused):
        await made.restrictions.restrict(TENANT, ADA, ALICE, "disputed")
    await made.trust(BEN, Duty.RETAIN)
    with pytest.raises(NotFound):
        await made.restrictions.lift(TENANT, BEN, ALICE, "settled")
    await made.restrictions.restrict(TENANT, BEN, ALICE, "disputed")
    assert await made.restrictions.authors("globex") == frozenset()


async def test_copies_of_what_was_erased_are_taken_down_and_the_result_is_shown(
    store: Store, made: Office
) -> None:
    await made.trust(BEN, Duty.ERASE)
    seq = await said(store, made.link, "17.1", text="mine")
    await ended(store, AttemptState.DELIVERED)
    await said(store, made.link, "17.2", text="another's", author=BOB)
    await ended(store, AttemptState.DELIVERED)
    await made.erase(seq)

    positions = await made.recipients.erased(TENANT)
    told = await made.recipients.tell(TENANT, BEN, positions)
    again = await made.recipients.tell(TENANT, BEN, positions)
    [delivery] = await open_now(store)
    history = await store.ledger.history(delivery)
    standing = await Standing.of(store.copies, delivery, history)

    assert (positions, told, again) == ([seq], 1, 0)
    assert (delivery.operation, delivery.message) == (Operation.DELETE, "17.1")
    assert history.erased
    assert needless(delivery, history, standing) == ""
    assert per_platform(await made.recipients.results(TENANT)) == [
        ("teams", "waiting", 1)
    ]
    await ended(store, AttemptState.DELIVERED)
    assert per_platform(await made.recipients.results(TENANT)) == [
        ("teams", "delivered", 1)
    ]
    assert (await made.etypes())[-1] == "bridge.delete_applied"
    assert await made.recipients.tell(TENANT, BEN, positions) == 0


async def test_telling_recipients_takes_the_duty_to_erase(made: Office) -> None:
    with pytest.raises(Refused):
        await made.recipients.tell(TENANT, ADA, [0])


async def test_a_request_is_due_in_a_month_and_extended_once(made: Office) -> None:
    received = date(2026, 1, 31)
    one = await made.requests.receive(TENANT, ADA, "access", str(ALICE), received)
    same = await made.requests.receive(
        TENANT, ADA, "access", str(ALICE), date(2026, 2, 2)
    )
    longer = await made.requests.extend(TENANT, ADA, one.id, "many messages")

    assert same == one
    assert longer.due_us - one.due_us == 61 * 86_400 * 1_000_000
    with pytest.raises(Conflict):
        await made.requests.extend(TENANT, ADA, one.id, "more")
    with pytest.raises(NotFound):
        await made.requests.extend(TENANT, ADA, "R-none", "more")
    assert (await made.etypes())[-2:] == ["subject.request", "subject.extend"]


async def test_the_register_opens_each_trigger_once_and_monitoring_always(
    store: Store, made: Office
) -> None:
    links = [made.link]
    first = await made.register.look(TENANT, links)
    await said(store, made.link, "17.1", text="hello")
    await store.links.choose(made.link, LinkOptions(external=External.ALLOW), "cli:ada")
    second = await made.register.look(TENANT, await store.links.all(TENANT))
    third = await made.register.look(TENANT, await store.links.all(TENANT))

    assert [one.id for one in first] == [MONITORING.id]
    assert sorted(one.trigger for one in second) == ["category", "external"]
    assert third == []
    assert [one.state for one in await made.register.all(TENANT)] == ["open"] * 3


async def test_an_assessment_is_closed_once_with_an_outcome(made: Office) -> None:
    await made.register.look(TENANT, [made.link])
    await made.trust(BEN, Duty.RETAIN)

    with pytest.raises(Refused):
        await made.register.close(TENANT, ADA, MONITORING.id, "fine")
    with pytest.raises(BadInput):
        await made.register.close(TENANT, BEN, MONITORING.id, " ")
    await made.register.close(TENANT, BEN, MONITORING.id, "works council agreed")
    with pytest.raises(Conflict):
        await made.register.close(TENANT, BEN, MONITORING.id, "again")

    [closed] = await made.register.all(TENANT)
    assert (closed.state, closed.outcome) == ("closed", "works council agreed")
    assert await made.register.look(TENANT, [made.link]) == []


async def test_a_search_finds_nothing_of_whom_is_restricted(
    store: Store, made: Office, tmp_path: Path
) -> None:
    await made.trust(BEN, Duty.RETAIN)
    mine = await said(store, made.link, "17.1", text="the falcon flies")
    others = await said(store, made.link, "17.2", text="the falcon sits", author=BOB)
    searched = searched_on(store, tmp_path)
    searched.engine = replace(searched.engine, restrictions=made.restrictions)

    before = await searched.find("falcon")
    await made.restrictions.restrict(TENANT, BEN, ALICE, "disputed")
    hidden = await searched.find("falcon")
    inverse = await searched.find("falcon OR from:U01ALICE")
    await made.restrictions.lift(TENANT, BEN, ALICE, "settled")
    after = await searched.find("falcon")
    await searched.index.keeper.close()

    assert list(before.seqs) == list(after.seqs) == [mine, others]
    assert list(hidden.seqs) == list(inverse.seqs) == [others]


async def test_copies_of_what_a_matter_holds_stay(store: Store, made: Office) -> None:
    held = await said(store, made.link, "17.1", text="held")
    free = await said(store, made.link, "17.2", text="free", author=BOB)
    await made.erase(held)
    await made.erase(free)

    class Holding:
        """Holds that keep one entry."""

        async def active(self, _tenant: str) -> list[str]:
            return ["H-1"]

        async def version(self, _tenant: str) -> int:
            return 1

        async def held(
            self, _tenant: str, _references: Collection[str]
        ) -> AsyncIterator[tuple[int, str]]:
            yield held, "H-1"

    with_holds = replace(made.recipients, holds=Holding())

    assert await made.recipients.erased(TENANT) == [held, free]
    assert await with_holds.erased(TENANT) == [free]
