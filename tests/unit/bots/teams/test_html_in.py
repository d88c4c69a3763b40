"""Reading what Teams sends, where the known answers are silent."""

import json
from typing import Any

import pytest

from bots.slack.rich_text import render
from bots.teams.html_in import parse_activity, parse_html
from bridge.document import (
    MAX_DEPTH,
    NOBODY,
    CodeBlock,
    Document,
    Mention,
    Paragraph,
    Quote,
    Style,
    Text,
)
from bridge.messages import File
from bridge.plain import plain_text

_CAROL = {
    "type": "mention",
    "text": "<at>Carol</at>",
    "mentioned": {"id": "29:carol", "name": "Carol"},
}
_SPAN = '<span itemtype="http://schema.skype.com/Mention" itemid="{}">{}</span>'


def _html(content: str) -> dict[str, Any]:
    return {"contentType": "text/html", "content": content}


def _paragraph(*leaves: Text | Mention) -> Document:
    return Document((Paragraph(leaves),))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a<br>b<br/><br/>c</p>", "a\nb\n\nc"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<div><div>a</div>\n<div>b</div></div>", "a\nb"),
        ("a <b>b</b>\n c", "a *b* c"),
        ("<p><b>bold </b>x <i> y</i></p>", "*bold* x _y_"),
        ("<p><b>a<br>b</b></p>", "*a*\n*b*"),
        ("<p><span style='font-weight:bold'>b</span></p>", "*b*"),
        ("<p>x</p><p>&nbsp;</p><p> </p>", "x"),
        ("<h2>T</h2><ul><li>x</li></ul><p>y</p>", "*T*\n• x\ny"),
        ("<ol start='3'><li>a</li><li>b</li></ol>", "3. a\n4. b"),
        ("<ul><li>a</li><ul><li>b</li></ul></ul>", "• a\n    ◦ b"),
        ("<ul><li>a<li>b</ul>", "• a\n• b"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n> b"),
        ("<pre><code>a<br>&nbsp;b</code></pre>c", "```\na\n b\n```\nc"),
        ("<p><code>a *b*</code></p>", "`a *b*`"),
        ("<p><a href='https://e.com'>https://e.com</a></p>", "<https://e.com>"),
        ("<p><a href='https://e.com'><b>x</b> y</a></p>", "<https://e.com|x y>"),
        ("<p><b><a href='https://e.com'>x</a></b></p>", "*<https://e.com|x>*"),
        ("<p><a href='https://e.com'> x </a>y</p>", "<https://e.com|x> y"),
        ("<p><a href='//e.com'>x</a></p>", "x"),
        ("<p>x <emoji id='like' alt='👍' title='Like'></emoji></p>", "x 👍"),
        ("<p><img src='https://e.com/p.gif' alt=':parrot:'></p>", ":parrot:"),
        ("<p><img src='data:x' alt='cat'></p>", "[cat]"),
        ("<p>a<script>b</script><style>c</style>d</p>", "ad"),
        ("<p>a<!-- b -->c</p>", "ac"),
        ("<p>a&#0;&#x202e;b</p>", "a\ufffdb"),
        ("<p>&lt;!channel&gt; &lt;@U1&gt;</p>", "&lt;!channel&gt; &lt;@U1&gt;"),
        ("<table><tr><td>a<br>b<td>c<tr><td>d</table>", "```\na b | c\nd\n```"),
    ],
)
def test_html_is_read_as_a_reader_sees_it(html: str, text: str) -> None:
    document, _ = parse_html(html)

    assert render(document, NOBODY)[0] == text


def test_code_block_keeps_its_language() -> None:
    document, _ = parse_html('<codeblock class="Python"><code>x</code></codeblock>')

    assert document == Document((CodeBlock((Text("x"),), "Python"),))


@pytest.mark.parametrize(
    "html",
    [
        f"<p>hi {_SPAN.format(0, 'Carol')}</p>",
        '<p>hi <at id="0">Carol</at></p>',
        "<p>hi <at>Carol</at></p>",
    ],
)
def test_mention_is_resolved_by_its_entity(html: str) -> None:
    document, _ = parse_html(html, [{"type": "clientInfo"}, _CAROL])

    assert document == _paragraph(Text("hi "), Mention("29:carol", "Carol"))


@pytest.mark.parametrize(
    "html",
    [
        f"<p>hi {_SPAN.format(7, 'CEO')}</p>",
        "<p>hi <at id='0'>&nbsp;</at>CEO</p>",
        "<p>hi <at>CEO</at></p>",
        "<p>hi <at id='x'>CEO</at></p>",
    ],
)
def test_mention_without_an_entity_is_words(html: str) -> None:
    document, _ = parse_html(html, [_CAROL])

    assert " ".join(plain_text(document).split()) == "hi CEO"


def test_same_person_mentioned_twice_is_called_twice() -> None:
    carol = _SPAN.format(0, "Carol")

    document, _ = parse_html(f"<p>{carol} {carol}</p>", [_CAROL])

    mention = Mention("29:carol", "Carol")
    assert document == _paragraph(mention, Text(" "), mention)


def test_html_attachment_wins_over_text() -> None:
    activity = {"text": "text", "attachments": [_html("<p><b>html</b></p>")]}

    document, _ = parse_activity(activity)

    assert document == _paragraph(Text("html", (Style.BOLD,)))


def test_text_alone_is_words_and_mentions() -> None:
    text = "hi <at>Carol</at>\u00a0<b>x</b> <at>CEO</at>\n"

    document, _ = parse_activity({"text": text, "entities": [_CAROL]})

    assert document == _paragraph(
        Text("hi "), Mention("29:carol", "Carol"), Text(" <b>x</b> <at>CEO</at>")
    )


def test_text_in_xml_is_read_as_html() -> None:
    document, _ = parse_activity({"text": "<b>x</b>", "textFormat": "xml"})

    assert document == _paragraph(Text("x", (Style.BOLD,)))


def test_activity_without_content_is_an_empty_document() -> None:
    assert parse_activity({}) == (Document(), ())


def test_pasted_picture_is_named_by_its_attachment() -> None:
    picture = '<img src="https://asm/1" itemtype="http://schema.skype.com/AMSImage">'
    attachments = [
        _html(f'<p>{picture}<img src="https://e.com/cat.gif" alt="cat"></p>'),
        {"contentType": "image/*", "contentUrl": "https://smba/v3/attachments/1"},
    ]

    _, files = parse_activity({"attachments": attachments})

    assert [(file.url, file.mime) for file in files] == [
        ("https://smba/v3/attachments/1", "image/*"),
        ("https://e.com/cat.gif", "image/*"),
    ]


def test_a_picture_that_is_attached_and_shown_is_one_picture() -> None:
    url = "https://smba/v3/attachments/1"
    attachments = [
        _html(f'<p><img src="{url}" alt="image"><img src="https://e.com/b.gif"></p>'),
        {"contentType": "image/*", "contentUrl": url, "name": "dog.png", "id": "1"},
    ]

    _, files = parse_activity({"attachments": attachments})

    assert [(file.name, file.url) for file in files] == [
        ("dog.png", url),
        ("image", "https://e.com/b.gif"),
    ]


def test_files_come_from_their_attachments() -> None:
    download = "application/vnd.microsoft.teams.file.download.info"
    attachments = [
        {"contentType": "reference", "contentUrl": "https://s/a.pdf", "name": "a.pdf"},
        {
            "contentType": download,
            "content": {"downloadUrl": "https://s/b"},
            "name": "b",
        },
        {"contentType": "reference", "contentUrl": "file:///etc/passwd", "name": "no"},
        {"contentType": "application/vnd.microsoft.card.adaptive", "content": {}},
    ]

    _, files = parse_activity({"attachments": attachments})

    assert [(file.name, file.url) for file in files] == [
        ("a.pdf", "https://s/a.pdf"),
        ("b", "https://s/b"),
    ]


def test_quoted_message_stands_where_it_is_referred_to() -> None:
    sender = {"user": {"displayName": "Dave"}}
    content = json.dumps({"messagePreview": "old", "messageSender": sender})
    reference = {"contentType": "messageReference", "id": "7", "content": content}
    html = _html('<attachment id="7"></attachment><p>yes</p>')

    document, _ = parse_activity({"attachments": [html, reference]})

    quote = Quote(
        (Paragraph((Text("Dave", (Style.BOLD,)),)), Paragraph((Text("old"),)))
    )
    assert document == Document((quote, Paragraph((Text("yes"),))))


@pytest.mark.parametrize("tag", ["div", "blockquote", "ul><li", "b", "table><tr><td"])
def test_words_survive_any_depth(tag: str) -> None:
    document, _ = parse_html(f"<{tag}>" * 20_000 + "deep")

    assert "deep" in plain_text(document)
    assert str(document).count("Quote(") <= MAX_DEPTH


def test_a_file_of_which_only_the_number_is_told_is_a_file_without_a_name() -> None:
    html = '<p>see</p><attachment id="77"></attachment>'

    document, files = parse_activity({"attachments": [_html(html)]})

    assert plain_text(document) == "see"
    assert files == (File("77", ""),)


def test_a_quoted_message_and_a_file_that_is_told_whole_are_not_named_twice() -> None:
    html = '<attachment id="77"></attachment><attachment id="88"></attachment><p>x</p>'
    url = "https://acme.sharepoint.com/a.txt"
    file = {
        "id": "77",
        "contentType": "reference",
        "contentUrl": url,
        "name": "a.txt",
    }
    quote = {"id": "88", "contentType": "messageReference", "content": "{}"}

    _, files = parse_activity({"attachments": [_html(html), file, quote]})

    assert files == (File("77", "a.txt", url=url, page=url),)


def test_a_picture_from_elsewhere_says_where_it_is() -> None:
    url = "https://pictures.example/a.gif"

    _, files = parse_html(f'<p><img src="{url}" alt="cat"></p>')

    assert files == (File(url, "cat", "image/*", url=url, page=url),)
