"""A document that calls nobody: names instead of mentions, words instead of calls."""

from collections.abc import Mapping
from dataclasses import replace

from bridge.document import (
    Block,
    Broadcast,
    ChannelMention,
    CodeBlock,
    Document,
    GroupMention,
    Inline,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Row,
    Table,
    Text,
)


def quiet(document: Document, names: Mapping[str, str]) -> Document:
    """Return the document with everybody in it named only; `names` go by id."""
    return Document(_blocks(document.blocks, names))


def _blocks(blocks: tuple[Block, ...], names: Mapping[str, str]) -> tuple[Block, ...]:
    return tuple(_block(block, names) for block in blocks)


def _block(block: Block, names: Mapping[str, str]) -> Block:
    match block:
        case Paragraph(content) | CodeBlock(content):
            return replace(block, content=_leaves(content, names))
        case Quote(blocks):
            return Quote(_blocks(blocks, names))
        case Listing(items):
            told = (replace(i, blocks=_blocks(i.blocks, names)) for i in items)
            return replace(block, items=tuple(told))
        case Table(rows):
            return Table(tuple(_row(row, names) for row in rows))
    return block


def _row(row: Row, names: Mapping[str, str]) -> Row:
    cells = (replace(c, content=_leaves(c.content, names)) for c in row.cells)
    return Row(tuple(cells))


def _leaves(leaves: tuple[Inline, ...], names: Mapping[str, str]) -> tuple[Inline, ...]:
    return tuple(_leaf(leaf, names) for leaf in leaves)


def _leaf(leaf: Inline, names: Mapping[str, str]) -> Inline:
    match leaf:
        case Mention(id_, label, styles):
            return Text(f"@{names.get(id_) or label or 'somebody'}", styles)
        case GroupMention(_, label, styles):
            return Text(f"@{label or 'a group'}", styles)
        case ChannelMention(_, label, styles):
            return Text(f"#{label or 'a channel'}", styles)
        case Broadcast(audience, styles):
            return Text(f"@{audience}", styles)
    return leaf
