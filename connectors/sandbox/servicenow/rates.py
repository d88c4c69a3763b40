"""
Rate limits by the hour, for each user and API.

Source: ServiceNow's documentation, "Inbound REST API rate limiting".
"""

from collections import Counter

from connectors.sandbox.clock import Clock
from connectors.sandbox.servicenow.replies import Reply, refused

_HOUR = 3600


class Rates:
    """Counts calls in the running hour; each hour starts anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: Counter[tuple[str, str, int]] = Counter()

    def count(self, user: str, api: str, limit: int) -> Reply | None:
        """Count a call, or return why it is not taken; a limit of 0 is none."""
        if not limit:
            return None
        key = (user, api, self._hour)
        if self._counts[key] >= limit:
            return self.refusal(self._left, limit, api)
        self._counts[key] += 1
        return None

    def refusal(self, seconds: int, limit: int, api: str) -> Reply:
        detail = f"Rate limit of {limit} requests per hour for {api} exceeded"
        headers = {"Retry-After": str(seconds)} | self._told(limit)
        return Reply(refused("Rate limit exceeded", detail), 429, headers)

    def headers(self, _user: str, _api: str, limit: int) -> dict[str, str]:
        return self._told(limit) if limit else {}

    def _told(self, limit: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Reset": str((self._hour + 1) * _HOUR),
            "X-RateLimit-Rule": "rule-of-the-stand-in",
        }

    @property
    def _hour(self) -> int:
        return int(self._clock.now()) // _HOUR

    @property
    def _left(self) -> int:
        return max(1, (self._hour + 1) * _HOUR - int(self._clock.now()))
