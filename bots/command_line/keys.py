"""What can be typed about a company's keys: `atom compliance keys …`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.compliance import compliance_app
from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]

keys_app = group("The key that wraps everybody's keys, in its versions.")
compliance_app.add_typer(keys_app, name="keys")


@keys_app.command("status")
def status(company: OfCompany = "", json: AsJson = False) -> None:
    """Show the key's versions, and how many keys each of them wraps."""
    from bots.command_line.keys_work import status as show

    asyncio.run(show(company, as_json=json))


@keys_app.command("rotate")
def rotate(company: OfCompany = "") -> None:
    """Wrap everybody's keys under a new version, or finish doing that."""
    from bots.command_line.keys_work import rotate as turn

    asyncio.run(turn(company))


@keys_app.command("destroy-old")
def destroy_old(
    approved: Annotated[
        bool, typer.Option("--approved", help="A second person has agreed: do it.")
    ] = False,
    company: OfCompany = "",
) -> None:
    """Destroy versions that wrap nothing any more. It takes a second person."""
    from bots.command_line.keys_work import destroy_old as destroy

    asyncio.run(destroy(company, approved=approved))
