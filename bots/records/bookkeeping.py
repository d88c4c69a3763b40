"""
Keep the book of accounts and contacts: everything is read once, and then what changed.

Once a day everything is read anew, for no system says what it hides from ATOM's account
since. One process does it for a system. Each page is taken in together with where it
ends, so a process that dies has read nothing for nothing, and nothing twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from bots.records.log_follower import Holding
from bridge.errors import AtomError, ServiceUnavailable
from bridge.records.knowing import Chapter, Progress
from bridge.records.model import RecordChange
from bridge.records.ports import Access, Accesses, BookKeeping, Lists, Records, Spent
from bridge.records.systems import Systems

log = structlog.get_logger()

_LEASE = 120.0
_WITHIN = 60.0  # seconds for one look at all chapters
_LONGEST = 900.0
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Rhythm:
    """
    How often what is done, in seconds.

    `look` is how often it is seen whether anything is due. Changes are read `gap` after
    the last reading once the system told of one, and after `unasked` anyway; after
    `anew` everything is. A reading that failed is tried again after `again`.
    Between two pages everybody else has the database for a `breath`.
    """

    look: float = 2.0
    gap: float = 10.0
    unasked: float = 900.0
    anew: float = 86_400.0
    again: float = 30.0
    breath: float = 0.02


@dataclass(frozen=True, slots=True)
class Bookkeeping:
    """Reads one system into a company's book, for as long as it runs."""

    chapters: Sequence[Chapter]
    lists: Lists
    access: Callable[[], Access]
    book: BookKeeping
    following: Holding
    owner: str
    clock: Callable[[], int]
    rhythm: Rhythm = Rhythm()

    async def run(self) -> None:
        while self.chapters:
            wait = self.rhythm.look
            try:
                async with asyncio.timeout(_WITHIN):
                    if await self.turn():
                        continue
            except Spent as error:
                wait = min(max(self.rhythm.again, error.retry_after), _LONGEST)
            except (AtomError, TimeoutError) as error:
                wait = self.rhythm.again
                first, kind = self.chapters[0], type(error).__name__
                log.warning("contacts not read", instance=first.instance, reason=kind)
            await asyncio.sleep(wait)

    async def turn(self) -> bool:
        """
        Read a page of each chapter that is due, if that is this process's to do.

        Returns whether there is more to read at once. One chapter that cannot be read
        does not hold up the other; then what it raised is raised in the end.
        """
        now = self.clock()
        due = [p for c in self.chapters if self._is_due(p := await self._at(c), now)]
        if not due:
            return False
        first = self.chapters[0]
        name = f"book:{first.system}:{first.instance}"
        if not await self.following.hold(first.tenant, name, self.owner, _LEASE):
            return False
        more, failed = False, None
        for progress in due:
            try:
                more |= await self._read(progress, now)
            except AtomError as error:
                failed = error
        if failed:
            raise failed
        return more

    async def _read(self, progress: Progress, now: int) -> bool:
        if self._begins(progress, now):
            if not await self.book.begin(progress, now):
                return False
            progress = await self._at(progress.chapter)
        kind, start = progress.chapter.kind, progress.position
        pages = await self.lists.listed(self.access(), kind, start)
        if not pages[-1].complete and pages[-1].position == start:
            raise ServiceUnavailable("it lists the same again and again")
        for page in pages:
            # What changes while it is read comes with the next call: it is as of `now`.
            if not await self.book.take(progress, page, now):
                return False
            progress = replace(progress, position=page.position)
            await asyncio.sleep(self.rhythm.breath)
        return not pages[-1].complete

    async def _at(self, chapter: Chapter) -> Progress:
        return await self.book.progress(chapter)

    def _begins(self, progress: Progress, now: int) -> bool:
        since = (now - progress.begun_us) / _MICRO
        return not progress.under_way and (
            not progress.lap or since >= self.rhythm.anew
        )

    def _is_due(self, progress: Progress, now: int) -> bool:
        if progress.under_way or self._begins(progress, now):
            return True
        since = (now - progress.read_us) / _MICRO
        stirred = progress.stirred_us >= progress.read_us
        return since >= (self.rhythm.gap if stirred else self.rhythm.unasked)


@dataclass(frozen=True, slots=True)
class Bookkeepers:
    """
    Reads all systems that list, and hears of changes: implements `log_follower.Stirs`.

    `keeps` says of which systems there is to be a book; what there is of others goes.
    """

    systems: Systems
    accesses: Accesses
    book: BookKeeping
    following: Holding
    owner: str
    clock: Callable[[], int]
    keeps: Callable[[Records], bool]
    rhythm: Rhythm = Rhythm()
    _stirred: set[Chapter] = field(default_factory=set)

    def chapters(self, tenant: str) -> list[Chapter]:
        """Return what a company's book consists of."""
        return [
            chapter
            for each in self.systems.of(tenant)
            for chapter in self._of(tenant, each)
        ]

    async def run(self, tenants: Sequence[str]) -> None:
        keepers = []
        for tenant in tenants:
            if gone := await self.book.keep_only(tenant, self.chapters(tenant)):
                log.info("contacts are not kept any more", company=tenant, kinds=gone)
            keepers += [self._keeper(tenant, one) for one in self.systems.of(tenant)]
        async with asyncio.TaskGroup() as group:
            for keeper in filter(None, keepers):
                group.create_task(keeper.run())

    def heard(self, tenant: str, change: RecordChange) -> None:
        """Remember that a system told of a change, until it is kept."""
        self._stirred.update(
            chapter
            for chapter in self.chapters(tenant)
            if (chapter.system, chapter.instance) == (change.system, change.instance)
            and (change.ref is None or change.ref.kind == chapter.kind)
        )

    async def keep(self, tenant: str) -> None:
        """Keep what was heard, for whichever process reads."""
        for chapter in [each for each in self._stirred if each.tenant == tenant]:
            await self.book.stir(chapter, self.clock())
            self._stirred.discard(chapter)

    def _of(self, tenant: str, records: Records) -> list[Chapter]:
        if not isinstance(records, Lists) or not self.keeps(records):
            return []
        return [
            Chapter(tenant, records.system, records.instance, kind)
            for kind in records.lists
        ]

    def _keeper(self, tenant: str, records: Records) -> Bookkeeping | None:
        chapters = self._of(tenant, records)
        if not chapters or not isinstance(records, Lists):
            return None
        system, instance = records.system, records.instance
        return Bookkeeping(
            chapters,
            records,
            lambda: self.accesses.integration(tenant, system, instance),
            self.book,
            self.following,
            self.owner,
            self.clock,
            self.rhythm,
        )
