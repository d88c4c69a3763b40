"""What comes while the database is away is taken in later, and nothing overtakes."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from prometheus_client import REGISTRY

from bots.spooling import Spooling, TakeIn
from bridge.errors import BadInput, StoreUnavailable
from bridge.messages import EventKind
from bridge.spooled import Kept
from storage.spool import SpoolFolder

SAID = EventKind.MESSAGE_CREATE


class Reader:
    """Takes in what was kept, once it can."""

    def __init__(self) -> None:
        self.away, self.told = True, list[bytes]()

    async def take_in(self, kept: Kept) -> None:
        if self.away:
            raise StoreUnavailable("away")
        if kept.raw == b"broken":
            raise BadInput("no message")
        self.told.append(kept.raw)


def _spooling(home: Path, reader: Reader, most: int = 10_000) -> Spooling:
    readers: dict[str, TakeIn] = {"slack": reader.take_in}
    return Spooling(SpoolFolder(home, most), readers, again=0.01)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def test_what_was_kept_is_taken_in_in_order_once_it_can_be(
    tmp_path: Path,
) -> None:
    reader = Reader()
    spooling = _spooling(tmp_path, reader)
    job = asyncio.create_task(spooling.run())
    for n in range(5):
        assert await spooling.keep(Kept("slack", n, b"%d" % n), SAID)
    await asyncio.sleep(0.05)
    assert (reader.told, spooling.waits) == ([], True)

    reader.away = False
    await spooling.keep(Kept("slack", 5, b"5"), SAID)
    await _until(lambda: not spooling.waits)

    assert reader.told == [b"%d" % n for n in range(6)]
    job.cancel()


async def test_one_that_is_refused_holds_nobody_up(tmp_path: Path) -> None:
    reader = Reader()
    reader.away = False
    spooling = _spooling(tmp_path, reader)
    await spooling.keep(Kept("slack", 1, b"broken"), SAID)
    await spooling.keep(Kept("slack", 2, b"whole"), SAID)
    job = asyncio.create_task(spooling.run())

    await _until(lambda: not spooling.waits)

    assert reader.told == [b"whole"]
    job.cancel()


async def test_commands_and_clicks_are_not_kept(tmp_path: Path) -> None:
    spooling = _spooling(tmp_path, Reader())

    assert not await spooling.keep(Kept("slack", 1, b"do"), EventKind.COMMAND)
    assert not await spooling.keep(Kept("slack", 1, b"do"), EventKind.ACTION)
    assert not spooling.waits


async def test_without_room_nothing_is_kept(tmp_path: Path) -> None:
    assert not await _spooling(tmp_path, Reader(), 0).keep(Kept("slack", 1, b""), SAID)
    assert not await _spooling(tmp_path, Reader(), 9).keep(Kept("slack", 1, b""), SAID)


async def test_what_a_dead_process_left_comes_first_even_with_no_room(
    tmp_path: Path,
) -> None:
    reader = Reader()
    dead = _spooling(tmp_path, reader)
    job = asyncio.create_task(dead.run())
    await dead.keep(Kept("slack", 1, b"before"), SAID)
    job.cancel()
    await asyncio.wait([job])

    heir = _spooling(tmp_path, reader, 0)
    job = asyncio.create_task(heir.run())
    await _until(lambda: heir.waits)
    reader.away = False
    await _until(lambda: not heir.waits)

    assert reader.told == [b"before"]
    assert not list((tmp_path / "spool").iterdir())
    job.cancel()


async def test_a_damaged_file_is_put_aside_after_what_is_whole(tmp_path: Path) -> None:
    reader = Reader()
    reader.away = False
    folder = SpoolFolder(tmp_path, 10_000)
    spool = folder.own()
    await spool.keep(Kept("slack", 1, b"whole"))
    await spool.keep(Kept("slack", 2, b"damaged"))
    data = bytearray(spool.path.read_bytes())
    data[-1] ^= 1
    spool.path.write_bytes(bytes(data))
    spool.close()

    heir = _spooling(tmp_path, reader)
    job = asyncio.create_task(heir.run())
    await _until(lambda: bool(folder.damaged()))

    assert reader.told == [b"whole"]
    await _until(lambda: REGISTRY.get_sample_value("atom_spool_damaged_files") == 1)
    assert folder.waiting() == 0
    job.cancel()
