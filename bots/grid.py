"""Read what Slack's organisation says about itself, now and then and when asked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bots.core import Core, clock_us
from bots.settings import SlackSettings
from bots.slack.audit_logs import SlackAuditLogs
from bots.slack.clients import asked, quiet
from bots.slack.discovery import SlackDiscovery
from bots.slack.legal_holds import SlackLegalHolds
from bots.slack.payload import string
from bots.slack.recent import SlackRecent
from bridge.errors import AtomError
from bridge.messages import Platform
from bridge.organisation_log import AuditLogs, LegalHolds
from storage.compliance.grid.ingest import GridIngest
from storage.compliance.grid.mirroring import HoldMirror

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Synced:
    """What a reading came to. What could not be read is said in `faults`."""

    audit: int
    holds: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GridSync:
    """
    Runs until cancelled, every `every` seconds. `owner` says whose organisation it is.

    The audit log and the holds are read apart: one that is refused keeps nothing from
    the other.
    """

    ingest: GridIngest
    mirror: HoldMirror
    logs: AuditLogs
    holds: LegalHolds
    owner: Callable[[], Awaitable[str | None]]
    every: float

    async def run(self) -> None:
        while True:
            try:
                if tenant := await self.owner():
                    done = await self.sync(tenant)
                    for fault in done.faults:
                        log.warning("organisation not read", reason=fault)
            except AtomError as error:
                log.warning("organisation not read", reason=str(error))
            await asyncio.sleep(self.every)

    async def sync(self, tenant: str) -> Synced:
        """Read both, and say what was new."""
        audit, held, faults = 0, 0, list[str]()
        try:
            audit = await self.ingest.audit(tenant, self.logs)
        except AtomError as error:
            faults.append(str(error))
        try:
            await self.mirror.mirror(tenant, self.holds)
        except AtomError as error:
            faults.append(str(error))
        try:
            held = len(await self.ingest.holds(tenant, self.holds))
        except AtomError as error:
            faults.append(str(error))
        return Synced(audit, held, tuple(faults))


def compliance_client(
    settings: SlackSettings, session: ClientSession
) -> AsyncWebClient | None:
    """Return what calls Slack with an Org Owner's token, if there is one."""
    if settings.compliance_token is None:
        return None
    return AsyncWebClient(
        token=settings.compliance_token.get_secret_value(),
        base_url=settings.api_url,
        session=session,
        logger=quiet(),
        retry_handlers=[],
    )


def discovery(
    settings: SlackSettings, session: ClientSession, recent: SlackRecent
) -> SlackDiscovery | None:
    """Return what reads channels with their edits and deletions, if Slack lets it."""
    client = compliance_client(settings, session)
    return SlackDiscovery(client, recent) if client and settings.discovery else None


def grid_sync(
    built: Core, settings: SlackSettings, session: ClientSession
) -> GridSync | None:
    """Build it, if an organisation's compliance token is set."""
    client = compliance_client(settings, session)
    if client is None or not client.token:
        return None

    async def owner() -> str | None:
        """Return the company whose organisation the token is of."""
        if (only := await built.only_company()) is not None:
            return only.id
        told = await asked(client.auth_test())
        for field in ("team_id", "enterprise_id"):
            if account := string(told, field):
                found = await built.companies.tenant_of(Platform.SLACK, account)
                if found:
                    return found
        return None

    return GridSync(
        GridIngest(built.database.hot, built.journal, built.acts, clock_us),
        HoldMirror(built.retention.holds.all, built.acts, clock_us),
        SlackAuditLogs(session, settings.audit_url, client.token, asyncio.sleep),
        SlackLegalHolds(client, asyncio.sleep),
        owner,
        built.settings.tuning.grid_every,
    )
