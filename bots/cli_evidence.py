"""What can be typed to show others what was done: access log, report, records."""

import asyncio
from typing import Annotated

import typer

from bots.cli_compliance import compliance_app

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
    from bots.cli_evidence_work import access_log as show

    asyncio.run(show(period, officer, company, as_json=json))
