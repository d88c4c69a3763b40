"""Files are kept once, sealed, and for as long as a message holds them."""

import hashlib
import random
import time
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bridge.errors import NotFound
from storage.compliance.blobs.kept import Blob, Blobs
from storage.compliance.blobs.shelves import CHUNK, BlobShelf, FolderShelf, RowShelf
from storage.compliance.keys import KeyFile, Keyring, SealBroken
from storage.hot import HotStore, Program, Statement
from storage.shelf import DiskShelf
from tests.contract.conftest import TENANT, Store

HERE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR = 3600 * 1_000_000
LATER = 1 << 61
ONE, TWO = ("slack", "C1", "17.1"), ("teams", "19:x", "99")


@dataclass
class Clock:
    now: int = field(default_factory=lambda: time.time_ns() // 1000)

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["folder", "rows"])
def blobs(
    request: pytest.FixtureRequest, store: Store, tmp_path: Path, clock: Clock
) -> Blobs:
    hot = store.database.hot
    shelf: BlobShelf = (
        FolderShelf(tmp_path / "blobs")
        if request.param == "folder"
        else RowShelf(hot, clock)
    )
    return Blobs(hot, store.ring, shelf, clock)


async def put(blobs: Blobs, content: bytes, tmp_path: Path) -> Blob:
    async with DiskShelf(tmp_path / "crossing").room() as room:
        await room.write(content)
        return await blobs.put(TENANT, room)


async def commit(hot: HotStore, *statements: Statement) -> None:
    def program() -> Program[None]:
        for statement in statements:  # noqa: UP028 - a tuple cannot be sent rows
            yield statement

    await hot.run(program)


async def keep(
    blobs: Blobs, content: bytes, where: tuple[str, str, str], tmp_path: Path
) -> Blob:
    blob = await put(blobs, content, tmp_path)
    await commit(blobs.store, *blobs.held(blob, *where))
    await blobs.settle(blob)
    return blob


async def read(blobs: Blobs, name: str) -> bytes:
    return b"".join([chunk async for chunk in blobs.read(TENANT, name)])


@HERE
@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
async def test_what_is_read_is_what_was_kept(
    blobs: Blobs, tmp_path: Path, size: int
) -> None:
    content = bytes(range(251)) * (size // 251 + 1)

    blob = await keep(blobs, content[:size], ONE, tmp_path)

    assert await read(blobs, blob.name) == content[:size]
    assert (blob.size, blob.sha256) == (
        size,
        hashlib.sha256(content[:size]).hexdigest(),
    )


async def test_a_hundred_megabytes_are_never_in_memory_at_once(
    blobs: Blobs, tmp_path: Path
) -> None:
    megabyte = random.Random(1).randbytes(1 << 20)
    tracemalloc.start()
    try:
        async with DiskShelf(tmp_path / "crossing").room() as room:
            for _ in range(100):
                await room.write(megabyte)
            blob = await blobs.put(TENANT, room)
        await commit(blobs.store, *blobs.held(blob, *ONE))
        await blobs.settle(blob)
        size, digest = 0, hashlib.sha256()
        async for chunk in blobs.read(TENANT, blob.name):
            size += len(chunk)
            digest.update(chunk)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (size, digest.hexdigest()) == (100 << 20, blob.sha256)
    assert most < 50 << 20


async def test_equal_files_are_kept_once_and_until_nobody_holds_them(
    blobs: Blobs, tmp_path: Path
) -> None:
    first = await keep(blobs, b"the same", ONE, tmp_path)
    second = await keep(blobs, b"the same", TWO, tmp_path)

    assert first.name == second.name
    assert [*await blobs.shelf.places(TENANT, LATER)] == [first.place]

    await commit(blobs.store, *blobs.released(TENANT, *ONE))
    assert await blobs.sweep(TENANT) == 0
    assert await read(blobs, first.name) == b"the same"
    await commit(blobs.store, *blobs.released(TENANT, *TWO))
    assert await blobs.sweep(TENANT) == 1

    with pytest.raises(NotFound):
        await read(blobs, first.name)
    assert [*await blobs.shelf.places(TENANT, LATER)] == []


async def test_names_and_bytes_tell_nothing_without_the_key(
    blobs: Blobs, tmp_path: Path
) -> None:
    content = b"a well-known form that anybody can hash"

    blob = await keep(blobs, content, ONE, tmp_path)

    assert blob.name != hashlib.sha256(content).hexdigest()
    stored = [chunk async for chunk in blobs.shelf.read(TENANT, blob.place)]
    assert content not in b"".join(stored)
    other = KeyFile.under(tmp_path / "other")
    other.create(TENANT)
    stranger = Blobs(blobs.store, Keyring(blobs.store, other), blobs.shelf, blobs.clock)
    with pytest.raises(SealBroken):
        await read(stranger, blob.name)


async def rewritten(blobs: Blobs, blob: Blob, chunks: list[bytes]) -> None:
    async def given() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    await blobs.shelf.remove(TENANT, [blob.place])
    await blobs.shelf.write(TENANT, blob.place, given())


@HERE
@pytest.mark.parametrize("harm", ["swapped", "cut", "repeated", "flipped"])
async def test_chunks_that_were_changed_are_found(
    blobs: Blobs, tmp_path: Path, harm: str
) -> None:
    blob = await keep(blobs, b"x" * (2 * CHUNK + 9), ONE, tmp_path)
    first, second, third = [c async for c in blobs.shelf.read(TENANT, blob.place)]
    chunks = {
        "swapped": [second, first, third],
        "cut": [first, second],
        "repeated": [first, first, third],
        "flipped": [first, second, bytes([third[0] ^ 1]) + third[1:]],
    }[harm]

    await rewritten(blobs, blob, chunks)

    with pytest.raises(SealBroken):
        await read(blobs, blob.name)


async def test_bytes_that_nobody_came_to_name_go_after_a_day(
    blobs: Blobs, tmp_path: Path, clock: Clock
) -> None:
    named = await keep(blobs, b"named", ONE, tmp_path)
    await put(blobs, b"killed before its entry was written", tmp_path)

    clock.now += 25 * HOUR
    await blobs.sweep(TENANT)

    assert [*await blobs.shelf.places(TENANT, LATER)] == [named.place]
    assert await read(blobs, named.name) == b"named"


async def test_a_file_shared_again_while_the_last_holder_goes_is_there(
    blobs: Blobs, tmp_path: Path
) -> None:
    await keep(blobs, b"contested", ONE, tmp_path)
    again = await put(blobs, b"contested", tmp_path)
    await commit(blobs.store, *blobs.released(TENANT, *ONE))
    await blobs.sweep(TENANT)

    await commit(blobs.store, *blobs.held(again, *TWO))
    await blobs.settle(again)

    assert await read(blobs, again.name) == b"contested"
