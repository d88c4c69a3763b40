"""
One connection to a directory, for the event loop.

ldap3 blocks; each connection has one thread of its own, and whoever asks waits for it
without holding up anybody else.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from typing import TypeVar

from bridge.errors import ServiceUnavailable
from policy.directory.ldap import ber
from policy.directory.ldap.answers import Answer, Done, Found, Referral
from policy.directory.ldap.conversation import Control, Conversation, Scope, Search
from policy.directory.ldap.results import NO_SUCH_OBJECT, incomplete_because
from policy.directory.ldap.settings import LdapSettings
from policy.directory.ldap.transport import signed_in

PAGED_RESULTS = "1.2.840.113556.1.4.319"

_Result = TypeVar("_Result")

_ROOT = (
    "supportedControl",
    "supportedCapabilities",
    "supportedExtension",
    "namingContexts",
    "defaultNamingContext",
    "dsServiceName",
    "highestCommittedUSN",
    "vendorName",
)


class Incomplete(ServiceUnavailable):
    """What was read is not everything there is; `code` is the result, 0 if none came."""

    def __init__(self, why: str, code: int = 0) -> None:
        super().__init__(why)
        self.code = code


class LdapConnection:
    """Ask one server. Open it with `connected`, which closes it too."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ldap")
        self._talk: Conversation | None = None
        self._running: set[Future[object]] = set()
        self._closed = False

    @property
    def where(self) -> str:
        """The URL of the server that answered."""
        return self._talk.where if self._talk else ""

    async def open(self) -> None:
        """Reach a server and sign in. Raises BadInput or ServiceUnavailable."""
        await self._run(self._open)

    def _open(self) -> None:
        connection, where = signed_in(self._settings)
        patience = float(self._settings.answer_seconds)
        self._talk = Conversation(connection, where, patience)
        if self._closed:  # whoever wanted it went away meanwhile
            self._talk.leave()

    async def close(self) -> None:
        """Close, even while somebody waits for an answer."""
        if self._closed:
            return
        self._closed = True
        if self._running and self._talk:
            self._talk.interrupt()
        if self._talk:
            self._thread.submit(self._talk.leave)
        self._thread.shutdown(wait=False)

    async def root(self) -> Found:
        """Return what the server says of itself (the root DSE)."""
        found = await self.one("", attributes=_ROOT)
        if found is None:
            raise ServiceUnavailable(f"{self.where} says nothing about itself")
        return found

    async def one(
        self,
        dn: str,
        attributes: tuple[str, ...],
        controls: Sequence[Control] = (),
    ) -> Found | None:
        """Return the entry of this name, None if there is none. Raises Incomplete."""
        search = Search(dn, attributes=attributes, scope=Scope.BASE)
        found: list[Found] = []
        try:
            async for entries in self.entries(search, controls):
                found += entries
        except Incomplete as problem:
            if problem.code == NO_SUCH_OBJECT:
                return None
            raise
        return found[0] if found else None

    async def entries(
        self, search: Search, controls: Sequence[Control] = ()
    ) -> AsyncGenerator[list[Found], None]:
        """Yield what is found, in pieces. Raises Incomplete unless it was everything."""
        referrals = 0
        async with aclosing(self.answers(search, controls)) as answers:
            async for heard in answers:
                yield [each for each in heard if isinstance(each, Found)]
                referrals += sum(isinstance(each, Referral) for each in heard)
                if isinstance(heard[-1], Done):
                    self._judge(heard[-1], referrals)

    async def paged(
        self, search: Search, size: int = 500, controls: Sequence[Control] = ()
    ) -> AsyncGenerator[list[Found], None]:
        """
        Yield what is found, asking for `size` entries at a time (RFC 2696).

        The next page is asked for before what came is handed on: the server works while
        it is read here. Raises Incomplete unless every page came and the last one says
        that it is.
        """
        referrals, done = 0, Done(80)
        number: int | None = await self._asked(search, (_page(size, b""), *controls))
        while number is not None:
            async with aclosing(self._answers(number, None)) as answers:
                number = None
                try:
                    async for heard in answers:
                        if isinstance(heard[-1], Done):
                            done = heard[-1]
                            number = await self._next_page(search, size, controls, done)
                        referrals += sum(isinstance(each, Referral) for each in heard)
                        yield [each for each in heard if isinstance(each, Found)]
                except GeneratorExit:
                    if number is not None and self._talk is not None:
                        self._talk.drop(number)
                    raise
        self._judge(done, referrals)

    async def _next_page(
        self, search: Search, size: int, controls: Sequence[Control], done: Done
    ) -> int | None:
        """Ask for the page after one that is done, if there is one."""
        if done.code:
            return None
        try:
            cookie = _cookie(done.controls[PAGED_RESULTS])
        except (KeyError, ber.NotBer) as error:
            raise Incomplete(f"{self.where} broke off between two pages") from error
        if not cookie:
            return None
        return await self._asked(search, (_page(size, cookie), *controls))

    def _judge(self, done: Done, referrals: int) -> None:
        if why := incomplete_because(done):
            raise Incomplete(f"{self.where}: {why}", done.code)
        if referrals:
            raise Incomplete(
                f"{self.where}: {referrals} parts are on other servers, "
                "where ATOM does not go"
            )

    async def answers(
        self,
        search: Search,
        controls: Sequence[Control] = (),
        *,
        silence: float | None = None,
    ) -> AsyncGenerator[list[Answer], None]:
        """
        Yield the answers to a search as they come, the last ending with a Done.

        With `silence`, one may be quiet: after that many seconds without an answer an
        empty list comes, once the server has shown that it is still there. Without it,
        a server that is quiet for too long raises ServiceUnavailable.
        """
        number = await self._asked(search, controls)
        async with aclosing(self._answers(number, silence)) as answers:
            async for heard in answers:
                yield heard

    async def _asked(self, search: Search, controls: Sequence[Control]) -> int:
        talk = self._talking()
        return await self._run(lambda: talk.ask(search, controls))

    async def _answers(
        self, number: int, silence: float | None
    ) -> AsyncGenerator[list[Answer], None]:
        """Yield the answers to what was asked under a number."""
        talk = self._talking()
        wait = float(self._settings.answer_seconds if silence is None else silence)
        try:
            while True:
                heard = await self._run(lambda: talk.hear(number, wait))
                if not heard and silence is None:
                    raise self._silent()
                if not heard:
                    await self._prove_alive()
                yield heard
                if heard and isinstance(heard[-1], Done):
                    return
        finally:
            talk.drop(number)

    async def _prove_alive(self) -> None:
        """Ask something trivial: a cut line is silent too."""
        talk, wait = self._talking(), float(self._settings.answer_seconds)
        probe = Search("", scope=Scope.BASE)
        number = await self._run(lambda: talk.ask(probe))
        while True:
            heard = await self._run(lambda: talk.hear(number, wait))
            if not heard:
                raise self._silent()
            if isinstance(heard[-1], Done):
                return

    def _silent(self) -> ServiceUnavailable:
        seconds = self._settings.answer_seconds
        return ServiceUnavailable(f"{self.where} was silent for {seconds} seconds")

    def _talking(self) -> Conversation:
        if self._talk is None or self._closed:
            raise ServiceUnavailable("the connection to the directory is closed")
        return self._talk

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        """Do something that blocks in the connection's thread."""
        try:
            future = self._thread.submit(work)
        except RuntimeError as error:  # closed meanwhile
            raise ServiceUnavailable(
                "the connection to the directory is closed"
            ) from error
        self._running.add(future)  # type: ignore[arg-type] # whatever it returns
        future.add_done_callback(self._running.discard)
        return await asyncio.wrap_future(future)


@asynccontextmanager
async def connected(settings: LdapSettings) -> AsyncIterator[LdapConnection]:
    """Lend an open connection. Raises BadInput or ServiceUnavailable, with one line."""
    connection = LdapConnection(settings)
    try:
        await connection.open()
        yield connection
    finally:
        await connection.close()


def _page(size: int, cookie: bytes) -> Control:
    value = ber.sequence(ber.integer(size), ber.value(ber.OCTETS, cookie))
    return Control(PAGED_RESULTS, value, critical=True)


def _cookie(value: bytes) -> bytes:
    start, stop = ber.inside(value, ber.SEQUENCE)
    sized, cookie = ber.parts(value, start, stop)
    if sized[0] != ber.INTEGER or cookie[0] != ber.OCTETS:
        raise ber.NotBer("no paging control")
    return value[cookie[1] : cookie[2]]
