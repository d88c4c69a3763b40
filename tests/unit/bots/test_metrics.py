"""The links' figures are fresh enough, cheap to ask for, and never made up."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client import REGISTRY

from bots.metrics import BookFigures, LinkFigures, taken_in
from bridge.errors import StoreUnavailable
from bridge.holds import Cause, Hold
from bridge.links import Link
from bridge.ports import LinkStatus
from bridge.records.knowing import Chapter, Figure, Progress
from bridge.records.model import System
from tests.events import FALCON, PROJECT
from tests.fakes import FakeClock
from tests.unit.bots.office import row


@dataclass
class Room:
    """A database with one link in trouble, and two clocks."""

    clock: FakeClock = field(default_factory=FakeClock)
    passed: float = 0.0
    asked: int = 0
    down: bool = False

    @property
    def figures(self) -> LinkFigures:
        return LinkFigures(self.statuses, self.clock, lambda: self.passed)

    async def statuses(self) -> Sequence[LinkStatus]:
        self.asked += 1
        if self.down:
            raise StoreUnavailable("down")
        now = self.clock()
        holds = (Hold(PROJECT, Cause.ARCHIVED),)
        link = Link("acme", "L7", (FALCON, PROJECT), holds=holds)
        late = now - 90_000_000
        row = LinkStatus(link, 3, late, 9, 2, 1, now + 30_000_000, "no", 90_000_000)
        return [replace(row, echoes=21, echoing=True)]


@pytest.fixture
def room() -> Room:
    return Room()


def shown(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"atom_link_{name}", {"link": "L7"})


async def test_every_figure_of_a_link_is_shown(room: Room) -> None:
    await room.figures.refresh()

    assert shown("depth") == 3
    assert shown("oldest_seconds") == shown("lag_seconds") == 90
    assert (shown("dead_letters"), shown("parked")) == (2, 1)
    assert shown("throttled_seconds") == 30
    assert (shown("echoes"), shown("echoing")) == (21, 1)
    assert REGISTRY.get_sample_value("atom_store_up") == 1
    held = {"link": "L7", "cause": "archived"}
    assert REGISTRY.get_sample_value("atom_link_dormant", held) == 1


async def test_the_database_is_asked_once_in_five_seconds(room: Room) -> None:
    figures = room.figures
    for _ in range(10):
        await figures.refresh()
    assert room.asked == 1

    room.passed = 5.0
    await figures.refresh()

    assert room.asked == 2


async def test_a_database_that_is_away_leaves_no_old_figures(room: Room) -> None:
    figures = room.figures
    await figures.refresh()
    room.down, room.passed = True, 5.0

    await figures.refresh()

    assert shown("depth") is None
    assert REGISTRY.get_sample_value("atom_store_up") == 0


def test_what_a_commit_queues_is_counted_by_link() -> None:
    before = shown("intake_total") or 0

    taken_in("acme", 0, 2, [row(0, link="L7"), row(1, link="L7"), row(2)])

    assert shown("intake_total") == before + 2


def book(name: str, kind: str) -> float | None:
    labels = {"system": "salesforce", "instance": "crm", "kind": kind}
    return REGISTRY.get_sample_value(f"atom_record_book_{name}", labels)


async def test_the_book_of_contacts_is_counted_once_a_minute() -> None:
    clock, passed, asked = FakeClock(), [0.0], []
    chapter = Chapter("acme", System.SALESFORCE, "crm", "contact")
    read = Progress(chapter, 1, 1, read_us=clock() - 90_000_000)
    figures = [Figure(read, 345)]

    async def counted() -> Sequence[Figure]:
        asked.append(1)
        if not figures:
            raise StoreUnavailable("down")
        return figures

    made = BookFigures(counted, clock, lambda: passed[0])
    for _ in range(3):
        await made.refresh()
    assert (book("records", "contact"), len(asked)) == (345, 1)
    assert (book("age_seconds", "contact") or 0) >= 90

    figures.clear()
    passed[0] = 61.0
    await made.refresh()
    assert book("records", "contact") is None
    assert book("age_seconds", "contact") is None
