"""What can be typed about the SCIM server: `atom directory scim …`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.directory import AsJson, OfCompany, directory_app
from bots.command_line.groups import group

scim_app = group("Let an identity provider push people and groups to /scim/v2.")
token_app = group("The bearer tokens that it comes with.")
directory_app.add_typer(scim_app, name="scim")
scim_app.add_typer(token_app, name="token")

AToken = Annotated[
    str, typer.Argument(help="Its id; 'atom directory scim token list' shows it.")
]
AGroup = Annotated[str, typer.Argument(metavar="GROUP", help="The group's SCIM id.")]


@token_app.command("create")
def create(
    note: Annotated[str, typer.Option(help="What it is for, such as Entra.")] = "",
    days: Annotated[
        int, typer.Option(min=1, max=90, help="For how many days it is good.")
    ] = 90,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Make a token, which is shown this once. One that there is ends within a week."""
    from bots.command_line.scim_work import create as make

    asyncio.run(make(note, days, company, as_json=json))


@token_app.command("list")
def tokens(company: OfCompany = "", json: AsJson = False) -> None:
    """Show which tokens there are, how long they are good and when they were used."""
    from bots.command_line.scim_work import tokens as show

    asyncio.run(show(company, as_json=json))


@token_app.command("revoke")
def revoke(token: AToken, company: OfCompany = "") -> None:
    """End a token at once."""
    from bots.command_line.scim_work import revoke as end

    asyncio.run(end(token, company))


@scim_app.command("allow")
def allow(wanted: AGroup, company: OfCompany = "") -> None:
    """Let a group lose as many members as is asked for, once within a day."""
    from bots.command_line.scim_work import allow as let

    asyncio.run(let(wanted, company))
