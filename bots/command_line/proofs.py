"""What can be typed about proofs: `atom log checkpoint`, `atom log prove` and so on."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
Entry = Annotated[int, typer.Argument(metavar="SEQ", min=0, help="The entry's number.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Write to this file instead of printing.")
]


def checkpoint(company: OfCompany = "", json: AsJson = False) -> None:
    """Sign the log as it is now, and print the checkpoint."""
    from bots.command_line.proving import checkpoint as printed

    asyncio.run(printed(company, as_json=json))


def prove(entry: Entry, out: Out = None, company: OfCompany = "") -> None:
    """Write the proof that an entry is in the log (tlog-proof)."""
    from bots.command_line.proving import prove as proved

    asyncio.run(proved(entry, out, company))


def prove_link(
    entry: Entry,
    disclose: Annotated[
        bool,
        typer.Option("--disclose", help="Show what was said and what was delivered."),
    ] = False,
    out: Out = None,
    company: OfCompany = "",
) -> None:
    """Write the proof that a copy is one of what was said.

    SEQ is the entry that says that the copy was delivered.
    """
    from bots.command_line.proving import prove_link as proved

    asyncio.run(proved(entry, out, company, disclose=disclose))


def consistency(
    old: Annotated[int, typer.Argument(min=1, help="The earlier size.")],
    new: Annotated[int, typer.Argument(min=1, help="The later size.")],
    out: Out = None,
    company: OfCompany = "",
) -> None:
    """Write the proof that the log of one size begins with that of another."""
    from bots.command_line.proving import consistency as proved

    asyncio.run(proved(old, new, out, company))


def keys(company: OfCompany = "", json: AsJson = False) -> None:
    """List the verifier keys to hand out, and for which sizes each is valid."""
    from bots.command_line.proving import keys as listed

    asyncio.run(listed(company, as_json=json))


def rotate_key(company: OfCompany = "") -> None:
    """Have a new key sign from now on; the old one vouches for it."""
    from bots.command_line.proving import rotate_key as rotated

    asyncio.run(rotated(company))


def declare_restored(
    reason: Annotated[
        str, typer.Option(help="What was restored, and why. It goes on record.")
    ] = "",
    approved: Annotated[
        bool, typer.Option("--approved", help="Somebody else has agreed: do it.")
    ] = False,
    company: OfCompany = "",
) -> None:
    """Sign again after an older backup was restored; two persons declare it."""
    from bots.command_line.proving import declare_restored as declared

    asyncio.run(declared(company, reason, approved=approved))


def tiles(
    folder: Annotated[Path, typer.Argument(help="The folder to write to.")],
    company: OfCompany = "",
) -> None:
    """Write the whole log's leaves, as tiles that anybody can verify."""
    from bots.command_line.proving import tiles as written

    asyncio.run(written(folder, company))


def anchor(
    address: Annotated[
        str,
        typer.Argument(
            help="slack:TEAM/CHANNEL, teams:TEAM/CHANNEL, witness:URL or tsa:URL"
        ),
    ],
    key: Annotated[str, typer.Option(help="A witness's verifier key.")] = "",
    ca: Annotated[
        Path | None, typer.Option(help="A time-stamping authority's root (PEM).")
    ] = None,
    company: OfCompany = "",
) -> None:
    """Show checkpoints in a channel, to a witness or to an authority."""
    from bots.command_line.anchor_choices import add

    asyncio.run(add(address, key, ca, company))


def unanchor(
    address: Annotated[str, typer.Argument(help="As 'atom log anchors' lists it.")],
    company: OfCompany = "",
) -> None:
    """Show checkpoints there no more."""
    from bots.command_line.anchor_choices import remove

    asyncio.run(remove(address, company))


def anchors(company: OfCompany = "", json: AsJson = False) -> None:
    """List where checkpoints are shown, and how it went the last time."""
    from bots.command_line.anchor_choices import listing

    asyncio.run(listing(company, as_json=json))


def register_proofs(group: typer.Typer) -> None:
    """Add these to `atom log`."""
    for name, command in (
        ("checkpoint", checkpoint),
        ("prove", prove),
        ("prove-link", prove_link),
        ("consistency", consistency),
        ("keys", keys),
        ("rotate-key", rotate_key),
        ("declare-restored", declare_restored),
        ("tiles", tiles),
        ("anchor", anchor),
        ("unanchor", unanchor),
        ("anchors", anchors),
    ):
        group.command(name)(command)
