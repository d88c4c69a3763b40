"""
Which shards this process works on, and whether it may still believe so.

A process that was frozen for a while does not know it: its leases ran out meanwhile,
and somebody else works on its shards. So it looks at a clock that goes on while the
process stands still and while the machine sleeps, before every request that it sends
for a delivery.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import SimpleNamespace

from aiohttp import ClientSession, TraceConfig

from bridge.errors import Fenced
from bridge.ports import Lease

# A lease is not worked by to its last moment: what is sent then may arrive too late.
_TRUSTED = 0.7

_Check = Callable[[], None]


def elapsed() -> float:
    """Return seconds on a clock that nobody sets and that never stands still."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(slots=True)
class Leases:
    """The leases held, each with the moment at which it was last asked for."""

    lasts: float
    clock: Callable[[], float] = elapsed
    _held: dict[int, tuple[Lease, float]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[int]:
        return iter(self._held)

    def of(self, shard: int) -> Lease | None:
        held = self._held.get(shard)
        return held[0] if held else None

    def gain(self, leases: Iterable[Lease], asked_at: float) -> None:
        """
        Take leases up, or keep them longer.

        They count from when they were asked for: the answer may have taken its time.
        """
        for lease in leases:
            self._held[lease.shard] = (lease, asked_at)

    def lose(self, shards: Collection[int]) -> None:
        for shard in shards:
            self._held.pop(shard, None)

    def hold(self, lease: Lease) -> bool:
        """Whether the lease is still the one by which this process works."""
        return self.of(lease.shard) == lease

    def stale(self) -> set[int]:
        """Return the shards whose leases were not renewed in time."""
        oldest = self._oldest()
        return {
            shard for shard, (_, asked_at) in self._held.items() if asked_at < oldest
        }

    def _oldest(self) -> float:
        return self.clock() - _TRUSTED * self.lasts

    def check(self, lease: Lease) -> None:
        """Raise `Fenced` unless the lease is held and was renewed in time."""
        held = self._held.get(lease.shard)
        if held is None or held[0] != lease or held[1] < self._oldest():
            raise Fenced(f"the lease of shard {lease.shard} may have run out")


_last: ContextVar[_Check] = ContextVar("last_check", default=lambda: None)


@contextmanager
def checked(check: _Check) -> Iterator[None]:
    """Let `check` have the last word on every request that is sent from within."""
    token = _last.set(check)
    try:
        yield
    finally:
        _last.reset(token)


def last_check() -> None:
    """Ask for that last word. What it raises is for whoever wanted to send."""
    _last.get()()


def checking() -> TraceConfig:
    """
    Make an HTTP session ask for the last word on each request.

    A connection stands then, and nothing was written to it.
    """
    trace = TraceConfig()
    trace.on_connection_create_end.append(_ask)
    trace.on_connection_reuseconn.append(_ask)
    return trace


async def _ask(_session: ClientSession, _of: SimpleNamespace, _what: object) -> None:
    last_check()
