"""What people do with requests of the catalogue: decide on them, and comment."""

from dataclasses import dataclass

from bridge.errors import BadInput
from bridge.records.forms import Deed, Form
from bridge.records.model import RecordRef
from bridge.records.orphans import GIVE
from bridge.records.ports import Access, Done
from connectors.servicenow.approvals import STATES, Approvals
from connectors.servicenow.handing import Handing
from connectors.servicenow.incidents import Incidents, comment_form
from connectors.servicenow.writing import Writing

_COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Requests:
    """Forms for requests, and what is done with them."""

    writing: Writing
    incidents: Incidents
    approvals: Approvals
    handing: Handing

    async def form(self, access: Access, act: str, ref: RecordRef | None) -> Form:
        """Return what to ask for. Raises `BadInput`, `Gone`, `NotYours`."""
        if ref is None:
            raise BadInput("choose something of the catalogue to order")
        number = (await self.writing.row(access, ref)).value("number")
        if act == "reject":
            return await self.approvals.form(access, ref, number)
        if act == _COMMENT:
            return comment_form(act, ref, number)
        raise BadInput("that needs no form")

    async def perform(self, access: Access, deed: Deed) -> Done:
        """Do one thing. Raises what `bridge.records.ports.Records.perform` does."""
        if deed.ref is None:
            raise BadInput("choose something of the catalogue to order")
        async with self.writing.turn(str(deed.ref)):
            if deed.act in STATES:
                return await self.approvals.decide(access, deed, deed.ref)
            if deed.act == GIVE:
                return await self.handing.give(access, deed, deed.ref)
            if deed.act == _COMMENT:
                row = await self.writing.row(access, deed.ref)
                return await self.incidents.say(access, deed, deed.ref, row)
        raise BadInput("that cannot be done with a request")
