"""A message waits for names only a short time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from bots.naming import Prompt
from bridge.delivery import Delivery, Operation
from bridge.document import ChannelMention, ChannelName, Document, Names, Paragraph
from bridge.errors import ServiceUnavailable
from bridge.messages import Person
from tests.events import ALICE, FALCON, PROJECT

DELIVERY = Delivery("acme", 1, 0, "L1", Operation.POST, FALCON, PROJECT, "1", "", 0, 0)
DOCUMENT = Document((Paragraph((ChannelMention("C9", "layoffs"),)),))
FOUND = Names(channels={"C9": ChannelName("random")})
HIDDEN = Names(channels={"C9": ChannelName("private-channel")})


@dataclass
class FakeNaming:
    held: bool = False
    broken: bool = False
    asked: int = 0
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def names(
        self,
        delivery: Delivery,
        document: Document,
        people: Mapping[str, Person],
        author: Person,
    ) -> Names:
        self.asked += 1
        if self.broken:
            raise ServiceUnavailable("down")
        if self.held:
            await self.free.wait()
        return FOUND


@dataclass
class Clock:
    time: float = 0.0

    def now(self) -> float:
        return self.time


async def test_what_is_found_in_time_is_used() -> None:
    assert await Prompt(FakeNaming()).names(DELIVERY, DOCUMENT, {}, ALICE) == FOUND


async def test_what_is_not_found_in_time_is_text_and_hides_channels() -> None:
    prompt = Prompt(FakeNaming(held=True), patience=0.01)

    assert await prompt.names(DELIVERY, DOCUMENT, {}, ALICE) == HIDDEN


async def test_what_cannot_be_found_is_text() -> None:
    prompt = Prompt(FakeNaming(broken=True))

    assert await prompt.names(DELIVERY, DOCUMENT, {}, ALICE) == HIDDEN


async def test_where_names_were_slow_nobody_waits_for_a_while() -> None:
    clock, naming = Clock(), FakeNaming(held=True)
    prompt = Prompt(naming, patience=0.01, now=clock.now)
    await prompt.names(DELIVERY, DOCUMENT, {}, ALICE)
    prompt.patience = 3600.0

    assert await prompt.names(DELIVERY, DOCUMENT, {}, ALICE) == HIDDEN

    naming.held = False
    assert await prompt.names(DELIVERY, DOCUMENT, {}, ALICE) == FOUND
    assert naming.asked == 3
