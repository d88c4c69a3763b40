"""Tell what a link would mean, in a card, before it is made."""

from collections.abc import Mapping, Sequence

from bots.commands.names import channel_named
from bridge.cards import Card, Field, Section, Tone
from bridge.messages import Channel, Platform
from bridge.outlook import Outlook
from bridge.ports import Announcer

_WORD = "dry-run"
DAYS = 7  # of history that is counted, if nobody said how many


def is_rehearsal(words: Sequence[str]) -> bool:
    return any(word.lower() == _WORD for word in words)


def in_earnest(words: Sequence[str]) -> list[str]:
    """Return the words that are left if it were done."""
    return [word for word in words if word.lower() != _WORD]


async def rehearsed(
    announcers: Mapping[Platform, Announcer],
    seen: Sequence[Outlook],
    days: int,
    text: str,
) -> Card:
    """Return what was seen as a card."""
    names = {o.channel: await channel_named(announcers, o.channel) for o in seen}
    sections = tuple(_section(each, names, days) for each in seen)
    if any(each.hindered for each in seen):
        return Card("It would not work yet", text, Tone.WARNING, sections)
    return Card("Nothing was linked: this is what would be", text, sections=sections)


def _section(seen: Outlook, names: Mapping[Channel, str], days: int) -> Section:
    others = [name for channel, name in names.items() if channel != seen.channel]
    fields = (
        Field("ATOM there", ". ".join(seen.hindered) or "can read and post"),
        *(Field("Not heard", limit) for limit in seen.limits),
        Field("Would read", ", ".join(others) or "the other channel"),
        Field("People", _people(seen)),
        Field("Kept from reading by policy", _number(seen.kept_out)),
        Field(f"Said in {days} d", _said(seen)),
    )
    return Section(names[seen.channel], fields=fields)


def _people(seen: Outlook) -> str:
    if seen.people is None:
        return "not known"
    outside = "not known how many" if seen.outsiders is None else str(seen.outsiders)
    return f"{seen.people}, {outside} of them guests or from elsewhere"


def _number(count: int | None) -> str:
    return "not known" if count is None else str(count)


def _said(seen: Outlook) -> str:
    if seen.unread:
        return f"cannot be read: {seen.unread}"
    least = "more than " if seen.more else ""
    noun = "message" if seen.messages == 1 else "messages"
    return f"{least}{seen.messages} {noun}"
