"""Notice replies to what never crossed, and have it brought across meanwhile."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from bots.core import Core
from bridge.catchup import VIA
from bridge.errors import AtomError
from bridge.messages import Channel, Event, EventKind, Platform
from bridge.parents import Parents
from bridge.ports import Intake, Receipt, Tenants
from bridge.recent import Roots
from bridge.reconcile import VIA as RECONCILED

log = structlog.get_logger()

_WAITING = 1_000
_KNOWN = 20_000
_AT_ONCE = 4
# What is read as history is put together with its threads, and needs no root.
_HEARD = {"push", "spool", VIA, RECONCILED}

_Root = tuple[str, Channel, str]


@dataclass(slots=True)
class RootFetcher:
    """
    Is told of what was heard (`note`); `run` looks for roots until cancelled.

    A reply waits for its root for a while in any case, so nothing waits here. Each
    root is looked for once; if that did not work, the next reply is another chance.
    """

    tenants: Tenants
    parents: Parents
    _queue: asyncio.Queue[_Root] = field(
        default_factory=lambda: asyncio.Queue(_WAITING)
    )
    _known: OrderedDict[_Root, None] = field(default_factory=OrderedDict)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(self._serve())

    def note(self, event: Event) -> None:
        """Somebody said something, and it is on record."""
        if event.kind is not EventKind.MESSAGE_CREATE or event.channel is None:
            return
        said = (event.account, event.channel, event.thread or event.message)
        if event.via in _HEARD and event.thread and said not in self._known:
            try:
                self._queue.put_nowait(said)
            except asyncio.QueueFull:
                return
        # What begins a thread here was heard, and need not be looked for.
        self._known[said] = None
        self._known.move_to_end(said)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)

    async def _serve(self) -> None:
        while True:
            root = await self._queue.get()
            try:
                await self._bring(*root)
            except AtomError as error:
                self._known.pop(root, None)
                log.warning("root not brought across", reason=str(error))

    async def _bring(self, account: str, channel: Channel, root: str) -> None:
        tenant = await self.tenants.tenant_of(channel.platform, account)
        if tenant and await self.parents.bring(tenant, channel, root):
            log.info("a root is brought across late", channel=channel.id)


@dataclass(frozen=True, slots=True)
class Rooted:
    """Implements `bridge.ports.Intake`, and has the roots of replies looked for."""

    intake: Intake
    fetcher: RootFetcher

    async def receive(self, event: Event) -> Receipt:
        receipt = await self.intake.receive(event)
        if receipt.seq >= 0:
            # Also if it is a duplicate: the process that knew it may have ended.
            self.fetcher.note(event)
        return receipt


def root_fetcher(
    core: Core, roots: Mapping[Platform, Roots], intake: Intake
) -> RootFetcher:
    """Put together what fetches roots."""
    parents = Parents(
        roots=roots,
        intake=intake,
        record=core.record,
        copies=core.copies,
        links=core.links,
        late=core.late_roots,
    )
    return RootFetcher(core.companies, parents)
