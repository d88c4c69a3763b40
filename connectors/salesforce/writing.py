"""
Writing as one person, once, and never over what somebody else wrote meanwhile.

A change carries the time at which its record was read. The org compares whole seconds,
so that an edit within the same second would pass: a record that was changed in the
current second is read again a second later, and fields are compared besides.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import TAKE_BACK, Deed
from bridge.records.model import PUBLIC, Fact, RecordRef, Revision
from bridge.records.ports import Access, Done, EditConflict, Unsure
from connectors.salesforce import ids, manners
from connectors.salesforce.adding import Adder, Parts, told, values_of
from connectors.salesforce.asking import (
    EDITS,
    NEW,
    kind_of,
    text_of,
)
from connectors.salesforce.client import DATA, Written, http_date
from connectors.salesforce.kinds import Kind
from connectors.salesforce.metadata import FieldOf
from connectors.salesforce.rendering import moment, revision
from connectors.salesforce.taking_back import TakingBack

_LATELY = timedelta(minutes=15)
_OK, _BAD = 200, 400
_COMMENTS = frozenset({"CommentBody", "IsPublished"})
_TASK = frozenset({"Subject", "Description"})


class Writer:
    """Does deeds."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts
        self._adder = Adder(parts)
        self._taking_back = TakingBack(parts)

    async def perform(self, access: Access, deed: Deed) -> Done:
        if not access.account:
            raise BadInput("writing takes an account of one's own")
        if deed.act == TAKE_BACK:
            return await self._taking_back.perform(access, deed)
        if deed.act in NEW:
            return await self._adder.create(access, deed, NEW[deed.act] or deed.kind)
        if deed.ref is None:
            raise BadInput("say which record")
        kind = kind_of(self._p.kinds, deed.ref.kind)
        if deed.act in EDITS and kind.name in EDITS[deed.act].kinds:
            fields = await self._p.asking.editable(access, deed.act, kind)
            return await self._change(
                access, deed, kind, values_of(fields, deed.values)
            )
        if deed.act == "take" and kind.name == "case":
            me = await self._p.client.me(access)
            return await self._change(access, deed, kind, {"OwnerId": me})
        if deed.act == "comment" and kind.name == "case":
            return await self._adder.comment(access, deed, deed.ref)
        if deed.act == "escalate" and kind.name == "case":
            return await self._escalate(access, deed, kind)
        if deed.act in {"note", "call"}:
            return await self._adder.task(access, deed, deed.ref)
        raise BadInput(f"a {kind.what.lower()} cannot be asked to {deed.act}")

    # Changes of a record's own fields.

    async def _change(
        self, access: Access, deed: Deed, kind: Kind, values: Mapping[str, Any]
    ) -> Done:
        ref = _ref(deed)
        row = await self._settled(access, kind, ref, values)
        before = told(row, values)
        wanted = {name: text_of(value) for name, value in values.items()}
        if before == wanted:
            record = await self._p.reader.one(access, ref)
            return Done(record, before=before, after=wanted, again=True)
        await self._unchanged(access, deed, row, before)
        try:
            written = await self._p.client.update(
                access, kind.object, ref.id, values, moment(row["LastModifiedDate"])
            )
        except manners.Changed:
            raise await self._conflict(access, deed) from None
        except Unsure:
            written = await self._if_done(access, kind, ref, revision(row), wanted)
        return await self._done(access, kind, ref, written, before, wanted)

    async def _settled(
        self, access: Access, kind: Kind, ref: RecordRef, values: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Read a record at a time at which its second is over."""
        columns = [*values, "LastModifiedDate"]
        row, at = await self._p.client.row(access, kind.object, ref.id, columns)
        if at and int(moment(row["LastModifiedDate"]).timestamp()) >= int(at):
            await asyncio.sleep(1.05)
            row, at = await self._p.client.row(access, kind.object, ref.id, columns)
        return row

    async def _unchanged(
        self,
        access: Access,
        deed: Deed,
        row: Mapping[str, Any],
        before: Mapping[str, str],
    ) -> None:
        """Raise `EditConflict` if the record is not what the person saw."""
        stale = deed.base is not None and revision(row) != deed.base
        seen = {name: text for name, text in deed.seen.items() if name in before}
        if stale or any(before[name] != text for name, text in seen.items()):
            raise await self._conflict(access, deed)

    async def _conflict(self, access: Access, deed: Deed) -> EditConflict:
        """Return the error, with the record as it is, and with what the form asked for."""
        ref = _ref(deed)
        kind = kind_of(self._p.kinds, ref.kind)
        latest = await self._p.reader.one(access, ref)
        fields = await self._p.metadata.fields(access, kind.object)
        names = [name for name in fields if name in {*deed.values, *deed.seen}]
        if names:
            row, _at = await self._p.client.row(access, kind.object, ref.id, names)
            asked = (self._fact(kind, fields[name], row.get(name)) for name in names)
            latest = replace(latest, facts=(*latest.facts, *asked))
        return EditConflict("somebody has changed this meanwhile", latest)

    def _fact(self, kind: Kind, field: FieldOf, value: Any) -> Fact:
        """Return a field as forms hold it, by its input's id, for comparing."""
        text = text_of(value)
        cls = self._p.kinds.classes.get((kind.object, field.name), PUBLIC)
        return Fact(field.name, field.label, text, cls, raw=text)

    async def _if_done(
        self,
        access: Access,
        kind: Kind,
        ref: RecordRef,
        rev: Revision,
        wanted: Mapping[str, str],
    ) -> Written:
        """Look whether a write stands whose answer was lost. Raises `Unsure`."""
        lost = Unsure("Salesforce's answer was lost: it may have been written")
        columns = [*wanted, "LastModifiedDate"]
        try:
            row, _at = await self._p.client.row(access, kind.object, ref.id, columns)
        except ServiceUnavailable:
            raise lost from None
        if revision(row) == rev or told(row, wanted) != wanted:
            raise lost
        return Written(ref.id, "")

    async def _done(  # noqa: PLR0913, PLR0917 - what a deed came to
        self,
        access: Access,
        kind: Kind,
        ref: RecordRef,
        written: Written,
        before: Mapping[str, str],
        wanted: Mapping[str, str],
    ) -> Done:
        columns = [*wanted, "LastModifiedDate"]
        row, _at = await self._p.client.row(access, kind.object, ref.id, columns)
        after = told(row, wanted)
        unsaved = tuple(name for name, text in wanted.items() if after[name] != text)
        record = await self._p.reader.one(access, ref)
        return Done(record, written.request, before, after, unsaved)

    async def _escalate(self, access: Access, deed: Deed, kind: Kind) -> Done:
        """Change the case and say why, both or neither."""
        ref = _ref(deed)
        fields = await self._p.metadata.fields(access, kind.object)
        own = {name: deed.values[name] for name in deed.values if name == "Priority"}
        values = {**values_of(fields, own), "IsEscalated": True}
        row = await self._settled(access, kind, ref, values)
        before, wanted = told(row, values), {n: text_of(v) for n, v in values.items()}
        why = deed.values.get("CommentBody", "")
        if before == wanted and await self._adder.said(access, ref, why):
            record = await self._p.reader.one(access, ref)
            return Done(record, before=before, after=wanted, again=True)
        await self._unchanged(access, deed, row, before)
        since = {"If-Unmodified-Since": http_date(moment(row["LastModifiedDate"]))}
        comment = {"ParentId": ref.id, "CommentBody": why, "IsPublished": False}
        parts = [
            _part("PATCH", f"sobjects/Case/{ids.long(ref.id)}", values, since),
            _part("POST", "sobjects/CaseComment", comment),
        ]
        try:
            answers, request = await self._p.client.composite(
                access, parts, writes=True
            )
        except Unsure:
            written = await self._if_done(access, kind, ref, revision(row), wanted)
            return await self._done(access, kind, ref, written, before, wanted)
        # The call itself succeeds although its parts failed.
        failed = [one for one in answers if one.status >= _BAD]
        for one in failed:
            if "PROCESSING_HALTED" in str(one.body) and len(failed) > 1:
                continue
            error = manners.told(one.status, one.body, writes=True)
            if isinstance(error, manners.Changed):
                raise await self._conflict(access, deed)
            raise error
        written = Written(ref.id, request)
        return await self._done(access, kind, ref, written, before, wanted)


def _ref(deed: Deed) -> RecordRef:
    if deed.ref is None:
        raise BadInput("say which record")
    return deed.ref


def _part(
    method: str,
    path: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
) -> Mapping[str, Any]:
    part: dict[str, Any] = {"method": method, "url": f"{DATA}/{path}", "body": body}
    return part | {"httpHeaders": headers} if headers else part
