"""
The command line: `atom …`. Here is what can be typed; what it does is imported late.

Exit code 0 means done, 1 that it could not be done, 2 that the line was not understood.
Every error is one line on stderr.
"""

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import Abort, TyperException

import bots.command_line.completeness
import bots.command_line.erasure
import bots.command_line.evidence
import bots.command_line.exports
import bots.command_line.imports
import bots.command_line.kept
import bots.command_line.keys
import bots.command_line.officers
import bots.command_line.retention
import bots.command_line.runs
import bots.command_line.scim
import bots.command_line.search
import bots.command_line.subject  # noqa: F401 - adds its commands to `atom compliance`
from bots.command_line.accounts import accounts_app
from bots.command_line.compliance import compliance_app
from bots.command_line.directory import directory_app, users_app
from bots.command_line.dlp import dlp_app
from bots.command_line.groups import group
from bots.command_line.organisation import channels_app, sessions_app, workspaces_app
from bots.command_line.policy import policy_app
from bots.command_line.proofs import register_proofs
from bots.command_line.spaces import register_spaces
from bots.logs import configure_logging
from bridge.errors import AtomError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
LinkId = Annotated[str, typer.Argument(help="The link's id; 'atom links' shows it.")]
Letters = Annotated[
    str, typer.Argument(help="A letter's number or a link; all, if left out.")
]
Addresses = Annotated[
    list[str],
    typer.Argument(
        metavar="ADDRESS …",
        help="slack:TEAM_ID/CHANNEL_ID or teams:TEAM_ID/CHANNEL_ID, two or more",
    ),
]


_FEWEST = 2  # channels that make a link


app = group(
    "Make channels in Slack and Microsoft Teams one conversation, on a log that "
    "can be proved.",
    name="atom",
)
log_app = group("Read and verify the compliance log.")
manifest_app = group("What Slack and Teams are told about ATOM.")
app.add_typer(log_app, name="log")
register_proofs(log_app)
app.add_typer(manifest_app, name="manifest")
app.add_typer(accounts_app, name="accounts")
app.add_typer(workspaces_app, name="workspaces")
register_spaces(workspaces_app)
app.add_typer(channels_app, name="channels")
app.add_typer(sessions_app, name="sessions")
app.add_typer(compliance_app, name="compliance")
app.add_typer(users_app, name="users")
app.add_typer(dlp_app, name="dlp")
app.add_typer(directory_app, name="directory")
app.add_typer(policy_app, name="policy")


@app.command()
def demo() -> None:
    """Chat across a local Slack and a local Teams."""
    from bots.demo_process import prepare

    prepare()  # imports ATOM while this process imports the sandbox
    with _uncollected():
        from bots.demo import run
        from bots.settings_sources import read_settings

    asyncio.run(run(read_settings()))


@app.command()
def serve() -> None:
    """Serve Slack and Teams until stopped."""
    with _uncollected():
        import uvloop

        from bots.app import serve as serve_with
        from bots.settings_sources import read_settings

    uvloop.run(serve_with(read_settings()))


@app.command()
def doctor(json: AsJson = False) -> None:
    """Say what is wrong with this installation, and how to fix it."""
    from bots.doctor.examination import examine
    from bots.doctor.report import healthy, show

    findings = asyncio.run(examine())
    show(findings, as_json=json)
    if not healthy(findings):
        raise typer.Exit(1)


@app.command()
def setup(
    company_id: Annotated[str, typer.Option(help="A short id such as acme-corp.")],
    admin_email: Annotated[str, typer.Option(help="The first admin's address.")],
    name: Annotated[str, typer.Option(help="The company's name.")] = "",
) -> None:
    """Set a company up, with its first admin, its keys and atom.toml."""
    from bots.command_line.set_up import set_up

    asyncio.run(set_up(company_id, admin_email, name))


@app.command()
def link(
    addresses: Addresses,
    add: Annotated[
        str, typer.Option(metavar="LINK", help="Let the channel into this link.")
    ] = "",
    backfill: Annotated[
        int,
        typer.Option(metavar="DAYS", help="Bring each side's last days across."),
    ] = 0,
    dry_run: Annotated[
        bool, typer.Option(help="Only say what would be, and change nothing.")
    ] = False,
    company: OfCompany = "",
) -> None:
    """Make channels one conversation, and say so in each."""
    if len(addresses) + bool(add) < _FEWEST:
        raise typer.BadParameter("a link joins two channels or more.")
    from bots.command_line.links import link as link_channels
    from bots.command_line.links import rehearse

    work = rehearse if dry_run else link_channels
    asyncio.run(work(addresses, add, company, backfill))


@app.command()
def unlink(
    link: LinkId,
    address: Annotated[
        str, typer.Argument(help="The channel to take out; all, if left out.")
    ] = "",
    company: OfCompany = "",
) -> None:
    """End a link, or take one channel out of it."""
    from bots.command_line.links import unlink as unlink_channels

    asyncio.run(unlink_channels(link, address, company))


@app.command()
def pause(link: LinkId, company: OfCompany = "") -> None:
    """Hold a link; what is written meanwhile waits."""
    from bots.command_line.links import change

    asyncio.run(change("pause", link, company))


@app.command()
def resume(link: LinkId, company: OfCompany = "") -> None:
    """Let a paused link carry messages again."""
    from bots.command_line.links import change

    asyncio.run(change("resume", link, company))


@app.command()
def options(
    link: LinkId,
    choices: Annotated[
        list[str] | None, typer.Argument(help="Such as files=link or bots=relay.")
    ] = None,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show what a link does with files, bots, pings and deletes, or change it."""
    from bots.command_line.links import options as link_options

    asyncio.run(link_options(link, choices or (), company, as_json=json))


@app.command()
def links(company: OfCompany = "", json: AsJson = False) -> None:
    """List the links."""
    from bots.command_line.links import listing

    asyncio.run(listing(company, as_json=json))


@app.command()
def status(company: OfCompany = "", json: AsJson = False) -> None:
    """Show how the links are doing: lag, queue, errors."""
    from bots.command_line.links import status as show_status

    asyncio.run(show_status(company, as_json=json))


@app.command()
def dead(which: Letters = "", company: OfCompany = "", json: AsJson = False) -> None:
    """List what did not get across, and why."""
    from bots.command_line.letters import listing as list_letters

    asyncio.run(list_letters(which, company, as_json=json))


@app.command()
def retry(
    which: Letters = "",
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Send what may stand there: a second copy may appear."
        ),
    ] = False,
    company: OfCompany = "",
) -> None:
    """Deliver dead letters again; unknown outcomes are looked up first."""
    from bots.command_line.letters import retry as retry_letters

    asyncio.run(retry_letters(which, company, anyway=anyway))


@app.command()
def replay(
    link: LinkId,
    since: Annotated[
        str, typer.Argument(help="90min, 2h, 3d or 2030-01-31T08:00; else 1d.")
    ] = "",
    company: OfCompany = "",
) -> None:
    """Deliver what is missing on either side since a time."""
    from bots.command_line.letters import replay as replay_link

    asyncio.run(replay_link(link, since, company))


@app.command()
def drop(
    which: Annotated[str, typer.Argument(help="A letter's number, a link, or all.")],
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "",
    company: OfCompany = "",
) -> None:
    """Take dead letters off the list, for good."""
    from bots.command_line.letters import drop as drop_letters

    asyncio.run(drop_letters(which, reason, company))


@app.command()
def convert(
    direction: Annotated[str, typer.Argument(help="slack-to-teams or teams-to-slack")],
) -> None:
    """Convert messages, one JSON object a line.

    Each line in is {"input": ..., "context": ...}, each line out a result.
    """
    from bots.command_line.convert import convert_lines

    if not convert_lines(direction, sys.stdin.buffer, sys.stdout.buffer):
        raise typer.Exit(1)


@log_app.command("head")
def log_head(company: OfCompany = "", json: AsJson = False) -> None:
    """Print the log's size and root."""
    from bots.command_line.log import head

    if not asyncio.run(head(company, as_json=json)):
        raise typer.Exit(1)


@log_app.command("show")
def log_show(
    after: Annotated[int, typer.Option(help="Show entries after this one.")] = -1,
    last: Annotated[int, typer.Option(help="Show the last entries.", min=1)] = 20,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show the last entries, or those after a given one."""
    from bots.command_line.log import entries

    asyncio.run(entries(company, after, last, as_json=json))


@log_app.command("verify")
def log_verify(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A file with an earlier checkpoint to go on from."),
    ] = None,
    bodies: Annotated[
        bool, typer.Option(help="Open what the entries hold as well.")
    ] = True,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Prove that nothing in the log was changed."""
    from bots.command_line.log import verify

    given = checkpoint or ()
    if not asyncio.run(verify(company, given, bodies=bodies, as_json=json)):
        raise typer.Exit(1)


@manifest_app.command("build")
def manifest_build(
    url: Annotated[str, typer.Option(help="Where ATOM is reached: https://…")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("dist"),
    teams_app_id: Annotated[
        str, typer.Option(help="The bot's app id; else ATOM_TEAMS_APP_ID.")
    ] = "",
    socket_mode: Annotated[
        bool, typer.Option("--socket-mode", help="Slack may not call in.")
    ] = False,
) -> None:
    """Write what Slack and Teams want to upload."""
    from bots.command_line.manifest import build

    build(url, out, teams_app_id, socket_mode=socket_mode)


# It looks at every parameter of every command, which takes longer than most lines do.
command_of = cache(typer.main.get_command)


def main(arguments: list[str] | None = None, log: Path | None = None) -> NoReturn:
    """Run one line, and leave with its exit code; `log` is a file to log to."""
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments, log))


def _run(arguments: list[str], log: Path | None) -> int:
    # First of all: what goes wrong must not be told with what people said in it.
    configure_logging(human=sys.stderr.isatty(), file=log)
    try:
        command = command_of(app)
        return command.main(arguments, prog_name="atom", standalone_mode=False) or 0
    except TyperException as error:
        _complain(f"{error.format_message()} {_hint(error)}")
        return error.exit_code
    except AtomError as error:
        _complain(str(error))
        return 1
    except BrokenPipeError:
        # The reader has seen enough, and nothing more may be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, Abort):
        return 130


@contextmanager
def _uncollected() -> Iterator[None]:
    """Import without garbage collection: what modules make stays, and is left alone."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _hint(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"Try '{context.command_path if context else 'atom'} --help'."


def _complain(text: str) -> None:
    print(f"atom: {' '.join(text.split())}", file=sys.stderr)
