"""Which link a command is about, when the channel alone does not say."""

from collections.abc import Sequence

from bots.commands.base import Request
from bridge.errors import BadInput, NotFound
from bridge.links import Link
from bridge.ports import Links


async def link_here(
    links: Links, request: Request, words: Sequence[str] | None = None
) -> Link:
    """
    Return the link of this channel that is meant.

    With several, its id must have been typed: in `words`, or else as all that was
    typed. Raises `NotFound` or `BadInput`.
    """
    here = await links.of(request.tenant, request.channel)
    if not here:
        raise NotFound("This channel is not linked.")
    match request.arguments if words is None else tuple(words):
        case () if len(here) == 1:
            return here[0]
        case ():
            ids = ", ".join(link.id for link in here)
            raise BadInput(f"This channel has several links; add one of {ids}.")
        case (wanted,):
            return _named(here, wanted)
        case _:
            raise BadInput(f"`{request.command}` takes one link at a time.")


def _named(here: Sequence[Link], wanted: str) -> Link:
    for link in here:
        if link.id.lower() == wanted.lower():
            return link
    raise NotFound(f"This channel has no link {wanted}.")
