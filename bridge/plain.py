"""A document as lines of text: for people without markup, for search, for Markdown."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from bridge.document import (
    NOBODY,
    Block,
    CodeBlock,
    Document,
    Image,
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
)
from bridge.leaves import all_words, table_text, words
from bridge.marked import marked

_BULLETS = "•◦▪"
_MARKS = {Style.BOLD: "**", Style.ITALIC: "*", Style.STRIKE: "~~", Style.CODE: "`"}
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&!]|^(?=[-+=]|\d+[.)])", re.MULTILINE)
_BACKTICKS = re.compile("`+")


def plain_text(document: Document, names: Names = NOBODY) -> str:
    """Return every word of the document; a labelled link shows its address too."""
    layout = Layout(
        lambda leaves: "".join(_told(leaf, names) for leaf in leaves), names
    )
    return "\n".join(layout.lines(document.blocks))


def markdown(document: Document, names: Names = NOBODY) -> str:
    """Return the document as CommonMark with tables and strikethrough."""
    return "\n\n".join(
        "\n".join(_markdown_lines(block, names)) for block in document.blocks
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """
    How blocks become lines.

    `inline` shows a paragraph's leaves, `verbatim` protects preformatted text, and
    `fence` stands above and below it, if it is not empty. Nested quotes are one.
    """

    inline: Callable[[Sequence[Inline]], str]
    names: Names
    verbatim: Callable[[str], str] = str
    fence: str = ""

    def lines(
        self, blocks: Iterable[Block], *, quoted: bool = False, level: int = 0
    ) -> Iterator[str]:
        for block in blocks:
            match block:
                case Paragraph():
                    yield from self.inline(block.content).split("\n")
                case CodeBlock():
                    yield from self._fenced(all_words(block.content, self.names))
                case Table():
                    yield from self._fenced(table_text(block, self.names))
                case Quote():
                    mark = "" if quoted else "> "
                    for line in self.lines(block.blocks, quoted=True, level=level):
                        yield mark + line
                case Listing():
                    yield from self._list(block, quoted=quoted, level=level)
                case Rule():
                    yield "---"
                case _:
                    assert_never(block)

    def _fenced(self, text: str) -> Iterator[str]:
        lines = self.verbatim(text).split("\n")
        yield from (self.fence, *lines, self.fence) if self.fence else lines

    def _list(self, listing: Listing, *, quoted: bool, level: int) -> Iterator[str]:
        for number, item in enumerate(listing.items, listing.start):
            bullet = _BULLETS[min(level, len(_BULLETS) - 1)]
            mark = f"{number}. " if listing.ordered else f"{bullet} "
            margin = " " * len(mark)
            first, nested = _parts(item)
            for n, line in enumerate(self.lines(first, quoted=quoted, level=level)):
                yield (margin if n else mark) + line
            for line in self.lines(nested, quoted=quoted, level=level + 1):
                yield "    " + line


def _parts(item: Item) -> tuple[Sequence[Block], Sequence[Block]]:
    """Split an item before its first nested list; it may begin with one."""
    for n, block in enumerate(item.blocks):
        if isinstance(block, Listing):
            return item.blocks[:n], item.blocks[n:]
    return item.blocks or (Paragraph(),), ()


def _told(leaf: Inline, names: Names) -> str:
    told = words(leaf, names)
    if isinstance(leaf, Link) and leaf.url not in {
        told,
        f"mailto:{told}",
        f"tel:{told}",
    }:
        return f"{told} ({leaf.url})"
    return told


def _markdown_lines(block: Block, names: Names) -> Iterator[str]:
    match block:
        case Paragraph():
            text = marked(block.content, _MARKS, lambda leaf: _markdown(leaf, names))
            yield from text.replace("\n", "\\\n").split("\n")
        case CodeBlock():
            yield from _fenced(all_words(block.content, names), block.language)
        case Quote():
            yield from ("> " + line for line in _separated(block.blocks, names))
        case Listing():
            yield from _markdown_list(block, names)
        case Table():
            yield from _markdown_table(block, names)
        case Rule():
            yield "---"
        case _:
            assert_never(block)


def _separated(blocks: Iterable[Block], names: Names) -> Iterator[str]:
    for n, block in enumerate(blocks):
        if n and not isinstance(block, Listing):
            yield ""
        yield from _markdown_lines(block, names)


def _fenced(text: str, language: str) -> Iterator[str]:
    longest = max((len(each) for each in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield fence + re.sub(r"[^\w+#.-]", "", language)
    yield from text.split("\n")
    yield fence


def _markdown_list(listing: Listing, names: Names) -> Iterator[str]:
    for number, item in enumerate(listing.items, listing.start):
        mark = f"{number}. " if listing.ordered else "- "
        for n, line in enumerate(_separated(item.blocks or (Paragraph(),), names)):
            yield (" " * len(mark) if n else mark) + line


def _markdown_table(table: Table, names: Names) -> Iterator[str]:
    for n, row in enumerate(table.rows):
        cells = [
            marked(cell.content, _MARKS, lambda leaf: _markdown(leaf, names))
            for cell in row.cells
        ]
        yield f"| {' | '.join(cell.replace(chr(10), ' ') for cell in cells)} |"
        if n == 0:
            rule = {"left": "---", "right": "--:", "center": ":-:"}
            yield f"|{'|'.join(rule.get(cell.align, '---') for cell in row.cells)}|"


def _markdown(leaf: Inline, names: Names) -> str:
    told = words(leaf, names)
    if Style.CODE in leaf.styles and "`" not in told:
        return told
    escaped = _SPECIAL.sub(r"\\\g<0>", told)
    match leaf:
        case Link():
            return f"[{escaped}](<{leaf.url}>)"
        case Image():
            return f"![{escaped}](<{leaf.url}>)"
        case Mention():
            return f"**{escaped}**" if Style.BOLD not in leaf.styles else escaped
    return escaped
