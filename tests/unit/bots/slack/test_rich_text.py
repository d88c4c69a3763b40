"""Reading and writing Slack's rich_text, where the known answers are silent."""

from dataclasses import replace
from typing import Any

import pytest

from bots.slack.rich_text import parse_message, render
from bots.teams import html_out
from bridge.document import (
    NOBODY,
    Audience,
    Broadcast,
    Cell,
    ChannelMention,
    ChannelName,
    CodeBlock,
    Document,
    Emoji,
    Inline,
    Item,
    Link,
    Listing,
    Mention,
    Names,
    Paragraph,
    PersonName,
    Quote,
    Row,
    Style,
    Table,
    Text,
)

_Element = dict[str, Any]


def _text(text: str, **style: bool) -> _Element:
    leaf: _Element = {"type": "text", "text": text}
    return {**leaf, "style": style} if style else leaf


def _section(*leaves: _Element) -> _Element:
    return {"type": "rich_text_section", "elements": list(leaves)}


def _quote(text: str) -> _Element:
    return {"type": "rich_text_quote", "elements": [_text(text)]}


def _code(text: str, border: int = 0) -> _Element:
    leaves = [_text(text)]
    return {"type": "rich_text_preformatted", "elements": leaves, "border": border}


def _list(style: str, indent: int, *items: str, **more: int) -> _Element:
    sections = [_section(_text(item)) for item in items]
    kind = {"type": "rich_text_list", "style": style, "indent": indent}
    return {**kind, "elements": sections, **more}


def _html(*elements: _Element) -> str:
    blocks = [{"type": "rich_text", "elements": list(elements)}]
    return html_out.render(parse_message({"blocks": blocks}), NOBODY)[0]


@pytest.mark.parametrize(
    ("elements", "html"),
    [
        (
            [_list("ordered", 0, "a", "b", offset=4)],
            '<ol start="5"><li>a</li><li>b</li></ol>',
        ),
        (
            [_list("bullet", 0, "a"), _list("bullet", 3, "b"), _list("bullet", 1, "c")],
            "<ul><li>a<ul><li>b</li><li>c</li></ul></li></ul>",
        ),
        (
            [_list("bullet", 2, "a"), _list("bullet", 0, "b")],
            "<ul><li>a</li><li>b</li></ul>",
        ),
        (
            [_list("bullet", 0, "a"), _list("ordered", 0, "b")],
            "<ul><li>a</li></ul><ol><li>b</li></ol>",
        ),
        (
            [
                _list("ordered", 0, "a"),
                _list("bullet", 1, "x"),
                _list("ordered", 0, "b"),
            ],
            "<ol><li>a<ul><li>x</li></ul></li><li>b</li></ol>",
        ),
        (
            [_list("bullet", 0, "a", border=1)],
            "<blockquote><ul><li>a</li></ul></blockquote>",
        ),
        (
            [_quote("q"), _code("c", border=1), _quote("z")],
            "<blockquote>q<pre>c</pre>z</blockquote>",
        ),
        (
            [_quote("q"), _quote("r")],
            "<blockquote>q</blockquote><blockquote>r</blockquote>",
        ),
        (
            [_section(_text("see:\n")), _code("c"), _section(_text("d"))],
            "see:<pre>c</pre>d",
        ),
        ([_section(_text("*x* &lt; <@U1>"))], "*x* &amp;lt; &lt;@U1&gt;"),
        (
            [_section(_text("x", bold=True, italic=True, strike=True, code=True))],
            "<strong><em><s><code>x</code></s></em></strong>",
        ),
        (
            [_section(_text("a", bold=True), _text("b", bold=True, italic=True))],
            "<strong>a<em>b</em></strong>",
        ),
        ([_section(_text("u", underline=True))], "u"),
        ([_section({"type": "link", "url": "javascript:x", "text": "y"})], "y"),
        ([_section({"type": "emoji", "name": "wave", "skin_tone": 3})], "👋🏼"),
        ([_section({"type": "emoji", "name": "qq", "unicode": "zz"})], ":qq:"),
        ([_section({"type": "emoji", "name": "wave", "skin_tone": 10**30})], "👋"),
        ([_section({"type": "emoji", "name": "wave", "skin_tone": -9})], "👋"),
        ([_list("ordered", 10**30, "a", offset=-(10**30))], "<ol><li>a</li></ol>"),
        ([_section({"type": "future", "text": "shown"}, {"type": "odd"})], "shown"),
        ([{"type": "rich_text_new", "elements": [_text("kept")]}], "kept"),
    ],
)
def test_elements_become_html(elements: list[_Element], html: str) -> None:
    assert _html(*elements) == html


def test_text_is_ignored_beside_rich_text() -> None:
    blocks = [{"type": "rich_text", "elements": [_section(_text("blocks"))]}]

    document = parse_message({"text": "text", "blocks": blocks})

    assert document == Document((Paragraph((Text("blocks"),)),))


def test_other_blocks_are_read_where_there_is_no_text() -> None:
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "a &amp; b"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*c*"}},
        {"type": "context", "elements": [{"type": "plain_text", "text": "*d*"}]},
    ]

    document = parse_message({"text": "", "blocks": blocks})

    assert document == Document(
        (
            Paragraph((Text("a & b", (Style.BOLD,)),)),
            Paragraph((Text("c", (Style.BOLD,)),)),
            Paragraph((Text("*d*"),)),
        )
    )


def test_table_block_is_a_table() -> None:
    rows = [[{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]]

    document = parse_message({"blocks": [{"type": "table", "rows": rows}]})

    cells = (Cell((Text("a"),)), Cell((Text("b"),)))
    assert document == Document((Table((Row(cells),)),))


def test_item_with_code_and_list_is_written_in_stretches() -> None:
    inner = Listing((Item((Paragraph((Text("x"),)),)),))
    first = Item((Paragraph((Text("a"),)), CodeBlock((Text("c"),)), inner))
    listing = Listing((first, Item((Paragraph((Text("b"),)),))), ordered=True)

    _, blocks = render(Document((listing,)), NOBODY)

    assert [
        (each["type"], each.get("indent"), each.get("offset"))
        for each in blocks[0]["elements"]
    ] == [
        ("rich_text_list", 0, None),
        ("rich_text_preformatted", None, None),
        ("rich_text_list", 1, None),
        ("rich_text_list", 0, 1),
    ]


def test_list_and_code_in_a_quote_have_its_border() -> None:
    inner = (Listing((Item((Paragraph((Text("a"),)),)),)), CodeBlock((Text("c"),)))

    _, blocks = render(Document((Quote(inner),)), NOBODY)

    assert [each["border"] for each in blocks[0]["elements"]] == [1, 1]


@pytest.mark.parametrize(
    ("leaf", "text"),
    [
        (Mention("29:a"), "<@U1>"),
        (Mention("29:a", "x", (Style.BOLD,)), "*<@U1>*"),
        (Mention("29:a", "x", (Style.CODE,)), "`@Ann`"),
        (Mention("29:b", "<!channel>"), "@&lt;!channel&gt;"),
        (Link("https://e.com/?a&b", "a|b>"), "<https://e.com/?a&amp;b|a|b&gt;>"),
    ],
)
def test_text_beside_blocks_calls_only_who_has_an_account(
    leaf: Mention | Link, text: str
) -> None:
    names = Names(people={"29:a": PersonName("Ann", "U1")})

    assert render(Document((Paragraph((leaf,)),)), names)[0] == text


_KNOWN = Names(
    people={"29:a": PersonName("Ann", "U1")},
    channels={
        "19:plans": ChannelName("plans", target="C9"),
        "19:other": ChannelName("other"),
        "https://teams.microsoft.com/l/channel/x": ChannelName("", target="C9"),
    },
    shared_emoji=frozenset({"party"}),
    pings=True,
)


@pytest.mark.parametrize(
    ("leaf", "text", "element"),
    [
        (
            ChannelMention("19:plans"),
            "<#C9>",
            {"type": "channel", "channel_id": "C9"},
        ),
        (ChannelMention("19:other"), "#other", _text("#other")),
        (
            Link("https://teams.microsoft.com/l/channel/x", "Plans"),
            "<#C9>",
            {"type": "channel", "channel_id": "C9"},
        ),
        (
            Broadcast(Audience.HERE),
            "<!here>",
            {"type": "broadcast", "range": "here"},
        ),
        (
            Broadcast(Audience.EVERYONE),
            "<!channel>",
            {"type": "broadcast", "range": "channel"},
        ),
        (
            Broadcast(Audience.CHANNEL, (Style.CODE,)),
            "`@channel`",
            _text("@channel", code=True),
        ),
        (Emoji("party"), ":party:", {"type": "emoji", "name": "party"}),
        (Emoji("else"), ":else:", _text(":else:")),
    ],
)
def test_what_slack_has_a_form_for_stands_in_it(
    leaf: Inline, text: str, element: _Element
) -> None:
    said, blocks = render(Document((Paragraph((leaf,)),)), _KNOWN)

    assert said == text
    assert blocks[0]["elements"] == [_section(element)]


def test_everyone_is_called_in_words_where_the_link_does_not_let_them() -> None:
    document = Document((Paragraph((Broadcast(Audience.CHANNEL),)),))

    text, blocks = render(document, replace(_KNOWN, pings=False))

    assert text == "@channel"
    assert blocks[0]["elements"] == [_section(_text("@channel"))]


def test_empty_document_has_no_blocks() -> None:
    assert render(Document(), NOBODY) == ("", [])
