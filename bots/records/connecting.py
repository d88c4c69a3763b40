"""
People connect their accounts of business systems, and let go of them.

The link is given to one person in chat. Whoever opens it signs in at the system, is
shown whose account was found and for whom in chat it would be used, and says yes; only
then is it kept. So a link that somebody passes on, or lures somebody with, gives the
account of who opened it to nobody unless they read that and agree to it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from bots.records.accesses import Key
from bridge.errors import AtomError, NotAllowed, NotFound
from bridge.records.books import ActBook
from bridge.records.connections import (
    Attempt,
    Connection,
    ConnectionBook,
    SignIn,
    SignInBook,
    Standing,
    Stranger,
    Tokens,
    Wanted,
)
from bridge.records.entries import RecordEntry, RecordLog
from bridge.records.model import System

log = structlog.get_logger()

_TRIES = 3
_PAUSE = 2.0
_LEFT = "they do not work here any more"


@dataclass(frozen=True, slots=True)
class Found:
    """Whose account a browser signed in with, and the secret by which it is agreed."""

    attempt: Attempt
    secret: str


@dataclass(frozen=True, slots=True)
class Connecting:
    """
    Implements `bridge.records.connections.ConnectionDesk`, and serves the browser.

    `public` is where browsers reach ATOM, without a slash at its end. `whose` returns
    the key of the person of the directory whose an address is, empty if it is nobody's.
    """

    book: ConnectionBook
    under_way: SignInBook
    acts: ActBook
    record: RecordLog
    sign_ins: Mapping[Key, SignIn]
    public: str
    whose: Callable[[str, str], Awaitable[str]]
    pause: float = _PAUSE

    async def standing(self, tenant: str, person: str) -> Standing:
        connected = await self.book.of(tenant, person) if person else []
        there = {(one.system, one.instance) for one in connected}
        others = [
            (system, instance)
            for whose, system, instance in self.sign_ins
            if whose == tenant and (system, instance) not in there
        ]
        return Standing(connected, others)

    async def link(self, wanted: Wanted) -> str:
        self._sign_in(wanted)
        if not self.public:
            raise NotFound(
                "Nobody can connect an account yet: an admin has to set "
                "ATOM_PUBLIC_URL, where browsers reach ATOM."
            )
        secret = await self.under_way.begin(wanted)
        path = f"connect/{wanted.system}/{wanted.instance}"
        return f"{self.public}/{path}?state={secret}"

    async def disconnect(
        self, tenant: str, person: str, actor: str, system: System, instance: str
    ) -> Connection:
        for one in await self.book.of(tenant, person):
            if (one.system, one.instance) == (system, instance):
                await self._let_go(one, actor, "asked for it")
                return one
        raise NotFound(f"You have no {system.shown} account connected.")

    async def left(self, tenant: str, person: str) -> int:
        """End all that somebody who left could still do; returns how many accounts."""
        await self.acts.revoke(tenant, person)
        connected = await self.book.of(tenant, person)
        for one in connected:
            await self._let_go(one, "atom", _LEFT)
        return len(connected)

    async def opened(self, link: str, system: str, instance: str, browser: str) -> str:
        """Return where a browser has to go. Raises `Stranger`."""
        state, attempt = await self.under_way.open(link, browser)
        wanted = attempt.wanted
        if (wanted.system, wanted.instance) != (system, instance):
            raise Stranger(
                "That link is for something else: ask for a new one in chat."
            )
        return self._sign_in(wanted).address(state, attempt.verifier)

    async def back(self, state: str, code: str, browser: str) -> Found:
        """Take what a browser brought back. Raises `NotAllowed`, and `Stranger`."""
        attempt = await self.under_way.back(state, browser)
        if not code:
            shown = attempt.wanted.system.shown
            raise NotAllowed(f"You did not let ATOM into {shown}. Nothing was changed.")
        sign_in = self._sign_in(attempt.wanted)
        tokens, identity = await sign_in.exchange(code, attempt.verifier)
        found = replace(attempt, tokens=tokens, identity=identity)
        try:
            await self._is_theirs(found)
        except NotAllowed:
            await self._revoked(sign_in, tokens)
            raise
        return Found(found, await self.under_way.found(found, browser))

    async def agree(self, secret: str, browser: str) -> Connection:
        """Keep the account that was found. Raises `Stranger`."""
        attempt = await self.under_way.agreed(secret, browser)
        wanted, identity, tokens = attempt.wanted, attempt.identity, attempt.tokens
        if identity is None or tokens is None:
            raise Stranger("Nobody signed in: ask for a new link in chat.")
        connection = Connection(
            wanted.tenant,
            wanted.person,
            wanted.system,
            wanted.instance,
            identity.name,
            identity.remote,
        )
        before = await self.book.get(
            wanted.tenant, wanted.person, wanted.system, wanted.instance
        )
        await self.book.keep(connection, tokens, wanted.actor)
        if before and before.tokens.refresh not in {"", tokens.refresh}:
            await self._revoked(self._sign_in(wanted), before.tokens)
        return connection

    async def _is_theirs(self, found: Attempt) -> None:
        """Refuse an account whose address is another person's of the directory."""
        wanted, identity = found.wanted, found.identity
        if identity is None or not identity.email:
            return
        owner = await self.whose(wanted.tenant, identity.email)
        if owner and owner != wanted.person:
            why = "the account belongs to somebody else"
            detail = {"person": wanted.person, "owner": owner, "why": why}
            await self.record.note(
                RecordEntry(
                    wanted.tenant,
                    "record.denied",
                    wanted.actor,
                    f"may not connect that account of {wanted.system}: {why}",
                    detail,
                    outcome="deny",
                )
            )
            raise NotAllowed(
                f"{identity.name} is somebody else's account. Sign out of "
                f"{wanted.system.shown}, and sign in with your own."
            )

    async def _let_go(self, connection: Connection, actor: str, why: str) -> None:
        tokens = await self.book.remove(connection, actor, why)
        key = (connection.tenant, connection.system, connection.instance)
        if tokens and (sign_in := self.sign_ins.get(key)):
            await self._revoked(sign_in, tokens)

    async def _revoked(self, sign_in: SignIn, tokens: Tokens) -> None:
        """Tell the system; ATOM itself has forgotten them already, whatever it says."""
        for number in range(_TRIES):
            try:
                await sign_in.revoke(tokens)
            except AtomError as error:
                where = f"{sign_in.system}:{sign_in.instance}"
                log.warning("not revoked", where=where, reason=str(error))
                if number + 1 < _TRIES:
                    await asyncio.sleep(self.pause)
            else:
                return

    def _sign_in(self, wanted: Wanted) -> SignIn:
        found = self.sign_ins.get((wanted.tenant, wanted.system, wanted.instance))
        if found is None:
            raise NotFound(f"No {wanted.system.shown} is called {wanted.instance}.")
        return found


@dataclass(frozen=True, slots=True)
class Leavers:
    """
    Lets go of the accounts of people who do not work here any more, within a minute.

    `at_work` says whether somebody still is: True, False, or None where the directory
    cannot say now, which changes nothing.
    """

    connecting: Connecting
    at_work: Callable[[str, str], bool | None]
    companies: Callable[[], Awaitable[Sequence[str]]]
    every: float = 15.0

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except AtomError as error:
                log.warning("leavers not looked for", reason=str(error))
            await asyncio.sleep(self.every)

    async def look(self) -> list[str]:
        """Return who was let go of."""
        gone = []
        for tenant in await self.companies():
            for person in await self.connecting.book.people(tenant):
                if self.at_work(tenant, person) is False:
                    await self.connecting.left(tenant, person)
                    gone.append(person)
        return gone
