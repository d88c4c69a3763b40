"""
How fast a million messages are searched, and how large their index is.

    python -m tests.load.searching --messages 1000000 --database sqlite --home DIR
    python -m tests.load.searching --messages 1000000 --database postgresql --home DIR

fills an index with the corpus and asks it a mixed set of searches, each several times.
The index alone is filled (`tests.load.corpus fill` fills the log as well); what it
cannot decide is decided on the corpus's own words, in place of the opened entries.
`--again` asks an index that was filled before.
"""

import argparse
import asyncio
import itertools
import math
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bridge.errors import StoreUnavailable
from bridge.messages import Event, EventKind
from bridge.plain import plain_text
from bridge.search.fields import resolved
from bridge.search.grammar import read
from storage.database import opened
from storage.database_url import database_url
from storage.log_reader import LogEntry, LogHead, LogReader
from storage.search.engine import Engine, Page
from storage.search.facts import CONTENT, MARKING, Facts, facts_of
from storage.search.index import Keeper, SearchIndex, keeper_for
from storage.search.resolving import Resolver
from tests.load.corpus import DECIDED, TENANT, Corpus, Delivered, Happening
from tests.servers import running_postgres

_AT_ONCE = 1000
_TIMES = 3
_NOW = 1_790_000_000_000_000
_KINDS = {
    "word, rare": "{rare}",
    "word, common": "{common}",
    "word, everywhere": "{everywhere}",
    "two words": "{common} {middle}",
    "phrase": '"{everywhere} {common}"',
    "either": "{middle} OR {rare}",
    "but not": "{middle} -{everywhere}",
    "beginning": "{start}*",
    "pattern": "{start}*{end}",
    "near": "{common} NEAR(5) {middle}",
    "near, in order": "{common} ONEAR(5) {middle}",
    "near itself": "{middle} NEAR {middle}",
    "from": "from:U{person:05} {common}",
    "from, by name": "from:yuki {middle}",
    "in a channel": "in:C{channel} {middle}",
    "a day": "on:2025-02-{day} {common} tz:Europe/Berlin",
    "a week": "sent:2025-03-0{week}..2025-03-1{week} from:U{person:05}",
    "edited": "is:edited {middle}",
    "deleted": "was:deleted {common}",
    "reaction": "has:reaction {middle}",
    "files": "ext:pdf filename:{common}",
    "Chinese": "京都 {everywhere}",
    "emoji": "🎉 {common}",
    "Arabic": "محمد {common}",
    "every revision": "rev:any {middle}",
}


@dataclass
class Kept:
    """The corpus in place of the log: what `Engine` asks of a `LogReader`."""

    size: int = 0
    texts: dict[int, tuple[str, str, list[str]]] = field(default_factory=dict)

    async def head(self, _tenant: str) -> LogHead:
        return LogHead(self.size, b"")

    async def at(self, _tenant: str, seqs: Sequence[int]) -> list[LogEntry]:
        return [self._entry(seq) for seq in seqs if seq in self.texts]

    def _entry(self, seq: int) -> LogEntry:
        etype, text, names = self.texts[seq]
        files = [{"name": name} for name in names]
        return LogEntry(_row(seq, etype), {"text": text, "files": files})

    def took(self, seq: int, event: Event) -> None:
        names = [file.name for file in event.files]
        self.texts[seq] = (str(event.kind), plain_text(event.document), names)


def _row(seq: int, etype: str, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "seq": seq,
        "eid": f"{seq:036}",
        "etype": etype,
        "platform": "slack",
        "team": "",
        "conv": "",
        "thread": "",
        "msg": "",
        "rev": 0,
        "version_us": 0,
        "src_us": 0,
        "actor_kind": "user",
        "origin_seq": None,
    }
    return row | more


def facts_at(seq: int, happening: Happening) -> Facts:
    """Return what the index would be given of the log's entry."""
    if isinstance(happening, Delivered):
        etype = "bridge.delete_applied" if happening.gone else "bridge.delivered"
        where = happening.target
        row = _row(
            seq,
            etype,
            platform=str(where.platform),
            team=where.team,
            conv=where.id,
            msg=happening.remote,
            origin_seq=None if happening.gone else happening.origin,
        )
        return facts_of(row, {})
    where = cast("Any", happening.channel)
    row = _row(
        seq,
        str(happening.kind),
        platform=str(where.platform),
        team=where.team,
        conv=where.id,
        msg=happening.message,
        thread=happening.thread,
        version_us=happening.version_us,
        src_us=happening.sent_us,
        actor_kind=str(happening.author.kind),
    )
    files = [{"name": f.name, "mime": f.mime} for f in happening.files]
    body = {
        "text": plain_text(happening.document),
        "author": {"id": happening.author.id, "name": happening.author.name},
        "files": files,
        "detail": dict(happening.detail),
        "decisions": [{"rule": DECIDED.rule, "policy": DECIDED.policy}],
    }
    return facts_of(row, body)


async def filled(
    index: SearchIndex, kept: Kept, messages: int, *, again: bool
) -> float:
    """Fill the index, or only read what would be in it; returns the seconds it took."""
    taken = 0.0
    await index.upto(TENANT)
    with Progress() as bar:
        task = bar.add_task("filling", total=messages)
        happenings = enumerate(Corpus(messages).happenings())
        while batch := list(itertools.islice(happenings, _AT_ONCE)):
            facts = []
            for seq, happening in batch:
                if isinstance(happening, Event) and happening.kind in CONTENT:
                    kept.took(seq, happening)
                    bar.advance(task, happening.kind == EventKind.MESSAGE_CREATE)
                if not again:
                    facts.append(facts_at(seq, happening))
            first, upto = batch[0][0], batch[-1][0] + 1
            kept.size = upto
            if not again:
                wanted = [f for f in facts if f.etype in CONTENT | MARKING]
                begun = time.perf_counter()
                await _added(index, wanted, first, upto)
                taken += time.perf_counter() - begun
    await index.settle()
    return taken


async def _added(
    index: SearchIndex, facts: Sequence[Facts], first: int, upto: int
) -> None:
    while True:
        try:
            await index.add(TENANT, facts, first, upto)
        except StoreUnavailable:
            await asyncio.sleep(1)  # the machine is busy with something else
        else:
            return


def questions(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Yield a kind of search and one of it, with words drawn as people draw them."""
    words = [word for word in Corpus(1).words if word.isascii() and len(word) > 3]
    for kind, pattern in _KINDS.items():
        for _ in range(_TIMES):
            rare = words[chance.randrange(8000, 15000)]
            yield (
                kind,
                pattern.format(
                    rare=rare,
                    middle=words[chance.randrange(300, 1500)],
                    common=words[chance.randrange(30, 200)],
                    everywhere=words[chance.randrange(3)],
                    start=rare[:4],
                    end=rare[-1],
                    person=chance.randrange(0, 1000) * 2,
                    channel=chance.randrange(5, 20) * 2,
                    day=chance.randrange(20, 28),
                    week=chance.randrange(1, 9),
                ),
            )


async def asked(engine: Engine, page: Page) -> list[tuple[str, str, int, float]]:
    """Ask everything; returns kind, search, count and milliseconds."""
    rows = []
    for kind, text in questions(random.Random(3)):
        query = resolved(read(text), _NOW)
        best, count = math.inf, 0
        for _ in range(2):  # once to bring it into memory, as users' days do
            begun = time.perf_counter()
            count = (await engine.answer(TENANT, query, page)).count
            best = min(best, (time.perf_counter() - begun) * 1000)
        rows.append((kind, text, count, best))
    return rows


def report(rows: Sequence[tuple[str, str, int, float]], *lines: str) -> None:
    table = Table("kind", "for example", "found", "slowest ms")
    for kind in _KINDS:
        mine = [row for row in rows if row[0] == kind]
        slowest = max(mine, key=lambda row: row[3])
        table.add_row(kind, slowest[1], f"{slowest[2]:,}", f"{slowest[3]:.1f}")
    times = sorted(row[3] for row in rows)

    def at(share: float) -> str:
        return f"{times[math.ceil(share * len(times)) - 1]:.1f} ms"

    console = Console(width=120)
    console.print(table)
    console.print(f"{len(rows)} searches: p50 {at(0.5)}, p95 {at(0.95)}, max {at(1)}")
    for line in lines:
        console.print(line)


async def measure(messages: int, url: str, home: Path, *, again: bool) -> None:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened(database_url(url)))
        keeper: Keeper = keeper_for(database, home)
        stack.push_async_callback(keeper.close)
        index, kept = SearchIndex(keeper), Kept()
        taken = await filled(index, kept, messages, again=again)
        engine = Engine(index, cast("LogReader", kept), Resolver(index))
        rows = await asked(engine, Page())
        size = await keeper.size()
        filling = f"{kept.size / taken:,.0f} entries/s into the index" if taken else ""
        told = f"index {size / 1e6:,.0f} MB for {messages:,} messages"
        report(rows, told, filling)


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--messages", type=int, default=1_000_000)
    reading.add_argument("--database", default="sqlite")
    reading.add_argument("--home", type=Path, required=True)
    reading.add_argument("--again", action="store_true")
    given = reading.parse_args()
    given.home.mkdir(parents=True, exist_ok=True)
    if given.database != "postgresql":
        url = given.database
        if url == "sqlite":
            url = f"sqlite:///{given.home.resolve()}/unused.db"
        asyncio.run(measure(given.messages, url, given.home, again=given.again))
        return
    with running_postgres() as server, server.database() as url:
        asyncio.run(measure(given.messages, url, given.home, again=False))


if __name__ == "__main__":
    main()
