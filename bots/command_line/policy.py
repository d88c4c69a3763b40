"""What can be typed about the company's policy: `atom policy …`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
AFront = Annotated[
    Path | None, typer.Argument(metavar="FILE", help="The rules, YAML; - is stdin.")
]
ACedar = Annotated[
    Path | None, typer.Option("--cedar", help="The company's own Cedar text.")
]
AVersion = Annotated[int, typer.Argument(help="'atom policy history' shows them.")]

policy_app = group(
    "Who may do what, by the company's directory: rules, their tests, and why."
)


@policy_app.command("check")
def check(
    file: AFront = None,
    cedar: ACedar = None,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """
    Check rules without publishing them.

    The first mistake is told with its line. Without a directory, names are not looked up.
    """
    from bots.command_line.policy_work import check as run

    asyncio.run(run(file, cedar, company, as_json=json))


@policy_app.command("test")
def run_tests(
    file: AFront = None,
    cedar: ACedar = None,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Run the tests of rules in a file, or of the version in force."""
    from bots.command_line.policy_work import test as run

    if not asyncio.run(run(file, cedar, company, as_json=json)):
        raise typer.Exit(1)


@policy_app.command("why")
def why(
    person: Annotated[
        str,
        typer.Argument(
            help="A name, an address, or an account as slack:TEAM_ID/USER_ID."
        ),
    ],
    action: Annotated[str, typer.Argument(help="Such as post, file or admin.link.")],
    where: Annotated[
        str,
        typer.Argument(
            help="A link, a channel as slack:TEAM_ID/CHANNEL_ID, or a record."
        ),
    ] = "",
    label: Annotated[str, typer.Option(help="public, internal, …")] = "public",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Say which rule lets somebody do something, or what is missing."""
    from bots.command_line.policy_why import why as run

    asyncio.run(run((person, action, where), label, company, as_json=json))


@policy_app.command("what-if")
def what_if(
    file: AFront = None,
    cedar: ACedar = None,
    person: Annotated[str, typer.Option(help="Somebody of the directory.")] = "",
    joins: Annotated[str, typer.Option(help="A group they would join.")] = "",
    leaves: Annotated[str, typer.Option(help="A group they would leave.")] = "",
    csv: Annotated[
        Path | None, typer.Option(help="Write every change to this file.")
    ] = None,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """
    Say who would gain and lose what by other rules, or by somebody's move.

    What was shown of rules is published by its hash: 'atom policy publish HASH'.
    """
    from bots.command_line.policy_work import Wanted
    from bots.command_line.policy_work import what_if as run

    wanted = Wanted(file, cedar, person, joins, leaves)
    asyncio.run(run(wanted, csv, company, as_json=json))


@policy_app.command("publish")
def publish(
    preview: Annotated[
        str, typer.Argument(metavar="HASH", help="'atom policy what-if' prints it.")
    ],
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Put into force what a preview showed, if nothing has moved since."""
    from bots.command_line.policy_work import publish as run

    asyncio.run(run(preview, company, as_json=json))


@policy_app.command("show")
def show(
    version: Annotated[int, typer.Option(help="An earlier version.")] = 0,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="All of it as Cedar, ATOM's own too.")
    ] = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Print the rules in force."""
    from bots.command_line.policy_work import show as run

    asyncio.run(run(version, company, compiled=compiled, as_json=json))


@policy_app.command("history")
def history(company: OfCompany = "", json: AsJson = False) -> None:
    """List the versions that were published."""
    from bots.command_line.policy_work import history as run

    asyncio.run(run(company, as_json=json))


@policy_app.command("rollback")
def rollback(version: AVersion, company: OfCompany = "", json: AsJson = False) -> None:
    """Say what going back to a version would change; 'publish' then does it."""
    from bots.command_line.policy_work import rollback as run

    asyncio.run(run(version, company, as_json=json))


@policy_app.command("replay")
def replay(
    seq: Annotated[int, typer.Argument(help="The log entry's number.")],
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Take a decision of the log again, with the policy and the facts of its time."""
    from bots.command_line.policy_why import replay as run

    if not asyncio.run(run(seq, company, as_json=json)):
        raise typer.Exit(1)
