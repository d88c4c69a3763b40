"""Exports say the same on every database and machine, and nothing that came later."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from lxml import etree

from bridge.errors import BadInput
from storage.compliance import verify_atom
from storage.compliance.export.making import Result
from storage.compliance.export.parts import FORMATS
from storage.compliance.export.spool import Spool
from storage.compliance.keys import KeyFile, Keyring, commitment
from storage.compliance.keys.shredding import destroyed
from storage.compliance.proofs.merkle import verify_inclusion
from storage.compliance.proofs.proof_files import ProofFile
from storage.compliance.proofs.signing_keys import SigningKeys
from storage.compliance.tree import leaf_hash
from storage.crew import Crew
from storage.database import opened
from storage.database_url import database_url as parsed
from storage.hot import HotStore, Insert, Program, Statement
from storage.log_reader import LogReader
from storage.migrate import upgrade
from storage.writes import Entry, Write
from tests.contract.conftest import TENANT, Store, assemble
from tests.databases import migrated_template
from tests.events import ALICE, FALCON
from tests.exports import (
    CROWD,
    CROWDED,
    DIRECT,
    PICTURE,
    asked,
    contents,
    everything,
    exported,
    maker,
    manifest_of,
    tell,
)
from tests.servers import Postgres

_COPIED = ("log", "head", "tenant_kek", "subject_key")


@pytest.fixture
async def told(store: Store) -> Store:
    await tell(store.journal)
    return store


@pytest.fixture
async def told_sqlite(tmp_path: Path) -> AsyncIterator[Store]:
    keys = KeyFile.under(tmp_path)
    keys.create(TENANT)
    async with opened(parsed(f"sqlite:///{tmp_path}/atom.db")) as database:
        await upgrade(database.engine)
        store = assemble(database, keys, "one")
        await tell(store.journal)
        yield store


async def export_of(store: Store, home: Path, **more: object) -> Result:
    size = more.pop("size", None) or (await store.reader.head(TENANT)).size
    made = await maker(store.database.hot, store.reader, home)
    return await exported(made, asked(int(str(size)), **more), home)


async def test_everything_that_is_named_is_there_and_fits_its_hash(
    told: Store, tmp_path: Path
) -> None:
    result = await export_of(told, tmp_path)

    found = contents(result.path)
    manifest = manifest_of(result.path)
    named = {item["path"]: item for item in manifest["items"]}
    beside = {"manifest.json", "manifest.note", "verify_atom.py"}
    assert {*found} - beside == {*named}
    with zipfile.ZipFile(result.path) as archive:
        entries = archive.infolist()
    assert [e.filename for e in entries] == sorted(found)
    assert {(e.date_time, e.compress_type, e.external_attr >> 16) for e in entries} == {
        ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED, 0o100644)
    }
    for path, item in named.items():
        assert sha256(found[path]).hexdigest() == item["sha256"]
        assert len(found[path]) == item["bytes"]
    assert manifest["counts"] == {
        "matched": 9,
        "exported": 9,
        "copies": 1,
        "withheld_by_reason": {},
    }
    assert sha256(result.path.read_bytes()).hexdigest() == result.sha256


async def test_every_entry_opens_and_is_proved_to_be_in_the_log(
    told: Store, tmp_path: Path
) -> None:
    result = await export_of(told, tmp_path, formats=("native",))

    found, manifest = contents(result.path), manifest_of(result.path)
    root, size = bytes.fromhex(manifest["as_of"]["root"]), manifest["as_of"]["size"]
    entries = [
        entry
        for path, data in found.items()
        if path.endswith(".jsonl")
        for line in data.splitlines()
        for entry in orjson.loads(line)["entries"]
    ]
    assert len(entries) > 15
    for entry in entries:
        proof = ProofFile.parse(found[f"proofs/{entry['seq']}.tlog-proof"].decode())
        assert proof.extra is not None
        leaf = leaf_hash(proof.extra)
        verify_inclusion(entry["seq"], size, leaf, proof.path, root)
        said = commitment(bytes.fromhex(entry["nonce"]), entry["body"].encode())
        assert leaf.hex() == entry["leaf"]
        assert orjson.loads(proof.extra)["cmt"] == said.hex()


async def test_from_each_document_everybody_in_a_large_conversation_is_found(
    told: Store, tmp_path: Path
) -> None:
    result = await export_of(told, tmp_path, formats=("edrm", "dat"))

    found = contents(result.path)
    text = io.StringIO(found["dat/loadfile.dat"].decode("utf-8-sig"), newline="")
    rows = csv.DictReader(text, delimiter="\x14", quotechar="\xfe", strict=True)
    tags = [
        {t.get("TagName"): t.get("TagValue") for t in document.iter("Tag")}
        for document in etree.fromstring(found["edrm/edrm.xml"]).iter("Document")
    ]
    said = [
        *((f"dat/{r['PARTICIPANTSPATH']}", r["TO"], r["CONVID"]) for r in rows),
        *(
            (f"edrm/{t['#ATOMParticipants']}", str(t["#To"]), t["#ATOMConversation"])
            for t in tags
            if "#ATOMParticipants" in t
        ),
    ]
    listed = [(path, to) for path, to, conv in said if conv == CROWDED.id]
    assert len(listed) == 2
    for path, to in listed:
        people = [*csv.DictReader(io.StringIO(found[path.replace("\\", "/")].decode()))]
        assert {p["ID"] for p in people} == {*CROWD, ALICE.id}
        assert len(people) == len(CROWD) + 1
        assert f"{len(people)} participants" in to
        assert all(p["Joined_UTC"] for p in people if p["ID"] in CROWD)
        assert [p["ID"] for p in people if p["Left_UTC"]] == [CROWD[0]]
    others = [path for path, _, conv in said if conv != CROWDED.id]
    assert {*others} == {"dat/"}


async def test_what_cannot_be_had_is_named_with_the_reason(
    told_sqlite: Store, tmp_path: Path
) -> None:
    result = await export_of(told_sqlite, tmp_path)

    reasons = {m["reason"] for m in manifest_of(result.path)["missing_files"]}
    held = [d for p, d in contents(result.path).items() if p.startswith("files/")]
    assert reasons == {"erased, or not kept any more", "the bytes were not stored"}
    assert held == [PICTURE]


async def test_later_messages_change_nothing(
    told_sqlite: Store, tmp_path: Path
) -> None:
    size = (await told_sqlite.reader.head(TENANT)).size
    before = (await export_of(told_sqlite, tmp_path / "a", size=size)).path.read_bytes()
    await told_sqlite.journal.write(
        Write(
            TENANT,
            entry=Entry("conv.change", "slack", "s", 1, {"detail": {"name": "new"}}),
        )
    )

    (tmp_path / "b/keys").parent.mkdir()
    (tmp_path / "a/keys").rename(tmp_path / "b/keys")
    after = (await export_of(told_sqlite, tmp_path / "b", size=size)).path.read_bytes()

    assert before == after


async def test_only_what_is_asked_for_is_exported(
    told_sqlite: Store, tmp_path: Path
) -> None:
    direct = await export_of(
        told_sqlite, tmp_path, channels=(DIRECT,), formats=("csv",)
    )

    table = contents(direct.path)["csv/posts.csv"].decode()
    rows = [*csv.DictReader(io.StringIO(table))]
    assert {r["Channel Id"] for r in rows} == {DIRECT.id}
    assert "psst" in {r["Post Message"] for r in rows}
    assert manifest_of(direct.path)["counts"]["matched"] == 1


@pytest.mark.parametrize(
    ("more", "matched"),
    [
        ({"people": ("U02BOB",)}, 4),
        ({"people": ("teams:29:carol",)}, 2),
        ({"channels": (FALCON,)}, 5),
        ({"from_us": 1_900_000_600_000_000}, 7),
        ({"to_us": 1_900_000_600_000_000}, 2),
        ({"from_us": 1_900_000_600_000_000, "channels": (FALCON,)}, 3),
    ],
)
async def test_scopes(
    told_sqlite: Store, tmp_path: Path, more: dict[str, object], matched: int
) -> None:
    result = await export_of(told_sqlite, tmp_path, formats=("csv",), **more)

    assert manifest_of(result.path)["counts"]["matched"] == matched


async def test_several_processes_make_the_same_bytes(
    told: Store, tmp_path: Path
) -> None:
    alone = await export_of(told, tmp_path)

    (tmp_path / "b").mkdir()
    (tmp_path / "keys").rename(tmp_path / "b/keys")
    together = await export_of(_helped(told), tmp_path / "b")

    assert together.path.read_bytes() == alone.path.read_bytes()


async def test_several_processes_say_what_is_wrong_as_one_does(
    told: Store, tmp_path: Path
) -> None:
    helped = _helped(told)
    hot, size = told.database.hot, (await told.reader.head(TENANT)).size
    made = await maker(hot, helped.reader, tmp_path)
    await _changed(hot, "UPDATE log SET via = 'import' WHERE seq = 13")
    with pytest.raises(BadInput, match="entry 13 of the log was changed"):
        await exported(made, asked(size), tmp_path)

    await _changed(hot, "DELETE FROM log WHERE seq = 9")
    with pytest.raises(BadInput, match="entry 9 of the log is missing"):
        await exported(made, asked(size), tmp_path / "other")


def _helped(store: Store) -> Store:
    crew = Crew(2, least=0, at_once=5)
    return replace(store, reader=replace(store.reader, crew=crew))


@pytest.mark.parametrize("column", ["src_us", "msg", "via"])
async def test_a_changed_log_is_not_exported(
    told_sqlite: Store, tmp_path: Path, column: str
) -> None:
    made = await maker(told_sqlite.database.hot, told_sqlite.reader, tmp_path)
    size = (await told_sqlite.reader.head(TENANT)).size
    value = "'7'" if column != "src_us" else "7"
    sql = f"UPDATE log SET {column} = {value} WHERE seq = 3"  # noqa: S608 - ours
    await _changed(told_sqlite.database.hot, sql)

    with pytest.raises(BadInput, match="nothing is exported"):
        await exported(made, asked(size), tmp_path)

    assert not (tmp_path / "out.zip").exists()


async def test_an_entry_that_was_taken_out_is_missed(
    told_sqlite: Store, tmp_path: Path
) -> None:
    made = await maker(told_sqlite.database.hot, told_sqlite.reader, tmp_path)
    size = (await told_sqlite.reader.head(TENANT)).size
    await _changed(told_sqlite.database.hot, "DELETE FROM log WHERE seq = 5")

    with pytest.raises(BadInput, match="entry 5 of the log is missing"):
        await exported(made, asked(size), tmp_path)


async def _changed(store: HotStore, sql: str) -> None:
    def program() -> Program[None]:
        yield Statement(sql, {})

    await store.run(program)


async def test_a_killed_export_goes_on_and_comes_to_the_same_bytes(
    told_sqlite: Store, tmp_path: Path
) -> None:
    """A step that fails leaves what a kill there leaves: what is on disk."""
    size = (await told_sqlite.reader.head(TENANT)).size
    made = await maker(told_sqlite.database.hot, told_sqlite.reader, tmp_path)
    whole = (await exported(made, asked(size), tmp_path)).path.read_bytes()
    steps: list[str] = []
    folder = tmp_path / "killed"
    folder.mkdir()

    class Killed(BaseException):
        pass

    def stop_at_news(what: str, _done: int, _of: int) -> None:
        if what not in steps:
            steps.append(what)
            raise Killed

    for _ in range(40):
        spool = Spool(folder / "work")
        try:
            result = await made.make(
                spool, asked(size), everything, folder / "out.zip", stop_at_news
            )
            break
        except Killed:
            continue
        finally:
            spool.close()
    else:
        pytest.fail("it never ended")

    assert len(steps) == 6 + len(FORMATS) - 1
    assert result.path.read_bytes() == whole


def test_a_second_process_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "work")
    spool.put("some", "thing")

    with pytest.raises(BadInput, match="another process"):
        Spool(tmp_path / "work")

    spool.close()


async def _rows(store: HotStore, table: str) -> list[dict[str, Any]]:
    told = await store.fetch(
        Statement("SELECT name FROM pragma_table_info(:table)", {"table": table})
    )
    names = [name for (name,) in told]
    rows = await store.fetch(Statement(f"SELECT * FROM {table}"))  # noqa: S608 - ours
    return [dict(zip(names, row, strict=True)) for row in rows]


async def test_the_same_log_on_the_other_database_gives_the_same_bytes(
    postgres: Postgres, tmp_path: Path, told_sqlite: Store
) -> None:
    here = await export_of(told_sqlite, tmp_path)
    first = here.path.read_bytes()
    hot = told_sqlite.database.hot
    held = {table: await _rows(hot, table) for table in _COPIED}

    def copied() -> Program[None]:
        for table, rows in held.items():
            yield Insert(table, rows)

    with postgres.database(migrated_template(postgres)) as url:
        async with opened(parsed(url)) as database:
            await database.hot.run(copied)
            reader = LogReader(database.hot, Keyring(database.hot, told_sqlite.keys))
            made = await maker(database.hot, reader, tmp_path)
            (tmp_path / "there").mkdir()
            there = await exported(made, asked(len(held["log"])), tmp_path / "there")

    assert there.path.read_bytes() == first


async def test_what_was_erased_is_said_to_be_erased_and_proved_to_have_been(
    told: Store, tmp_path: Path
) -> None:
    entries = await told.reader.entries(TENANT, -1, 99)
    hers = {e.row["key_ref"] for e in entries if e.body.get("text") == "psst"}
    hot = told.database.hot

    def program() -> Program[None]:
        yield destroyed(TENANT, hers, 1)

    await hot.run(program)
    reader = LogReader(hot, Keyring(hot, told.keys))
    made = await maker(hot, reader, tmp_path)

    result = await exported(made, asked(len(entries)), tmp_path)

    found, counts = contents(result.path), manifest_of(result.path)["counts"]
    assert b"psst" not in result.path.read_bytes()
    assert counts["withheld_by_reason"]["erased"] > 1
    assert counts["exported"] + counts["withheld_by_reason"]["erased"] == 9
    line = orjson.loads(found["native/slack-D09DIRECT.jsonl"])
    assert line["revisions"][0]["withheld"] == "erased"
    assert line["author"]["id"].startswith("erased-")
    [entry] = line["entries"]
    assert (entry["nonce"], entry["body"]) == ("", "")
    assert f"proofs/{entry['seq']}.tlog-proof" in found


async def test_not_even_who_signs_can_show_another_text(
    told_sqlite: Store, tmp_path: Path
) -> None:
    """The manifest of a changed text can be signed; the tree says otherwise."""
    made = await maker(told_sqlite.database.hot, told_sqlite.reader, tmp_path)
    size = (await told_sqlite.reader.head(TENANT)).size
    key = str(SigningKeys.under(tmp_path).current(TENANT).verifier)
    path = str(tmp_path / "out.zip")
    await exported(made, asked(size, formats=("native",)), tmp_path)
    assert verify_atom.main(["--key", key, "export", path]) == 0

    lie = Spool(tmp_path / "work")
    for seq, data in [*lie.rows("SELECT seq, packed FROM item")]:
        changed = data.replace(b"third draft", b"great draft")
        lie.base.execute("UPDATE item SET packed = ? WHERE seq = ?", (changed, seq))
    lie.base.execute("DELETE FROM part")
    lie.base.execute("DELETE FROM state WHERE value = 'yes' AND name <> 'assembled'")
    lie.close()
    await exported(made, asked(size, formats=("native",)), tmp_path)

    assert b"great draft" in (tmp_path / "out.zip").read_bytes()
    assert verify_atom.main(["--key", key, "export", path]) == 1
