"""What is too long for one message is cut into parts that lose and harm nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.cutting import cut
from bridge.document import (
    Cell,
    CodeBlock,
    Document,
    Item,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Row,
    Table,
    Text,
)
from bridge.graphemes import floor, is_boundary
from tests.documents import calls_made, documents
from tests.events import words

_FAMILY = "👩‍👩‍👧‍👦"
_SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
_WHOLE = [_FAMILY, "👋🏼", "🇩🇪", _SCOTLAND, "é", "1️⃣", "\r\n", "क्षि", "한", "🏳️‍🌈"]


def told(node: Any) -> Iterator[str]:
    """Yield every leaf below a node: a text's characters, and what else there is."""
    if isinstance(node, Text):
        yield from node.text
        return
    below = [
        child
        for name in ("blocks", "items", "rows", "cells", "content")
        for child in getattr(node, name, ())
    ]
    if below:
        for child in below:
            yield from told(child)
    elif not isinstance(node, Cell | Paragraph | CodeBlock | Quote | Row | Table):
        yield repr(node)


def weight(document: Document) -> int:
    """Weigh a document: each block a little, each thing that is no text some more."""

    def of(node: Any) -> int:
        if isinstance(node, Text):
            return sum(5 if c in "&<>" else 1 for c in node.text)
        names = ("blocks", "items", "rows", "cells", "content")
        below = [child for name in names for child in getattr(node, name, ())]
        return 3 + sum(of(child) for child in below)

    return sum(of(block) for block in document.blocks)


def text_of(document: Document) -> str:
    return "".join(told(document))


@given(documents, st.integers(60, 200))
@settings(max_examples=40)
def test_parts_are_within_budget_and_say_together_what_the_document_says(
    document: Document, budget: int
) -> None:
    parts = cut(document, weight, budget)

    said, whole = "".join(map(text_of, parts)), text_of(document)
    assert said == whole or "".join(said.split()) == "".join(whole.split())
    for part in parts if len(parts) > 1 else ():
        assert text_of(part).strip()
        assert weight(part) <= budget or len(text_of(part)) <= 1 or "(" in text_of(part)


_pieces = st.lists(st.sampled_from([*"ab \n", *_WHOLE]), min_size=20, max_size=90)


@given(_pieces.map("".join))
def test_text_is_cut_without_a_loss(text: str) -> None:
    parts = cut(words(text), weight, 40)

    said = "".join(map(text_of, parts))
    assert said == text or "".join(said.split()) == "".join(text.split())


@pytest.mark.parametrize("whole", [each for each in _WHOLE if each.strip()])
@pytest.mark.parametrize("shift", range(4))
def test_no_character_that_people_see_is_cut(whole: str, shift: int) -> None:
    parts = cut(words("x" * shift + whole * 200), weight, 60)

    assert len(parts) > 1
    for part in parts:
        assert text_of(part).removeprefix("x" * shift).replace(whole, "") == ""


@pytest.mark.parametrize(
    ("text", "limit", "wanted"),
    [
        ("one\n\ntwo three", 40, ["one\n\ntwo three"]),
        ("a" * 30 + "\n" + "b" * 5 + " cc", 40, ["a" * 30 + "\n", "bbbbb cc"]),
        ("a" * 30 + " " + "b" * 20, 40, ["a" * 30 + " ", "b" * 20]),
        ("a" * 50, 40, ["a" * 35, "a" * 15]),
    ],
    ids=["fits", "line", "word", "character"],
)
def test_a_cut_is_made_at_the_best_place(
    text: str, limit: int, wanted: list[str]
) -> None:
    parts = cut(words(text), weight, limit)

    assert [text_of(part) for part in parts] == wanted


def test_what_is_nothing_but_blanks_is_one_part() -> None:
    assert len(cut(words("\n" * 500), weight, 50)) == 1


def test_a_block_is_a_better_end_than_a_line() -> None:
    document = Document((Paragraph((Text("a" * 30),)), Paragraph((Text("b\n" * 20),))))

    parts = cut(document, weight, 45)

    assert text_of(parts[0]) == "a" * 30


def test_what_goes_on_in_the_next_part_is_opened_again() -> None:
    code = CodeBlock((Text("line\n" * 30),), "python")
    listing = Listing((Item((Paragraph((Text("one"),)),)), Item((code,))), True, 4)
    document = Document((Quote((listing,)),))

    parts = cut(document, weight, 80)

    assert len(parts) > 2
    for part in parts[1:]:
        [quote] = part.blocks
        assert isinstance(quote, Quote)
        [again] = quote.blocks
        assert isinstance(again, Listing)
        assert (again.ordered, again.start) == (True, 5)
        [block] = again.items[0].blocks
        assert isinstance(block, CodeBlock)
        assert block.language == "python"


def test_a_long_cell_goes_on_in_its_own_column() -> None:
    row = Row((Cell((Text("key"),)), Cell((Text("value " * 40),), "right")))
    parts = cut(Document((Table((row,)),)), weight, 60)

    for part in parts[1:]:
        [table] = part.blocks
        assert isinstance(table, Table)
        first, second = table.rows[0].cells
        assert first.content == ()
        assert second.align == "right"


def test_what_cannot_be_cut_is_a_part_by_itself() -> None:
    heavy = Mention("U01ALICE")
    document = Document((Paragraph((Text("a" * 20), heavy, Text("b" * 20))),))

    parts = cut(document, lambda d: 100 * repr(d).count("Mention(") + weight(d), 50)

    assert [p.blocks[0].content for p in parts if "Mention" in repr(p)] == [(heavy,)]  # type: ignore[union-attr]


@pytest.mark.parametrize("piece", ["word ", "&", "🇩🇪", "\u0301", "line\n", " "])
def test_twice_the_text_is_twice_the_work(piece: str) -> None:
    def effort(times: int) -> int:
        document = words("a" + piece * times)
        return calls_made(lambda: cut(document, lambda d: len(text_of(d)), 400))

    assert effort(8_000) < 2.5 * effort(4_000)


def test_boundaries_are_those_that_people_see() -> None:
    for whole in _WHOLE:
        inside = [n for n in range(1, len(whole)) if is_boundary(whole, n)]
        assert inside == [], whole
        assert is_boundary(whole + "x", len(whole)) or whole == "\r\n"
    assert floor("🇩🇪🇫🇷🇮🇹", 3, 0) == 2
    assert floor("a" + "\u0301" * 500, 300, 0) == 300
