"""Runs about joiners, movers and leavers from the command line."""

from typing import Any

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import print_json, print_table, say
from bots.core import Core, clock_us
from bridge.directory.lifecycle import step_data
from bridge.directory.runs import Run, RunState, summary
from bridge.errors import BadInput
from bridge.retention_words import day
from storage.runs.stored import StoredRuns

_FEWEST = 8  # digits of a digest that say which steps are meant


async def runs(company: str, *, everything: bool, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await _runs(built).listed(tenant, everything=everything)
        if as_json:
            print_json([run_data(run) for run in found])
        elif not found:
            say("No run waits." if not everything else "There was no run yet.")
        else:
            columns = ("run", "since", "who", "what", "steps", "state")
            print_table(columns, [_row(run) for run in found])


async def show(run: str, company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        known = await _runs(built).called(tenant, run)
        if as_json:
            print_json(run_data(known))
            return
        say(f"{known.id}: {known.happening} {known.name}, {known.state}")
        say(f"made {day(known.created_us)} of version {known.version} of the directory")
        if known.decided_by:
            say(f"last word by {known.decided_by}, {day(known.decided_us)}")
        for number, step in enumerate(known.steps):
            done = known.progress[number]
            note = f" ({done.note})" if done.note else ""
            for_good = "" if step.reversible else ", for good"
            say(f"  {number + 1}. {step.text}{for_good}: {step.why}")
            say(f"     {done.state}{note}")
        for note in known.notes:
            say(f"  left alone: {note}")
        if known.state is RunState.WAITING:
            say(f"To have it done: atom users runs approve {known.id} {_short(known)}")


async def decide(run: str, digest: str, company: str, *, agreed: bool) -> None:
    if len(digest) < _FEWEST:
        raise BadInput(f"give {_FEWEST} digits or more of the digest that 'show' told")
    async with company_core(company) as (built, tenant):
        officer = cli_officer().name
        known = await _runs(built).decide(tenant, run, digest, officer, agreed=agreed)
        if agreed:
            say(f"{known.id} is done as soon as ATOM runs: {summary(known.steps)}.")
        else:
            say(f"{known.id} is refused, and nothing of it is done.")


async def revert(run: str, company: str) -> None:
    async with company_core(company) as (built, tenant):
        known = await _runs(built).revert(tenant, run, cli_officer().name)
        count = len(known.steps_to_revert)
        say(f"{known.id} is taken back as soon as ATOM runs: {count} steps were done.")


def run_data(run: Run) -> dict[str, Any]:
    """Return a run for programs."""
    return {
        "run": run.id,
        "person": run.person,
        "name": run.name,
        "happening": str(run.happening),
        "state": str(run.state),
        "digest": run.digest,
        "version": run.version,
        "created_us": run.created_us,
        "decided_by": run.decided_by,
        "notes": list(run.notes),
        "steps": [
            {
                **step_data(step),
                "text": step.text,
                "reversible": step.reversible,
                "state": str(done.state),
                "note": done.note,
            }
            for step, done in zip(run.steps, run.progress, strict=True)
        ],
    }


def _row(run: Run) -> tuple[str, ...]:
    return (
        run.id,
        day(run.created_us),
        run.name,
        str(run.happening),
        summary(run.steps),
        str(run.state),
    )


def _short(run: Run) -> str:
    return run.digest[: max(_FEWEST, 12)]


def _runs(built: Core) -> StoredRuns:
    return StoredRuns(built.database.hot, built.acts, clock_us)
