"""
Joiners, movers and leavers: notice them, plan what becomes of them, do it, take it back.

How everybody stood is kept, so nothing is missed while no process runs, and nothing is
done about those who were there when it was begun. A plan and the new stand are written
together: of several processes one plans, and one does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from bridge.directory.accounts import Account
from bridge.directory.lifecycle import (
    Actions,
    Case,
    Happening,
    Holdings,
    Plan,
    converted,
    happening,
    late,
    planned,
)
from bridge.directory.links import named_accounts
from bridge.directory.model import Subject
from bridge.directory.runs import Done, Hands, Run, RunState, StepState, finished
from bridge.errors import (
    AtomError,
    BadInput,
    CannotTell,
    Conflict,
    NotAllowed,
    NotFound,
    Refused,
)
from bridge.messages import Channel
from storage.runs.stands import Stand, StoredStands, moved
from storage.runs.stored import StoredRuns

log = structlog.get_logger()

_LEASE_US = 60_000_000
_GIVEN_UP_US = 24 * 3600 * 1_000_000
_EVERY = 30.0  # seconds between looks when nothing stirs
_SETTLE = 0.5  # changes come in rows
_AT_ONCE = 500
_FOR_GOOD = (BadInput, CannotTell, Conflict, NotAllowed, NotFound, Refused)

Held = Callable[[str, str, Subject | None], Awaitable[Holdings]]
Linked = Callable[[str], Awaitable[Mapping[str, Sequence[Channel]]]]


def _none(_tenant: str, _person: str) -> Iterable[Account]:
    return ()


class People(Protocol):
    """The company's directory, as far as it is looked at here."""

    def configured(self, tenant: str) -> bool: ...

    def told_all(self, tenant: str) -> bool: ...

    def version(self, tenant: str) -> str: ...

    def subjects(self, tenant: str) -> Sequence[Subject]: ...

    def attributes(self, tenant: str, subject: str) -> Mapping[str, str]: ...


@dataclass(slots=True)
class Lifecycle:
    """
    Runs until cancelled; `stir` has it look soon.

    `held` returns what somebody has, `linked` each link's channels, `called` gives the
    names of groups. `proved` are accounts that are somebody's beside those that the
    directory names.
    """

    people: People
    stands: StoredStands
    runs: StoredRuns
    hands: Hands
    actions: Actions
    held: Held
    linked: Linked
    companies: Callable[[], Awaitable[Sequence[str]]]
    called: Callable[[str], str] = str
    proved: Callable[[str, str], Iterable[Account]] = _none
    every: float = _EVERY
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def stir(self, *_about: object) -> None:
        """Something has changed that it may hang on: look soon."""
        self._news.set()

    async def run(self) -> None:
        while True:
            try:
                for tenant in await self.companies():
                    if self.people.configured(tenant):
                        await self.look(tenant)
                        await self.work(tenant)
            except AtomError as error:
                log.warning("runs not kept up", reason=str(error))
            try:
                async with asyncio.timeout(self.every):
                    await self._news.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(_SETTLE)
            self._news.clear()

    async def look(self, tenant: str) -> list[Run]:
        """Plan what becomes of everybody who stands otherwise than before."""
        now = await self._now(tenant)
        before = await self.stands.all(tenant)
        if before is None:
            # Whoever a source tells of later than others would pass for a joiner.
            if self.people.told_all(tenant):
                await self.stands.begin(tenant, now)
            return []
        made = [
            await self._plan(tenant, person, *pair)
            for person, pair in _changed(before, now).items()
        ]
        made += [
            await self._plan_late(tenant, person, *pair)
            for person, pair in _grown(before, now).items()
        ]
        made += await self._conversions(tenant, before, now)
        await self.stands.keep(tenant, _first_accounts(before, now))
        return [run for run in made if run is not None]

    async def preview(self, tenant: str) -> list[Plan]:
        """Return what `look` would plan, and keep none of it."""
        before = await self.stands.all(tenant)
        if before is None:
            return []
        now, plans = await self._now(tenant), []
        for person, (old, new) in _changed(before, now).items():
            if case := await self._case(tenant, person, old, new):
                plans.append(self._made(tenant, person, case))
        for person, (was, is_) in _grown(before, now).items():
            if what := late(is_.subject):
                stood = (is_.subject, is_.subject)
                case = await self._about(what, tenant, person, stood)
                case = case.about(was.accounts or frozenset())
                plans.append(self._made(tenant, person, case))
        return [plan for plan in plans if plan.steps]

    async def work(self, tenant: str) -> None:
        """Do what is to be done, and take back what is to be taken back."""
        while (run := await self.runs.due(tenant, _LEASE_US)) is not None:
            if run.state is RunState.REVERTING:
                await self._take_back(run)
            elif not await self._carry_out(run):
                return  # something is away: its lease ends, and it is tried again

    async def _now(self, tenant: str) -> dict[str, Stand]:
        found = {}
        for number, subject in enumerate(self.people.subjects(tenant)):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            told = self.people.attributes(tenant, subject.id)
            plain = replace(subject, confidence=0, version=0)
            mine = {str(one) for one in named_accounts(told)}
            mine |= {str(one) for one in self.proved(tenant, subject.id)}
            human = told.get("person_id", "")
            found[subject.id] = Stand(plain, human, accounts=frozenset(mine))
        return found

    async def _plan(
        self, tenant: str, person: str, old: Stand | None, new: Stand | None
    ) -> Run | None:
        """Keep the plan about one person together with how they stand now."""
        case = await self._case(tenant, person, old, new)
        run = await self._keep(tenant, person, _next(old, new, case), case)
        if case is not None:
            # What still waited was about how they stood before.
            await self.runs.overtake(tenant, person, run.id if run else "")
        return run

    async def _plan_late(
        self, tenant: str, person: str, old: Stand, new: Stand
    ) -> Run | None:
        """Plan about the accounts alone that have come to be known as somebody's."""
        what, subject = late(new.subject), new.subject
        if what is None:
            await self.stands.keep(tenant, {person: _next(old, new, None)})
            return None
        case = await self._about(what, tenant, person, (subject, subject))
        mine = case.about(old.accounts or frozenset())
        return await self._keep(tenant, person, _next(old, new, case), mine)

    async def _keep(
        self, tenant: str, person: str, stand: Stand, case: Case | None
    ) -> Run | None:
        plan = self._made(tenant, person, case) if case else None
        if plan is None or not (plan.steps or plan.notes):
            await self.stands.keep(tenant, {person: stand})
            return None
        change = moved(tenant, person, stand)
        return await self.runs.keep(plan, (change,), f"stand:{person}:{stand.version}")

    async def _case(
        self, tenant: str, person: str, old: Stand | None, new: Stand | None
    ) -> Case | None:
        was, is_ = (old.subject if old else None), (new.subject if new else None)
        what = happening(was, is_)
        if what is None:
            return None
        return await self._about(what, tenant, person, (was, is_))

    async def _about(
        self,
        what: Happening,
        tenant: str,
        person: str,
        stood: tuple[Subject | None, Subject | None],
    ) -> Case:
        held = await self.held(tenant, person, stood[1])
        return Case(what, *stood, held, await self.linked(tenant), self.called)

    def _made(self, tenant: str, person: str, case: Case) -> Plan:
        steps, notes = planned(case, self.actions)
        subject = case.new or case.old
        return Plan(
            tenant,
            person,
            subject.name if subject else person,
            case.what,
            self.people.version(tenant),
            tuple(steps),
            tuple(notes),
            asks=bool(steps) and case.what in self.actions.asks,
        )

    async def _conversions(
        self, tenant: str, before: Mapping[str, Stand], now: Mapping[str, Stand]
    ) -> list[Run | None]:
        """
        Ask an admin whether who left and who came under another id are the same human.

        What the one looked after is then the other's. Nothing passes on by itself.
        """
        left, came = {}, {}
        for person, (old, new) in _changed(before, now).items():
            was, is_ = (old.subject if old else None), (new.subject if new else None)
            what = happening(was, is_)
            if what is Happening.LEAVER and old is not None:
                left[person] = old.human
            elif what in {Happening.JOINER, Happening.RETURNER} and new is not None:
                came[person] = new.human
        made = []
        for person, heir in converted(left, came).items():
            old, new = before[person], now[heir]
            held = replace(await self.held(tenant, person, None), heir=heir)
            case = Case(Happening.CONVERSION, old.subject, new.subject, held)
            plan = self._made(tenant, person, case)
            if plan.steps:
                made.append(await self.runs.keep(replace(plan, asks=True)))
        return made

    async def _carry_out(self, run: Run) -> bool:
        """Do a run's open steps in their order; False if one has to be tried later."""
        progress = list(run.progress)
        for number in run.open_steps:
            step = run.steps[number]
            await self.runs.begin(run, number)
            try:
                done = Done(await self.hands.do(run.tenant, run.person, step))
            except _FOR_GOOD as error:
                done = Done(StepState.FAILED, str(error))
            except AtomError as error:
                if self.runs.clock() - run.created_us < _GIVEN_UP_US:
                    log.warning("step not done yet", run=run.id, reason=str(error))
                    return False
                done = Done(StepState.FAILED, f"given up after a day: {error}")
            await self.runs.end(run, number, done)
            progress[number] = done
        await self.runs.conclude(run, finished(progress))
        return True

    async def _take_back(self, run: Run) -> None:
        """Take back what was done, the last first; what cannot be says why."""
        for number in run.steps_to_revert:
            step = run.steps[number].opposite()
            try:
                if step is None:
                    raise CannotTell("it cannot be taken back")
                await self.hands.undo(run.tenant, step)
                done = Done(StepState.REVERTED)
            except AtomError as error:
                done = Done(StepState.KEPT, str(error))
            await self.runs.end(run, number, done)
        await self.runs.conclude(run, RunState.REVERTED)


def _changed(
    before: Mapping[str, Stand], now: Mapping[str, Stand]
) -> dict[str, tuple[Stand | None, Stand | None]]:
    """Return who stands otherwise than before, with both."""
    return {
        person: (before.get(person), now.get(person))
        for person in sorted(before.keys() | now.keys())
        if _plain(before.get(person)) != _plain(now.get(person))
    }


def _grown(
    before: Mapping[str, Stand], now: Mapping[str, Stand]
) -> dict[str, tuple[Stand, Stand]]:
    """Return of whom more accounts are known than before, who stand as they stood."""
    return {
        person: (old, new)
        for person, new in sorted(now.items())
        if (old := before.get(person))
        and old.accounts is not None
        and not (new.accounts or frozenset()) <= old.accounts
        and _plain(old) == _plain(new)
    }


def _first_accounts(
    before: Mapping[str, Stand], now: Mapping[str, Stand]
) -> dict[str, Stand]:
    """Return the stands of those whose accounts nobody has looked at yet, with them."""
    return {
        person: replace(new, version=old.version + 1)
        for person, new in now.items()
        if (old := before.get(person))
        and old.accounts is None
        and _plain(old) == _plain(new)
    }


def _next(old: Stand | None, new: Stand | None, case: Case | None) -> Stand:
    """
    Return how somebody stands after what was planned.

    Accounts that came to be known while it was planned are in the plan already.
    """
    accounts = (
        set(new.accounts or ()) if new else set(old.accounts or ()) if old else set()
    )
    if case is not None:
        accounts |= {str(k.account) for k in case.holdings.accounts if k.confidence}
    return Stand(
        new.subject if new else None,
        new.human if new else old.human if old else "",
        (old.version if old else 0) + 1,
        frozenset(accounts),
    )


def _plain(stand: Stand | None) -> tuple[Subject | None, str]:
    """A stand without what changes by itself; of the gone, nothing counts."""
    if stand is None or stand.subject is None:
        return (None, "")
    return (stand.subject, stand.human)
