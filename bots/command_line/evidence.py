"""What can be typed to show others what was done: access log, report, records."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bots.command_line.compliance import compliance_app

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
APeriod = Annotated[
    str,
    typer.Option(
        metavar="PERIOD",
        help="last-month, this-month, 2026-10, 2026-Q3, 2026, 2026-10-05, "
        "last-7-days or 2026-10-01..2026-10-15; UTC.",
    ),
]


@compliance_app.command("access-log")
def access_log(
    period: APeriod = "last-30-days",
    officer: Annotated[
        str, typer.Option(help="Only what this officer did, such as cli:ada.")
    ] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show who searched, viewed, exported and held, with counts and result roots."""
    from bots.command_line.evidence_work import access_log as show

    asyncio.run(show(period, officer, company, as_json=json))


@compliance_app.command("report")
def report(
    period: APeriod = "last-month",
    out: Annotated[
        Path, typer.Option(help="The folder to write to; it is made if need be.")
    ] = Path("evidence"),
    size: Annotated[
        int, typer.Option(help="As of this size of the log; 0 is all of it.", min=0)
    ] = 0,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Make the evidence pack: a PDF and a JSON, signed, with a page a control."""
    from bots.command_line.evidence_work import report as make

    asyncio.run(make(period, out, size, company, as_json=json))
