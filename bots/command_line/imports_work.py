"""Imports from the command line."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bots.command_line.company import company_core
from bots.command_line.officer import cli_officer
from bots.command_line.output import console, print_json, say
from bots.core import Core
from bots.importing import Imported, Wish, import_slack, import_teams

_Import = Callable[[Core, str, Path, Wish, Callable[[int], None]], Awaitable[Imported]]


async def slack(
    file: Path, account: str, company: str, *, dry: bool, as_json: bool
) -> None:
    await _run(import_slack, file, Wish(cli_officer(), account, dry), company, as_json)


async def teams(
    file: Path, account: str, company: str, *, dry: bool, as_json: bool
) -> None:
    await _run(import_teams, file, Wish(cli_officer(), account, dry), company, as_json)


async def _run(
    work: _Import, file: Path, wish: Wish, company: str, as_json: bool
) -> None:
    async with company_core(company) as (built, tenant):
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
        )
        screen = console(stderr=True)
        hidden = not screen.is_terminal
        with Progress(*columns, console=screen, transient=True, disable=hidden) as bar:
            task = bar.add_task("reading", total=None)
            done = await work(
                built,
                tenant,
                file,
                wish,
                lambda count: bar.update(task, description=f"{count} events"),
            )
        counts = done.counts
        if as_json:
            print_json({**counts.as_json(), "sha256": done.sha256, "dry": wish.dry})
            return
        word = "would be taken" if wish.dry else "taken"
        say(f"{counts.new} events {word} into the record, of {counts.read} read;")
        say(f"  {counts.known} are on record already, from {done.files} files.")
