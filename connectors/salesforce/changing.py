"""
Changes of a record's own fields, and never over what somebody else wrote meanwhile.

A change carries the time at which its record was read. The org compares whole seconds,
so that an edit within the same second would pass: a record that was changed in the
current second is read again a second later, and fields are compared besides.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Deed
from bridge.records.model import PUBLIC, Fact, RecordRef, Revision
from bridge.records.ports import Access, Done, EditConflict, Unsure
from connectors.salesforce import manners
from connectors.salesforce.adding import Parts, told, values_of
from connectors.salesforce.asking import EDITS, kind_of, text_of
from connectors.salesforce.client import Written
from connectors.salesforce.kinds import Kind
from connectors.salesforce.metadata import FieldOf
from connectors.salesforce.rendering import moment, revision


class Changer:
    """Changes records, as one account or another."""

    def __init__(self, parts: Parts) -> None:
        self._p = parts

    def changes(self, act: str, kind: str) -> bool:
        """Say whether an act on a kind of record changes its fields. Pure."""
        edits = act in EDITS and kind in EDITS[act].kinds
        return edits or (act in {"take", "escalate"} and kind == "case")

    async def values(self, access: Access, deed: Deed, kind: Kind) -> Mapping[str, Any]:
        """Return what a deed writes into fields, as the API takes it."""
        if deed.act == "take":
            return {"OwnerId": await self._p.client.me(access)}
        if deed.act == "escalate":
            fields = await self._p.metadata.fields(access, kind.object)
            own = {n: deed.values[n] for n in deed.values if n == "Priority"}
            return {**values_of(fields, own), "IsEscalated": True}
        fields = await self._p.asking.editable(access, deed.act, kind)
        return values_of(fields, deed.values)

    async def change(self, access: Access, deed: Deed, kind: Kind) -> Done:
        """Change it, unless somebody else did meanwhile."""
        ref, values = ref_of(deed), await self.values(access, deed, kind)
        row = await self.settled(access, kind, ref, values)
        before = told(row, values)
        wanted = {name: text_of(value) for name, value in values.items()}
        if before == wanted:
            record = await self._p.reader.one(access, ref)
            return Done(record, before=before, after=wanted, again=True)
        await self.unchanged(access, deed, row, before)
        try:
            written = await self._p.client.update(
                access, kind.object, ref.id, values, moment(row["LastModifiedDate"])
            )
        except manners.Changed:
            raise await self.conflict(access, deed) from None
        except Unsure:
            written = await self.if_done(access, kind, ref, revision(row), wanted)
        return await self.done(access, kind, ref, written, before, wanted)

    async def settled(
        self, access: Access, kind: Kind, ref: RecordRef, values: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Read a record at a time at which its second is over."""
        columns = [*values, "LastModifiedDate"]
        row, at = await self._p.client.row(access, kind.object, ref.id, columns)
        if at and int(moment(row["LastModifiedDate"]).timestamp()) >= int(at):
            await asyncio.sleep(1.05)
            row, at = await self._p.client.row(access, kind.object, ref.id, columns)
        return row

    async def unchanged(
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
            raise await self.conflict(access, deed)

    async def conflict(self, access: Access, deed: Deed) -> EditConflict:
        """Return the error, with the record as it is, and with what the form asked for."""
        ref = ref_of(deed)
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

    async def if_done(
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

    async def done(  # noqa: PLR0913, PLR0917 - what a deed came to
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


def ref_of(deed: Deed) -> RecordRef:
    if deed.ref is None:
        raise BadInput("say which record")
    return deed.ref
