"""
Take up commands that a process left unanswered, and tell whoever gave them.

Every process looks; the database says who takes which. A command is run again only if
that cannot do a thing twice (`bridge.unanswered.course`).
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from bots.commands.answering import Answering, Turn
from bots.commands.base import Request
from bots.commands.kinds import kind_of
from bridge.cards import Card
from bridge.errors import AtomError, DeliveryFailed, Fenced, NotSent, Throttled
from bridge.messages import Platform
from bridge.unanswered import (
    AskedFor,
    Claim,
    CommandBook,
    Course,
    Kind,
    LateWay,
    Left,
    Stage,
    course,
    told,
)
from storage.compliance.events import ENTRY_TYPES

log = structlog.get_logger()

_EVERY = 2.0  # seconds
_PAUSE_US = 5_000_000
_LONGEST_PAUSE_US = 300_000_000
_GIVE_UP_US = 24 * 3600 * 1_000_000
_SEND_WITHIN = 30.0
_MICRO = 1_000_000
_NAME = 40  # characters; what was typed may be anything


@dataclass(frozen=True, slots=True)
class LateAnswers:
    """Runs until cancelled. `clock` gives microseconds UTC."""

    answering: Answering
    book: CommandBook
    ways: Mapping[Platform, LateWay]
    clock: Callable[[], int]

    async def run(self) -> None:
        while True:
            try:
                await self.round()
            except AtomError as error:
                log.warning("commands left are not taken up", reason=str(error))
            await asyncio.sleep(_EVERY)

    async def round(self) -> None:
        """Take up all that is left now. Raises `StoreUnavailable`."""
        await self.answering.settle()
        found = await self.book.left(self.answering.at_work())
        async with asyncio.TaskGroup() as group:
            for left in found:
                group.create_task(self._taken_up(left))

    async def _taken_up(self, left: Left) -> None:
        claim = None
        try:
            if claim := await self.book.take(left):
                self.answering.trace("late taken")
                await self._seen_to(left, claim)
        except AtomError as error:
            log.warning("a command was left again", reason=str(error))
            await self._put_off(left, claim)
        except Exception:
            # One that breaks us must not take the others down with it.
            log.exception("a command cannot be taken up")
            await self._put_off(left, claim)

    async def _put_off(self, left: Left, claim: Claim | None) -> None:
        with suppress(AtomError):
            if claim:
                await self.book.later(claim, None, _pause(left))

    async def _seen_to(self, left: Left, claim: Claim) -> None:
        over = left.tries > 0 and self.clock() - left.asked_us > _GIVE_UP_US
        asked = None if over else await self.book.asked(left)
        if asked is None or asked.channel.platform not in self.ways:
            # Nobody can be told: it was erased, or their platform is off or was away.
            await self.book.answered(claim)
            return
        kind = kind_of(asked.words)
        what = course(left, kind, self.clock())
        if what is Course.NOTHING:
            await self.book.answered(claim)
            return
        log.info("a command that was left is taken up", course=str(what))
        when = moment(left.asked_us, self.clock())
        request = Request(
            asked.tenant,
            asked.channel,
            asked.person,
            asked.words,
            asked.account,
            asked.thread,
        )
        with self.answering.resumed(request, claim) as turn:
            if what is Course.RUN:
                card, back = await turn.ready(), Stage.BEGUN
                note = f"You asked {when}: this answer is late."
            else:
                name = request.command[:_NAME] or "help"
                whose = f"your `{name}`, asked {when}"
                record = "" if kind is Kind.READS else _entry(left, asked)
                instead = told(what, kind, whose, record)
                card, back = await turn.ready(Stage.TELLING, instead), left.stage
                note = ""
            if card is None:
                return  # another process has taken it up meanwhile
            pause = await self._told(turn, asked, card, note)
            if pause is None:
                await turn.shown()
            else:
                await turn.not_shown(back, max(pause, _pause(left)))

    async def _told(
        self, turn: Turn, asked: AskedFor, card: Card, note: str
    ) -> int | None:
        """Tell somebody; if it certainly did not arrive, how long to wait at least."""
        try:
            async with asyncio.timeout(_SEND_WITHIN):
                with turn.showing():
                    await self.ways[asked.channel.platform].tell(asked, card, note)
        except Throttled as error:
            return int(error.retry_after * _MICRO)
        except (Fenced, NotSent) as error:
            log.warning("late answer not sent", reason=str(error))
            return 0
        except (DeliveryFailed, TimeoutError) as error:
            # It would be refused again, or may stand there.
            log.warning("late answer not sent", reason=str(error))
        return None


def _pause(left: Left) -> int:
    """Return for how long a command rests; the longer, the more often it was tried."""
    return min(_PAUSE_US << min(left.tries, 10), _LONGEST_PAUSE_US)


def _entry(left: Left, asked: AskedFor) -> str:
    meaning = ENTRY_TYPES.get(asked.did)
    return f"entry {left.effect}: {meaning}" if meaning else ""


def moment(asked_us: int, now_us: int) -> str:
    """Return when somebody asked, as they read it; the day only if it is another one."""
    asked = datetime.fromtimestamp(asked_us // _MICRO, UTC)
    now = datetime.fromtimestamp(now_us // _MICRO, UTC)
    if asked.date() == now.date():
        return f"at {asked:%H:%M} UTC"
    return f"on {asked:%F} at {asked:%H:%M} UTC"
