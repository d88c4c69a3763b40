"""Which company a channel belongs to: by its workspace's account, or its tenant's."""

from bots.core import Core
from bridge.errors import NotAllowed
from bridge.messages import Channel, Platform


async def refuse_foreign(built: Core, company: str, channel: Channel) -> None:
    """
    Raise `NotAllowed` for a channel of another company, or of none among several.

    Where there is one company only, what nobody has claimed yet may be its own.
    """
    account = await account_of(built, channel)
    owner = await built.companies.tenant_of(channel.platform, account)
    if owner == company:
        return
    if owner is None and len(await built.companies.all()) == 1:
        return
    raise NotAllowed(f"{channel} is not known to belong to company {company}.")


async def account_of(built: Core, channel: Channel) -> str:
    """Return a channel's Slack workspace or Teams tenant; empty for a team unheard of."""
    if channel.platform is Platform.SLACK:
        return channel.team
    place = await built.places.find(channel)
    return place.account if place else ""
