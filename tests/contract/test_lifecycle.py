"""What becomes of people is noticed, planned once, done once, and taken back."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bots.lifecycle import Lifecycle
from bridge.directory.accounts import Account, Confidence
from bridge.directory.lifecycle import (
    Actions,
    Deed,
    Happening,
    Holdings,
    Known,
    Seat,
    Step,
)
from bridge.directory.model import Standing, Subject
from bridge.directory.runs import RunState, StepState
from bridge.errors import AtomError, CannotTell, NotAllowed, ServiceUnavailable
from bridge.messages import Channel, Platform
from storage.compliance.acts import Acts
from storage.hot import Program, Statement
from storage.runs.stands import StoredStands
from storage.runs.stored import StoredRuns
from tests.contract.conftest import TENANT, Store, ticking_clock

FINANCE, SALES = "group:fin", "group:sales"
SLACK = Account(Platform.SLACK, "T1", "U1")
C_FIN = Channel(Platform.SLACK, "T1", "CFIN")
C_SALES = Channel(Platform.SLACK, "T1", "CSALES")
LINKED = {"fin": (C_FIN,), "sales": (C_SALES,)}
ACTIONS = Actions(rooms={FINANCE: frozenset({"fin"}), SALES: frozenset({"sales"})})
ANA = Subject("p-ana", "Ana", department="Finance", ancestors=frozenset({FINANCE}))
BOB = Subject("p-bob", "Bob", department="Sales", ancestors=frozenset({SALES}))
MOVED = replace(ANA, department="Sales", ancestors=frozenset({SALES}))


@dataclass
class FakePeople:
    """A directory that is what it is set to be."""

    everybody: dict[str, Subject] = field(default_factory=dict)
    humans: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    silent: bool = False

    def told_all(self, tenant: str) -> bool:
        return not self.silent

    def configured(self, tenant: str) -> bool:
        return True

    def version(self, tenant: str) -> str:
        return "7"

    def subjects(self, tenant: str) -> Sequence[Subject]:
        return list(self.everybody.values())

    def attributes(self, tenant: str, subject: str) -> Mapping[str, str]:
        named = self.named.get(subject, "")
        return {"person_id": self.humans.get(subject, ""), "accounts": named}

    def put(self, *subjects: Subject) -> None:
        self.everybody |= {one.id: one for one in subjects}


@dataclass
class FakeHands:
    """Moves people between channels that it holds."""

    inside: set[Channel] = field(default_factory=set)
    allowed: set[Channel] = field(default_factory=lambda: {C_FIN, C_SALES})
    did: list[str] = field(default_factory=list)
    trouble: list[AtomError] = field(default_factory=list)

    async def do(self, tenant: str, person: str, step: Step) -> StepState:
        if self.trouble:
            raise self.trouble.pop(0)
        self.did.append(step.text)
        return self._move(step)

    async def undo(self, tenant: str, step: Step) -> None:
        if step.deed is Deed.ADD and step.channel not in self.allowed:
            raise NotAllowed("the policy does not let them in")
        self.did.append(f"undo: {step.text}")
        self._move(step)

    def _move(self, step: Step) -> StepState:
        assert step.channel is not None or step.deed in {
            Deed.END_SESSIONS,
            Deed.HAND_OVER,
        }
        if step.deed is Deed.ADD and step.channel:
            self.inside.add(step.channel)
        if step.deed is Deed.REMOVE and step.channel:
            self.inside.discard(step.channel)
        return StepState.DONE


@dataclass
class World:
    """Everything about one process."""

    people: FakePeople
    hands: FakeHands
    lifecycle: Lifecycle
    runs: StoredRuns

    async def go(self) -> None:
        await self.lifecycle.look(TENANT)
        await self.lifecycle.work(TENANT)


def world(
    store: Store, people: FakePeople, hands: FakeHands, **actions: object
) -> World:
    clock = ticking_clock()
    hot = store.database.hot
    runs = StoredRuns(hot, Acts(store.journal, clock), clock)

    async def held(tenant: str, person: str, new: Subject | None) -> Holdings:
        account = replace(SLACK, user=f"U-{person}")
        open_ = {
            channel
            for group, channel in ((FINANCE, C_FIN), (SALES, C_SALES))
            if new and group in new.ancestors
        }
        seats = {
            Seat(link, channel, account)
            for link, channels in LINKED.items()
            for channel in channels
            if channel in hands.inside
        }
        return Holdings(
            (Known(account, Confidence.PROVED),),
            frozenset(seats),
            open=frozenset(open_),
            links=(("fin", account),) if person == "p-c1" else (),
        )

    async def linked(tenant: str) -> Mapping[str, Sequence[Channel]]:
        return LINKED

    async def companies() -> Sequence[str]:
        return [TENANT]

    lifecycle = Lifecycle(
        people,
        StoredStands(hot),
        runs,
        hands,
        replace(ACTIONS, **actions),  # type: ignore[arg-type]
        held,
        linked,
        companies,
    )
    return World(people, hands, lifecycle, runs)


@pytest.fixture
def people() -> FakePeople:
    return FakePeople({BOB.id: BOB})


@pytest.fixture
async def one(store: Store, people: FakePeople) -> World:
    """A company whose people were looked at once."""
    made = world(store, people, FakeHands())
    await made.go()
    return made


async def test_nothing_is_done_about_those_who_were_there_already(one: World) -> None:
    await one.go()

    assert one.hands.did == []
    assert await one.runs.listed(TENANT, everything=True) == []


async def test_a_joiner_comes_in(one: World) -> None:
    one.people.put(ANA)

    await one.go()
    await one.go()

    assert one.hands.did == ["add slack:T1/U-p-ana to slack:T1/CFIN"]
    [run] = await one.runs.listed(TENANT, everything=True)
    assert (run.happening, run.state) == (Happening.JOINER, RunState.DONE)
    assert run.steps[0].why == f"is in {FINANCE}"


async def test_a_mover_goes_and_comes(one: World) -> None:
    one.people.put(ANA)
    await one.go()
    one.people.put(MOVED)

    await one.go()

    assert one.hands.inside == {C_SALES}
    assert one.hands.did[1:] == [
        "remove slack:T1/U-p-ana from slack:T1/CFIN",
        "add slack:T1/U-p-ana to slack:T1/CSALES",
    ]


@pytest.mark.parametrize("how", ["left", "unnamed"])
async def test_a_leaver_goes_from_everywhere(one: World, how: str) -> None:
    one.people.put(ANA)
    await one.go()
    if how == "left":
        one.people.put(replace(ANA, standing=Standing.LEFT))
    else:
        del one.people.everybody[ANA.id]

    await one.go()

    assert one.hands.inside == set()
    assert one.hands.did[1:] == [
        "sign slack:T1/U-p-ana out everywhere",
        "remove slack:T1/U-p-ana from slack:T1/CFIN",
    ]


async def test_who_comes_back_has_another_run(one: World) -> None:
    one.people.put(ANA)
    await one.go()
    one.people.put(replace(ANA, standing=Standing.DISABLED))
    await one.go()
    one.people.put(ANA)

    await one.go()

    runs = await one.runs.listed(TENANT, everything=True)
    assert [run.happening for run in runs] == [
        Happening.RETURNER,
        Happening.LEAVER,
        Happening.JOINER,
    ]
    assert one.hands.inside == {C_FIN}


async def test_what_happened_while_nothing_ran_is_noticed(
    store: Store, one: World
) -> None:
    one.people.put(ANA)
    later = world(store.another_process("two"), one.people, FakeHands())

    await later.go()

    assert later.hands.did == ["add slack:T1/U-p-ana to slack:T1/CFIN"]


async def test_of_two_processes_one_plans_and_one_does(
    store: Store, one: World
) -> None:
    other = world(store.another_process("two"), one.people, one.hands)
    one.people.put(ANA)

    await asyncio.gather(one.go(), other.go())

    assert one.hands.did == ["add slack:T1/U-p-ana to slack:T1/CFIN"]
    assert len(await one.runs.listed(TENANT, everything=True)) == 1


async def test_what_asks_is_shown_and_waits(store: Store, people: FakePeople) -> None:
    asking = world(store, people, FakeHands(), asks=frozenset({Happening.JOINER}))
    await asking.go()
    people.put(ANA)
    [preview] = await asking.lifecycle.preview(TENANT)
    await asking.go()
    [run] = await asking.runs.listed(TENANT)
    assert (run.state, asking.hands.did) == (RunState.WAITING, [])
    assert run.digest == preview.digest

    await asking.runs.decide(TENANT, run.id, preview.digest, "boss", agreed=True)
    await asking.go()

    assert asking.hands.did == ["add slack:T1/U-p-ana to slack:T1/CFIN"]


async def test_what_waited_about_a_joiner_ends_when_they_have_left(
    store: Store, people: FakePeople
) -> None:
    asking = world(store, people, FakeHands(), asks=frozenset({Happening.JOINER}))
    await asking.go()
    people.put(ANA)
    await asking.go()
    people.put(replace(ANA, standing=Standing.LEFT))

    await asking.go()

    runs = await asking.runs.listed(TENANT, everything=True)
    assert [(run.happening, run.state, run.decided_by) for run in runs] == [
        (Happening.LEAVER, RunState.DONE, ""),
        (Happening.JOINER, RunState.REFUSED, "atom"),
    ]
    assert asking.hands.did == ["sign slack:T1/U-p-ana out everywhere"]


async def test_an_account_that_is_known_late_gets_what_its_owner_has(
    one: World,
) -> None:
    """It was in the joiner's run already, so nothing of it is done twice."""
    one.people.put(ANA)
    await one.go()
    one.people.named[ANA.id] = "slack:T1/U-p-ana"

    await one.go()

    assert one.hands.did == ["add slack:T1/U-p-ana to slack:T1/CFIN"]


async def test_accounts_of_before_they_were_looked_at_make_no_run(
    store: Store, people: FakePeople
) -> None:
    """What an older ATOM wrote down says nothing of accounts."""
    first = world(store, people, FakeHands())
    people.put(ANA)
    people.named[ANA.id] = "slack:T1/U-p-ana"
    await first.go()
    await store.database.hot.run(_as_before)

    await first.go()
    stands = await StoredStands(store.database.hot).all(TENANT)

    assert await first.runs.listed(TENANT, everything=True) == []
    assert stands is not None
    assert stands[ANA.id].accounts == frozenset({"slack:T1/U-p-ana"})


def _as_before() -> Program[None]:
    rows = yield Statement(
        "SELECT body FROM directory_stand WHERE person = :person", {"person": ANA.id}
    )
    told = json.loads(str(rows[0][0]))
    del told["accounts"]
    yield Statement(
        "UPDATE directory_stand SET body = :body WHERE person = :person",
        {"person": ANA.id, "body": json.dumps(told)},
    )


async def test_what_is_away_is_tried_again_and_what_is_refused_is_told(
    one: World,
) -> None:
    one.people.put(ANA)
    one.hands.trouble = [ServiceUnavailable("Slack does not answer")]
    await one.go()
    assert one.hands.did == []

    one.hands.trouble = [CannotTell("no right to")]
    clock = one.runs.clock
    later = replace(one.runs, clock=lambda: clock() + 120_000_000)
    one.lifecycle.runs = later
    await one.go()

    [run] = await one.runs.listed(TENANT, everything=True)
    assert run.state is RunState.PARTLY
    assert [(d.state, d.note) for d in run.progress] == [
        (StepState.FAILED, "no right to")
    ]


async def test_a_run_is_taken_back_as_far_as_the_policy_lets_it(one: World) -> None:
    one.people.put(ANA)
    await one.go()
    one.people.put(MOVED)
    await one.go()
    run = (await one.runs.listed(TENANT, everything=True))[0]
    one.hands.allowed = {C_SALES}
    await one.runs.revert(TENANT, run.id, "boss")

    await one.go()

    back = await one.runs.called(TENANT, run.id)
    assert back.state is RunState.REVERTED
    assert [(d.state, d.note) for d in back.progress] == [
        (StepState.KEPT, "the policy does not let them in"),
        (StepState.REVERTED, ""),
    ]
    assert one.hands.inside == set()


async def test_a_contractor_who_is_hired_waits_for_an_admin(one: World) -> None:
    """Another worker's id, the same human: what passes on is somebody's to say."""
    contractor = replace(ANA, id="p-c1", name="Carla")
    one.people.humans = {"p-c1": "h1", "p-e1": "h1"}
    one.people.put(contractor)
    await one.go()
    one.people.put(
        replace(contractor, standing=Standing.LEFT), replace(contractor, id="p-e1")
    )

    await one.go()

    waiting = await one.runs.listed(TENANT)
    [run] = [r for r in waiting if r.happening is Happening.CONVERSION]
    assert run.state is RunState.WAITING
    assert [(s.deed, s.target, s.heir) for s in run.steps] == [
        (Deed.HAND_OVER, "fin", "p-e1")
    ]


async def test_nobody_has_joined_because_their_source_was_read_later(
    store: Store,
) -> None:
    here = world(store, FakePeople(silent=True), FakeHands())
    here.people.put(BOB)
    await here.go()  # one source was read, the other not yet
    here.people.put(ANA)
    here.people.silent = False
    await here.go()
    await here.go()

    assert await here.runs.listed(TENANT, everything=True) == []
