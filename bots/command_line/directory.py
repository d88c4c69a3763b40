"""What can be typed about the directory: `atom directory …` and `atom users …`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
FromSource = Annotated[
    str, typer.Option("--source", help="A source's name or kind; all, if left out.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
]
Server = Annotated[
    str, typer.Option("--ldap-server", help="A server to read: ldaps://HOST.")
]
BaseDn = Annotated[str, typer.Option("--base-dn", help="Where in its tree to begin.")]
BindDn = Annotated[str, typer.Option("--bind-dn", help="Who signs in there.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="A file with the password.")
]
CaFile = Annotated[
    Path | None,
    typer.Option("--ca-file", help="The certificates to trust, PEM; the system's."),
]
Kind = Annotated[
    str, typer.Option("--kind", help="What the server is: ldap or active-directory.")
]
AHash = Annotated[
    str, typer.Argument(metavar="HASH", help="'atom directory status' shows it.")
]
Who = Annotated[str, typer.Argument(help="An id, a name, an address or a user name.")]


directory_app = group("The company's directory: who is who, and in what.")
users_app = group("People, as the directory knows them.")


@directory_app.command("sync")
def sync(
    source: FromSource = "",
    ldap_server: Server = "",
    base_dn: BaseDn = "",
    bind_dn: BindDn = "",
    password_file: PasswordFile = None,
    ca_file: CaFile = None,
    kind: Kind = "ldap",
    dry_run: DryRun = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Read everything from the sources, or from the server given here."""
    from bots.command_line.directory_work import Server as Given
    from bots.command_line.directory_work import synchronise

    given = Given(ldap_server, base_dn, bind_dn, password_file, ca_file, kind)
    asyncio.run(synchronise(source, given, company, dry_run=dry_run, as_json=json))


@directory_app.command("status")
def status(company: OfCompany = "", json: AsJson = False) -> None:
    """Show the sources, how old what they told is, and what waits."""
    from bots.command_line.directory_work import status as show

    asyncio.run(show(company, as_json=json))


@directory_app.command("approve")
def approve(digest: AHash, company: OfCompany = "") -> None:
    """Let exactly the changes with this hash happen."""
    from bots.command_line.directory_work import decide

    asyncio.run(decide(digest, company, agree=True))


@directory_app.command("refuse")
def refuse(digest: AHash, company: OfCompany = "") -> None:
    """Say no to them, as long as the source says just these."""
    from bots.command_line.directory_work import decide

    asyncio.run(decide(digest, company, agree=False))


@users_app.command("sync")
def sync_users(
    source: FromSource = "",
    dry_run: DryRun = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Read everything from a source, such as --source active-directory."""
    from bots.command_line.directory_work import Server as Given
    from bots.command_line.directory_work import synchronise

    asyncio.run(synchronise(source, Given(), company, dry_run=dry_run, as_json=json))


@users_app.command("list")
def users(
    group: Annotated[
        str, typer.Option("--in", help="Only people in this group, unit or role.")
    ] = "",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """List everybody."""
    from bots.command_line.users_work import everybody

    asyncio.run(everybody(group, company, as_json=json))


@users_app.command("show")
def user(who: Who, company: OfCompany = "", json: AsJson = False) -> None:
    """Show somebody: what is told of them, by which source, and what they are in."""
    from bots.command_line.users_work import somebody

    asyncio.run(somebody(who, company, as_json=json))
