"""
Several writes that belong together, in systems that know nothing of each other.

They are done one after the other, and at once those that stand next to each other in a
system which does all of them or none. If one cannot be done, those behind it wait, and the
person sees how far it got and chooses: trying again does no step a second time, and
taking back undoes those that can be undone. Nothing is taken back by itself: what was
written in a business system was seen there.

The whole plan is kept before the first step, behind the button that begins it. Whoever
presses that again after a crash goes on where it was: each step's deed has a key of its
own, by which it is known to be done.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import Any, Self

from bridge.access import Action
from bridge.errors import AtomError, BadInput, NotAllowed, NotFound
from bridge.records.admitting import Admitted, Admitting
from bridge.records.answering import sentence
from bridge.records.books import ActBook, IssuedAct, LeftAct, UsedUp
from bridge.records.desk import Asker
from bridge.records.doing import Did, Doing, Wanted, key_of
from bridge.records.drawing import Clock, Drawing
from bridge.records.forms import (
    DEED,
    MADE,
    TAKE_BACK,
    Choice,
    Deed,
    Form,
    Input,
    InputKind,
)
from bridge.records.model import PUBLIC, Needs, Offer, RecordRef, Revision, System
from bridge.records.places import Shown
from bridge.records.ports import AllAtOnce, Done, PartFailed, TakesBack, Unsure
from bridge.records.steps import MOST
from bridge.records.systems import the

SAGA = "steps"
NEXT = "next"
NEW = "new"
NOTHING: Mapping[str, str] = MappingProxyType({})
_AGAIN, _BACK = "again", "back"
_FOR_GOOD = "that cannot be undone from here."

Pairs = tuple[tuple[str, str], ...]
Change = tuple[
    str, str, str
]  # an input, its value before, and the one that was written


@dataclass(frozen=True, slots=True)
class Step:
    """
    One write: an act on a record, in words that people know it by.

    `seen` and `base` are what its form showed and of which revision, where the act
    depends on that; `classes` are those of the fields that are written. A record that
    is to be made has no id yet: `NEW` stands for it.
    """

    ref: RecordRef
    act: str
    label: str
    values: Pairs = ()
    right: Action = Action.RECORD_UPDATE
    seen: Pairs = ()
    base: Revision | None = None
    classes: tuple[str, ...] = ()

    @property
    def target(self) -> RecordRef | None:
        """The record that is written to, None if it is to be made."""
        return None if self.ref.id == NEW else self.ref


class Stage(StrEnum):
    """How far a step came."""

    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"
    BACK = "taken back"


@dataclass(frozen=True, slots=True)
class Progress:
    """
    How far all of it came; `correlation` is what every entry of it has on record.

    `changes` are what each step changed, as far as that is known.
    """

    correlation: str
    steps: tuple[Step, ...]
    stages: tuple[Stage, ...]
    said: tuple[str, ...]
    changes: tuple[tuple[Change, ...], ...]

    @classmethod
    def of(cls, correlation: str, steps: Sequence[Step]) -> Self:
        """Return the plan of steps, none of which is done."""
        many = len(steps)
        waiting = (Stage.WAITING,) * many
        return cls(correlation, tuple(steps), waiting, ("",) * many, ((),) * many)

    @property
    def complete(self) -> bool:
        return all(stage is Stage.DONE for stage in self.stages)

    @property
    def lines(self) -> tuple[str, ...]:
        signs = {
            Stage.DONE: "✓",
            Stage.FAILED: "✗",
            Stage.WAITING: "…",
            Stage.BACK: "↩",
        }
        return tuple(
            f"{signs[stage]} {step.label}: {said or stage}"
            for step, stage, said in zip(
                self.steps, self.stages, self.said, strict=True
            )
        )


@dataclass(frozen=True, slots=True)
class Saga:
    """Does steps, each decided, on record and done once by its own key."""

    admitting: Admitting
    doing: Doing
    drawing: Drawing
    acts: ActBook
    clock: Clock

    async def begin(
        self, asker: Asker, steps: Sequence[Step], shown: Shown
    ) -> Progress:
        """Do all steps as far as they can be done. Raises `BadInput` for too many."""
        return await self._go_on(asker, self._plan(steps), shown)

    async def offered(self, asker: Asker, steps: Sequence[Step]) -> IssuedAct:
        """Keep the plan behind a button of the person's own. Raises `BadInput`."""
        plan = self._plan(steps)
        return await self._issued(asker, plan, plan.steps[0], Needs.CONFIRMATION)

    async def resumed(self, asker: Asker, left: LeftAct) -> tuple[Progress, IssuedAct]:
        """
        Return how far steps came that were cut short, and a button that goes on.

        Where the person took steps back, it goes on with that.
        """
        plan = _read(left.act)
        back = left.deed == _BACK
        stages, said = list(plan.stages), list(plan.said)
        for n in range(len(plan.steps)):
            part = (_BACK,) if back else ()
            key = key_of(asker.tenant, left.person, plan.correlation, n, *part)
            if await self.doing.finished_before(asker.tenant, key):
                stages[n], said[n] = (Stage.BACK if back else Stage.DONE), ""
        made = replace(plan, stages=tuple(stages), said=tuple(said))
        label = "Go on taking back" if back else "Go on"
        act = await self._issued(
            asker,
            plan,
            plan.steps[0],
            Needs.CONFIRMATION,
            label=label,
            wanted=left.deed,
        )
        return made, act

    async def again(
        self,
        asker: Asker,
        act: IssuedAct,
        shown: Shown,
        values: Mapping[str, str] = NOTHING,
    ) -> Progress | None:
        """Go on with what was not done, or take back what was. Refusals are shown."""
        wanted = values.get(NEXT) or act.detail.get(NEXT, "")
        try:
            who = await self.admitting.admit(asker, act)
            await self.acts.claim(
                asker.tenant,
                act.token,
                who.person,
                self.clock(),
                address=asker.address,
                deed=wanted,
            )
        except UsedUp as used:
            await shown.finished(
                "That is recorded already." if used.outcome else str(used)
            )
            return None
        except AtomError as error:
            await shown.finished(sentence(error, "ATOM"))
            return None
        if wanted == _BACK:
            made = await self._take_back(asker, _read(act), shown)
        else:
            made = await self._go_on(asker, _read(act), shown)
        await self.acts.concluded(asker.tenant, act.token, who.person, "recorded")
        return made

    def _plan(self, steps: Sequence[Step]) -> Progress:
        if not 0 < len(steps) <= MOST:
            raise BadInput(f"Between 1 and {MOST} steps can be done at once.")
        return Progress.of(self.drawing.tokens(), steps)

    async def _go_on(self, asker: Asker, progress: Progress, shown: Shown) -> Progress:
        stages, said = list(progress.stages), list(progress.said)
        changes = list(progress.changes)
        for some in self._at_once(asker, progress):
            try:
                made = await self._some(asker, progress, some)
            except PartFailed as failed:
                n = some[failed.place]
                step = progress.steps[n]
                for other in some:
                    stages[other] = Stage.WAITING
                    said[other] = _with(step, failed.error)
                said[n] = sentence(failed.error, step.ref.system.shown)
                stages[n] = Stage.FAILED
                break
            for n, did in zip(some, made, strict=True):
                said[n], stages[n] = did.text, Stage.DONE
                changes[n] = _changed(did.done)
        now = replace(
            progress, stages=tuple(stages), said=tuple(said), changes=tuple(changes)
        )
        await self._show(asker, now, shown)
        return now

    def _at_once(self, asker: Asker, progress: Progress) -> Iterator[tuple[int, ...]]:
        """
        Return the steps that are not done, in order: those that stand next to each
        other in a system which does several at once are done together.
        """
        steps = progress.steps
        left = [n for n, stage in enumerate(progress.stages) if stage is not Stage.DONE]
        while left:
            where, beside = next(groupby(left, lambda n: _place(steps[n])))
            side = list(beside)
            many = 1
            try:
                records = the(self.admitting.systems, asker.tenant, *where)
            except NotFound:
                pass  # which is said when the step is tried
            else:
                if isinstance(records, AllAtOnce):
                    many = records.at_once([_deed(steps[n], "") for n in side])
            yield tuple(side[:many])
            left = left[many:]

    async def _some(
        self, asker: Asker, progress: Progress, some: Sequence[int]
    ) -> Sequence[Did]:
        """Do one step, or several at once. Raises `PartFailed`."""
        wanted = []
        for place, n in enumerate(some):
            step = progress.steps[n]
            try:
                who = await self._admitted(asker, step)
            except AtomError as error:
                raise PartFailed(place, error) from error
            key = key_of(asker.tenant, who.person, progress.correlation, n)
            wanted.append(Wanted(who, _deed(step, key), step.label))
        return await self.doing.do_all(wanted, progress.correlation)

    async def _admitted(self, asker: Asker, step: Step) -> Admitted:
        person = await self.admitting.known(asker)
        offer = Offer(step.act, step.label, step.right)
        act = self.drawing.personal(asker, person, step.ref, offer)
        who = await self.admitting.admit(asker, act)
        for cls in step.classes:
            if cls != PUBLIC:
                await self.admitting.decided(asker, act, cls)
        return who

    async def _take_back(
        self, asker: Asker, progress: Progress, shown: Shown
    ) -> Progress:
        """Undo the steps that were done, the last one first, as far as they can be."""
        stages, said = list(progress.stages), list(progress.said)
        for n in reversed(range(len(progress.steps))):
            if stages[n] is not Stage.DONE:
                continue
            try:
                await self._undo(asker, progress, n)
            except AtomError as error:
                why = sentence(error, progress.steps[n].ref.system.shown)
                said[n] = f"{said[n]} It stays: {why}"
            else:
                said[n], stages[n] = "", Stage.BACK
        made = replace(progress, stages=tuple(stages), said=tuple(said))
        await shown.finished("\n".join(made.lines))
        return made

    async def _undo(self, asker: Asker, progress: Progress, n: int) -> None:
        """
        Write what stood there before, if what the step wrote still stands; delete what
        it added or made, if nobody changed that.
        """
        step, changes = progress.steps[n], progress.changes[n]
        who = await self._admitted(asker, replace(step, right=Action.RECORD_UPDATE))
        key = key_of(asker.tenant, who.person, progress.correlation, n, _BACK)
        if await self.doing.finished_before(asker.tenant, key):
            return  # by a try that was cut short
        label = f"Taken back: {step.label}"
        records = self.admitting.system(asker.tenant, who.act)
        if isinstance(records, TakesBack) and records.takes_back(
            step.act, step.ref.kind
        ):
            added = key_of(asker.tenant, who.person, progress.correlation, n)
            made = await self.doing.made(asker.tenant, added)
            told = {DEED: added, MADE: made}
            deed = Deed(TAKE_BACK, key, step.target, step.ref.kind, told)
            try:
                await self.doing.do(who, deed, label, progress.correlation)
            except BadInput:
                raise NotAllowed(_FOR_GOOD) from None
            return
        form = await self._form(who, step, {id_ for id_, _, _ in changes})
        standing = {each.id: each.value for each in form.inputs}
        if any(standing[id_] != written for id_, _, written in changes):
            raise NotAllowed("it was changed again since.")
        deed = Deed(
            form.act,
            key,
            step.ref,
            step.ref.kind,
            {id_: before for id_, before, _ in changes},
            standing,
            form.rev,
        )
        await self.doing.do(who, deed, label, progress.correlation)

    async def _form(self, who: Admitted, step: Step, ids: set[str]) -> Form:
        """Return the form in which all that a step changed can be entered."""
        if ids:
            access = await self.admitting.account(who.asker, who.person, who.act)
            records = self.admitting.system(who.asker.tenant, who.act)
            for act in dict.fromkeys((step.act, "edit")):
                try:
                    form = await records.form(access, act, step.ref, step.ref.kind)
                except BadInput:
                    continue
                if ids <= {each.id for each in form.inputs}:
                    return replace(form, act=act)
        raise NotAllowed(_FOR_GOOD)

    async def _show(self, asker: Asker, made: Progress, shown: Shown) -> None:
        if made.complete:
            await shown.finished("\n".join(made.lines))
            return
        failed = made.steps[made.stages.index(Stage.FAILED)]
        act = await self._issued(asker, made, failed, Needs.FORM)
        title = "Not everything could be done"
        note = "\n".join(made.lines)
        choices = [Choice(_AGAIN, "Try the rest again")]
        if Stage.DONE in made.stages:
            choices.append(Choice(_BACK, "Take back what was done"))
        what = Input(
            NEXT,
            "What now?",
            InputKind.CHOICE,
            _AGAIN,
            required=True,
            choices=tuple(choices),
        )
        form = Form(SAGA, title, (what,), "Continue", failed.ref, note=note)
        await shown.form(form, act.token)

    async def _issued(  # noqa: PLR0913 - what its button is for
        self,
        asker: Asker,
        made: Progress,
        step: Step,
        needs: Needs,
        *,
        label: str = "Try again",
        wanted: str = "",
    ) -> IssuedAct:
        person = await self.admitting.known(asker)
        offer = Offer(SAGA, label, step.right)
        detail = {"saga": _written(made), NEXT: wanted}
        act = self.drawing.personal(asker, person, step.ref, offer, detail=detail)
        act = replace(act, needs=needs)
        await self.acts.issue([act])
        return act


def _place(step: Step) -> tuple[System, str]:
    return step.ref.system, step.ref.instance


def _deed(step: Step, key: str) -> Deed:
    values, seen = dict(step.values), dict(step.seen)
    return Deed(step.act, key, step.target, step.ref.kind, values, seen, step.base)


def _with(step: Step, error: AtomError) -> str:
    """Say what became of a step that was to be done at once with one that failed."""
    if isinstance(error, Unsure):
        return f"as little known as {step.label}"
    return f"not done because {step.label} failed"


def _changed(done: Done | None) -> tuple[Change, ...]:
    """Return what a step changed itself, as forms hold it."""
    if done is None or done.again:
        return ()
    both = done.before.keys() & done.after.keys()
    changed = {n: (done.before[n], done.after[n]) for n in sorted(both)}
    return tuple((n, old, new) for n, (old, new) in changed.items() if old != new)


def _written(made: Progress) -> str:
    return json.dumps(
        {
            "correlation": made.correlation,
            "stages": made.stages,
            "said": made.said,
            "changes": made.changes,
            "steps": [
                {
                    "ref": str(s.ref),
                    "act": s.act,
                    "label": s.label,
                    "values": s.values,
                    "right": s.right,
                    "seen": s.seen,
                    "base": [s.base.order, s.base.text] if s.base else None,
                    "classes": s.classes,
                }
                for s in made.steps
            ],
        }
    )


def _read(act: IssuedAct) -> Progress:
    told = json.loads(act.detail["saga"])
    return Progress(
        told["correlation"],
        tuple(_step_of(each) for each in told["steps"]),
        tuple(Stage(each) for each in told["stages"]),
        tuple(told["said"]),
        tuple(tuple((n, old, new) for n, old, new in one) for one in told["changes"]),
    )


def _step_of(told: Mapping[str, Any]) -> Step:
    return Step(
        RecordRef.parse(told["ref"]),
        told["act"],
        told["label"],
        tuple((id_, text) for id_, text in told["values"]),
        Action(told["right"]),
        tuple((id_, text) for id_, text in told["seen"]),
        Revision(*told["base"]) if told["base"] else None,
        tuple(told["classes"]),
    )
