"""
Messages as the documents of an e-discovery load file: one a revision, files below it.

Documents are numbered in the order in which conversations and messages come, so the
same export numbers them alike for every load file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from storage.compliance.export.model import (
    Attached,
    Change,
    Conversation,
    Item,
    Revision,
    Source,
    Who,
)
from storage.compliance.export.text import safe_part

PREFIX = "ATOM"
_BETWEEN = "; "


@dataclass(frozen=True, slots=True)
class Document:
    """
    A revision of a message, or one of its files (`file` is set).

    `parent` is the number of the revision that a file belongs to and `last` the
    number of the last document of the family. `to` are the others in the conversation.
    """

    number: int
    parent: int
    last: int
    place: Conversation
    item: Item
    revision: Revision
    text: str
    to: str
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


class _Present:
    """
    The addresses of those in a conversation, joined once for all of its documents.

    Each document has them all but one. A text for each author would be as many as
    there are people, times as long as there are people.
    """

    def __init__(self, people: Sequence[Who]) -> None:
        self._whole = _BETWEEN.join(who.address for who in people)
        self._spans: dict[Who, tuple[int, int]] = {}
        start = 0
        for who in people:
            end = start + len(who.address) + len(_BETWEEN)
            self._spans[who] = (start, end)
            start = end

    def without(self, who: Who) -> str:
        start, end = self._spans.get(who, (0, 0))
        if end > len(self._whole):
            # The last one goes with what stands before it.
            return self._whole[: max(start - len(_BETWEEN), 0)]
        return self._whole[:start] + self._whole[end:]


def bates(number: int) -> str:
    return f"{PREFIX}{number:08}"


def documents(source: Source) -> Iterator[Document]:
    """Yield every document once, a revision before its files."""
    number = 0
    for place in source.conversations():
        present = _Present(place.people)
        for item in source.items(place):
            to = present.without(item.author)
            for revision in item.revisions:
                number += 1
                first, last = number, number + len(revision.files)
                text = _text(item, revision)
                yield Document(first, first, last, place, item, revision, text, to)
                for file in revision.files:
                    number += 1
                    yield Document(
                        number, first, last, place, item, revision, text, to, file
                    )


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
