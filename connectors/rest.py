"""
Speak JSON with one business system over HTTP, within its budget and as one account.

What a system answers is never trusted to be what was asked for: pages for people, half
an answer, other hosts' addresses and answers without end are the same as none. A write
is sent again only if it cannot have been done.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import tenacity
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientHandlerType,
    ClientOSError,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ServerDisconnectedError,
)
from yarl import URL

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.ports import Access, Budget, NotConnected, Spent, Unsure
from connectors.addresses import joined
from connectors.waits import asked_to_wait

_CHUNK = 64 * 1024
_FAILING = frozenset({500, 502, 503, 504})
_REFUSED = HTTPStatus.UNAUTHORIZED

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system said. `body` is JSON, None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any = None

    @property
    def well(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def object(self) -> Mapping[str, Any]:
        """The body if it is an object, else an empty one."""
        return self.body if isinstance(self.body, dict) else {}


@dataclass(frozen=True, slots=True)
class Quota:
    """What a system says of a quota: how much of it is used."""

    used: int
    most: int


def bearer(token: str) -> str:
    """The header of OAuth 2."""
    return f"Bearer {token}"


def no_quota(_: Mapping[str, str]) -> Quota | None:
    """For systems that say nothing of their quotas."""
    return None


def pauses_all(_: Answer) -> bool:
    """Say that whoever is asked to wait makes no call at all meanwhile."""
    return True


@dataclass(frozen=True, slots=True)
class Manner:
    """
    What is a system's own in the way it speaks HTTP.

    `authorization` makes the header of a token, `quota` reads what is said of quotas.
    `pauses` says whether a refused call is a reason for the account to make none at
    all, or concerns this one call. `request_ids` are headers that name a request.
    """

    authorization: Callable[[str], str] = bearer
    quota: Callable[[Mapping[str, str]], Quota | None] = no_quota
    pauses: Callable[[Answer], bool] = pauses_all
    request_ids: tuple[str, ...] = ("X-Request-Id",)


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call. `path` are the steps below the system's address, each an id or a name.

    `repeatable` says that it changes nothing, as a search by POST does; GET never does.
    What nobody waits for is not `urgent`.
    """

    method: str
    path: Sequence[str]
    params: Params = field(default_factory=dict)
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    urgent: bool = True
    repeatable: bool = False

    @property
    def reads(self) -> bool:
        return self.repeatable or self.method == "GET"


@dataclass(frozen=True, slots=True)
class Rest:
    """
    Speaks with one system, named `service` to people, at `base`.

    `bucket` names its budget, `system:instance`. One try takes at most `patience`
    seconds, and a call with all its tries `deadline`; an answer has at most `largest`
    bytes. Reads are tried `attempts` times. `clock` gives seconds since 1970. The
    session is this object's to close.
    """

    session: ClientSession
    service: str
    base: URL
    bucket: str
    budget: Budget
    manner: Manner = field(default_factory=Manner)
    patience: float = 10.0
    deadline: float = 20.0
    largest: int = 8 * 1024 * 1024
    attempts: int = 3
    clock: Callable[[], float] = time.time

    async def send(self, access: Access, call: Call) -> Answer:
        """
        Return what the system says, refusals (4xx) included.

        Raises `Spent` for what may not be asked now, `NotConnected` when the account's
        right is gone, `Unsure` for a write whose answer was lost, and
        `ServiceUnavailable`.
        """
        url = joined(self.base, call.path, call.params)
        tries = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_Lost),
            stop=tenacity.stop_after_attempt(self.attempts if call.reads else 1),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=2.0),
            reraise=True,
        )
        try:
            async with asyncio.timeout(self.deadline):
                return await tries(self._as_account, access, call, url)
        except TimeoutError as late:
            raise self._lost(call, "takes too long") from late
        except _Lost as lost:
            raise self._lost(call, str(lost)) from lost

    def request_id(self, answer: Answer) -> str:
        """Return the system's own name of the request, empty if it gave none."""
        told = (answer.headers.get(name, "") for name in self.manner.request_ids)
        return next((name[:128] for name in told if name), "")

    async def aclose(self) -> None:
        await self.session.close()

    async def _as_account(self, access: Access, call: Call, url: URL) -> Answer:
        """Call with a token; with another one, once, if it is refused."""
        token = await access.token()
        answer = await self._once(access, call, url, token)
        if answer.status != _REFUSED:
            return answer
        renewed = await access.renewed(token)
        answer = await self._once(access, call, url, renewed)
        if answer.status == _REFUSED:
            raise NotConnected(f"{self.service} refuses the account: connect it again")
        return answer

    async def _once(self, access: Access, call: Call, url: URL, token: str) -> Answer:
        await self.budget.spend(self.bucket, access.account, urgent=call.urgent)
        answer = await self._asked(call, url, token)
        quota = self.manner.quota(answer.headers)
        if quota is not None:
            await self.budget.told(self.bucket, quota.used, quota.most)
        if _overrun(answer):
            seconds = asked_to_wait(answer.headers, self.clock())
            if self.manner.pauses(answer):
                await self.budget.pause(self.bucket, access.account, seconds)
            raise Spent(f"{self.service} asked to wait", seconds)
        if answer.status in _FAILING:
            raise _Lost(f"said {answer.status}")
        return answer

    async def _asked(self, call: Call, url: URL, token: str) -> Answer:
        headers = {
            "Accept": "application/json",
            **call.headers,
            "Authorization": self.manner.authorization(token),
        }
        try:
            async with self.session.request(
                call.method,
                url,
                headers=headers,
                json=call.json,
                timeout=ClientTimeout(total=self.patience),
                middlewares=(_once_only,),
                # A redirect would carry the token to wherever the answer says.
                allow_redirects=False,
            ) as response:
                return self._read(response, await self._content(response))
        except ClientConnectorError as error:
            raise ServiceUnavailable(f"{self.service} cannot be reached") from error
        except (ClientError, OSError) as error:
            raise _Lost("does not answer") from error

    async def _content(self, response: ClientResponse) -> bytes:
        content = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            content += chunk
            if len(content) > self.largest:
                raise _Lost("answers without end")
        return bytes(content)

    def _read(self, response: ClientResponse, content: bytes) -> Answer:
        status, headers = response.status, response.headers
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise _Lost(f"said {status}: is its address right?")
        body, readable = _parsed(content)
        # What is refused is refused, in whatever words; what is granted has to be read.
        if not readable and status < HTTPStatus.BAD_REQUEST:
            raise _Lost(f"answered with {response.content_type[:40]}, not JSON")
        return Answer(status, headers, body)

    def _lost(self, call: Call, why: str) -> ServiceUnavailable:
        if call.reads:
            return ServiceUnavailable(f"{self.service} {why}")
        return Unsure(f"{self.service} {why}: it may have been written")


class _Lost(Exception):
    """There is no answer that could be used; the system may have done what was asked."""


async def _once_only(
    request: ClientRequest, handler: ClientHandlerType
) -> ClientResponse:
    """Let aiohttp not send a PUT again by itself after a lost answer, uncounted."""
    try:
        return await handler(request)
    except ClientConnectorError:
        raise  # nothing was sent
    except (ClientOSError, ServerDisconnectedError) as error:
        raise _Lost("does not answer") from error


def _parsed(content: bytes) -> tuple[Any, bool]:
    if not content.strip():
        return None, True
    try:
        return json.loads(content), True
    except (ValueError, RecursionError):
        return None, False


def _overrun(answer: Answer) -> bool:
    """BambooHR says 503 for what others call 429; both name a time."""
    return answer.status == HTTPStatus.TOO_MANY_REQUESTS or (
        answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        and "Retry-After" in answer.headers
    )


def checked_base(address: str, *, local: bool = False) -> URL:
    """
    Return a system's address. Raises `BadInput` for one that may not be spoken to.

    It is https, or http on this machine if `local` is set; nothing else is in it but a
    host, a port and a path.
    """
    try:
        url = URL(address)
    except ValueError:
        raise BadInput("the address of a system is a URL such as https://…") from None
    plain = url.scheme == "http" and local and url.host in {"127.0.0.1", "localhost"}
    if not url.host or not (url.scheme == "https" or plain):
        raise BadInput("the address of a system begins with https://")
    if url.user or url.password or url.query_string or url.fragment:
        raise BadInput("the address of a system has no user, query or fragment in it")
    return url
