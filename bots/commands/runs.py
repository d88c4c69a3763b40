"""What is done about joiners, movers and leavers, and an admin's word on it."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.directory.runs import Run, RunsDesk, RunState, summary
from bridge.errors import BadInput
from bridge.retention_words import day

_SHOWN = 5
_STEPS = 20
_FEWEST = 8  # digits of a digest that say which steps are meant
_ALL = "all"
_REVERT = "revert"
_TONES = {RunState.WAITING: Tone.WARNING, RunState.PARTLY: Tone.WARNING}


@dataclass(frozen=True, slots=True)
class RunsCommand:
    """Lists runs, shows one, and takes a word on exactly the steps that were shown."""

    name: ClassVar[str] = "runs"
    usage: ClassVar[str] = "runs [all|RUN [approve DIGEST|refuse DIGEST|revert]]"
    summary: ClassVar[str] = "see what is done about joiners, movers and leavers"

    desk: RunsDesk

    async def run(self, request: Request) -> Card:
        tenant, officer = request.tenant, request.officer
        match request.arguments:
            case ():
                return _listed(await self.desk.listed(tenant, officer), "No run waits.")
            case (word,) if word == _ALL:
                found = await self.desk.listed(tenant, officer, everything=True)
                return _listed(found, "There was no run yet.")
            case (run,):
                return run_card(await self.desk.called(tenant, officer, run))
            case (run, verb, digest) if verb in {"approve", "refuse"}:
                if len(digest) < _FEWEST:
                    raise BadInput(
                        f"Give {_FEWEST} digits or more of the digest that "
                        f"`runs {run[:40]}` shows."
                    )
                agreed = verb == "approve"
                known = await self.desk.decide(
                    tenant, officer, run, digest, agreed=agreed
                )
                return _decided(known, agreed=agreed)
            case (run, verb) if verb == _REVERT:
                known = await self.desk.revert(tenant, officer, run)
                count = len(known.steps_to_revert)
                steps = "step" if count == 1 else "steps"
                text = f"{known.id} is being taken back: {count} {steps} were done."
                return Card("Taken back", text, Tone.GOOD)
            case _:
                raise BadInput(f"Type `{self.usage}`.")


def run_card(run: Run) -> Card:
    """Return a run with its steps and their reasons, and what can be said about it."""
    sections = [
        Section(
            f"{number}. {step.text}{'' if step.reversible else ', for good'}",
            step.why,
            (Field("State", f"{done.state}{f' ({done.note})' if done.note else ''}"),),
        )
        for number, (step, done) in enumerate(
            zip(run.steps[:_STEPS], run.progress, strict=False), 1
        )
    ]
    if (more := len(run.steps) - _STEPS) > 0:
        all_of_it = f"`atom users runs show {run.id}` shows them."
        sections.append(Section(f"and {more} more", all_of_it))
    sections += [Section("Left alone", note) for note in run.notes[:_SHOWN]]
    text = f"{run.state}; {summary(run.steps)}; digest {run.digest[:12]}."
    if run.decided_by:
        text += f" Last word by {run.decided_by}, {day(run.decided_us)}."
    tone = _TONES.get(run.state, Tone.PLAIN)
    title = f"{run.id}: {run.happening} {run.name}"
    return Card(title, text, tone, tuple(sections), tuple(_buttons(run)))


def waiting_card(run: Run) -> Card:
    """Return what admins are told when a run begins to wait."""
    told = run_card(run)
    text = "Nothing of it is done until somebody with the duty to approve says so."
    return Card(
        f"A {run.happening} waits for your word: {run.name}",
        text,
        Tone.WARNING,
        told.sections,
        told.buttons,
    )


def _listed(found: list[Run], nothing: str) -> Card:
    if not found:
        return Card("Joiners, movers and leavers", nothing, Tone.GOOD)
    sections = tuple(
        Section(
            f"{run.id}: {run.happening} {run.name}",
            f"{run.state}; {summary(run.steps)}",
            (Field("Since", day(run.created_us)),),
        )
        for run in found[:_SHOWN]
    )
    buttons = tuple(
        Button(f"Show {run.id}", f"runs {run.id}") for run in found[:_SHOWN]
    )
    rest = len(found) - _SHOWN
    text = f"The {_SHOWN} newest; {rest} more are not shown." if rest > 0 else ""
    waits = any(run.state is RunState.WAITING for run in found)
    tone = Tone.WARNING if waits else Tone.PLAIN
    return Card("Joiners, movers and leavers", text, tone, sections, buttons)


def _buttons(run: Run) -> list[Button]:
    match run.state:
        case RunState.WAITING:
            return [
                Button(verb.capitalize(), f"runs {run.id} {verb} {run.digest}")
                for verb in ("approve", "refuse")
            ]
        case RunState.DONE | RunState.PARTLY if run.steps_to_revert:
            return [Button("Take back", f"runs {run.id} {_REVERT}")]
    return []


def _decided(run: Run, *, agreed: bool) -> Card:
    if agreed:
        return Card(
            "Agreed", f"{run.id} is being done: {summary(run.steps)}.", Tone.GOOD
        )
    return Card(
        "Refused", f"{run.id} is refused, and nothing of it is done.", Tone.GOOD
    )
