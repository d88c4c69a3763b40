"""A document as one text: places in it are places in the document, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.document import (
    Cell,
    CodeBlock,
    Document,
    Emoji,
    Image,
    Item,
    Link,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Row,
    Style,
    Table,
    Text,
)
from bridge.leaving.flat import HIDDEN, flat, hidden, hidden_text
from tests.documents import documents

CARD = "4242 4242 4242 4242"


def said(*leaves: object) -> Document:
    return Document((Paragraph(tuple(leaves)),))  # type: ignore[arg-type] # leaves of any kind


@given(documents, st.data())
def test_what_is_hidden_is_gone_and_all_else_stays(
    document: Document, data: st.DataObject
) -> None:
    text = flat(document).text
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))

    shown = flat(hidden(document, [(start, end)])).text

    cut = f"{text[:start]}{HIDDEN}{text[end:]}"
    kept = [line for line in text[:start].split("\n")[:-1] if line]
    assert all(line in shown for line in kept)
    if "\n" not in text[start:end] and start < end and _plain(document):
        assert shown == cut


def _plain(document: Document) -> bool:
    """Whether nothing in it changes its kind when a part of it is hidden."""
    return all(
        isinstance(block, Paragraph | CodeBlock)
        and len(block.content) == 1
        and isinstance(block.content[0], Text)
        for block in document.blocks
    )


@given(documents)
def test_nothing_hidden_changes_nothing(document: Document) -> None:
    assert hidden(document, []) == document
    assert flat(document) == flat(hidden(document, []))


@pytest.mark.parametrize(
    "document",
    [
        said(Text(f"pay {CARD} now")),
        said(Text("pay 4242 4242 "), Text("4242", (Style.BOLD,)), Text(" 4242 now")),
        Document((CodeBlock((Text(CARD),)),)),
        Document((Quote((Paragraph((Text(CARD),)),)),)),
        Document((Listing((Item((Paragraph((Text(CARD),)),)),)),)),
        Document((Table((Row((Cell((Text(CARD),)),)),)),)),
        said(Link("https://example.com/", CARD)),
        said(Link(f"https://example.com/?card={CARD}", "a label")),
        said(Image("https://example.com/a.png", CARD)),
        said(Mention("U1", CARD)),
    ],
)
def test_a_card_is_gone_wherever_it_stood(document: Document) -> None:
    text = flat(document).text
    start = text.index("4242")

    shown = hidden(document, [(start, text.rindex("4242") + 4)])

    assert "4242" not in repr(shown)
    # Behind a label nobody sees it: the label stays, and leads nowhere.
    assert repr(shown).count(HIDDEN) == ("a label" not in repr(document))


def test_an_address_of_which_a_part_is_hidden_leads_nowhere() -> None:
    document = said(Link("https://example.com/?key=secret", "look"))
    start = flat(document).text.index("secret")

    assert hidden(document, [(start, start + 6)]) == said(Text("look"))


def test_an_emoji_that_spells_something_becomes_words() -> None:
    document = said(Emoji("secret"))

    assert hidden(document, [(0, 6)]) == said(Text(HIDDEN))


@given(st.text(), st.data())
def test_of_a_text_only_what_is_hidden_goes(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))

    assert hidden_text(text, [(start, end)]) == text[:start] + HIDDEN + text[end:]
