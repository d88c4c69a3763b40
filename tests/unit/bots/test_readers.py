"""A channel's prober tells of guests, where somebody wants to know."""

from dataclasses import dataclass, field

import pytest

from bots.readers import ReadersProber
from bots.slack.readers import SlackReaders
from bridge.errors import ServiceUnavailable
from bridge.holds import Cause, Condition
from bridge.messages import Channel, Person, PersonKind, Platform
from tests.events import FALCON


@dataclass
class Probe:
    answer: Condition = field(default_factory=Condition)

    async def condition(self, channel: Channel) -> Condition:
        return self.answer


@dataclass
class Seats:
    """Who sits in a channel, and who of them is known."""

    kinds: dict[str, PersonKind | None]

    async def of(self, channel: Channel) -> frozenset[str]:
        return frozenset(self.kinds)

    async def lookup(self, channel: Channel, ids: list[str]) -> dict[str, Person]:
        return {
            i: Person(Platform.SLACK, i, kind=kind)
            for i in ids
            if (kind := self.kinds[i])
        }


def readers(**kinds: PersonKind | None) -> SlackReaders:
    seats = Seats(kinds)
    return SlackReaders(seats, seats)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [PersonKind.GUEST, PersonKind.EXTERNAL])
async def test_guests_and_strangers_are_told(kind: PersonKind) -> None:
    found = readers(U1=PersonKind.USER, U2=kind, U3=PersonKind.BOT)
    prober = ReadersProber(Probe(), found, lambda: True)

    assert (await prober.condition(FALCON)).causes == {Cause.GUESTS}


async def test_among_the_companys_own_there_is_nobody_to_tell_of() -> None:
    found = readers(U1=PersonKind.USER, U3=PersonKind.BOT)

    assert not (
        await ReadersProber(Probe(), found, lambda: True).condition(FALCON)
    ).causes


async def test_somebody_of_whom_nothing_is_known_is_no_answer() -> None:
    with pytest.raises(ServiceUnavailable, match="1 of 2"):
        await readers(U1=PersonKind.USER, U2=None).outsiders(FALCON)


async def test_nobody_is_asked_where_nobody_wants_to_know_or_nothing_crosses() -> None:
    found = readers(U2=PersonKind.GUEST)
    archived = Condition(frozenset({Cause.ARCHIVED}))

    assert not (
        await ReadersProber(Probe(), found, lambda: False).condition(FALCON)
    ).causes
    prober = ReadersProber(Probe(archived), found, lambda: True)
    assert await prober.condition(FALCON) == archived
