"""Runs about people are kept, decided on once, done by one, and taken back."""

import asyncio
from dataclasses import replace

import pytest

from bridge.directory.accounts import Account
from bridge.directory.lifecycle import Deed, Happening, Plan, Seat, Step
from bridge.directory.runs import Done, Run, RunState, StepState
from bridge.errors import Conflict, NotFound
from bridge.messages import Channel, Platform
from storage.compliance.acts import Acts
from storage.compliance.membership.changes import came, went
from storage.hot import Program, Statement
from storage.runs.stored import StoredRuns
from tests.contract.conftest import TENANT, Store, ticking_clock

ANA = Account(Platform.SLACK, "T1", "U1")
FINANCE = Channel(Platform.SLACK, "T1", "CFIN")
OUT = Step(Deed.REMOVE, "left Finance", ANA, FINANCE, "fin")
SIGN_OUT = Step(Deed.END_SESSIONS, "left Finance", ANA)
PLAN = Plan(TENANT, "p-1", "Ana", Happening.MOVER, "7", (SIGN_OUT, OUT), ("a note",))
_LEASE = 60_000_000


def runs_of(store: Store) -> StoredRuns:
    clock = ticking_clock()
    return StoredRuns(store.database.hot, Acts(store.journal, clock), clock)


@pytest.fixture
def runs(store: Store) -> StoredRuns:
    return runs_of(store)


async def kept(runs: StoredRuns, *, asks: bool = False) -> Run:
    run = await runs.keep(replace(PLAN, asks=asks))
    assert run is not None
    return run


async def told(store: Store) -> list[tuple[str, str]]:
    entries = await store.reader.entries(TENANT, -1, 99)
    return [(e.etype, e.body["text"]) for e in entries]


async def test_a_plan_is_kept_once_and_on_record(
    store: Store, runs: StoredRuns
) -> None:
    run = await kept(runs)
    again = await runs_of(store.another_process("two")).keep(PLAN)

    assert again == run
    assert (run.state, run.steps, run.notes) == (
        RunState.READY,
        PLAN.steps,
        ("a note",),
    )
    assert [done.state for done in run.progress] == [StepState.PENDING] * 2
    assert await told(store) == [
        ("run.plan", f"{run.id}: mover Ana: 1 end sessions, 1 remove")
    ]
    with pytest.raises(NotFound):
        await runs.called("globex", run.id)


async def test_what_asks_waits_for_one_word(store: Store, runs: StoredRuns) -> None:
    run = await kept(runs, asks=True)
    assert await runs.due(TENANT, _LEASE) is None

    with pytest.raises(Conflict, match="other steps"):
        await runs.decide(TENANT, run.id, "0" * 12, "boss", agreed=True)
    agreed = await runs.decide(TENANT, run.id, run.digest[:12], "boss", agreed=True)

    assert (agreed.state, agreed.decided_by) == (RunState.READY, "boss")
    with pytest.raises(Conflict, match="decided already"):
        await runs.decide(TENANT, run.id, run.digest, "other", agreed=False)
    assert await runs.due(TENANT, _LEASE) == agreed
    assert [one for one, _ in await told(store)] == ["run.plan", "run.agree"]


async def test_what_is_refused_is_never_done(runs: StoredRuns) -> None:
    run = await kept(runs, asks=True)

    await runs.decide(TENANT, run.id, run.digest, "boss", agreed=False)

    assert await runs.due(TENANT, _LEASE) is None
    assert await runs.listed(TENANT) == []
    assert [one.state for one in await runs.listed(TENANT, everything=True)] == [
        RunState.REFUSED
    ]


async def test_two_admins_at_once_decide_once(store: Store, runs: StoredRuns) -> None:
    run = await kept(runs, asks=True)
    other = runs_of(store.another_process("two"))

    answers = await asyncio.gather(
        runs.decide(TENANT, run.id, run.digest, "a", agreed=True),
        other.decide(TENANT, run.id, run.digest, "b", agreed=False),
        return_exceptions=True,
    )

    assert sum(isinstance(one, Conflict) for one in answers) == 1
    assert sum(isinstance(one, Run) for one in answers) == 1


async def test_one_process_does_a_run_until_its_lease_ends(
    store: Store, runs: StoredRuns
) -> None:
    run = await kept(runs)
    other = runs_of(store.another_process("two"))

    first = await runs.due(TENANT, _LEASE)
    second = await other.due(TENANT, 0)
    third = await other.due(TENANT, 0) or await other.due(TENANT, 0)

    assert first is not None
    assert first.id == run.id
    assert second is None
    assert third is None


async def test_a_run_whose_process_died_is_taken_over(runs: StoredRuns) -> None:
    await kept(runs)
    first = await runs.due(TENANT, 0)
    assert first is not None
    await runs.begin(first, 0)

    again = await runs.due(TENANT, 0)

    assert again is not None
    assert [done.state for done in again.progress] == [
        StepState.BEGUN,
        StepState.PENDING,
    ]
    assert again.open_steps == [0, 1]


async def test_steps_and_the_end_are_on_record(store: Store, runs: StoredRuns) -> None:
    run = await kept(runs)
    await runs.end(run, 0, Done(StepState.FAILED, "no admin app"))
    await runs.end(run, 1, Done(StepState.DONE))
    await runs.conclude(run, RunState.PARTLY)

    known = await runs.called(TENANT, run.id)

    assert known.state is RunState.PARTLY
    assert [(d.state, d.note) for d in known.progress] == [
        (StepState.FAILED, "no admin app"),
        (StepState.DONE, ""),
    ]
    assert await told(store) == [
        ("run.plan", f"{run.id}: mover Ana: 1 end sessions, 1 remove"),
        (
            "run.step",
            f"{run.id}: sign slack:T1/U1 out everywhere: failed (no admin app)",
        ),
        ("run.step", f"{run.id}: remove slack:T1/U1 from slack:T1/CFIN: done"),
        ("run.end", f"{run.id} is partly done"),
    ]


async def test_only_what_was_done_can_be_taken_back_and_once(runs: StoredRuns) -> None:
    run = await kept(runs)
    with pytest.raises(Conflict, match="it is ready"):
        await runs.revert(TENANT, run.id, "boss")
    await runs.end(run, 1, Done(StepState.DONE))
    await runs.conclude(run, RunState.DONE)

    back = await runs.revert(TENANT, run.id, "boss")

    assert (back.state, back.steps_to_revert) == (RunState.REVERTING, [1])
    assert await runs.due(TENANT, _LEASE) == back
    with pytest.raises(Conflict):
        await runs.revert(TENANT, run.id, "boss")


async def test_whoever_was_put_out_did_not_leave_by_choice(
    store: Store, runs: StoredRuns
) -> None:
    bob = replace(ANA, user="U2")
    eve = replace(ANA, user="U3")
    now = runs.clock()
    channels = {FINANCE: "fin"}
    await _done(store, came(TENANT, FINANCE, ["U1", "U2", "U3"], now - 10))
    run = await kept(runs)
    await runs.begin(run, 1)
    await runs.end(run, 1, Done(StepState.DONE))

    await _done(store, went(TENANT, FINANCE, ["U1", "U2"], runs.clock()))

    nothing = frozenset[Seat]()
    assert await runs.seats(TENANT, ANA, channels) == (nothing, nothing)
    left = frozenset({Seat("fin", FINANCE, bob)})
    assert await runs.seats(TENANT, bob, channels) == (nothing, left)
    inside = frozenset({Seat("fin", FINANCE, eve)})
    assert await runs.seats(TENANT, eve, channels) == (inside, nothing)
    assert await runs.seats("globex", eve, channels) == (nothing, nothing)


async def _done(store: Store, statements: tuple[Statement, ...]) -> None:
    def program() -> Program[None]:
        yield from (statement for statement in statements)

    await store.database.hot.run(program)
