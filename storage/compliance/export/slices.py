"""Conversations cut into days, for formats whose readers want no more at once."""

from collections.abc import Iterator

from storage.compliance.export.model import Conversation, Heading, Item, Source
from storage.compliance.export.text import day


def days(
    heading: Heading, source: Source, place: Conversation
) -> Iterator[tuple[str, list[Item]]]:
    """Yield a conversation's messages by the day on which they were said."""
    held: list[Item] = []
    now = ""
    for item in source.items(place):
        its_day = day(item.at_us, heading.zone)
        if held and its_day != now:
            yield now, held
            held = []
        now = its_day
        held.append(item)
    if held:
        yield now, held
