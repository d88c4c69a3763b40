"""Answering a search: exactly, whatever the index cannot decide by itself."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from bridge.compliance import Restrictions
from bridge.errors import BadInput
from bridge.messages import Channel
from bridge.search.matching import asks_for_words, holds
from bridge.search.syntax import (
    And,
    Condition,
    Expression,
    Not,
    Or,
    Query,
    both,
    leaves,
)
from storage.compliance.tree import Frontier, leaf_hash
from storage.hot import Statement
from storage.log_reader import LogReader
from storage.search.asking import Asking
from storage.search.bounds import Known
from storage.search.candidates import Candidates
from storage.search.facts import facts_of
from storage.search.index import SearchIndex
from storage.search.newest import Hit, Newest
from storage.search.resolving import Resolver

_AT_ONCE = 500
_ASKED_AT_ONCE = 40 * _AT_ONCE


@dataclass(frozen=True, slots=True)
class Page:
    """
    Which part of the answer is wanted.

    `cursor` is the former page's `next`; `size` the size of the log to be asked, -1 for
    all of it.
    """

    limit: int = 20
    cursor: str = ""
    size: int = -1


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a search found, as of a size of the log.

    `seqs` are all positions, lowest first; `page` is the part that was asked for, in
    the order in which it is shown. `complete` is false if the index ends before
    `size`, at `indexed`: what came after it is not among the results. `expansions` say
    how many words each pattern stood for.
    """

    seqs: Sequence[int]
    page: Sequence[int]
    size: int
    indexed: int
    complete: bool
    expansions: Mapping[str, int]
    next: str = ""

    @property
    def count(self) -> int:
        return len(self.seqs)

    @property
    def root(self) -> bytes:
        """Return the Merkle root over the positions, each as 8 bytes, lowest first."""
        leaves_ = [leaf_hash(seq.to_bytes(8, "big")) for seq in self.seqs]
        return Frontier().extend(leaves_).root()


@dataclass(frozen=True, slots=True)
class Engine:
    """
    Asks one database's index.

    Whose use is restricted is not found, by whomever: GDPR, Art. 18.
    """

    index: SearchIndex
    reader: LogReader
    resolver: Resolver
    restrictions: Restrictions | None = None

    async def answer(
        self,
        tenant: str,
        query: Query,
        page: Page,
        within: Sequence[Channel] | None = None,
    ) -> Answer:
        """
        Answer a query whose dates are worked out.

        `within` are the channels that the asker may read: nothing else is found then,
        and nothing that was deleted. Raises `BadInput` for a page that cannot be.
        """
        query = await self._usable(tenant, query)
        head = (await self.reader.head(tenant)).size
        size, last = _begun(page, query, head)
        indexed = await self.index.upto(tenant)
        asked = min(size, indexed)
        seqs, expansions = await self._found(tenant, query, asked, within)
        newest = Newest(self.index, tenant)
        shown = await newest.after(seqs, last, page.limit + 1)
        more = len(shown) > page.limit > 0
        shown = shown[: page.limit]
        return Answer(
            seqs=seqs,
            page=[seq for _, seq in shown],
            size=asked,
            indexed=indexed,
            complete=indexed >= size,
            expansions=expansions,
            next=_cursor(query, asked, shown[-1]) if more else "",
        )

    async def _usable(self, tenant: str, query: Query) -> Query:
        """Ask for nothing that restricted people said."""
        if self.restrictions is None:
            return query
        closed = sorted(await self.restrictions.authors(tenant))
        if not closed:
            return query
        without = (Not(Condition("from", id_, literal=True)) for id_ in closed)
        return replace(query, expression=both(query.expression, *without))

    async def _found(
        self,
        tenant: str,
        query: Query,
        size: int,
        within: Sequence[Channel] | None,
    ) -> tuple[list[int], Mapping[str, int]]:
        """Return all positions that are found, lowest first."""
        if size <= 0:
            return [], {}
        expression = await self.resolver.unfolded(tenant, query.expression)
        known, expansions = await self.resolver.known(tenant, expression)
        asking = Asking(self.index.keeper.tables(tenant), known)
        plan = asking.plan(expression)
        current = not query.any_revision or within is not None
        more = []
        if within is not None:
            mine = await self.resolver.numbers(tenant, within)
            more = [asking.inside(mine), f"NOT {asking.deleted()}"]
        asked = {**asking.parameters, "tenant": tenant, "size": size}
        candidates = Candidates(self.index, asking.tables, asked, current=current)
        if plan.words and not plan.maybe and not more:
            return await candidates.of_words(plan.words), expansions
        found, undecided = await candidates.of(plan, more)
        if undecided:
            found += await self._looked_at(tenant, expression, known, size, undecided)
        return sorted(found), expansions

    async def _looked_at(
        self,
        tenant: str,
        expression: Expression,
        known: Known,
        size: int,
        undecided: Sequence[int],
    ) -> list[int]:
        """Return which of the undecided are found, by the words they really have."""
        parts = list(dict.fromkeys(leaves(expression)))
        found: list[int] = []
        numbers = sorted(undecided)
        truths: Mapping[int, Sequence[int]] = {}
        for first in range(0, len(numbers), _AT_ONCE):
            # The index goes through all of a word each time that it is asked.
            if first % _ASKED_AT_ONCE == 0:
                asked = numbers[first : first + _ASKED_AT_ONCE]
                truths = await self._truths(tenant, parts, known, size, asked)
            some = numbers[first : first + _AT_ONCE]
            for entry in await self.reader.at(tenant, some):
                facts = facts_of(entry.row, entry.body)
                text, names = list(facts.words), list(facts.names)
                truth = {
                    part: said == 1
                    or (said > 1 and asks_for_words(part) and holds(part, text, names))
                    for part, said in zip(
                        parts, truths.get(entry.seq, ()), strict=False
                    )
                }
                if entry.erased or entry.seq not in truths:
                    continue
                if _true(expression, truth):
                    found.append(entry.seq)
        return found

    async def _truths(
        self,
        tenant: str,
        parts: Sequence[Expression],
        known: Known,
        size: int,
        seqs: Sequence[int],
    ) -> Mapping[int, Sequence[int]]:
        """Return what the index says of each part: 0 no, 1 yes, 2 perhaps."""
        tables = self.index.keeper.tables(tenant)
        asking = Asking(tables, known, one_by_one=tables.sqlite)
        columns = []
        for part in parts:
            bounds = asking.bounds(part)
            columns.append(
                f"CASE WHEN {bounds.sure} THEN 1 WHEN {bounds.maybe} THEN 2 ELSE 0 END"
            )
        t = asking.tables
        rows = await self.index.ask(
            Statement(
                f"SELECT d.seq, {', '.join(columns)} FROM {t.doc} d WHERE {t.of('d')}"
                f"d.seq IN ({', '.join(map(str, seqs))})",
                {**asking.parameters, "tenant": tenant, "size": size},
            )
        )
        return {row[0]: list(row)[1:] for row in rows}


def _true(expression: Expression, truth: Mapping[Expression, bool]) -> bool:
    match expression:
        case And(parts):
            return all(_true(part, truth) for part in parts)
        case Or(parts):
            return any(_true(part, truth) for part in parts)
        case Not(part):
            return not _true(part, truth)
    return truth[expression]


def _begun(page: Page, query: Query, head: int) -> tuple[int, Hit | None]:
    """Return the size to ask at, and after which hit to go on."""
    if page.limit < 0:
        raise BadInput("a page has no less than 0 results")
    if not page.cursor:
        if page.size > head:
            raise BadInput(
                f"the log has {head} entries: it cannot be asked as of later"
            )
        return (head if page.size < 0 else page.size), None
    try:
        text = base64.urlsafe_b64decode(page.cursor.encode() + b"==")
        size, digest, sent_us, seq = orjson.loads(text)
        last = (int(sent_us), int(seq))
        size = int(size)
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadInput(
            "this is no cursor: use the one that the last page gave"
        ) from error
    if digest != query.digest[:16]:
        raise BadInput("the cursor is another search's")
    if not 0 <= size <= head:
        raise BadInput("this is no cursor: use the one that the last page gave")
    return size, last


def _cursor(query: Query, size: int, last: Hit) -> str:
    text = orjson.dumps([size, query.digest[:16], *last])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
