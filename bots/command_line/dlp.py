"""What can be typed about what may leave: `atom dlp …`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bots.command_line.groups import group

OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]

dlp_app = group(
    "Data-loss prevention: what is found in what people say, and what is done."
)


@dlp_app.command("scan")
def scan(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE …", help="Files to read; - or none is stdin."),
    ] = None,
    detector: Annotated[
        list[str] | None,
        typer.Option(help="Only this detector, or @secret for all of a group."),
    ] = None,
    confidence: Annotated[
        str, typer.Option(help="How sure it has to be: low, medium or high.")
    ] = "low",
    whole: Annotated[
        bool,
        typer.Option(
            "--whole", help="Read each file as one text; .docx and .pdf always are."
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if anything is found.")
    ] = False,
    rules: Annotated[
        Path | None, typer.Option(help="Use the detectors of these rules.")
    ] = None,
    company: OfCompany = "",
) -> None:
    """
    Read lines and print what is found, one JSON object a line.

    It says which detector, where (characters from `start` up to `end`), how sure, and a
    keyed hash. It never prints a value.
    """
    from bots.command_line.dlp_work import Wanted
    from bots.command_line.dlp_work import scan as run

    wanted = Wanted.of(detector or (), confidence, rules, whole=whole)
    found = run(tuple(files or ()), wanted, company)
    if check and found:
        raise typer.Exit(1)


@dlp_app.command("detectors")
def detectors(json: AsJson = False) -> None:
    """List the detectors and their groups."""
    from bots.command_line.dlp_work import list_detectors

    list_detectors(as_json=json)


@dlp_app.command("check")
def check_rules(
    file: Annotated[Path, typer.Argument(help="Rules as YAML; docs/dlp.md says how.")],
) -> None:
    """Say whether rules can be used, and what is wrong with them."""
    from bots.command_line.dlp_rules_work import check as run

    run(file)


@dlp_app.command("test")
def run_tests(
    file: Annotated[
        Path | None, typer.Argument(help="Rules as YAML; none are those that hold.")
    ] = None,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Run the tests of rules, and those of the policy that are about what may leave."""
    from bots.command_line.dlp_rules_work import test as run

    if not asyncio.run(run(file, company, as_json=json)):
        raise typer.Exit(1)


@dlp_app.command("what-if")
def what_if(
    file: Annotated[Path, typer.Argument(help="Rules as YAML; docs/dlp.md says how.")],
    lines: Annotated[
        Path | None, typer.Option(help="Try them with each line of this file as well.")
    ] = None,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Show what rules would change against those that hold, and do nothing."""
    from bots.command_line.dlp_rules_work import what_if as run

    asyncio.run(run(file, lines, company, as_json=json))


@dlp_app.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(help="Rules as YAML; docs/dlp.md says how.")],
    preview: Annotated[
        str,
        typer.Option(help="The hash of what 'what-if' showed, which alone is done."),
    ] = "",
    without_preview: Annotated[
        bool,
        typer.Option(
            "--without-preview", help="Nobody looked what changes: it is on record."
        ),
    ] = False,
    company: OfCompany = "",
) -> None:
    """
    Let rules hold from now on, if their tests pass. Earlier ones stay on record.

    Rules that change anything but tests and remarks take the hash of a preview.
    """
    from bots.command_line.dlp_rules_work import publish as run

    asyncio.run(run(file, company, preview, unseen=without_preview))


@dlp_app.command("rules")
def rules(
    version: Annotated[
        int, typer.Option(help="This version; 0 is the newest.", min=0)
    ] = 0,
    versions: Annotated[
        bool, typer.Option("--versions", help="List them instead.")
    ] = False,
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Print the rules that hold, or held."""
    from bots.command_line.dlp_rules_work import list_versions
    from bots.command_line.dlp_rules_work import show as run

    if versions:
        asyncio.run(list_versions(company, as_json=json))
    else:
        asyncio.run(run(version, company, as_json=json))
