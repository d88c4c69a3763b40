"""What can be typed about a person's rights: `atom compliance subject …`."""

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
People = Annotated[
    list[str],
    typer.Argument(
        metavar="PERSON …",
        help="Who it is, on each platform: slack:TEAM_ID/USER_ID, "
        "teams:TENANT_ID/USER_ID.",
    ),
]
Out = Annotated[Path, typer.Option(help="The folder to write to.")]
Received = Annotated[
    str, typer.Option(help="The day on which it was asked, such as 2026-11-28.")
]
Why = Annotated[str, typer.Option("--reason", help="Why, for the log.")]


subject_app = group("What people may ask about themselves (GDPR).")
compliance_app.add_typer(subject_app, name="subject")


@subject_app.command("access")
def access(
    people: People,
    name: Annotated[
        list[str] | None, typer.Option(help="A name to look for in what others said.")
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option(help="The list on third parties, as changed.")
    ] = None,
    received: Received = "",
    out: Out = Path("subject"),
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Make the package for somebody who asks (Art. 15). Takes a second person."""
    from bots.command_line.subject_work import access as make

    wanted = (people, name or [], decisions, received)
    asyncio.run(make(*wanted, out, company, as_json=json))


@subject_app.command("portability")
def portability(
    people: People,
    received: Received = "",
    out: Out = Path("subject"),
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Write what somebody gave as JSON (Art. 20). Takes a second person."""
    from bots.command_line.subject_work import portability as make

    asyncio.run(make(people, received, out, company, as_json=json))


@subject_app.command("schema")
def schema() -> None:
    """Print the JSON schema of what 'portability' writes."""
    from bots.command_line.output import print_json
    from storage.compliance.gdpr.portability import SCHEMA

    print_json(SCHEMA)


@subject_app.command("restrict")
def restrict(people: People, reason: Why, company: OfCompany = "") -> None:
    """Keep somebody's entries, and show them to nobody (Art. 18)."""
    from bots.command_line.subject_work import restrict as change

    asyncio.run(change(people, reason, company, lift=False))


@subject_app.command("unrestrict")
def unrestrict(people: People, reason: Why, company: OfCompany = "") -> None:
    """Let somebody's entries be used again."""
    from bots.command_line.subject_work import restrict as change

    asyncio.run(change(people, reason, company, lift=True))


@subject_app.command("notices")
def notices(
    take_down: Annotated[
        bool,
        typer.Option("--take-down", help="First take down what still stands."),
    ] = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show what became of the copies of what was erased, per platform (Art. 19)."""
    from bots.command_line.subject_work import notices as show

    asyncio.run(show(company, take_down=take_down, as_json=json))


@subject_app.command("requests")
def requests(company: OfCompany = "", json: AsJson = False) -> None:
    """Show what people asked for, and until when it is due."""
    from bots.command_line.subject_work import requests as show

    asyncio.run(show(company, as_json=json))


@subject_app.command("extend")
def extend(
    request: Annotated[str, typer.Argument(help="Its id; 'requests' shows it.")],
    reason: Why,
    company: OfCompany = "",
) -> None:
    """Take two months more for a request, once; tell the person so yourself."""
    from bots.command_line.subject_work import extend as lengthen

    asyncio.run(lengthen(request, reason, company))


@compliance_app.command("processing")
def processing(
    out: Out = Path("processing"), company: OfCompany = "", json: AsJson = False
) -> None:
    """Write the records of processing from the configuration (Art. 30)."""
    from bots.command_line.processing_work import processing as make

    asyncio.run(make(out, company, as_json=json))


@compliance_app.command("assessments")
def assessments(
    close: Annotated[
        str, typer.Option(metavar="ID", help="Close this one, with an outcome.")
    ] = "",
    outcome: Annotated[str, typer.Option(help="What came of it.")] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show the register of impact assessments, and what opened each (Art. 35)."""
    from bots.command_line.processing_work import assessments as show

    asyncio.run(show(close, outcome, company, as_json=json))
