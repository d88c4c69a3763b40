"""What is read again is taken in if it is news, and nothing else is."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bridge.catchup import LOOK_BACK_US, MARGIN_US, CatchUp, is_news
from bridge.errors import ServiceUnavailable, StoreUnavailable
from bridge.links import Link, LinkState
from bridge.messages import Channel, Event, EventKind, Person, Platform
from bridge.ports import Receipt
from bridge.recent import Gap, Known, Words
from tests.events import ALICE, FALCON, PROJECT, message, words
from tests.fakes import FakeClock

LINKED = 1_600_000_000_000_000
NOBODY = Person(Platform.SLACK, "")


@dataclass
class FakeRecent:
    """Shows the same events whatever it is asked, and remembers the question."""

    events: Sequence[Event] = ()
    asked: list[Gap] = field(default_factory=list)
    broken: bool = False

    async def within(self, gap: Gap) -> AsyncIterator[Event]:
        self.asked.append(gap)
        for event in self.events:
            yield event
        if self.broken:
            raise ServiceUnavailable("down")


@dataclass
class FakeIntake:
    events: list[Event] = field(default_factory=list)
    down: bool = False
    foreign: bool = False

    async def receive(self, event: Event) -> Receipt:
        if self.down:
            raise StoreUnavailable("down")
        if self.foreign:
            return Receipt(-1)
        self.events.append(event)
        return Receipt(len(self.events))


@dataclass
class FakeRecord:
    messages: dict[str, Known] = field(default_factory=dict)
    authors: dict[str, Person] = field(default_factory=dict)
    words: dict[str, Words] = field(default_factory=dict)

    async def known(
        self, tenant: str, channel: Channel, since_us: int
    ) -> Mapping[str, Known]:
        return self.messages

    async def of(self, tenant: str, channel: Channel, message: str) -> Known | None:
        return self.messages.get(message)

    async def author(
        self, tenant: str, channel: Channel, message: str
    ) -> Person | None:
        return self.authors.get(message)

    async def says(self, tenant: str, channel: Channel, message: str) -> Words | None:
        return self.words.get(message)


@dataclass
class FakeWatermarks:
    marks: dict[Channel, int] = field(default_factory=dict)

    async def of(self, tenant: str, channel: Channel) -> int:
        return self.marks.get(channel, 0)

    async def raise_to(
        self, tenant: str, channels: Collection[Channel], us: int
    ) -> None:
        for channel in channels:
            self.marks[channel] = max(us, self.marks.get(channel, 0))


@dataclass
class FakeLinks:
    state: LinkState = LinkState.ACTIVE

    async def of(self, tenant: str, channel: Channel) -> Sequence[Link]:
        link = Link("acme", "L1", (FALCON, PROJECT), self.state, created_us=LINKED)
        return [link] if channel in link.channels else []


@dataclass
class Stage:
    recent: FakeRecent = field(default_factory=FakeRecent)
    intake: FakeIntake = field(default_factory=FakeIntake)
    record: FakeRecord = field(default_factory=FakeRecord)
    watermarks: FakeWatermarks = field(default_factory=FakeWatermarks)
    links: FakeLinks = field(default_factory=FakeLinks)
    clock: FakeClock = field(default_factory=FakeClock)
    ahead_us: int = 0

    async def catch_up(self, since_us: int = 0) -> int:
        use_case = CatchUp(
            {Platform.SLACK: self.recent},
            self.intake,
            self.record,
            self.watermarks,
            self.links,
            self.clock,
            ahead={Platform.SLACK: lambda: self.ahead_us},
        )
        return await use_case.channel("acme", FALCON, since_us)


async def test_what_the_log_lacks_is_taken_in_and_marked_as_caught_up() -> None:
    stage = Stage(FakeRecent([message()]))

    news = await stage.catch_up()

    assert news == 1
    assert [event.via for event in stage.intake.events] == ["catchup"]


async def test_reading_begins_before_the_watermark_by_more_than_clocks_differ() -> None:
    stage = Stage()
    stage.watermarks.marks[FALCON] = LINKED + 5_000_000

    await stage.catch_up()

    [gap] = stage.recent.asked
    assert gap.since_us == LINKED + 5_000_000 - MARGIN_US
    assert MARGIN_US > 2 * 600_000_000
    assert gap.back_us == gap.since_us - LOOK_BACK_US


@pytest.mark.parametrize("apart_us", [-600_000_000, 600_000_000])
async def test_what_was_said_before_the_link_is_told_by_the_platforms_clock(
    apart_us: int,
) -> None:
    before = message("1.0", sent_us=LINKED + apart_us - 1)
    since = message("2.0", sent_us=LINKED + apart_us)
    stage = Stage(FakeRecent([before, since]), ahead_us=apart_us)

    await stage.catch_up()

    assert [event.message for event in stage.intake.events] == ["2.0"]


async def test_an_earlier_time_that_somebody_names_counts_more() -> None:
    stage = Stage()
    stage.watermarks.marks[FALCON] = LINKED + 5_000_000

    await stage.catch_up(since_us=LINKED + 1_000_000)

    assert stage.recent.asked[0].since_us == LINKED + 1_000_000 - MARGIN_US


async def test_the_watermark_rises_to_when_the_reading_began() -> None:
    stage = Stage(FakeRecent([message()]))
    began = stage.clock.now_us

    await stage.catch_up()

    assert stage.watermarks.marks[FALCON] == began


@pytest.mark.parametrize("what", ["platform", "store", "company"])
async def test_what_breaks_leaves_the_watermark_where_it_was(what: str) -> None:
    stage = Stage(FakeRecent([message()], broken=what == "platform"))
    stage.intake.down = what == "store"
    stage.intake.foreign = what == "company"

    with pytest.raises((ServiceUnavailable, StoreUnavailable)):
        await stage.catch_up()

    assert stage.watermarks.marks == {}


async def test_a_channel_without_a_link_is_not_read() -> None:
    stage = Stage(FakeRecent([message()]), links=FakeLinks(LinkState.REMOVED))

    assert await stage.catch_up() == 0
    assert stage.recent.asked == []


async def test_a_deletion_without_an_author_is_the_authors_own() -> None:
    gone = message(kind=EventKind.MESSAGE_DELETE, author=NOBODY)
    stage = Stage(FakeRecent([gone]))
    stage.record.messages[gone.message] = Known()
    stage.record.authors[gone.message] = ALICE

    await stage.catch_up()

    assert [event.author for event in stage.intake.events] == [ALICE]


async def test_what_was_said_and_deleted_meanwhile_is_taken_in_as_both() -> None:
    said, gone = message(), message(kind=EventKind.MESSAGE_DELETE)
    stage = Stage(FakeRecent([said, gone]))

    await stage.catch_up()

    kinds = [event.kind for event in stage.intake.events]
    assert kinds == [EventKind.MESSAGE_CREATE, EventKind.MESSAGE_DELETE]


CREATE, EDIT = EventKind.MESSAGE_CREATE, EventKind.MESSAGE_EDIT
DELETE, RESTORE = EventKind.MESSAGE_DELETE, EventKind.MESSAGE_RESTORE
GONE = Known(deleted=True)


@pytest.mark.parametrize(
    ("event", "known", "news"),
    [
        (message(), None, True),
        (message(), Known(), False),
        (message(), Known(version_us=5, said=False), True),
        (message(sent_us=LINKED - 1), None, False),
        (message(kind=EventKind.COMMAND), None, True),
        (message(kind=EventKind.COMMAND), Known(), False),
        (message(kind=EDIT, version_us=5), Known(), True),
        (message(kind=EDIT, version_us=5), Known(version_us=5), False),
        (message(kind=EDIT, version_us=5), Known(version_us=4), True),
        (message(kind=EDIT, version_us=5), GONE, False),
        (message(kind=EDIT, sent_us=LINKED - 1, version_us=5), None, False),
        (message(kind=DELETE), Known(), True),
        (message(kind=DELETE), GONE, False),
        (message(kind=DELETE), None, False),
        (message(kind=RESTORE, version_us=5), GONE, True),
        (message(kind=RESTORE, version_us=5), Known(deleted=True, gone_us=6), False),
        (message(kind=RESTORE), Known(), False),
        (message(kind=EventKind.REACTION_ADD), Known(), False),
    ],
)
def test_news_is_what_the_log_does_not_have(
    event: Event, known: Known | None, *, news: bool
) -> None:
    log = {} if known is None else {event.message: known}

    assert is_news(event, log, LINKED) is news


SECOND = 1_700_000_005_000_000
EDITED = {"kind": EventKind.MESSAGE_EDIT, "version_us": SECOND}


def edited(text: str, **more: Any) -> Event:
    return message("1.0", text, **(EDITED | {"sent_us": SECOND} | more))


def with_an_edit_heard_at(stage: Stage, version_us: int, text: str = "heard") -> Stage:
    stage.record.messages["1.0"] = Known(version_us=version_us)
    stage.record.words["1.0"] = (words(text), ())
    return stage


@pytest.mark.parametrize("heard_us", [SECOND, SECOND + 300_000])
async def test_a_second_edit_of_a_second_is_told_by_its_words(heard_us: int) -> None:
    stage = Stage(FakeRecent([edited("read")]))
    stage.clock.now_us = SECOND + 60_000_000

    await with_an_edit_heard_at(stage, heard_us).catch_up()

    [event] = stage.intake.events
    assert event.document == words("read")
    assert heard_us < event.version_us < SECOND + 1_000_000


async def test_what_is_heard_while_it_is_read_counts_more_than_what_was_read() -> None:
    stage = Stage(FakeRecent([edited("read")]))
    stage.clock.now_us = SECOND + 500_000

    await with_an_edit_heard_at(stage, SECOND + 300_000).catch_up()

    [event] = stage.intake.events
    assert event.version_us == SECOND + 500_000  # and the next one is heard after it


@pytest.mark.parametrize(
    "event",
    [
        edited("heard"),
        edited("read", version_us=SECOND - 1_000_000),
        edited("read", platform=Platform.TEAMS),
    ],
    ids=["the same words", "an older second", "milliseconds"],
)
async def test_what_is_no_second_edit_of_a_second_is_no_news(event: Event) -> None:
    stage = Stage(FakeRecent([event]))
    stage.clock.now_us = SECOND + 60_000_000

    assert await with_an_edit_heard_at(stage, SECOND + 300_000).catch_up() == 0


async def test_two_readings_of_one_second_are_two_events() -> None:
    stage = Stage(FakeRecent([edited("read", event_id="catchup:1")]))
    stage.clock.now_us = SECOND + 60_000_000

    await with_an_edit_heard_at(stage, SECOND).catch_up()

    assert stage.intake.events[0].event_id != "catchup:1"


async def test_files_tell_edits_of_a_second_apart_as_well() -> None:
    stage = with_an_edit_heard_at(Stage(FakeRecent([edited("heard")])), SECOND, "heard")
    stage.record.words["1.0"] = (words("heard"), ("F1",))
    stage.clock.now_us = SECOND + 60_000_000

    assert await stage.catch_up() == 1
