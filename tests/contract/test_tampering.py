"""Whoever changes the record behind ATOM's back is found out, and it is said where."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.compliance.leaf import NEWEST, leaf_bytes, leaf_maker, leaf_of
from storage.compliance.proofs.checkpoints import Checkpoint, signed
from storage.compliance.proofs.tiles import grown
from storage.compliance.tree import Frontier
from storage.hot import Insert, Program, Statement
from storage.log_reader import COLUMNS
from storage.schema import log
from storage.writes import Entry, Origin, Write
from tests.contract.conftest import TENANT, Store
from tests.contract.proofs import Proofs, proofs_of, said, tamper

_SIZE = 12
# What a column may be changed to, whatever stands there; else something is added.
_OTHERS: Mapping[str, Any] = {
    "link": "L-other",
    "label": "public",
    "dlp": "card",
    "raw_cmt": b"\1" * 32,
    "origin_leaf": b"\2" * 32,
    "origin_seq": 1,
    "prev_seq": 3,
    "leaf_v": 1,
}
# These say where an entry is; changed, it is missing where it was.
_PLACES = {"tenant", "seq"}


@pytest.fixture
async def proofs(store: Store, tmp_path: Path) -> Proofs:
    made = proofs_of(store, tmp_path)
    await said(store, _SIZE - 2)
    [first] = await store.reader.entries(TENANT, -1, 1)
    origin = Origin(0, first.row["leaf"])
    for etype in ("bridge.delivered", "message.edit"):
        entry = Entry(etype, "teams", "teams|U1", 1, {"text": etype}, origin=origin)
        await store.journal.write(Write(TENANT, entry=entry))
    return made


async def rows_of(store: Store) -> list[dict[str, Any]]:
    sql = f"SELECT {', '.join(COLUMNS)} FROM log ORDER BY seq"
    rows = await store.database.hot.fetch(Statement(sql))
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def other(column: str, value: Any) -> Any:
    if column in _OTHERS:
        return None if value == _OTHERS[column] else _OTHERS[column]
    match value:
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case int():
            return value + 1
        case str():
            return value[:-1] + ("x" if value[-1:] != "x" else "y")
    raise AssertionError(column)


async def put(store: Store, seq: int, column: str, value: Any) -> None:
    sql = f"UPDATE log SET {column} = :value WHERE seq = :at"
    casts = {"raw_cmt": "bytea", "origin_leaf": "bytea", "raw_ct": "bytea"}
    kind = casts.get(column, "bigint" if column.endswith("_seq") else "")
    kind = kind or ("text" if column in {"link", "label", "dlp"} else "")
    postgres = sql.replace(":value", f":value::{kind}") if kind else sql

    def changed() -> Program[None]:
        yield Statement(sql, {"value": value, "at": seq}, postgres=postgres)

    await store.database.hot.run(changed)


def changeable() -> list[str]:
    """Return every column that can be changed where an entry stands."""
    return sorted(c.name for c in log.columns if c.name not in _PLACES)


async def test_any_column_of_any_kept_entry_is_named(
    proofs: Proofs, store: Store
) -> None:
    await proofs.publisher.publish(TENANT)
    assert await proofs.verified() is None
    rows = await rows_of(store)

    for column in changeable():
        for seq in (0, 5, _SIZE - 2):
            before = rows[seq][column]
            if before is None and column == "raw_ct":
                continue
            await put(store, seq, column, other(column, before))
            fault = await proofs.verified(bodies=column in {"ct", "raw_ct"})
            await put(store, seq, column, before)

            assert fault, column
            assert (fault.seq, fault.column) == (seq, column), fault.text
    assert await proofs.verified() is None


@pytest.mark.parametrize("column", ["raw_ct", "origin_leaf", "raw_cmt", "link"])
async def test_what_is_taken_away_is_named_too(
    proofs: Proofs, store: Store, column: str
) -> None:
    await proofs.publisher.publish(TENANT)
    seq = _SIZE - 2 if column == "origin_leaf" else 4
    value = "x" if column == "link" else None
    await put(store, seq, column, value)

    fault = await proofs.verified()

    assert fault
    assert (fault.seq, fault.column) == (seq, column)


async def test_a_change_too_young_for_a_bundle_is_found_and_often_named(
    proofs: Proofs, store: Store
) -> None:
    rows = await rows_of(store)
    named = []

    for column in changeable():
        if column in {"ct", "raw_ct", "leaf"}:
            continue
        before = rows[3][column]
        await put(store, 3, column, other(column, before))
        fault = await proofs.verified(bodies=False)
        await put(store, 3, column, before)
        assert fault, column
        assert fault.seq == 3
        assert fault.column in {column, ""}, fault.text
        named += [column] if fault.column else []

    assert {"conv", "etype", "rev", "cap_us", "link", "via", "outcome"} <= set(named)


async def test_a_missing_entry_is_named(proofs: Proofs, store: Store) -> None:
    await proofs.publisher.publish(TENANT)
    await tamper(store, "DELETE FROM log WHERE seq = 4")

    fault = await proofs.verified()

    assert fault
    assert (fault.seq, fault.text) == (4, "entry 4 is missing")


async def test_a_missing_end_is_named(proofs: Proofs, store: Store) -> None:
    await proofs.publisher.publish(TENANT)
    await tamper(store, "DELETE FROM log WHERE seq >= 7")

    fault = await proofs.verified()

    assert fault
    assert (fault.seq, fault.text) == (7, "entry 7 is missing")


async def test_an_end_cut_off_with_its_head_is_noticed(
    proofs: Proofs, store: Store
) -> None:
    await proofs.publisher.publish(TENANT)
    leaves = [row["leaf"] for row in await rows_of(store)]
    await tamper(store, "DELETE FROM log WHERE seq >= 7")
    await rewritten(store, leaves[:7])

    fault = await proofs.verified()

    assert fault
    assert fault.text == "the log ends at 7, but 12 entries were signed"
    assert fault.seq == 7
    assert fault.evidence


async def test_two_entries_that_changed_places_are_named(
    proofs: Proofs, store: Store
) -> None:
    await proofs.publisher.publish(TENANT)
    for old, new in ((3, 99), (5, 3), (99, 5)):
        await tamper(
            store, "UPDATE log SET seq = :new WHERE seq = :old", old=old, new=new
        )

    fault = await proofs.verified()

    assert fault
    assert (fault.seq, fault.text) == (3, "entry 3 was replaced by entry 5")


async def test_an_entry_past_the_end_is_named(proofs: Proofs, store: Store) -> None:
    await proofs.publisher.publish(TENANT)
    await tamper(store, "UPDATE log SET seq = 50 WHERE seq = 11")
    leaves = [row["leaf"] for row in await rows_of(store)]
    assert len(leaves) == _SIZE
    fault = await proofs.verified()
    assert fault
    assert fault.seq == 11

    await tamper(store, "UPDATE log SET seq = 11 WHERE seq = 50")
    [row] = [row for row in await rows_of(store) if row["seq"] == 11]

    def added() -> Program[None]:
        yield Insert("log", [{**row, "seq": 12, "eid": "x"}])

    await store.database.hot.run(added)
    fault = await proofs.verified()
    assert fault
    assert (fault.seq, fault.text) == (12, "entry 12 was added past the log's end")


@pytest.mark.parametrize("table", ["head", "tile", "bundle", "checkpoint"])
async def test_what_vouches_for_the_log_cannot_be_changed_either(
    proofs: Proofs, store: Store, table: str
) -> None:
    await proofs.publisher.publish(TENANT)
    columns = {
        "head": ("root", "frontier", "last_us"),
        "tile": ("data",),
        "bundle": ("data",),
        "checkpoint": ("root", "note", "size"),
    }
    for column in columns[table]:
        rows = await store.database.hot.fetch(
            Statement(f"SELECT {column} FROM {table}")
        )
        before = bytes(rows[0][0]) if isinstance(rows[0][0], memoryview) else rows[0][0]
        value = other(column, before)
        sql = f"UPDATE {table} SET {column} = :value"
        await tamper(store, sql, value=value)
        fault = await proofs.verified()
        await tamper(store, sql, value=before)

        assert fault, (table, column)
    assert await proofs.verified() is None


async def test_a_past_that_was_made_up_and_signed_anew_is_noticed(
    proofs: Proofs, store: Store
) -> None:
    """D4: the whole tree is computed again, and the real key signs it."""
    honest = await proofs.publisher.publish(TENANT)
    rows = await rows_of(store)
    rows[6]["outcome"] = "deny"
    rows[6]["leaf"] = leaf_of(rows[6])
    await put(store, 6, "outcome", "deny")
    await put(store, 6, "leaf", rows[6]["leaf"])
    await rewritten(store, [row["leaf"] for row in rows])
    await made_up(proofs, rows)

    inside = await proofs.verified()
    outside = await proofs.verified(honest.note)

    # The file beside the database was not thought of: that is found inside already.
    assert inside
    assert inside.text == "the log's first 12 entries are not those that were signed"
    assert inside.evidence == (honest.note,)
    assert outside
    proofs.high_water.raise_to(TENANT, (await made_up(proofs, rows)).note)
    assert await proofs.verified() is None
    outside = await proofs.verified(honest.note)
    assert outside
    assert outside.evidence == (honest.note,)


async def rewritten(store: Store, leaves: list[bytes]) -> None:
    """Make the head one of these leaves, as somebody with the database could."""
    frontier = Frontier().extend(leaves)
    await tamper(
        store,
        "UPDATE head SET size = :size, root = :root, frontier = :frontier",
        size=frontier.size,
        root=frontier.root(),
        frontier=frontier.pack(),
    )
    if frontier.size < _SIZE:
        rows = await rows_of(store)
        await tamper(store, "UPDATE head SET last_us = :us", us=rows[-1]["cap_us"])
    for table in ("tree_state", "tile", "bundle"):
        await tamper(store, f"DELETE FROM {table}")


async def made_up(proofs: Proofs, rows: list[dict[str, Any]]) -> Any:
    """Sign what is there now with the real key, and replace what was signed."""
    key = await proofs.signers.current(TENANT)
    frontier = Frontier().extend([row["leaf"] for row in rows])
    claimed = Checkpoint(key.name, frontier.size, frontier.root())
    note = signed(claimed, proofs.clock.now, key)
    await tamper(
        proofs.store,
        "UPDATE checkpoint SET note = :note, root = :root",
        note=note,
        root=frontier.root(),
    )
    seen = await proofs.publisher.newest(TENANT)
    assert seen
    return seen


def test_a_leaf_of_version_1_is_what_it_was() -> None:
    row = {
        **dict.fromkeys(COLUMNS),
        "leaf_v": 1,
        "seq": 0,
        "src_us": 0,
        "cap_us": 5,
        "actor_tok": b"\1",
        "cmt": b"\2",
    }

    assert leaf_bytes(row) == (
        b'{"act":"01","cap_us":5,"cmt":"02","conv":null,"eid":null,"key":null,'
        b'"kind":null,"link":null,"msg":null,"oleaf":null,"oseq":null,"out":null,'
        b'"plat":null,"prev":null,"rev":null,"seq":0,"src_us":0,"team":null,'
        b'"ten":null,"thr":null,"typ":null,"v":1,"ver_us":null,"via":null}'
    )
    assert leaf_maker(COLUMNS)([row[column] for column in COLUMNS]) == leaf_bytes(row)
    assert grown(0, {}, [leaf_of(row)])


@given(st.data(), st.sampled_from([1, NEWEST]), st.permutations(COLUMNS))
def test_whole_logs_are_read_with_the_same_leaves(
    data: st.DataObject, version: int, columns: list[str]
) -> None:
    numbers = st.integers(min_value=-(2**40), max_value=2**53 - 1)
    cells: dict[str, st.SearchStrategy[Any]] = {
        "leaf_v": st.just(version),
        "src_us": numbers,
        "cap_us": numbers,
    }
    for column in ("actor_tok", "origin_leaf", "cmt", "raw_cmt"):
        cells[column] = st.none() | st.binary(max_size=8)
    anything = st.none() | st.text(st.characters(codec="utf-8")) | numbers
    row = {column: data.draw(cells.get(column, anything)) for column in columns}

    assert leaf_maker(columns)(list(row.values())) == leaf_bytes(row)


@pytest.mark.parametrize(
    ("column", "value"), [("leaf_v", 7), ("cmt", "text"), ("conv", "\ud800")]
)
def test_what_no_leaf_can_hold_is_refused_by_both(column: str, value: Any) -> None:
    row = {**dict.fromkeys(COLUMNS), "leaf_v": NEWEST, "src_us": 0, "cap_us": 0}
    row[column] = value

    for make in (leaf_bytes, lambda told: leaf_maker(COLUMNS)(list(told.values()))):
        with pytest.raises((TypeError, ValueError)):
            make(row)
