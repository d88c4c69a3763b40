"""What a command is, and the one place where a typed line becomes an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol, assert_never

from bridge.cards import Button, Card, Tone
from bridge.compliance import Officer
from bridge.errors import AtomError, NotAllowed
from bridge.messages import Channel, Person, Platform


@dataclass(frozen=True, slots=True)
class Request:
    """
    What a person typed, where, without the platform's way of calling ATOM.

    `text` is what follows `/atom` in Slack and `@ATOM` in Teams; `account` the Slack
    workspace or Teams tenant whose signature vouches for the person. `thread` is the
    root of the thread it was typed in; `in_dialog` means that it was chosen in a menu,
    and that a dialog answers it.
    """

    tenant: str
    channel: Channel
    person: Person
    text: str
    account: str = ""
    thread: str = ""
    in_dialog: bool = False

    @property
    def is_private(self) -> bool:
        """Whether nobody but the asker sees the answer."""
        aside = self.in_dialog or self.channel.is_own_chat
        return aside or self.channel.platform is Platform.SLACK

    @property
    def command(self) -> str:
        """The command's name, in lower case; empty if nothing was typed."""
        return self._words[0].lower() if self._words else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        return self._words[1:]

    @property
    def actor(self) -> str:
        """Who asks, as the log names people."""
        return f"{self.person.platform}:{self.person.id}"

    @property
    def officer(self) -> Officer:
        """Who asks, as those are named who were trusted with the record."""
        account = self.account or self.channel.team
        return Officer(f"{self.person.platform}:{account}/{self.person.id}")

    @property
    def _words(self) -> tuple[str, ...]:
        return tuple(self.text.split())


class Command(Protocol):
    """One command. `usage` is what may be typed, `summary` what it is good for."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str: ...

    @property
    def usage(self) -> str: ...

    async def run(self, request: Request) -> Card:
        """Do it, and say what was done. Raises `AtomError` if it cannot be done."""
        ...


class Doorman(Protocol):
    """Whether somebody may give a command at all: `bots.commands.gate.Gate`."""

    async def check(self, request: Request, name: str) -> None:
        """Raise `NotAllowed` if they may not."""
        ...


@dataclass(frozen=True, slots=True)
class Commands:
    """Every command that people can type. An empty line is `help`."""

    known: tuple[Command, ...]
    gate: Doorman | None = None

    async def answer(self, request: Request) -> Card:
        """Answer whatever was typed; a refusal is a card too."""
        name = request.command or "help"
        for command in self.known:
            if command.name == name:
                return await _answer(command, request, self.gate)
        return unknown(request, [command.name for command in self.known])


async def _answer(command: Command, request: Request, gate: Doorman | None) -> Card:
    try:
        if gate:
            await gate.check(request, command.name)
        return await command.run(request)
    except AtomError as refusal:
        return refused(refusal)


def refused(refusal: AtomError) -> Card:
    """Tell why nothing was done, in the refusal's own line."""
    if isinstance(refusal, NotAllowed):
        return Card("You may not do that", str(refusal), Tone.WARNING)
    return Card("That did not work", str(refusal), Tone.BAD)


def unknown(request: Request, names: Sequence[str]) -> Card:
    """Answer a command that does not exist with the one that was probably meant."""
    nearest = get_close_matches(request.command, names, n=1, cutoff=0.5)
    help_button = Button("Show all commands", "help")
    if not nearest:
        hint = f"`{spoken(request.channel.platform, 'help')}` lists the commands."
        return Card(
            "I do not know that command", hint, Tone.WARNING, (), (help_button,)
        )
    hint = f"Did you mean `{spoken(request.channel.platform, nearest[0])}`?"
    buttons = (Button(f"Run {nearest[0]}", nearest[0]), help_button)
    return Card("I do not know that command", hint, Tone.WARNING, (), buttons)


def spoken(platform: Platform, line: str) -> str:
    """Return how people on a platform type a command line."""
    match platform:
        case Platform.SLACK:
            return f"/atom {line}"
        case Platform.TEAMS:
            return f"@ATOM {line}"
        case _:
            assert_never(platform)
