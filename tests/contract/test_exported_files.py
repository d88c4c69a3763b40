"""Files of an export come out of the store that keeps them, or it says why not."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from bridge.messages import Platform
from bridge.ports import Commitment
from storage.compliance.blobs.keeper import FileKeeper
from storage.compliance.blobs.kept import Blobs
from storage.compliance.blobs.shelves import FolderShelf
from storage.compliance.blobs.work import FileWorkList
from storage.hot import Program
from storage.shelf import DiskShelf
from tests.contract.conftest import TENANT, Store
from tests.contract.letters import YES
from tests.contract.test_kept_files import LIST, PLAN
from tests.events import message
from tests.exports import asked, contents, exported, maker, manifest_of
from tests.unit.bridge.file_fakes import FakeSource

NOW = 1_900_000_000_000_000
HERE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def blobs(store: Store, tmp_path: Path) -> Blobs:
    """Both files of a message, fetched and kept as they are in service."""
    hot = store.database.hot
    shelf = FolderShelf(tmp_path / "blobs")
    blobs = Blobs(hot, store.ring, shelf, lambda: NOW)
    keeper = FileKeeper(
        {Platform.SLACK: FakeSource({"F1": [b"pl", b"ans"], "F2": [b"a,b\n"]})},
        DiskShelf(tmp_path / "crossing"),
        blobs,
        store.journal,
        store.reader,
        FileWorkList(hot, lambda: NOW),
        lambda: NOW,
        most=1_000,
    )
    event = message(ts="17.1", files=(PLAN, LIST))
    await store.journal.append(Commitment(TENANT, event, (YES,), ()))
    while await keeper.next():
        pass
    return blobs


async def export_of(
    store: Store, blobs: Blobs, home: Path, **more: Any
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return what is in the export, and which files are missing from it and why."""
    size = (await store.reader.head(TENANT)).size
    made = await maker(store.database.hot, store.reader, home)
    result = await exported(
        replace(made, blobs=blobs, **more), asked(size, formats=("native",)), home
    )
    missing = manifest_of(result.path)["missing_files"]
    return {**contents(result.path)}, {m["path"]: m["reason"] for m in missing}


def files_of(found: dict[str, bytes]) -> dict[str, Any]:
    line = orjson.loads(found["native/slack-C02FALCON.jsonl"])
    return {file["name"]: file for file in line["revisions"][0]["files"]}


async def test_kept_bytes_are_in_the_export(
    store: Store, blobs: Blobs, tmp_path: Path
) -> None:
    found, missing = await export_of(store, blobs, tmp_path)

    assert not missing
    told = files_of(found)
    for name, content in (("plan.txt", b"plans"), ("list.csv", b"a,b\n")):
        assert found[told[name]["path"]] == content
        assert told[name]["sha256"] == sha256(content).hexdigest()


@HERE
async def test_a_file_that_is_too_large_is_named_and_left_out(
    store: Store, blobs: Blobs, tmp_path: Path
) -> None:
    found, missing = await export_of(store, blobs, tmp_path, most_bytes=4)

    [(path, reason)] = missing.items()
    assert path.endswith("F1-plan.txt")
    assert reason == "larger than 4 bytes"
    told = files_of(found)
    assert told["plan.txt"]["missing"] == reason
    assert "path" not in told["plan.txt"]
    assert found[told["list.csv"]["path"]] == b"a,b\n"
    assert path not in found


@HERE
async def test_bytes_that_were_changed_where_they_are_kept_are_left_out(
    store: Store, blobs: Blobs, tmp_path: Path
) -> None:
    # A sealed file is its bytes and a tag of the same length, whichever it is.
    held = [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()]
    largest = max(held, key=lambda p: p.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[-1] ^= 1
    largest.write_bytes(data)

    found, missing = await export_of(store, blobs, tmp_path)

    [(path, reason)] = missing.items()
    assert path.endswith("F1-plan.txt")
    assert reason == "its bytes were changed where they are kept"
    assert path not in found


@HERE
async def test_bytes_that_nobody_holds_any_more_are_said_to_be_gone(
    store: Store, blobs: Blobs, tmp_path: Path
) -> None:
    def program() -> Program[None]:
        released = blobs.released(TENANT, "slack", "C02FALCON", "17.1")
        for one in released:  # noqa: UP028 - a tuple cannot be sent rows
            yield one

    await store.database.hot.run(program)
    assert await blobs.sweep(TENANT) == 2

    _, missing = await export_of(store, blobs, tmp_path)

    assert {*missing.values()} == {"erased, or not kept any more"}
