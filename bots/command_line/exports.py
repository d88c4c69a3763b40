"""What can be typed about exports: `atom compliance export`, `exports`, `custody`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bots.command_line.compliance import compliance_app

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]


@compliance_app.command("export")
def export(
    out: Annotated[Path, typer.Option(help="The zip file to write.")],
    channel: Annotated[
        list[str] | None,
        typer.Option(help="slack:TEAM_ID/CHANNEL_ID or teams:TEAM_ID/CHANNEL_ID."),
    ] = None,
    person: Annotated[
        list[str] | None,
        typer.Option(help="An account's id, slack:ID, teams:ID, or an address."),
    ] = None,
    query: Annotated[
        str,
        typer.Option(help="What is searched for, as with 'atom compliance search'."),
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="All there is.")] = False,
    since: Annotated[
        str, typer.Option("--from", help="2030-01-31 or the like, in the time zone.")
    ] = "",
    until: Annotated[str, typer.Option("--to", help="Likewise, and included.")] = "",
    formats: Annotated[
        str,
        typer.Option(
            "--format",
            help="native, slack, actiance, eml, csv, edrm, dat, rsmf, purview, with commas; "
            "or all.",
        ),
    ] = "native",
    as_of: Annotated[
        int, typer.Option(help="As of this size of the log; else as it is now.", min=0)
    ] = 0,
    tz: Annotated[str, typer.Option(help="The time zone of days and times.")] = "UTC",
    matter: Annotated[str, typer.Option(help="What it is for, for the manifest.")] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Export what is on record, with proofs. It takes a second person's approval."""
    if not (query or channel or person or everything):
        raise typer.BadParameter("say which: --query, --channel, --person or --all.")
    from bots.command_line.exports_work import Wish
    from bots.command_line.exports_work import export as make

    wish = Wish(
        query,
        tuple(channel or ()),
        tuple(person or ()),
        since,
        until,
        formats,
        as_of,
        tz,
        matter,
    )
    asyncio.run(make(wish, out, company, as_json=json))


@compliance_app.command("exports")
def exports(company: OfCompany = "", json: AsJson = False) -> None:
    """List what was exported, by whom, and whom it was handed to."""
    from bots.command_line.exports_work import listing

    asyncio.run(listing(company, as_json=json))


@compliance_app.command("custody")
def custody(
    export_id: Annotated[str, typer.Argument(help="'atom compliance exports' has it.")],
    to: Annotated[str, typer.Option(help="Whom it goes to.")],
    purpose: Annotated[str, typer.Option(help="What for.")],
    company: OfCompany = "",
) -> None:
    """Put on record that an export was handed over."""
    from bots.command_line.exports_work import hand_over

    asyncio.run(hand_over(export_id, to, purpose, company))
