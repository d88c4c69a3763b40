"""
Let a planned card stand in its channel, once.

The intent is noted before the platform is called; a call whose answer was lost is looked
up and never simply made again. What a crash left behind is taken up by `resume`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from bridge.errors import (
    Ambiguous,
    CannotTell,
    DeliveryFailed,
    NotGiven,
    NotSent,
    Refused,
    Throttled,
)
from bridge.messages import Channel, Platform
from bridge.records.books import CardBook, CardInstance, CardState
from bridge.records.cards import Level
from bridge.records.drawing import Clock, Drawing
from bridge.records.entries import RecordLog, shown
from bridge.records.model import Absence, Record
from bridge.records.places import CardPlace
from bridge.records.reading import RoomReading

UNASKED = "atom."
"""How the cause of a card begins, after its channel, that no message asked for."""

_SECOND = 1_000_000
_LOST_US = 30 * _SECOND  # a call that old gets no answer any more
_NEVER_US = 10 * 60 * _SECOND  # what has no place by then gets none


class Threads(Protocol):
    """Where a message is heard on the other side of a bridge."""

    async def root(self, tenant: str, cause: str, room: Channel) -> str | None:
        """
        Return the root of the thread in `room` where a message is to be answered.

        `cause` is the message as `platform:team/channel/message`. Empty stands for the
        room itself; None says that the message does not stand there, or not yet.
        """
        ...


Knows = Callable[[str, Record], None]
"""Is told what a company's card shows, so that the next change can say what was before."""


def _nobody(_tenant: str, _record: Record) -> None:
    """Nobody asks what was before."""


@dataclass(frozen=True, slots=True)
class Posting:
    """
    Posts cards. `reading` reads what is taken up again after a crash, and `knows` is
    told of what was posted.
    """

    cards: CardBook
    places: Mapping[Platform, CardPlace]
    drawing: Drawing
    threads: Threads
    reading: RoomReading
    log: RecordLog
    clock: Clock
    knows: Knows = _nobody

    async def post(self, instance: CardInstance, seen: Record | Absence) -> bool:
        """
        Post a card, if it does not stand and nobody else is about to; True if it stands.

        Raises `StoreUnavailable`. What the platform does not take now stays planned.
        """
        if instance.state is CardState.POSTED:
            return True
        place = self.places.get(instance.channel.platform)
        if place is None or instance.state is not CardState.PLANNED:
            return False
        placed = await self._placed(instance)
        if placed is None or instance.level is Level.NOTHING:
            return False
        drawn = await self.drawing.for_room(instance, seen)
        if not await self.cards.posting(instance.tenant, instance.card_id):
            return False
        entry = shown(placed, drawn.card, drawn.decision, withheld=drawn.hidden)
        await self.log.note(entry)
        card = await self.drawing.issued(instance, drawn)
        try:
            made = await place.post(placed, card)
        except Ambiguous:
            return False
        except (Throttled, NotSent, NotGiven):
            await self.cards.unposted(instance.tenant, instance.card_id)
            return False
        except DeliveryFailed:
            await self.cards.retire(instance.tenant, [instance.card_id])
            return False
        await self.cards.posted(
            instance.tenant, instance.card_id, made.message, made.unfurl
        )
        await self.cards.shown(
            replace(
                made,
                rev=drawn.rev,
                digest=drawn.digest,
                standing=card.standing,
                shown_us=self.clock(),
            )
        )
        if isinstance(seen, Record):
            self.knows(instance.tenant, seen)
        return True

    async def resume(self, tenant: str, before_us: int) -> int:
        """Take up what was left planned or without an answer; returns how many stand."""
        left = await self.cards.unfinished(tenant, before_us)
        planned: list[CardInstance] = []
        stand = 0
        for instance in left:
            if self.clock() - instance.made_us > _NEVER_US and (
                instance.state is CardState.PLANNED
            ):
                await self.cards.retire(tenant, [instance.card_id])
                continue
            if instance.state is CardState.POSTING:
                found = await self._found(instance)
                if found is None:
                    continue
                if found:
                    stand += 1
                    continue
                instance = replace(instance, state=CardState.PLANNED)  # noqa: PLW2901
            planned.append(instance)
        answers = await self.reading.read(tenant, [each.ref for each in planned])
        for instance in planned:
            seen = answers.seen[instance.ref]
            if seen is Absence.GONE:
                await self.cards.retire(tenant, [instance.card_id])
            elif isinstance(seen, Record):
                stand += await self.post(instance, seen)
        return stand

    async def _found(self, instance: CardInstance) -> bool | None:
        """Look a lost answer up: True if it stands, False if it was not; None: unknown."""
        place = self.places.get(instance.channel.platform)
        if place is None:
            return None
        placed = await self._placed(instance)
        if placed is None:
            return None
        try:
            message = await place.look_for(placed)
        except Refused:
            await self.cards.retire(instance.tenant, [instance.card_id])
            return None
        except (CannotTell, DeliveryFailed):
            return None
        if message is None:
            await self.cards.unposted(instance.tenant, instance.card_id)
            return False
        # Its digest is not known, so it is drawn anew at the next look.
        await self.cards.posted(
            instance.tenant, instance.card_id, message, instance.unfurl
        )
        return True

    async def _placed(self, instance: CardInstance) -> CardInstance | None:
        return await placed(self.threads, instance)


async def placed(threads: Threads, instance: CardInstance) -> CardInstance | None:
    """Return a card with the thread that it belongs under; None if there is none yet."""
    here = instance.cause.startswith(f"{instance.channel}/")
    if instance.thread or here or f"/{UNASKED}" in instance.cause:
        return instance
    root = await threads.root(instance.tenant, instance.cause, instance.channel)
    return None if root is None else replace(instance, thread=root)
