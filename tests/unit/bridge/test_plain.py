"""Documents as plain text and as Markdown."""

import pytest
from hypothesis import given

from bridge.document import (
    NOBODY,
    Audience,
    Block,
    Broadcast,
    Cell,
    ChannelMention,
    CodeBlock,
    Document,
    Emoji,
    GroupMention,
    Image,
    Item,
    Link,
    Listing,
    Mention,
    Moment,
    Names,
    Paragraph,
    PersonName,
    Quote,
    Row,
    Rule,
    Style,
    Table,
    Text,
)
from bridge.plain import markdown, plain_text
from tests.documents import documents, names

_BOLD = (Style.BOLD,)


def _paragraph(text: str) -> Paragraph:
    return Paragraph((Text(text),))


def _list(*items: Block, ordered: bool = False) -> Listing:
    return Listing(tuple(Item((item,)) for item in items), ordered)


_TABLE = Table(
    (
        Row((Cell((Text("Name"),)), Cell((Text("Qty"),), "right"))),
        Row((Cell((Text("Bolt"),)), Cell((Text("2"),), "right"))),
    )
)
_NESTED = Listing(
    (Item((_paragraph("a"),)), Item((_paragraph("b"), _list(_paragraph("c")))))
)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (_paragraph("a\nb"), "a\nb"),
        (Quote((_paragraph("a"), Quote((_paragraph("b"),)))), "> a\n> b"),
        (_NESTED, "• a\n• b\n    ◦ c"),
        (Listing((Item((_paragraph("a\nb"),)),), ordered=True, start=3), "3. a\n   b"),
        (_list(_list(_paragraph("deep"))), "    ◦ deep"),
        (Listing((Item(),)), "• "),
        (CodeBlock((Text("x = 1\n y"),)), "x = 1\n y"),
        (_TABLE, "Name | Qty\nBolt |   2"),
        (Rule(), "---"),
    ],
)
def test_block_is_told_in_lines(block: Block, expected: str) -> None:
    assert plain_text(Document((block,))) == expected


@pytest.mark.parametrize(
    ("leaf", "expected"),
    [
        (Link("https://e.com", "e"), "e (https://e.com)"),
        (Link("https://e.com"), "https://e.com"),
        (Link("mailto:a@e.com", "a@e.com"), "a@e.com"),
        (Mention("U1", "ann"), "@ann"),
        (Mention("U1"), "@unknown-user"),
        (ChannelMention("C1", "all"), "#all"),
        (ChannelMention("C1"), "#private-channel"),
        (GroupMention("S1"), "@unknown-group"),
        (Broadcast(Audience.HERE), "@here"),
        (Emoji("wave", "👋"), "👋"),
        (Emoji("parrot"), ":parrot:"),
        (Moment(1392734382), "2014-02-18 14:39:42 UTC"),
        (Moment(1392734382, "then"), "then"),
        (Moment(10**17), "100000000000000000"),
        (Image("https://e.com/i.png", "a cat"), "a cat"),
    ],
)
def test_leaf_is_told_in_words(leaf: Mention, expected: str) -> None:
    assert plain_text(Document((Paragraph((leaf,)),))) == expected


def test_known_person_goes_by_the_known_name() -> None:
    known = Names(people={"U1": PersonName("Ann\nLee")})

    told = plain_text(Document((Paragraph((Mention("U1", "x"),)),)), known)

    assert told == "@Ann Lee"


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Paragraph((Text("a "), Text("b", _BOLD), Text(" c"))), "a **b** c"),
        (Paragraph((Text("a"), Text(" b ", _BOLD), Text("c"))), "a **b** c"),
        (Paragraph((Text("a"), Text("b", _BOLD))), "ab"),
        (Paragraph((Text("b", _BOLD), Text("a"))), "ba"),
        (_paragraph("*a* [b](c) <i>"), r"\*a\* \[b\](c) \<i\>"),
        (_paragraph("# no\n1. no\n- no"), "\\# no\\\n\\1. no\\\n\\- no"),
        (Paragraph((Text("a`b", (Style.CODE,)),)), r"a\`b"),
        (Paragraph((Text("a*b", (Style.CODE,)),)), "`a*b`"),
        (Paragraph((Link("https://e.com/(x)", "e]"),)), r"[e\]](<https://e.com/(x)>)"),
        (
            Paragraph((Image("https://e.com/i.png", "a_b"),)),
            r"![a\_b](<https://e.com/i.png>)",
        ),
        (Paragraph((Mention("U1", "ann"),)), r"**@ann**"),
        (Paragraph((Mention("U1", "ann", _BOLD),)), r"**@ann**"),
        (Rule(), "---"),
        (CodeBlock((Text("a\n```"),), "py"), "````py\na\n```\n````"),
        (_NESTED, "- a\n- b\n  - c"),
        (_list(_paragraph("a"), ordered=True), "1. a"),
        (Quote((_paragraph("a"), _paragraph("b"))), "> a\n> \n> b"),
        (_TABLE, "| Name | Qty |\n|---|--:|\n| Bolt | 2 |"),
    ],
)
def test_block_becomes_markdown(block: Block, expected: str) -> None:
    assert markdown(Document((block,))) == expected


@given(documents, names)
def test_every_document_can_be_told(document: Document, known: Names) -> None:
    told = [f(document, n) for f in (plain_text, markdown) for n in (known, NOBODY)]

    for each in told:
        each.encode()
