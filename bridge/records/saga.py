"""
Several writes that belong together, in systems that know nothing of each other.

They are done one after the other. If one cannot be done, those behind it wait, and the
person sees how far it got; trying again does no step a second time. Nothing is taken
back by itself: what was written in a business system was seen there.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.access import Action
from bridge.errors import AtomError, BadInput
from bridge.records.admitting import Admitting
from bridge.records.answering import sentence
from bridge.records.books import ActBook, IssuedAct
from bridge.records.desk import Asker
from bridge.records.doing import Doing, key_of
from bridge.records.drawing import Clock, Drawing
from bridge.records.forms import Deed, Form
from bridge.records.model import Offer, RecordRef
from bridge.records.places import Shown

SAGA = "steps"
_MOST = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One write: an act on a record, in words that people know it by."""

    ref: RecordRef
    act: str
    label: str
    values: tuple[tuple[str, str], ...] = ()
    right: Action = Action.RECORD_UPDATE


class Stage(StrEnum):
    """How far a step came."""

    DONE = "done"
    FAILED = "failed"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far all of it came; `correlation` is what every entry of it has on record."""

    correlation: str
    steps: tuple[Step, ...]
    stages: tuple[Stage, ...]
    said: tuple[str, ...]

    @property
    def complete(self) -> bool:
        return all(stage is Stage.DONE for stage in self.stages)

    @property
    def lines(self) -> tuple[str, ...]:
        signs = {Stage.DONE: "✓", Stage.FAILED: "✗", Stage.WAITING: "…"}
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
        if not 0 < len(steps) <= _MOST:
            raise BadInput(f"Between 1 and {_MOST} steps can be done at once.")
        waiting = (Stage.WAITING,) * len(steps)
        start = Progress(
            self.drawing.tokens(), tuple(steps), waiting, ("",) * len(steps)
        )
        return await self._go_on(asker, start, shown)

    async def again(
        self, asker: Asker, act: IssuedAct, shown: Shown
    ) -> Progress | None:
        """Go on with what was not done. Refusals are shown."""
        try:
            who = await self.admitting.admit(asker, act)
            await self.acts.claim(asker.tenant, act.token, who.person, self.clock())
        except AtomError as error:
            await shown.finished(sentence(error, "ATOM"))
            return None
        return await self._go_on(asker, _read(act), shown)

    async def _go_on(self, asker: Asker, progress: Progress, shown: Shown) -> Progress:
        stages, said = list(progress.stages), list(progress.said)
        for n, step in enumerate(progress.steps):
            if stages[n] is Stage.DONE:
                continue
            try:
                said[n] = await self._step(asker, progress.correlation, n, step)
                stages[n] = Stage.DONE
            except AtomError as error:
                said[n] = sentence(error, step.ref.system.shown)
                stages[n] = Stage.FAILED
                break
        made = replace(progress, stages=tuple(stages), said=tuple(said))
        await self._show(asker, made, shown)
        return made

    async def _step(self, asker: Asker, correlation: str, n: int, step: Step) -> str:
        person = await self.admitting.known(asker)
        offer = Offer(step.act, step.label, step.right)
        act = self.drawing.personal(asker, person, step.ref, offer)
        who = await self.admitting.admit(asker, act)
        key = key_of(asker.tenant, person, correlation, n)
        deed = Deed(step.act, key, step.ref, step.ref.kind, dict(step.values))
        did = await self.doing.do(who, deed, step.label, correlation)
        return did.text

    async def _show(self, asker: Asker, made: Progress, shown: Shown) -> None:
        if made.complete:
            await shown.finished("\n".join(made.lines))
            return
        person = await self.admitting.known(asker)
        failed = made.steps[made.stages.index(Stage.FAILED)]
        offer = Offer(SAGA, "Try again", failed.right)
        act = self.drawing.personal(
            asker, person, failed.ref, offer, detail={"saga": _written(made)}
        )
        await self.acts.issue([act])
        title = "Not everything could be done"
        note = "\n".join(made.lines)
        form = Form(SAGA, title, (), "Try again", failed.ref, note=note)
        await shown.form(form, act.token)


def _written(made: Progress) -> str:
    return json.dumps(
        {
            "correlation": made.correlation,
            "stages": made.stages,
            "said": made.said,
            "steps": [
                [str(s.ref), s.act, s.label, list(s.values), str(s.right)]
                for s in made.steps
            ],
        }
    )


def _read(act: IssuedAct) -> Progress:
    told = json.loads(act.detail["saga"])
    steps = tuple(
        Step(
            RecordRef.parse(ref),
            act_,
            label,
            tuple((id_, text) for id_, text in values),
            Action(right),
        )
        for ref, act_, label, values, right in told["steps"]
    )
    stages = tuple(Stage(each) for each in told["stages"])
    return Progress(told["correlation"], steps, stages, tuple(told["said"]))
