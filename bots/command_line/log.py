"""The compliance log from the command line."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import Progress as Bar

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import console, print_json, print_table, say
from bots.command_line.progress import progress_bar
from bots.command_line.proving import contradiction, show_evidence
from bridge.errors import BadInput
from storage.compliance.proofs.examination import Fault, Progress


async def head(company: str, *, as_json: bool) -> bool:
    """Print the head; returns whether it goes on from all that was signed."""
    async with company_core(company) as (built, tenant):
        found = await built.log.head(tenant)
        against = await contradiction(built, tenant)
        told = {"company": tenant, "size": found.size, "root": found.root_hex}
        if as_json:
            fault = str(against) if against else ""
            evidence = list(against.evidence) if against else []
            print_json({**told, "fault": fault, "evidence": evidence})
        else:
            say(f"{found.size} entries, root {found.root_hex}")
            if against:
                show_evidence(against)
        return against is None


async def entries(company: str, after: int, last: int, *, as_json: bool) -> None:
    """Print up to `last` entries: the newest, or with `after` those that follow it."""
    async with company_core(company) as (built, tenant):
        if after < 0:
            after = max((await built.log.head(tenant)).size - last, 0) - 1
        found = await built.log.entries(tenant, after, last)
        shown = await built.reading.show(tenant, cli_officer(), found, "atom log show")
        if as_json:
            print_json(shown.entries)
        else:
            columns = ("seq", "time", "type", "who", "what")
            print_table(columns, [_row(entry) for entry in shown.entries])
        if shown.hidden:
            console(stderr=True).print(
                f"atom: {cli_officer().name} does not have the duty to read: what "
                f"people said in {shown.hidden} of them is not shown",
                soft_wrap=True,
            )


async def verify(
    company: str, checkpoints: Sequence[Path], *, bodies: bool, as_json: bool
) -> bool:
    """
    Verify the whole log and print the verdict; returns whether it is intact.

    `checkpoints` are files with earlier ones that it must go on from.
    """
    async with company_core(company) as (built, tenant):
        notes = [_read(path) for path in checkpoints]
        with progress_bar() as bar:
            examined = await built.verification.verify(
                tenant, notes, bodies=bodies, progress=partial(_task, bar)
            )
        fault = examined.fault
        if as_json:
            data = {"company": tenant, "size": examined.size}
            data |= {"root": examined.root.hex(), "intact": fault is None}
            told = fault or Fault("")
            evidence = list(told.evidence)
            where = {"seq": told.seq if told.seq >= 0 else None, "column": told.column}
            print_json({**data, "fault": told.text, **where, "evidence": evidence})
        elif fault is None:
            say(f"Intact: {examined.size} entries, root {examined.root.hex()}")
        else:
            say(f"NOT INTACT: {fault.text}")
            for text in fault.evidence:
                say(f"---\n{text}")
        return fault is None


def _task(bar: Bar, what: str) -> Progress:
    task = bar.add_task(what, total=None)
    return lambda done, size: bar.update(task, completed=done, total=size)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read") from error


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    what = entry["text"] or entry["reason"] or entry["outcome"]
    time = entry["at"][:19].replace("T", " ")
    return (str(entry["seq"]), time, entry["type"], entry["author"], str(what))
