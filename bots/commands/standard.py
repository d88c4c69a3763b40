"""The commands that ATOM knows, put together."""

from collections.abc import Callable, Mapping

from bots.commands.base import Command, Commands
from bots.commands.help import Help
from bots.commands.link import LinkChannels
from bots.commands.links import ListLinks
from bots.commands.pause import Pause
from bots.commands.resume import Resume
from bots.commands.status import Status
from bots.commands.unlink import Unlink
from bridge.messages import Platform
from bridge.ports import Announcer, Health, LinkBook, Rights


def standard_commands(
    *,
    links: LinkBook,
    health: Health,
    rights: Mapping[Platform, Rights],
    announcers: Mapping[Platform, Announcer],
    clock: Callable[[], int],
) -> Commands:
    """Make every command; `clock` gives microseconds UTC."""
    known: tuple[Command, ...] = (
        LinkChannels(links, rights, announcers),
        Unlink(links, rights, announcers),
        ListLinks(links, announcers),
        Status(health, announcers, clock),
        Pause(links, rights, announcers),
        Resume(links, rights, announcers),
    )
    return Commands((*known, Help(known)))
