"""
Which token opens a workspace: its own installation's, or its organisation's.

An org-wide installation has an organisation's id and no workspace's. It opens those
workspaces that an Org Admin added it to, and which these are, Slack tells.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import ClientSession
from slack_sdk.oauth.installation_store.sqlalchemy import (
    AsyncSQLAlchemyInstallationStore,
)
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import Select, and_, delete, desc, or_, select
from sqlalchemy.exc import SQLAlchemyError

from bots.remembered import Remembered
from bots.slack.clients import asked, quiet
from bots.slack.payload import mapping, mappings, string
from bridge.errors import NotSent, ServiceUnavailable

_FRESH = 60.0  # seconds
_PAGES = 100
_PAGE = 200

Workspaces = Callable[[str], Awaitable[frozenset[str]]]


async def nowhere(_token: str) -> frozenset[str]:
    """The default: organisations' tokens are good for nothing."""
    return frozenset()


def is_organisation(account: str) -> bool:
    """Say whether an id is that of an organisation, and not of a workspace."""
    return account.startswith("E")


def workspaces_of(api_url: str, session: ClientSession) -> Workspaces:
    """Return what asks Slack where an organisation's token may be used."""

    async def granted(token: str) -> frozenset[str]:
        client = AsyncWebClient(
            token, base_url=api_url, session=session, logger=quiet(), retry_handlers=[]
        )
        found: set[str] = set()
        cursor = ""
        for _ in range(_PAGES):
            answer = await asked(client.auth_teams_list(cursor=cursor, limit=_PAGE))
            found |= {string(team, "id") for team in mappings(answer, "teams")}
            cursor = string(mapping(answer, "response_metadata"), "next_cursor")
            if not cursor:
                break
        return frozenset(found - {""})

    return granted


@dataclass(slots=True)
class StoredTokens:
    """Bot tokens as installing left them; `workspaces` asks where a token may be used."""

    store: AsyncSQLAlchemyInstallationStore
    workspaces: Workspaces
    _granted: Remembered[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        self._granted = Remembered(self.workspaces, seconds=_FRESH)

    async def find(self, account: str) -> str:
        """
        Return the token for a workspace or an organisation, empty if there is none.

        Raises `NotSent` if that cannot be found out now.
        """
        bots = self.store.bots.c
        own = await self._tokens(self._select().where(bots.team_id == account))
        if own:
            return own[0]
        whole = self._select().where(bots.team_id.is_(None))
        if is_organisation(account):
            whole = whole.where(bots.enterprise_id == account)
            return next(iter(await self._tokens(whole)), "")
        for token in await self._tokens(whole):
            if account in await self._workspaces(token):
                return token
        return ""

    async def granted(self, organisation: str) -> frozenset[str]:
        """Return the workspaces that an organisation's installation opens."""
        token = await self.find(organisation)
        return await self._workspaces(token) if token else frozenset()

    def forget(self) -> None:
        """Ask anew where organisations' tokens may be used."""
        self._granted = Remembered(self.workspaces, seconds=_FRESH)

    async def remove(self, account: str) -> None:
        """Forget the installation of a workspace or an organisation."""
        self.forget()
        async with self.store.engine.begin() as connection:
            for table in (self.store.bots, self.store.installations):
                c = table.c
                whole = and_(c.enterprise_id == account, c.team_id.is_(None))
                own = or_(c.team_id == account, whole)
                ours = c.client_id == self.store.client_id
                await connection.execute(delete(table).where(ours, own))

    def _select(self) -> Select[str]:
        bots = self.store.bots.c
        return (
            select(bots.bot_token)
            .where(bots.client_id == self.store.client_id, bots.bot_token.is_not(None))
            .order_by(desc(bots.installed_at))
        )

    async def _tokens(self, query: Select[str]) -> list[str]:
        try:
            async with self.store.engine.connect() as connection:
                rows = (await connection.execute(query)).all()
        except SQLAlchemyError:
            raise NotSent("The installations cannot be read now.") from None
        return list(dict.fromkeys(row[0] for row in rows))

    async def _workspaces(self, token: str) -> frozenset[str]:
        try:
            return await self._granted.get(token)
        except ServiceUnavailable as error:
            raise NotSent(str(error)) from error
