"""
Calls counted ahead of the platforms: in this process, or in Redis for all of them.

Redis counts by its own clock, since the processes' clocks may differ, and one script
counts a call in all of its buckets or in none. They carry the company's hash tag, so
that the script touches one slot of a cluster. Calls of one company that are asked for
while Redis is being asked, or right after it was, wait and go together: asking is dearer
than counting.

When Redis is away, slow, or another one than before, nobody knows what was called. For
a while after that each process keeps to its own careful share of the limits as well.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic

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
_TOGETHER = 64  # calls that Redis is asked for at once
_APART = 0.004  # seconds, if several are asked for in that time

# KEYS: for each bucket its calls, oldest first, and its pause.
# ARGV: for each call how many buckets it takes from; for each of those how many windows
# it has, then each one's count and span.
# Returns for each call which of its buckets is full and for how long, and who answers.
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local key, at, answers = 1, 1, {}

local function argument()
  at = at + 1
  return tonumber(ARGV[at - 1])
end

local function reserve(buckets)
  local wait, full = 0, 0
  local first, most, longest = key, {}, {}
  for n = 1, buckets do
    local calls, paused = KEYS[key], redis.call('PTTL', KEYS[key + 1]) * 1000
    key = key + 2
    if paused > wait then wait, full = paused, n end
    -- After the clock went back, what it calls the future has just happened.
    local last = -1
    while (tonumber(redis.call('LINDEX', calls, last)) or 0) > now do
      redis.call('LSET', calls, last, string.format('%.0f', now))
      last = last - 1
    end
    most[n], longest[n] = 0, 0
    for _ = 1, argument() do
      local count, span = argument(), argument()
      local oldest = tonumber(redis.call('LINDEX', calls, -count))
      if oldest and oldest + span - now > wait then
        wait, full = oldest + span - now, n
      end
      most[n], longest[n] = math.max(most[n], count), math.max(longest[n], span)
    end
  end
  for n = 1, wait == 0 and buckets or 0 do
    if most[n] > 0 then
      local calls = KEYS[first + 2 * (n - 1)]
      redis.call('RPUSH', calls, string.format('%.0f', now))
      redis.call('LTRIM', calls, -most[n], -1)
      redis.call('PEXPIRE', calls, math.ceil(longest[n] / 1000))
    end
  end
  table.insert(answers, full)
  table.insert(answers, wait)
end

while at <= #ARGV do reserve(argument()) end
return {redis.call('INFO', 'server'), unpack(answers)}
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
class _Line:
    """Calls of one company that Redis is to be asked for, and who asks."""

    waiting: list[tuple[Sequence[Bucket], asyncio.Future[Wait | None]]] = field(
        default_factory=list
    )
    asking: asyncio.Task[None] | None = None
    asked_at: float = -1.0


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
    _lines: dict[str, _Line] = field(default_factory=dict)
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
        line = self._lines.setdefault(buckets[0].tenant, _Line())
        answer: asyncio.Future[Wait | None] = asyncio.get_running_loop().create_future()
        line.waiting.append((buckets, answer))
        if line.asking is None:
            line.asking = asyncio.create_task(self._ask(line))
        return await answer or self._alone(buckets)

    async def _ask(self, line: _Line) -> None:
        """Answer whoever waits with what Redis says, or with nothing if it is away."""
        try:
            while line.waiting:
                since = monotonic() - line.asked_at
                if since < _APART and len(line.waiting) < _TOGETHER:
                    await asyncio.sleep(_APART - since)
                line.asked_at = monotonic()
                asked = line.waiting[:_TOGETHER]
                line.waiting = line.waiting[_TOGETHER:]
                waits: Sequence[Wait | Exception | None]
                try:
                    waits = await self._asked([buckets for buckets, _ in asked])
                except Exception as error:  # noqa: BLE001 - it is theirs who asked
                    waits = [error] * len(asked)
                for (_, answer), wait in zip(asked, waits, strict=True):
                    _settle(answer, wait)
        finally:
            line.asking = None

    async def _asked(self, calls: Sequence[Sequence[Bucket]]) -> Sequence[Wait | None]:
        if self._resting:
            return [None] * len(calls)
        try:
            server, *told = await self._reserve(
                keys=[key for buckets in calls for key in _keys(buckets)],
                args=[word for buckets in calls for word in _windows(buckets)],
            )
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error, len(calls))
            return [None] * len(calls)
        self._failures = 0
        self._recognise(calls[0][0].tenant, server.decode())
        return [
            Wait(buckets[full - 1].name, us) if full else None
            for buckets, full, us in zip(calls, told[::2], told[1::2], strict=True)
        ]

    async def pause(self, bucket: Bucket, us: int) -> None:
        self.calls.pause(bucket, self.clock() + us)
        if self._resting:
            return
        key, milliseconds = _names(bucket)[1], -(-us // 1000) + 1
        try:
            await self._pause(keys=[key], args=[milliseconds])
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error, 1)

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

    def _failed(self, error: Exception, calls: int) -> None:
        if not self._careful:
            log.warning("limits are not shared now", error=type(error).__name__)
        now = self.clock()
        self._failures += calls
        self._ask_again_us = now + _REST_US
        self._careful_until = now + self.careful_us


def _settle(answer: asyncio.Future[Wait | None], wait: Wait | Exception | None) -> None:
    if answer.done():
        return  # who asked has gone
    if isinstance(wait, Exception):
        answer.set_exception(wait)
    else:
        answer.set_result(wait)


def _names(bucket: Bucket) -> tuple[str, str]:
    """Return the keys of a bucket's calls and of its pause."""
    name = f"atom:limit:{{{bucket.tenant}}}:{bucket.name}"
    return name, f"{name}:pause"


def _keys(buckets: Sequence[Bucket]) -> Iterator[str]:
    for bucket in buckets:
        yield from _names(bucket)


def _windows(buckets: Sequence[Bucket]) -> Iterator[int]:
    yield len(buckets)
    for bucket in buckets:
        yield len(bucket.windows)
        for window in bucket.windows:
            yield window.count
            yield window.span_us


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
