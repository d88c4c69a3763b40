"""
Adding what was not there: comments, notes, new records, each once.

A new record carries the deed's key in an external id field (`ATOM_Key__c`), and is
looked up by it before another try. Where an org has not got the field, and for comments
on cases, which cannot have one, another try compares the person's own newest ones since
the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.records.forms import Deed
from bridge.records.model import RecordRef
from bridge.records.ports import Access, Done, Gone, Rejected, Unsure
from connectors.made import Made
from connectors.salesforce import ids, manners, soql
from connectors.salesforce.asking import Asking, kind_of, text_of, value_of
from connectors.salesforce.client import Client, Written
from connectors.salesforce.kinds import Kinds
from connectors.salesforce.metadata import Fields, Metadata
from connectors.salesforce.reading import Reader
from connectors.salesforce.recognition import Recognition

COMMENT = "CaseComment"
_LATELY_US = 15 * 60 * 1_000_000
_SKEW = timedelta(minutes=5)  # by which Salesforce's clock and ours may be apart
_TASK = frozenset({"Subject", "Description"})


@dataclass(frozen=True, slots=True)
class Parts:
    """What writing is made of."""

    client: Client
    kinds: Kinds
    metadata: Metadata
    asking: Asking
    reader: Reader
    recognition: Recognition
    key_field: str


class Adder:
    """Adds, as one account or another."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts

    async def comment(self, access: Access, deed: Deed, ref: RecordRef) -> Done:
        body = deed.values.get("CommentBody", "").strip()
        if not body:
            raise Rejected("write a comment", {"CommentBody": "Write something"})
        public = deed.values.get("IsPublished", "true") == "true"
        before = await self._p.reader.one(access, ref)  # also says if it is there
        if deed.tried_us and (
            found := await self._said(access, ref, body, deed.tried_us)
        ):
            return Done(before, again=True, made=str(Made(COMMENT, found)))
        since_us = deed.tried_us or _now_us()
        values = {"ParentId": ref.id, "CommentBody": body, "IsPublished": public}
        try:
            written = await self._p.client.create(access, COMMENT, values)
        except Unsure:
            found = await self._said(access, ref, body, since_us)
            if found is None:
                raise
            written = Written(found, "")
        record = await self._p.reader.one(access, ref)
        after = {"CommentBody": body, "IsPublished": text_of(public)}
        made = str(Made(COMMENT, written.id))
        return Done(record, written.request, {}, after, made=made)

    async def said(
        self, access: Access, ref: RecordRef, body: str, since_us: int = 0
    ) -> bool:
        """Whether this account said it since; 0: within a quarter of an hour."""
        return await self._said(access, ref, body, since_us) is not None

    async def _said(
        self, access: Access, ref: RecordRef, body: str, since_us: int
    ) -> str | None:
        where = f"ParentId = {soql.quoted(ids.long(ref.id))}"
        asked = {"CommentBody": body}
        since_us = since_us or _now_us() - _LATELY_US
        return await self._same(access, COMMENT, (where, asked), since_us)

    async def _same(
        self,
        access: Access,
        object_: str,
        what: tuple[str, Mapping[str, Any]],
        since_us: int,
    ) -> str | None:
        """Return the person's own newest record that is the same, made since then."""
        where, values = what
        me = await self._p.client.me(access)
        begin = datetime.fromtimestamp(since_us // 1_000_000, UTC) - _SKEW
        since = f"{begin:%Y-%m-%dT%H:%M:%SZ}"
        mine = f"CreatedById = {soql.quoted(me)} AND CreatedDate >= {since}"
        query = soql.select(
            object_,
            ["Id", *values],
            f"{where} AND {mine}" if where else mine,
            tail="ORDER BY CreatedDate DESC LIMIT 50",
        )
        for row in await self._p.client.query(access, query):
            # Long texts cannot be compared in a query.
            if all(text_of(row.get(n)) == text_of(v) for n, v in values.items()):
                return str(row["Id"])
        return None

    async def task(self, access: Access, deed: Deed, ref: RecordRef) -> Done:
        values: dict[str, Any] = {n: deed.values[n] for n in deed.values if n in _TASK}
        values |= {"Status": "Completed", f"{_link(ref)}Id": ids.long(ref.id)}
        values |= {"TaskSubtype": "Call"} if deed.act == "call" else {}
        await self._p.reader.one(access, ref)
        written = await self._added(access, "Task", deed, values)
        record = await self._p.reader.one(access, ref)
        after = {
            name: text_of(value) for name, value in values.items() if name in _TASK
        }
        again = not written.created
        made = str(Made("Task", written.id))
        return Done(record, written.request, {}, after, again=again, made=made)

    async def create(self, access: Access, deed: Deed, name: str) -> Done:
        kind = kind_of(self._p.kinds, name)
        fields = await self._p.asking.createable(access, kind)
        values = values_of(fields, deed.values)
        if deed.ref is not None:
            values |= await self._beside(access, deed.ref)
        written = await self._added(access, kind.object, deed, values)
        ref = self._p.recognition.ref(kind.name, written.id)
        record = await self._p.reader.one(access, ref)
        columns = [*values, "LastModifiedDate"]
        row, _at = await self._p.client.row(access, kind.object, written.id, columns)
        wanted = {name: text_of(value) for name, value in values.items()}
        after = told(row, wanted)
        unsaved = tuple(name for name in wanted if after[name] != wanted[name])
        made = Made(kind.object, written.id, str(row.get("LastModifiedDate") or ""))
        return Done(
            record,
            written.request,
            {},
            after,
            unsaved,
            again=not written.created,
            made=str(made),
        )

    async def _beside(self, access: Access, ref: RecordRef) -> dict[str, Any]:
        """Return what ties a new record to the one that it was made from."""
        if ref.kind == "account":
            return {"AccountId": ids.long(ref.id)}
        if ref.kind == "contact":
            row, _at = await self._p.client.row(
                access, "Contact", ref.id, ["AccountId"]
            )
            return {"ContactId": ids.long(ref.id), "AccountId": row.get("AccountId")}
        return {}

    async def _added(
        self, access: Access, object_: str, deed: Deed, values: Mapping[str, Any]
    ) -> Written:
        """Make a record once, however often a deed is tried."""
        field, key = self._p.key_field, deed.key
        try:
            found = await self._keyed(access, object_, key)
        except (manners.Hidden, Gone):
            return await self._unkeyed(access, object_, values, deed.tried_us)
        if found is not None:
            return Written(found, "")
        try:
            return await self._p.client.put(access, object_, field, key, values)
        except Unsure:
            found = await self._keyed(access, object_, key)
            if found is None:
                raise
            return Written(found, "", created=True)

    async def _keyed(self, access: Access, object_: str, key: str) -> str | None:
        where = f"{self._p.key_field} = {soql.quoted(key)}"
        query = soql.select(object_, ["Id"], where, tail="LIMIT 1")
        rows = await self._p.client.query(access, query)
        return str(rows[0]["Id"]) if rows else None

    async def _unkeyed(
        self, access: Access, object_: str, values: Mapping[str, Any], tried_us: int
    ) -> Written:
        what = ("", values)
        if tried_us:
            found = await self._same(access, object_, what, tried_us)
            if found is not None:
                return Written(found, "")
        since_us = tried_us or _now_us()
        try:
            return await self._p.client.create(access, object_, values)
        except Unsure:
            found = await self._same(access, object_, what, since_us)
            if found is None:
                raise
            return Written(found, "", created=True)


def _now_us() -> int:
    return round(datetime.now(UTC).timestamp() * 1_000_000)


def _link(ref: RecordRef) -> str:
    return "Who" if ref.kind == "contact" else "What"


def told(
    row: Mapping[str, Any], names: Mapping[str, Any] | Sequence[str]
) -> dict[str, str]:
    return {name: text_of(row.get(name)) for name in names}


def values_of(fields: Fields, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return what was entered as the API takes it. Raises `Rejected`."""
    made: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, text in texts.items():
        if name not in fields:
            wrong[name] = "Your Salesforce account may not write this"
            continue
        try:
            made[name] = value_of(fields[name], text)
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise Rejected("some of it cannot be saved", wrong)
    if not made:
        raise Rejected("there is nothing to save")
    return made
