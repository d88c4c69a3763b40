"""
Calls counted ahead of the platforms: in this process, or in Redis for all of them.

Redis counts by its own clock, since the processes' clocks may differ, and one script
counts a call in all of its buckets or in none. They carry the company's hash tag, so
that the script touches one slot of a cluster.

When Redis is away, slow, or another one than before, nobody knows what was called. For
a while after that each process keeps to its own careful share of the limits as well.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from bridge.limits import Accountant, Bucket, Wait
from storage.redis_client import Client, redis_at

log = structlog.get_logger()

_SECOND = 1_000_000
_GIVE_UP = 0.25  # seconds
_HEALTH_CHECK = 10
_CAREFUL_SHARE = 0.5
_FAILURES = 5
_REST_US = 2 * _SECOND

# KEYS: for each bucket its calls, oldest first, and its pause.
# ARGV: for each bucket how many windows it has, then each one's count and span.
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local wait, full, at = 0, 0, 1
local most, longest = {}, {}
for n = 1, #KEYS / 2 do
  local calls, paused = KEYS[2 * n - 1], redis.call('PTTL', KEYS[2 * n]) * 1000
  if paused > wait then wait, full = paused, n end
  -- After the clock went back, what it calls the future has just happened.
  local last = -1
  while (tonumber(redis.call('LINDEX', calls, last)) or 0) > now do
    redis.call('LSET', calls, last, string.format('%.0f', now))
    last = last - 1
  end
  most[n], longest[n] = 0, 0
  for _ = 1, tonumber(ARGV[at]) do
    local count, span = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    local first = tonumber(redis.call('LINDEX', calls, -count))
    if first and first + span - now > wait then
      wait, full = first + span - now, n
    end
    most[n], longest[n] = math.max(most[n], count), math.max(longest[n], span)
    at = at + 2
  end
  at = at + 1
end
if wait == 0 then
  for n = 1, #most do
    if most[n] > 0 then
      local calls = KEYS[2 * n - 1]
      redis.call('RPUSH', calls, string.format('%.0f', now))
      redis.call('LTRIM', calls, -most[n], -1)
      redis.call('PEXPIRE', calls, math.ceil(longest[n] / 1000))
    end
  end
end
return {full, wait, redis.call('INFO', 'server')}
"""
_PAUSE = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
"""
_RUN = re.compile(r"run_id:(\w+)")
_UPTIME = re.compile(r"uptime_in_seconds:(\d+)")


@dataclass(frozen=True, slots=True)
class LocalLimiter:
    """
    Implements `bridge.ports.Limiter` for a process that works alone.

    `clock` counts microseconds and never goes back.
    """

    clock: Callable[[], int]
    calls: Accountant = field(default_factory=Accountant)

    async def reserve(self, buckets: Sequence[Bucket]) -> Wait | None:
        return self.calls.reserve(buckets, self.clock())

    async def pause(self, bucket: Bucket, us: int) -> None:
        self.calls.pause(bucket, self.clock() + us)


@dataclass(slots=True)
class RedisLimiter:
    """
    Implements `bridge.ports.Limiter` for processes that share a Redis.

    `processes` tells how many live ones share the limits. What this process calls is
    counted here too, so that it knows at least its own part when Redis is gone. It is
    careful for `careful_us` after Redis was lost.
    """

    redis: Client
    clock: Callable[[], int]
    processes: Callable[[], int]
    careful_us: int
    calls: Accountant = field(default_factory=Accountant)
    _reserve: AsyncScript = field(init=False)
    _pause: AsyncScript = field(init=False)
    _runs: dict[str, str] = field(default_factory=dict)
    _careful_until: int = 0
    _failures: int = 0
    _ask_again_us: int = 0

    def __post_init__(self) -> None:
        self._reserve = self.redis.register_script(_RESERVE)
        self._pause = self.redis.register_script(_PAUSE)

    @classmethod
    def at(
        cls,
        url: str,
        clock: Callable[[], int],
        processes: Callable[[], int],
        careful_us: int,
        patience: float = _GIVE_UP,
    ) -> "RedisLimiter":
        # Asked once: a call that is counted twice is lost, and others wait.
        client = redis_at(
            url,
            socket_timeout=patience,
            socket_connect_timeout=patience,
            health_check_interval=_HEALTH_CHECK,
            retry=Retry(NoBackoff(), 0),
        )
        return cls(client, clock, processes, careful_us)

    async def reserve(self, buckets: Sequence[Bucket]) -> Wait | None:
        if wait := self._own_wait(buckets):
            return wait
        if self._resting:
            return self._alone(buckets)
        try:
            full, us, server = await self._reserve(
                keys=[*_keys(buckets)], args=[*_windows(buckets)]
            )
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)
            return self._alone(buckets)
        self._failures = 0
        self._recognise(buckets[0].tenant, server.decode())
        if full:
            return Wait(buckets[full - 1].name, us)
        return self._alone(buckets)

    async def pause(self, bucket: Bucket, us: int) -> None:
        self.calls.pause(bucket, self.clock() + us)
        if self._resting:
            return
        key, milliseconds = _names(bucket)[1], -(-us // 1000) + 1
        try:
            await self._pause(keys=[key], args=[milliseconds])
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)

    async def aclose(self) -> None:
        await self.redis.aclose()

    @property
    def _careful(self) -> bool:
        return self.clock() < self._careful_until

    @property
    def _resting(self) -> bool:
        """Whether Redis failed so often that it is left alone for a moment."""
        return self._failures >= _FAILURES and self.clock() < self._ask_again_us

    def _own_wait(self, buckets: Sequence[Bucket]) -> Wait | None:
        return self.calls.wait(self._own(buckets), self.clock())

    def _alone(self, buckets: Sequence[Bucket]) -> Wait | None:
        return self.calls.reserve(self._own(buckets), self.clock())

    def _own(self, buckets: Sequence[Bucket]) -> Sequence[Bucket]:
        """Return what this process may use of the buckets by itself."""
        if not self._careful:
            return buckets
        share = _CAREFUL_SHARE / max(1, self.processes())
        return [bucket.part(share) for bucket in buckets]

    def _recognise(self, tenant: str, server: str) -> None:
        """Be careful for a while if this Redis cannot know what was called."""
        run, uptime = _first(_RUN, server), int(_first(_UPTIME, server) or 0)
        known = self._runs.setdefault(tenant, run) == run
        self._runs[tenant] = run
        young_us = self.careful_us - uptime * _SECOND
        if not known or young_us > 0:
            still_us = young_us if known else self.careful_us
            self._careful_until = max(self._careful_until, self.clock() + still_us)

    def _failed(self, error: Exception) -> None:
        if not self._careful:
            log.warning("limits are not shared now", error=type(error).__name__)
        now = self.clock()
        self._failures += 1
        self._ask_again_us = now + _REST_US
        self._careful_until = now + self.careful_us


def _names(bucket: Bucket) -> tuple[str, str]:
    """Return the keys of a bucket's calls and of its pause."""
    name = f"atom:limit:{{{bucket.tenant}}}:{bucket.name}"
    return name, f"{name}:pause"


def _keys(buckets: Sequence[Bucket]) -> Iterator[str]:
    for bucket in buckets:
        yield from _names(bucket)


def _windows(buckets: Sequence[Bucket]) -> Iterator[int]:
    for bucket in buckets:
        yield len(bucket.windows)
        for window in bucket.windows:
            yield window.count
            yield window.span_us


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
