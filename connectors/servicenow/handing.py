"""
Approvals that wait, who stands in for an approver, and making somebody else the approver.

Whoever has the role approval_admin may change an approval's approver. From anybody else
ServiceNow refuses the row, or drops the field without a word; both are told.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Deed
from bridge.records.model import RecordRef
from bridge.records.orphans import APPROVAL, FROM, TO, Waiting
from bridge.records.ports import Access, Done, Gone, NotYours, Unsure
from connectors.servicenow.approvals import holds
from connectors.servicenow.calls import Page, row_of, rows_of
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.rows import Row
from connectors.servicenow.tables import BY_NAME, CHANGE, REQUEST, SYS_ID
from connectors.servicenow.writing import Writing

_TABLE = "sysapproval_approver"
_PAGE = 200
_PAGES = 100  # more approvals than these wait for nobody who could look at them
_AT_ONCE = 50  # values in one question


@dataclass(frozen=True, slots=True)
class Handing:
    """Reads whom approvals wait on, and hands one on."""

    writing: Writing

    async def waiting(self, access: Access) -> Sequence[Waiting]:
        """Implements `bridge.records.orphans.HandsOn.waiting`."""
        query = Query(
            (
                where("state", Op.IS, "requested"),
                where("source_table", Op.IN, CHANGE.name, REQUEST.name),
            ),
            "sys_created_on",
        )
        fields = [
            "sysapproval",
            "source_table",
            "approver",
            "approver.email",
            "group.manager.email",
        ]
        found: dict[str, Waiting] = {}
        for turn in range(_PAGES):
            page = Page(query, fields, _PAGE, turn * _PAGE)
            rows, more = await self._page(access, _TABLE, page)
            found |= {one.id: one for row in rows if (one := self._waiting(row))}
            if not more:
                break
        return list(found.values())

    def _waiting(self, row: Row) -> Waiting | None:
        table = BY_NAME.get(row.value("source_table"))
        ids = (row.id, row.value("sysapproval"), row.value("approver"))
        if table is None or not all(SYS_ID.fullmatch(each) for each in ids):
            return None
        return Waiting(
            row.id,
            self.writing.reading.ref(table.kind, ids[1]),
            ids[2],
            _address(row.value("approver.email")),
            _address(row.value("group.manager.email")),
        )

    async def deputies(
        self, access: Access, approvers: Collection[str]
    ) -> Mapping[str, Sequence[str]]:
        """Implements `bridge.records.orphans.HandsOn.deputies`."""
        now = self.writing.reading.now_us() // 1_000_000
        found: dict[str, dict[str, None]] = {}
        for part in _parts(approvers):
            query = Query(
                (where("user", Op.IN, *part), where("approvals", Op.IS, "true")),
                "starts",
            )
            fields = ["starts", "ends", "delegate.email", "delegate.active"]
            rows, _ = await self._page(
                access, "sys_user_delegate", Page(query, fields, _PAGE)
            )
            for row in rows:
                address = _address(row.value("delegate.email"))
                active = row.value("delegate.active") != "false"
                if address and active and holds(row, now):
                    found.setdefault(row.value("user"), {})[address] = None
        return {user: list(addresses) for user, addresses in found.items()}

    async def accounts_of(
        self, access: Access, addresses: Collection[str]
    ) -> Mapping[str, str]:
        """Implements `bridge.records.orphans.HandsOn.accounts_of`."""
        found: dict[str, set[str]] = {}
        for part in _parts(addresses):
            query = Query(
                (where("email", Op.IN, *part), where("active", Op.IS, "true"))
            )
            rows, _ = await self._page(access, "sys_user", Page(query, [], _PAGE))
            for row in rows:
                found.setdefault(_address(row.value("email")), set()).add(row.id)
        # An address that two accounts have names neither.
        return {mail: next(iter(ids)) for mail, ids in found.items() if len(ids) == 1}

    async def give(self, access: Access, deed: Deed, ref: RecordRef) -> Done:
        """Make somebody else the approver, once. Raises `NotYours`, `Unsure`."""
        id_, from_, to = (deed.values.get(name, "") for name in (APPROVAL, FROM, TO))
        if not all(SYS_ID.fullmatch(each) for each in (id_, from_, to)):
            raise BadInput("that names no approval")
        row = await self._row(access, id_)
        if row.value("sysapproval") != ref.id:
            raise BadInput("that is another record's approval")
        if row.value("approver") == to:
            return Done(await self.writing.record(access, ref), again=True)
        if row.value("state") != "requested":
            raise NotYours("nobody is waited for there any more")
        if row.value("approver") != from_:
            raise NotYours(f"it is waiting on {row.text('approver')} meanwhile")
        request = await self._written(access, id_, to)
        if (await self._row(access, id_)).value("approver") != to:
            raise NotYours(
                "ServiceNow does not let you change the approver: it takes the role "
                "approval_admin"
            )
        record = await self.writing.record(access, ref)
        return Done(record, request, {"approver": from_}, {"approver": to})

    async def _written(self, access: Access, id_: str, to: str) -> str:
        row = row_of(_TABLE, id_, ["approver"])
        try:
            answer = await self.writing.calls.write(
                access, "PATCH", row, {"approver": to}
            )
        except Unsure:
            if (await self._row(access, id_)).value("approver") == to:
                return ""
            raise
        self.writing.refuse(answer)
        return answer.request

    async def _row(self, access: Access, id_: str) -> Row:
        fields = ["approver", "state", "sysapproval"]
        answer = await self.writing.calls.get(access, row_of(_TABLE, id_, fields))
        rows = answer.rows() if answer.ok else []
        if not rows or rows[0].id != id_:
            if answer.status in {403, 404}:
                raise NotYours("ServiceNow does not show you that approval")
            self.writing.refuse(answer)
            raise Gone("that approval is not there any more")
        return rows[0]

    async def _page(
        self, access: Access, table: str, page: Page
    ) -> tuple[list[Row], bool]:
        [answer] = await self.writing.calls.ask(
            access, [rows_of(table, page)], urgent=False
        )
        rows = self.writing.reading.kept(table, page.query, answer)
        if rows is None:
            raise ServiceUnavailable("ServiceNow does not say whom approvals wait on")
        return rows, answer.next


def _parts(values: Collection[str]) -> Sequence[Sequence[str]]:
    """Return values in groups; what cannot stand in a list is nobody's id or address."""
    fit = sorted({each for each in values if _sayable(each)})
    return [fit[start : start + _AT_ONCE] for start in range(0, len(fit), _AT_ONCE)]


def _sayable(text: str) -> bool:
    try:
        where("email", Op.IN, text)
    except BadInput:
        return False
    return True


def _address(text: str) -> str:
    return text.strip().lower()
