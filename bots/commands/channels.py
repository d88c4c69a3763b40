"""Manage the organisation's channels from chat."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.organisations import Organisations
from bots.commands.steward import Done, Steward, able
from bots.commands.wishes import CONFIRM, FORMS, Verb, Wish, wish
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.messages import Platform
from bridge.workspaces import ManagedChannel

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Channels:
    name: ClassVar[str] = "channels"
    usage: ClassVar[str] = "channels VERB …"
    summary: ClassVar[str] = (
        "manage the organisation's channels: list, create, rename, archive, "
        "unarchive, share, move, invite, remove, groups, connect, disconnect, delete"
    )

    organisations: Organisations

    async def run(self, request: Request) -> Card:
        wanted = wish(request.arguments)
        steward = await self.organisations.steward_for(request)
        if wanted.verb is Verb.LIST:
            return await _listing(steward, wanted)
        if wanted.verb is Verb.GROUPS:
            return await _groups(steward, wanted)
        if FORMS[wanted.verb].dangerous and not wanted.confirmed:
            return _sure(request, wanted, await steward.preview(wanted))
        return done_card(await steward.carry_out(wanted))


def done_card(done: Done) -> Card:
    """Tell what was done, and what of it was not."""
    if not done.failed:
        return Card("Done", done.text, Tone.GOOD)
    fields = tuple(Field("Not done", line) for line in done.failed)
    return Card("Done in part", done.text, Tone.WARNING, (Section(fields=fields),))


def ask_again(platform: Platform, line: str, preview: str) -> Card:
    """Show what would happen, and the line that makes it happen."""
    again = f"{line} {CONFIRM}"
    return Card(
        "Are you sure?",
        f"{preview} `{spoken(platform, again)}` does it.",
        Tone.WARNING,
        buttons=(Button("Do it", again),),
    )


def kind(channel: ManagedChannel) -> str:
    """Describe a channel in a few words."""
    words = ["private" if channel.private else "public"]
    words += ["archived"] * channel.archived
    words += ["shared with another company"] * channel.external
    count = channel.members
    if count is not None:
        words.append("1 member" if count == 1 else f"{count} members")
    return ", ".join(words)


def _sure(request: Request, wanted: Wish, preview: str) -> Card:
    return ask_again(request.channel.platform, f"channels {wanted.line}", preview)


async def _listing(steward: Steward, wanted: Wish) -> Card:
    workspace = await steward.workspace(wanted.words[0]) if wanted.words else None
    found = await steward.administration.book.channels(workspace)
    names = {
        one.id: one.name
        for one in await steward.administration.organisation.workspaces()
    }
    sections = [_section(one, names) for one in found[:_SHOWN]]
    where = f" in {workspace.name}" if workspace else ""
    left = len(found) - len(sections)
    more = f"{left} more; name a workspace to see fewer." if left else ""
    count = "1 channel" if len(found) == 1 else f"{len(found)} channels"
    return Card(f"{count}{where}", more, sections=tuple(sections))


def _section(channel: ManagedChannel, names: dict[str, str]) -> Section:
    seen = ", ".join(names.get(one, one) for one in channel.workspaces)
    return Section(
        channel.name,
        fields=(
            Field("Id", channel.id),
            Field("Seen in", "every workspace" if channel.everywhere else seen),
            Field("Kind", kind(channel)),
        ),
    )


async def _groups(steward: Steward, wanted: Wish) -> Card:
    channel = await steward.channel(wanted.words[0])
    groups = await able(steward.administration.groups).groups(channel)
    if not groups:
        return Card(f"{channel.name} follows no group", "Whoever is let in is in it.")
    fields = tuple(Field("Group", group) for group in groups)
    return Card(f"{channel.name} follows", sections=(Section(fields=fields),))
