"""What is said to callers: comments, and never work notes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import ServiceUnavailable
from bridge.records.model import RecordRef, Remark
from bridge.records.ports import Access
from connectors.made import Made
from connectors.servicenow.calls import Page, rows_of
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.reading import Reading
from connectors.servicenow.rows import Row, micros, written
from connectors.servicenow.tables import CHANGE, INCIDENT, REQUEST

JOURNAL, COMMENTS = "sys_journal_field", "comments"
_KINDS = frozenset({INCIDENT.kind, CHANGE.kind, REQUEST.kind})
_MOST = 100


@dataclass(frozen=True, slots=True)
class Comments:
    """Reads the journal that customers read along."""

    reading: Reading

    async def since(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        if ref.kind not in _KINDS:
            return []
        query = Query(
            (
                where("element_id", Op.IS, ref.id),
                where("element", Op.IS, COMMENTS),
                where("sys_created_on", Op.FROM, written(since_us // 1_000_000)),
            ),
            "sys_created_on",
        )
        fields = ["value", "element", "sys_created_by", "sys_created_on"]
        part = rows_of(JOURNAL, Page(query, fields, _MOST))
        (answer,) = await self.reading.calls.ask(access, [part], urgent=False)
        rows = self.reading.kept(JOURNAL, query, answer)
        if rows is None:
            raise ServiceUnavailable("ServiceNow does not say what was said")
        # Whatever a query came to: what is not a comment is not shown.
        rows = [row for row in rows if row.value("element") == COMMENTS]
        names = await self._names(access, {row.value("sys_created_by") for row in rows})
        return [_remark(row, names) for row in rows]

    async def _names(self, access: Access, users: set[str]) -> Mapping[str, str]:
        if not users:
            return {}
        query = Query((where("user_name", Op.IN, *sorted(users)),))
        part = rows_of("sys_user", Page(query, ["user_name", "name"], len(users)))
        (answer,) = await self.reading.calls.ask(access, [part], urgent=False)
        rows = self.reading.kept("sys_user", query, answer) or ()
        return {row.value("user_name"): row.text("name") for row in rows}


def entry(user: str, text: str) -> str:
    """Return what names an entry of a journal: who writes one is not told its row."""
    told = f"{user}\n{' '.join(text.split())}"
    return str(Made("entry", hashlib.sha256(told.encode()).hexdigest()[:32]))


def _remark(row: Row, names: Mapping[str, str]) -> Remark:
    user, text = row.value("sys_created_by"), row.value("value").strip()
    return Remark(
        row.id,
        names.get(user) or user,
        text,
        micros(row.value("sys_created_on")),
        names=frozenset({entry(user, text)}),
    )
