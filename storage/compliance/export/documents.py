"""
Messages as the documents of an e-discovery load file: one a revision, files below it.

Documents are numbered in the order in which conversations and messages come, so the
same export numbers them alike for every load file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from storage.compliance.export.model import (
    Attached,
    Change,
    Conversation,
    Item,
    Revision,
    Source,
    Who,
)
from storage.compliance.export.participants import everybody, named, placed
from storage.compliance.export.text import safe_part

PREFIX = "ATOM"


@dataclass(frozen=True, slots=True)
class Document:
    """
    A revision of a message, or one of its files (`file` is set).

    `parent` is the number of the revision that a file belongs to and `last` the
    number of the last document of the family. `to` are the others in the conversation,
    or how many they are if they stand in a list of their own: `listed` is its path.
    """

    number: int
    parent: int
    last: int
    place: Conversation
    item: Item
    revision: Revision
    text: str
    to: str
    listed: str = ""
    file: Attached | None = None

    @property
    def id(self) -> str:
        return bates(self.number)

    @property
    def title(self) -> str:
        """What stands for a subject: the first words."""
        if self.file:
            return self.file.name
        first = " ".join(self.text.split())
        return first[:100]


def bates(number: int) -> str:
    return f"{PREFIX}{number:08}"


def documents(source: Source) -> Iterator[Document]:
    """Yield every document once, a revision before its files."""
    number = 0
    for place, listed in placed(source):
        addressed = _addressed(place, listed)
        for item in source.items(place):
            to = addressed(item.author)
            for revision in item.revisions:
                number += 1
                first, last = number, number + len(revision.files)
                text = _text(item, revision)
                whole = Document(
                    first, first, last, place, item, revision, text, to, listed
                )
                yield whole
                for file in revision.files:
                    number += 1
                    yield replace(whole, number=number, file=file)


def _addressed(place: Conversation, listed: str) -> Callable[[Who], str]:
    """Return what says to whom an author speaks in a conversation."""
    if listed:
        everyone = everybody(place)
        return lambda _author: everyone
    return cache(lambda author: named(who for who in place.people if who != author))


def text_name(document: Document) -> str:
    return f"{document.id}.txt"


def file_name(file: Attached) -> str:
    return safe_part(file.name)


def extension(name: str) -> str:
    stem, dot, found = name.rpartition(".")
    return found.lower() if stem and dot and found.isalnum() else ""


def _text(item: Item, revision: Revision) -> str:
    """A deletion shows what was deleted."""
    if revision.withheld:
        return f"[withheld: {revision.withheld}]"
    if revision.change is not Change.DELETE:
        return revision.text
    content = item.before(revision)
    if content is None:
        return ""
    return f"[withheld: {content.withheld}]" if content.withheld else content.text
