"""Searching, and looking numbers up: what comes back is checked against what was asked."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.records.model import Mention, Record, RecordRef
from bridge.records.ports import Access, NotYours
from connectors.remembered import Remembered
from connectors.salesforce import manners, soql
from connectors.salesforce.client import Client
from connectors.salesforce.kinds import Kinds
from connectors.salesforce.reading import Reader
from connectors.salesforce.recognition import Recognition, number_of

_REMEMBERED = 15 * 60.0
_SHORTEST, _LONGEST, _MOST_NUMBERS = 2, 200, 200
_WORD = re.compile(r"[^\W_]+(?:[.@+'-][^\W_]+)*")


class Finder:
    """Finds records as one account or another."""

    def __init__(
        self, client: Client, kinds: Kinds, recognition: Recognition, reader: Reader
    ) -> None:
        self._client = client
        self._kinds = kinds
        self._recognition = recognition
        self._reader = reader
        # Objects that one such name would spoil a whole search with, by account.
        self._lacking = Remembered[frozenset[str]](_REMEMBERED, most=10_000)

    async def resolve(
        self, access: Access, mentions: Sequence[Mention]
    ) -> Mapping[str, RecordRef]:
        """Return the cases of `CS-…` numbers."""
        numbers = {
            number: one.key for one in mentions if (number := number_of(one.key))
        }
        if not numbers:
            return {}
        where = f"CaseNumber IN ({soql.listed(list(numbers)[:_MOST_NUMBERS])})"
        query = soql.select("Case", ["Id", "CaseNumber"], where)
        try:
            rows = await self._client.query(access, query)
        except (manners.Hidden, NotYours):
            return {}
        return {
            numbers[row["CaseNumber"]]: self._recognition.ref("case", row["Id"])
            for row in rows
            if row["CaseNumber"] in numbers
        }

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        """Return records that hold the words, those that hold more of them first."""
        asked = [one.casefold() for one in _WORD.findall(words[:_LONGEST])]
        text = " ".join(asked)
        if len(text) < _SHORTEST or limit < 1:
            return []
        if (number := number_of(words.strip().upper())) is not None:
            asked, text = [number], number
        rows = await self._searched(access, text, limit)
        refs = []
        for row in rows:
            kind = self._kinds.of_object(str(row["attributes"]["type"]))
            if kind is not None and str(row["Id"]).startswith(kind.prefix):
                refs.append(self._recognition.ref(kind.name, str(row["Id"])))
        found = await self._reader.read(access, list(dict.fromkeys(refs)), urgent=True)
        records = [one for one in found.values() if isinstance(one, Record)]
        ranked = sorted(
            ((_held(one, asked), one) for one in records),
            key=lambda pair: -pair[0],
        )
        return [one for held, one in ranked if held][:limit]

    async def _searched(
        self, access: Access, text: str, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        """Search in all kinds that are for this account."""
        lacking = self._lacking.get(access.account) or frozenset()
        for _ in self._kinds.all:
            wanted = [
                {"name": kind.object, "fields": ["Id"], "limit": limit}
                for kind in self._kinds.all
                if kind.object not in lacking
            ]
            try:
                return await self._client.search(access, text, wanted, limit * 2)
            except manners.NoObject as error:
                lacking |= {error.name}
                self._lacking.keep(access.account, lacking)
        return []


def _held(record: Record, words: Sequence[str]) -> int:
    """Return how much a record has to do with words; the title counts twice."""
    facts = " ".join(one.text for one in record.facts)
    body = record.body.text if record.body else ""
    title = f"{record.key} {record.title}".casefold()
    everything = f"{title} {record.status.text} {facts} {body}".casefold()
    return sum((word in everything) + (word in title) for word in words)
