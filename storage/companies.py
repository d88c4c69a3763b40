"""The companies that ATOM serves, and the platform accounts that are theirs."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge.errors import Conflict, StoreUnavailable
from bridge.messages import Platform
from storage.asked_once import AskedOnce
from storage.schema import account, tenant

_FRESH_US = 5_000_000  # for so long a company's workspace may have become another's
_DIALECTS = {"postgresql": postgresql, "sqlite": sqlite}


_Account = tuple[Platform, str]


@dataclass(frozen=True, slots=True)
class Company:
    """A tenant: one company with one log, one policy and one key."""

    id: str
    name: str
    admin_email: str


@dataclass(frozen=True, slots=True)
class Account:
    """A Slack workspace or a Teams tenant. Its name may not be known."""

    platform: Platform
    id: str
    name: str


@dataclass(slots=True)
class StoredCompanies:
    """Implements `bridge.ports.Tenants`, and keeps the companies."""

    engine: AsyncEngine
    clock: Callable[[], int]
    _accounts: dict[_Account, tuple[str, int]] = field(default_factory=dict)
    _owned: dict[str, tuple[Sequence[Account], int]] = field(default_factory=dict)
    _questions: AskedOnce[_Account, str | None] = field(init=False)
    _listings: AskedOnce[None, Sequence[Company]] = field(init=False)

    def __post_init__(self) -> None:
        self._questions = AskedOnce(self._owner)
        self._listings = AskedOnce(self._all)

    async def tenant_of(self, platform: Platform, account_id: str) -> str | None:
        known, until = self._accounts.get((platform, account_id), ("", 0))
        if known and self.clock() < until:
            return known
        return await self._questions.get((platform, account_id))

    async def _owner(self, asked: _Account) -> str | None:
        platform, account_id = asked
        query = select(account.c.tenant).where(
            account.c.platform == platform, account.c.account == account_id
        )
        async with self._connected() as connection:
            found: str | None = (await connection.execute(query)).scalar()
        if found:
            until = self.clock() + _FRESH_US
            self._accounts[asked] = (found, until)
        return found

    async def accounts(self, tenant_id: str) -> Sequence[Account]:
        """Return the company's workspaces and tenants, the longest known first."""
        known, until = self._owned.get(tenant_id, ((), 0))
        if self.clock() < until:
            return known
        query = (
            select(account.c.platform, account.c.account, account.c.name)
            .where(account.c.tenant == tenant_id)
            .order_by(account.c.created_us, account.c.account)
        )
        async with self._connected() as connection:
            rows = (await connection.execute(query)).all()
        found = tuple(Account(Platform(row[0]), row[1], row[2]) for row in rows)
        self._owned[tenant_id] = (found, self.clock() + _FRESH_US)
        return found

    async def create(self, id_: str, name: str, admin_email: str) -> bool:
        """Add a company. Returns False, and changes nothing, if it is there."""
        insert = _DIALECTS[self.engine.dialect.name].insert
        statement = (
            insert(tenant)
            .values(id=id_, name=name, admin_email=admin_email, created_us=self.clock())
            .on_conflict_do_nothing(index_elements=[tenant.c.id])
        )
        async with self._connected() as connection:
            added = (await connection.execute(statement)).rowcount > 0
        self._listings.forget(None)
        return added

    async def all(self) -> Sequence[Company]:
        """
        Return every company, the longest known first.

        At a start each background job asks for them in the same moment, and would open
        a connection of its own.
        """
        return await self._listings.get(None)

    async def _all(self, _everybody: None) -> Sequence[Company]:
        query = select(tenant.c.id, tenant.c.name, tenant.c.admin_email).order_by(
            tenant.c.created_us
        )
        async with self._connected() as connection:
            rows = (await connection.execute(query)).all()
        return [Company(*row) for row in rows]

    async def bind(
        self, tenant_id: str, platform: Platform, account_id: str, name: str
    ) -> None:
        """
        Make a workspace or tenant the company's, and keep its name if one is given.

        Raises `Conflict` if it is another company's.
        """
        insert = _DIALECTS[self.engine.dialect.name].insert
        statement = (
            insert(account)
            .values(
                platform=str(platform),
                account=account_id,
                tenant=tenant_id,
                name=name,
                created_us=self.clock(),
            )
            .on_conflict_do_nothing(
                index_elements=[account.c.platform, account.c.account]
            )
        )
        renamed = (
            update(account)
            .where(
                account.c.platform == str(platform),
                account.c.account == account_id,
                account.c.tenant == tenant_id,
            )
            .values(name=name)
        )
        async with self._connected() as connection:
            await connection.execute(statement)
            if name:
                await connection.execute(renamed)
        self._questions.forget((platform, account_id))
        self._owned.pop(tenant_id, None)
        owner = await self.tenant_of(platform, account_id)
        if owner != tenant_id:
            raise Conflict(
                f"{platform} account {account_id} belongs to another company"
            )

    async def unbind(self, platform: Platform, account_id: str) -> None:
        """Forget an account, because ATOM was removed from it."""
        self._accounts.pop((platform, account_id), None)
        self._questions.forget((platform, account_id))
        self._owned.clear()
        async with self._connected() as connection:
            await connection.execute(
                delete(account).where(
                    account.c.platform == str(platform),
                    account.c.account == account_id,
                )
            )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction; raises `StoreUnavailable`."""
        try:
            async with self.engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable("the database does not answer") from error
