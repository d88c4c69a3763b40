"""Who would gain and lose what by a change, before it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import BadInput, NotAllowed
from bridge.messages import Platform
from bridge.policy_desk import PolicyDesk, Shown
from bridge.ports import Rights
from bridge.what_if import Change, Counted, Report

_FEWEST = 3  # PERSON joins GROUP
_NAMED = 10


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Shows what a rule, or somebody's move between groups, would change."""

    name: ClassVar[str] = "what-if"
    usage: ClassVar[str] = (
        "what-if {id: …, allow|deny: …} | without RULE | PERSON joins|leaves GROUP"
    )
    summary: ClassVar[str] = "see who would gain and lose what by a change"

    desk: PolicyDesk
    rights: Mapping[Platform, Rights]

    async def run(self, request: Request) -> Card:
        rest = request.text.strip()[len(request.command) :].strip()
        words = rest.split()
        platform = request.channel.platform
        if not words:
            raise BadInput(f"Type `{spoken(platform, self.usage)}`.")
        tenant, here = request.tenant, str(request.channel)
        await self._may_look(request)
        if rest.startswith("{"):
            shown = await self.desk.try_rule(tenant, request.actor, rest, here)
            return shown_card(shown, applies=True)
        if words[0].lower() == "without" and len(words) > 1:
            shown = await self.desk.try_without(tenant, request.actor, words[1])
            return shown_card(shown, applies=True)
        verbs = [n for n, word in enumerate(words) if word.lower() in _VERBS]
        if len(words) < _FEWEST or len(verbs) != 1 or verbs[0] in {0, len(words) - 1}:
            raise BadInput(f"Type `{spoken(platform, self.usage)}`.")
        person, group = words[: verbs[0]], words[verbs[0] + 1 :]
        joins = words[verbs[0]].lower() == "joins"
        shown = await self.desk.try_membership(
            tenant, " ".join(person).removeprefix("@"), " ".join(group), joins=joins
        )
        return shown_card(shown, applies=False)

    async def _may_look(self, request: Request) -> None:
        """Admins may, and owners of a channel by the policy's own word."""
        try:
            await only_admins(self.rights, request)
        except NotAllowed:
            owner = await self.desk.owner(
                request.tenant, request.person, request.account
            )
            if not owner:
                raise


_VERBS = {"joins", "leaves"}


def shown_card(shown: Shown, *, applies: bool) -> Card:
    """Return a report as a card, with the button that applies it if anything does."""
    report = shown.report
    gains, losses = report.gains, report.losses
    sections = [
        *_named("Would gain", report.gained, gains),
        *_named("Would lose", report.lost, losses),
        *_counted("Most concerned", report.by_person),
        *_counted("Where", report.by_place),
    ]
    facts = [
        Field("People concerned", str(report.people)),
        Field("Questions compared", _compared(report)),
    ]
    if applies:
        facts.append(Field("Preview", report.hash[:12]))
    sections.append(Section(fields=tuple(facts)))
    problem = _problem(shown)
    if problem:
        sections.append(Section("It cannot be applied yet", problem))
    buttons: tuple[Button, ...] = ()
    if applies and not problem:
        buttons = (Button("Apply this", f"policy apply {report.hash[:12]}"),)
    title = f"{gains} gained, {losses} lost" if gains or losses else "Nothing changes"
    tone = Tone.WARNING if losses or problem else Tone.GOOD
    return Card(title, f"What if: {report.what}.", tone, tuple(sections), buttons)


def _problem(shown: Shown) -> str:
    failed = [each for each in shown.trial.outcomes if not each.passed]
    if failed:
        return f"Test {failed[0].name!r} fails: {failed[0].why}."
    if shown.trial.untested:
        return f"No test speaks of {', '.join(shown.trial.untested)}."
    return ""


def _named(title: str, changes: tuple[Change, ...], total: int) -> list[Section]:
    if not changes:
        return []
    lines = [
        f"{c.name}: {c.action}, {c.where}" + (f", {c.when}" if c.when else "")
        for c in changes[:_NAMED]
    ]
    if total > len(lines):
        lines.append(f"and {total - len(lines)} more")
    return [Section(title, "\n".join(lines))]


def _counted(title: str, rows: tuple[Counted, ...]) -> list[Section]:
    if not rows:
        return []
    fields = tuple(Field(r.name, f"+{r.gained} −{r.lost}") for r in rows[:_NAMED])
    return [Section(title, fields=fields)]


def _compared(report: Report) -> str:
    if report.sampled:
        return f"{report.pairs} of {report.sampled}, chosen by lot"
    return f"{report.pairs}, all there are"
