"""Keep runs, with a log entry for everything that is decided about them or done."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from bridge.directory.accounts import Account
from bridge.directory.lifecycle import (
    Deed,
    Happening,
    Plan,
    Seat,
    Step,
    step_data,
    step_from,
)
from bridge.directory.runs import (
    Done,
    Run,
    RunState,
    StepState,
    left_by_choice,
    summary,
)
from bridge.errors import Conflict, NotFound
from bridge.messages import Channel
from storage.compliance.acts import Act, Acts
from storage.hot import HotStore, Program, Row, Statement
from storage.rows import clean_id

_COLUMNS = (
    "run_id, person, happening, version, digest, state, body, created_us, decided_by, "
    "decided_us"
)
_LISTED = 500
_DIGITS = 12  # of a digest that name a run
_ENDED = frozenset(
    {RunState.DONE, RunState.PARTLY, RunState.REFUSED, RunState.REVERTED}
)


@dataclass(frozen=True, slots=True)
class StoredRuns:
    """Runs of every company. Every method raises `StoreUnavailable`."""

    store: HotStore
    acts: Acts
    clock: Callable[[], int]

    async def keep(
        self, plan: Plan, changes: tuple[Statement, ...] = (), key: str = ""
    ) -> Run | None:
        """
        Keep a plan as a run, together with other changes.

        The same plan is kept once, whoever makes it; and of all plans with the same
        `key` the first one. None if another one was.
        """
        run = Run(
            id=f"R-{plan.digest[:_DIGITS]}",
            tenant=plan.tenant,
            person=plan.person,
            name=plan.name,
            happening=plan.happening,
            version=plan.version,
            digest=plan.digest,
            state=RunState.WAITING if plan.asks else RunState.READY,
            created_us=self.clock(),
            steps=plan.steps,
            progress=tuple(Done() for _ in plan.steps),
            notes=plan.notes,
        )
        act = Act(
            plan.tenant,
            "run.plan",
            "atom",
            f"{run.id}: {plan.happening} {plan.name}: {summary(plan.steps)}",
            {**_about(run), "steps": [step_data(step) for step in plan.steps]},
        )
        steps = tuple(_insert_step(run, n) for n in range(len(run.steps)))
        changes = (_insert(run), *steps, *changes)
        await self.acts.note(act, changes, key=key or f"run:{run.digest}")
        try:
            return await self.called(plan.tenant, run.id)
        except NotFound:
            return None

    async def listed(self, tenant: str, *, everything: bool = False) -> list[Run]:
        """Return the newest runs first, those that are over only if so asked."""
        over = ", ".join(f"'{state}'" for state in sorted(_ENDED))
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM directory_run WHERE tenant = :tenant "
                + ("" if everything else f"AND state NOT IN ({over}) ")
                + "ORDER BY created_us DESC, run_id LIMIT :most",
                {"tenant": tenant, "most": _LISTED},
            )
        )
        return [await self._run(tenant, row) for row in rows]

    async def called(self, tenant: str, run: str) -> Run:
        """Return a run by its id. Raises `NotFound`."""
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM directory_run WHERE tenant = :tenant "
                "AND run_id = :run",
                {"tenant": tenant, "run": run},
            )
        )
        if not rows:
            raise NotFound(f"There is no run {run[:40]}.")
        return await self._run(tenant, rows[0])

    async def decide(
        self, tenant: str, run: str, digest: str, by: str, *, agreed: bool
    ) -> Run:
        """
        Let a run that waits be done, or refuse it for good.

        `digest`, or its beginning, is what was shown: who agrees to it agrees to that.
        Raises `Conflict` if the run does not wait, or is about other steps.
        """
        known = await self.called(tenant, run)
        if known.state is not RunState.WAITING:
            raise Conflict(f"{run} was decided already: it is {known.state}.")
        if not digest or not known.digest.startswith(digest):
            raise Conflict(
                f"{run} is about other steps than those that were shown: look again."
            )
        state = RunState.READY if agreed else RunState.REFUSED
        now = self.clock()
        decided = replace(known, state=state, decided_by=by, decided_us=now)
        etype = "run.agree" if agreed else "run.refuse"
        text = f"{'agreed to' if agreed else 'refused'} {run}"
        act = Act(tenant, etype, by, f"{text}: {known.name}", _about(decided))
        receipt = await self.acts.note(act, (_update(decided),), key=f"run:word:{run}")
        if receipt.duplicate:
            raise Conflict(f"{run} was decided just now by somebody else.")
        return await self.called(tenant, run)

    async def overtake(self, tenant: str, person: str, by: str) -> None:
        """
        Close what still waits for a word about somebody who stands otherwise now.

        `by` is the run that takes its place, if there is one. Whether two ids are one
        human does not hang on how they stand.
        """
        rows = await self.store.fetch(
            Statement(
                "SELECT run_id, digest FROM directory_run WHERE tenant = :tenant "
                "AND person = :person AND state = :waiting AND run_id <> :by "
                "AND happening <> :conversion ORDER BY created_us",
                {
                    "tenant": tenant,
                    "person": clean_id(person),
                    "waiting": str(RunState.WAITING),
                    "by": by,
                    "conversion": str(Happening.CONVERSION),
                },
            )
        )
        for run, digest in rows:
            with suppress(Conflict):  # decided just now
                await self.decide(tenant, str(run), str(digest), "atom", agreed=False)

    async def revert(self, tenant: str, run: str, by: str) -> Run:
        """Have a run taken back that is over. Raises `Conflict` if it is not."""
        known = await self.called(tenant, run)
        if known.state not in {RunState.DONE, RunState.PARTLY}:
            raise Conflict(f"{run} cannot be taken back: it is {known.state}.")
        if not known.steps_to_revert:
            raise Conflict(f"{run} did nothing that could be taken back.")
        taken = replace(
            known, state=RunState.REVERTING, decided_by=by, decided_us=self.clock()
        )
        act = Act(tenant, "run.revert", by, f"take back {run}", _about(taken))
        receipt = await self.acts.note(act, (_update(taken),), key=f"run:back:{run}")
        if receipt.duplicate:
            raise Conflict(f"{run} is being taken back already.")
        return await self.called(tenant, run)

    async def due(self, tenant: str, lease_us: int) -> Run | None:
        """Take the oldest run that is to be done or taken back, for a while."""
        now = self.clock()
        given = {"tenant": tenant, "now": now, "until": now + lease_us}
        found = await self.store.run(lambda: _claim(given))
        return None if found is None else await self.called(tenant, found)

    async def begin(self, run: Run, number: int) -> None:
        """Write down that a step is about to be done."""
        done = Done(StepState.BEGUN, "", self.clock())
        await self.store.run(lambda: _only(_set_step(run, number, done)))

    async def end(self, run: Run, number: int, done: Done) -> None:
        """Write down how a step ended."""
        step = run.steps[number]
        note = f" ({done.note})" if done.note else ""
        act = Act(
            run.tenant,
            "run.step",
            "atom",
            f"{run.id}: {step.text}: {done.state}{note}",
            {**_about(run), "number": number, **step_data(step), "note": done.note},
            team=step.channel.team if step.channel else "",
            conv=step.channel.id if step.channel else "",
        )
        await self.acts.note(
            act,
            (_set_step(run, number, replace(done, at_us=self.clock())),),
            key=f"run:{run.id}:{number}:{done.state}",
        )

    async def conclude(self, run: Run, state: RunState) -> None:
        """Write down how a run ended."""
        ended = replace(run, state=state)
        act = Act(run.tenant, "run.end", "atom", f"{run.id} is {state}", _about(ended))
        await self.acts.note(act, (_update(ended),), key=f"run:{run.id}:{state}")

    async def seats(
        self, tenant: str, account: Account, channels: Mapping[Channel, str]
    ) -> tuple[frozenset[Seat], frozenset[Seat]]:
        """
        Return where an account is among linked channels, and what it left by choice.

        `channels` have the link of each.
        """
        inside, chosen = set(), set()
        for channel, link in channels.items():
            if channel.platform is not account.platform:
                continue
            seat = Seat(link, channel, account)
            there, left_us = await self._stay(tenant, seat)
            if there:
                inside.add(seat)
            elif left_us is not None:
                removed = await self._removed(tenant, seat)
                if left_by_choice(left_us, removed):
                    chosen.add(seat)
        return frozenset(inside), frozenset(chosen)

    async def _stay(self, tenant: str, seat: Seat) -> tuple[bool, int | None]:
        """Say whether somebody is in a channel, and when they left it last."""
        rows = await self.store.fetch(
            Statement(
                "SELECT to_us FROM membership WHERE tenant = :tenant "
                "AND platform = :platform AND conv = :conv AND subject = :subject "
                "ORDER BY from_us DESC LIMIT 1",
                _seat(tenant, seat),
                brief=True,
            )
        )
        if not rows:
            return False, None
        return rows[0][0] is None, rows[0][0]

    async def _removed(self, tenant: str, seat: Seat) -> list[int]:
        """Return when ATOM put somebody out of a channel, or may have."""
        rows = await self.store.fetch(
            Statement(
                "SELECT at_us FROM directory_run_step WHERE tenant = :tenant "
                "AND platform = :platform AND conv = :conv AND subject = :subject "
                "AND deed = :deed AND state IN ('begun', 'done', 'reverted')",
                {**_seat(tenant, seat), "deed": str(Deed.REMOVE)},
                brief=True,
            )
        )
        return [int(at_us) for (at_us,) in rows]

    async def _run(self, tenant: str, row: Row) -> Run:
        run, person, what, version, digest, state, body, created, by, decided = row
        told = json.loads(str(body))
        rows = await self.store.fetch(
            Statement(
                "SELECT state, note, at_us FROM directory_run_step "
                "WHERE tenant = :tenant AND run_id = :run ORDER BY number",
                {"tenant": tenant, "run": run},
            )
        )
        return Run(
            str(run),
            tenant,
            str(person),
            str(told["name"]),
            Happening(str(what)),
            str(version),
            str(digest),
            RunState(str(state)),
            int(str(created)),
            tuple(step_from(step) for step in told["steps"]),
            tuple(Done(StepState(s), str(note), int(at)) for s, note, at in rows),
            tuple(told["notes"]),
            str(by),
            int(str(decided)),
        )


def _about(run: Run) -> dict[str, Any]:
    return {
        "run": run.id,
        "person": run.person,
        "happening": str(run.happening),
        "version": run.version,
        "digest": run.digest,
        "state": str(run.state),
    }


def _insert(run: Run) -> Statement:
    body = {
        "name": run.name,
        "notes": list(run.notes),
        "steps": [step_data(step) for step in run.steps],
    }
    return Statement(
        f"INSERT INTO directory_run (tenant, {_COLUMNS}, claimed_us) VALUES (:tenant, "
        ":run, :person, :happening, :version, :digest, :state, :body, :created_us, '', "
        "0, 0) ON CONFLICT DO NOTHING",
        {
            "tenant": run.tenant,
            "run": run.id,
            "person": clean_id(run.person),
            "happening": str(run.happening),
            "version": run.version,
            "digest": run.digest,
            "state": str(run.state),
            "body": json.dumps(body, ensure_ascii=False),
            "created_us": run.created_us,
        },
    )


def _insert_step(run: Run, number: int) -> Statement:
    step = run.steps[number]
    return Statement(
        "INSERT INTO directory_run_step (tenant, run_id, number, deed, platform, conv, "
        "subject, state, note, at_us) VALUES (:tenant, :run, :number, :deed, :platform, "
        ":conv, :subject, 'pending', '', 0) ON CONFLICT DO NOTHING",
        {"tenant": run.tenant, "run": run.id, "number": number, **_of(step)},
    )


def _of(step: Step) -> dict[str, object]:
    account = step.account
    return {
        "deed": str(step.deed),
        "platform": str(account.platform) if account else "",
        "conv": clean_id(step.channel.id) if step.channel else "",
        "subject": clean_id(account.user) if account else "",
    }


def _set_step(run: Run, number: int, done: Done) -> Statement:
    return Statement(
        "UPDATE directory_run_step SET state = :state, note = :note, at_us = :at_us "
        "WHERE tenant = :tenant AND run_id = :run AND number = :number",
        {
            "tenant": run.tenant,
            "run": run.id,
            "number": number,
            "state": str(done.state),
            "note": done.note,
            "at_us": done.at_us,
        },
    )


def _update(run: Run) -> Statement:
    return Statement(
        "UPDATE directory_run SET state = :state, decided_by = :by, decided_us = :at, "
        "claimed_us = 0 "
        "WHERE tenant = :tenant AND run_id = :run",
        {
            "tenant": run.tenant,
            "run": run.id,
            "state": str(run.state),
            "by": clean_id(run.decided_by),
            "at": run.decided_us,
        },
    )


def _claim(given: Mapping[str, object]) -> Program[str | None]:
    rows = yield Statement(
        "UPDATE directory_run SET claimed_us = :until WHERE tenant = :tenant "
        "AND run_id = (SELECT run_id FROM directory_run WHERE tenant = :tenant "
        "AND state IN ('ready', 'reverting') AND claimed_us <= :now "
        "ORDER BY created_us, run_id LIMIT 1) AND claimed_us <= :now RETURNING run_id",
        given,
    )
    return str(rows[0][0]) if rows else None


def _only(statement: Statement) -> Program[None]:
    yield statement


def _seat(tenant: str, seat: Seat) -> dict[str, object]:
    return {
        "tenant": tenant,
        "platform": str(seat.channel.platform),
        "conv": clean_id(seat.channel.id),
        "subject": clean_id(seat.account.user),
    }
