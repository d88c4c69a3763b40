"""
Write as the person who clicked, knowing what was there before and what came of it.

ServiceNow has no conditional writes. So a row is read, compared with what the person
saw, written, and its answer is compared with what was asked for: fields that somebody
may not write are dropped there without a word. Writes to one record take turns.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakValueDictionary

from bridge.errors import ServiceUnavailable
from bridge.records.forms import Deed
from bridge.records.model import PUBLIC, Fact, Record, RecordRef
from bridge.records.ports import (
    Access,
    Done,
    EditConflict,
    Gone,
    NotYours,
    Rejected,
)
from connectors.servicenow.calls import (
    TABLE,
    Answer,
    Calls,
    Page,
    Part,
    row_of,
    rows_of,
)
from connectors.servicenow.checks import absent
from connectors.servicenow.query import Op, Query, where
from connectors.servicenow.reading import Reading
from connectors.servicenow.rows import Entry, Row, latest_entry
from connectors.servicenow.tables import TABLES, table_of

JOURNALS = frozenset({"comments", "work_notes"})
BY_NAME = frozenset({"assignment_group", "assigned_to"})  # entered by name, not by id
_FORBIDDEN = 403
_MISSING = 404
_REMEMBERED = 2_000
_ME = Part(TABLE, "/ui/user/current_user")


@dataclass(frozen=True, slots=True)
class Me:
    """Whose account it is: the row of sys_user, the user name, and the full name."""

    id: str
    user: str
    name: str


@dataclass(slots=True)
class Memory:
    """What is remembered in this process; nothing depends on it for being right."""

    me: dict[str, Me] = field(default_factory=dict)
    written: dict[tuple[str, int], None] = field(default_factory=dict)
    turns: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )

    def wrote(self, row: Row) -> None:
        """Note a state of a row that came of our own write."""
        count = row.number("sys_mod_count")
        if count is not None:
            self.written[row.id, count] = None
        while len(self.written) > _REMEMBERED:
            del self.written[next(iter(self.written))]

    def ours(self, id_: str, count: int) -> bool:
        return (id_, count) in self.written


@dataclass(frozen=True, slots=True)
class Writing:
    """What all writes have in common."""

    reading: Reading
    memory: Memory = field(default_factory=Memory)

    @property
    def calls(self) -> Calls:
        return self.reading.calls

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Let one write at a time be done on a record, or by a person."""
        lock = self.memory.turns.setdefault(name, asyncio.Lock())
        async with lock:
            yield

    async def me(self, access: Access) -> Me:
        """Return whose account this is. Raises `ServiceUnavailable` if it is not told."""
        # Another token may be another account's: somebody may connect anew.
        token = hashlib.sha256((await access.token()).encode()).hexdigest()
        key = f"{access.account}:{token}"
        known = self.memory.me.get(key)
        if known is not None:
            return known
        answer = await self.calls.get(access, _ME)
        told = answer.result if answer.ok and isinstance(answer.result, Mapping) else {}
        if not told.get("user_sys_id"):
            raise ServiceUnavailable("ServiceNow does not say whose account this is")
        me = Me(
            str(told["user_sys_id"]),
            str(told.get("user_name") or ""),
            str(told.get("user_display_name") or ""),
        )
        if len(self.memory.me) >= _REMEMBERED:
            self.memory.me.clear()
        self.memory.me[key] = me
        return me

    async def row(self, access: Access, ref: RecordRef) -> Row:
        """Return a record's row as it is now. Raises `Gone`."""
        table = table_of(ref.kind)
        answer = await self.calls.get(access, row_of(table.name, ref.id, table.fields))
        rows = answer.rows() if answer.ok else []
        if not rows or rows[0].id != ref.id:
            self.refuse(answer)
            raise Gone("it was deleted, or you may not see it")
        return rows[0]

    async def record(self, access: Access, ref: RecordRef) -> Record:
        """Return a record as it is now. Raises `Gone`, `ServiceUnavailable`."""
        found = await self.reading.one(access, ref)
        if isinstance(found, Record):
            return found
        raise absent(found)

    async def agreed(self, access: Access, deed: Deed, row: Row) -> bool:
        """
        Say whether what a deed wants stands there already.

        Raises `EditConflict` if the record was changed since the form was opened in
        what is to be written; other fields may have changed.
        """
        fields = [name for name in deed.values if name not in JOURNALS]
        same = [name for name in fields if _is(row, name, deed.values[name])]
        journal = len(fields) < len(deed.values)
        if fields and len(same) == len(fields) and not journal:
            return True
        if deed.base is None or row.number("sys_mod_count") == deed.base.order:
            return False
        moved = [
            name
            for name in fields
            if name not in deed.seen or not _is(row, name, deed.seen[name])
        ]
        if moved and deed.ref is not None:
            why = "it was changed since you opened it"
            raise await self.conflict(access, deed, deed.ref, row, why)
        return False

    async def conflict(
        self, access: Access, deed: Deed, ref: RecordRef, row: Row, why: str
    ) -> EditConflict:
        """Return a conflict, with every field that the person saw as it is now."""
        latest = await self.record(access, ref)
        known = {each.id: each for each in latest.facts}
        for name in {**deed.seen, **deed.values}:
            if name in row.values:
                cls = known[name].cls if name in known else PUBLIC
                text = row.text(name) if name in BY_NAME else row.value(name)
                known[name] = Fact(name, name, text, cls, raw=text)
        return EditConflict(why, replace(latest, facts=tuple(known.values())))

    async def patch(
        self, access: Access, ref: RecordRef, before: Row, values: Mapping[str, str]
    ) -> Done:
        """Write fields of a record, and return what stands there afterwards."""
        table = table_of(ref.kind)
        fields = (*table.fields, *(name for name in values if name not in JOURNALS))
        part = row_of(table.name, ref.id, fields)
        answer = await self.calls.write(access, "PATCH", part, dict(values))
        return await self.done(access, ref, before, values, answer)

    async def done(
        self,
        access: Access,
        ref: RecordRef,
        before: Row,
        values: Mapping[str, str],
        answer: Answer,
    ) -> Done:
        """Return what came of a write. Raises `Rejected` for a refusal."""
        self.refuse(answer)
        after = answer.rows()[0] if answer.rows() else Row()
        self.memory.wrote(after)
        count, was = after.number("sys_mod_count"), before.number("sys_mod_count") or 0
        unsaved = [
            name
            for name, value in values.items()
            if (
                count is not None and count <= was
                if name in JOURNALS
                else not _is(after, name, value)
            )
        ]
        others = count is not None and count > was + 1
        return Done(
            await self.record(access, ref),
            answer.request,
            {name: before.value(name) for name in values if name not in JOURNALS},
            {name: after.value(name) for name in values if name not in JOURNALS},
            tuple(unsaved),
            "ServiceNow, or somebody else, changed more at the same time"
            if others
            else "",
        )

    def refuse(self, answer: Answer) -> None:
        """Raise what a refusal means: `Gone`, `NotYours` or `Rejected`."""
        if answer.ok:
            return
        if answer.status == _MISSING:
            raise Gone("it was deleted, or you may not see it")
        if answer.status == _FORBIDDEN and "Data Policy" not in answer.detail:
            raise NotYours(f"ServiceNow does not let you do this: {answer.why}")
        # A data policy names the fields that it wants, by their labels.
        named = {
            shown.field: "ServiceNow asks for this"
            for table in TABLES
            for shown in table.shown
            if "mandatory" in answer.detail and shown.label in answer.detail
        }
        raise Rejected(f"ServiceNow did not take it: {answer.why}", named)

    async def said(
        self, access: Access, row: Row, element: str, text: str, since: str
    ) -> bool:
        """
        Say whether this account wrote the very same entry since a moment.

        Where the journals' own table may not be read, the latest entry has to tell,
        whenever it was written.
        """
        me = await self.me(access)
        query = Query(
            (
                where("element_id", Op.IS, row.id),
                where("element", Op.IS, element),
                where("sys_created_by", Op.IS, me.user),
                where("sys_created_on", Op.FROM, since),
            )
        )
        part = rows_of("sys_journal_field", Page(query, ["value"], 20))
        (answer,) = await self.calls.ask(access, [part])
        if answer.status in {_FORBIDDEN, _MISSING}:
            latest = latest_entry(row.text(element))
            return latest is not None and latest == Entry(me.name, text.strip())
        rows = self.reading.kept("sys_journal_field", query, answer)
        if rows is None:
            raise ServiceUnavailable("ServiceNow does not say what was written before")
        return any(each.value("value").strip() == text.strip() for each in rows)

    async def named(
        self, access: Access, table: str, text: str, fields: Sequence[str], input_: str
    ) -> str:
        """
        Return the id of the one active row with this name. Raises `Rejected`.

        A name is only compared as a whole: nobody is chosen who was not meant.
        """
        found: dict[str, None] = {}
        for name in fields:
            query = Query((where(name, Op.IS, text.strip()),))
            part = rows_of(table, Page(query, ["active", name], 5))
            (answer,) = await self.calls.ask(access, [part])
            for row in self.reading.kept(table, query, answer) or ():
                if row.value("active") != "false":
                    found[row.id] = None
            if found:
                break
        if len(found) == 1:
            return next(iter(found))
        reason = "several have this name" if found else "nothing has this name"
        raise Rejected(f"{reason} in ServiceNow", {input_: reason})


def _is(row: Row, name: str, wanted: Any) -> bool:
    """Say whether a field holds a value, told plainly or as people read it."""
    text = str(wanted)
    if name not in row.values:
        return False
    return text in {row.value(name), row.text(name)} or _alike(text, row.value(name))


def _alike(one: str, other: str) -> bool:
    # ServiceNow ends lines as forms do, and cuts blanks from the ends of texts.
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
