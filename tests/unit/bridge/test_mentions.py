"""Whoever is spoken of is found, wherever in the document they stand."""

import pytest

from bridge.document import (
    Block,
    Cell,
    CodeBlock,
    Document,
    Inline,
    Item,
    Listing,
    Mention,
    Paragraph,
    Quote,
    Row,
    Rule,
    Table,
    Text,
)
from bridge.mentions import mentioned

_TALK: tuple[Inline, ...] = (Text("ask "), Mention("U1", "Ann"))


@pytest.mark.parametrize(
    "block",
    [
        Paragraph(_TALK),
        CodeBlock(_TALK),
        Quote((Paragraph(), Quote((Paragraph(_TALK),)))),
        Listing((Item(), Item((Listing((Item((Paragraph(_TALK),)),)),)))),
        Table((Row((Cell(), Cell(_TALK))),)),
    ],
)
def test_a_mention_is_found_in_every_block(block: Block) -> None:
    assert mentioned(Document((Rule(), block))) == {"U1"}


def test_a_person_mentioned_twice_is_found_once_and_others_beside_them() -> None:
    both = Paragraph((Mention("U1"), Mention("U2"), Mention("U1")))

    assert mentioned(Document((both, Paragraph(_TALK)))) == {"U1", "U2"}


@pytest.mark.parametrize(
    "document", [Document(), Document((Rule(), Paragraph((Text("@U1"),))))]
)
def test_words_and_rules_mention_nobody(document: Document) -> None:
    assert mentioned(document) == set()
