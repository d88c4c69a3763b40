"""How often an app may call: token buckets, by method, workspace and channel."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from bots.sandbox.settings import Settings
from bots.sandbox.slack.errors import RateLimited
from bots.sandbox.slack.methods import Method

_READS = frozenset({"conversations.history", "conversations.replies"})


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Limits:
    """Refuses a call that comes too soon, with the seconds to wait."""

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._buckets: dict[tuple[str, ...], _Bucket] = {}

    def clear(self) -> None:
        self._buckets.clear()

    def admit(self, method: Method, team: str, channel: str) -> None:
        """Count a call; raises `RateLimited` when it is one too many."""
        if not self._settings.get("slack.rate_limits"):
            return
        if method.name == "chat.postMessage":
            self._post(team, channel)
            return
        if method.name in _READS and self._settings.get("slack.history_limited"):
            self._take((team, method.name), 1 / 60, 1)
            return
        others = self._settings.get("slack.method_tiers")
        tier = others.get(method.name, method.tier)
        per_minute = float(self._settings.get("slack.tiers")[tier])
        burst = max(1.0, per_minute * self._settings.get("slack.tier_burst"))
        self._take((team, method.name), per_minute / 60, burst)

    def _post(self, team: str, channel: str) -> None:
        whole = self._settings.get("slack.workspace_posts_per_minute")
        if whole:
            most = self._settings.get("slack.workspace_post_burst") or whole
            self._take((team, "posts"), whole / 60, most)
        rate = self._settings.get("slack.posts_per_second")
        burst = self._settings.get("slack.post_burst")
        self._take((team, "chat.postMessage", channel), rate, burst)

    def _take(self, key: tuple[str, ...], rate: float, most: float) -> None:
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(most, now))
        bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.tokens < 1:
            raise RateLimited(max(1, math.ceil((1 - bucket.tokens) / rate)))
        bucket.tokens -= 1
