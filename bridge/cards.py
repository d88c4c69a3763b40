"""What ATOM answers with: a card, before any platform's markup."""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How a card is meant, for colour and icon."""

    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Field:
    """A labelled value, shown side by side where the platform can."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a card with its own heading."""

    title: str = ""
    text: str = ""
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Button:
    """
    A button that runs a command, as if the clicking person had typed it.

    With a `url`, an https address, it opens that page instead, and runs nothing.
    """

    label: str
    command: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """
    One answer. Every text is plain: renderers escape it, nothing in it is markup,
    except that `backticks` show code.
    """

    title: str
    text: str = ""
    tone: Tone = Tone.PLAIN
    sections: tuple[Section, ...] = ()
    buttons: tuple[Button, ...] = ()
