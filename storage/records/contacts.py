"""
The book of accounts and contacts: record ids, and keyed hashes of what finds them.

The key is the company's and wrapped by its key-encryption key, so a copy of the
database tells neither whose addresses are in it nor whether a given one is.
"""

import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bridge.records.knowing import (
    Chapter,
    Clue,
    ClueKind,
    Clues,
    Figure,
    Listed,
    Page,
    Progress,
)
from bridge.records.model import RecordRef, System
from storage.compliance.keys import Keyring
from storage.hot import HotStore, Insert, Program, Rows, Statement, run_one
from storage.records.shapes import listed

_CHAPTER = (
    "tenant = :tenant AND system = :system AND instance = :instance AND kind = :kind"
)
_PROGRESS = "lap, whole_lap, position, begun_us, whole_us, read_us, stirred_us"
_UNMOVED = f"{_CHAPTER} AND lap = :lap AND position = :from"
_AT_ONCE = 1_000
HALF = 32
"""Hexadecimal digits of a hash that are kept: there are several for each record."""
ADDRESS = "account-address"
"""The secret for addresses, that of those which accounts rest on: erasing finds them."""

Hashed = Callable[[Clue], str]


@dataclass(frozen=True, slots=True)
class StoredContacts:
    """Implements `bridge.records.ports.ContactBook` and `BookKeeping`."""

    store: HotStore
    keys: Keyring

    async def find(
        self, chapter: Chapter, clues: Clues, most: int
    ) -> Sequence[RecordRef]:
        if not clues:
            return []
        hashed = await self._hashed(chapter.tenant)
        wanted = sorted(map(hashed, clues))
        rows = await self.store.fetch(
            _among(
                f"SELECT id FROM record_clue WHERE {_CHAPTER} AND clue IN (:listed) "
                "GROUP BY id HAVING count(*) = :many ORDER BY id LIMIT :most",
                wanted,
                {**_named(chapter), "many": len(wanted), "most": most},
            )
        )
        return [_ref(chapter, id_) for (id_,) in rows]

    async def accounts(
        self, tenant: str, contacts: Collection[RecordRef]
    ) -> Mapping[RecordRef, RecordRef]:
        found: dict[RecordRef, RecordRef] = {}
        for chapter in {_chapter_of(tenant, ref) for ref in contacts}:
            ids = sorted(
                ref.id for ref in contacts if _chapter_of(tenant, ref) == chapter
            )
            rows = await self.store.fetch(
                _among(
                    "SELECT id, account FROM record_known "
                    f"WHERE {_CHAPTER} AND id IN (:listed) AND account <> ''",
                    ids,
                    _named(chapter),
                )
            )
            for id_, account in rows:
                of = RecordRef(chapter.system, chapter.instance, "account", account)
                found[_ref(chapter, id_)] = of
        return found

    async def figures(self, tenant: str) -> Sequence[Figure]:
        return await figures_of(self.store, tenant)

    async def progress(self, chapter: Chapter) -> Progress:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_PROGRESS} FROM record_chapter WHERE {_CHAPTER}",
                _named(chapter),
                brief=True,
            )
        )
        return _progress(chapter, rows[0]) if rows else Progress(chapter)

    async def begin(self, progress: Progress, now_us: int) -> bool:
        row = {**_from(progress), "next": progress.lap + 1, "now": now_us}

        def program() -> Program[bool]:
            yield Statement(
                f"INSERT INTO record_chapter (tenant, system, instance, kind, "
                f"{_PROGRESS}) VALUES (:tenant, :system, :instance, :kind, "
                "0, 0, '', 0, 0, 0, 0) ON CONFLICT DO NOTHING",
                row,
            )
            begun = yield Statement(
                "UPDATE record_chapter SET lap = :next, position = '', "
                f"begun_us = :now WHERE {_UNMOVED} RETURNING lap",
                row,
            )
            return bool(begun)

        return await self.store.run(program)

    async def take(self, progress: Progress, page: Page, now_us: int) -> bool:
        hashed = await self._hashed(progress.chapter.tenant)
        entries = {one.ref.id: _Entry.of(one, hashed) for one in page.listed}
        return await self.store.run(lambda: _take(progress, page, entries, now_us))

    async def stir(self, chapter: Chapter, now_us: int) -> None:
        row = {**_named(chapter), "now": now_us}

        await run_one(
            self.store,
            Statement(
                f"UPDATE record_chapter SET stirred_us = :now WHERE {_CHAPTER}", row
            ),
        )

    async def keep_only(self, tenant: str, chapters: Collection[Chapter]) -> int:
        rows = await self.store.fetch(
            Statement(
                "SELECT system, instance, kind FROM record_chapter "
                "WHERE tenant = :tenant",
                {"tenant": tenant},
            )
        )
        there = [Chapter(tenant, System(s), name, kind) for s, name, kind in rows]
        others = [each for each in there if each not in chapters]
        for each in others:
            await self.store.run(lambda each=each: _dropped(each))  # type: ignore[misc]
        return len(others)

    async def _hashed(self, tenant: str) -> Hashed:
        company = await self.keys.company(tenant)
        return _hashes(company.secret(ADDRESS), company.secret("record-book"))


async def figures_of(store: HotStore, tenant: str) -> Sequence[Figure]:
    """Return what a company's book has, and how old it is: no key is needed for it."""
    rows = await store.fetch(
        Statement(
            f"SELECT c.system, c.instance, c.kind, {_PROGRESS_OF_C}, "
            "(SELECT count(*) FROM record_known k WHERE k.tenant = c.tenant "
            "AND k.system = c.system AND k.instance = c.instance "
            "AND k.kind = c.kind) "
            "FROM record_chapter c WHERE c.tenant = :tenant "
            "ORDER BY c.system, c.instance, c.kind",
            {"tenant": tenant},
        )
    )
    return [
        Figure(
            _progress(Chapter(tenant, System(row[0]), row[1], row[2]), row[3:10]),
            int(row[10]),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A record as the book keeps it; `mails` are those of its clues."""

    id: str
    account: str
    rev: int
    clues: tuple[str, ...]
    mails: tuple[str, ...]

    @classmethod
    def of(cls, one: Listed, hashed: Hashed) -> "_Entry":
        return cls(
            one.ref.id,
            one.account.id if one.account else "",
            one.rev,
            tuple(sorted(map(hashed, one.clues))),
            tuple(hashed(c) for c in one.clues if c.kind is ClueKind.MAIL),
        )

    @property
    def mark(self) -> str:
        return sha256("\n".join((self.account, *self.clues)).encode()).hexdigest()


def address_hash(secret: bytes, address: str) -> str:
    """Return how an address is kept: half of how those are that accounts rest on."""
    digest = hmac.digest(secret, address.encode("utf-8", "replace"), "sha256")
    return digest.hex()[:HALF]


def _hashes(of_addresses: bytes, of_others: bytes) -> Hashed:
    def hashed(clue: Clue) -> str:
        if clue.kind is ClueKind.MAIL:
            return address_hash(of_addresses, clue.text)
        text = f"{clue.kind}={clue.text}".encode("utf-8", "replace")
        return hmac.digest(of_others, text, "sha256").hex()[:HALF]

    return hashed


def _take(
    progress: Progress, page: Page, entries: Mapping[str, _Entry], now_us: int
) -> Program[bool]:
    """Take a page in, onto the progress that it was read from or not at all."""
    row = _named(progress.chapter)
    if not (yield _moved(progress, page, now_us)):
        return False
    mails = sorted({mail for one in entries.values() for mail in one.mails})
    erased = yield _among(
        "SELECT clue FROM record_erased WHERE tenant = :tenant AND clue IN (:listed)",
        mails,
        row,
    )
    never = {clue for (clue,) in erased}
    kept = {id_: one for id_, one in entries.items() if not never & {*one.mails}}
    known = yield _among(
        f"SELECT id, mark FROM record_known WHERE {_CHAPTER} AND id IN (:listed)",
        sorted(kept),
        row,
    )
    same = {id_ for id_, mark in known if kept[id_].mark == mark}
    yield from _seen_again(row, sorted(same), progress.lap)
    new = [kept[id_] for id_ in sorted(kept.keys() - same)]
    gone = {ref.id for ref in page.gone} | (entries.keys() - kept.keys())
    yield from _without(row, gone | {one.id for one in new})
    yield Insert("record_known", [_known(row, one, progress.lap) for one in new])
    yield Insert(
        "record_clue",
        [{**row, "clue": clue, "id": one.id} for one in new for clue in one.clues],
    )
    if page.complete and progress.under_way:
        yield from _drop_unseen(row, progress.lap)
    return True


def _moved(progress: Progress, page: Page, now_us: int) -> Statement:
    whole = page.complete and progress.under_way
    return Statement(
        "UPDATE record_chapter SET position = :to, "
        "read_us = CASE WHEN :complete = 1 THEN :now ELSE read_us END, "
        "whole_us = CASE WHEN :whole = 1 THEN :now ELSE whole_us END, "
        "whole_lap = CASE WHEN :whole = 1 THEN lap ELSE whole_lap END "
        f"WHERE {_UNMOVED} RETURNING lap",
        {
            **_from(progress),
            "to": page.position,
            "complete": int(page.complete),
            "whole": int(whole),
            "now": now_us,
        },
    )


def _seen_again(
    row: Mapping[str, object], ids: Sequence[str], lap: int
) -> Program[None]:
    """Note that records were seen that are known by the same as before."""
    if ids:
        yield _among(
            "UPDATE record_known SET lap = :lap "
            f"WHERE {_CHAPTER} AND id IN (:listed) AND lap <> :lap",
            ids,
            {**row, "lap": lap},
        )


def _without(row: Mapping[str, object], ids: Collection[str]) -> Program[None]:
    if ids:
        for table in ("record_clue", "record_known"):
            yield _among(
                f"DELETE FROM {table} WHERE {_CHAPTER} AND id IN (:listed)",
                sorted(ids),
                row,
            )


def _drop_unseen(row: Mapping[str, object], lap: int) -> Program[None]:
    """Drop what a whole lap has not seen: it is hidden now, or gone without a word."""
    # In lists: of a table that was just filled PostgreSQL knows too little to join it.
    while unseen := (
        yield Statement(
            f"SELECT id FROM record_known WHERE {_CHAPTER} AND lap < :lap LIMIT :most",
            {**row, "lap": lap, "most": _AT_ONCE},
        )
    ):
        yield from _without(row, {id_ for (id_,) in unseen})


def _dropped(chapter: Chapter) -> Program[None]:
    for table in ("record_clue", "record_known", "record_chapter"):
        yield Statement(f"DELETE FROM {table} WHERE {_CHAPTER}", _named(chapter))


def _known(row: Mapping[str, object], one: _Entry, lap: int) -> Mapping[str, object]:
    return {
        **row,
        "id": one.id,
        "account": one.account,
        "rev": one.rev,
        "mark": one.mark,
        "lap": lap,
    }


def _among(sql: str, values: Sequence[str], row: Mapping[str, object]) -> Statement:
    """Return a statement whose `:listed` is a list of any length: JSON."""
    return Statement(
        sql.replace("(:listed)", "(SELECT value FROM json_each(:listed))"),
        {**row, "listed": listed(values)},
        postgres=sql.replace(
            "IN (:listed)",
            "= ANY(ARRAY(SELECT jsonb_array_elements_text(:listed::text::jsonb)))",
        ),
    )


def _named(chapter: Chapter) -> dict[str, object]:
    return {
        "tenant": chapter.tenant,
        "system": str(chapter.system),
        "instance": chapter.instance,
        "kind": chapter.kind,
    }


def _from(progress: Progress) -> dict[str, object]:
    return {
        **_named(progress.chapter),
        "lap": progress.lap,
        "from": progress.position,
    }


def _progress(chapter: Chapter, row: Rows) -> Progress:
    lap, whole_lap, position, begun, whole, read, stirred = row
    return Progress(
        chapter,
        int(lap),
        int(whole_lap),
        str(position),
        int(begun),
        int(whole),
        int(read),
        int(stirred),
    )


def _chapter_of(tenant: str, ref: RecordRef) -> Chapter:
    return Chapter(tenant, ref.system, ref.instance, ref.kind)


def _ref(chapter: Chapter, id_: str) -> RecordRef:
    return RecordRef(chapter.system, chapter.instance, chapter.kind, id_)


_PROGRESS_OF_C = ", ".join(f"c.{each}" for each in _PROGRESS.split(", "))
