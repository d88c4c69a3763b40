"""
What the index finds for a whole search.

Positions come as one value, because hundreds of thousands of rows take longer to hand
over than to find.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from storage.hot import Statement
from storage.search.bounds import Plan
from storage.search.index import SearchIndex
from storage.search.tables import FOREVER, Tables

_FEW = 5000  # words found so often are looked up one by one


@dataclass(frozen=True, slots=True)
class Candidates:
    """
    Asks for one search, with its parameters.

    With `current` only what a message said last, as of the size, is found.
    """

    index: SearchIndex
    tables: Tables
    parameters: Mapping[str, object]
    current: bool

    async def of_words(self, words: str) -> list[int]:
        """Return what FTS5 finds, lowest first, without a look at the messages."""
        t = self.tables
        former = (
            f"SELECT json_group_array(x.seq) FROM {t.doc} x "
            f"INDEXED BY ix_{t.doc}_former "
            f"WHERE x.until_seq < {FOREVER} AND x.until_seq < :size"
        )
        # One statement: what is forgotten meanwhile is in neither list or in both.
        rows = await self.index.ask(
            Statement(
                "SELECT json_group_array(f.rowid), "
                f"CASE WHEN count(*) > {_FEW} THEN ({former}) END FROM {t.text} f "
                f"WHERE f.{t.text} MATCH :words AND f.rowid < :size",
                {**self.parameters, "words": words},
            )
        )
        found: list[int] = orjson.loads(rows[0][0])
        if not self.current:
            return sorted(found)
        if rows[0][1] is not None:
            replaced = frozenset(orjson.loads(rows[0][1]))
            return sorted(seq for seq in found if seq not in replaced)
        kept = await self.index.ask(
            Statement(
                f"SELECT json_group_array(d.seq) FROM {t.rows('found', 'n')} AS k "
                f"CROSS JOIN {t.doc} d ON d.seq = k.a WHERE d.until_seq >= :size",
                {
                    **self.parameters,
                    "found": orjson.dumps([[n] for n in found]).decode(),
                },
            )
        )
        return sorted(orjson.loads(kept[0][0]))

    async def of(self, plan: Plan, more: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return what is found for sure, and what has to be decided elsewhere."""
        t = self.tables
        source, conditions = f"{t.doc} d", [f"{t.of('d')}d.seq < :size"]
        if plan.words:
            source = f"{t.text} f CROSS JOIN {t.doc} d ON d.seq = f.rowid"
            conditions.insert(0, f"f.{t.text} MATCH :words")
        if self.current:
            conditions.append("d.until_seq >= :size")
        conditions += [*([plan.maybe] if plan.maybe else []), *more]
        sure = "(1=1)" if plan.decided else f"({plan.sure})"
        if t.sqlite:
            some = "json_group_array(d.seq) FILTER (WHERE {0})"
        else:
            some = "json_agg(d.seq) FILTER (WHERE {0})::text"
        lists = [some.format(sure)]
        if not plan.decided:
            lists.append(some.format(f"NOT {sure}"))
        rows = await self.index.ask(
            Statement(
                f"SELECT {', '.join(lists)} FROM {source} "
                f"WHERE {' AND '.join(conditions)}",
                {**self.parameters, "words": plan.words},
            )
        )
        found = [orjson.loads(each) if each else [] for each in rows[0]]
        return found[0], found[1] if len(found) > 1 else []
