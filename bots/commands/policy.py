"""The company's policy from chat: what is in force, its tests, and applying a change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import BadInput, NotAllowed
from bridge.messages import Platform
from bridge.policy_desk import PolicyDesk, PolicyVersion, Trial
from bridge.ports import Rights

_SHOWN = 10
_APPLY = 2  # apply HASH


@dataclass(frozen=True, slots=True)
class Policy:
    """Admins apply what they looked at; owners of channels, what is about theirs."""

    name: ClassVar[str] = "policy"
    usage: ClassVar[str] = "policy [show|history|test|apply HASH]"
    summary: ClassVar[str] = "see and test the company's rules, or apply a change"

    desk: PolicyDesk
    rights: Mapping[Platform, Rights]

    async def run(self, request: Request) -> Card:
        words = request.arguments
        match words[0].lower() if words else "show":
            case "apply" if len(words) == _APPLY:
                return await self._apply(request, words[1])
            case "show" if len(words) <= 1:
                await only_admins(self.rights, request)
                return _version(await self.desk.show(request.tenant))
            case "history" if len(words) == 1:
                await only_admins(self.rights, request)
                return _history(await self.desk.history(request.tenant))
            case "test" if len(words) == 1:
                await only_admins(self.rights, request)
                return trial_card(await self.desk.test(request.tenant))
            case _:
                line = spoken(request.channel.platform, self.usage)
                raise BadInput(f"Type `{line}`.")

    async def _apply(self, request: Request, preview: str) -> Card:
        owner = None
        try:
            await only_admins(self.rights, request)
        except NotAllowed:
            owner = await self.desk.owner(
                request.tenant, request.person, request.account
            )
            if not owner:
                raise
        version = await self.desk.apply(
            request.tenant, request.actor, preview, owner or None
        )
        return Card(
            f"Version {version.number} of the policy is in force",
            "The next message obeys it.",
            Tone.GOOD,
            (_details(version),),
        )


def trial_card(trial: Trial) -> Card:
    """Return how the policy's tests went."""
    failed = [each for each in trial.outcomes if not each.passed]
    number = len(trial.outcomes)
    if not number:
        return Card("The policy has no tests", "They go under tests, beside its rules.")
    if not failed:
        count = "1 test passes" if number == 1 else f"All {number} tests pass"
        return Card(count, "", Tone.GOOD)
    shown = tuple(Section(each.name, each.why) for each in failed[:_SHOWN])
    return Card(f"{len(failed)} of {number} tests fail", "", Tone.BAD, shown)


def _version(version: PolicyVersion | None) -> Card:
    if version is None:
        return Card(
            "ATOM's own policies are in force",
            "The company has published no rules: docs/policy.md says how.",
        )
    buttons = (
        Button("Run its tests", "policy test"),
        Button("History", "policy history"),
    )
    front = version.front.strip()
    return Card(
        f"Version {version.number} is in force",
        "",
        Tone.PLAIN,
        (_details(version), Section("Rules", front[:2_000])),
        buttons,
    )


def _history(listed: Sequence[PolicyVersion]) -> Card:
    if not listed:
        return Card("No version was published yet")
    sections = tuple(
        Section(f"Version {one.number}", one.note, _details(one).fields)
        for one in listed[:_SHOWN]
    )
    count = "1 version" if len(listed) == 1 else f"{len(listed)} versions"
    return Card(count, "", Tone.PLAIN, sections)


def _details(version: PolicyVersion) -> Section:
    moment = datetime.fromtimestamp(version.at_us / 1_000_000, UTC)
    return Section(
        fields=(
            Field("By", version.author),
            Field("At", f"{moment:%F %T} UTC"),
            Field("Hash", version.hash[:12]),
        )
    )
