"""What can be typed about what movers keep for a while: `atom users kept …`."""

import asyncio
from typing import Annotated

import typer

from bots.command_line.directory import AsJson, OfCompany, Who, users_app
from bots.command_line.groups import group

kept_app = group("What movers keep for a while of what they left.")
users_app.add_typer(kept_app, name="kept")


@kept_app.command("list")
def listed(
    who: Annotated[
        str, typer.Argument(help="Only what this person keeps: an id, a name, …")
    ] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show what is kept, by whom and until when, what ends first first."""
    from bots.command_line.kept_work import kept

    asyncio.run(kept(who, company, as_json=json))


@kept_app.command("end")
def end(
    who: Who,
    what: Annotated[
        str, typer.Argument(help="Its name or id; all that they keep, if left out.")
    ] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """End it now, with what it is in. It takes the duty to approve."""
    from bots.command_line.kept_work import end as ended

    asyncio.run(ended(who, what, company, as_json=json))
