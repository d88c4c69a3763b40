"""A document as elements of Slack's `rich_text`, and as the text beside them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bots.slack.mrkdwn_tokens import escape
from bridge.document import (
    Audience,
    Block,
    Broadcast,
    ChannelMention,
    CodeBlock,
    Document,
    Emoji,
    Inline,
    Item,
    Link,
    Listing,
    Mention,
    Names,
    Paragraph,
    Quote,
    Rule,
    Style,
    Table,
    Text,
)
from bridge.leaves import all_words, merged, table_text, words
from bridge.marked import marked
from bridge.plain import Layout

_Element = dict[str, Any]
_DEEPEST_INDENT = 8
_MARKS = {Style.BOLD: "*", Style.ITALIC: "_", Style.STRIKE: "~", Style.CODE: "`"}
_FLOWING = (Paragraph, Rule)


def fallback(document: Document, names: Names) -> str:
    """Return the document as mrkdwn, what was typed encoded."""

    def inline(leaves: Sequence[Inline]) -> str:
        return marked(leaves, _MARKS, lambda leaf: _mrkdwn(leaf, names))

    layout = Layout(inline, names, verbatim=escape, fence="```")
    return "\n".join(layout.lines(document.blocks))


def elements(document: Document, names: Names) -> Iterator[_Element]:
    """Yield the document's blocks as Slack knows them: quotes and code do not nest."""
    return _Writer(names).blocks(document.blocks)


def _mrkdwn(leaf: Inline, names: Names) -> str:
    match _own(leaf, names):
        case {"type": "user", "user_id": person}:
            return f"<@{person}>"
        case {"type": "channel", "channel_id": channel}:
            return f"<#{channel}>"
        case {"type": "broadcast", "range": audience}:
            return f"<!{audience}>"
    if isinstance(leaf, Link):
        url, label = escape(leaf.url), escape(leaf.label)
        return f"<{url}|{label}>" if label else f"<{url}>"
    return escape(words(leaf, names))


def _own(leaf: Inline, names: Names) -> _Element | None:
    """
    Return what a leaf is in Slack itself, if it is anybody or anything there.

    Only ids that were looked up get here, nothing that was typed. Code calls nobody.
    """
    if Style.CODE in leaf.styles:
        return None
    match leaf:
        case Mention(id=id_):
            known = names.people.get(id_)
            if known and known.target:
                return {"type": "user", "user_id": known.target}
        case ChannelMention(id=place) | Link(url=place):
            channel = names.channels.get(place)
            if channel and channel.target:
                return {"type": "channel", "channel_id": channel.target}
        case Broadcast(audience=audience) if names.pings:
            # Everyone can be called in one channel only; in this one it is all of it.
            everyone = audience is Audience.EVERYONE
            called = Audience.CHANNEL if everyone else audience
            return {"type": "broadcast", "range": str(called)}
        case Emoji(name=name, char="") if name in names.shared_emoji:
            return {"type": "emoji", "name": name}
    return None


@dataclass(frozen=True, slots=True)
class _Writer:
    names: Names
    quoted: bool = False

    def blocks(self, blocks: Iterable[Block]) -> Iterator[_Element]:
        for flowing, group in groupby(blocks, key=lambda b: isinstance(b, _FLOWING)):
            if flowing:
                yield from self._section(group)
                continue
            for block in group:
                yield from self._block(block)

    def _block(self, block: Block) -> Iterator[_Element]:
        match block:
            case CodeBlock():
                yield from self._preformatted(all_words(block.content, self.names))
            case Table():
                yield from self._preformatted(table_text(block, self.names))
            case Quote():
                inner = _Writer(self.names, quoted=True)
                yield from inner.blocks(_unnested(block.blocks))
            case Listing():
                yield from self._list(block, 0)

    def _section(self, blocks: Iterable[Block]) -> Iterator[_Element]:
        if content := self._leaves(_lines(blocks)):
            kind = "rich_text_quote" if self.quoted else "rich_text_section"
            yield {"type": kind, "elements": content}

    def _preformatted(self, text: str) -> Iterator[_Element]:
        if text:
            content = [{"type": "text", "text": text}]
            yield self._bordered(
                {"type": "rich_text_preformatted", "elements": content}
            )

    def _list(self, listing: Listing, level: int) -> Iterator[_Element]:
        """Yield stretches of a list between what stands below its items."""
        stretch: list[_Element] = []
        first = listing.start
        for number, item in enumerate(listing.items, listing.start):
            if not stretch:
                first = number
            own, below = _parts(item)
            if own or not below:
                content = self._leaves(_lines(own)) or [{"type": "text", "text": " "}]
                stretch.append({"type": "rich_text_section", "elements": content})
            if below:
                yield from self._stretch(listing, level, first, stretch)
                stretch = []
                yield from self._below(below, level)
        yield from self._stretch(listing, level, first, stretch)

    def _stretch(
        self, listing: Listing, level: int, first: int, items: list[_Element]
    ) -> Iterator[_Element]:
        if not items:
            return
        element: _Element = {
            "type": "rich_text_list",
            "style": "ordered" if listing.ordered else "bullet",
            "indent": min(level, _DEEPEST_INDENT),
            "elements": items,
        }
        if listing.ordered and first > 1:
            element["offset"] = first - 1
        yield self._bordered(element)

    def _below(self, blocks: Iterable[Block], level: int) -> Iterator[_Element]:
        for block in blocks:
            if isinstance(block, Listing):
                yield from self._list(block, level + 1)
            else:
                yield from self.blocks([block])

    def _bordered(self, element: _Element) -> _Element:
        return {**element, "border": 1} if self.quoted else element

    def _leaves(self, leaves: Iterable[Inline]) -> list[_Element]:
        shown = merged(self._shown(leaf) for leaf in leaves)
        return [self._element(leaf) for leaf in shown]

    def _shown(self, leaf: Inline) -> Inline:
        """Return the leaf, or its words where Slack has no form for it."""
        if isinstance(leaf, Link | Text) or _own(leaf, self.names):
            return leaf
        return Text(words(leaf, self.names), leaf.styles)

    def _element(self, leaf: Inline) -> _Element:
        element = _own(leaf, self.names)
        if element is None and isinstance(leaf, Link):
            element = {"type": "link", "url": leaf.url}
            if leaf.label:
                element["text"] = leaf.label
        element = element or {"type": "text", "text": words(leaf, self.names)}
        if leaf.styles:
            element["style"] = {str(style): True for style in leaf.styles}
        return element


def _lines(blocks: Iterable[Block]) -> Iterator[Inline]:
    """Yield flowing blocks' leaves, a line end between two blocks."""
    for n, block in enumerate(blocks):
        if n:
            yield Text("\n")
        if isinstance(block, Paragraph):
            yield from block.content
        else:
            yield Text("---")


def _unnested(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, Quote):
            yield from _unnested(block.blocks)
        else:
            yield block


def _parts(item: Item) -> tuple[Sequence[Block], Sequence[Block]]:
    """Split an item into its own lines and what has to stand below it."""
    for n, block in enumerate(item.blocks):
        if not isinstance(block, _FLOWING):
            return item.blocks[:n], item.blocks[n:]
    return item.blocks, ()
