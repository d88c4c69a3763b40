"""
What people do with changes: decide on them, comment, move them on.

Whether it is somebody's turn is looked up before anything is written: ServiceNow only
says that it is not, and never whose. What was decided is read again before any retry,
so that it is on record once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Deed, Form, Input, InputKind
from bridge.records.model import RecordRef
from bridge.records.ports import Access, Done, NotYours, Rejected, Unsure
from connectors.servicenow.calls import CHANGE as API
from connectors.servicenow.calls import Answer, Page, Part, row_of, rows_of
from connectors.servicenow.checks import required
from connectors.servicenow.creating import created, described
from connectors.servicenow.incidents import ELEMENTS, Incidents, comment_form
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.reading import moves_of
from connectors.servicenow.rows import Row, written
from connectors.servicenow.tables import CHANGE, INTERNAL
from connectors.servicenow.translate import MOVE, waiting_on
from connectors.servicenow.writing import Me, Writing

_STATES = {"approve": "approved", "reject": "rejected"}
_DONE = {"approved": "You approved this", "rejected": "You rejected this"}
_MOST = 200


@dataclass(frozen=True, slots=True)
class Decision:
    """
    An approval that is somebody's to give: their own, or one they stand in for.

    `delegator` is empty for their own, and else the name of whose it is.
    """

    row: Row
    delegator: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """Forms for changes, and what is done with them."""

    writing: Writing
    incidents: Incidents

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
            await self._mine(access, ref, act)
            reason = Input(
                "comments", "Reason", InputKind.TEXT, required=True, longest=4_000
            )
            return Form(act, f"Reject {number}", (reason,), "Reject", ref=ref)
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
            if deed.act in _STATES:
                return await self._decide(access, deed, ref)
            row = await self.writing.row(access, ref)
            if deed.act in ELEMENTS:
                return await self.incidents.say(access, deed, ref, row)
            if deed.act.startswith(MOVE):
                return await self._move(access, ref, row, deed.act.removeprefix(MOVE))
        raise BadInput("that cannot be done with a change")

    async def _decide(self, access: Access, deed: Deed, ref: RecordRef) -> Done:
        if deed.act == "reject":
            required(deed.values, {"comments": "Reason"})
        comments = deed.values.get("comments", "").strip()
        state = _STATES[deed.act]
        found = await self._mine(access, ref, deed.act)
        if found is None:
            return Done(await self.writing.record(access, ref), again=True)
        me = await self.writing.me(access)
        try:
            answer = await self._record(access, ref, found, state, comments, me)
        except Unsure:
            if not await self._stands(access, found, state):
                raise
            answer = Answer(200, {})
        if not answer.ok:
            # Somebody may have decided meanwhile, this person elsewhere included.
            if await self._mine(access, ref, deed.act) is None:
                return Done(await self.writing.record(access, ref), again=True)
            self.writing.refuse(answer)
        record = await self.writing.record(access, ref)
        as_whom = f"as delegate of {found.delegator}" if found.delegator else ""
        before, after = {"approval": "requested"}, {"approval": state}
        return Done(record, answer.request, before, after, note=as_whom)

    async def _record(  # noqa: PLR0913, PLR0917 - one decision, and who takes it
        self,
        access: Access,
        ref: RecordRef,
        found: Decision,
        state: str,
        comments: str,
        me: Me,
    ) -> Answer:
        body = {"state": state} | ({"comments": comments} if comments else {})
        if not found.delegator:
            part = Part(API, f"/change/{ref.id}/approvals")
            return await self.writing.calls.write(access, "PATCH", part, body)
        # The Change API only knows approvals of one's own.
        said = f"{state.capitalize()} by {me.name} as delegate of {found.delegator}."
        body["comments"] = f"{said} {comments}".strip()
        row = row_of("sysapproval_approver", found.row.id)
        return await self.writing.calls.write(access, "PATCH", row, body)

    async def _stands(self, access: Access, found: Decision, state: str) -> bool:
        """Say whether a decision whose answer was lost was recorded."""
        part = row_of("sysapproval_approver", found.row.id, ["state"])
        answer = await self.writing.calls.get(access, part)
        return answer.ok and any(row.value("state") == state for row in answer.rows())

    async def _mine(self, access: Access, ref: RecordRef, act: str) -> Decision | None:
        """
        Return the approval that this account may give now.

        None if it was given already as wanted. Raises `NotYours` with who is waited for.
        """
        me = await self.writing.me(access)
        stand = Query(
            (
                where("delegate", Op.IS, me.id),
                where("approvals", Op.IS, "true"),
            )
        )
        rows, delegations = await self._approvals(access, ref, stand)
        if rows is None:
            raise ServiceUnavailable("ServiceNow does not show who approves this now")
        if not rows:
            await self.writing.row(access, ref)  # whoever may not see it is told so
        now = self.writing.reading.now_us() // 1_000_000
        found = pending(rows, delegations, me.id, now)
        if found is None:
            settled(rows, me.id, _STATES[act])
        return found

    async def _approvals(
        self, access: Access, ref: RecordRef, stand: Query
    ) -> tuple[list[Row] | None, Sequence[Row]]:
        query = Query((where("sysapproval", Op.IS, ref.id),), "sys_created_on")
        fields = ["approver", "state", "group"]
        parts = [
            rows_of("sysapproval_approver", Page(query, fields, _MOST)),
            rows_of(
                "sys_user_delegate", Page(stand, ["user", "starts", "ends"], _MOST)
            ),
        ]
        approvals, delegates = await self.writing.calls.ask(access, parts)
        kept = self.writing.reading.kept
        rows = kept("sysapproval_approver", query, approvals)
        return rows, kept("sys_user_delegate", stand, delegates) or ()

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


def pending(
    approvals: Sequence[Row], delegations: Sequence[Row], me: str, now: int
) -> Decision | None:
    """Return the approval that somebody may give now (seconds), their own first."""
    open_ = [row for row in approvals if row.value("state") == "requested"]
    for row in open_:
        if row.value("approver") == me:
            return Decision(row)
    theirs = {each.value("user") for each in delegations if _holds(each, now)}
    for row in open_:
        if row.value("approver") in theirs:
            return Decision(row, row.text("approver"))
    return None


def settled(approvals: Sequence[Row], me: str, wanted: str) -> None:
    """Return if somebody decided as wanted before. Raises `NotYours` if they did not."""
    own = {row.value("state") for row in approvals if row.value("approver") == me}
    if wanted in own:
        return
    for state in sorted(own & set(_DONE)):
        raise NotYours(f"{_DONE[state]} before")
    waiting = waiting_on(approvals)
    if not waiting:
        raise NotYours("nobody’s approval is asked for now")
    raise NotYours(f"you are not an approver of this: it is waiting on {waiting}")


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


def _holds(delegation: Row, now: int) -> bool:
    """Say whether somebody stands in for somebody else at a moment (seconds)."""
    from_, until = delegation.value("starts"), delegation.value("ends")
    at = written(now)
    return (not from_ or from_ <= at) and (not until or at <= until)


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
