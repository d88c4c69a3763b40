"""Which business systems there are, and how much of their records a channel shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.records_find import asker_of
from bots.commands.rights import only_admins
from bots.commands.status import lasted
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import BadInput, NotAllowed, ServiceUnavailable
from bridge.messages import Platform
from bridge.ports import Rights
from bridge.records.admitting import Admitting
from bridge.records.books import LevelBook, Way
from bridge.records.cards import Level
from bridge.records.knowing import Figure
from bridge.records.model import System
from bridge.records.ports import ContactBook, Records

_SAYS = {
    Level.NOTHING: "nothing by itself",
    Level.BUTTON: "a button",
    Level.KIND: "its kind and a button",
    Level.NAME: "its number and title",
    Level.DATA: "a card, as far as everybody here may see it",
}

_WAYS = {
    Way.BOTH: "Threads of cards here and their records share what is said.",
    Way.IN: "What is said on records appears in the threads of their cards here.",
    Way.OUT: "What is said in threads of cards here goes into their records.",
    Way.NONE: "What is said in threads of cards here stays in chat.",
}
_OUTWARD = (
    "What people say in a thread with one record's card is added to that record, as "
    "themselves and for colleagues, from now on. What becomes of it in chat becomes of it "
    "there, as far as its system allows it."
)
_INWARD = (
    "What others say on the record where those outside may read it appears in the thread "
    "of its card, from now on, as far as everybody here may see it."
)


@dataclass(frozen=True, slots=True)
class RecordsCommand:
    """Tells everybody; lets admins of the channel choose."""

    name: ClassVar[str] = "records"
    usage: ClassVar[str] = (
        "records [level nothing|button|kind|name|data [SYSTEM] | threads on|in|out|off]"
    )
    summary: ClassVar[str] = "see business systems, and choose what is shown here"

    admitting: Admitting
    levels: LevelBook
    rights: Mapping[Platform, Rights]
    book: ContactBook
    clock: Callable[[], int]

    async def run(self, request: Request) -> Card:
        match request.arguments:
            case ():
                return await self._told(request)
            case ("level", level):
                return await self._choose(request, level, "")
            case ("level", level, system):
                return await self._choose(request, level, system)
            case ("threads", said) if said.lower() in set(Way):
                return await self._threads(request, Way(said.lower()))
            case _:
                line = spoken(request.channel.platform, self.usage)
                raise BadInput(f"Type `{line}`.")

    async def _told(self, request: Request) -> Card:
        known = self.admitting.systems.of(request.tenant)
        if not known:
            return Card(
                "No business system is connected",
                "Whoever runs ATOM can set them up.",
            )
        figures = await self._figures(request)
        sections = [await self._section(request, each, figures) for each in known]
        buttons = [
            Button(f"Only names here ({Level.NAME})", f"records level {Level.NAME}")
        ]
        chosen = (await self.levels.threads(request.tenant)).get(request.channel)
        text = _WAYS[chosen.way if chosen else Way.NONE]
        return Card(
            "Business systems", text, Tone.PLAIN, tuple(sections), tuple(buttons)
        )

    async def _figures(self, request: Request) -> Sequence[Figure]:
        """Return what there is in the book: who counts it is told alone, as an admin."""
        if request.channel.platform is not Platform.SLACK:
            return ()
        figures = await self.book.figures(request.tenant)
        try:
            if figures:
                await only_admins(self.rights, request)
        except (NotAllowed, ServiceUnavailable):
            return ()
        return figures

    async def _section(
        self, request: Request, records: Records, figures: Sequence[Figure]
    ) -> Section:
        level = await self.levels.level(request.tenant, request.channel, records.system)
        fields = [
            Field("A mention shows here", _SAYS[level]),
            Field("Kinds", ", ".join(records.kinds)),
        ]
        if request.channel.platform is Platform.SLACK:
            fields.append(Field("Your account", await self._account(request, records)))
        fields += [
            Field(f"Known {each.progress.chapter.kind}s", self._known(each))
            for each in figures
            if each.progress.chapter.instance == records.instance
        ]
        title = f"{records.system.shown} ({records.instance})"
        return Section(title, "", tuple(fields))

    def _known(self, figure: Figure) -> str:
        ago = lasted(self.clock() - figure.progress.since_us)
        if not figure.progress.whole_lap:
            return f"{figure.many} so far, reading for {ago}"
        return f"{figure.many}, as of {ago} ago"

    async def _account(self, request: Request, records: Records) -> str:
        try:
            person = await self.admitting.known(asker_of(request))
            await self.admitting.accesses.of(
                request.tenant, person, records.system, records.instance
            )
        except NotAllowed:
            return "not connected"
        except ServiceUnavailable:
            return "not known now"
        return "connected"

    async def _threads(self, request: Request, way: Way) -> Card:
        await only_admins(self.rights, request)
        tenant, channel = request.tenant, request.channel
        await self.levels.let_threads(tenant, channel, request.actor, way)
        if way is Way.NONE:
            return Card("Chosen", "Threads below cards stay in chat from now on.")
        said = [_OUTWARD] if way.outward else []
        said += [_INWARD] if way.inward else []
        return Card("Chosen", " ".join(said), Tone.GOOD)

    async def _choose(self, request: Request, level: str, system: str) -> Card:
        await only_admins(self.rights, request)
        if level.lower() not in set(Level):
            raise BadInput(f"Choose one of {', '.join(Level)}.")
        if system and system.lower() not in set(System):
            raise BadInput(f"Choose one of {', '.join(System)}.")
        chosen = Level(level.lower())
        of = System(system.lower()) if system else None
        await self.levels.choose(
            request.tenant, request.channel, of, chosen, request.actor
        )
        name = of.shown if of else "every business system"
        return Card(
            "Chosen",
            f"A mention of a record of {name} shows {_SAYS[chosen]} from now on.",
            Tone.GOOD,
        )
