"""What can be typed about whole workspaces beside their list: `atom workspaces …`."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from bots.command_line.organisation import (
    AsJson,
    AWorkspace,
    OfCompany,
    People,
    Sure,
    Where,
)


def create(
    name: str,
    owner: Annotated[str, typer.Argument(help="Their e-mail address.")],
    platform: Where = "teams",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Make a workspace, with its first owner."""
    _change(["create", name, owner], platform, company, json=json)


def rename(
    workspace: AWorkspace,
    name: str,
    platform: Where = "teams",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Give a workspace another name."""
    _change(["rename", workspace, name], platform, company, json=json)


def archive(
    workspace: AWorkspace,
    confirm: Sure = False,
    platform: Where = "teams",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Close a workspace with all its channels."""
    words = ["archive", workspace, *(["confirm"] * confirm)]
    _change(words, platform, company, json=json)


def unarchive(
    workspace: AWorkspace,
    platform: Where = "teams",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Open an archived workspace again."""
    _change(["unarchive", workspace], platform, company, json=json)


def invite(
    workspace: AWorkspace,
    people: People,
    platform: Where = "teams",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Let people into a workspace."""
    _change(["invite", workspace, *people], platform, company, json=json)


def own(
    workspace: AWorkspace,
    people: People,
    platform: Where = "teams",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Make people owners of a workspace."""
    _change(["own", workspace, *people], platform, company, json=json)


def remove(
    workspace: AWorkspace,
    people: People,
    platform: Where = "teams",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Put people out of a workspace."""
    _change(["remove", workspace, *people], platform, company, json=json)


def register_spaces(app: typer.Typer) -> None:
    """Add these commands to a group."""
    for command in (create, rename, archive, unarchive, invite, own, remove):
        app.command(command.__name__)(command)


def _change(words: Sequence[str], platform: str, company: str, *, json: bool) -> None:
    from bots.command_line.steward import change_workspace

    asyncio.run(change_workspace(words, platform, company, as_json=json))
