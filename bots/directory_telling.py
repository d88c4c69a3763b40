"""Tell admins of changes of the directory that wait, once, in a channel of theirs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from bots.commands.directory import waiting_card
from bots.directory_desk import held_of
from bots.directory_side import DirectorySide
from bridge.errors import AtomError
from bridge.messages import Channel, Platform
from bridge.ports import Announcer

log = structlog.get_logger()

_LOOK = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Telling:
    """
    Looks for what nobody was told of yet.

    It is marked when it was told, so an admin may read it twice after a crash, and
    never not at all.
    """

    side: DirectorySide
    announcers: Mapping[Platform, Announcer]
    look: float = _LOOK

    async def run(self) -> None:
        """Go on for ever; with no channel in the settings there is nothing to do."""
        if not self.side.settings.tell or self.side.sync is None:
            return
        channel = Channel.parse(self.side.settings.tell)
        while True:
            try:
                await self.tell(channel)
            except AtomError as error:
                log.warning("admins were not told", reason=str(error))
            await asyncio.sleep(self.look)

    async def tell(self, channel: Channel) -> None:
        """Tell of everything that waits untold. Raises `AtomError` if it cannot."""
        sync, announcer = self.side.sync, self.announcers.get(channel.platform)
        if sync is None or announcer is None:
            return
        for waiting in await sync.store.waiting(sync.tenant):
            if waiting.told_us or waiting.state != "waiting":
                continue
            await announcer.announce(channel, waiting_card(held_of(sync, waiting)))
            await sync.store.told(sync.tenant, waiting.digest)
