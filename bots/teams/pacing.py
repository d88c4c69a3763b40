"""
Let what ATOM says in Teams by itself take turns with the deliveries of a channel.

Answers, notices and cards count against the same limits as copies do, and those of all
processes. So they take from the same buckets, wait a little until there is room, and
leave a channel alone that Teams asks to leave alone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from bridge.errors import NotSent, StoreUnavailable, Throttled
from bridge.limits import Limits
from bridge.messages import Channel, Platform
from bridge.ports import Limiter, Tenants

T = TypeVar("T")
Call = Callable[[], Awaitable[T]]

_MICRO = 1_000_000
SHORTLY = 5.0  # seconds; a command is its process's to answer for little longer


class Pace(Protocol):
    """Makes a call when it is its turn."""

    async def turn(
        self, account: str, channel: Channel, call: Call[T], within: float = SHORTLY
    ) -> T:
        """
        Make a call that posts in a channel of a Teams tenant, or changes a post there.

        Raises `Throttled` if its turn does not come `within` so many seconds: nothing
        was sent then.
        """
        ...


class AtOnce:
    """Implements `Pace` where nobody else calls."""

    async def turn(
        self,
        account: str,  # noqa: ARG002  # the port's signature
        channel: Channel,  # noqa: ARG002  # see above
        call: Call[T],
        within: float = SHORTLY,  # noqa: ARG002  # see above
    ) -> T:
        return await call()


@dataclass(slots=True)
class Pacing:
    """
    Implements `Pace`. `clock` gives seconds and never goes back.

    Without a `limiter`, as on the command line, only what Teams asks for is waited for.
    """

    tenants: Tenants
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    limiter: Limiter | None = None
    limits: Limits = field(default_factory=Limits)

    async def turn(
        self, account: str, channel: Channel, call: Call[T], within: float = SHORTLY
    ) -> T:
        tenant = await self._tenant(account)
        until = self.clock() + within
        while True:
            await self._room(tenant, channel, until)
            try:
                return await call()
            except Throttled as asked:
                # Nothing was done. Nobody else is to ask in vain meanwhile, either.
                if self.limiter and tenant:
                    bucket = self.limits.spoken(tenant, channel)[0]
                    pause = int(asked.retry_after * _MICRO)
                    await self.limiter.pause(bucket, pause)
                if self.clock() + asked.retry_after > until:
                    raise
                await self.sleep(asked.retry_after)

    async def _room(self, tenant: str | None, channel: Channel, until: float) -> None:
        """Count a call, once there is room for it. Raises `Throttled` if that is late."""
        if self.limiter is None or not tenant:
            return
        buckets = self.limits.spoken(tenant, channel)
        while wait := await self.limiter.reserve(buckets):
            seconds = wait.us / _MICRO
            if self.clock() + seconds > until:
                raise Throttled("much is being said there just now", seconds)
            await self.sleep(seconds)

    async def _tenant(self, account: str) -> str | None:
        try:
            return await self.tenants.tenant_of(Platform.TEAMS, account)
        except StoreUnavailable as error:
            raise NotSent(str(error)) from error
