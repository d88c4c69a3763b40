"""Leaves are joined, flattened and freed of what does not belong to them."""

import pytest

from bridge.document import (
    Block,
    Cell,
    CodeBlock,
    Inline,
    Item,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Row,
    Rule,
    Style,
    Table,
    Text,
)
from bridge.leaves import flat, merged, styled, without_line_end

_A, _B = Text("a"), Text("b")
_ANN = Mention("U1", "Ann")
_BOLD = (Style.BOLD,)


def test_styles_stand_once_each_and_code_innermost() -> None:
    given = (Style.CODE, Style.BOLD, Style.CODE, Style.ITALIC, Style.BOLD)

    assert styled(given) == (Style.BOLD, Style.ITALIC, Style.CODE)
    assert styled(given[3:]) == (Style.ITALIC, Style.BOLD)


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        ((_A, _B), (Text("ab"),)),
        ((_A, Text("b", _BOLD)), (_A, Text("b", _BOLD))),
        ((_A, Text(" ", _BOLD), _B), (Text("a b"),)),
        ((_A, Text("", _BOLD), _B), (Text("ab"),)),
        ((_ANN, _ANN), (_ANN, _ANN)),
    ],
)
def test_neighbours_that_look_alike_are_joined(
    leaves: tuple[Inline, ...], expected: tuple[Inline, ...]
) -> None:
    assert merged(leaves) == expected


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [
        ((), ()),
        ((_A,), (_A,)),
        ((_ANN, Text("a\n\n")), (_ANN, Text("a\n"))),
        ((_ANN, Text("\n")), (_ANN,)),
        ((Text("a\n"), _ANN), (Text("a\n"), _ANN)),
    ],
)
def test_one_line_end_after_everything_else_goes(
    leaves: tuple[Inline, ...], expected: tuple[Inline, ...]
) -> None:
    assert without_line_end(leaves) == expected


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (Paragraph((_A, _B)), "ab"),
        (CodeBlock((_A, _B)), "ab"),
        (Quote((Paragraph((_A,)), Paragraph((_B,)))), "a/b"),
        (Listing((Item((Paragraph((_A,)),)), Item((Paragraph((_B,)),)))), "a/b"),
        (Table((Row((Cell((_A,)), Cell((_B,)))),)), "a/b/"),
        (Rule(), "---"),
    ],
)
def test_where_only_leaves_have_room_blocks_become_leaves(
    block: Block, words: str
) -> None:
    leaves = flat((block, Paragraph((Text("end"),))), Text("/"))

    assert merged(leaves) == (Text(f"{words}/end"),)
