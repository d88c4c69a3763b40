"""
Who is in a conversation: named in each document, or once in a list beside them.

A list is CSV, a row a stay of somebody, under `participants/` of the format's folder.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from storage.compliance.export.cells import table
from storage.compliance.export.model import (
    Conversation,
    Heading,
    Source,
    Stay,
    Who,
    Written,
)
from storage.compliance.export.paths import Names
from storage.compliance.export.text import local, plain_line, utc

# Fifty addresses are about as long as all else that a load file says of a message: up
# to there a document at most doubles, beyond it a load file would grow with messages
# times people. It is also more than a direct message or a group chat of Slack holds.
MOST_NAMED = 50
BETWEEN = "; "
COLUMNS = (
    "Conversation",
    "Platform",
    "ID",
    "Name",
    "Address",
    "Kind",
    "Joined_UTC",
    "Left_UTC",
    "Joined_local",
    "Left_local",
)
_FOLDER = "participants"
_SHOWN = 80


class Placed(NamedTuple):
    """A conversation and where its list stands; "" if documents name everybody."""

    place: Conversation
    listed: str


def placed(source: Source) -> Iterator[Placed]:
    """Yield every conversation; the same export has the same lists in every format."""
    names = Names()
    for place in source.conversations():
        listed = ""
        if len(place.people) > MOST_NAMED:
            # Load files spell some characters otherwise: a path has none of them.
            told = f"{place.platform}-{place.id}.csv".encode("ascii", "replace")
            listed = f"{_FOLDER}/{names.one(told.decode())}"
        yield Placed(place, listed)


def lists(folder: str, heading: Heading, source: Source) -> Iterator[Written]:
    """Yield a list for each conversation whose documents do not name everybody."""
    for place, path in placed(source):
        if path:
            yield Written(f"{folder}/{path}", table(_rows(heading, place)))


def everybody(place: Conversation) -> str:
    """Return what stands for the people of a conversation that has a list."""
    # Readers cut a field of people at semicolons.
    shown = plain_line(place.shown)[:_SHOWN].replace(";", ",")
    return f"{shown}: {len(place.people)} participants"


def named(people: Iterable[Who]) -> str:
    return BETWEEN.join(who.address for who in people)


def _rows(heading: Heading, place: Conversation) -> Iterator[Sequence[str]]:
    """Yield everybody with each of their stays; of many people none is known."""
    yield COLUMNS
    stays: dict[tuple[str, str], list[Stay]] = {}
    for stay in place.stays:
        stays.setdefault((stay.who.platform, stay.who.id), []).append(stay)
    for who in place.people:
        for stay in stays.get((who.platform, who.id), [Stay(who)]):
            yield _row(heading, place, who, stay)


def _row(heading: Heading, place: Conversation, who: Who, stay: Stay) -> list[str]:
    return [
        place.id,
        who.platform,
        who.id,
        who.name,
        who.address,
        who.kind,
        utc(stay.joined_us),
        utc(stay.left_us),
        local(stay.joined_us, heading.zone),
        local(stay.left_us, heading.zone),
    ]
