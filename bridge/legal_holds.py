"""What a legal hold is about, and whether an entry of the log is part of it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.compliance import Officer
from bridge.errors import BadInput
from bridge.messages import Channel, Platform

GRACE_US = 30 * 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Matter:
    """
    One legal hold. `released_us` is 0 as long as nobody released it.

    A released hold goes on holding until `until_us`: whoever released the wrong one
    has that long to notice.
    """

    id: str
    name: str
    created_by: str
    created_us: int
    released_by: str = ""
    released_us: int = 0
    until_us: int = 0

    def holds(self, now_us: int) -> bool:
        return not self.released_us or now_us < self.until_us


@dataclass(frozen=True, slots=True)
class HoldScope:
    """
    What a hold keeps. All that is said narrows it; what is empty does not.

    `people` are `slack:TEAM_ID/USER_ID` or `teams:TENANT_ID/USER_ID`, `channels`
    addresses as links have them. `query` is in the language of the search. `from_us`
    and `to_us` bound when it was said or captured, 0 for open; the end is excluded.
    """

    people: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    query: str = ""
    from_us: int = 0
    to_us: int = 0

    def checked(self) -> "HoldScope":
        """Return the scope, or raise `BadInput` saying what is wrong with it."""
        for channel in self.channels:
            Channel.parse(channel)
        for person in self.people:
            subject(person)
        if self.to_us and self.to_us <= self.from_us:
            raise BadInput("the hold would end before it begins")
        return self


@dataclass(frozen=True, slots=True)
class Held:
    """
    What an entry says of itself to a hold.

    `who` is the pseudonym of the person it is about, `place` the platform and id of
    its channel: a workspace's id may change while the channel's stays.
    """

    seq: int
    who: str
    place: tuple[str, str]
    said_us: int
    captured_us: int


@dataclass(frozen=True, slots=True)
class Net:
    """
    A scope made ready to compare with entries.

    `people` are pseudonyms; `places` include the addresses that a channel had before.
    None means that anybody or any place will do.
    """

    matter: str
    people: frozenset[str] | None
    places: frozenset[tuple[str, str]] | None
    query: str = ""
    from_us: int = 0
    to_us: int = 0

    def near(self, entry: Held) -> bool:
        """Whether the entry is held, as far as its columns can tell."""
        if self.people is not None and entry.who not in self.people:
            return False
        if self.places is not None and entry.place not in self.places:
            return False
        return self._within(entry.said_us) or self._within(entry.captured_us)

    def _within(self, moment_us: int) -> bool:
        return moment_us >= self.from_us and (not self.to_us or moment_us < self.to_us)


class Undecided(Exception):
    """An entry's text was not looked at yet, and a query's answer depends on it."""


@dataclass(frozen=True, slots=True)
class Catch:
    """
    Which matters hold an entry.

    `pinned` says of which entries that is known for certain, and `found` has the
    answers of queries that were asked.
    """

    nets: tuple[Net, ...]
    pinned: Mapping[int, Collection[str]] = field(default_factory=dict)
    found: Callable[[str, int], bool | None] = field(default=lambda _q, _s: None)

    def matters(self, entries: Iterable[Held]) -> frozenset[str]:
        """
        Return the matters that hold any of the entries.

        Raises `Undecided` when a query would have to be asked that was not.
        """
        entries = list(entries)
        caught = {
            net.matter
            for net in self.nets
            if any(self._catches(net, entry) for entry in entries)
        }
        return frozenset(
            caught.union(*(self.pinned.get(entry.seq, ()) for entry in entries))
        )

    def _catches(self, net: Net, entry: Held) -> bool:
        if not net.near(entry):
            return False
        if not net.query:
            return True
        answer = self.found(net.query, entry.seq)
        if answer is None:
            raise Undecided
        return answer


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A hold with all that it is about."""

    matter: Matter
    scopes: tuple[HoldScope, ...]


class HoldDesk(Protocol):
    """Where officers make and release holds. All of it raises `Refused`."""

    async def listed(self, tenant: str, officer: Officer) -> Sequence[LegalHold]:
        """Return every hold that there ever was, oldest first."""
        ...

    async def create(
        self, tenant: str, officer: Officer, name: str, scope: HoldScope
    ) -> LegalHold:
        """Hold all that a scope is about. Raises `BadInput`."""
        ...

    async def release(self, tenant: str, officer: Officer, hold: str) -> LegalHold:
        """Release a hold; it goes on holding until its grace is over."""
        ...


def subject(person: str) -> str:
    """Return a person as the log's keys name them. Raises `BadInput`."""
    platform, colon, rest = person.partition(":")
    account = rest.rpartition("/")[2]
    if platform not in set(Platform) or not (colon and account):
        raise BadInput(
            f"'{person[:60]}' is nobody: write slack:TEAM_ID/USER_ID or "
            "teams:TENANT_ID/USER_ID"
        )
    return f"{platform}|{account}"
