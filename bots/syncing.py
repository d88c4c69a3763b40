"""
Bring what a source says into the company's directory: compare, brake, write, show.

Every reading goes this way, whether it was asked for or pushed. Versions are made by
compare-and-set, so two processes that do it at once make two versions, one on the
other's.
"""

import asyncio
from collections import ChainMap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from bridge.directory.brake import Circumstances, Limits, judged
from bridge.directory.difference import (
    Change,
    What,
    applied,
    difference,
    folded,
    memberships_after,
    ripened,
)
from bridge.directory.foreseeing import graces
from bridge.directory.frozen import Frozen, agreed
from bridge.directory.grace import Leniency, ended_with
from bridge.directory.held import Delta, Ending, Kept, Lost, Ref, State
from bridge.directory.model import Grace, Kind, Reading
from bridge.directory.past import past
from bridge.directory.paths import moved
from bridge.directory.people import Join, identified, joined_by
from bridge.directory.view import LiveDirectory
from bridge.errors import Conflict, NotFound, StoreUnavailable
from storage.directory.entries import (
    cut_entry,
    decided_entry,
    entries_about,
    frozen_entry,
    grace_entries,
    incomplete_entry,
)
from storage.directory.stored import Followed, Moved, Step, StoredDirectory, Waiting
from storage.writes import Entry

log = structlog.get_logger()

_AT_ONCE = 20_000  # changes in one transaction
_TRIES = 8
_DAY_US = 86_400_000_000
_QUIET_US = 5_000_000  # between notes that nothing has changed
_ID_LIMIT = 200
_ANY = 10**9
_FIRST_GO = {What.LEAVE, What.SUSPEND, What.DISABLE, What.QUARANTINE, What.BURY}


@dataclass(frozen=True, slots=True)
class Rules:
    """How readings become a directory. Times are microseconds."""

    limits: Limits = field(default_factory=Limits)
    unbraked: frozenset[str] = frozenset()
    pushed: frozenset[str] = frozenset()  # they tell of people one by one, for ever
    joins: tuple[Join, ...] = ()
    leniency: Leniency = field(default_factory=Leniency)
    grace_us: int = 3_600_000_000
    quarantine_us: int = 7 * _DAY_US
    bury_us: int = 30 * _DAY_US


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reading did, or would do: `problem` says why it was not complete."""

    source: str
    version: int
    changes: tuple[Change, ...] = ()
    frozen: tuple[Frozen, ...] = ()
    fresh: tuple[Frozen, ...] = ()  # of which nobody was told yet
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    reading: Reading
    changes: tuple[Change, ...]
    frozen: tuple[Frozen, ...]
    waiting: tuple[Waiting, ...]
    fresh: tuple[Frozen, ...]
    followed: Followed
    moves_waiting: bool


@dataclass(slots=True)
class Sync:
    """
    One company's directory. `on_waiting` is told of changes that begin to wait.

    `on_change` is called with every version that this process made or saw.
    """

    tenant: str
    view: LiveDirectory
    store: StoredDirectory
    rules: Rules
    clock: Callable[[], int]
    on_change: list[Callable[[str, Delta], None]] = field(default_factory=list)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _noted: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> State:
        return self.view.state(self.tenant)

    async def refresh(self) -> None:
        """Take over what other processes did. Raises `StoreUnavailable`."""
        async with self._lock:
            await self._refresh()

    async def apply(self, reading: Reading) -> Outcome:
        """
        Bring a reading in, and return what it did. Raises `StoreUnavailable`.

        Nothing is half done: if it is not applied, the same reading can be given again.
        """
        reading = _usable(reading)
        async with self._lock:
            for _ in range(_TRIES):
                await self._refresh()
                plan = await self._plan(reading)
                try:
                    await self._carry_out(plan)
                except Moved:
                    continue
                return Outcome(
                    reading.source,
                    self.state.version,
                    plan.changes,
                    plan.frozen,
                    plan.fresh,
                    "" if reading.complete else reading.why or "it broke off",
                )
        raise StoreUnavailable("other processes keep changing the directory")

    async def preview(self, reading: Reading) -> Outcome:
        """Say what a reading would do, and do nothing."""
        reading = _usable(reading)
        await self.refresh()
        plan = await self._plan(reading)
        problem = "" if reading.complete else reading.why or "it broke off"
        return Outcome(
            reading.source,
            self.state.version,
            plan.changes,
            plan.frozen,
            plan.fresh,
            problem,
        )

    async def decide(self, digest: str, actor: str, *, agree: bool) -> Waiting:
        """
        Let exactly the changes happen that have this digest, or refuse them.

        Raises `NotFound` if nothing of that name waits, and `Conflict` if what waits is
        no longer what it was.
        """
        async with self._lock:
            for _ in range(_TRIES):
                await self._refresh()
                known = await self.store.waiting(self.tenant)
                waiting = next((each for each in known if each.digest == digest), None)
                if waiting is None:
                    raise NotFound(
                        "No changes with this hash wait: they may have changed since. "
                        "'directory' shows what waits now."
                    )
                rest = [
                    each
                    for each in known
                    if each.frozen.source == waiting.frozen.source and each != waiting
                ]
                if not agree:
                    rest.append(replace(waiting, state="refused"))
                try:
                    await self._decide(waiting, rest, actor, agree=agree)
                except Moved:
                    continue
                return waiting
        raise StoreUnavailable("other processes keep changing the directory")

    async def cut(
        self, person: str, chosen: Collection[str], actor: str
    ) -> tuple[Grace, ...]:
        """
        End now what somebody keeps for a while, and return what ended.

        What it is in ends with it. Raises `Conflict` if they keep nothing of it.
        """
        async with self._lock:
            for _ in range(_TRIES):
                await self._refresh()
                ended = self._cut_with(person, chosen)
                try:
                    self._absorb(await self._cut(person, ended, actor))
                except Moved:
                    continue
                return ended
        raise StoreUnavailable("other processes keep changing the directory")

    def _cut_with(self, person: str, chosen: Collection[str]) -> tuple[Grace, ...]:
        view, tenant = self.view, self.tenant
        subject = view.find(tenant, person)
        kept = subject.kept if subject else ()
        if not {grace.ancestor for grace in kept} & set(chosen):
            raise Conflict("Nothing of that is kept any more.")
        return ended_with(kept, chosen, lambda one: view.above(tenant, one))

    async def _cut(self, person: str, ended: Sequence[Grace], actor: str) -> Delta:
        now = self.clock()
        pasts = []
        for grace in ended:
            kind, _, thing = grace.ancestor.partition(":")
            pasts.append((person, Lost(thing, now, actor, Kind(kind), Ending.CUT)))
        step = Step(
            base=self.state.version,
            graces=[(person, replace(grace, until_us=0)) for grace in ended],
            pasts=pasts,
            entries=(cut_entry(person, ended, actor, now),),
        )
        return await self.store.apply(self.tenant, step)

    async def _decide(
        self, waiting: Waiting, rest: Sequence[Waiting], actor: str, *, agree: bool
    ) -> None:
        now = self.clock()
        if agree and now - waiting.seen_us > _DAY_US:
            raise Conflict(
                "These changes were seen more than a day ago: read the source again."
            )
        frozen = waiting.frozen
        changes = agreed(frozen) if agree else []
        decided = decided_entry(frozen, waiting.digest, actor, now, agreed=agree)
        step = self._step(changes, now, first=decided)
        step = replace(step, source=frozen.source, waiting=rest)
        self._absorb(await self.store.apply(self.tenant, step))

    async def _refresh(self) -> None:
        delta = await self.store.since(self.tenant, self.state.version)
        if delta.version > self.state.version:
            self._absorb(delta)
        heard = await self.store.followed(self.tenant)
        self.view.heard(self.tenant, {s: f.heard_us for s, f in heard.items()})

    def _absorb(self, delta: Delta) -> None:
        if delta.version <= self.state.version:
            return
        self.view.follow(self.tenant, delta)
        for listener in self.on_change:
            listener(self.tenant, delta)

    async def _plan(self, reading: Reading) -> _Plan:
        source, now = reading.source, self.clock()
        followed = (await self.store.followed(self.tenant)).get(source)
        followed = followed or Followed(source)
        known = {
            each.frozen.sort: each
            for each in await self.store.waiting(self.tenant)
            if each.frozen.source == source
        }
        window = self.rules.limits.window_us
        self.state.forget(now - window)
        changes = difference(self.state, reading, now, self.rules.grace_us)
        changes += moved(self.state, changes)
        frozen: tuple[Frozen, ...] = ()
        if source not in self.rules.unbraked:
            pushed = source in self.rules.pushed
            at = Circumstances(
                now,
                first=followed.whole_us == 0 and not pushed,
                waiting={sort: each.frozen for sort, each in known.items()},
            )
            limits = self.rules.limits
            if pushed:
                limits = replace(limits, newcomers=_ANY)
            verdict = judged(self.state, reading, changes, limits, at)
            changes, frozen = list(verdict.passed), verdict.frozen
        if reading.whole and reading.complete:
            quarantine, bury = self.rules.quarantine_us, self.rules.bury_us
            changes += ripened(self.state, source, now, quarantine, bury)
        waiting = tuple(
            _kept_waiting(each, known.get(each.sort), now) for each in frozen
        )
        digests = {each.digest for each in known.values()}
        return _Plan(
            reading,
            tuple(changes),
            frozen,
            waiting,
            tuple(w.frozen for w in waiting if w.digest not in digests),
            _after(followed, reading, now),
            moves_waiting=bool(known or waiting),
        )

    async def _carry_out(self, plan: _Plan) -> None:
        now, reading = self.clock(), plan.reading
        entries = [frozen_entry(each, now) for each in plan.fresh]
        old = (await self.store.followed(self.tenant)).get(reading.source)
        if plan.followed.problem and plan.followed.problem != (old and old.problem):
            entries.append(incomplete_entry(reading.source, plan.followed.problem, now))
        if not plan.changes and not entries and not plan.moves_waiting:
            await self._note(plan.followed, old)
            return
        # What takes access away goes first, should somebody stop us half-way.
        ordered = sorted(plan.changes, key=lambda c: (c.what not in _FIRST_GO, c.key))
        for start in range(0, len(ordered) - _AT_ONCE, _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            step = self._step(some, now)
            self._absorb(await self.store.apply(self.tenant, step))
        done = max(0, -(-len(ordered) // _AT_ONCE) - 1) * _AT_ONCE
        step = self._step(ordered[done:], now)
        step = replace(
            step,
            entries=(*step.entries, *entries),
            followed=plan.followed,
            source=reading.source if plan.moves_waiting else "",
            waiting=plan.waiting,
        )
        self._absorb(await self.store.apply(self.tenant, step))
        self._heard(plan.followed)

    async def _note(self, followed: Followed, old: Followed | None) -> None:
        """Keep that a source was heard of; seldom, if that is all there is to say."""
        noted = self._noted.get(followed.source, 0)
        same = old is not None and (old.cursor, old.problem, old.whole_us) == (
            followed.cursor,
            followed.problem,
            followed.whole_us,
        )
        if not same or followed.heard_us - noted >= _QUIET_US:
            await self.store.heard(self.tenant, followed)
            self._noted[followed.source] = followed.heard_us
        self._heard(followed)

    def _heard(self, followed: Followed) -> None:
        heard = dict(self.view.heard_us(self.tenant))
        heard[followed.source] = followed.heard_us
        self.view.heard(self.tenant, heard)

    def _step(
        self, changes: Sequence[Change], now_us: int, first: Entry | None = None
    ) -> Step:
        state = self.state
        kept = applied(state, changes, now_us)
        people = self._people(kept)
        known: Mapping[Ref, str] = ChainMap(dict(people), state.people)
        entries = [*entries_about(state, changes, known, now_us)]
        memberships = [*memberships_after(changes, now_us)]
        given = (tuple(kept), tuple(memberships), tuple(people.items()))
        delta = Delta(state.version + 1, *given)
        keeps = graces(self.view, self.tenant, delta, self.rules.leniency, now_us)
        entries += grace_entries(keeps, now_us)
        pasts = past(state.entries, kept, known, now_us)
        return Step(
            base=state.version,
            kept=kept,
            memberships=memberships,
            people=people,
            graces=keeps,
            pasts=tuple(pasts),
            entries=(first, *entries) if first else tuple(entries),
        )

    def _people(self, kept: Sequence[Kept]) -> dict[Ref, str]:
        """Return who is who after some entries changed, where that differs."""
        state = self.state
        mine = [k for k in kept if k.entry.kind is Kind.PERSON]
        fresh = {k.ref: k for k in mine if k.ref not in state.people}
        if not self.rules.joins:
            return identified(fresh, {}, ())
        before = (state.entries[k.ref] for k in mine if k.ref in state.entries)
        may_join = joined_by([*mine, *before], self.rules.joins)
        if not fresh and not may_join:
            return {}
        changed = {k.ref: k for k in kept}
        return identified({**state.entries, **changed}, state.people, self.rules.joins)


def _usable(reading: Reading) -> Reading:
    """Leave out what cannot be kept, and say so: what is missing is unknown then."""
    reading = folded([reading])
    fit = tuple(e for e in reading.entries if _fit(e.id))
    joined = tuple(e for e in reading.joined if _fit(e.member) and _fit(e.group))
    lost = len(reading.entries) - len(fit) + len(reading.joined) - len(joined)
    if not lost:
        return reading
    why = f"{lost} entries have no usable id (1 to {_ID_LIMIT} characters)"
    return replace(
        reading, complete=False, why=why, entries=fit, joined=joined, cursor=b""
    )


def _fit(id_: str) -> bool:
    return 0 < len(id_) <= _ID_LIMIT and id_.isprintable()


def _after(followed: Followed, reading: Reading, now_us: int) -> Followed:
    """Return how far a source was read after a reading is in."""
    if not reading.complete:
        problem = reading.why or "it broke off"
        return replace(followed, tried_us=now_us, problem=problem)
    return replace(
        followed,
        cursor=reading.cursor or followed.cursor,
        heard_us=now_us,
        whole_us=now_us if reading.whole else followed.whole_us,
        tried_us=now_us,
        problem="",
    )


def _kept_waiting(frozen: Frozen, before: Waiting | None, now_us: int) -> Waiting:
    digest = frozen.digest
    if before is None or before.digest != digest:
        since = before.since_us if before else now_us
        # Who was told that it waits is not told again of each one that comes to it.
        told = before.told_us if before and before.state == "waiting" else 0
        return Waiting(frozen, digest, "waiting", since, now_us, told)
    return replace(before, frozen=frozen, seen_us=now_us)
