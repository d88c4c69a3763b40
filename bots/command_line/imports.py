"""What can be typed to take others' exports into the record: `atom compliance import`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bots.command_line.compliance import compliance_app
from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
AnAccount = Annotated[
    str, typer.Option(help="The workspace's or tenant's id, if there are several.")
]
Dry = Annotated[
    bool, typer.Option("--dry-run", help="Say what is new, and write nothing.")
]

import_app = group(
    "Take what Slack or Teams exported into the record, marked as imported."
)
compliance_app.add_typer(import_app, name="import")


@import_app.command("slack")
def slack(
    file: Annotated[Path, typer.Argument(help="The zip that Slack gave out.")],
    account: AnAccount = "",
    dry_run: Dry = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Import a Slack export. What is on record already is not taken twice."""
    from bots.command_line.imports_work import slack as run

    asyncio.run(run(file, account, company, dry=dry_run, as_json=json))


@import_app.command("teams")
def teams(
    file: Annotated[
        Path, typer.Argument(help="Graph's chat messages: JSON, or a zip.")
    ],
    account: AnAccount = "",
    dry_run: Dry = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Import chat messages that Microsoft Graph exported."""
    from bots.command_line.imports_work import teams as run

    asyncio.run(run(file, account, company, dry=dry_run, as_json=json))
