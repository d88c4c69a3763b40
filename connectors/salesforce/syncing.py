"""
Listing all accounts and contacts for the book: everything once, then what changed.

Records come in the order of their last modification, so that a list that is interrupted
goes on where it was: after `SystemModstamp` and, within one, after the id. Deleted
records come along, as ids. Reading the same page again changes nothing. Asked for is
only what records are looked up by, in one call a page.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from bridge.errors import BadInput
from bridge.records.knowing import ACCOUNT, CONTACT, Listed, Page, clues
from bridge.records.model import RecordRef
from bridge.records.ports import Access
from connectors.salesforce import ids, manners, soql
from connectors.salesforce.asking import kind_of
from connectors.salesforce.client import Client
from connectors.salesforce.kinds import Kind, Kinds
from connectors.salesforce.reading import Reader
from connectors.salesforce.recognition import Recognition
from connectors.salesforce.rendering import moment

Row = Mapping[str, Any]
LISTS = (ACCOUNT, CONTACT)
MOST = 2_000  # rows that the org gives in one answer

_AT_ONCE = 200
_ALWAYS = ("Id", "SystemModstamp", "IsDeleted")
_KNOWN_BY = {ACCOUNT: ("Name", "Website"), CONTACT: ("Name", "Email", "AccountId")}


@dataclass(frozen=True, slots=True)
class Syncing:
    """Reads a kind of records page by page, as one account."""

    client: Client
    kinds: Kinds
    recognition: Recognition
    reader: Reader
    most: int = MOST

    async def pages(self, access: Access, kind: str, position: str) -> Sequence[Page]:
        """
        Return what comes after a position, "" for the first, as one call gives it.

        An account that may not see the kind at all sees none of its records. Raises
        what a line raises; then the same position is to be tried again.
        """
        if kind not in LISTS:
            raise BadInput(f"there is no list of every {kind}")
        of = kind_of(self.kinds, kind)
        try:
            rows, done = await self._rows(access, of, position)
        except manners.NoObject:
            return [Page((), (), position, complete=True)]
        whole = done and len(rows) < self.most
        # Words of thousands of names take a while, in which others are to be served.
        return await asyncio.to_thread(self._in_parts, of, rows, position, whole=whole)

    def _in_parts(
        self, of: Kind, rows: Sequence[Row], position: str, *, whole: bool
    ) -> Sequence[Page]:
        """Cut rows into pages that a database takes in without holding others up."""
        parts = [rows[n : n + _AT_ONCE] for n in range(0, len(rows), _AT_ONCE)]
        pages = [self._page(of, part) for part in parts]
        if not pages:
            return [Page((), (), position, complete=whole)]
        return [*pages[:-1], replace(pages[-1], complete=whole)]

    def _page(self, of: Kind, rows: Sequence[Row]) -> Page:
        alive = tuple(self._listed(of, row) for row in rows if not row["IsDeleted"])
        gone = tuple(self._ref(of, row["Id"]) for row in rows if row["IsDeleted"])
        return Page(alive, gone, _position(rows[-1]), complete=False)

    async def _rows(
        self, access: Access, of: Kind, position: str
    ) -> tuple[Sequence[Row], bool]:
        """Ask without what is hidden from the account, which a refusal tells of."""
        try:
            return await self.client.first(access, self._query(access, of, position))
        except manners.Hidden:
            await self.reader.learn(access, of.object)
        return await self.client.first(access, self._query(access, of, position))

    def _query(self, access: Access, of: Kind, position: str) -> str:
        seen = self.reader.visible(access, of.object)
        more = [one for one in _KNOWN_BY[of.name] if seen is None or one in seen]
        return soql.select(
            of.object,
            [*_ALWAYS, *more],
            _after(position),
            tail=f"ORDER BY SystemModstamp, Id LIMIT {self.most}",
        )

    def _listed(self, of: Kind, row: Row) -> Listed:
        belongs = row.get("AccountId")
        return Listed(
            self._ref(of, row["Id"]),
            int(moment(str(row["SystemModstamp"])).timestamp() * 1_000_000),
            clues(_told(row, "Name"), _told(row, "Email"), _told(row, "Website")),
            self.recognition.ref(ACCOUNT, str(belongs)) if belongs else None,
        )

    def _ref(self, of: Kind, id_: object) -> RecordRef:
        return self.recognition.ref(of.name, str(id_))


def _told(row: Row, column: str) -> list[str]:
    return [str(row[column])] if row.get(column) else []


def _position(row: Row) -> str:
    when = moment(str(row["SystemModstamp"])).astimezone(UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z/{row['Id']}"


def _after(position: str) -> str:
    """Return the condition for what comes after a position. Raises `BadInput`."""
    if not position:
        return ""
    when, _slash, id_ = position.partition("/")
    try:
        moment(when)
    except ValueError:
        raise BadInput("that is no position: start from an empty one") from None
    last = soql.quoted(ids.long(id_))
    return f"SystemModstamp > {when} OR (SystemModstamp = {when} AND Id > {last})"
