"""
Adding what was not there: comments, notes, new records, each once.

A new record carries the deed's key in an external id field (`ATOM_Key__c`), and is
looked up by it before another try. Where an org has not got the field, and for comments
on cases, which cannot have one, another try compares the person's own newest ones since
the first.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bridge.errors import BadInput
from bridge.records.forms import Deed
from bridge.records.model import RecordRef
from bridge.records.ports import Access, Done, Gone, Rejected, Unsure
from connectors.made import Made
from connectors.salesforce import ids, manners, soql
from connectors.salesforce.asking import NEW, Asking, kind_of, text_of, value_of
from connectors.salesforce.client import Client, Written
from connectors.salesforce.kinds import Kind, Kinds
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


@dataclass(frozen=True, slots=True)
class Addition:
    """
    Something to be added, and how: `done` says what came of it.

    An earlier try is found by the deed's key, where there may be one (`keyed`), else by
    the same values, `sought`, among what a condition names.
    """

    object: str
    values: Mapping[str, Any]
    sought: tuple[str, Mapping[str, Any]]
    keyed: bool
    done: Callable[[Written], Awaitable[Done]]


class Adder:
    """Adds, as one account or another."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts

    def adds(self, act: str, kind: str) -> bool:
        """Say whether an act on a kind of record is an addition. Pure."""
        return (
            act in NEW or act in {"note", "call"} or (act, kind) == ("comment", "case")
        )

    async def perform(self, access: Access, deed: Deed) -> Done:
        """Add it, unless an earlier try did."""
        addition = await self.addition(access, deed)
        found, keyed = await self.earlier(access, addition, deed)
        if found is not None:
            return await addition.done(found)
        since_us = deed.tried_us or _now_us()
        object_, values = addition.object, addition.values
        client = self._p.client
        try:
            if keyed:
                field = self._p.key_field
                written = await client.put(access, object_, field, deed.key, values)
            else:
                written = await client.create(access, object_, values)
        except Unsure:
            found = await self.written(access, addition, deed, since_us)
            if found is None:
                raise
            written = found
        return await addition.done(written)

    async def addition(self, access: Access, deed: Deed) -> Addition:
        """Return what a deed adds. Raises `Rejected`, and `Gone` for where to."""
        if deed.act in NEW:
            return await self._new(access, deed, NEW[deed.act] or deed.kind)
        if deed.ref is None:
            raise BadInput("say which record")
        await self._p.reader.one(access, deed.ref)  # says if it is there
        if deed.act == "comment":
            return self._comment(access, deed, deed.ref)
        return self._task(access, deed, deed.ref)

    async def earlier(
        self, access: Access, addition: Addition, deed: Deed
    ) -> tuple[Written | None, bool]:
        """Return what an earlier try added, and whether the org has a place for keys."""
        if addition.keyed:
            try:
                found = await self._keyed(access, addition.object, deed.key)
            except (manners.Hidden, Gone):
                pass
            else:
                return (Written(found, "") if found else None), True
        if deed.tried_us:
            same = await self._same(
                access, addition.object, addition.sought, deed.tried_us
            )
            return (Written(same, "") if same else None), False
        return None, False

    async def written(
        self, access: Access, addition: Addition, deed: Deed, since_us: int
    ) -> Written | None:
        """Look for what was added though its answer was lost."""
        tried = replace(deed, tried_us=since_us)
        found, _keyed = await self.earlier(access, addition, tried)
        return replace(found, created=True) if found else None

    async def said(
        self, access: Access, ref: RecordRef, body: str, since_us: int = 0
    ) -> bool:
        """Whether this account said it since; 0: within a quarter of an hour."""
        since_us = since_us or _now_us() - _LATELY_US
        what = (_below(ref), {"CommentBody": body})
        return await self._same(access, COMMENT, what, since_us) is not None

    def _comment(self, access: Access, deed: Deed, ref: RecordRef) -> Addition:
        body = deed.values.get("CommentBody", "").strip()
        if not body:
            raise Rejected("write a comment", {"CommentBody": "Write something"})
        public = deed.values.get("IsPublished", "true") == "true"
        values = {"ParentId": ref.id, "CommentBody": body, "IsPublished": public}
        after = {"CommentBody": body, "IsPublished": text_of(public)}
        sought = (_below(ref), {"CommentBody": body})
        done = partial(self._added_to, access, ref, COMMENT, after)
        return Addition(COMMENT, values, sought, keyed=False, done=done)

    def _task(self, access: Access, deed: Deed, ref: RecordRef) -> Addition:
        values: dict[str, Any] = {n: deed.values[n] for n in deed.values if n in _TASK}
        values |= {"Status": "Completed", f"{_link(ref)}Id": ids.long(ref.id)}
        values |= {"TaskSubtype": "Call"} if deed.act == "call" else {}
        after = {n: text_of(value) for n, value in values.items() if n in _TASK}
        done = partial(self._added_to, access, ref, "Task", after)
        return Addition("Task", values, ("", values), keyed=True, done=done)

    async def _added_to(
        self,
        access: Access,
        ref: RecordRef,
        object_: str,
        after: Mapping[str, str],
        written: Written,
    ) -> Done:
        record = await self._p.reader.one(access, ref)
        again, made = not written.created, str(Made(object_, written.id))
        return Done(record, written.request, {}, after, again=again, made=made)

    async def _new(self, access: Access, deed: Deed, name: str) -> Addition:
        kind = kind_of(self._p.kinds, name)
        fields = await self._p.asking.createable(access, kind)
        values = values_of(fields, deed.values)
        if deed.ref is not None:
            values |= await self._beside(access, deed.ref)
        done = partial(self._made, access, kind, values)
        return Addition(kind.object, values, ("", values), keyed=True, done=done)

    async def _made(
        self, access: Access, kind: Kind, values: Mapping[str, Any], written: Written
    ) -> Done:
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

    async def _keyed(self, access: Access, object_: str, key: str) -> str | None:
        where = f"{self._p.key_field} = {soql.quoted(key)}"
        query = soql.select(object_, ["Id"], where, tail="LIMIT 1")
        rows = await self._p.client.query(access, query)
        return str(rows[0]["Id"]) if rows else None


def _below(ref: RecordRef) -> str:
    return f"ParentId = {soql.quoted(ids.long(ref.id))}"


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
