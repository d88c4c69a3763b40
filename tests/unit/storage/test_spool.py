"""What is kept on the disk is there, in order, whenever the process died."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import StoreUnavailable
from bridge.spooled import Kept
from storage.spool import Spool, SpoolFolder

KEPT = st.builds(
    Kept,
    st.sampled_from(["slack", "teams"]),
    st.integers(min_value=0, max_value=2**53),
    st.binary(max_size=200),
)


def _told(spool: Spool) -> list[Kept]:
    return [kept for kept, _ in spool.records()]


@pytest.fixture
def folder(tmp_path: Path) -> SpoolFolder:
    return SpoolFolder(tmp_path, 10_000)


@given(st.lists(KEPT, max_size=8), st.integers(min_value=0))
def test_wherever_a_file_is_cut_what_is_whole_is_read_in_order(
    tmp_path_factory: pytest.TempPathFactory, records: list[Kept], cut: int
) -> None:
    home = tmp_path_factory.mktemp("spool")
    folder = SpoolFolder(home, 1 << 20)
    spool = folder.own()
    ends = [0]

    async def fill() -> None:
        for kept in records:
            await spool.keep(kept)
            ends.append(spool.size)

    asyncio.run(fill())
    assert _told(spool) == records

    length = cut % (spool.size + 1)
    os.truncate(spool.path, length)

    whole = sum(end <= length for end in ends[1:])
    assert _told(spool) == records[:whole]
    spool.close()


async def test_many_at_once_are_all_kept(folder: SpoolFolder) -> None:
    spool = folder.own()
    records = [Kept("slack", n, b"said") for n in range(50)]

    await asyncio.gather(*(spool.keep(kept) for kept in records))

    assert _told(spool) == records


async def test_a_full_file_takes_nothing_more_and_keeps_what_it_has(
    tmp_path: Path,
) -> None:
    spool = SpoolFolder(tmp_path, 300).own()
    await spool.keep(Kept("slack", 1, b"x" * 100))

    with pytest.raises(StoreUnavailable, match="full"):
        await spool.keep(Kept("slack", 2, b"x" * 200))

    assert _told(spool) == [Kept("slack", 1, b"x" * 100)]


async def test_what_was_appended_meanwhile_is_not_cleared(folder: SpoolFolder) -> None:
    spool = folder.own()
    await spool.keep(Kept("slack", 1, b"one"))
    [(_, behind)] = spool.records()
    await spool.keep(Kept("slack", 2, b"two"))

    assert not await spool.clear(behind)
    assert [kept.raw for kept, _ in spool.records(behind)] == [b"two"]
    assert await spool.clear(spool.size)
    assert _told(spool) == []


async def test_only_a_dead_process_leaves_its_file_to_others(
    folder: SpoolFolder,
) -> None:
    spool = folder.own()
    await spool.keep(Kept("teams", 1, b"one"))
    assert list(folder.left()) == []

    spool.close()

    [left] = folder.left()
    assert _told(left) == [Kept("teams", 1, b"one")]


async def test_nothing_of_what_was_said_is_to_be_read_in_the_file(
    folder: SpoolFolder,
) -> None:
    spool = folder.own()
    await spool.keep(Kept("slack", 1, b"the quarter is bad"))

    assert b"quarter" not in spool.path.read_bytes()
    assert spool.path.stat().st_mode & 0o077 == 0


async def test_an_empty_file_does_not_stay(folder: SpoolFolder) -> None:
    spool = folder.own()
    spool.close()

    assert not spool.path.exists()
