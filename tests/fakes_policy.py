"""A policy desk and an explainer in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bridge.access import Asked, Decision
from bridge.errors import Conflict, NotFound
from bridge.explaining import Explanation
from bridge.messages import Person
from bridge.policy_desk import PolicyVersion, Shown, Trial
from bridge.what_if import Change, Counted, Report

REPORT = Report(
    hash="0123456789abcdef" * 4,
    what="one rule",
    policy="a" * 64,
    candidate="b" * 64,
    directory="7",
    people=3,
    pairs=12,
    gains=1,
    losses=2,
    gained=(Change("p1", "Ana Ek", "bridge.post", "here"),),
    lost=(
        Change("p2", "Bob Ray", "bridge.file", "here", "labelled internal"),
        Change("p3", "Cy Dee", "bridge.file", "here"),
    ),
    by_person=(Counted("Ana Ek", 1, 0), Counted("Bob Ray", 0, 1)),
    by_place=(Counted("here", 1, 2),),
    by_action=(Counted("bridge.file", 0, 2),),
)


@dataclass
class FakeExplains:
    """Implements `bridge.explaining.Explains`: everything is allowed, by one rule."""

    asked: list[Asked] = field(default_factory=list)

    async def why(self, asked: Asked) -> Explanation:
        self.asked.append(asked)
        decision = Decision(True, "open", "c" * 64, "7", asked.action, "It is open.")
        return Explanation(asked, decision, "Somebody", (), ())


@dataclass
class FakePolicyDesk:
    """Implements `bridge.policy_desk.PolicyDesk` for one preview."""

    shown: Shown = field(default_factory=lambda: Shown(REPORT))
    trial: Trial = field(default_factory=Trial)
    owners: dict[str, str] = field(default_factory=dict)
    versions: list[PolicyVersion] = field(default_factory=list)
    tried: list[tuple[str, ...]] = field(default_factory=list)
    moved: bool = False

    async def show(self, tenant: str) -> PolicyVersion | None:
        return self.versions[-1] if self.versions else None

    async def history(self, tenant: str) -> Sequence[PolicyVersion]:
        return self.versions[::-1]

    async def test(self, tenant: str) -> Trial:
        return self.trial

    async def owner(self, tenant: str, person: Person, account: str) -> str:
        return self.owners.get(person.id, "")

    async def try_rule(
        self, tenant: str, author: str, rule: str, here: str = ""
    ) -> Shown:
        self.tried.append(("rule", rule, here))
        return self.shown

    async def try_membership(
        self, tenant: str, person: str, group: str, *, joins: bool
    ) -> Shown:
        self.tried.append(("joins" if joins else "leaves", person, group))
        return self.shown

    async def try_without(self, tenant: str, author: str, rule: str) -> Shown:
        self.tried.append(("without", rule))
        return self.shown

    async def apply(
        self, tenant: str, author: str, preview: str, owner: str | None = None
    ) -> PolicyVersion:
        if not self.shown.report.hash.startswith(preview):
            raise NotFound("Nobody looked at that.")
        if self.moved:
            raise Conflict("The policy is another one since this was looked at.")
        self.tried.append(("apply", author, owner or ""))
        number = len(self.versions) + 1
        made = PolicyVersion(
            tenant, number, "b" * 64, "rules: []", "", {}, author, 1_000_000, "one rule"
        )
        self.versions.append(replace(made, number=number))
        return made
