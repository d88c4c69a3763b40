"""
A search finds what looking at every message would find, on every database.

The oracle (`tests/load/oracle.py`) shares the parser with ATOM and nothing else.
ATOM_SEARCH_MESSAGES=100000 makes the same comparison with as many messages.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.search.fields import FIELDS, condition, resolved
from bridge.search.syntax import (
    Condition,
    Expression,
    Near,
    Operand,
    Phrase,
    Query,
    Wild,
    both,
    either,
    leaves,
    opposite,
    written,
)
from storage.compliance.keys import KeyFile, Keyring
from storage.database import opened
from storage.database_url import database_url as parsed
from storage.journal import Journal
from storage.log_reader import LogReader
from storage.migrate import upgrade
from storage.search import candidates, newest
from storage.search.engine import Engine, Page
from storage.search.entry_matching import EntryMatches
from storage.search.facts import CONTENT, FLAGS
from storage.search.index import SearchIndex, keeper_for
from storage.search.indexing import Indexing
from storage.search.resolving import Resolver
from tests.contract.conftest import PATIENCE, ticking_clock
from tests.databases import migrated_template
from tests.load.corpus import TENANT, Corpus, fill
from tests.load.oracle import Oracle
from tests.servers import Postgres

MESSAGES = int(os.environ.get("ATOM_SEARCH_MESSAGES", "2500"))
NOW = 1_790_000_000_000_000
CORPUS = Corpus(MESSAGES)
_WORDS = [*CORPUS.words[:60], *CORPUS.words[5000:5020]]
_PARTS = [
    "東京",
    "東",
    "京都",
    "大学",
    "会議",
    "カナ",
    "がん",
    "北京",
    "שלום",
    "محمد",
    "café",
    "🎉",
    "👍",
    "🇩🇪",
    "👩\u200d💻",
    "สวัสดี",
    "회의",
    "ёлка",
    "e-mail",
]


def operands() -> st.SearchStrategy[Operand]:
    words = st.sampled_from(_WORDS)
    pairs = st.tuples(words, words).map(" ".join)
    patterns = words.filter(lambda w: len(w) > 2).flatmap(
        lambda w: st.sampled_from([f"{w[:2]}*", f"{w[0]}?{w[2:]}", f"{w[:2]}*{w[-1]}"])
    )
    plain = st.one_of(words, words, pairs, st.sampled_from(_PARTS)).map(Phrase)
    return st.one_of(plain, plain, patterns.filter(_is_pattern).map(Wild))


def _is_pattern(pattern: str) -> bool:
    return len(pattern.replace("*", "").replace("?", "")) > 1


_VALUES = {
    "from": ["ada", "Ada Wong", "gr*", "U00002", "teams:29:00001", "müller", "nobody"],
    "in": ["C0", "slack:T0/C0", "19:c1@thread.tacv2", "C44", "C999"],
    "team": ["T0", "T2", "19:team1@thread.tacv2"],
    "platform": ["slack", "teams"],
    "before": ["2025-02-20", "2025-02-20T10:00"],
    "after": ["2025-02-19T23:30", "2025-02-21"],
    "on": ["2025-02-19", "2025-02-20"],
    "during": ["2025-02", "-600d", "2024"],
    "sent": ["2025-02-19..2025-02-20", "..2025-02-20T01:00"],
    "has": ["file", "link", "reaction", "emoji", "pin"],
    "is": ["thread", "dm", "edited", "deleted", "bridged", "bot", "external"],
    "was": ["deleted", "edited"],
    "type": ["image", "application/pdf"],
    "filename": ["pdf", f"{CORPUS.words[3]}", f"{CORPUS.words[1][:2]}*"],
    "ext": ["pdf", "xlsx"],
    "dlp": ["iban"],
    "policy": ["linked", "p" * 64, "other"],
    "seq": ["5", "100..900", "..40", "1000.."],
}
_VALUES |= dict.fromkeys(("to", "with", "mentions"), _VALUES["from"])


def test_every_field_that_the_oracle_knows_is_compared() -> None:
    elsewhere = {"label", "hold", "eid", "rev", "tz"}

    assert set(_VALUES) == set(FIELDS) - elsewhere


def conditions() -> st.SearchStrategy[Condition]:
    return st.sampled_from(sorted(_VALUES)).flatmap(
        lambda field: st.sampled_from(_VALUES[field]).map(
            lambda value: condition(field, value, quoted=False)
        )
    )


def expressions() -> st.SearchStrategy[Expression]:
    near = st.builds(Near, operands(), operands(), st.integers(0, 12), st.booleans())
    leaf = st.one_of(operands(), near, conditions())
    return st.recursive(
        leaf,
        lambda deeper: st.one_of(
            deeper.map(opposite),
            st.lists(deeper, min_size=2, max_size=3).map(lambda p: both(*p)),
            st.lists(deeper, min_size=2, max_size=3).map(lambda p: either(*p)),
        ),
        max_leaves=5,
    )


def queries() -> st.SearchStrategy[Query]:
    zones = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Tokyo"])
    asked = st.builds(Query, expressions(), zones, st.booleans())
    return asked.map(lambda query: resolved(query, NOW))


class Compared:
    """The same messages in both databases, and the oracle that has read them too."""

    def __init__(
        self, runner: asyncio.Runner, engines: dict[str, Engine], oracle: Oracle
    ) -> None:
        self.runner, self.engines, self.oracle = runner, engines, oracle
        reader = engines["sqlite"].reader
        read = reader.between(TENANT, 0, oracle.size, CONTENT)
        self.entries = runner.run(read)

    def found(self, name: str, query: Query) -> list[int]:
        answer = self.runner.run(self.engines[name].answer(TENANT, query, Page()))
        assert answer.complete
        return list(answer.seqs)

    def pages(
        self, engine: Engine, query: Query, size: int
    ) -> tuple[list[int], list[int]]:
        """Return all that is found as of a size, and as it is shown page by page."""
        page, shown = Page(7, size=size), list[int]()
        while True:
            answer = self.runner.run(engine.answer(TENANT, query, page))
            shown += answer.page
            if not answer.next:
                return list(answer.seqs), shown
            page = Page(7, answer.next)


@pytest.fixture(scope="module")
def compared(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Compared]:
    home = tmp_path_factory.mktemp("search")
    with (
        postgres.database(migrated_template(postgres)) as url,
        asyncio.Runner() as runner,
    ):
        stack = AsyncExitStack()

        async def made(url: str) -> Engine:
            keys = KeyFile.under(home)
            keys.create(TENANT)
            database = await stack.enter_async_context(opened(parsed(url)))
            await upgrade(database.engine)
            ring = Keyring(database.hot, keys)
            journal = Journal(database.hot, ring, ticking_clock(), patience=PATIENCE)
            await fill(journal, Corpus(MESSAGES).happenings())
            reader = LogReader(database.hot, ring)
            index = SearchIndex(keeper_for(database, home))
            stack.push_async_callback(index.keeper.close)

            async def tenants() -> list[str]:
                return [TENANT]

            await Indexing(index, reader, tenants).catch_up(TENANT)
            return Engine(index, reader, Resolver(index))

        engines = {
            "sqlite": runner.run(made(f"sqlite:///{home}/atom.db")),
            "postgresql": runner.run(made(url)),
        }
        yield Compared(runner, engines, Oracle(Corpus(MESSAGES).happenings()))
        runner.run(stack.aclose())


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(query=queries())
def test_a_search_finds_what_looking_at_every_message_finds(
    compared: Compared, query: Query
) -> None:
    expected = compared.oracle.answer(query)

    assert compared.found("sqlite", query) == expected
    assert compared.found("postgresql", query) == expected


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(query=queries(), readable=st.sets(st.sampled_from(CORPUS.channels), max_size=4))
def test_an_employee_finds_what_they_could_read_anyway(
    compared: Compared, query: Query, readable: set[object]
) -> None:
    within = [channel for channel in CORPUS.channels if channel in readable]

    expected = compared.oracle.visible(query, set(within))

    for engine in compared.engines.values():
        answer = compared.runner.run(engine.answer(TENANT, query, Page(), within))
        assert list(answer.seqs) == expected


_STATIC = set(_VALUES) - {"in", "team", "is", "has", "was", "dlp"}


def _is_static(query: Query) -> bool:
    """Whether an entry can be asked alone, and the oracle means that entry alone."""
    return all(
        not isinstance(leaf, Condition)
        or leaf.field in _STATIC
        or (leaf.field, leaf.value) in FLAGS
        for leaf in leaves(query.expression)
    )


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
@given(query=queries().filter(_is_static))
def test_an_entry_asked_alone_says_what_the_search_says(
    compared: Compared, query: Query
) -> None:
    asked, matcher = written(replace(query, any_revision=True)), EntryMatches()
    expected = compared.oracle.answer(replace(query, any_revision=True))

    matcher.check(asked)
    found = [e.seq for e in compared.entries if matcher.matches(asked, e.row, e.body)]

    assert found == expected


def test_what_an_entry_alone_cannot_tell_is_refused() -> None:
    for query in ("is:deleted", "has:reaction", "hold:m1", "after:-7d", "on:today"):
        with pytest.raises(BadInput, match="cannot be asked here"):
            EntryMatches().check(f"plan {query}")


def test_what_people_search_for_is_found_at_all(compared: Compared) -> None:
    """Without results every comparison would hold."""
    asked: list[Expression] = [Phrase(part) for part in _PARTS]
    asked += [Condition(f, v) for f in ("has", "is", "was", "ext") for v in _VALUES[f]]
    empty = [
        each
        for each in asked
        if not compared.oracle.answer(Query(each)) and each != Condition("has", "pin")
    ]

    assert empty == []


@pytest.mark.parametrize("distance", [0, 2, 8])
def test_a_word_near_itself_is_there_twice(compared: Compared, distance: int) -> None:
    found = 0
    for word in CORPUS.words[:12]:
        near = Near(Phrase(word), Phrase(word), distance, ordered=distance == 2)
        query = Query(both(near, opposite(Phrase(CORPUS.words[50]))))
        expected = compared.oracle.answer(query)
        found += len(expected)
        for name in compared.engines:
            assert compared.found(name, query) == expected
    assert found


def test_what_is_found_often_is_counted_and_shown_the_same_way(
    compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Much is found by other ways than little: both have the same answer."""
    words = [Query(Phrase(word)) for word in CORPUS.words[:4]]
    sizes = (compared.oracle.size, compared.oracle.size // 2)
    asked = [
        (engine, query, size)
        for engine in compared.engines.values()
        for query in (*words, replace(words[0], any_revision=True))
        for size in sizes
    ]
    little = [compared.pages(*each) for each in asked]
    monkeypatch.setattr(candidates, "_FEW", 0)
    monkeypatch.setattr(newest, "_FEW", 0)
    for step, most in ((40, 1000), (3, 2)):
        monkeypatch.setattr(newest, "_STEP", step)
        monkeypatch.setattr(newest, "_MOST_STEPS", most)
        assert [compared.pages(*each) for each in asked] == little

    assert little[: len(asked) // 2] == little[len(asked) // 2 :]
    for seqs, pages in little:
        assert sorted(pages) == seqs
        assert len(seqs) > 20
