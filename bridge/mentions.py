"""Who and what a document speaks of."""

from collections.abc import Iterator

from bridge.document import (
    Block,
    CodeBlock,
    Document,
    Inline,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Table,
)


def leaves(document: Document) -> Iterator[Inline]:
    """Yield every leaf of the document, in no particular order of the blocks."""
    waiting: list[Block] = list(document.blocks)
    while waiting:
        match waiting.pop():
            case Paragraph(content) | CodeBlock(content):
                yield from content
            case Quote(blocks):
                waiting += blocks
            case Listing(items):
                waiting += [block for item in items for block in item.blocks]
            case Table(rows):
                waiting += [
                    Paragraph(cell.content) for row in rows for cell in row.cells
                ]


def mentioned(document: Document) -> frozenset[str]:
    """Return the ids of the people whom the document mentions."""
    return frozenset(leaf.id for leaf in leaves(document) if isinstance(leaf, Mention))
