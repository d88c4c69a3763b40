"""What people can do with records, as the platforms' listeners call it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, Self

from bridge.cards import Card
from bridge.messages import Channel, Person, Platform
from bridge.records.cards import RecordCard, Standing
from bridge.records.places import Shown

NOT_KEPT: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Asker:
    """
    Who asks, and where. `account` is the Slack workspace or Teams tenant that vouches
    for the person; `channel` is None where they are alone with ATOM.
    """

    tenant: str
    person: Person
    account: str
    channel: Channel | None = None

    @property
    def name(self) -> str:
        """Who asks, as the log names people."""
        return f"{self.person.platform}:{self.person.id}"

    @property
    def address(self) -> str:
        """Who asks, with the account that vouches for them: `reached` reads it again."""
        return f"{self.person.platform}:{self.account}/{self.person.id}"

    @classmethod
    def reached(cls, tenant: str, address: str) -> Self:
        """Return somebody alone with ATOM, by their address."""
        platform, _, rest = address.partition(":")
        account, _, user = rest.rpartition("/")
        return cls(tenant, Person(Platform(platform), user), account)


@dataclass(frozen=True, slots=True)
class Said:
    """
    A message that somebody wants to make a record of, or add to one.

    `link` is where it can be looked at: its address, and one a line its copies'.
    """

    channel: Channel
    message: str
    text: str
    author: Person
    thread: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """
    What a link shows. Without a card nothing is shown to the room, and `reason` says
    why to the person alone; empty, nothing is said either. `readers` are who is there,
    where the card cannot be changed later: each of them may ask for a view of their own.
    """

    url: str
    card: RecordCard | None
    reason: str = ""
    readers: tuple[Person, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """
    What somebody gets who opens a record: a live `card` as they alone may see it.

    Without one, `standing` says what kind of answer it is and `text` says it in a
    sentence; `connect` offers to connect an account, where that is all that is missing.
    """

    standing: Standing
    text: str = ""
    card: RecordCard | None = None
    connect: Card | None = None


@dataclass(frozen=True, slots=True)
class SystemLine:
    """How one system answered a search; the name and "still searching" are apart."""

    system: str
    text: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """Results as one person may see them, best first, and a line for each system."""

    words: str
    cards: tuple[RecordCard, ...]
    lines: tuple[SystemLine, ...]

    @property
    def complete(self) -> bool:
        return all(line.complete for line in self.lines)


class RecordDesk(Protocol):
    """
    Everything is on record before it is seen, and decided by policy when it is asked.

    Refusals are shown through `shown`, in one line, and never raised.
    """

    async def clicked(self, asker: Asker, token: str, shown: Shown) -> None:
        """Do what a button stands for, or ask for what it needs first."""
        ...

    async def submitted(
        self, asker: Asker, token: str, values: Mapping[str, str], shown: Shown
    ) -> None:
        """Take what was entered in a form."""
        ...

    async def start(
        self, asker: Asker, kind: str, said: Said | None, shown: Shown
    ) -> None:
        """
        Begin a new record of a kind (`jira/issue`), from a message or from nothing.

        Without a kind the person is asked for one.
        """
        ...

    async def preview(
        self,
        asker: Asker,
        urls: Sequence[str],
        *,
        composing: bool,
        cause: str = "",
        unfurl: Mapping[str, str] = NOT_KEPT,
    ) -> Sequence[Preview]:
        """
        Return what links show in a room; `composing` while they are being written.

        `cause` is the message that holds them. With `unfurl` a preview can be changed
        later: its card is kept as standing there, with `unfurl` and its own `url`
        added, before it is returned, for showing it again does no harm. Without, as in
        Teams, where a preview is part of its author's message, nothing is kept, and it
        holds no more than may stand there for good: what is public of the name.
        """
        ...

    async def view(self, asker: Asker, token: str) -> RecordCard | None:
        """Return a card as this person alone may see it; None for the room's own card."""
        ...

    async def opened(self, asker: Asker, address: str, url: str) -> Opened:
        """
        Return a record as this person alone may see it, by its address or a link to it.

        It is decided and on record as **My view** is. Never raises refusals.
        """
        ...

    async def find(self, asker: Asker, words: str, within: float) -> Found:
        """
        Search all systems at once, for at most `within` seconds.

        What is slower goes on, and asking the same again within a minute gets it too,
        with no second call.
        """
        ...
