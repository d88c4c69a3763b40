"""
See commands through to their answer, once, whatever becomes of the process meanwhile.

Whoever brings answers to a platform takes a turn for each command: it says when the
answer may be shown, and is told whether it was. What is left in between is taken up by
another process, or the next one (`bots.late_answers`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from bots.commands.base import Request
from bots.commands.kinds import kind_of
from bots.leases import checked, elapsed
from bridge.cards import Card, Tone
from bridge.errors import AtomError, Fenced
from bridge.messages import Event
from bridge.ports import Tenants
from bridge.relay import unwatched
from bridge.unanswered import Claim, CommandBook, Kind, Stage

log = structlog.get_logger()

_WITHIN = 60.0
_TRUSTED = 0.7  # of a lease: what is shown later may be shown by another one as well
_AGAIN_US = 5_000_000

NOT_SET_UP = Card(
    "ATOM is not set up for this workspace",
    "Ask the people who run ATOM to add this workspace to your company.",
    Tone.WARNING,
)
FAILED = Card("That did not work", "Something went wrong inside ATOM.", Tone.BAD)
TOO_SLOW = Card("That takes too long", "ATOM gave up waiting.", Tone.BAD)


class Runs(Protocol):
    """What runs a command: `bots.commands.base.Commands`."""

    async def answer(self, request: Request) -> Card: ...


@dataclass(slots=True, eq=False)
class Answering:
    """
    Runs commands that are on record, by this process's claim on each.

    `lease` is how many seconds a process counts as alive without having said so. Without a `book` nothing is known of what is not answered. `trace`
    is told each step as it is passed; tests stop the process there.
    """

    tenants: Tenants
    commands: Runs
    book: CommandBook | None = None
    lease: float = 10.0
    within: float = _WITHIN
    trace: Callable[[str], None] = unwatched
    under_way: set[Claim] = field(default_factory=set)
    _settled: set[Claim] = field(default_factory=set)

    @asynccontextmanager
    async def turn(
        self, event: Event, words: str, *, in_dialog: bool = False
    ) -> AsyncIterator["Turn"]:
        """Take the turn of a command that was just captured."""
        tenant = await self.tenants.tenant_of(event.platform, event.account)
        request = claim = None
        if tenant is not None and event.channel is not None:
            request = Request(
                tenant,
                event.channel,
                event.author,
                words,
                event.account,
                event.thread,
                in_dialog,
            )
            claim = self.book.claim(tenant, event) if self.book else None
        with self.resumed(request, claim) as turn:
            yield turn

    @contextmanager
    def resumed(self, request: Request | None, claim: Claim | None) -> Iterator["Turn"]:
        """Take the turn of a command by a claim that this process has."""
        if claim:
            self.under_way.add(claim)
        try:
            yield Turn(self, request, claim)
        finally:
            if claim:
                self.under_way.discard(claim)

    async def settle(self) -> None:
        """Note what was answered and could not be noted before."""
        for claim in tuple(self._settled):
            await self.forget(claim)

    def at_work(self) -> set[Claim]:
        """Return what nobody else of this process is to take up."""
        return self.under_way | self._settled

    async def forget(self, claim: Claim) -> None:
        """A command is answered. Raises `StoreUnavailable`, and remembers it."""
        if self.book is None:
            return
        self._settled.add(claim)
        await self.book.answered(claim)
        self._settled.discard(claim)


@dataclass(slots=True, eq=False)
class Turn:
    """
    One command on its way to its answer.

    `ready` gives the answer as soon as it may be shown, or nothing if another process
    answers. Then `shown` or `not_shown` says what became of it; neither raises.
    """

    answering: Answering
    request: Request | None
    claim: Claim | None
    _since: float = 0.0

    async def ready(
        self, stage: Stage = Stage.ANSWERING, instead: Card | None = None
    ) -> Card | None:
        """Run the command, or show something `instead`."""
        card = instead or await self._card()
        try:
            return card if await self._may(stage) else None
        except AtomError as error:
            # It is answered once the database is back.
            log.warning("answer waits", reason=str(error))
            return None

    async def shown(self) -> None:
        self.answering.trace("answer shown")
        try:
            if self.claim:
                await self.answering.forget(self.claim)
        except AtomError as error:
            log.warning("answer not noted", reason=str(error))
        self.answering.trace("answer noted")

    async def not_shown(
        self, stage: Stage = Stage.BEGUN, pause_us: int = _AGAIN_US
    ) -> None:
        """It certainly was not shown: have somebody try again, as from a stage."""
        book = self.answering.book
        try:
            if self.claim and book:
                await book.later(self.claim, stage, pause_us)
        except AtomError as error:
            log.warning("answer not put off", reason=str(error))

    @property
    def stands(self) -> bool:
        """Whether no other process can have taken this one for dead meanwhile."""
        late = elapsed() - self._since
        return self.claim is None or late <= _TRUSTED * self.answering.lease

    def still(self) -> None:
        """Raise `Fenced` unless it does."""
        if not self.stands:
            raise Fenced("the answer may be another process's by now")

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Let requests leave within only as long as the answer is this process's."""
        with checked(self.still):
            yield

    async def _card(self) -> Card:
        """The outermost frame of a command: whatever happens, people get an answer."""
        request = self.request
        if request is None:
            return NOT_SET_UP
        try:
            async with asyncio.timeout(self.answering.within):
                await self._begin(request)
                with self._behalf():
                    return await self.answering.commands.answer(request)
        except TimeoutError:
            return TOO_SLOW
        except Exception:
            log.exception("command failed", platform=request.channel.platform)
            return FAILED
        finally:
            self.answering.trace("command run")

    async def _begin(self, request: Request) -> None:
        """What shows only elsewhere whether it was done is noted beforehand."""
        self.answering.trace("command begun")
        if kind_of(request.text) is Kind.OUTSIDE and not await self._may(Stage.BEGUN):
            raise Fenced("another process sees to that command")

    def _behalf(self) -> AbstractContextManager[None]:
        book = self.answering.book
        return book.behalf(self.claim) if book and self.claim else nullcontext()

    async def _may(self, stage: Stage) -> bool:
        book = self.answering.book
        if book is None or self.claim is None:
            return True
        since = elapsed()
        if not await book.stage(self.claim, stage):
            log.info("command left to another process")
            return False
        self._since = since
        self.answering.trace(stage)
        return True
