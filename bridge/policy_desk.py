"""Versions of a company's policy, and the way that a new one takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.messages import Person
from bridge.what_if import Report


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """
    One version as it was published.

    `front` is YAML and `cedar` the company's own Cedar; `resolved` tells which ids the
    names in them stood for. `hash` names everything that decisions follow from.
    """

    tenant: str
    number: int
    hash: str
    front: str
    cedar: str
    resolved: Mapping[str, str]
    author: str
    at_us: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """
    What somebody saw of a change before it is made.

    `base` is the version that it would follow and `directory` the directory's version
    it was worked out with; when either moves on, it binds nobody any more.
    """

    tenant: str
    hash: str
    base: int
    policy: str
    directory: str
    front: str
    cedar: str
    what: str
    author: str
    at_us: int


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """How one test of the policy went; `why` is empty if it passed."""

    name: str
    passed: bool
    why: str = ""
    asked: int = 1


@dataclass(frozen=True, slots=True)
class Trial:
    """
    How a policy's own tests went.

    `untested` are rules of the company that are new or changed and that no test comes
    to speak of: a policy that has any of them is not published.
    """

    outcomes: tuple[CaseOutcome, ...] = ()
    untested: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.untested and all(each.passed for each in self.outcomes)


@dataclass(frozen=True, slots=True)
class Replayed:
    """
    A decision of the log, taken again with what it was taken with.

    `looked_at` says by which rules and detectors it was looked at whether it may leave.
    """

    seq: int
    recorded: tuple[bool, tuple[str, ...]]
    again: tuple[bool, tuple[str, ...]]
    why: str = ""
    looked_at: str = ""

    @property
    def same(self) -> bool:
        return not self.why and self.recorded == self.again


@dataclass(frozen=True, slots=True)
class Shown:
    """A report, and what the tests of the candidate said, if it is a policy."""

    report: Report
    trial: Trial = field(default_factory=Trial)


class PolicyShelf(Protocol):
    """Keeps versions, previews, and the bodies by which decisions are explained."""

    async def current(self, tenant: str) -> PolicyVersion | None:
        """Return the version in force, None if the company has published none."""
        ...

    async def version(self, tenant: str, number: int) -> PolicyVersion | None: ...

    async def history(self, tenant: str) -> Sequence[PolicyVersion]:
        """Return every version, the newest first."""
        ...

    async def publish(self, version: PolicyVersion, body: str) -> None:
        """
        Put a version into force, on record.

        Raises `Conflict` if another one took its number meanwhile.
        """
        ...

    async def keep_body(self, tenant: str, hash_: str, body: str) -> None:
        """Keep what a hash stands for; to keep it again changes nothing."""
        ...

    async def body(self, tenant: str, hash_: str) -> str | None: ...

    async def keep_preview(self, preview: Preview) -> None: ...

    async def preview(self, tenant: str, hash_: str) -> Preview | None:
        """Return the preview whose hash begins so, None if there is not just one."""
        ...


class PolicyDesk(Protocol):
    """What people do about the policy, from chat and from the command line."""

    async def show(self, tenant: str) -> PolicyVersion | None: ...

    async def test(self, tenant: str) -> Trial:
        """Run the tests of the version in force."""
        ...

    async def owner(self, tenant: str, person: Person, account: str) -> str:
        """Return the person's id in the directory if they own a channel, or nothing."""
        ...

    async def try_rule(
        self, tenant: str, author: str, rule: str, here: str = ""
    ) -> Shown:
        """Say what one rule, written in YAML on one line, would change."""
        ...

    async def try_membership(
        self, tenant: str, person: str, group: str, *, joins: bool
    ) -> Shown:
        """Say what would change if somebody joined, or left, a group."""
        ...

    async def try_without(self, tenant: str, author: str, rule: str) -> Shown:
        """Say what would change without a rule."""
        ...

    async def apply(
        self, tenant: str, author: str, preview: str, owner: str | None = None
    ) -> PolicyVersion:
        """
        Publish what a preview showed; for an `owner`, only if it is about channels of
        theirs.

        Raises `Conflict` if the policy or the directory moved on since, and `BadInput`
        if tests fail or are missing.
        """
        ...

    async def history(self, tenant: str) -> Sequence[PolicyVersion]: ...
