"""
Listing all accounts and contacts for the book: everything once, then what changed.

Records come in the order of their last modification, so that a list that is interrupted
goes on where it was: after `SystemModstamp` and, within one, after the id. Deleted
records come along, as ids. Reading the same page again changes nothing. Asked for is
only what records are looked up by, in one call a page.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, Self

from bridge.errors import BadInput
from bridge.records.knowing import ACCOUNT, CONTACT, Listed, Page, clues
from bridge.records.model import RecordRef
from bridge.records.ports import Access
from connectors.salesforce import ids, manners, soql
from connectors.salesforce.asking import kind_of
from connectors.salesforce.client import Client
from connectors.salesforce.kinds import PERSONAL, Extra, Kind, Kinds
from connectors.salesforce.reading import Reader
from connectors.salesforce.recognition import Recognition
from connectors.salesforce.rendering import moment

Row = Mapping[str, Any]
LISTS = (ACCOUNT, CONTACT)
MOST = 2_000  # rows that the org gives in one answer

_AT_ONCE = 200
_ALWAYS = ("Id", "SystemModstamp", "IsDeleted")
_KNOWN_BY = {ACCOUNT: ("Name", "Website"), CONTACT: ("Name", "Email", "AccountId")}
_OWN_FIELD = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9]{0,14}__)?[A-Za-z](?:_?[A-Za-z0-9]){0,39}__c"
)
_MOST_OWN = 5


@dataclass(frozen=True, slots=True)
class KnownBy:
    """Fields of the org's own that hold contacts' addresses and accounts' websites."""

    addresses: tuple[str, ...] = ()
    websites: tuple[str, ...] = ()

    @classmethod
    def told(cls, addresses: str, websites: str) -> Self:
        """Read names with spaces between them. Raises `BadInput`."""
        return cls(_own_fields(addresses), _own_fields(websites))

    @property
    def extras(self) -> tuple[Extra, ...]:
        """
        The same as fields of cards.

        Nobody is found by what they do not see, so what the book looks up is shown to
        whoever may see it.
        """
        personal = (
            Extra("Contact", name, _label(name), PERSONAL) for name in self.addresses
        )
        return (
            *personal,
            *(Extra("Account", name, _label(name)) for name in self.websites),
        )

    def columns(self, kind: str) -> tuple[str, ...]:
        return self.addresses if kind == CONTACT else self.websites


@dataclass(frozen=True, slots=True)
class Syncing:
    """Reads a kind of records page by page, as one account."""

    client: Client
    kinds: Kinds
    recognition: Recognition
    reader: Reader
    most: int = MOST
    known_by: KnownBy = KnownBy()

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
        named = (*_KNOWN_BY[of.name], *self.known_by.columns(of.name))
        more = [one for one in named if seen is None or one in seen]
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
            clues(
                _told(row, "Name"),
                _told(row, "Email", *self.known_by.addresses),
                _told(row, "Website", *self.known_by.websites),
            ),
            self.recognition.ref(ACCOUNT, str(belongs)) if belongs else None,
        )

    def _ref(self, of: Kind, id_: object) -> RecordRef:
        return self.recognition.ref(of.name, str(id_))


def _told(row: Row, *columns: str) -> list[str]:
    return [str(row[column]) for column in columns if row.get(column)]


def _own_fields(names: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(names.replace(",", " ").split()))
    for name in found:
        if not _OWN_FIELD.fullmatch(name):
            raise BadInput(
                f"{name[:60]} is no field of an org's own, such as Work_Email__c"
            )
    if len(found) > _MOST_OWN:
        raise BadInput(f"{_MOST_OWN} fields at most")
    return found


def _label(name: str) -> str:
    """Return what a field is called on a card: `Work_Email__c` is Work Email."""
    return name.removesuffix("__c").rpartition("__")[2].replace("_", " ")


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
