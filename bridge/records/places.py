"""Where cards are shown, and who is there: what the platforms' adapters implement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.cards import Card
from bridge.messages import Channel, Person
from bridge.records.books import CardInstance
from bridge.records.cards import RecordCard
from bridge.records.forms import Form


class CardPlace(Protocol):
    """
    Shows record cards on one platform.

    Raises the errors of `bridge.errors.DeliveryFailed`: `Ambiguous` when a post may
    stand there, `Refused` with a cause when the message cannot be changed any more.
    """

    async def post(self, instance: CardInstance, card: RecordCard) -> CardInstance:
        """Post a new card, with its id in it; returns the instance with `message` set."""
        ...

    async def change(self, instance: CardInstance, card: RecordCard) -> None:
        """Show a card anew where it stands."""
        ...

    async def look_for(self, instance: CardInstance) -> str | None:
        """Return the message of a card that may have been posted, None if it was not."""
        ...

    async def whisper(
        self, tenant: str, channel: Channel, person: Person, card: RecordCard | Card
    ) -> None:
        """Show something to one person alone."""
        ...

    async def alone(
        self, account: str, person: Person, card: RecordCard | Card
    ) -> None:
        """
        Post something in a person's own chat with ATOM.

        `account` is the Slack workspace or the Teams tenant that they are in.
        """
        ...

    async def note(self, instance: CardInstance, text: str) -> None:
        """Say one line in the card's thread."""
        ...

    async def say(self, instance: CardInstance, mark: str, card: Card) -> str:
        """Post something in the card's thread, marked; returns its message."""
        ...

    async def look_for_said(
        self, instance: CardInstance, mark: str, since_us: int
    ) -> str | None:
        """
        Return the message that has a mark in the card's thread, None if none has.

        Raises `CannotTell`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Present:
    """
    Who sees what is posted in a channel.

    `unknown` says that not everybody could be named: then only public fields are shown.
    `outsiders` says that guests or people of other organisations read along.
    """

    people: tuple[Person, ...] = ()
    unknown: bool = False
    outsiders: bool = False
    version: str = ""


class Rooms(Protocol):
    """Who is in a channel, from what ATOM keeps; it does not ask the platforms."""

    async def present(self, tenant: str, channel: Channel) -> Present: ...

    async def linked(self, tenant: str, channel: Channel) -> Sequence[Channel]:
        """Return the channels that a channel is linked with, itself left out."""
        ...


class Shown(Protocol):
    """
    A conversation with one person after a click, a command or a shortcut.

    Platforms have seconds for an answer; whoever implements this has given theirs
    already and shows what comes later in place: a modal that was opened as "Working",
    a dialog, or a message that only the person sees.
    """

    async def card(self, card: RecordCard | Card) -> None: ...

    async def form(self, form: Form, token: str) -> None:
        """Ask for input; what is entered comes back with `token`."""
        ...

    async def wrong(self, reason: str, fields: dict[str, str]) -> None:
        """Say at each input what is wrong with it; the form stays open."""
        ...

    async def finished(self, text: str) -> None: ...
