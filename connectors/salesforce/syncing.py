"""
Keeping a copy of all accounts and contacts: everything once, then what changed.

Records come in the order of their last modification, so that a copy that is interrupted
goes on where it was: after `SystemModstamp` and, within one, after the id. Deleted
records come along, as ids. Reading the same page again changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.model import Absence, Record, RecordRef
from bridge.records.ports import Access
from connectors.salesforce import ids, soql
from connectors.salesforce.asking import kind_of
from connectors.salesforce.client import Client
from connectors.salesforce.kinds import Kinds
from connectors.salesforce.reading import Reader
from connectors.salesforce.recognition import Recognition
from connectors.salesforce.rendering import moment

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Page:
    """
    Part of a copy. `gone` were deleted, or are not for this account any more; `complete`
    says that there is nothing further now. `position` is where the next page begins.
    """

    records: tuple[Record, ...]
    gone: tuple[RecordRef, ...]
    position: str
    complete: bool


class Syncing:
    """Reads a kind of records page by page, as one account."""

    def __init__(
        self, client: Client, kinds: Kinds, recognition: Recognition, reader: Reader
    ) -> None:
        self._client = client
        self._kinds = kinds
        self._recognition = recognition
        self._reader = reader

    async def page(self, access: Access, kind: str, position: str) -> Page:
        """
        Return the next page after a position, "" for the first.

        Raises what a line raises, and `ServiceUnavailable` if part of the page could not
        be read: then the same position is to be tried again.
        """
        of = kind_of(self._kinds, kind)
        query = soql.select(
            of.object,
            ["Id", "SystemModstamp", "IsDeleted"],
            _after(position),
            tail=f"ORDER BY SystemModstamp, Id LIMIT {_PAGE}",
        )
        rows = await self._client.query(access, query, urgent=False, deleted=True)
        refs = [self._recognition.ref(of.name, str(row["Id"])) for row in rows]
        alive = [
            ref for ref, row in zip(refs, rows, strict=True) if not row["IsDeleted"]
        ]
        found = await self._reader.read(access, alive, urgent=False) if alive else {}
        if {Absence.UNREACHABLE, Absence.SPENT, Absence.UNCONNECTED} & _absences(found):
            raise ServiceUnavailable("Salesforce could not be read to the end")
        records = [one for one in found.values() if isinstance(one, Record)]
        read = {one.ref for one in records}
        gone = tuple(ref for ref in refs if ref not in read)
        reached = _position(rows[-1]) if rows else position
        return Page(tuple(records), gone, reached, len(rows) < _PAGE)


def _absences(found: Mapping[RecordRef, Record | Absence]) -> set[Absence]:
    return {one for one in found.values() if isinstance(one, Absence)}


def _position(row: Mapping[str, Any]) -> str:
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
