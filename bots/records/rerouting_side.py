"""Put together what is done about approvals of people who left."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from bots.core import Core
from bots.people_side import sure_accounts
from bots.records.log_follower import Holding
from bots.records.rerouting_loop import Leaving, ReroutingLoop
from bots.records.staff import DirectoryStaff
from bridge.cards import Card
from bridge.directory.accounts import Account
from bridge.messages import Channel, Platform
from bridge.ports import Announcer
from bridge.records.rerouting import Admins, Rerouting

log = structlog.get_logger()


def staff_of(core: Core) -> DirectoryStaff:
    """Return who works in the companies, and under which accounts they are told."""
    return DirectoryStaff(core.sources.view, sure_accounts(core), _homes(core))


def admins_of(core: Core, announcers: Mapping[Platform, Announcer]) -> Admins:
    """Let admins be told in their channel, if there is one."""

    async def told(tenant: str, card: Card) -> bool:
        where = core.settings.directory.tell
        channel = Channel.parse(where) if where else None
        announcer = announcers.get(channel.platform) if channel else None
        if channel is None or announcer is None or tenant != core.sources.tenant:
            log.warning("an approval of a leaver waits, and there is nobody to tell")
            return False
        await announcer.announce(channel, card)
        return True

    return told


def rerouting_loop(
    core: Core, rerouting: Rerouting, staff: DirectoryStaff, following: Holding
) -> ReroutingLoop:
    """Return what looks for them whenever somebody has left."""
    leaving = Leaving(_version(core), staff.gone)
    return ReroutingLoop(rerouting, following, core.company_ids, leaving, core.owner)


def _homes(core: Core) -> Callable[[str], Awaitable[Sequence[Account]]]:
    """Return the workspaces and tenants that are a company's."""

    async def homes(tenant: str) -> Sequence[Account]:
        bound = await core.companies.accounts(tenant)
        return [Account(each.platform, each.id, "") for each in bound]

    return homes


def _version(core: Core) -> Callable[[str], str | None]:
    view = core.sources.view

    def version(tenant: str) -> str | None:
        found = view.version(tenant) if view.configured(tenant) else ""
        return found if found not in {"", "0"} else None

    return version
