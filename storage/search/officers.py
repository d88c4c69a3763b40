"""Searching the record as an officer: with the duty to, and never without a trace."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from bridge.compliance import Duties, Duty, Officer
from bridge.search.fields import resolved
from bridge.search.grammar import read
from bridge.search.syntax import written
from bridge.search.times import zone
from storage.compliance.acts import Act, Acts
from storage.search.engine import Answer, Engine, Page


@dataclass(frozen=True, slots=True)
class Run:
    """A search that was made: `resolved` asks the same again, whatever day it is."""

    answer: Answer
    resolved: str
    digest: str
    seq: int


@dataclass(frozen=True, slots=True)
class OfficerSearch:
    """Searches everything, for officers; each search is an entry of the log."""

    engine: Engine
    duties: Duties
    acts: Acts
    clock: Callable[[], int]

    async def run(
        self, tenant: str, officer: Officer, text: str, page: Page, tz: str = ""
    ) -> Run:
        """
        Search, and put on record what was asked and found before it is returned.

        `tz` is where days begin if the text does not say. Raises `BadInput`,
        `Refused` and `StoreUnavailable`.
        """
        await self.duties.require(tenant, officer, Duty.SEARCH)
        query = read(text)
        if tz and query.tz == "UTC":
            query = replace(query, tz=zone(tz).key)
        query = resolved(query, self.clock())
        answer = await self.engine.answer(tenant, query, page)
        # The root over hundreds of thousands takes most of a second.
        root = await asyncio.to_thread(lambda: answer.root)
        asked = written(query)
        matches = "1 message" if answer.count == 1 else f"{answer.count} messages"
        receipt = await self.acts.note(
            Act(
                tenant,
                "search.run",
                officer.name,
                f"searched the record: {matches}",
                {
                    "query": text,
                    "resolved": asked,
                    "query_ast_sha256": query.digest,
                    "result_count": answer.count,
                    "result_root": root.hex(),
                    "as_of": answer.size,
                    "complete": answer.complete,
                },
            )
        )
        return Run(answer, asked, query.digest, receipt.seq)
