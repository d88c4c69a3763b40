"""Tell admins of changes of the directory that wait, once, in a channel of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass

from bots.admin_channel import LOOK, keep_telling
from bots.commands.directory import waiting_card
from bots.directory_desk import held_of
from bots.directory_side import DirectorySide
from bridge.messages import Channel, Platform
from bridge.ports import Announcer


@dataclass(frozen=True, slots=True)
class Telling:
    """
    Looks for what nobody was told of yet.

    It is marked when it was told, so an admin may read it twice after a crash, and
    never not at all.
    """

    side: DirectorySide
    announcers: Mapping[Platform, Announcer]
    look: float = LOOK

    async def run(self) -> None:
        """Go on for ever; with no channel in the settings there is nothing to do."""
        if self.side.sync is None:
            return
        await keep_telling(self.side.settings.tell, self.tell, self.look)

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
