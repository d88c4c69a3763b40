"""What can be typed about erasing people: `atom compliance erase …`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.compliance import compliance_app

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
APerson = Annotated[
    str, typer.Argument(help="slack:TEAM_ID/USER_ID or teams:TENANT_ID/USER_ID.")
]
AnErasure = Annotated[
    str, typer.Argument(help="Its id; 'atom compliance erasures' shows it.")
]


@compliance_app.command("erase")
def erase(
    person: APerson,
    approved: Annotated[
        bool, typer.Option("--approved", help="A second person has agreed: do it.")
    ] = False,
    address: Annotated[
        list[str] | None,
        typer.Option(help="An e-mail address of theirs; may be given several times."),
    ] = None,
    company: OfCompany = "",
) -> None:
    """Destroy the keys of all that somebody said. What is held stays for its matter."""
    from bots.command_line.erasure_work import erase as shred

    asyncio.run(shred(person, company, address or (), approved=approved))


@compliance_app.command("erasures")
def erasures(company: OfCompany = "", json: AsJson = False) -> None:
    """Show what was erased, and how far it is."""
    from bots.command_line.erasure_work import erasures as show

    asyncio.run(show(company, as_json=json))


@compliance_app.command("certificate")
def certificate(
    erasure: AnErasure,
    person: Annotated[
        str, typer.Option("--person", help="Show that it is about this person.")
    ] = "",
    company: OfCompany = "",
) -> None:
    """Print a signed note of what was erased, as of now."""
    from bots.command_line.erasure_work import certificate as sign

    asyncio.run(sign(erasure, person, company))


@compliance_app.command("matter")
def matter(
    name: Annotated[str, typer.Argument(help="The hold's id.", metavar="HOLD")],
    after: Annotated[
        int, typer.Option("--after", help="Only entries above this position.")
    ] = -1,
    company: OfCompany = "",
) -> None:
    """Print what a hold keeps of the erased, as JSON. It takes the duty to read."""
    from bots.command_line.erasure_work import matter as read

    asyncio.run(read(name, after, company))
