"""What can be typed to search the record and look at it: `atom compliance search …`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.compliance import compliance_app
from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]

index_app = group("The index that searches are answered from. It is made of the log.")
compliance_app.add_typer(index_app, name="index")


@compliance_app.command("search")
def search(
    query: Annotated[
        str,
        typer.Argument(
            help='Such as: from:ada after:-7d "release plan" -draft*. '
            "docs/compliance-search.md has the language."
        ),
    ],
    tz: Annotated[
        str, typer.Option(help="Where days begin, such as Europe/Berlin.")
    ] = "",
    as_of: Annotated[
        int, typer.Option(help="As of this size of the log; -1 is all of it.", min=-1)
    ] = -1,
    count: Annotated[bool, typer.Option("--count", help="Only say how many.")] = False,
    limit: Annotated[int, typer.Option(help="So many at a time.", min=0)] = 20,
    cursor: Annotated[str, typer.Option(help="Go on after the last page.")] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Search everything on record. That you did is on record, too."""
    from bots.command_line.search_work import Wanted
    from bots.command_line.search_work import search as run

    wanted = Wanted(query, tz, as_of, 0 if count else limit, cursor)
    asyncio.run(run(wanted, company, as_json=json))


@compliance_app.command("show")
def show(
    seq: Annotated[int, typer.Argument(help="The entry's position in the log.", min=0)],
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show what a message said, in all its revisions. Reading it is on record."""
    from bots.command_line.search_work import show as run

    asyncio.run(run(seq, company, as_json=json))


@compliance_app.command("recreate")
def recreate(
    msg: Annotated[str, typer.Option(help="The platform's id of the message.")],
    rev: Annotated[int, typer.Option(help="0 is what it said first.", min=0)] = 0,
    channel: Annotated[
        str, typer.Option(help="Its channel's id, if several have such a message.")
    ] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show one revision of a message as it was, with its proof's position."""
    from bots.command_line.search_work import recreate as run

    asyncio.run(run(msg, rev, channel, company, as_json=json))


@index_app.command("status")
def status(company: OfCompany = "", json: AsJson = False) -> None:
    """Say how far the index is, and how large."""
    from bots.command_line.search_work import index_status

    asyncio.run(index_status(company, as_json=json))


@index_app.command("rebuild")
def rebuild(company: OfCompany = "", json: AsJson = False) -> None:
    """Make the index anew from the log."""
    from bots.command_line.search_work import index_rebuild

    asyncio.run(index_rebuild(company, as_json=json))
