"""How the links are doing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.names import link_named, state_of
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import NotFound
from bridge.links import LinkState
from bridge.messages import Platform
from bridge.ports import Announcer, Health, LinkStatus

_MICRO = 1_000_000
_SLOW_US = 60 * _MICRO


@dataclass(frozen=True, slots=True)
class Status:
    """Shows this channel's links; all of them if it has none, or if `all` is typed."""

    name: ClassVar[str] = "status"
    usage: ClassVar[str] = "status [LINK|all]"
    summary: ClassVar[str] = "show lag, queue and errors of the links"

    health: Health
    announcers: Mapping[Platform, Announcer]
    clock: Callable[[], int]

    async def run(self, request: Request) -> Card:
        rows = await self.health.status(request.tenant)
        if not rows:
            line = spoken(request.channel.platform, "link")
            return Card("No links yet", f"`{line}` makes the first one, from here.")
        shown = _chosen(rows, request)
        sections = [await self._section(row) for row in shown]
        tone, title = _verdict(shown)
        rest = len(rows) - len(shown)
        buttons = [Button("Show all links", "status all")] if rest else []
        if any(row.dead or row.parked for row in shown):
            buttons.append(Button("Show dead letters", "dead"))
        return Card(title, "", tone, tuple(sections), tuple(buttons))

    async def _section(self, row: LinkStatus) -> Section:
        return Section(
            await link_named(self.announcers, row.link),
            f"Last error: {row.last_error}" if row.last_error else "",
            fields=(
                Field("Link", row.link.id),
                Field("State", await state_of(self.announcers, row.link)),
                Field("Lag", lasted(row.lag_us)),
                Field("Waiting", str(row.queued)),
                Field("Oldest waiting", self._oldest(row)),
                Field(f"Delivered in {self._window(row)}", str(row.delivered)),
                Field("Throttled", self._throttled(row)),
                Field("Dead letters", str(row.dead)),
                Field("Outcome unknown", str(row.parked)),
                Field("Echoes cut", self._echoes(row)),
            ),
        )

    def _echoes(self, row: LinkStatus) -> str:
        if not row.echoing:
            return str(row.echoes)
        return f"{row.echoes}: another bridge may join these channels as well"

    def _oldest(self, row: LinkStatus) -> str:
        return f"for {lasted(self.clock() - row.oldest_us)}" if row.queued else "none"

    def _window(self, row: LinkStatus) -> str:
        return lasted(self.clock() - row.delivered_since_us)

    def _throttled(self, row: LinkStatus) -> str:
        left = row.throttled_until_us - self.clock()
        return f"for {lasted(left)}" if left > 0 else "no"


def _chosen(rows: Sequence[LinkStatus], request: Request) -> Sequence[LinkStatus]:
    if request.arguments == ("all",):
        return rows
    if request.arguments:
        wanted = request.arguments[0].lower()
        named = [row for row in rows if row.link.id.lower() == wanted]
        if not named:
            raise NotFound(f"There is no link {request.arguments[0]}.")
        return named
    return [row for row in rows if request.channel in row.link.channels] or rows


def _verdict(rows: Sequence[LinkStatus]) -> tuple[Tone, str]:
    if any(row.dead or row.parked for row in rows):
        return Tone.BAD, "Some messages did not get across"
    if any(row.echoing for row in rows):
        return Tone.WARNING, "Messages go round in a circle, and are cut"
    if any(row.link.state is LinkState.PAUSED for row in rows):
        return Tone.WARNING, "A link is paused"
    if any(row.link.state is LinkState.DORMANT for row in rows):
        return Tone.WARNING, "A link is dormant"
    if any(row.queued and row.lag_us > _SLOW_US for row in rows):
        return Tone.WARNING, "Messages are late"
    return Tone.GOOD, "All is well"


def lasted(microseconds: int) -> str:
    """Return a duration as people read it, in one unit."""
    seconds = max(microseconds, 0) / _MICRO
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
