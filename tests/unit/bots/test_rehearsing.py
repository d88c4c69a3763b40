"""Looking ahead at a link asks what will be asked once it stands, and no more."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bots.rehearsing import Rehearsal
from bridge.access import Action, Asked, Decision
from bridge.errors import CannotTell, ServiceUnavailable
from bridge.holds import Cause, Condition
from bridge.messages import Channel, Event, EventKind, Platform
from bridge.outlook import Outlook
from bridge.recent import Gap
from tests.events import FALCON, PROJECT, message
from tests.fakes import FakeAnnouncer, FakeClock

BOTH = (FALCON, PROJECT)
DAY_US = 86_400_000_000


@dataclass
class Outside:
    """Both platforms: what each channel is like. `down` fails what it names."""

    clock: FakeClock = field(default_factory=FakeClock)
    conditions: dict[Channel, Condition] = field(default_factory=dict)
    people: dict[Channel, frozenset[str]] = field(default_factory=dict)
    guests: dict[Channel, frozenset[str]] = field(default_factory=dict)
    said: dict[Channel, list[Event]] = field(default_factory=dict)
    unwelcome: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()

    def _up(self, what: str) -> None:
        if what in self.down:
            raise ServiceUnavailable(f"{what} does not answer")

    async def condition(self, channel: Channel) -> Condition:
        self._up("prober")
        return self.conditions.get(channel, Condition())

    async def of(self, channel: Channel) -> frozenset[str]:
        self._up("members")
        return self.people.get(channel, frozenset())

    async def outsiders(self, channel: Channel) -> frozenset[str]:
        self._up("readers")
        return self.guests.get(channel, frozenset())

    async def within(self, gap: Gap) -> AsyncIterator[Event]:
        if "recent" in self.down:
            raise CannotTell("ATOM may not read it")
        for event in self.said.get(gap.channel, []):
            yield event

    async def decide(self, asked: Asked) -> Decision:
        assert asked.action is Action.READ
        self._up("policy")
        allowed = asked.person.id not in self.unwelcome
        return Decision(allowed, "r", policy="", directory="")

    @property
    def rehearsal(self) -> Rehearsal:
        every: Any = dict.fromkeys(Platform, self)
        names: Any = {p: FakeAnnouncer() for p in Platform}
        return Rehearsal(every, names, every, every, every, self, self.clock)

    def says(self, id_: str, days_ago: float, **more: Any) -> None:
        at = self.clock() - int(days_ago * DAY_US)
        told = self.said.setdefault(FALCON, [])
        told.append(message(id_, "words", sent_us=at, **more))


async def look(outside: Outside, days: int = 7) -> Outlook:
    found, _ = await outside.rehearsal.outlooks("acme", BOTH, days)
    return found


async def test_people_are_counted_and_the_policy_asked_about_each() -> None:
    outside = Outside(
        people={FALCON: frozenset({"U1", "U2", "U3"})},
        guests={FALCON: frozenset({"U3"})},
        unwelcome=frozenset({"U2"}),
    )

    seen = await look(outside)

    assert (seen.people, seen.outsiders, seen.kept_out) == (3, 1, 1)
    assert seen.hindered == ()


async def test_history_is_what_stands_of_the_days_asked_about() -> None:
    outside = Outside()
    outside.says("1", 0.5)
    outside.says("2", 6)
    outside.says("3", 8)
    outside.says("2", 1, kind=EventKind.MESSAGE_DELETE)

    seen = await look(outside)

    assert (seen.messages, seen.more) == (1, False)


async def test_counting_ends_where_nobody_needs_the_number() -> None:
    outside = Outside()
    for n in range(2_500):
        outside.says(str(n), 1)

    seen = await look(outside)

    assert (seen.messages, seen.more) == (2_000, True)


async def test_what_keeps_a_channel_from_carrying_is_said_in_words() -> None:
    causes = frozenset({Cause.ABSENT, Cause.GUESTS})
    outside = Outside(conditions={FALCON: Condition(causes, ("deaf",))})

    seen = await look(outside)

    assert seen.hindered == ("ATOM is not in C02FALCON (Slack)",)
    assert seen.limits == ("deaf",)


@pytest.mark.parametrize(
    ("down", "expected"),
    [
        ("prober", {"hindered": ("not known: prober does not answer",)}),
        ("members", {"people": None, "outsiders": None, "kept_out": None}),
        ("readers", {"outsiders": None}),
        ("recent", {"unread": "ATOM may not read it"}),
    ],
)
async def test_what_cannot_be_known_is_said_so_and_the_rest_is_told(
    down: str, expected: dict[str, Any]
) -> None:
    outside = Outside(down=frozenset({down}))

    whole = Outlook(FALCON, (), (), 0, 0, 0)
    assert await look(outside) == replace(whole, **expected)


async def test_what_ends_it_is_raised_as_what_it_is() -> None:
    people = dict.fromkeys(BOTH, frozenset({"U1"}))
    outside = Outside(people=people, down=frozenset({"policy"}))

    with pytest.raises(ServiceUnavailable, match="policy does not answer"):
        await look(outside)
