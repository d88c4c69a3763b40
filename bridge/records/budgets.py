"""
How many calls a business system takes, and what is left of a day's.

What nobody waits for steps aside first: from four fifths of a quota on it is made
seldom, so that changes gather into one call, and from 95 in a hundred on not at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from bridge.limits import UNLIMITED, Bucket, Window, windows
from bridge.records.model import System

DAY = 24 * 3600
_SEARCHES = Window(5, 1_250_000)  # five a second, and some are longer on their way
_PATIENT = Window(1, 1_250_000)  # of which so many by those for whom nobody waits
_GATHERED = Window(1, 10_000_000)  # calls that nobody waits for, once it is tight
_MICRO = 1_000_000


class Room(Enum):
    """How a quota stands."""

    PLENTY = "plenty"
    TIGHT = "tight"
    NEARLY_NONE = "nearly none"


@dataclass(frozen=True, slots=True)
class Rates:
    """
    What one instance takes: `all_calls` and `each` account's, as `CALLS/SECONDS` with
    blanks between, or `none`; `daily` calls in 24 hours, 0 where the system says so
    itself or nobody does. `tight` and `nearly` are shares of a day's quota.
    """

    all_calls: str = UNLIMITED
    each: str = UNLIMITED
    daily: int = 0
    tight: float = 0.80
    nearly: float = 0.95

    def room(self, used: int, most: int) -> Room:
        """Say how a quota stands; one that is not known has room."""
        if most <= 0 or used < self.tight * most:
            return Room.PLENTY
        return Room.TIGHT if used < self.nearly * most else Room.NEARLY_NONE

    def whole(self, tenant: str, bucket: str) -> Bucket:
        return Bucket(tenant, f"records {bucket}", windows(self.all_calls))

    def account(self, tenant: str, bucket: str, account: str) -> Bucket:
        name = f"records {bucket} of {account or 'the integration'}"
        return Bucket(tenant, name, windows(self.each))

    def gathered(self, tenant: str, bucket: str) -> Bucket:
        """Return what lets few calls through that nobody waits for."""
        return Bucket(tenant, f"records {bucket} gathered", (_GATHERED,))

    def searches(self, tenant: str, bucket: str, *, urgent: bool) -> list[Bucket]:
        """Return what counts searches, where a system takes few of them a second."""
        every = Bucket(tenant, f"records {bucket} searches", (_SEARCHES,))
        patient = Bucket(tenant, f"records {bucket} patient searches", (_PATIENT,))
        return [every] if urgent else [every, patient]


# As the vendors document them, with a little air. HubSpot: 100 calls in 10 seconds for
# the smallest private app, 110 for an OAuth app and a portal. Jira and ServiceNow say
# so when it is too much; Salesforce counts by day, and tells with every answer.
USUAL: Mapping[System, Rates] = {
    System.SALESFORCE: Rates(all_calls="100/10"),
    System.SERVICENOW: Rates(all_calls="100/10"),
    System.JIRA: Rates(all_calls="100/10"),
    System.HUBSPOT: Rates(all_calls="95/10", each="95/10", daily=250_000),
    System.HR: Rates(all_calls="20/10"),
}


@dataclass(slots=True)
class Quota:
    """
    What is known of one quota.

    What a system said counts for a while alone: over a rolling day calls come back, and
    somebody has to be the first to hear of it.
    """

    used: int = 0
    most: int = 0
    told_us: int = 0
    since_us: int = 0


@dataclass(slots=True)
class Quotas:
    """
    Keeps quotas in one process. `daily` are counted here where no system says more;
    what it said is believed for `believed_us`.
    """

    believed_us: int = 15 * 60 * _MICRO
    _known: dict[tuple[str, str], Quota] = field(default_factory=dict)

    def spend(self, key: tuple[str, str], calls: int, now_us: int) -> None:
        quota = self._of(key, now_us)
        quota.used += calls

    def told(self, key: tuple[str, str], used: int, most: int, now_us: int) -> None:
        self._known[key] = Quota(used, most, now_us, now_us)

    def stands(self, key: tuple[str, str], daily: int, now_us: int) -> tuple[int, int]:
        """Return what is used, and of how many; of 0 if it is not known."""
        quota = self._of(key, now_us)
        if quota.told_us and now_us - quota.told_us <= self.believed_us:
            return quota.used, quota.most
        if daily and not quota.told_us:
            return quota.used, daily
        return 0, 0

    def _of(self, key: tuple[str, str], now_us: int) -> Quota:
        quota = self._known.get(key)
        if quota is None or now_us - quota.since_us >= DAY * _MICRO:
            quota = self._known[key] = Quota(since_us=now_us)
        return quota
