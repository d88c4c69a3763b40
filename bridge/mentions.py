"""Who a document speaks of."""

from bridge.document import (
    Block,
    CodeBlock,
    Document,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Table,
)


def mentioned(document: Document) -> frozenset[str]:
    """Return the ids of the people whom the document mentions."""
    found: set[str] = set()
    waiting: list[Block] = list(document.blocks)
    while waiting:
        match waiting.pop():
            case Paragraph(content) | CodeBlock(content):
                found |= {leaf.id for leaf in content if isinstance(leaf, Mention)}
            case Quote(blocks):
                waiting += blocks
            case Listing(items):
                waiting += [block for item in items for block in item.blocks]
            case Table(rows):
                waiting += [
                    Paragraph(cell.content) for row in rows for cell in row.cells
                ]
    return frozenset(found)
