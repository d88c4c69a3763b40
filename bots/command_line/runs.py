"""What can be typed about joiners, movers and leavers: `atom users runs …`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.directory import AsJson, OfCompany, users_app
from bots.command_line.groups import group

runs_app = group("What is done about joiners, movers and leavers.")
users_app.add_typer(runs_app, name="runs")

ARun = Annotated[
    str, typer.Argument(metavar="RUN", help="Its id; 'atom users runs list' shows it.")
]


@runs_app.command("list")
def listed(
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that are over.")
    ] = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show the runs that wait or are being done, the newest first."""
    from bots.command_line.runs_work import runs

    asyncio.run(runs(company, everything=everything, as_json=json))


@runs_app.command("show")
def show(run: ARun, company: OfCompany = "", json: AsJson = False) -> None:
    """Show a run's steps with their reasons, how far each is, and its digest."""
    from bots.command_line.runs_work import show as shown

    asyncio.run(shown(run, company, as_json=json))


@runs_app.command("approve")
def approve(
    run: ARun,
    digest: Annotated[
        str, typer.Argument(help="The digest that 'show' told, or its beginning.")
    ],
    company: OfCompany = "",
) -> None:
    """Let exactly the steps be done that were shown."""
    from bots.command_line.runs_work import decide

    asyncio.run(decide(run, digest, company, agreed=True))


@runs_app.command("refuse")
def refuse(
    run: ARun,
    digest: Annotated[
        str, typer.Argument(help="The digest that 'show' told, or its beginning.")
    ],
    company: OfCompany = "",
) -> None:
    """Have a run not be done, for good."""
    from bots.command_line.runs_work import decide

    asyncio.run(decide(run, digest, company, agreed=False))


@runs_app.command("revert")
def revert(run: ARun, company: OfCompany = "") -> None:
    """Take back what a run did, as far as it can be and the policy lets it."""
    from bots.command_line.runs_work import revert as taken_back

    asyncio.run(taken_back(run, company))
