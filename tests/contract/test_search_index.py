"""The index: lost and made anew, forgetting without a trace, the same answer again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bridge.errors import BadInput, StoreUnavailable
from bridge.messages import EventKind, Person, Platform
from bridge.ports import Commitment
from bridge.search.fields import resolved
from bridge.search.grammar import read
from storage.compliance.keys import KeyFile
from storage.courtesy import Courtesy
from storage.database import Database, opened
from storage.database_url import database_url as parsed
from storage.hot import Statement
from storage.migrate import upgrade
from storage.search.engine import Answer, Engine, Page
from storage.search.facts import CONTENT, facts_of
from storage.search.index import FILE, PostgresKeeper, SearchIndex, keeper_for
from storage.search.indexing import Indexing
from storage.search.resolving import Resolver
from storage.writes import Entry, Origin, Write
from tests.contract.conftest import TENANT, Store, assemble
from tests.events import PROJECT, message
from tests.servers import Postgres

NOW = 1_790_000_000_000_000


@dataclass
class Searched:
    store: Store
    home: Path
    index: SearchIndex
    indexing: Indexing
    engine: Engine
    count: int = 0

    async def say(self, text: str, id_: str = "", **more: object) -> int:
        self.count += 1
        given = {"event_id": f"Ev{self.count}", **more}
        event = message(id_ or f"1700000000.{self.count:06}", text, **given)
        receipt = await self.store.journal.append(Commitment(TENANT, event, (), ()))
        return receipt.seq

    async def edit(self, id_: str, text: str, version_us: int) -> int:
        kind = EventKind.MESSAGE_EDIT
        return await self.say(text, id_, kind=kind, version_us=version_us)

    async def delete(self, id_: str, version_us: int) -> int:
        kind = EventKind.MESSAGE_DELETE
        return await self.say("", id_, kind=kind, version_us=version_us)

    async def find(self, text: str, page: Page = Page()) -> Answer:  # noqa: B008 - frozen
        await self.indexing.catch_up(TENANT)
        return await self.engine.answer(TENANT, resolved(read(text), NOW), page)


def searched_on(store: Store, home: Path) -> Searched:
    index = SearchIndex(keeper_for(store.database, home))

    async def tenants() -> list[str]:
        return [TENANT]

    return Searched(
        store,
        home,
        index,
        Indexing(index, store.reader, tenants),
        Engine(index, store.reader, Resolver(index)),
    )


@pytest.fixture
async def searched(store: Store, tmp_path: Path) -> AsyncIterator[Searched]:
    made = searched_on(store, tmp_path)
    yield made
    await made.index.keeper.close()


async def test_every_revision_is_found_where_it_is_asked_for(
    searched: Searched,
) -> None:
    first = await searched.say("the draft", "1700000001.000001")
    second = await searched.edit("1700000001.000001", "the final", 5)
    await searched.delete("1700000001.000001", 6)

    assert list((await searched.find("draft")).seqs) == []
    assert list((await searched.find("draft rev:any")).seqs) == [first]
    assert list((await searched.find("final is:deleted")).seqs) == [second]
    assert list((await searched.find("rev:any was:edited")).seqs) == [first, second]


async def test_what_is_pinned_is_found_until_the_pin_is_out(
    searched: Searched,
) -> None:
    pinned = await searched.say("the plan", "1700000001.000001")
    await searched.say("the lunch", "1700000001.000002")
    assert list((await searched.find("has:pin")).seqs) == []

    await searched.say("", "1700000001.000001", kind=EventKind.PIN_ADD)
    assert list((await searched.find("has:pin")).seqs) == [pinned]

    await searched.say("", "1700000001.000001", kind=EventKind.PIN_REMOVE)
    assert list((await searched.find("has:pin")).seqs) == []


async def test_an_edit_that_comes_before_what_it_edits_still_counts(
    searched: Searched,
) -> None:
    edit = await searched.edit("1700000001.000001", "the final", 5)
    late = await searched.say("the draft", "1700000001.000001")

    assert list((await searched.find("the")).seqs) == [edit]
    assert list((await searched.find("the rev:any")).seqs) == [edit, late]


async def test_a_copy_is_no_message_and_is_found_where_it_stands(
    searched: Searched,
) -> None:
    original = await searched.say("hello there")
    # The copy is heard before its delivery is on record, as a message of its own.
    await searched.say("hello there", "17", channel=PROJECT, platform=Platform.TEAMS)
    entry = Entry(
        etype="bridge.delivered",
        platform="teams",
        subject="slack|U01ALICE",
        src_us=1,
        body={"text": "", "author": {}},
        team=PROJECT.team,
        conv=PROJECT.id,
        msg="17",
        origin=Origin(original, b"\0" * 32),
    )
    await searched.store.journal.write(Write(TENANT, entry=entry))
    await searched.say("hello there", "17", channel=PROJECT, platform=Platform.TEAMS)

    assert list((await searched.find("hello")).seqs) == [original]
    assert list((await searched.find(f"in:{PROJECT.id}")).seqs) == [original]
    assert list((await searched.find("is:bridged platform:slack")).seqs) == [original]


async def test_the_same_search_as_of_a_size_finds_the_same_later(
    searched: Searched,
) -> None:
    kept = await searched.say("plan one", "1700000001.000001")
    changed = await searched.say("plan two", "1700000001.000002")
    before = await searched.find("plan -is:deleted")

    await searched.edit("1700000001.000002", "something else", 5)
    await searched.delete("1700000001.000001", 6)
    await searched.say("plan three")
    after = await searched.find("plan -is:deleted", Page(size=before.size))

    assert list(before.seqs) == [kept, changed]
    assert (after.seqs, after.root, after.count) == (
        before.seqs,
        before.root,
        before.count,
    )
    assert (await searched.find("plan -is:deleted")).root != before.root


async def test_pages_follow_each_other_without_gap_while_more_is_said(
    searched: Searched,
) -> None:
    said = [await searched.say(f"plan {n}", sent_us=n // 3) for n in range(10)]
    seen: list[int] = []

    page = Page(limit=4)
    while True:
        answer = await searched.find("plan", page)
        seen += answer.page
        await searched.say("plan later")
        if not answer.next:
            break
        page = Page(limit=4, cursor=answer.next)

    assert seen == said[::-1]
    assert answer.count == len(said)


async def test_a_page_that_cannot_be_is_refused(searched: Searched) -> None:
    for n in range(3):
        await searched.say(f"plan {n}")
    cursor = (await searched.find("plan", Page(limit=1))).next

    with pytest.raises(BadInput, match="another search"):
        await searched.find("other", Page(cursor=cursor))
    with pytest.raises(BadInput, match="no cursor"):
        await searched.find("plan", Page(cursor="x" + cursor))
    with pytest.raises(BadInput, match="as of later"):
        await searched.find("plan", Page(size=99))


async def test_what_is_not_in_the_index_yet_is_said_to_be_missing(
    searched: Searched,
) -> None:
    await searched.say("plan")
    await searched.find("plan")
    await searched.say("plan")

    answer = await searched.engine.answer(TENANT, resolved(read("plan"), NOW), Page())

    assert (answer.complete, answer.indexed, answer.count) == (False, 1, 1)
    assert (await searched.find("plan")).complete


async def test_an_index_that_was_dropped_is_made_anew(searched: Searched) -> None:
    await searched.say("plan")
    before = await searched.find("plan")
    seen: list[tuple[int, int]] = []

    await searched.indexing.rebuild(TENANT, lambda a, b: seen.append((a, b)))

    assert (await searched.find("plan")).root == before.root
    assert seen[-1] == (1, 1)


async def test_two_processes_take_each_entry_in_once(
    searched: Searched, tmp_path: Path
) -> None:
    await asyncio.gather(*(searched.say(f"plan {n}") for n in range(900)))
    other = searched_on(searched.store, tmp_path)

    await asyncio.gather(
        searched.indexing.catch_up(TENANT), other.indexing.catch_up(TENANT)
    )

    assert (await searched.find("plan")).count == 900
    await other.index.keeper.close()


async def test_no_search_has_to_read_through_what_was_just_added(
    searched: Searched,
) -> None:
    keeper = searched.index.keeper
    for n in range(20):
        await searched.say(f"plan {n}")

    assert (await searched.find("plan")).count == 20

    # FTS5 has no list of what was just added.
    for column in ("words", "names") if isinstance(keeper, PostgresKeeper) else ():
        index = f"ix_{keeper.tables(TENANT).doc}_{column}"
        asked = Statement(f"SELECT gin_clean_pending_list('{index}')")
        assert [row[0] for row in await keeper.fetch(asked)] == [0]


async def test_another_company_finds_nothing_of_it(searched: Searched) -> None:
    await searched.say("plan")
    searched.store.keys.create("other")
    await searched.find("plan")

    answer = await searched.engine.answer("other", resolved(read("plan"), NOW), Page())

    assert answer.count == 0


async def test_a_text_longer_than_a_database_counts_is_found_exactly(
    searched: Searched,
) -> None:
    words = " ".join(f"w{n}" for n in range(18_000))
    long = await searched.say(f"{words} alpha beta")
    many = await searched.say(f"{'again ' * 400}gamma delta")
    enormous = await searched.say(
        " ".join(f"{n:08}" * 3 for n in range(40_000)) + " eps"
    )

    assert list((await searched.find('"alpha beta"')).seqs) == [long]
    assert list((await searched.find('"beta alpha"')).seqs) == []
    assert list((await searched.find('"w17998 w17999 alpha"')).seqs) == [long]
    assert list((await searched.find("w3 NEAR(4) w8")).seqs) == [long]
    assert list((await searched.find("w3 NEAR(3) w8")).seqs) == []
    assert list((await searched.find('"again gamma"')).seqs) == [many]
    assert list((await searched.find('"again again delta"')).seqs) == []
    assert list((await searched.find("eps")).seqs) == [enormous]
    assert list((await searched.find("-eps -alpha")).seqs) == [many]


async def test_what_was_forgotten_is_found_no_more(searched: Searched) -> None:
    kept = await searched.say("common words stay")
    gone = await _said_strangely(searched)
    assert (await searched.find("zanzibar*")).count == len(gone)

    await searched.index.forget(TENANT, gone)
    await searched.index.forget(TENANT, [*gone, 10**9])  # again, and the unknown

    answer = await searched.find("zanzibar*")
    assert (answer.count, answer.expansions) == (0, {"zanzibar*": 0})
    assert list((await searched.find("common")).seqs) == [kept]
    assert list((await searched.find("from:tiberius")).seqs) == []


async def test_what_is_forgotten_while_it_is_being_taken_in_does_not_get_in(
    searched: Searched,
) -> None:
    await searched.find("nothing")
    gone = await searched.say("zanzibar common")
    kept = await searched.say("common")
    entries = await searched.store.reader.between(TENANT, 0, kept + 1, CONTENT)
    read_before = [facts_of(entry.row, entry.body) for entry in entries]

    await searched.index.forget(TENANT, [gone])
    await searched.index.add(TENANT, read_before, gone, kept + 1)

    assert list((await searched.find("common")).seqs) == [kept]
    assert (await searched.find("zanzibar")).count == 0


async def test_no_forgotten_word_is_in_the_search_file(tmp_path: Path) -> None:
    async with opened(parsed(f"sqlite:///{tmp_path}/atom.db")) as database:
        searched = await _fresh(database, tmp_path)
        await searched.say("common words stay")
        gone = await _said_strangely(searched)
        await searched.find("zanzibar*")
        assert any(b"zanzibar" in each.read_bytes() for each in _files(tmp_path))

        await searched.index.forget(TENANT, gone)

        everything = b"".join(each.read_bytes() for each in _files(tmp_path))
        assert b"common" in everything
        assert b"zanzibar" not in everything.lower()
        assert b"tiberius" not in everything.lower()
        await searched.index.keeper.close()


async def test_no_word_is_in_the_log_or_its_wal_and_no_forgotten_one_anywhere(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    with own_postgres.database() as url:
        async with opened(parsed(url)) as database:
            searched = await _fresh(database, tmp_path)
            await searched.say("common words stay")
            gone = await _said_strangely(searched)
            await searched.find("zanzibar*")
        own_postgres.stop()  # a stop in good order writes unlogged tables to disk
        holding = _files_with(own_postgres.data, b"zanzibar")
        assert holding
        assert not any("pg_wal" in str(path) for path in holding)
        own_postgres.start()
        async with opened(parsed(url)) as database:
            searched = searched_on(
                assemble(database, searched.store.keys, "one"), tmp_path
            )
            assert (await searched.find("zanzibar*")).count == len(gone)

            await searched.index.forget(TENANT, gone)

            assert (await searched.find("zanzibar*")).count == 0
        own_postgres.stop()
        assert _files_with(own_postgres.data, b"common")
        assert _files_with(own_postgres.data, b"zanzibar") == []
        assert _files_with(own_postgres.data, b"tiberius") == []
        own_postgres.start()


async def _said_strangely(searched: Searched) -> list[int]:
    """Say what nobody else says, in somebody's name whom nobody else is called."""
    stranger = Person(Platform.SLACK, "U9", "Tiberius")
    return await asyncio.gather(
        *(searched.say(f"zanzibar{n} common", author=stranger) for n in range(300))
    )


async def _fresh(database: Database, home: Path) -> Searched:
    await upgrade(database.engine)
    keys = KeyFile.under(home)
    keys.create(TENANT)
    return searched_on(assemble(database, keys, "one"), home)


def _files(home: Path) -> list[Path]:
    return sorted(home.glob(f"{FILE}*"))


def _files_with(folder: Path, word: bytes) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if word in path.read_bytes().lower()]


async def test_a_file_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    async with opened(parsed(f"sqlite:///{tmp_path}/atom.db")) as database:
        searched = await _fresh(database, tmp_path)
        await searched.say("plan")
        await searched.find("plan")

        for each in _files(tmp_path):
            each.unlink()
        lost = await searched.engine.answer(TENANT, resolved(read("plan"), NOW), Page())

        assert (lost.complete, lost.indexed, lost.count) == (False, 0, 0)
        assert (await searched.find("plan")).count == 1
        await searched.index.keeper.close()
        _files(tmp_path)[0].write_bytes(b"no database at all" * 1000)
        anew = searched_on(searched.store, tmp_path)
        assert (await _found_in_the_end(anew)) == 1
        await anew.index.keeper.close()


async def _found_in_the_end(searched: Searched) -> int:
    for _ in range(3):
        try:
            return (await searched.find("plan")).count
        except StoreUnavailable:
            continue
    return -1


async def test_a_crash_of_postgresql_empties_the_index_and_it_is_made_anew(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    with own_postgres.database() as url:
        async with opened(parsed(url)) as database:
            searched = await _fresh(database, tmp_path)
            await searched.say("plan")
            assert (await searched.find("plan")).count == 1
        own_postgres.kill()
        own_postgres.start()
        async with opened(parsed(url)) as database:
            store = assemble(database, searched.store.keys, "one")
            searched = searched_on(store, tmp_path)

            lost = await searched.engine.answer(
                TENANT, resolved(read("plan"), NOW), Page()
            )

            assert (lost.complete, lost.count) == (False, 0)
            assert (await searched.find("plan")).count == 1


async def test_the_index_steps_aside_for_who_waits_but_not_for_ever(
    searched: Searched,
) -> None:
    looks: list[bool] = []

    def busy() -> bool:
        looks.append(len(looks) < 5)
        return looks[-1]

    await searched.say("plan")
    searched.indexing.courtesy = Courtesy(busy)
    assert await searched.indexing.catch_up(TENANT) == 1
    assert looks == [True] * 5 + [False] * 3

    await searched.say("plan")
    searched.indexing.courtesy = Courtesy(lambda: True, most=0.05)
    assert await searched.indexing.catch_up(TENANT) == 2
