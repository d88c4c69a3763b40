"""What can be typed about completeness: `atom compliance reconcile`, `coverage`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.compliance import compliance_app
from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
_TIME = "YYYY-MM-DD or YYYY-MM-DDTHH:MM, UTC"


@compliance_app.command()
def reconcile(
    channel: Annotated[
        str, typer.Option(help="Only this channel: slack:TEAM/ID or teams:TEAM/ID.")
    ] = "",
    since: Annotated[
        str, typer.Option("--from", help=f"From when on: {_TIME}.", metavar="TIME")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", help=f"Until when: {_TIME}.", metavar="TIME")
    ] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Compare the record with the platforms' history, and read in what is missing."""
    from bots.command_line.completeness_work import reconcile as run

    if not asyncio.run(run(channel, since, until, company, as_json=json)):
        raise typer.Exit(1)


@compliance_app.command()
def coverage(
    days: Annotated[int, typer.Option(help="Show the last days.", min=1)] = 14,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show how much of each channel's day is known to be on record."""
    from bots.command_line.completeness_work import coverage as show

    asyncio.run(show(days, company, as_json=json))


grid_app = group("What Slack's organisation says about itself.")
compliance_app.add_typer(grid_app, name="grid")


@grid_app.callback()
def grid() -> None:
    """Slack Enterprise Grid."""


@grid_app.command("sync")
def grid_sync(company: OfCompany = "", json: AsJson = False) -> None:
    """Take in the organisation's audit log and legal holds, as far as they are new."""
    from bots.command_line.completeness_work import sync_grid

    if not asyncio.run(sync_grid(company, as_json=json)):
        raise typer.Exit(1)
