"""What can be typed about officers and approvals: `atom compliance officers …`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.compliance import compliance_app
from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
AnOfficer = Annotated[
    str,
    typer.Argument(help="slack:TEAM_ID/USER_ID, teams:TENANT_ID/USER_ID or cli:LOGIN."),
]
ADuty = Annotated[
    str,
    typer.Argument(
        help="read, search, export, hold, retain, erase, approve or assign."
    ),
]
AnApproval = Annotated[
    str, typer.Argument(help="Its id; 'atom compliance approvals list' shows it.")
]


officers_app = group("Who was trusted with the record.")
approvals_app = group("Acts that take a second person.")
compliance_app.add_typer(officers_app, name="officers")
compliance_app.add_typer(approvals_app, name="approvals")


@officers_app.command("assign")
def assign(officer: AnOfficer, duty: ADuty, company: OfCompany = "") -> None:
    """Trust somebody with a duty. The first one to assign duties is made here."""
    from bots.command_line.officers_work import assign as give

    asyncio.run(give(officer, duty, company))


@officers_app.command("revoke")
def revoke(officer: AnOfficer, duty: ADuty, company: OfCompany = "") -> None:
    """Trust somebody with a duty no longer."""
    from bots.command_line.officers_work import revoke as take

    asyncio.run(take(officer, duty, company))


@officers_app.command("list")
def officers(company: OfCompany = "", json: AsJson = False) -> None:
    """Show who has which duty, and who gave it."""
    from bots.command_line.officers_work import officers as show

    asyncio.run(show(company, as_json=json))


@approvals_app.command("list")
def approvals(
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was decided or has expired.")
    ] = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show what waits for a second person."""
    from bots.command_line.officers_work import approvals as show

    asyncio.run(show(company, everything=everything, as_json=json))


@approvals_app.command("approve")
def approve(approval: AnApproval, company: OfCompany = "") -> None:
    """Agree to what somebody else asked for."""
    from bots.command_line.officers_work import decide

    asyncio.run(decide(approval, company, agreed=True))


@approvals_app.command("refuse")
def refuse(approval: AnApproval, company: OfCompany = "") -> None:
    """Say no to it."""
    from bots.command_line.officers_work import decide

    asyncio.run(decide(approval, company, agreed=False))
