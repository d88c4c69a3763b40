"""
The only way in which a vendor's blocking client library reaches its system.

A `Line` leads to one instance of one system. Each operation runs in a thread of the
line's own few, on a session of its own, and the library never holds the token:

    def work(session: Session) -> int:
        return vendor.Client(session=session).something()

    await line.call(access, work, writes=True)

Whatever the library does with its session, the guard holds that

* only the configured host is asked, below the configured path, and redirects are
  never followed; `https://host/…` is written anew with the configured scheme and path,
  since several libraries insist on https and drop paths;
* the token is put in here, so it is sent nowhere else; one that is refused is renewed
  once an operation, and then the very same request goes out again: same body, same
  conditions. A second refusal means `NotConnected`;
* an operation makes as many calls as it said, and one more at most;
* every call is counted in the budget before it is made, and what answers say of quotas
  is told to it;
* calls end: at the deadline the connection is shut, so that the thread is free again.
  Answers are limited in size.

Errors are those of `bridge.records.ports`: `Unsure` if a write's answer was lost,
`ServiceUnavailable` if nothing was sent or nothing was to be written, `Spent`,
`NotConnected`. The library's own errors for the system's refusals pass unchanged.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest, Response
from urllib3.exceptions import NewConnectionError

from bridge.errors import ServiceUnavailable
from bridge.records.ports import Access, Budget, NotConnected, Spent, Unsure
from connectors.abortable import Adapter, Thread, TooLarge, TooLate, read_within
from connectors.pinned import Pin

_Result = TypeVar("_Result")
_DEADLINE = 10.0  # seconds for an operation, renewal and repetition included
_LONGEST = 16 * 1024 * 1024  # bytes of one answer, unpacked
_CONNECTING = 5.0
_TRY_AGAIN = frozenset({502, 503, 504})


class Manners(Protocol):
    """What a system's answers say beside their content. Pure, and called in threads."""

    def refused(self, answer: Response) -> bool:
        """Say whether it is the token that was refused."""
        ...

    def quota(self, answer: Response) -> tuple[int, int] | None:
        """Return how much of the quota is used, and the quota."""
        ...

    def pause(self, answer: Response) -> tuple[str | None, float] | None:
        """
        Return who has to wait for how many seconds, None if nobody has to.

        Who is an account of the system's, `bridge.records.ports.EVERYBODY`, or None
        for the account that asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """`workers` is how many calls the line makes at once; the rest is per operation."""

    deadline: float = _DEADLINE
    longest: int = _LONGEST
    workers: int = 8


class Line:
    """
    The way to one instance of a system, at `base`.

    `paths` are the paths below `base` that may be asked for, each with its slash at the
    end. `bucket` is `system:instance`; `shown` names the system to people. `ca` is a
    file of certificates to trust instead of the usual ones. Environment variables
    (proxies, .netrc) have no say.
    """

    def __init__(  # noqa: PLR0913 - said once, where a connector is put together
        self,
        base: str,
        paths: tuple[str, ...],
        *,
        bucket: str,
        shown: str,
        budget: Budget,
        manners: Manners,
        limits: Limits = Limits(),
        ca: str = "",
        proxy: str = "",
    ) -> None:
        self.pin = Pin(base, paths)
        self.bucket = bucket
        self.shown = shown
        self.budget = budget
        self.manners = manners
        self.limits = limits
        self.adapter = Adapter(limits.workers)
        self.ca = ca or True
        self.proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix=bucket)
        self._free = asyncio.Semaphore(limits.workers)
        self._running: set[Thread] = set()

    async def call(  # noqa: PLR0913 - an operation's terms, each with its default
        self,
        access: Access,
        work: Callable[["Session"], _Result],
        *,
        urgent: bool = True,
        writes: bool = False,
        calls: int = 1,
        deadline: float | None = None,
    ) -> _Result:
        """
        Run `work` in a thread, as one account, and return what it returns.

        `calls` is how many requests it makes; `writes` says that a lost answer leaves
        open whether something was written.
        """
        until = time.monotonic() + (deadline or self.limits.deadline)
        thread = Thread(until)
        try:
            async with asyncio.timeout(until - time.monotonic()):
                token = await access.token()
                await self._free.acquire()
        except TimeoutError:
            raise ServiceUnavailable(f"{self.shown} is too slow now") from None
        loop = asyncio.get_running_loop()
        terms = Terms(access, token, urgent, writes, calls)
        session = Session(self, terms, thread, loop)
        running = loop.run_in_executor(self._pool, _inside, thread, session, work)
        self._running.add(thread)
        running.add_done_callback(lambda _done: self._ended(thread))
        try:
            await asyncio.wait({running}, timeout=until - time.monotonic())
        finally:
            if not running.done():
                thread.abort()
                running.add_done_callback(_heard)
        if not running.done():
            raise session.lost("is too slow now")
        try:
            return running.result()
        except TooLate:
            raise session.lost("is too slow now") from None
        except requests.exceptions.JSONDecodeError:
            raise session.lost("gave an answer that cannot be read") from None

    def _ended(self, thread: Thread) -> None:
        self._running.discard(thread)
        self._free.release()

    async def aclose(self) -> None:
        """End the line, and every call on it."""
        for thread in list(self._running):
            thread.abort()
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        self.adapter.close()


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms one operation runs."""

    access: Access
    token: str
    urgent: bool
    writes: bool
    calls: int


class Session(requests.Session):
    """
    One operation's session, for one thread.

    `heard` are the headers of the latest answer. `sent` counts requests on the wire.
    """

    def __init__(
        self,
        line: Line,
        terms: Terms,
        thread: Thread,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = line.ca
        self.proxies = dict(line.proxies)
        self.mount("https://", line.adapter)
        self.mount("http://", line.adapter)
        self.heard: Mapping[str, str] = {}
        self.sent = 0
        self._line = line
        self._terms = terms
        self._thread = thread
        self._loop = loop
        self._token = terms.token
        self._renewed = False
        self._repeated = False

    def lost(self, why: str) -> ServiceUnavailable:
        """Return the error for an answer that never came, or is worth nothing."""
        reason = f"{self._line.shown} {why}"
        if self._terms.writes and self.sent:
            return Unsure(f"{reason}: it may have been written")
        return ServiceUnavailable(reason)

    def prepare_request(self, request: requests.Request) -> PreparedRequest:
        # Here the URL still is what the library made: nothing is normalised away.
        self._line.pin.check(str(request.url))
        return super().prepare_request(request)

    def get_redirect_target(self, resp: Response) -> None:  # noqa: ARG002
        return None

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        request.url = self._line.pin.pinned(str(request.url))
        while True:
            request.headers["Authorization"] = f"Bearer {self._token}"
            answer = self._once(request, kwargs)
            if answer is None:
                continue
            self._told(answer)
            if not self._line.manners.refused(answer):
                return answer
            if self._renewed:
                raise NotConnected(f"{self._line.shown} does not accept the account")
            self._token = self._ask(self._terms.access.renewed(self._token))
            self._renewed = True

    def _once(
        self, request: PreparedRequest, kwargs: dict[str, Any]
    ) -> Response | None:
        """Send a request; None if it is only read, failed, and may be sent again."""
        again = not self._terms.writes and not self._repeated
        if self.sent > self._terms.calls:
            raise self.lost("was asked too often for one operation")
        self._count()
        left = self._thread.left()
        kwargs |= {
            "timeout": (min(_CONNECTING, left), left),
            "allow_redirects": False,
            "stream": True,
        }
        before, self.sent = self.sent, self.sent + 1
        try:
            answer = super().send(request, **kwargs)
            read_within(answer, self._thread, self._line.limits.longest)
        except TooLarge:
            raise self.lost("gave an answer that is too large") from None
        # Causes are cut off: their texts hold addresses, with what was asked for.
        except requests.exceptions.ConnectTimeout:
            self.sent = before
            raise self.lost("cannot be reached") from None
        except requests.exceptions.Timeout:
            raise self.lost("is too slow now") from None
        except requests.exceptions.RequestException as error:
            if _never_sent(error):
                self.sent = before
                raise self.lost("cannot be reached") from None
            if again:
                self._repeated = True
                return None
            raise self.lost("broke off") from None
        if again and answer.status_code in _TRY_AGAIN:
            self._repeated = True
            return None
        return answer

    def _count(self) -> None:
        line, terms = self._line, self._terms
        self._ask(
            line.budget.spend(line.bucket, terms.access.account, urgent=terms.urgent)
        )

    def _told(self, answer: Response) -> None:
        self.heard = answer.headers
        line = self._line
        if (quota := line.manners.quota(answer)) is not None:
            self._ask(line.budget.told(line.bucket, *quota))
        if (pause := line.manners.pause(answer)) is not None:
            who = self._terms.access.account if pause[0] is None else pause[0]
            self._ask(line.budget.pause(line.bucket, who, pause[1]))
            raise Spent(f"{line.shown} takes no more calls for now", pause[1])

    def _ask(self, question: Coroutine[Any, Any, _Result]) -> _Result:
        """Let the event loop answer, from this thread."""
        asked: Future[_Result] = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return asked.result(self._thread.left())
        except TimeoutError:
            asked.cancel()
            raise TooLate from None


def _never_sent(error: requests.exceptions.RequestException) -> bool:
    """Say whether there was no connection at all, so that nothing can have arrived."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(cause, NewConnectionError)


def _inside(
    thread: Thread, session: Session, work: Callable[[Session], _Result]
) -> _Result:
    with thread:
        thread.left()
        return work(session)


def _heard(running: "asyncio.Future[Any]") -> None:
    """A thread that came too late: nobody waits for what it has to say."""
    if not running.cancelled():
        running.exception()


def host_of(base: str) -> str:
    """Return host and port as libraries want them that put the scheme in themselves."""
    return urlsplit(base).netloc
