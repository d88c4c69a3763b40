"""
Reading many records in few calls, with the fields that an account sees.

A field that is hidden from an account looks to it like one that does not exist, and one
such name spoils the whole query. So everything is asked for at first; after a refusal
the object's description, which holds the visible fields alone, says what to ask this
account for, for a while.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from bridge.errors import AtomError, BadInput, ServiceUnavailable
from bridge.records.model import Absence, Record, RecordRef
from bridge.records.ports import Access, Gone, NotConnected, NotYours, Spent
from connectors.remembered import Remembered
from connectors.salesforce import ids, manners, soql
from connectors.salesforce.client import DATA, Client, Part
from connectors.salesforce.kinds import Form, Kind, Kinds
from connectors.salesforce.recognition import Recognition
from connectors.salesforce.rendering import Rendering, is_visible

_MOST_IDS, _MOST_QUERIES = 200, 5
_REMEMBERED = 15 * 60.0  # seconds: a right that was given is noticed after that
_MOST_REMEMBERED = 10_000
_COUNTED = {
    "Opportunity": "IsClosed = false AND AccountId IN",
    "Case": "IsClosed = false AND AccountId IN",
}
Row = Mapping[str, Any]
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class _Query:
    """One query of a composite: the rows of `kind`, or how many of `counted` each has."""

    kind: Kind
    ids: tuple[str, ...]
    counted: str = ""


class Reader:
    """Reads records as one account or another. `clock` is in seconds since 1970."""

    def __init__(
        self,
        client: Client,
        kinds: Kinds,
        recognition: Recognition,
        rendering: Rendering,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._client = client
        self._kinds = kinds
        self._recognition = recognition
        self._rendering = rendering
        self._seen = Remembered[AbstractSet[str]](_REMEMBERED, most=_MOST_REMEMBERED)
        self._bare = Remembered[bool](_REMEMBERED, most=_MOST_REMEMBERED)
        self._childless = Remembered[bool](_REMEMBERED, most=_MOST_REMEMBERED)

    def visible(self, access: Access, object_: str) -> AbstractSet[str] | None:
        """Return the fields that an account sees, None as long as nothing is hidden."""
        return self._seen.get(_key(access, object_))

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool
    ) -> Mapping[RecordRef, Record | Absence]:
        """Return every record, or why there is none."""
        try:
            return await self._read(access, refs, urgent=urgent)
        except Spent:
            return dict.fromkeys(refs, Absence.SPENT)
        except NotConnected:
            return dict.fromkeys(refs, Absence.UNCONNECTED)
        except ServiceUnavailable:
            return dict.fromkeys(refs, Absence.UNREACHABLE)

    async def one(self, access: Access, ref: RecordRef) -> Record:
        """Return a record. Raises `Gone`, and what a line raises."""
        found = (await self._read(access, [ref], urgent=True))[ref]
        if isinstance(found, Record):
            return found
        if found is Absence.GONE:
            raise Gone("it was deleted, or you may not see it")
        raise ServiceUnavailable("Salesforce cannot answer now")

    async def learn(self, access: Access, object_: str) -> AbstractSet[str]:
        """Ask what an account sees of an object, and remember it for a while."""
        try:
            described, _since = await self._client.describe(access, object_)
        except (Gone, NotYours):
            described = None
        fields = (described or {}).get("fields", ())
        seen = frozenset(str(one["name"]) for one in fields)
        self._seen.keep(_key(access, object_), seen)
        return seen

    async def _read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool
    ) -> Mapping[RecordRef, Record | Absence]:
        # One address that is none must not spoil what is asked for with it.
        odd = [ref for ref in refs if not _is_id(ref.id)]
        refs = [ref for ref in refs if _is_id(ref.id)]
        queries = list(self._queries(refs))
        answers = await self._asked(access, queries, urgent=urgent)
        for learn in (self._learn, self._bare_from_now):
            hidden = {
                query: answer
                for query, answer in answers.items()
                if isinstance(answer, manners.Hidden)
            }
            if hidden:
                await learn(access, hidden)
                answers |= await self._asked(access, list(hidden), urgent=urgent)
        return {**self._records(refs, answers), **dict.fromkeys(odd, Absence.GONE)}

    async def _learn(
        self, access: Access, hidden: Mapping[_Query, manners.Hidden]
    ) -> None:
        """Ask once for each object what this account sees of it."""
        for object_ in {query.counted or query.kind.object for query in hidden}:
            await self.learn(access, object_)
        for query, answer in hidden.items():
            if answer.name in query.kind.children:
                self._childless.keep(_key(access, query.kind.object), True)

    async def _bare_from_now(
        self, access: Access, hidden: Mapping[_Query, manners.Hidden]
    ) -> None:
        """
        Ask for an object's own fields alone: what it refers to is not for this account,
        and no description says so.
        """
        for query in hidden:
            self._bare.keep(_key(access, query.kind.object), True)

    def _queries(self, refs: Sequence[RecordRef]) -> Sequence[_Query]:
        queries = []
        for kind in self._kinds.all:
            wanted = dict.fromkeys(
                ids.long(ref.id) for ref in refs if ref.kind == kind.name
            )
            for some in _batches(wanted, _MOST_IDS):
                queries.append(_Query(kind, some))
                queries += [
                    _Query(kind, some, one.path)
                    for one in kind.shown
                    if one.form is Form.COUNT and one.path in _COUNTED
                ]
        return queries

    async def _asked(
        self, access: Access, queries: Sequence[_Query], *, urgent: bool
    ) -> dict[_Query, Sequence[Row] | AtomError]:
        answers: dict[_Query, Sequence[Row] | AtomError] = {}
        for some in _batches(queries, _MOST_QUERIES):
            parts = [
                {"method": "GET", "url": f"{DATA}/query/?{self._text(access, one)}"}
                for one in some
            ]
            told, _request = await self._client.composite(access, parts, urgent=urgent)
            answers |= zip(some, map(_rows, told), strict=True)
        return answers

    def _text(self, access: Access, query: _Query) -> str:
        wanted = f"({soql.listed(query.ids)})"
        if query.counted:
            where = f"{_COUNTED[query.counted]} {wanted}"
            columns = f"SELECT AccountId, COUNT(Id) n FROM {query.counted}"  # noqa: S608
            return urlencode({"q": f"{columns} WHERE {where} GROUP BY AccountId"})
        kind = query.kind
        key = _key(access, kind.object)
        visible, bare = self.visible(access, kind.object), bool(self._bare.get(key))
        columns_ = [
            one
            for one in kind.paths()
            if is_visible(one, visible) and not (bare and "." in one)
        ]
        children = "" if bare or self._childless.get(key) else kind.children
        where = f"Id IN {wanted}"
        asked = soql.select(kind.object, columns_ or ["Id"], where, children)
        return urlencode({"q": asked})

    def _records(
        self,
        refs: Sequence[RecordRef],
        answers: Mapping[_Query, Sequence[Row] | AtomError],
    ) -> Mapping[RecordRef, Record | Absence]:
        rows: dict[str, dict[str, Any]] = {}
        down: set[str] = set()
        for query, answer in answers.items():
            if isinstance(answer, AtomError):
                gone = isinstance(answer, Gone | NotYours | manners.Hidden)
                down |= set() if gone or query.counted else set(query.ids)
            elif not query.counted:
                rows |= {str(row["Id"]): dict(row) for row in answer}
        for query, answer in answers.items():
            if query.counted and not isinstance(answer, AtomError):
                numbers = {str(row["AccountId"]): row["n"] for row in answer}
                for id_ in rows.keys() & set(query.ids):
                    rows[id_][query.counted] = numbers.get(id_, 0)
        made: dict[RecordRef, Record | Absence] = {}
        for ref in refs:
            kind, row = self._kinds.named(ref.kind), rows.get(ids.long(ref.id))
            if ids.long(ref.id) in down:
                made[ref] = Absence.UNREACHABLE
            elif kind is None or row is None:
                made[ref] = Absence.GONE
            else:
                made[ref] = self._record(kind, ref, row)
        return made

    def _record(self, kind: Kind, ref: RecordRef, row: Row) -> Record:
        page = self._recognition.page(kind.object, str(row["Id"]))
        now_us = int(self._clock() * 1_000_000)
        return self._rendering.record(kind, ref, row, page, now_us)


def _is_id(text: str) -> bool:
    try:
        ids.long(text)
    except BadInput:
        return False
    return True


def _key(access: Access, object_: str) -> str:
    return f"{access.account}\0{object_}"


def _rows(part: Part) -> Sequence[Row] | AtomError:
    if part.status != 200:  # noqa: PLR2004 - HTTP's own number
        return manners.told(part.status, part.body)
    rows: Sequence[Row] = part.body["records"]
    return rows


def _batches(
    items: Sequence[_Item] | dict[_Item, None], most: int
) -> Iterator[tuple[_Item, ...]]:
    every = tuple(items)
    for start in range(0, len(every), most):
        yield every[start : start + most]
