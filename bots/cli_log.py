"""The compliance log from the command line."""

from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bots.at_command_line import cli_officer
from bots.cli_company import company_core
from bots.cli_output import console, print_json, print_table, say


async def head(company: str, *, as_json: bool) -> None:
    async with company_core(company) as (built, tenant):
        found = await built.log.head(tenant)
        if as_json:
            print_json({"company": tenant, "size": found.size, "root": found.root_hex})
        else:
            say(f"{found.size} entries, root {found.root_hex}")


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


async def verify(company: str, *, as_json: bool) -> bool:
    """Verify the whole log and print the verdict; returns whether it is intact."""
    async with company_core(company) as (built, tenant):
        with _progress() as bar:
            task = bar.add_task("reading", total=None)
            verdict = await built.log.verify(
                tenant, lambda done, size: bar.update(task, completed=done, total=size)
            )
        if as_json:
            root = verdict.root.hex()
            data = {"company": tenant, "size": verdict.size, "root": root}
            print_json({**data, "intact": verdict.intact, "fault": verdict.fault})
        elif verdict.intact:
            say(f"Intact: {verdict.size} entries, root {verdict.root.hex()}")
        else:
            say(f"NOT INTACT: {verdict.fault}")
        return verdict.intact


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    what = entry["text"] or entry["reason"] or entry["outcome"]
    time = entry["at"][:19].replace("T", " ")
    return (str(entry["seq"]), time, entry["type"], entry["author"], str(what))


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console(stderr=True), transient=True)
