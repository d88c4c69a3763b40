"""
Calls to business systems, counted together by all processes that share a Redis.

Without one, and while it is away, each process counts by itself: calls in a stretch of
time as `storage.limiter` does, with its care after a loss, and a day's quota as far as
it made the calls, or heard of it, itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog
from redis.exceptions import RedisError

from bridge.ports import Limiter
from bridge.records.budgets import DAY, Quotas, Rates, Room
from bridge.records.model import System
from bridge.records.ports import EVERYBODY, Spent
from storage.redis_client import Client

log = structlog.get_logger()

_MICRO = 1_000_000
# KEYS: calls of the last day; what the system said is used. ARGV: calls, milliseconds.
_COUNT = """
redis.call('SET', KEYS[1], 0, 'PX', ARGV[2], 'NX')
redis.call('INCRBY', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HINCRBY', KEYS[2], 'used', ARGV[1]) end
return 1
"""
# KEYS: what the system said. ARGV: used, of how many, milliseconds to believe it.
_TELL = """
redis.call('HSET', KEYS[1], 'used', ARGV[1], 'most', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
_QUARTER = 15 * 60.0  # seconds until a used-up quota is looked at again


@dataclass(slots=True)
class RecordBudget:
    """
    Implements `bridge.records.ports.Budget` for one company.

    `rates` are by bucket (`system:instance`); what is not there is a system's `usual`.
    `clock` counts microseconds and never goes back. `redis` is the caller's to close.
    """

    tenant: str
    limiter: Limiter
    rates: Callable[[str], Rates]
    clock: Callable[[], int]
    redis: Client | None = None
    quotas: Quotas = field(default_factory=Quotas)
    _away: bool = False

    async def spend(
        self, bucket: str, account: str, *, urgent: bool, calls: int = 1
    ) -> None:
        rates = self.rates(bucket)
        buckets = [
            rates.whole(self.tenant, bucket),
            rates.account(self.tenant, bucket, account),
        ]
        if not urgent:
            used, most = await self._stands(bucket, rates)
            match rates.room(used, most):
                case Room.NEARLY_NONE:
                    raise Spent(_spent(bucket, "nearly used up for today"), _QUARTER)
                case Room.TIGHT:
                    buckets.append(rates.gathered(self.tenant, bucket))
                case Room.PLENTY:
                    pass
        for _ in range(max(1, calls)):
            if wait := await self.limiter.reserve(buckets):
                raise Spent(_spent(bucket, "used up for now"), wait.us / _MICRO)
        await self._count(bucket, calls)

    async def search(self, bucket: str, *, urgent: bool) -> float:
        rates = self.rates(bucket)
        counted = rates.searches(self.tenant, bucket, urgent=urgent)
        wait = await self.limiter.reserve(counted)
        return wait.us / _MICRO if wait else 0.0

    async def told(self, bucket: str, used: int, most: int) -> None:
        if most <= 0:
            return
        self.quotas.told(self._key(bucket), used, most, self.clock())
        key, milliseconds = self._name(bucket, "told"), self.quotas.believed_us // 1000
        if self.redis is None:
            return
        try:
            await self.redis.eval(
                _TELL, 1, key, str(used), str(most), str(milliseconds)
            )
            self._away = False
        except (RedisError, OSError, TimeoutError) as error:
            self._lost(error)

    async def pause(self, bucket: str, account: str, seconds: float) -> None:
        rates = self.rates(bucket)
        paused = (
            rates.whole(self.tenant, bucket)
            if account == EVERYBODY
            else rates.account(self.tenant, bucket, account)
        )
        await self.limiter.pause(paused, int(seconds * _MICRO))

    async def _stands(self, bucket: str, rates: Rates) -> tuple[int, int]:
        own = self.quotas.stands(self._key(bucket), rates.daily, self.clock())
        if self.redis is None:
            return own
        try:
            told = await self.redis.hgetall(self._name(bucket, "told"))
            counted = await self.redis.get(self._name(bucket, "used"))
            self._away = False
        except (RedisError, OSError, TimeoutError) as error:
            self._lost(error)
            return own
        if told:
            return int(told[b"used"]), int(told[b"most"])
        if rates.daily and counted:
            return int(counted), rates.daily
        return 0, 0

    async def _count(self, bucket: str, calls: int) -> None:
        self.quotas.spend(self._key(bucket), calls, self.clock())
        if self.redis is None:
            return
        try:
            keys = [self._name(bucket, what) for what in ("used", "told")]
            await self.redis.eval(_COUNT, 2, *keys, str(calls), str(DAY * 1000))
            self._away = False
        except (RedisError, OSError, TimeoutError) as error:
            self._lost(error)

    def _key(self, bucket: str) -> tuple[str, str]:
        return self.tenant, bucket

    def _name(self, bucket: str, what: str) -> str:
        return f"atom:quota:{{{self.tenant}}}:{bucket}:{what}"

    def _lost(self, error: Exception) -> None:
        if not self._away:
            log.warning("quotas are not shared now", error=type(error).__name__)
        self._away = True


def rates_of(
    chosen: Mapping[str, Rates], usual: Mapping[System, Rates]
) -> Callable[[str], Rates]:
    """Return what finds a bucket's rates: those that were chosen, or its system's."""

    def rates(bucket: str) -> Rates:
        system = bucket.partition(":")[0]
        found = chosen.get(bucket)
        return found or usual.get(System(system), Rates()) if system else Rates()

    return rates


def _spent(bucket: str, why: str) -> str:
    system = bucket.partition(":")[0]
    shown = System(system).shown if system in set(System) else system
    return f"The calls that {shown} takes are {why}."
