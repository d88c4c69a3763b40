"""What was held for review, and an admin's word on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.approvals import Refuse
from bots.commands.base import Request
from bots.commands.letters import marked
from bots.commands.names import channel_named
from bots.commands.rights import only_admins
from bots.commands.status import lasted
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.delivery import Operation
from bridge.errors import BadInput, NotAllowed, NotFound
from bridge.leaving.review import ReviewDesk, Waiting
from bridge.messages import Platform
from bridge.ports import Announcer, Links, Rights

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Reviewing:
    """The review list of a channel's links, and who may decide on it."""

    desk: ReviewDesk
    links: Links
    rights: Mapping[Platform, Rights]

    async def here(self, request: Request) -> Sequence[Waiting]:
        """Return what waits on this channel's links. Raises `NotAllowed`."""
        await only_admins(self.rights, request)
        here = {
            link.id for link in await self.links.of(request.tenant, request.channel)
        }
        known = await self.desk.waiting(request.tenant)
        return [each for each in known if each.letter.delivery.link in here]

    async def one(self, request: Request, number: str) -> Waiting:
        """
        Return the one that is meant. Raises `NotFound`.

        Nobody decides on what they said themselves (`NotAllowed`).
        """
        for each in await self.here(request):
            if number in {each.number, marked(each.letter)}:
                if _is_own(each, request):
                    raise NotAllowed(
                        "Somebody else has to look at it: you said it yourself."
                    )
                return each
        raise NotFound(f"Nothing waits under {number[:60]}: `review` lists what does.")


@dataclass(frozen=True, slots=True)
class Review:
    """Lists what waits, with a button for each answer."""

    name: ClassVar[str] = "review"
    usage: ClassVar[str] = "review"
    summary: ClassVar[str] = "list what is held back until somebody has looked at it"

    reviewing: Reviewing
    announcers: Mapping[Platform, Announcer]
    clock: Callable[[], int]

    async def run(self, request: Request) -> Card:
        found = await self.reviewing.here(request)
        if not found:
            return Card("Nothing to review", "Nothing is held back here.", Tone.GOOD)
        sections = [await self._section(each) for each in found[:_SHOWN]]
        buttons = tuple(
            Button(f"{verb.capitalize()} {each.number}", f"{verb} {each.number}")
            for each in found[:_SHOWN]
            if not _is_own(each, request)
            for verb in ("release", "refuse")
        )
        rest = len(found) - _SHOWN
        text = f"The {_SHOWN} oldest; {rest} more are not shown." if rest > 0 else ""
        title = "1 message is held" if len(found) == 1 else f"{len(found)} are held"
        return Card(title, text, Tone.WARNING, tuple(sections), buttons)

    async def _section(self, waiting: Waiting) -> Section:
        """Show why it waits: neither what it says, nor what was found in it."""
        delivery = waiting.letter.delivery
        kind = "a file" if delivery.operation is Operation.FILE else "a message"
        source = await channel_named(self.announcers, delivery.source)
        target = await channel_named(self.announcers, delivery.target)
        who = waiting.author.name or waiting.author.id
        return Section(
            f"{waiting.number}: {kind} of {who} in {source}",
            waiting.letter.reason,
            (
                Field("Found", ", ".join(waiting.detectors) or "by its label"),
                Field("Label", waiting.label.name.lower()),
                Field("Would go to", target),
                Field("Waits for", lasted(self.clock() - waiting.letter.died_us)),
            ),
        )


@dataclass(frozen=True, slots=True)
class Release:
    """Lets it go as it was said; it arrives with the time at which it was."""

    name: ClassVar[str] = "release"
    usage: ClassVar[str] = "release NUMBER"
    summary: ClassVar[str] = "let go what was held for review"

    reviewing: Reviewing

    async def run(self, request: Request) -> Card:
        waiting = await self.reviewing.one(request, _number(request))
        await self.reviewing.desk.release(waiting, request.actor)
        return Card(
            "Released",
            f"{waiting.number} is on its way. The log says who let it go.",
            Tone.GOOD,
            (),
            (Button("Show what waits", "review"),),
        )


@dataclass(frozen=True, slots=True)
class RefuseEither:
    """Says no to an act that waits for a second person, or to what is held for review."""

    name: ClassVar[str] = "refuse"
    usage: ClassVar[str] = "refuse ID|NUMBER"
    summary: ClassVar[str] = "say no to an act, or to what is held for review"

    approvals: Refuse
    reviewing: Reviewing

    async def run(self, request: Request) -> Card:
        number = _number(request)
        if "." not in number:
            return await self.approvals.run(request)
        waiting = await self.reviewing.one(request, number)
        await self.reviewing.desk.refuse(waiting, request.actor)
        return Card(
            "Refused",
            f"{waiting.number} will not be delivered. The log says who decided so.",
            Tone.GOOD,
            (),
            (Button("Show what waits", "review"),),
        )


def _is_own(waiting: Waiting, request: Request) -> bool:
    author, asker = waiting.author, request.person
    return (author.platform, author.id) == (asker.platform, asker.id)


def _number(request: Request) -> str:
    if len(request.arguments) != 1:
        raise BadInput("Say which one: `review` and `approvals` list them.")
    return request.arguments[0]
