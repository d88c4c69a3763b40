"""Which company a workspace or a tenant, and so each of their channels, belongs to."""

import asyncio

import structlog

from bots.core import Core
from bots.slack_side import SlackSide
from bots.teams_side import TeamsSide
from bridge.errors import AtomError, NotAllowed
from bridge.messages import Channel, Platform

log = structlog.get_logger()

_AGAIN = 5.0  # seconds


async def bind_configured(
    built: Core, slack: SlackSide | None, teams: TeamsSide | None
) -> None:
    """
    Make the configured workspace and tenants the company's, if there is just one.

    A platform that does not answer at start-up is asked again; nothing waits for it.
    """
    while True:
        try:
            for tenant in teams.settings.tenants if teams else ():
                await built.bind(Platform.TEAMS, tenant, "")
            if slack and slack.settings.bot_token:
                identity = await slack.clients.identity("")
                await built.bind(Platform.SLACK, identity.team, identity.name)
        except AtomError as error:
            log.warning("accounts not known yet", reason=str(error))
            await asyncio.sleep(_AGAIN)
        else:
            return


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
    raise NotAllowed(
        f"{channel} is not known to belong to company {company}: "
        "see 'atom accounts list'."
    )


async def account_of(built: Core, channel: Channel) -> str:
    """Return a channel's Slack workspace or Teams tenant; empty for a team unheard of."""
    if channel.platform is Platform.SLACK:
        return channel.team
    place = await built.places.find(channel)
    return place.account if place else ""
