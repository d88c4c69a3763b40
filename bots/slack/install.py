"""
Install ATOM in any number of workspaces.

The installations are in the database. A bot token from the settings works beside
them, for the workspace that it belongs to.
"""

import html
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from aiohttp import ClientError, ClientSession, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.oauth.async_callback_options import (
    AsyncCallbackOptions,
    AsyncFailureArgs,
    AsyncSuccessArgs,
)
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import (
    AsyncSQLAlchemyInstallationStore,
)
from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.remembered import Remembered
from bots.slack.clients import quiet
from bots.slack.tokens import StoredTokens, Workspaces, nowhere
from bridge.errors import NotSent, Refused
from bridge.holds import Cause

log = structlog.get_logger()

NOT_INSTALLED = "ATOM was not installed. Open /slack/install and try again."
MANAGE_URL = "https://app.slack.com/manage"
AUTHORIZE_URL = "https://slack.com/oauth/v2/authorize"

_STATE_SECONDS = 600
_TOKEN_SECONDS = 60.0

# What ATOM asks a workspace for; the manifest says the same.
SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "chat:write.customize",
    "commands",
    "emoji:read",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "links:read",
    "links:write",
    "pins:read",
    "reactions:read",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)

OnInstall = Callable[[str, str], Awaitable[None]]


async def nobody_asked(_team: str, _name: str) -> None:
    """The default hook."""


@dataclass(frozen=True, slots=True)
class OAuth:
    """The app's own credentials, and where Slack asks people for their consent."""

    client_id: str
    client_secret: str = field(repr=False)
    authorize_url: str = AUTHORIZE_URL
    redirect_url: str = ""


@dataclass(slots=True)
class Installations:
    """
    Which workspaces ATOM is installed in, and with which token.

    `fallback` is the settings' bot token. Without `oauth` it is the only one.
    `workspaces` asks Slack where an organisation's token may be used.
    """

    engine: AsyncEngine
    oauth: OAuth | None = None
    fallback: str = field(default="", repr=False)
    workspaces: Workspaces = nowhere
    store: AsyncSQLAlchemyInstallationStore | None = field(init=False, default=None)
    _tokens: Remembered[str, str] = field(init=False)
    _stored: StoredTokens | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._tokens = Remembered(self._token, seconds=_TOKEN_SECONDS)
        if self.oauth:
            self.store = AsyncSQLAlchemyInstallationStore(
                client_id=self.oauth.client_id, engine=self.engine, logger=quiet()
            )
            self._stored = StoredTokens(self.store, self.workspaces)

    async def token(self, team: str) -> str:
        """
        Return the bot token for a workspace, or for an organisation as a whole.

        Raises `Refused` where ATOM is not installed, and `NotSent` if the database
        does not say.
        """
        return await self._tokens.get(team)

    async def remove(self, team: str) -> None:
        """Forget a workspace, or an organisation, that took ATOM away."""
        self.forget()
        if self._stored is not None:
            await self._stored.remove(team)

    async def granted(self, organisation: str) -> frozenset[str]:
        """
        Return the workspaces that an organisation's installation opens.

        What they had installed by themselves is void with that, and is forgotten.
        """
        self.forget()
        if self._stored is None:
            return frozenset()
        teams = await self._stored.granted(organisation)
        for team in teams:
            await self._stored.remove(team)
        return teams

    def forget(self) -> None:
        """Ask the database and Slack again: something was installed or removed."""
        self._tokens.clear()
        if self._stored is not None:
            self._stored.forget()

    async def create_tables(self) -> None:
        """Make the tables, where no migration has made them."""
        states = _states(self.engine)
        async with self.engine.begin() as connection:
            if self.store is not None:
                await connection.run_sync(self.store.metadata.create_all)
            await connection.run_sync(states.metadata.create_all)

    async def _token(self, team: str) -> str:
        if self._stored is not None and (found := await self._stored.find(team)):
            return found
        if not self.fallback:
            raise Refused(
                "ATOM is not installed in this Slack workspace.", Cause.UNINSTALLED
            )
        return self.fallback


class InstallPages:
    """`/slack/install` and `/slack/oauth_redirect`."""

    def __init__(
        self,
        installations: Installations,
        api_url: str,
        session: ClientSession,
        on_install: OnInstall = nobody_asked,
        scopes: Sequence[str] = SCOPES,
    ) -> None:
        if installations.oauth is None or installations.store is None:
            raise ValueError("installing needs the app's client id and secret")
        self._installations = installations
        self._on_install = on_install
        oauth = installations.oauth
        self._flow = AsyncOAuthFlow(
            client=AsyncWebClient(
                base_url=api_url, session=session, logger=quiet(), retry_handlers=[]
            ),
            logger=quiet(),
            settings=AsyncOAuthSettings(
                client_id=oauth.client_id,
                client_secret=oauth.client_secret,
                scopes=scopes,
                user_scopes=(),
                redirect_uri=oauth.redirect_url or None,
                authorization_url=oauth.authorize_url,
                # Bolt's own page fetches its button from another site.
                install_page_rendering_enabled=False,
                installation_store=installations.store,
                state_store=_states(installations.engine),
                state_expiration_seconds=_STATE_SECONDS,
                callback_options=AsyncCallbackOptions(
                    success=self._installed, failure=_not_installed
                ),
                logger=quiet(),
            ),
        )

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/slack/install", self.install),
            web.get("/slack/oauth_redirect", self.redirected),
        ]

    async def install(self, request: web.Request) -> web.Response:
        """Send the visitor to Slack, with a state that is good once."""
        return await to_aiohttp_response(
            await self._flow.handle_installation(_opened(request))
        )

    async def redirected(self, request: web.Request) -> web.Response:
        """Slack sends the visitor back with a code: trade it for a token."""
        try:
            answer = await self._flow.handle_callback(_opened(request))
        except (ClientError, SQLAlchemyError, TimeoutError) as error:
            kind = type(error).__name__
            log.warning("not installed", platform="slack", reason=kind)
            answer = _page(503, NOT_INSTALLED)
        return await to_aiohttp_response(answer)

    async def _installed(self, args: AsyncSuccessArgs) -> BoltResponse:
        made = args.installation
        if made.is_enterprise_install and made.enterprise_id:
            return await self._installed_org_wide(made)
        team = made.team_id or ""
        self._installations.forget()
        await self._on_install(team, made.team_name or "")
        log.info("installed", platform="slack", team=team)
        return _page(200, "ATOM is installed. You can close this page.")

    async def _installed_org_wide(self, made: Installation) -> BoltResponse:
        """An organisation's app is in no workspace until an Org Admin adds it to one."""
        organisation = made.enterprise_id or ""
        await self._on_install(organisation, made.enterprise_name or "")
        try:
            teams = await self._installations.granted(organisation)
        except NotSent as error:
            log.warning("workspaces not known", reason=str(error))
            teams = frozenset()
        for team in sorted(teams):
            await self._on_install(team, "")
        log.info("installed", platform="slack", organisation=organisation)
        address = html.escape(
            f"{MANAGE_URL}/{organisation}/integrations/profile/{made.app_id}"
            "/workspaces/add"
        )
        return _page(
            200,
            "ATOM is installed in your organisation. It works in the workspaces that "
            f'you <a href="{address}">add it to</a>.',
        )


async def _not_installed(args: AsyncFailureArgs) -> BoltResponse:
    log.warning("not installed", platform="slack", status=args.suggested_status_code)
    return _page(args.suggested_status_code, NOT_INSTALLED)


def _page(status: int, text: str) -> BoltResponse:
    return BoltResponse(
        status=status,
        body=f"<!doctype html><meta charset=utf-8><title>ATOM</title><p>{text}</p>",
        headers={"content-type": "text/html; charset=utf-8"},
    )


def _opened(request: web.Request) -> AsyncBoltRequest:
    return AsyncBoltRequest(
        body="", query=request.query_string, headers=dict(request.headers.items())
    )


def _states(engine: AsyncEngine) -> AsyncSQLAlchemyOAuthStateStore:
    return AsyncSQLAlchemyOAuthStateStore(
        expiration_seconds=_STATE_SECONDS, engine=engine, logger=quiet()
    )
