"""
A document laid out as one text, so that detectors can look at it, and cut from it again.

Words that stand side by side do so here, whatever their looks: a card number with bold
digits in it is one number. What does not show where it stands (the address behind a
label) comes behind everything else. Nothing but the document decides what stands where,
so places in this text can be kept instead of the words.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, NamedTuple

from bridge.document import (
    Block,
    CodeBlock,
    Document,
    Emoji,
    Image,
    Inline,
    Link,
    Listing,
    Moment,
    Paragraph,
    Quote,
    Table,
    Text,
)
from bridge.leaving.findings import covered

HIDDEN = "[hidden]"
_BREAK = "\n"

Spans = Sequence[tuple[int, int]]


class _Piece(NamedTuple):
    """A leaf's field, and from where on it stands in the text."""

    leaf: int
    field: str
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Flat:
    """
    A document's text, and where each part of it comes from.

    Its first `shown` characters show where it stands.
    """

    text: str
    pieces: tuple[_Piece, ...]
    shown: int


def flat(document: Document) -> Flat:
    """Lay a document out. The same document gives the same text, always."""
    shown: list[_Piece] = []
    behind: list[tuple[int, str]] = []
    words: list[str] = []
    place = 0
    number = 0
    for row in _rows(document.blocks):
        for leaf in row:
            for field, text in _shown(leaf):
                shown.append(_Piece(number, field, place, text))
                words.append(text)
                place += len(text)
            if (url := _behind(leaf)) is not None:
                behind.append((number, url))
            number += 1
        words.append(_BREAK)
        place += len(_BREAK)
    shows = place
    for leaf_number, url in behind:
        shown.append(_Piece(leaf_number, "url", place, url))
        words += [url, _BREAK]
        place += len(url) + len(_BREAK)
    return Flat("".join(words), tuple(shown), shows)


def hidden(document: Document, spans: Spans) -> Document:
    """
    Return the document with `[hidden]` in place of these parts of its flat text.

    Nothing else changes. An address of which a part is hidden leads nowhere.
    """
    if not spans:
        return document
    merged = covered(spans)
    cut: dict[int, dict[str, str]] = {}
    for piece in flat(document).pieces:
        end = piece.start + len(piece.text)
        inside = [
            (max(start, piece.start) - piece.start, min(stop, end) - piece.start, start)
            for start, stop in merged
            if start < end and stop > piece.start
        ]
        if inside:
            text = _without(piece, inside)
            cut.setdefault(piece.leaf, {})[piece.field] = text
    return _rebuilt(document, cut) if cut else document


def _without(piece: _Piece, inside: Sequence[tuple[int, int, int]]) -> str:
    out: list[str] = []
    place = 0
    for start, stop, first in inside:
        out.append(piece.text[place:start])
        # What goes on from another leaf was marked there already.
        if first >= piece.start:
            out.append(HIDDEN)
        place = stop
    out.append(piece.text[place:])
    return "".join(out)


def hidden_text(text: str, spans: Spans) -> str:
    """Return a plain text with `[hidden]` in place of these parts."""
    out: list[str] = []
    place = 0
    for start, stop in covered(spans):
        out += [text[place:start], HIDDEN]
        place = stop
    return "".join((*out, text[place:]))


def _rows(blocks: Sequence[Block]) -> Iterator[Sequence[Inline]]:
    """Yield the leaves that stand together, in the order of `_rebuilt`."""
    for block in blocks:
        match block:
            case Paragraph() | CodeBlock():
                yield block.content
            case Quote():
                yield from _rows(block.blocks)
            case Listing():
                for item in block.items:
                    yield from _rows(item.blocks)
            case Table():
                for row in block.rows:
                    for cell in row.cells:
                        yield cell.content
            case _:
                yield ()


def _shown(leaf: Inline) -> Sequence[tuple[str, str]]:
    match leaf:
        case Text(text=text):
            return (("text", text),)
        case Link(url=url, label=label):
            return (("label", label) if label else ("url", url),)
        case Moment(fallback=text):
            return (("fallback", text),)
        case Image(url=url, alt=alt):
            return (("alt", alt) if alt else ("url", url),)
        case Emoji(name=name, char=char):
            return (("char", char) if char else ("name", name),)
        case _:
            label = getattr(leaf, "label", "")
            return (("label", label),) if label else ()


def _behind(leaf: Inline) -> str | None:
    """Return the address that a leaf has and does not show."""
    match leaf:
        case Text():
            return None
        case Link(url=url, label=words) | Image(url=url, alt=words) if words:
            return url
        case Moment(url=url) if url:
            return url
    return None


def _rebuilt(document: Document, cut: dict[int, dict[str, str]]) -> Document:
    numbers = iter(range(1 << 62))

    def leaf(node: Any) -> Any:
        changes = cut.get(next(numbers))
        return node if changes is None else _changed(node, changes)

    return replace(document, blocks=_mapped(document.blocks, leaf))


def _changed(leaf: Inline, changes: dict[str, str]) -> Inline:
    if isinstance(leaf, Link | Image) and "url" in changes:
        words = leaf.label if isinstance(leaf, Link) else leaf.alt
        said = changes.get("label", changes.get("alt", words)) or changes["url"]
        return Text(said, leaf.styles)
    if isinstance(leaf, Emoji):
        return Text(HIDDEN, leaf.styles)
    if isinstance(leaf, Moment) and "url" in changes:
        changes = {**changes, "url": ""}
    return replace(leaf, **changes)  # type: ignore[arg-type] # fields that are text


def _mapped(node: Any, leaf: Callable[[Any], Any]) -> Any:
    """Rebuild what holds leaves, in their order; what is a leaf goes through `leaf`."""
    if isinstance(node, tuple):
        return tuple(_mapped(each, leaf) for each in node)
    if isinstance(node, Inline):
        return leaf(node)
    if is_dataclass(node) and not isinstance(node, type):
        changes = {
            each.name: _mapped(value, leaf)
            for each in fields(node)
            if isinstance(value := getattr(node, each.name), tuple)
        }
        return replace(node, **changes) if changes else node
    return node
