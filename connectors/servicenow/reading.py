"""Read records in as few calls as ServiceNow allows: everything at once, in a batch."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import AtomError, BadInput, ServiceUnavailable
from bridge.records.model import Absence, Mention, Record, RecordRef, System
from bridge.records.ports import Access, NotConnected, Spent
from connectors.servicenow.calls import (
    CATALOGUE,
    Answer,
    Calls,
    Page,
    Part,
    rows_of,
)
from connectors.servicenow.calls import (
    CHANGE as CHANGE_API,
)
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.rows import Row
from connectors.servicenow.tables import (
    CHANGE,
    INCIDENT,
    ITEM,
    KINDS,
    REQUEST,
    SYS_ID,
    table_of,
)
from connectors.servicenow.translate import Beside, Translator

Alert = Callable[[str, str], None]
QUERY_IGNORED = "query_ignored"  # an alert: the instance answered another question
_AT_ONCE = 20  # records of one kind in one question
_ENTRIES = 10  # journal entries read for each record, to find the latest of each sort
_APPROVALS = 50  # of one change
_ITEMS = 20  # of one request
_RITM = "RITM"


@dataclass(frozen=True, slots=True)
class Reading:
    """
    Reads records of one instance.

    `alert` is told what an operator should know, and about which table: nothing of any
    record. `now_us` is the time in microseconds UTC.
    """

    calls: Calls
    translator: Translator
    alert: Alert
    now_us: Callable[[], int]

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        """Answer for each record, whatever became of it."""
        found: dict[RecordRef, Record | Absence] = {}
        by_kind: dict[str, list[RecordRef]] = defaultdict(list)
        for ref in dict.fromkeys(refs):
            ours = ref.system is System.SERVICENOW
            fits = ours and ref.instance == self.translator.instance
            if fits and ref.kind in KINDS and SYS_ID.fullmatch(ref.id):
                by_kind[ref.kind].append(ref)
            else:
                found[ref] = Absence.GONE
        asked: list[_Asked] = []
        for kind, wanted in by_kind.items():
            asked += [
                _asked(kind, wanted[start : start + _AT_ONCE])
                for start in range(0, len(wanted), _AT_ONCE)
            ]
        parts = [part for each in asked for part in each.parts]
        try:
            answers = (
                await self.calls.ask(access, parts, urgent=urgent) if parts else []
            )
        except (ServiceUnavailable, NotConnected) as error:
            why = _why(error)
            return found | {ref: why for each in asked for ref in each.refs}
        as_of, at = self.now_us(), 0
        for each in asked:
            given = dict(
                zip(each.names, answers[at : at + len(each.names)], strict=True)
            )
            at += len(each.names)
            found |= self._understood(each, given, as_of)
        return found

    async def one(self, access: Access, ref: RecordRef) -> Record | Absence:
        return (await self.read(access, [ref]))[ref]

    async def resolve(
        self, access: Access, mentions: Sequence[Mention]
    ) -> Mapping[str, RecordRef]:
        """Return the records of numbers; an item of a request names the request."""
        numbers: dict[str, list[str]] = defaultdict(list)
        for each in mentions:
            if each.key and each.ref is None and each.kind in KINDS:
                table = table_of(each.kind).name
                if each.key.startswith(_RITM):
                    table = "sc_req_item"
                numbers[table].append(each.key)
        queries = [
            (table, Query((where("number", Op.IN, *sorted(set(keys))),)), len(keys))
            for table, keys in numbers.items()
        ]
        parts = [
            rows_of(table, Page(query, ["number", *_parent(table)], limit))
            for table, query, limit in queries
        ]
        answers = await self.calls.ask(access, parts) if parts else []
        refs: dict[str, RecordRef] = {}
        for (table, query, _limit), answer in zip(queries, answers, strict=True):
            for row in self.kept(table, query, answer) or ():
                id_ = row.value("request") if table == "sc_req_item" else row.id
                kind = "request" if table == "sc_req_item" else _kind(table)
                if SYS_ID.fullmatch(id_):
                    refs[row.value("number")] = self.ref(kind, id_)
        return refs

    def ref(self, kind: str, id_: str) -> RecordRef:
        return RecordRef(System.SERVICENOW, self.translator.instance, kind, id_)

    def kept(self, table: str, query: Query, answer: Answer) -> list[Row] | None:
        """
        Return the rows of an answer if all of them were asked for.

        None if there is no answer, or one to another question: an instance leaves out
        what it does not understand of a query, and then returns more.
        """
        if not answer.ok:
            return None
        rows = answer.rows()
        if not all(query.keeps(row.values) for row in rows):
            self.alert(QUERY_IGNORED, table)
            return None
        return rows

    def _understood(
        self, asked: "_Asked", given: Mapping[str, Answer], as_of: int
    ) -> dict[RecordRef, Record | Absence]:
        if asked.kind == ITEM.kind:
            return {ref: self._item(ref, given[ref.id], as_of) for ref in asked.refs}
        table = KINDS[asked.kind].name
        rows = self.kept(table, asked.queries["rows"], given["rows"])
        if rows is None:
            absent = _absence(given["rows"])
            return dict.fromkeys(asked.refs, absent)
        beside = {
            name: self.kept(_TABLES[name], query, given[name]) or []
            for name, query in asked.queries.items()
            if name != "rows"
        }
        by_id = {row.id: row for row in rows}
        told: dict[RecordRef, Record | Absence] = {}
        for ref in asked.refs:
            row = by_id.get(ref.id)
            if row is None:
                told[ref] = Absence.GONE
                continue
            more = Beside(
                _about(beside.get("entries", ()), "element_id", ref.id),
                _about(beside.get("approvals", ()), "sysapproval", ref.id),
                _about(beside.get("items", ()), "request", ref.id),
                moves_of(given[ref.id], row) if ref.id in given else (),
            )
            told[ref] = self.translator.record(ref.kind, row, as_of, more)
        return told

    def _item(self, ref: RecordRef, answer: Answer, as_of: int) -> Record | Absence:
        if not answer.ok:
            return _absence(answer)
        rows = answer.rows()
        if not rows or rows[0].id != ref.id:
            return Absence.GONE
        return self.translator.record(ref.kind, item_row(answer), as_of, Beside())


@dataclass(frozen=True, slots=True)
class _Asked:
    """Records of one kind, the questions about them, and the questions' names."""

    kind: str
    refs: Sequence[RecordRef]
    names: Sequence[str]
    parts: Sequence[Part]
    queries: Mapping[str, Query]


_TABLES = {
    "entries": "sys_journal_field",
    "approvals": "sysapproval_approver",
    "items": "sc_req_item",
}


def item_part(id_: str) -> Part:
    """Return the question for a catalogue item, its variables included."""
    return Part(CATALOGUE, f"/servicecatalog/items/{id_}")


def item_row(answer: Answer) -> Row:
    """Return an item, whose category is told with a title instead of a value."""
    told = dict(answer.result)
    category = told.get("category")
    if isinstance(category, Mapping):
        told["category"] = {
            "value": category.get("sys_id"),
            "display_value": category.get("title"),
        }
    return Row.of(told)


def moves_of(answer: Answer, row: Row) -> list[tuple[str, str]]:
    """Return the states that a change can be moved to by hand now, with their names."""
    told = answer.result if answer.ok else None
    if not isinstance(told, Mapping):
        return []
    available = {str(each) for each in told.get("available_states") or ()}
    names = told.get("state_label") or {}
    moves: dict[str, str] = {}
    for steps in told.get("state_transitions") or ():
        for step in steps:
            to = str(step.get("to_state"))
            fits = to in available and step.get("transition_available")
            by_hand = not step.get("automatic_transition")
            if fits and by_hand and to != row.value("state"):
                moves[to] = str(names.get(to) or to)
    return list(moves.items())


def entries_query(ids: Sequence[str]) -> Query:
    """Return the question for the comments and notes of records, latest first."""
    return Query(
        (
            where("element_id", Op.IN, *ids),
            where("element", Op.IN, "comments", "work_notes"),
        ),
        "sys_created_on",
        latest_first=True,
    )


def _asked(kind: str, refs: Sequence[RecordRef]) -> _Asked:
    if kind == ITEM.kind:
        ids = [ref.id for ref in refs]
        return _Asked(kind, refs, ids, [item_part(each) for each in ids], {})
    table, ids, many = KINDS[kind], [ref.id for ref in refs], len(refs)
    queries = {"rows": Query((where("sys_id", Op.IN, *ids),))}
    parts = {"rows": rows_of(table.name, Page(queries["rows"], table.fields, many))}

    def beside(name: str, query: Query, fields: Sequence[str], limit: int) -> None:
        queries[name] = query
        parts[name] = rows_of(_TABLES[name], Page(query, fields, limit * many))

    if kind in {INCIDENT.kind, CHANGE.kind, REQUEST.kind}:
        told = ["element", "element_id", "value", "sys_created_on", "sys_created_by"]
        beside("entries", entries_query(ids), told, _ENTRIES)
    if kind in {CHANGE.kind, REQUEST.kind}:
        query = Query((where("sysapproval", Op.IN, *ids),), "sys_created_on")
        beside("approvals", query, ["approver", "state", "group"], _APPROVALS)
    if kind == CHANGE.kind:
        for each in ids:
            parts[each] = Part(CHANGE_API, f"/change/{each}/nextstates")
    if kind == REQUEST.kind:
        query = Query((where("request", Op.IN, *ids),), "number")
        told = ["number", "short_description", "stage", "state", "quantity", "cat_item"]
        beside("items", query, told, _ITEMS)
    return _Asked(kind, refs, list(parts), list(parts.values()), queries)


def _about(rows: Sequence[Row], field: str, id_: str) -> list[Row]:
    return [row for row in rows if row.value(field) == id_]


def _absence(answer: Answer) -> Absence:
    """A refusal of the row is its absence; of everything else, nobody knows."""
    return Absence.GONE if answer.status in {403, 404} else Absence.UNREACHABLE


def _why(error: AtomError) -> Absence:
    if isinstance(error, Spent):
        return Absence.SPENT
    unconnected = isinstance(error, NotConnected)
    return Absence.UNCONNECTED if unconnected else Absence.UNREACHABLE


def _parent(table: str) -> list[str]:
    return ["request"] if table == "sc_req_item" else []


def _kind(table: str) -> str:
    for each in KINDS.values():
        if each.name == table:
            return each.kind
    raise BadInput("that table holds no records")
