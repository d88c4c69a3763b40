"""
Follow an instance by asking what was written since: for want of events, or after a loss.

Rows are asked for by when they were written, which ServiceNow keeps to the second and
sets before it commits: each question reaches back a little, and what was told before is
told again with the same event. Deleted rows cannot be asked for; a card learns of that
when it is read.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.model import (
    NEVER,
    ChangeKind,
    RecordChange,
    RecordRef,
    System,
)
from bridge.records.ports import Access
from connectors.servicenow.calls import Answer, Page, rows_of
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.reading import Reading
from connectors.servicenow.rows import Row, micros, written
from connectors.servicenow.tables import BY_NAME, CHANGE, INCIDENT, REQUEST, SYS_ID
from connectors.servicenow.translate import revision

_BACK = 30  # seconds that each question reaches back
_PAGE = 200
_PAGES = 5  # read at once; what is more is a storm, and everything is read anew
_LONG_AGO = "1970-01-01 00:00:00"
# Whose rows are followed, and the kind and field of the record that each belongs to.
_FOLLOWED = {
    INCIDENT.name: (INCIDENT.kind, "sys_id"),
    CHANGE.name: (CHANGE.kind, "sys_id"),
    REQUEST.name: (REQUEST.kind, "sys_id"),
    "sc_req_item": (REQUEST.kind, "request"),
    "sysapproval_approver": (CHANGE.kind, "sysapproval"),
}
_ALSO = {"sysapproval_approver": ("source_table",)}


@dataclass(frozen=True, slots=True)
class Following:
    """Reads what changed in one instance."""

    reading: Reading
    ours: Callable[[str, int], bool]

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        """Return what changed, and the position to go on from. Raises `BadInput`."""
        reached = _read(since) if since else {}
        known = [table for table in _FOLLOWED if table in reached]
        newest = await self._newest(
            access, [table for table in _FOLLOWED if table not in reached]
        )
        rows, more = await self._since(access, {each: reached[each] for each in known})
        changes = [
            change
            for table, found in rows.items()
            for change in (self._change(table, row) for row in found)
            if change is not None
        ]
        if more:
            # A storm: nothing of it is told singly, and everything shown is read anew.
            newest |= await self._newest(access, more)
            changes += [self._missed(table, newest[table]) for table in more]
        for table, found in rows.items():
            latest = max((row.value("sys_updated_on") for row in found), default="")
            newest[table] = max(newest.get(table, ""), latest, reached[table])
        return changes, json.dumps(newest)

    async def _since(
        self, access: Access, reached: Mapping[str, str]
    ) -> tuple[dict[str, list[Row]], list[str]]:
        """Return the rows written since, and the tables of which there are more."""
        found: dict[str, list[Row]] = {table: [] for table in reached}
        going = list(reached)
        for turn in range(_PAGES):
            if not going:
                break
            pages = [_page(table, reached[table], turn) for table in going]
            parts = [
                rows_of(table, page) for table, page in zip(going, pages, strict=True)
            ]
            answers = await self.reading.calls.ask(access, parts, urgent=False)
            asked, going = list(zip(going, pages, answers, strict=True)), []
            for table, page, answer in asked:
                found[table] += self._kept(table, page.query, answer)
                # The limit counts rows that the account may not see: a page that is
                # short, or empty, says nothing about the next one.
                if answer.next:
                    going.append(table)
        return found, going

    async def _newest(self, access: Access, tables: Sequence[str]) -> dict[str, str]:
        """Return when each table was written last, as far as this account sees it."""
        query = Query(
            (where("sys_updated_on", Op.FROM, _LONG_AGO),),
            "sys_updated_on",
            latest_first=True,
        )
        parts = [rows_of(table, Page(query, ["sys_updated_on"], 1)) for table in tables]
        if not parts:
            return {}
        answers = await self.reading.calls.ask(access, parts, urgent=False)
        newest = {}
        for table, answer in zip(tables, answers, strict=True):
            rows = self._kept(table, query, answer)
            newest[table] = rows[0].value("sys_updated_on") if rows else _LONG_AGO
        return newest

    def _kept(self, table: str, query: Query, answer: Answer) -> list[Row]:
        if answer.status in {403, 404}:
            return []  # a table that this account may not read has nothing to tell it
        rows = self.reading.kept(table, query, answer)
        if rows is None:
            raise ServiceUnavailable("ServiceNow does not say what changed")
        return rows

    def _change(self, table: str, row: Row) -> RecordChange | None:
        kind, field = _FOLLOWED[table]
        if table == "sysapproval_approver":
            # Much else is approved; what has a card here are changes and requests.
            approved = BY_NAME.get(row.value("source_table"))
            kind = approved.kind if approved else ""
        id_, rev = row.value(field), revision(row)
        if not kind or not SYS_ID.fullmatch(id_):
            return None
        own = field == "sys_id"
        return RecordChange(
            System.SERVICENOW,
            self.reading.translator.instance,
            ChangeKind.CREATED if own and rev.order == 0 else ChangeKind.CHANGED,
            f"{row.id}:{row.value('sys_mod_count')}",
            RecordRef(System.SERVICENOW, self.reading.translator.instance, kind, id_),
            rev if own else NEVER,
            ours=own and self.ours(id_, rev.order),
            actor=row.value("sys_updated_by"),
        )

    def _missed(self, table: str, at: str) -> RecordChange:
        return RecordChange(
            System.SERVICENOW,
            self.reading.translator.instance,
            ChangeKind.MISSED,
            f"missed:{table}:{at}",
        )


def _page(table: str, reached: str, turn: int) -> Page:
    since = written(micros(reached) / 1_000_000 - _BACK)
    query = Query((where("sys_updated_on", Op.FROM, since),), "sys_updated_on")
    fields = [_FOLLOWED[table][1], *_ALSO.get(table, ())]
    return Page(query, fields, _PAGE, turn * _PAGE)


def _read(since: str) -> dict[str, str]:
    try:
        told = json.loads(since)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise BadInput("that is no position in ServiceNow’s changes")
    return {
        table: at
        for table, at in told.items()
        if table in _FOLLOWED and isinstance(at, str) and micros(at) >= 0
    }
