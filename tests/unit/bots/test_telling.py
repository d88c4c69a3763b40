"""Notices reach people once they are on record, and are not pressed on them."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from bots.telling import Teller, sentence
from bridge.errors import (
    Ambiguous,
    DeliveryFailed,
    NotSent,
    StoreUnavailable,
    Throttled,
)
from bridge.messages import Channel, Person, Platform
from bridge.notices import Cause, Notice
from tests.events import ALICE, FALCON, PROJECT

NOTICE = Notice("acme", ALICE, FALCON, "1.2", "1.0", Cause.REFUSED)
CAROL = Person(Platform.TEAMS, "29:carol", "Carol Díaz")


@dataclass
class FakeHerald:
    failures: list[DeliveryFailed] = field(default_factory=list)
    calls: int = 0
    heard: list[tuple[Notice, str]] = field(default_factory=list)

    async def whisper(self, notice: Notice, text: str) -> None:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        self.heard.append((notice, text))


@dataclass
class FakeLog:
    """Notes everything once, or nothing when it is down."""

    down: bool = False
    noted: list[str] = field(default_factory=list)

    async def note(self, notice: Notice, text: str, cooldown_us: int) -> bool:
        if self.down:
            raise StoreUnavailable("down")
        told = f"{notice.person.id} {notice.cause}"
        new = told not in self.noted
        self.noted.append(told)
        return new


@dataclass
class Scene:
    herald: FakeHerald = field(default_factory=FakeHerald)
    log: FakeLog = field(default_factory=FakeLog)
    pauses: list[float] = field(default_factory=list)

    async def after(self, *notices: Notice) -> None:
        """Let everything be told that is going to be."""

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        teller = Teller({Platform.SLACK: self.herald}, self.log, 600, sleep)
        for notice in notices:
            teller.tell(notice)
        task = asyncio.create_task(teller.run())
        for _ in range(50):
            await asyncio.sleep(0)
        task.cancel()


async def test_what_is_told_is_on_record_first() -> None:
    scene = Scene()

    await scene.after(NOTICE)

    assert scene.log.noted == ["U01ALICE refused"]
    [(notice, text)] = scene.herald.heard
    assert notice == NOTICE
    assert "did not cross to Teams" in text


async def test_without_a_log_nothing_is_told() -> None:
    scene = Scene(log=FakeLog(down=True))

    await scene.after(NOTICE)

    assert scene.herald.calls == 0


async def test_the_same_twice_is_told_once_and_another_cause_again() -> None:
    scene = Scene()

    await scene.after(NOTICE, NOTICE, replace(NOTICE, cause=Cause.NOT_ALLOWED))

    assert scene.herald.calls == 2


async def test_who_was_told_a_while_ago_is_left_in_peace() -> None:
    scene = Scene(log=FakeLog(noted=["U01ALICE refused"]))

    await scene.after(NOTICE)

    assert scene.herald.calls == 0


async def test_a_notice_that_was_not_sent_is_tried_again() -> None:
    scene = Scene(FakeHerald([Throttled("wait", 2.0), NotSent("not reached")]))

    await scene.after(NOTICE)

    assert len(scene.herald.heard) == 1
    assert scene.pauses == [2.0, 1.0]


async def test_a_notice_whose_answer_was_lost_is_not_repeated() -> None:
    scene = Scene(FakeHerald([Ambiguous("lost")]))

    await scene.after(NOTICE)

    assert scene.herald.calls == 1


async def test_a_platform_that_is_switched_off_is_told_nothing() -> None:
    scene = Scene()

    await scene.after(replace(NOTICE, channel=PROJECT, person=CAROL))

    assert scene.log.noted == []


@pytest.mark.parametrize("channel", [FALCON, PROJECT])
@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_its_sentence(cause: Cause, channel: Channel) -> None:
    told = sentence(replace(NOTICE, cause=cause, channel=channel))

    assert told.endswith(".")
    assert "{" not in told
