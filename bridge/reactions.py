"""
What reactions a message has, worked out from what was said about it.

ATOM is one user on each platform. However many people choose an emoji, it leaves one
reaction for all of them, and takes it back when the last of them has.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bridge.messages import Channel


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji, and how many people chose it."""

    emoji: str
    count: int


@dataclass(frozen=True, slots=True)
class Spot:
    """
    Where a message or a copy of it stands.

    `thread` is the root's id, empty for a root; it may be unknown where nobody needs
    to find the message on its platform.
    """

    channel: Channel
    message: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Reacted:
    """
    Somebody chose an emoji, or took it back. `seq` is the log entry that says so, and
    `on` the message: several may show as one. `person` is a token, `account` the
    platform's own id of them.
    """

    emoji: str
    person: str
    at_us: int
    seq: int
    added: bool
    on: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """
    What one delivery left standing on a message, by the log up to `upto`.

    `native` are emoji that stand there as reactions, `gone` those that do not any
    more, `refused` those that the platform did not take. `footer` is the line below
    the copy, None if it was not touched.
    """

    upto: int
    message: str
    thread: str = ""
    native: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    footer: str | None = None
    at_us: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """What stands on a message, by the words of all deliveries so far."""

    native: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    upto: Mapping[str, int] = field(default_factory=dict)
    footer: str = ""
    footer_upto: int = -1
    footer_at_us: int = 0


def counted(said: Iterable[Reacted]) -> tuple[Reaction, ...]:
    """
    Return the reactions that stand, in the order in which they first appeared.

    Whoever chose an emoji on several messages that show as one counts once, until it
    was taken back on all of them.
    """
    people: dict[str, set[str]] = {}
    for one in standing(said):
        people.setdefault(one.emoji, set()).add(one.person)
    return tuple(Reaction(emoji, len(chose)) for emoji, chose in people.items())


def standing(said: Iterable[Reacted]) -> list[Reacted]:
    """
    Return the choices that were not taken back, oldest first.

    Events come in any order, and more than once: of what a person did with an emoji
    on a message the newest counts, by the platform's own time.
    """
    newest: dict[tuple[str, str, str], Reacted] = {}
    for one in said:
        key = (one.person, one.emoji, one.on)
        if key not in newest or _age(newest[key]) < _age(one):
            newest[key] = one
    return sorted((one for one in newest.values() if one.added), key=_age)


def footer(reactions: Iterable[Reaction]) -> str:
    """Return the line that stands below a copy, such as "👍 2 · 🎉 1"."""
    return " · ".join(f"{one.emoji} {one.count}" for one in reactions)


def folded(words: Iterable[Word]) -> Shown:
    """Return what stands now. A word that knew less of the log is overruled."""
    shown = Shown()
    for word in sorted(words, key=lambda word: word.upto):
        spoken = word.native | word.gone | word.refused
        shown = Shown(
            native=shown.native - spoken | word.native,
            refused=shown.refused - spoken | word.refused,
            upto={**shown.upto, **dict.fromkeys(spoken, word.upto)},
            footer=shown.footer if word.footer is None else word.footer,
            footer_upto=shown.footer_upto if word.footer is None else word.upto,
            footer_at_us=shown.footer_at_us if word.footer is None else word.at_us,
        )
    return shown


def _age(one: Reacted) -> tuple[int, int]:
    return (one.at_us, one.seq)
