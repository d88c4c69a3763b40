"""What can be typed about a company's workspaces and tenants: `atom accounts …`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
AnAccount = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="slack:TEAM_ID or teams:TENANT_ID")
]

accounts_app = group("The Slack workspaces and Teams tenants that are a company's.")


@accounts_app.command("list")
def accounts_list(company: OfCompany = "", json: AsJson = False) -> None:
    """List them."""
    from bots.command_line.account_work import listing

    asyncio.run(listing(company, as_json=json))


@accounts_app.command("add")
def accounts_add(
    account: AnAccount,
    name: Annotated[str, typer.Option(help="What copies call it.")] = "",
    company: OfCompany = "",
) -> None:
    """Make one the company's, or give it a name."""
    from bots.command_line.account_work import add

    asyncio.run(add(account, name, company))


@accounts_app.command("remove")
def accounts_remove(account: AnAccount, company: OfCompany = "") -> None:
    """Let one be nobody's any more: nothing is heard from it."""
    from bots.command_line.account_work import remove

    asyncio.run(remove(account, company))
