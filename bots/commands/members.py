"""Who is in a link's channels against the company's policy, and what is done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from bots.commands.base import Request
from bots.commands.choice import link_here
from bots.commands.names import channel_named
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import BadInput, NotFound
from bridge.keeping import Plan
from bridge.links import Link
from bridge.messages import Channel, Platform
from bridge.ports import Announcer, LinkBook, Rights

_SHOWN = 10
_AGREE = "agree"


class MembersDesk(Protocol):
    """What tells of members, and takes an admin's word: `bots.keeping_members`."""

    async def planned(self, link: Link, channel: Channel) -> Plan | None: ...

    def agree(self, tenant: str, channel: Channel, digest: str) -> None: ...


@dataclass(frozen=True, slots=True)
class MembersCommand:
    name: ClassVar[str] = "members"
    usage: ClassVar[str] = "members [LINK] [agree DIGEST]"
    summary: ClassVar[str] = "see who is in linked channels against the policy"

    desk: MembersDesk
    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]

    async def run(self, request: Request) -> Card:
        await only_admins(self.rights, request)
        words = list(request.arguments)
        digest = ""
        if _AGREE in words:
            place = words.index(_AGREE)
            if len(words) != place + 2:
                raise BadInput(f"Type `{self.usage}`.")
            digest, words = words[place + 1], words[:place]
        link = await link_here(self.links, request, words)
        plans = [
            found
            for channel in link.channels
            if (found := await self.desk.planned(link, channel)) is not None
        ]
        if not plans:
            raise NotFound("No directory is configured, so no policy says who belongs.")
        if digest:
            return await self._agreed(request, plans, digest)
        return await self._shown(link, plans)

    async def _agreed(self, request: Request, plans: list[Plan], digest: str) -> Card:
        for found in plans:
            if found.digest == digest and found.wrong:
                self.desk.agree(request.tenant, found.channel, digest)
                return Card(
                    "They are taken out now",
                    f"{len(found.wrong)} people, one after the other.",
                    Tone.GOOD,
                )
        raise NotFound("What was to be agreed to is not so any more: look again.")

    async def _shown(self, link: Link, plans: list[Plan]) -> Card:
        wrong = sum(len(found.wrong) for found in plans)
        sections, buttons = [], []
        for found in plans:
            name = await channel_named(self.announcers, found.channel)
            shown = [
                Field(seat.person.name or seat.person.id, seat.decision.rule)
                for seat in found.wrong[:_SHOWN]
            ]
            if more := len(found.wrong) - len(shown):
                shown.append(Field("and", f"{more} more"))
            if found.invite:
                shown.append(Field("To be let in", str(len(found.invite))))
            text = "" if found.wrong else "Nobody is there who should not be."
            if found.braked:
                text = f"It waits for an admin: {found.braked}."
                line = f"members {link.id} {_AGREE} {found.digest}"
                buttons.append(Button(f"Take {len(found.wrong)} out", line))
            sections.append(Section(name, text, tuple(shown)))
        title = "Members as the policy wants them"
        if wrong:
            title = f"{wrong} against the policy"
        return Card(
            title,
            f"What is done about it: members={link.options.members}.",
            Tone.WARNING if wrong else Tone.GOOD,
            tuple(sections),
            tuple(buttons),
        )
