"""A document as Teams HTML, with the entities that make its mentions real."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Any, assert_never
from urllib.parse import quote, urlencode

from bridge.document import (
    Block,
    ChannelMention,
    CodeBlock,
    Document,
    Emoji,
    Image,
    Inline,
    Link,
    Listing,
    Mention,
    Moment,
    Names,
    Paragraph,
    Quote,
    Rule,
    Style,
    Styles,
    Table,
)
from bridge.leaves import all_words, person, table_text, words
from bridge.text import one_line, safe_url

_TAGS = {
    Style.BOLD: "strong",
    Style.ITALIC: "em",
    Style.STRIKE: "s",
    Style.CODE: "code",
}
_LINES = (Paragraph, Rule)
_NBSP = "\u00a0"
_DROPPED = re.compile(f" (?=[ {_NBSP}])")


def render(document: Document, names: Names) -> tuple[str, list[dict[str, Any]]]:
    """
    Return HTML for `textFormat: xml`, and one mention entity for each `<at>` in it.

    A mention calls somebody only through its entity, so nothing typed can.
    """
    writer = _Writer(names)
    html = "".join(writer.blocks(document.blocks))
    return html, writer.entities


def channel_url(channel: str, name: str, *, group: str, tenant: str) -> str:
    """Return the address that opens a channel in Teams."""
    query = urlencode({"groupId": group, "tenantId": tenant})
    path = f"{quote(channel, safe='')}/{quote(name, safe='')}"
    return f"https://teams.microsoft.com/l/channel/{path}?{query}"


@dataclass(slots=True)
class _Writer:
    names: Names
    entities: list[dict[str, Any]] = field(default_factory=list)

    def blocks(self, blocks: Sequence[Block]) -> Iterator[str]:
        for block, after in pairwise((*blocks, None)):
            if block is None:
                continue
            yield from self._block(block)
            if isinstance(block, _LINES) and isinstance(after, _LINES):
                yield "<br>"

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case Paragraph():
                yield from self._inline(block.content)
            case CodeBlock():
                yield f"<pre>{escape(all_words(block.content, self.names))}</pre>"
            case Table():
                yield f"<pre>{escape(table_text(block, self.names))}</pre>"
            case Quote():
                yield from ("<blockquote>", *self.blocks(block.blocks), "</blockquote>")
            case Listing():
                yield from self._list(block)
            case Rule():
                yield "---"
            case _:
                assert_never(block)

    def _list(self, listing: Listing) -> Iterator[str]:
        tag = "ol" if listing.ordered else "ul"
        start = f' start="{listing.start}"' if listing.start != 1 else ""
        yield f"<{tag}{start if listing.ordered else ''}>"
        for item in listing.items:
            yield from ("<li>", *self.blocks(item.blocks), "</li>")
        yield f"</{tag}>"

    def _inline(self, leaves: Iterable[Inline]) -> Iterator[str]:
        """Yield the leaves; neighbours share the tags of the styles they share."""
        open_: Styles = ()
        before = ""
        for leaf in leaves:
            shared = _shared(open_, leaf.styles)
            yield from (f"</{_TAGS[style]}>" for style in reversed(open_[shared:]))
            yield from (f"<{_TAGS[style]}>" for style in leaf.styles[shared:])
            open_ = leaf.styles
            said = words(leaf, self.names)
            yield self._leaf(leaf, _text(said, before))
            before = said or before
        yield from (f"</{_TAGS[style]}>" for style in reversed(open_))

    def _leaf(self, leaf: Inline, said: str) -> str:
        match leaf:
            case Link(url=url) | Moment(url=url) if url:
                return _linked(url, said)
            case Mention() if Style.CODE not in leaf.styles:
                return self._mention(leaf) or said
            case ChannelMention() if leaf.id in self.names.channels:
                url = self.names.channels[leaf.id].url
                return _linked(url, said) if url else said
            case Emoji(char=""):
                picture = safe_url(self.names.custom_emoji.get(leaf.name, ""))
                return _picture(picture, f":{leaf.name}:") if picture else said
            case Image(url=url, alt=alt):
                # In colons it would be taken for an emoji's name.
                return _picture(url, alt.strip(":"))
        return said

    def _mention(self, mention: Mention) -> str:
        known = self.names.people.get(mention.id)
        if known is None or not known.target:
            return ""
        name = one_line(known.target_name) or person(mention, self.names)
        text = f"<at>{escape(name, quote=False)}</at>"
        mentioned = {"id": known.target, "name": name}
        self.entities.append({"type": "mention", "text": text, "mentioned": mentioned})
        return text


def _shared(one: Styles, other: Styles) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left is not right:
            break
        count += 1
    return count


def _text(text: str, before: str) -> str:
    """Encode words, and keep the spaces that HTML would drop."""
    first, *others = escape(text, quote=False).replace("\t", " " * 4).split("\n")
    if before.endswith(" ") and first.startswith(" "):
        first = _NBSP + first[1:]
    return "<br>".join(_DROPPED.sub(_NBSP, line) for line in (first, *others))


def _linked(url: str, html: str) -> str:
    return f'<a href="{escape(url)}">{html}</a>'


def _picture(url: str, alt: str) -> str:
    return f'<img src="{escape(url)}" alt="{escape(alt)}">'
