"""What can be typed about the organisation: `atom workspaces|channels|sessions …`."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from bots.command_line.groups import group

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]
OfCompany = Annotated[
    str, typer.Option("--company", help="The company's id, if there are several.")
]
Where = Annotated[
    str, typer.Option("--platform", help="Whose organisation: slack or teams.")
]
Sure = Annotated[
    bool, typer.Option("--confirm", help="Do it; without it, see what would be done.")
]
AChannel = Annotated[
    str, typer.Argument(metavar="CHANNEL", help="The channel's name or id.")
]
AWorkspace = Annotated[
    str,
    typer.Argument(metavar="WORKSPACE", help="The workspace's short name, name or id."),
]
Workspaces = Annotated[
    list[str], typer.Argument(metavar="WORKSPACE...", help="Further workspaces.")
]
APerson = Annotated[
    str, typer.Argument(metavar="PERSON", help="Their e-mail address, user name or id.")
]
People = Annotated[
    list[str],
    typer.Argument(metavar="PERSON...", help="E-mail addresses, user names or ids."),
]
AGroup = Annotated[str, typer.Argument(metavar="GROUP", help="The IDP group's id.")]


workspaces_app = group("The organisation's workspaces.")
channels_app = group("Manage the organisation's channels.")
sessions_app = group("Where people are signed in.")


@workspaces_app.command("list")
def workspaces_list(
    platform: Where = "slack", company: OfCompany = "", json: AsJson = False
) -> None:
    """List the workspaces."""
    from bots.command_line.steward import workspaces

    asyncio.run(workspaces(platform, company, as_json=json))


@channels_app.command("list")
def channels_list(
    workspace: Annotated[
        str, typer.Argument(help="Only this workspace's channels.")
    ] = "",
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """List the channels."""
    from bots.command_line.steward import channels

    asyncio.run(channels(workspace, platform, company, as_json=json))


@channels_app.command("groups")
def channels_groups(
    channel: AChannel,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """List the groups that a channel follows."""
    from bots.command_line.steward import groups

    asyncio.run(groups(channel, platform, company, as_json=json))


@channels_app.command("create")
def channels_create(
    name: str,
    workspace: AWorkspace,
    private: Annotated[bool, typer.Option("--private", help="Not for all.")] = False,
    shared: Annotated[
        bool, typer.Option("--shared", help="In Teams: for outsiders, too.")
    ] = False,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Make a channel in a workspace."""
    kind = ["private"] * private or ["shared"] * shared
    words = ["create", name, workspace, *kind]
    _change(words, platform, company, json=json)


@channels_app.command("rename")
def channels_rename(
    channel: AChannel,
    name: str,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Give a channel another name."""
    _change(["rename", channel, name], platform, company, json=json)


@channels_app.command("archive")
def channels_archive(
    channel: AChannel,
    confirm: Sure = False,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Close a channel."""
    words = ["archive", channel, *(["confirm"] * confirm)]
    _change(words, platform, company, json=json)


@channels_app.command("unarchive")
def channels_unarchive(
    channel: AChannel,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Open an archived channel again."""
    _change(["unarchive", channel], platform, company, json=json)


@channels_app.command("delete")
def channels_delete(
    channel: AChannel,
    confirm: Sure = False,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Delete a channel with everything in it."""
    words = ["delete", channel, *(["confirm"] * confirm)]
    _change(words, platform, company, json=json)


@channels_app.command("share")
def channels_share(
    channel: AChannel,
    workspaces: Workspaces,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Let further workspaces see a channel."""
    _change(["share", channel, *workspaces], platform, company, json=json)


@channels_app.command("move")
def channels_move(
    channel: AChannel,
    workspace: AWorkspace,
    confirm: Sure = False,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Take a channel from its workspace to another."""
    words = ["move", channel, workspace, *(["confirm"] * confirm)]
    _change(words, platform, company, json=json)


@channels_app.command("invite")
def channels_invite(
    channel: AChannel,
    people: People,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Let people into a channel."""
    _change(["invite", channel, *people], platform, company, json=json)


@channels_app.command("remove")
def channels_remove(
    channel: AChannel,
    people: People,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Put people out of a channel."""
    _change(["remove", channel, *people], platform, company, json=json)


@channels_app.command("connect")
def channels_connect(
    channel: AChannel,
    group: AGroup,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Let a private channel follow a group."""
    _change(["connect", channel, group], platform, company, json=json)


@channels_app.command("disconnect")
def channels_disconnect(
    channel: AChannel,
    group: AGroup,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Let a private channel follow a group no longer."""
    _change(["disconnect", channel, group], platform, company, json=json)


@sessions_app.command("reset")
def sessions_reset(
    person: APerson,
    confirm: Sure = False,
    platform: Where = "slack",
    company: OfCompany = "",
    json: AsJson = False,
) -> None:
    """Sign a person out everywhere."""
    from bots.command_line.steward import reset_sessions

    work = reset_sessions(person, platform, company, confirmed=confirm, as_json=json)
    asyncio.run(work)


def _change(words: Sequence[str], platform: str, company: str, *, json: bool) -> None:
    from bots.command_line.steward import change

    asyncio.run(change(words, platform, company, as_json=json))
