"""A desk that shows what it is told to, when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.records.cards import CardButton, CardField, RecordCard, Standing
from bridge.records.desk import NOT_KEPT, Asker, Found, Opened, Preview, Said
from bridge.records.forms import Choice, Form, Input, InputKind
from bridge.records.model import Needs, RecordRef, System
from bridge.records.places import Shown

REF = RecordRef(System.JIRA, "acme", "issue", "10001")
TOKEN = "act_0123456789abcdef"

FORM = Form(
    "edit",
    "Edit OPS-1",
    (
        Input("reason", "Reason", required=True, value="because"),
        Input(
            "impact",
            "Impact",
            InputKind.CHOICE,
            choices=(Choice("1", "High"), Choice("2", "Low")),
        ),
        Input(
            "team",
            "Team",
            InputKind.CHOICE,
            choices=(Choice("a", "Network"), Choice("b", "Desktop")),
            controller="impact",
            fitting={"1": ("a",), "2": ("b",)},
        ),
    ),
    ref=REF,
)


def record_card(title: str = "It is down", **more: object) -> RecordCard:
    card: dict[str, object] = {
        "card_id": "crd_1",
        "ref": REF,
        "source": "Jira",
        "what": "Issue",
        "title": title,
        "standing": Standing.LIVE,
        "as_of_us": 1_700_000_000_000_000,
        "rev": "7",
        "key": "OPS-1",
        "url": "https://acme.example/browse/OPS-1",
        "fields": (CardField("owner", "Owner", "Ada"),),
        "buttons": (
            CardButton("approve", "Approve", TOKEN),
            CardButton("edit", "Edit…", TOKEN + "e", needs=Needs.FORM),
        ),
    }
    return RecordCard(**card | more)  # type: ignore[arg-type]


Showing = Callable[[Shown], Awaitable[None]]


async def silent(_shown: Shown) -> None:
    """Show nothing."""


@dataclass
class FakeDesk:
    """
    Implements `bridge.records.desk.RecordDesk`.

    Nothing is done before `go` is set: that is how slow the business system is.
    """

    clicks: list[tuple[Asker, str]] = field(default_factory=list)
    submissions: list[tuple[Asker, str, dict[str, str]]] = field(default_factory=list)
    starts: list[tuple[Asker, str, Said | None]] = field(default_factory=list)
    asked: list[tuple[Asker, list[str], bool, str, dict[str, str]]] = field(
        default_factory=list
    )
    searches: list[str] = field(default_factory=list)
    on_click: Showing = silent
    on_submit: Showing = silent
    on_start: Showing = silent
    previews: dict[str, Preview] = field(default_factory=dict)
    viewed: RecordCard | None = None
    views: list[tuple[Asker, str]] = field(default_factory=list)
    opens: Opened = field(default_factory=lambda: Opened(Standing.GONE, "gone"))
    openings: list[tuple[Asker, str, str]] = field(default_factory=list)
    found: Found = field(default_factory=lambda: Found("", (), ()))
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.go.set()

    async def clicked(self, asker: Asker, token: str, shown: Shown) -> None:
        self.clicks.append((asker, token))
        await self.go.wait()
        await self.on_click(shown)

    async def submitted(
        self, asker: Asker, token: str, values: Mapping[str, str], shown: Shown
    ) -> None:
        self.submissions.append((asker, token, dict(values)))
        await self.go.wait()
        await self.on_submit(shown)

    async def start(
        self, asker: Asker, kind: str, said: Said | None, shown: Shown
    ) -> None:
        self.starts.append((asker, kind, said))
        await self.go.wait()
        await self.on_start(shown)

    async def preview(
        self,
        asker: Asker,
        urls: Sequence[str],
        *,
        composing: bool,
        cause: str = "",
        unfurl: Mapping[str, str] = NOT_KEPT,
    ) -> Sequence[Preview]:
        self.asked.append((asker, list(urls), composing, cause, dict(unfurl)))
        await self.go.wait()
        return [self.previews[url] for url in urls if url in self.previews]

    async def view(self, asker: Asker, token: str) -> RecordCard | None:
        self.views.append((asker, token))
        await self.go.wait()
        return self.viewed

    async def opened(self, asker: Asker, address: str, url: str) -> Opened:
        self.openings.append((asker, address, url))
        await self.go.wait()
        return self.opens

    async def find(self, asker: Asker, words: str, within: float) -> Found:
        self.searches.append(words)
        await self.go.wait()
        return self.found
