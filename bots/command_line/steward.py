"""The organisation from the command line, by whoever may run it."""

import getpass
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from bots.command_line.company import company_id
from bots.command_line.output import print_json, print_table, say
from bots.commands.channels import kind
from bots.commands.space_wishes import carry_out, preview, space_wish
from bots.commands.steward import Done, Steward, able
from bots.commands.wishes import FORMS, wish
from bots.settings_sources import read_settings
from bots.tools import tools
from bridge.errors import BadInput
from bridge.messages import Platform


async def workspaces(platform: str, company: str, *, as_json: bool) -> None:
    async with _steward(platform, company) as steward:
        found = await steward.administration.organisation.workspaces()
        if as_json:
            print_json([asdict(one) for one in found])
            return
        rows = [(one.id, one.address, one.name) for one in found]
        print_table(("workspace", "short name", "name"), rows)


async def change_workspace(
    words: Sequence[str], platform: str, company: str, *, as_json: bool
) -> None:
    """Do what the words say. Raises `BadInput` with a preview if it is not confirmed."""
    wanted = space_wish(words)
    async with _steward(platform, company) as steward:
        if wanted.must_be_shown:
            shown = await preview(steward, wanted)
            raise BadInput(f"{shown} Add --confirm to do it.")
        _tell(await carry_out(steward, wanted), as_json=as_json)


async def channels(
    workspace: str, platform: str, company: str, *, as_json: bool
) -> None:
    async with _steward(platform, company) as steward:
        within = await steward.workspace(workspace) if workspace else None
        found = await steward.administration.book.channels(within)
        if as_json:
            print_json([asdict(one) for one in found])
            return
        rows = [
            (one.id, one.name, ", ".join(one.workspaces), kind(one)) for one in found
        ]
        print_table(("channel", "name", "workspaces", "kind"), rows)


async def groups(channel: str, platform: str, company: str, *, as_json: bool) -> None:
    async with _steward(platform, company) as steward:
        known = await steward.channel(channel)
        found = list(await able(steward.administration.groups).groups(known))
        if as_json:
            print_json(found)
        elif not found:
            say(f"{known.name} follows no group.")
        else:
            print_table(("group",), [(one,) for one in found])


async def change(
    words: Sequence[str], platform: str, company: str, *, as_json: bool
) -> None:
    """Do what the words say. Raises `BadInput` with a preview if it is not confirmed."""
    wanted = wish(words)
    async with _steward(platform, company) as steward:
        if FORMS[wanted.verb].dangerous and not wanted.confirmed:
            preview = await steward.preview(wanted)
            raise BadInput(f"{preview} Add --confirm to do it.")
        _tell(await steward.carry_out(wanted), as_json=as_json)


async def reset_sessions(
    word: str, platform: str, company: str, *, confirmed: bool, as_json: bool
) -> None:
    async with _steward(platform, company) as steward:
        person = await steward.person(word)
        if not confirmed:
            who = person.name or person.id
            raise BadInput(
                f"{who} would be signed out on every device. Add --confirm to do it."
            )
        _tell(await steward.reset_sessions(person), as_json=as_json)


@asynccontextmanager
async def _steward(platform: str, company: str) -> AsyncIterator[Steward]:
    side = _platform(platform)
    async with tools(read_settings()) as built:
        tenant = await company_id(built.companies, company)
        actor = f"operator:{getpass.getuser()}"
        yield built.organisations.steward(tenant, side, actor)


def _platform(name: str) -> Platform:
    try:
        return Platform(name.lower())
    except ValueError:
        known = " or ".join(Platform)
        raise BadInput(f"--platform must be {known}, not '{name}'") from None


def _tell(done: Done, *, as_json: bool) -> None:
    if as_json:
        shown: dict[str, Any] = {"done": done.text, "failed": list(done.failed)}
        print_json(shown)
        return
    say(done.text)
    for line in done.failed:
        say(f"Not done: {line}")
