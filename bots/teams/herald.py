"""
Tell one person something in Teams, in the thread that it is about.

Messages that one person alone sees are a preview in Teams, which tenants switch on.
Without it the notice is a short reply that everybody in the thread can read; it says
whom it is for, and nothing of what they wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from bots.teams.connector import Connector, NotOffered, activities
from bots.teams.content import plain_name
from bots.teams.pacing import AtOnce, Pace
from bots.teams.places import place_of, threaded
from bridge.notices import Notice
from bridge.places import Place, PlaceBook

_TARGETED = "?isTargetedActivity=true"


@dataclass(frozen=True, slots=True)
class TeamsHerald:
    """Implements `bridge.notices.Herald`. `targeted` makes it private."""

    connector: Connector
    places: PlaceBook
    targeted: bool = False
    pace: Pace = field(default_factory=AtOnce)

    async def whisper(self, notice: Notice, text: str) -> None:
        place = await place_of(self.places, notice.channel)
        thread = threaded(notice.channel.id, notice.thread or notice.message)
        path = activities(thread)
        if self.targeted:
            try:
                await self._post(
                    place, notice, path + _TARGETED, _private(notice, text)
                )
            except NotOffered:
                pass  # the preview is not open to this tenant after all
            else:
                return
        await self._post(place, notice, path, _public(notice, text))

    async def _post(
        self, place: Place, notice: Notice, path: str, body: Mapping[str, Any]
    ) -> None:
        await self.pace.turn(
            place.account,
            notice.channel,
            lambda: self.connector.call("POST", place.service_url, path, body),
        )


def _private(notice: Notice, text: str) -> dict[str, Any]:
    recipient = {"id": notice.person.id, "name": plain_name(notice.person.name)}
    return _message(f"<p>{escape(text)}</p>") | {"recipient": recipient}


def _public(notice: Notice, text: str) -> dict[str, Any]:
    name = plain_name(notice.person.name)
    whom = f"<strong>{escape(name)}</strong>: " if name else ""
    return _message(f"<p>{whom}{escape(text)}</p>")


def _message(html: str) -> dict[str, Any]:
    return {"type": "message", "textFormat": "xml", "text": html}
