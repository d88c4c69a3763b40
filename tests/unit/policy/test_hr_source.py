"""An HR feed is followed through the days that it names."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.directory.model import Gone, Reading, Standing
from bridge.errors import AtomError, BadInput
from policy.directory.hr.csv_feed import CsvFeed
from policy.directory.hr.csv_file import Layout, checksum
from policy.directory.hr.source import HrSource, Mark, Told
from policy.directory.hr.workers import Job, Worker

_NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
_UTC = ZoneInfo("UTC")


@dataclass
class FakeFeed:
    """Tells what it is set to tell; an error if it is one."""

    told: list[Told | AtomError | None] = field(default_factory=list)

    async def everything(self, mark: Mark) -> Told:
        told = self._next()
        assert told is not None
        return told

    async def changed(self, mark: Mark) -> Told | None:
        return self._next()

    def _next(self) -> Told | None:
        told = self.told.pop(0) if self.told else None
        if isinstance(told, AtomError):
            raise told
        return told


@dataclass
class Clock:
    """Stands still until it is moved, and then runs."""

    now: datetime = _NOW

    def __call__(self) -> datetime:
        return self.now


def worker(identity: str, **more: object) -> Worker:
    return Worker(identity, f"W{identity}", _UTC, **more)  # type: ignore[arg-type]


def standings(reading: Reading) -> dict[str, Standing]:
    return {one.id: one.standing for one in reading.entries}


async def read(source: HrSource, cursor: bytes = b"") -> Reading:
    [reading] = [one async for one in source.read(cursor)]
    return reading


async def test_everybody_is_told_with_how_they_stand_today() -> None:
    told = Told(
        (
            worker("1", hired=date(2020, 1, 1)),
            worker("2", hired=date(2026, 12, 1)),
            worker("3", hired=date(2027, 6, 1)),
            worker("4", hired=date(2020, 1, 1), last_day=date(2026, 11, 27)),
            worker("5", hired=date(2020, 1, 1), last_day=date(2026, 11, 28)),
        ),
        {},
    )

    reading = await read(HrSource("hr", FakeFeed([told]), Clock()))

    assert reading.whole
    assert reading.complete
    assert standings(reading) == {
        "1": Standing.ACTIVE,
        "2": Standing.PENDING,
        "4": Standing.LEFT,
        "5": Standing.ACTIVE,
    }


async def test_a_last_day_comes_without_word_from_hr() -> None:
    """The follower wakes at the moment itself, long before the next look at HR."""
    midnight = datetime(2026, 11, 29, tzinfo=UTC)
    leaver = worker("5", hired=date(2020, 1, 1), last_day=date(2026, 11, 28))
    started = asyncio.get_running_loop().time()

    def clock() -> datetime:
        passed = asyncio.get_running_loop().time() - started
        return midnight - timedelta(seconds=0.2) + timedelta(seconds=passed)

    source = HrSource("hr", FakeFeed([Told((leaver,), {"n": 1})]), clock)
    first = await read(source)

    following = source.follow(first.cursor)
    async with asyncio.timeout(15):
        reading = await anext(following)

    assert standings(first) == {"5": Standing.ACTIVE}
    assert standings(reading) == {"5": Standing.LEFT}
    assert not reading.whole
    assert reading.complete


async def test_a_follower_that_read_nothing_itself_reads_first() -> None:
    feed = FakeFeed([Told((worker("1"),), {"n": 1})])
    source = HrSource("hr", feed, Clock())

    async with asyncio.timeout(15):
        reading = await anext(source.follow(b'{"mark": {"n": 1}}'))

    assert reading.whole
    assert standings(reading) == {"1": Standing.ACTIVE}


async def test_a_push_has_hr_be_looked_at_and_only_changes_are_told() -> None:
    first = Told((worker("1"), worker("2")), {"n": 1})
    moved = worker("2", jobs=(Job(department="Sales"),))
    later = Told((moved,), {"n": 2}, whole=False, gone=("1",))
    source = HrSource("hr", FakeFeed([first, later]), Clock())
    known = await read(source)
    following = source.follow(known.cursor)

    source.wake()
    async with asyncio.timeout(15):
        reading = await anext(following)

    [entry] = reading.entries
    assert (entry.id, entry.attributes["department"]) == ("2", "Sales")
    assert reading.gone == (Gone("1"),)
    assert reading.cursor == b'{"mark": {"n": 2}}'


async def test_a_feed_that_fails_removes_nobody_and_is_tried_again() -> None:
    first = Told((worker("1"),), {"n": 1})
    feed = FakeFeed([first, BadInput("it is away"), BadInput("it is away"), None])
    source = HrSource("hr", feed, Clock(), poll=0.0)
    known = await read(source)
    following = source.follow(known.cursor)

    async with asyncio.timeout(15):
        broken = [await anext(following) for _ in range(2)]
        well = await anext(following)

    assert [(one.complete, one.why) for one in broken] == [
        (False, "hr: it is away")
    ] * 2
    assert broken[0].cursor == known.cursor
    assert well.complete


async def test_a_problem_keeps_whom_it_does_not_name() -> None:
    first = Told((worker("1"), worker("2")), {"n": 1})
    second = Told((worker("1"),), {"n": 2}, problems=("line 3: what is this",))
    source = HrSource("hr", FakeFeed([first, second]), Clock())
    known = await read(source)

    reading = await read(source, known.cursor)

    assert not reading.complete
    assert reading.why == "line 3: what is this"
    assert reading.cursor == known.cursor
    assert set(standings(reading)) == {"1", "2"}


async def test_circles_of_managers_are_cut_and_told() -> None:
    told = Told(
        (
            worker("1", jobs=(Job(manager="2"),)),
            worker("2", jobs=(Job(manager="3"),)),
            worker("3", jobs=(Job(manager="2"),)),
            worker("4", jobs=(Job(manager="4"),)),
        ),
        {},
    )

    reading = await read(HrSource("hr", FakeFeed([told]), Clock()))

    assert reading.complete
    managers = {one.id: one.attributes.get("manager") for one in reading.entries}
    assert managers == {"1": "2", "2": None, "3": None, "4": None}
    assert "workers 2, 3 are each other's managers" in reading.why


async def test_one_person_with_two_workers_ids_is_told_not_joined() -> None:
    told = Told((worker("c1", person="p9"), worker("e1", person="p9")), {})

    reading = await read(HrSource("hr", FakeFeed([told]), Clock()))

    assert "workers c1, e1 are one person (p9)" in reading.why
    assert set(standings(reading)) == {"c1", "e1"}


@pytest.mark.parametrize(("asked", "got"), [(1, 7), (9, 9), (90, 14)])
def test_new_workers_are_known_one_to_two_weeks_ahead(asked: int, got: int) -> None:
    source = HrSource("hr", FakeFeed(), Clock(), ahead=timedelta(days=asked))

    assert source.ahead == timedelta(days=got)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "workers.csv"
    path.write_text(_lines(100))
    return path


@pytest.fixture
def csv_source(file: Path) -> HrSource:
    return HrSource("hr", CsvFeed(file, Layout()), Clock())


async def test_a_file_that_lost_a_tenth_is_believed(
    file: Path, csv_source: HrSource
) -> None:
    first = await read(csv_source)
    put(file, _lines(90))

    reading = await read(csv_source, first.cursor)

    assert reading.complete
    assert len(reading.entries) == 90


@pytest.mark.parametrize("rows", [89, 111])
async def test_a_file_of_another_size_removes_nobody(
    file: Path, csv_source: HrSource, rows: int
) -> None:
    first = await read(csv_source)
    put(file, _lines(rows))

    reading = await read(csv_source, first.cursor)

    assert not reading.complete
    assert f"there are {rows} workers' lines where there were 100" in reading.why
    assert reading.cursor == first.cursor


async def test_a_trailer_vouches_for_another_size(file: Path) -> None:
    source = HrSource("hr", CsvFeed(file, Layout(trailer="END")), Clock())
    put(file, _lines(100) + "END,100\n")
    first = await read(source)
    put(file, _lines(50) + "END,50\n")

    assert (await read(source, first.cursor)).complete


async def test_a_checksum_beside_the_file_must_agree(file: Path) -> None:
    source = HrSource("hr", CsvFeed(file, Layout(), checked=True), Clock())
    missing = await read(source)
    beside = file.with_name("workers.csv.sha256")
    put(beside, f"{checksum(_lines(100).encode())}  workers.csv\n")
    good = await read(source)
    put(file, _lines(99))
    cut = await read(source, good.cursor)

    assert "there is no checksum workers.csv.sha256" in missing.why
    assert good.complete
    assert not cut.complete
    assert "is not what workers.csv.sha256 says" in cut.why


async def test_a_file_that_is_away_says_so(file: Path, csv_source: HrSource) -> None:
    first = await read(csv_source)
    remove(file)

    reading = await read(csv_source, first.cursor)

    assert not reading.complete
    assert reading.why.endswith("workers.csv: no such file or directory")


async def test_a_file_that_did_not_change_is_not_read_again(file: Path) -> None:
    feed = CsvFeed(file, Layout())
    told = await feed.everything({})

    assert await feed.changed(told.mark) is None
    put(file, _lines(101))
    again = await feed.changed(told.mark)

    assert again is not None
    assert len(again.workers) == 101


def _lines(count: int) -> str:
    rows = "".join(f"{n},Worker {n}\n" for n in range(count))
    return f"worker_id,name\n{rows}"


def put(path: Path, text: str) -> None:
    path.write_text(text)


def remove(path: Path) -> None:
    path.unlink()
