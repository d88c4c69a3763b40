"""
Slack's `rich_text` blocks, read and written.

Their strings are raw, while those of `text` and of mrkdwn objects are encoded; where
they are not, `bots.slack.rich_text_encoding` makes them so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from bots.slack import mrkdwn
from bots.slack.mrkdwn_tokens import unescape
from bots.slack.rich_text_encoding import raw
from bots.slack.rich_text_leaves import leaves, mappings, number, string
from bots.slack.rich_text_lists import FlatList, nested
from bots.slack.rich_text_writer import elements, fallback
from bridge.document import (
    Block,
    Cell,
    CodeBlock,
    Document,
    Image,
    Inline,
    Names,
    Paragraph,
    Quote,
    Row,
    Rule,
    Style,
    Styles,
    Table,
    Text,
)
from bridge.leaves import flat, merged, without_line_end
from bridge.text import clean, one_line, safe_url

_Element = Mapping[str, Any]


def parse_message(payload: Mapping[str, Any]) -> Document:
    """
    Read what a message says: its blocks if they hold rich text, else its text.

    Apps may post blocks of other kinds alone; those are read when there is no text.
    """
    blocks = mappings(payload.get("blocks"))
    text = string(payload.get("text"))
    if text and not any(block.get("type") == "rich_text" for block in blocks):
        return mrkdwn.parse(text)
    return Document(parse_blocks(payload))


def parse_blocks(payload: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return what a message's blocks say, of whatever kind they are."""
    blocks = raw(mappings(payload.get("blocks")), string(payload.get("text")))
    return tuple(each for block in blocks for each in _block(block))


def render(document: Document, names: Names) -> tuple[str, list[dict[str, Any]]]:
    """
    Return the text for notifications and the blocks that show the message.

    Everything typed stands raw in the blocks, where nothing is read as markup; in
    the text it is encoded, so that it can call and link nobody.
    """
    text = fallback(document, names)
    rich = list(elements(document, names))
    return text, [{"type": "rich_text", "elements": rich}] if rich else []


def _block(block: _Element) -> Iterator[Block]:
    match block.get("type"):
        case "rich_text":
            yield from _rich_text(mappings(block.get("elements")))
        case "header":
            yield from _text_object(block.get("text"), (Style.BOLD,))
        case "section":
            yield from _text_object(block.get("text"))
            for text in mappings(block.get("fields")):
                yield from _text_object(text)
        case "context":
            for element in mappings(block.get("elements")):
                yield from _image(element) or _text_object(element)
        case "image":
            yield from _image(block)
        case "divider":
            yield Rule()
        case "table":
            yield _table(block)


def _rich_text(elements_: Sequence[_Element]) -> Iterable[Block]:
    if len(elements_) == 1 and _is_plain(elements_[0]):
        # Almost everything that people write, and nothing to sort out.
        return [Paragraph(leaves(elements_[0].get("elements")))]
    return _tidy(_quoting(elements_))


def _quoting(elements_: Sequence[_Element]) -> Iterator[Block]:
    """What has a border belongs to the quote beside it."""
    for quoted, group in _groups(elements_):
        inner = tuple(_blocks(group))
        if quoted and inner:
            yield Quote(inner)
        else:
            yield from inner


def _tidy(blocks: Iterable[Block]) -> Iterator[Block]:
    """A line end before a list, a quote or code only says that the line is over."""
    for block, after in pairwise((*blocks, None)):
        if isinstance(block, Paragraph) and not isinstance(after, Paragraph | None):
            yield Paragraph(without_line_end(block.content))
        elif block is not None:
            yield block


def _is_plain(element: _Element) -> bool:
    return element.get("type") == "rich_text_section" and "border" not in element


def _groups(elements_: Sequence[_Element]) -> Iterator[tuple[bool, list[_Element]]]:
    group: list[_Element] = []
    for element in elements_:
        if group and not _together(group[-1], element):
            yield _is_quoted(group[0]), group
            group = []
        group.append(element)
    if group:
        yield _is_quoted(group[0]), group


def _together(one: _Element, other: _Element) -> bool:
    both_quotes = one.get("type") == other.get("type") == "rich_text_quote"
    return _is_quoted(one) == _is_quoted(other) and not both_quotes


def _is_quoted(element: _Element) -> bool:
    return element.get("type") == "rich_text_quote" or number(element, "border") > 0


def _blocks(group: Sequence[_Element]) -> Iterator[Block]:
    for kind, run in groupby(group, key=lambda element: element.get("type")):
        if kind == "rich_text_list":
            yield from nested(filter(None, map(_list, run)))
            continue
        for element in run:
            content = leaves(element.get("elements"))
            if kind == "rich_text_preformatted":
                yield CodeBlock(content, one_line(string(element.get("language"))))
            elif content or kind == "rich_text_section":
                yield Paragraph(content)


def _list(element: _Element) -> FlatList | None:
    items = [leaves(item.get("elements")) for item in mappings(element.get("elements"))]
    if not items:
        return None
    return FlatList(
        indent=number(element, "indent"),
        ordered=element.get("style") == "ordered",
        start=max(number(element, "offset"), 0) + 1,
        items=items,
    )


def _text_object(value: Any, styles: Styles = ()) -> Sequence[Block]:
    """Read an mrkdwn or plain text object; both are encoded."""
    if not isinstance(value, Mapping):
        return ()
    text = string(value.get("text"))
    if value.get("type") == "mrkdwn":
        return mrkdwn.parse(text).blocks
    return (Paragraph(merged((Text(clean(unescape(text)), styles),))),)


def _image(element: _Element) -> Sequence[Block]:
    url = safe_url(string(element.get("image_url")))
    alt = one_line(string(element.get("alt_text")))
    return (Paragraph((Image(url, alt),)),) if url else ()


def _table(block: _Element) -> Table:
    rows = block.get("rows")
    return Table(
        tuple(
            Row(tuple(Cell(_cell(cell)) for cell in mappings(row)))
            for row in (rows if isinstance(rows, Sequence) else ())
        )
    )


def _cell(cell: _Element) -> tuple[Inline, ...]:
    if cell.get("type") == "rich_text":
        return merged(flat(tuple(_rich_text(mappings(cell.get("elements"))))))
    return merged((Text(clean(string(cell.get("text")))),))
