"""
Taking back what a deed added or made, and changing the words of what it added.

Salesforce lets people do both with their rights.

Deleting knows no condition, so that a record is read just before. It has to be the
person's own, as they left it, with nothing of anybody's below it: deleting an account
would take its contacts along.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.errors import BadInput, NotAllowed
from bridge.records.forms import MADE, Deed
from bridge.records.model import Record
from bridge.records.ports import Access, Done, Gone, NotThere, NotYours, Unsure
from connectors.made import CHANGED, GONE, Made, deleted
from connectors.salesforce import ids, manners, soql
from connectors.salesforce.adding import COMMENT, Parts, told
from connectors.salesforce.asking import text_of
from connectors.salesforce.rendering import moment

# What hangs on a record, and by which field: it would be deleted or left alone with it.
_BELOW: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Case": ((COMMENT, "ParentId"), ("Task", "WhatId")),
    "Opportunity": (("Task", "WhatId"),),
    "Contact": (("Case", "ContactId"), ("Task", "WhoId")),
    "Account": (
        ("Contact", "AccountId"),
        ("Opportunity", "AccountId"),
        ("Case", "AccountId"),
        ("Task", "WhatId"),
    ),
    COMMENT: (),
    "Task": (),
}
_WORDS = {COMMENT: ("CommentBody",), "Task": ("Subject", "Description")}
_COLUMNS = ("CreatedById", "CreatedDate", "LastModifiedById", "LastModifiedDate")


@dataclass(frozen=True, slots=True)
class TakingBack:
    """Deletes what ATOM wrote as this person, if it still is that."""

    parts: Parts

    async def perform(self, access: Access, deed: Deed) -> Done:
        """Raises `NotAllowed` with why it stays, `NotYours`, `Unsure`."""
        made, client = _made(deed), self.parts.client
        try:
            await self._still_ours(access, made)
            await self._nothing_below(access, made)
            request = (await client.delete(access, made.what, made.id)).request
        except Gone:
            if not deed.tried_us:
                raise NotThere(GONE) from None
            return Done(await self._around(access, deed, made), again=True)
        except Unsure:
            if await self._is_there(access, made):
                raise
            request = ""
        return Done(await self._around(access, deed, made), request)

    async def amend(self, access: Access, deed: Deed) -> Done:
        """Change the words of a comment or a task. Raises as taking back does."""
        made, client = _made(deed), self.parts.client
        values = {
            n: deed.values[n] for n in _WORDS.get(made.what, ()) if n in deed.values
        }
        if not values:
            raise BadInput("those are no words that could be changed")
        assert deed.ref is not None  # noqa: S101 - comments and tasks are added to one
        columns = [*values, "LastModifiedDate"]
        try:
            row, _at = await client.row(access, made.what, made.id, columns)
            again = bool(deed.tried_us) and told(row, values) == values
            request = ""
            if not again:
                since = await self._still_ours(access, made)
                request = await self._reworded(access, made, values, since)
            row, _at = await client.row(access, made.what, made.id, columns)
        except Gone:
            raise NotThere(GONE) from None
        now = Made(made.what, made.id, text_of(row.get("LastModifiedDate")))
        record = await self.parts.reader.one(access, deed.ref)
        after = told(row, values)
        return Done(record, request, {}, after, again=again, made=str(now))

    async def _reworded(
        self, access: Access, made: Made, values: Mapping[str, str], since: datetime
    ) -> str:
        client = self.parts.client
        try:
            written = await client.update(access, made.what, made.id, values, since)
        except manners.Changed:
            raise NotAllowed(CHANGED) from None
        except Unsure:
            row, _at = await client.row(access, made.what, made.id, [*values])
            if told(row, values) != values:
                raise
            return ""
        return written.request

    async def _still_ours(self, access: Access, made: Made) -> datetime:
        """Return when it was changed last, if it is the person's own as they left it."""
        client = self.parts.client
        row, _at = await client.row(access, made.what, made.id, _COLUMNS)
        me = await client.me(access)
        if {text_of(row.get(n)) for n in ("CreatedById", "LastModifiedById")} != {me}:
            raise NotAllowed(CHANGED)
        left = made.state or text_of(row.get("CreatedDate"))
        if text_of(row.get("LastModifiedDate")) != left:
            raise NotAllowed(CHANGED)
        return moment(left)

    async def _nothing_below(self, access: Access, made: Made) -> None:
        client = self.parts.client
        for object_, field in _BELOW[made.what]:
            where = f"{field} = {soql.quoted(ids.long(made.id))}"
            query = soql.select(object_, ["Id"], where, tail="LIMIT 1")
            try:
                rows = await client.query(access, query)
            except (NotYours, manners.Hidden):
                why = "you may not see whether others added something to it."
                raise NotAllowed(why) from None
            if rows:
                raise NotAllowed("something was added to it since.")

    async def _is_there(self, access: Access, made: Made) -> bool:
        try:
            await self.parts.client.row(access, made.what, made.id, ["Id"])
        except Gone:
            return False
        return True

    async def _around(self, access: Access, deed: Deed, made: Made) -> Record:
        """Return the record that it was added to, or what is left of the deleted one."""
        kinds: Mapping[str, Any] = {k.object: k.name for k in self.parts.kinds.all}
        if made.what in kinds:
            ref = self.parts.recognition.ref(kinds[made.what], made.id)
            return deleted(ref, 0)
        assert deed.ref is not None  # noqa: S101 - comments and tasks are added to one
        return await self.parts.reader.one(access, deed.ref)


def _made(deed: Deed) -> Made:
    made = Made.read(deed.values.get(MADE, ""))
    if made.what not in _BELOW:
        raise NotAllowed("ATOM does not know any more what was added.")
    return made
