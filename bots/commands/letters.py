"""Which dead letters a command is about, and how cards speak of them."""

from collections.abc import Mapping, Sequence

from bots.commands.base import Request
from bots.commands.names import channel_named
from bots.commands.status import lasted
from bridge.cards import Field, Section
from bridge.errors import BadInput, NotFound
from bridge.letters import DeadLetter, DeadLetters
from bridge.messages import Platform
from bridge.ports import Announcer, Links

ALL = "all"
UNKNOWN = "unknown: a copy may stand there"


async def letters_here(
    letters: DeadLetters, links: Links, request: Request, which: str
) -> Sequence[DeadLetter]:
    """
    Return the letters of this channel's links that are meant, oldest first.

    `which` is a link, a letter's number or `all`. Raises `NotFound` for other names.
    """
    here = [link.id for link in await links.of(request.tenant, request.channel)]
    if not here:
        raise NotFound("This channel is not linked.")
    known = await letters.all(request.tenant)
    # What is held for review is decided on there, and not here.
    own = [one for one in known if one.delivery.link in here and not one.held]
    return named(own, here, which)


def some(found: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
    """Return what was found, or raise `NotFound` if that is nothing."""
    if not found:
        raise NotFound("There are no dead letters to act on.")
    return found


def named(
    known: Sequence[DeadLetter], links: Sequence[str], which: str
) -> Sequence[DeadLetter]:
    """Return the letters that a word names. Raises `NotFound` for unknown names."""
    if which.lower() == ALL:
        return known
    for link in links:
        if link.lower() == which.lower():
            return [letter for letter in known if letter.delivery.link == link]
    # A whole marker, as the platforms and the log have it, names its letter as well.
    found = [letter for letter in known if which in {letter.number, marked(letter)}]
    if not found:
        raise NotFound(f"There is no link and no dead letter {which[:60]}.")
    return found


def marked(letter: DeadLetter) -> str:
    return f"{letter.delivery.tenant}.{letter.number}"


async def letter_section(
    announcers: Mapping[Platform, Announcer], letter: DeadLetter, now_us: int
) -> Section:
    """Show a letter: why and since when it is dead, but neither text nor author."""
    target = await channel_named(announcers, letter.delivery.target)
    return Section(
        f"{letter.number}: {letter.delivery.operation} in {target}",
        letter.reason,
        (
            Field("Dead for", lasted(now_us - letter.died_us)),
            Field("Tries", str(letter.delivery.tries)),
            Field("Link", letter.delivery.link),
            Field("Outcome", UNKNOWN if letter.unknown else "failed"),
        ),
    )


def counted(number: int) -> str:
    return "1 dead letter" if number == 1 else f"{number} dead letters"


def one_word(request: Request, most: int = 1) -> None:
    """Raise `BadInput` for more words than the command takes."""
    if len(request.arguments) > most:
        raise BadInput(f"`{request.command}` does not take that many words.")
