"""Searching what was said, on both platforms at once."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from bots.commands.base import Request, spoken
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import BadInput
from bridge.search.finding import Finder, Findings, Hit

_MORE = "more="


@dataclass(frozen=True, slots=True)
class Search:
    """Finds messages that the asker could read anyway; everything, for officers."""

    name: ClassVar[str] = "search"
    usage: ClassVar[str] = "search WORDS"
    summary: ClassVar[str] = "find messages, such as: from:ada after:-7d plan"

    finder: Finder

    async def run(self, request: Request) -> Card:
        line = request.text.strip()[len(request.command) :].strip()
        cursor = ""
        if line.startswith(_MORE):
            cursor, _, line = line.removeprefix(_MORE).partition(" ")
        if not line.strip():
            example = spoken(request.channel.platform, "search from:ada release plan")
            raise BadInput(f"Write what to search for: `{example}`")
        found = await self.finder.find(
            request.tenant,
            request.officer,
            request.person,
            request.channel,
            line,
            cursor,
        )
        return _card(found, line)


def _card(found: Findings, line: str) -> Card:
    if not found.count:
        title = "Nothing found"
    else:
        title = "1 message" if found.count == 1 else f"{found.count} messages"
    text, tone = found.scope, Tone.PLAIN
    if found.behind:
        text += f" Not complete: {found.behind} newer entries are not searched yet."
        tone = Tone.WARNING
    buttons: tuple[Button, ...] = ()
    if found.cursor:
        buttons = (Button("Show more", f"search {_MORE}{found.cursor} {line}"),)
    return Card(title, text, tone, tuple(map(_section, found.hits)), buttons)


def _section(hit: Hit) -> Section:
    said = datetime.fromtimestamp(hit.said_us // 1_000_000, UTC)
    fields = [Field("Where", hit.place), Field("When", f"{said:%F %H:%M} UTC")]
    if hit.address:
        fields.append(Field("Open", hit.address))
    return Section(hit.author, hit.text, tuple(fields))
