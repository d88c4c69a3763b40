"""
Whose right a call uses: the person's own, or for reading floors the integration's.

A refresh token that rotates is good for one use. So of all tasks and processes that
find a token run out one renews it, under a right that is kept with the tokens, and the
others wait for what it gets.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field

from bridge.errors import AtomError, NotAllowed, NotFound, ServiceUnavailable
from bridge.records.connections import (
    UNKNOWN,
    ConnectionBook,
    Held,
    Integration,
    RefreshRefused,
    SignIn,
    Tokens,
)
from bridge.records.model import System
from bridge.records.ports import Access, NotConnected

Key = tuple[str, System, str]  # company, system, instance

_LEASE_US = 60_000_000  # longer than systems may take to answer
_WAITS = 40.0  # seconds for somebody else's renewal
_EVERY = 0.1


@dataclass(slots=True)
class RecordAccesses:
    """
    Implements `bridge.records.ports.Accesses`.

    `owner` names this process; `clock` gives microseconds UTC. `shared` are systems in
    which people have no account that ATOM could use and nothing is ever written, such as
    HR: for everybody they are read with the integration's, and the policy alone says
    what of it somebody sees.
    """

    book: ConnectionBook
    sign_ins: Mapping[Key, SignIn]
    integrations: Mapping[Key, Integration]
    owner: str
    clock: Callable[[], int]
    shared: frozenset[Key] = frozenset()
    _own: dict[Key, "IntegrationAccess"] = field(default_factory=dict)
    _renewals: dict[tuple[Key, str, int], asyncio.Task[Tokens]] = field(
        default_factory=dict
    )

    def integration(self, tenant: str, system: System, instance: str) -> Access:
        key = (tenant, system, instance)
        if key not in self._own:
            if (right := self.integrations.get(key)) is None:
                raise NotFound(f"No {system.shown} is called {instance}.")
            self._own[key] = IntegrationAccess(right, self.clock)
        return self._own[key]

    async def of(
        self, tenant: str, person: str, system: System, instance: str
    ) -> Access:
        if not person:
            raise NotConnected("ATOM does not know who you are: see `me`.")
        if (tenant, system, instance) in self.shared:
            return self.integration(tenant, system, instance)
        if (tenant, system, instance) not in self.sign_ins:
            raise NotConnected(
                f"Nobody can connect an account of {system.shown} ({instance}) here."
            )
        access = PersonAccess(self, tenant, person, system, instance)
        await access.held()
        return access

    async def renew(self, held: Held) -> Tokens:
        """Return tokens in place of these, which are renewed once by whoever is first."""
        one = held.connection
        key = ((one.tenant, one.system, one.instance), one.person, held.version)
        task = self._renewals.get(key)
        if task is None:
            # It goes on if whoever asked gives up: what comes back is not to be lost.
            task = asyncio.create_task(self._renewed(held), context=Context())
            self._renewals[key] = task
            task.add_done_callback(lambda done: self._over(key, done))
        return await asyncio.shield(task)

    async def _renewed(self, held: Held) -> Tokens:
        one = held.connection
        owner = f"{self.owner}/{secrets.token_hex(8)}"
        try:
            async with asyncio.timeout(_WAITS):
                while True:
                    until_us = self.clock() + _LEASE_US
                    if await self.book.renewing(held, owner, until_us):
                        return await self._asked(held, owner)
                    now = await self.book.get(
                        one.tenant, one.person, one.system, one.instance
                    )
                    if now is None or now.connection.broken:
                        raise not_connected(one.system)
                    if now.version != held.version:
                        return now.tokens
                    await asyncio.sleep(_EVERY)
        except TimeoutError as error:
            raise ServiceUnavailable(
                f"{one.system.shown} takes long to renew a sign-in"
            ) from error

    async def _asked(self, held: Held, owner: str) -> Tokens:
        """Renew tokens, with the right to do so."""
        one = held.connection
        sign_in = self.sign_ins[one.tenant, one.system, one.instance]
        try:
            tokens = await sign_in.renew(held.tokens)
        except RefreshRefused as error:
            await self.book.not_renewed(held, owner, broken=error.sure)
            raise not_connected(one.system) from error
        except (AtomError, asyncio.CancelledError):
            await self.book.not_renewed(held, owner, broken=False)
            raise
        if await self.book.renewed(held, owner, tokens):
            return tokens
        now = await self.book.get(one.tenant, one.person, one.system, one.instance)
        if now is None or now.connection.broken:
            raise not_connected(one.system)
        return now.tokens

    def _over(self, key: tuple[Key, str, int], task: "asyncio.Task[Tokens]") -> None:
        self._renewals.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits any more


@dataclass(frozen=True, slots=True)
class PersonAccess:
    """A person's own account. There is nothing else that it could fall back to."""

    accesses: RecordAccesses = field(repr=False)
    tenant: str
    person: str
    system: System
    instance: str

    @property
    def account(self) -> str:
        return self.person

    async def token(self) -> str:
        held = await self.held()
        expires = held.tokens.expires_us
        if expires != UNKNOWN and expires <= self.accesses.clock():
            return (await self.accesses.renew(held)).access
        return held.tokens.access

    async def renewed(self, refused: str) -> str:
        held = await self.held()
        if held.tokens.access != refused:
            return held.tokens.access  # somebody renewed it meanwhile
        return (await self.accesses.renew(held)).access

    async def held(self) -> Held:
        """Return what is kept. Raises `NotConnected`."""
        held = await self.accesses.book.get(
            self.tenant, self.person, self.system, self.instance
        )
        if held is None or held.connection.broken:
            raise not_connected(self.system)
        return held


@dataclass(slots=True)
class IntegrationAccess:
    """The integration's own account: its tokens stay in this process."""

    right: Integration
    clock: Callable[[], int]
    account: str = ""
    _tokens: Tokens | None = field(default=None, repr=False)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def token(self) -> str:
        async with self._one:
            known = self._tokens
            if known is None or UNKNOWN < known.expires_us <= self.clock():
                known = await self._new()
            return known.access

    async def renewed(self, refused: str) -> str:
        async with self._one:
            known = self._tokens
            if known is None or known.access == refused:
                known = await self._new()
            if known.access == refused:
                raise NotConnected(
                    f"{self.right.system.shown} refuses ATOM's own account: an admin "
                    "has to look at it."
                )
            return known.access

    async def _new(self) -> Tokens:
        try:
            self._tokens = await self.right.tokens()
        except NotAllowed as error:
            self._tokens = None
            raise NotConnected(
                f"{self.right.system.shown} does not let ATOM in: an admin has to "
                "look at its id and secret."
            ) from error
        return self._tokens


def not_connected(system: System) -> NotConnected:
    return NotConnected(f"Connect your {system.shown} account first.")
