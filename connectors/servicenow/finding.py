"""Search for words in incidents, changes, the catalogue and the knowledge base."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.records.model import Absence, Mention, Record, System
from bridge.records.ports import Access
from connectors.servicenow.calls import (
    CATALOGUE,
    KNOWLEDGE,
    Answer,
    Page,
    Part,
    rows_of,
)
from connectors.servicenow.query import Query, Words
from connectors.servicenow.reading import QUERY_IGNORED, Reading
from connectors.servicenow.recognition import kind_of
from connectors.servicenow.rows import Row
from connectors.servicenow.tables import (
    ALWAYS,
    ARTICLE,
    CHANGE,
    INCIDENT,
    ITEM,
    Table,
)
from connectors.servicenow.translate import Beside

_TASKS = (INCIDENT, CHANGE)
_MOST = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """Searches one instance, in one call."""

    reading: Reading

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        """Return what fits, best first. Raises `BadInput`."""
        limit = max(1, min(limit, _MOST))
        number = words.strip().upper()
        if not number:
            return []
        if kind := kind_of(number):
            return await self._numbered(access, kind, number)
        asked = [
            (table, Words.of(words, (table.title, table.body, "number")))
            for table in (*_TASKS, ITEM, ARTICLE)
        ]
        parts = [_part(table, wanted, limit) for table, wanted in asked]
        answers = await self.reading.calls.ask(access, parts)
        found: list[tuple[int, int, Record]] = []
        for (table, wanted), answer in zip(asked, answers, strict=True):
            for place, row in enumerate(self._rows(table, wanted, answer)):
                record = self.reading.translator.record(
                    table.kind, row, self.reading.now_us(), Beside()
                )
                found.append((_rank(wanted, record), place, record))
        found.sort(key=lambda each: each[:2])
        return [record for _rank_, _place, record in found[:limit]]

    async def browse(self, access: Access, limit: int) -> Sequence[Record]:
        """Return what can be ordered, as the catalogue lists it."""
        part = _items("", max(1, min(limit, _MOST)))
        (answer,) = await self.reading.calls.ask(access, [part])
        if not answer.ok:
            return []
        now = self.reading.now_us()
        return [
            self.reading.translator.record(ITEM.kind, row, now, Beside())
            for row in _catalogued(answer)
        ]

    async def _numbered(
        self, access: Access, kind: str, number: str
    ) -> Sequence[Record]:
        instance = self.reading.translator.instance
        mention = Mention(System.SERVICENOW, instance, kind, number, 0, len(number))
        refs = await self.reading.resolve(access, [mention])
        if number not in refs:
            return []
        record = await self.reading.one(access, refs[number])
        return [] if isinstance(record, Absence) else [record]

    def _rows(self, table: Table, words: Words, answer: Answer) -> list[Row]:
        """
        Return the rows that hold the words.

        The text index finds other forms of words, and words in fields that are not
        shown, so that single rows may fall out here; but if every row does, it was
        another question that was answered.
        """
        if not answer.ok:
            return []
        told = {ITEM: _catalogued, ARTICLE: _articles}.get(table, Answer.rows)(answer)
        kept = [row for row in told if words.keeps(row.values)]
        if told and not kept:
            self.reading.alert(QUERY_IGNORED, table.name)
        return kept


def _part(table: Table, words: Words, limit: int) -> Part:
    if table is ITEM:
        return _items(" ".join(words.words), limit)
    if table is ARTICLE:
        fields = ",".join(dict.fromkeys((*ALWAYS, *table.fields)))
        params = {"query": " ".join(words.words), "limit": str(limit), "fields": fields}
        return Part(KNOWLEDGE, "/knowledge/articles", params)
    query = Query((words,), "sys_updated_on", latest_first=True)
    return rows_of(table.name, Page(query, table.fields, limit))


def _items(words: str, limit: int) -> Part:
    params = {"sysparm_limit": str(limit)} | ({"sysparm_text": words} if words else {})
    return Part(CATALOGUE, "/servicecatalog/items", params)


def _catalogued(answer: Answer) -> list[Row]:
    return [row for row in answer.rows() if row.id]


def _articles(answer: Answer) -> list[Row]:
    rows = []
    told = answer.result if isinstance(answer.result, dict) else {}
    for each in told.get("articles") or ():
        row = Row.of(each.get("fields") or {}, number=str(each.get("number", "")))
        id_ = str(each.get("id", "")).partition(":")[2]
        values = {**row.values, "sys_id": id_}
        rows.append(Row(values, {**row.shown, "sys_id": id_}))
    return [row for row in rows if row.id]


def _rank(words: Words, record: Record) -> int:
    title = record.title.casefold()
    return 0 if all(word.casefold() in title for word in words.words) else 1
