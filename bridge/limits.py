"""
How often the platforms let us call, and how long to wait for the next call.

The numbers are the platforms' own estimates, so each can be set differently. Nothing
here looks at a clock or talks to anybody: times come in, in microseconds.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.delivery import Delivery, Operation
from bridge.errors import BadInput
from bridge.messages import Channel, Platform

UNLIMITED = "none"

# As the platforms document them: calls/seconds, all of which hold at once.
TEAMS_CHANNEL = "7/1 8/2 60/30 1800/3600"
TEAMS_TENANT = "30/1"
TEAMS_REACTION = "2/1"  # in a channel; ATOM reacts there only where it is told to
SLACK_CHANNEL = "5/5 60/60"  # "one a second", with short bursts
SLACK_WORKSPACE = "300/60"  # "several hundred a minute"
SLACK_METHOD = "50/60"  # tier 3: what edits and deletes

_FILES = "files"
_MICRO = 1_000_000
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Window:
    """At most `count` calls in any stretch of `span_us`."""

    count: int
    span_us: int

    def part(self, share: float) -> "Window":
        """Return what a share of the window allows: never more than that share."""
        count = self.count * share
        if count >= 1:
            return Window(int(count), self.span_us)
        return Window(1, math.ceil(self.span_us / count))


@dataclass(frozen=True, slots=True)
class Bucket:
    """
    What is counted together: calls of one company that share their windows.

    No two buckets of a process have the same name, whosever they are.
    """

    tenant: str
    name: str
    windows: tuple[Window, ...] = ()

    @property
    def key(self) -> _Key:
        return (self.tenant, self.name)

    @property
    def span_us(self) -> int:
        """After so long a call counts no more."""
        return max((window.span_us for window in self.windows), default=0)

    def part(self, share: float) -> "Bucket":
        """Return the same bucket with a share of its room."""
        parts = tuple(window.part(share) for window in self.windows)
        return Bucket(self.tenant, self.name, parts)


@dataclass(frozen=True, slots=True)
class Wait:
    """Which bucket is full, and after how many microseconds to ask again."""

    bucket: str
    us: int


def windows(text: str) -> tuple[Window, ...]:
    """Read `7/1 60/30`: 7 calls in a second and 60 in half a minute; or `none`."""
    if text.strip() == UNLIMITED:
        return ()
    try:
        pairs = [[int(part) for part in each.split("/")] for each in text.split()]
        found = tuple(Window(count, span * _MICRO) for count, span in pairs)
    except ValueError:
        found = ()
    if not found or any(min(w.count, w.span_us) < 1 for w in found):
        raise BadInput(f"'{text}' is no limit: write CALLS/SECONDS, or {UNLIMITED}")
    return found


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Which buckets a delivery takes from.

    The first bucket is always the channel's own. `margin_us` makes every window a
    little longer, since calls that left apart may arrive closer together.
    """

    teams_channel: str = TEAMS_CHANNEL
    teams_tenant: str = TEAMS_TENANT
    teams_reaction: str = TEAMS_REACTION
    slack_channel: str = SLACK_CHANNEL
    slack_workspace: str = SLACK_WORKSPACE
    slack_method: str = SLACK_METHOD
    margin_us: int = 100_000
    _read: dict[str, tuple[Window, ...]] = field(default_factory=dict, compare=False)

    def buckets(self, delivery: Delivery) -> tuple[Bucket, ...]:
        """Return what one call for the delivery counts in."""
        if delivery.target.platform is Platform.TEAMS:
            spoken = self.spoken(delivery.tenant, delivery.target)
            if delivery.operation is not Operation.REACT:
                return spoken
            reacting = f"{delivery.target} {delivery.operation}"
            return spoken + self._of(delivery, {reacting: self.teams_reaction})
        workspace = f"{delivery.target.platform}:{delivery.target.team}"
        if delivery.operation in {Operation.POST, Operation.DIGEST}:
            posts = {"": self.slack_channel, f"{workspace} post": self.slack_workspace}
            return self._of(delivery, posts)
        method = f"{workspace} {delivery.operation}"
        return self._of(delivery, {"": UNLIMITED, method: self.slack_method})

    def spoken(self, tenant: str, channel: Channel) -> tuple[Bucket, ...]:
        """Return what counts whatever is posted, or changed, in a channel of Teams."""
        company = f"{channel.platform}:{tenant}"
        wanted = {str(channel): self.teams_channel, company: self.teams_tenant}
        return tuple(
            Bucket(tenant, name, self._windows(text)) for name, text in wanted.items()
        )

    def asked_to_wait(self, delivery: Delivery) -> Bucket:
        """
        Return the bucket that a platform means which asks to wait.

        Reactions in Teams have a limit of their own, which is full first. All else
        means the channel.
        """
        first, *_, last = self.buckets(delivery)
        teams = delivery.target.platform is Platform.TEAMS
        reacts = teams and delivery.operation is Operation.REACT
        return last if reacts and last.windows else first

    def names(self, delivery: Delivery) -> tuple[str, ...]:
        """
        Return the names of `buckets`.

        Files pass a gate of their own: their bytes take time, and while they are on
        their way the channel is free for what people say.
        """
        if delivery.file:
            return (_FILES,)
        return tuple(bucket.name for bucket in self.buckets(delivery))

    def _of(self, delivery: Delivery, wanted: Mapping[str, str]) -> tuple[Bucket, ...]:
        return tuple(
            Bucket(delivery.tenant, name or str(delivery.target), self._windows(text))
            for name, text in wanted.items()
        )

    def _windows(self, text: str) -> tuple[Window, ...]:
        if text not in self._read:
            self._read[text] = tuple(
                Window(w.count, w.span_us + self.margin_us) for w in windows(text)
            )
        return self._read[text]


@dataclass(slots=True)
class _Book:
    """When the calls of one bucket were made, as long as they count."""

    span_us: int = 0
    calls: deque[int] = field(default_factory=deque)


@dataclass(slots=True)
class Accountant:
    """
    Counts calls, exactly: every call is remembered until no window holds it.

    What is remembered is bounded by what was let through. `now_us` never goes back.
    """

    _books: dict[_Key, _Book] = field(default_factory=dict)
    _paused: dict[_Key, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many moments are remembered."""
        return len(self._paused) + sum(len(b.calls) for b in self._books.values())

    def reserve(self, buckets: Sequence[Bucket], now_us: int) -> Wait | None:
        """Count a call in every bucket and return nothing; or count it in none."""
        if wait := self.wait(buckets, now_us):
            return wait
        self.count(buckets, now_us)
        return None

    def wait(self, buckets: Sequence[Bucket], now_us: int) -> Wait | None:
        """Return which bucket is full for the longest, if one is full."""
        waits = [Wait(b.name, self._opens_us(b) - now_us) for b in buckets]
        longest = max(waits, key=lambda wait: wait.us, default=None)
        return longest if longest and longest.us > 0 else None

    def count(self, buckets: Sequence[Bucket], now_us: int) -> None:
        """Count a call that is made now, whether there is room for it or not."""
        for bucket in buckets:
            if bucket.windows:
                book = self._books.pop(bucket.key, None) or _Book()
                book.span_us = max(book.span_us, bucket.span_us)
                book.calls.append(now_us)
                while book.calls[0] <= now_us - book.span_us:
                    book.calls.popleft()
                self._books[bucket.key] = book
        self._forget(now_us)

    def pause(self, bucket: Bucket, until_us: int) -> None:
        """Let nothing through the bucket until then. The longest pause counts."""
        self._paused[bucket.key] = max(until_us, self._paused.get(bucket.key, 0))

    def _opens_us(self, bucket: Bucket) -> int:
        opens = self._paused.get(bucket.key, 0)
        book = self._books.get(bucket.key)
        for window in bucket.windows if book else ():
            if book and len(book.calls) >= window.count:
                opens = max(opens, book.calls[-window.count] + window.span_us)
        return opens

    def _forget(self, now_us: int) -> None:
        """Drop what holds nothing back any more; the longest unused come first."""
        while self._books:
            key, book = next(iter(self._books.items()))
            if book.calls[-1] + book.span_us > now_us:
                break
            del self._books[key]
        for key in [k for k, until in self._paused.items() if until <= now_us]:
            del self._paused[key]
