"""
Decide on what waits for somebody's approval: a change, or a request.

Whether it is somebody's turn is looked up before anything is written: ServiceNow only
says that it is not, and never whose. What was decided is read again before any retry,
so that it is on record once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import ServiceUnavailable
from bridge.records.forms import Deed, Form, Input, InputKind
from bridge.records.model import RecordRef
from bridge.records.ports import Access, Done, NotYours, Unsure
from connectors.servicenow.calls import CHANGE as API
from connectors.servicenow.calls import Answer, Page, Part, row_of, rows_of
from connectors.servicenow.checks import required
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.rows import Row, written
from connectors.servicenow.tables import CHANGE
from connectors.servicenow.translate import waiting_on
from connectors.servicenow.writing import Me, Writing

STATES = {"approve": "approved", "reject": "rejected"}
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
class Approvals:
    """Takes decisions."""

    writing: Writing

    async def form(self, access: Access, ref: RecordRef, number: str) -> Form:
        """Return the form to reject with a reason. Raises `NotYours`."""
        await self.mine(access, ref, "reject")
        reason = Input(
            "comments", "Reason", InputKind.TEXT, required=True, longest=4_000
        )
        return Form("reject", f"Reject {number}", (reason,), "Reject", ref=ref)

    async def decide(self, access: Access, deed: Deed, ref: RecordRef) -> Done:
        """Approve or reject, once. Raises `NotYours`, `Rejected`, `Unsure`."""
        if deed.act == "reject":
            required(deed.values, {"comments": "Reason"})
        comments = deed.values.get("comments", "").strip()
        state = STATES[deed.act]
        found = await self.mine(access, ref, deed.act)
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
            if await self.mine(access, ref, deed.act) is None:
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
        if not found.delegator and ref.kind == CHANGE.kind:
            part = Part(API, f"/change/{ref.id}/approvals")
            return await self.writing.calls.write(access, "PATCH", part, body)
        # The Change API only knows approvals of one's own, and of changes.
        if found.delegator:
            whom = found.delegator
            said = f"{state.capitalize()} by {me.name} as delegate of {whom}."
            body["comments"] = f"{said} {comments}".strip()
        row = row_of("sysapproval_approver", found.row.id)
        return await self.writing.calls.write(access, "PATCH", row, body)

    async def _stands(self, access: Access, found: Decision, state: str) -> bool:
        """Say whether a decision whose answer was lost was recorded."""
        part = row_of("sysapproval_approver", found.row.id, ["state"])
        answer = await self.writing.calls.get(access, part)
        return answer.ok and any(row.value("state") == state for row in answer.rows())

    async def mine(self, access: Access, ref: RecordRef, act: str) -> Decision | None:
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
            settled(rows, me.id, STATES[act])
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


def pending(
    approvals: Sequence[Row], delegations: Sequence[Row], me: str, now: int
) -> Decision | None:
    """Return the approval that somebody may give now (seconds), their own first."""
    open_ = [row for row in approvals if row.value("state") == "requested"]
    for row in open_:
        if row.value("approver") == me:
            return Decision(row)
    theirs = {each.value("user") for each in delegations if holds(each, now)}
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
    if not approvals:
        raise NotYours("you are not an approver of this")
    if not waiting:
        raise NotYours("nobody’s approval is asked for now")
    raise NotYours(f"you are not an approver of this: it is waiting on {waiting}")


def holds(delegation: Row, now: int) -> bool:
    """Say whether somebody stands in for somebody else at a moment (seconds)."""
    from_, until = delegation.value("starts"), delegation.value("ends")
    at = written(now)
    return (not from_ or from_ <= at) and (not until or at <= until)
