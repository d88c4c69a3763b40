"""What people do with changes: decide on them, comment, move them on."""

from dataclasses import dataclass

from bridge.errors import BadInput
from bridge.records.forms import Deed, Form, Input, InputKind
from bridge.records.model import RecordRef
from bridge.records.orphans import GIVE
from bridge.records.ports import Access, Done, Rejected
from connectors.servicenow.approvals import STATES, Approvals
from connectors.servicenow.calls import CHANGE as API
from connectors.servicenow.calls import Answer, Part
from connectors.servicenow.creating import created, described
from connectors.servicenow.handing import Handing
from connectors.servicenow.incidents import ELEMENTS, Incidents, comment_form
from connectors.servicenow.reading import moves_of
from connectors.servicenow.rows import Row
from connectors.servicenow.tables import CHANGE, INTERNAL
from connectors.servicenow.translate import MOVE
from connectors.servicenow.writing import Writing


@dataclass(frozen=True, slots=True)
class Changes:
    """Forms for changes, and what is done with them."""

    writing: Writing
    incidents: Incidents
    approvals: Approvals
    handing: Handing

    async def form(self, access: Access, act: str, ref: RecordRef | None) -> Form:
        """Return what to ask for. Raises `BadInput`, `Gone`, `NotYours`."""
        if ref is None:
            if act != "create":
                raise BadInput("choose a change first")
            inputs, kind = _inputs(), CHANGE.kind
            return Form(act, "New normal change", inputs, "Create", kind=kind)
        row = await self.writing.row(access, ref)
        number = row.value("number")
        if act in ELEMENTS:
            return comment_form(act, ref, number)
        if act == "reject":
            return await self.approvals.form(access, ref, number)
        raise BadInput("that needs no form")

    async def perform(self, access: Access, deed: Deed) -> Done:
        """Do one thing. Raises what `bridge.records.ports.Records.perform` does."""
        ref = deed.ref
        if ref is None:
            if deed.act != "create":
                raise BadInput("choose a change first")
            me = await self.writing.me(access)
            more = {"type": "normal", "requested_by": me.id}
            return await created(self.writing, access, deed, CHANGE, _inputs(), more)
        async with self.writing.turn(str(ref)):
            if deed.act in STATES:
                return await self.approvals.decide(access, deed, ref)
            if deed.act == GIVE:
                return await self.handing.give(access, deed, ref)
            row = await self.writing.row(access, ref)
            if deed.act in ELEMENTS:
                return await self.incidents.say(access, deed, ref, row)
            if deed.act.startswith(MOVE):
                return await self._move(access, ref, row, deed.act.removeprefix(MOVE))
        raise BadInput("that cannot be done with a change")

    async def _move(self, access: Access, ref: RecordRef, row: Row, state: str) -> Done:
        if row.value("state") == state:
            return Done(await self.writing.record(access, ref), again=True)
        part = Part(API, f"/change/{ref.id}/nextstates")
        answer = await self.writing.calls.get(access, part)
        self.writing.refuse(answer)
        if state not in dict(moves_of(answer, row)):
            why = _unmet(answer, state)
            raise Rejected(f"it cannot be moved there now{f': {why}' if why else ''}")
        part = Part(API, f"/change/{ref.id}")
        moved = await self.writing.calls.write(access, "PATCH", part, {"state": state})
        return await self.writing.done(access, ref, row, {"state": state}, moved)


def _inputs() -> tuple[Input, ...]:
    plans = ("justification", "backout_plan", "test_plan")
    labels = {each.field: each.label for each in CHANGE.shown}
    return (
        *described(),
        *(
            Input(name, labels[name], InputKind.TEXT, longest=4_000, cls=INTERNAL)
            for name in plans
        ),
    )


def _unmet(answer: Answer, state: str) -> str:
    """Return what keeps a change from a state, in ServiceNow's words."""
    told = answer.result if isinstance(answer.result, dict) else {}
    return ", ".join(
        str((condition.get("condition") or {}).get("name") or "")
        for steps in told.get("state_transitions") or ()
        for step in steps
        if str(step.get("to_state")) == state
        for condition in step.get("conditions") or ()
        if not condition.get("passed")
    )
