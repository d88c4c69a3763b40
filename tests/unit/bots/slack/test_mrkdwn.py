"""Reading Slack's mrkdwn, where the known answers are silent."""

import pytest

from bots.slack.emoji_names import character
from bots.slack.mrkdwn import parse
from bots.teams.html_out import render
from bridge.document import (
    NOBODY,
    Audience,
    Broadcast,
    ChannelMention,
    CodeBlock,
    Document,
    GroupMention,
    Inline,
    Link,
    Mention,
    Moment,
    Paragraph,
    Quote,
    Style,
    Text,
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a*b*", "<strong>a*b</strong>"),
        ("_*x*_~y~", "<em><strong>x</strong></em><s>y</s>"),
        ("(*a*), _b_.", "(<strong>a</strong>), <em>b</em>."),
        ("_a *b* c_", "<em>a <strong>b</strong> c</em>"),
        ("*a _b* c_", "<strong>a _b</strong> c_"),
        ("*a\nb*", "*a<br>b*"),
        ("*bold*text", "*bold*text"),
        ("** `` __", "** `` __"),
        ("¯\\_(ツ)_/¯", "¯\\_(ツ)_/¯"),
        ("`*x* _y_` `a &lt; b`", "<code>*x* _y_</code> <code>a &lt; b</code>"),
        ("*`x`*", "<strong><code>x</code></strong>"),
        ("`<https://e.com>`", "<code>https://e.com</code>"),
        ("`unclosed *b*", "`unclosed <strong>b</strong>"),
        ("*:wave:*", "<strong>👋</strong>"),
        ("10:30:45 :nope:", "10:30:45 :nope:"),
        ("a\r\nb\n", "a<br>b"),
    ],
)
def test_inline_markup_is_read(text: str, html: str) -> None:
    assert render(parse(text), NOBODY)[0] == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a\n\nb", "a<br><br>b"),
        ("```py\nx\n``` z", "<pre>py\nx</pre> z"),
        ("```unclosed", "```unclosed"),
        ("``````", "``````"),
        ("&gt; q\n```c```\nd", "<blockquote>q</blockquote><pre>c</pre>d"),
        ("&gt; ```c```\n&gt; x", "<blockquote><pre>c</pre>x</blockquote>"),
        ("&gt;&gt;&gt;a\n&gt; b", "<blockquote>a<br>&gt; b</blockquote>"),
        ("&gt;a\n&gt;\n&gt;b", "<blockquote>a<br><br>b</blockquote>"),
        ("a &gt; b", "a &gt; b"),
        ("&gt;", "&gt;"),
        ("&gt;_&lt; x", "&gt;_&lt; x"),
        ("&gt;:(", "&gt;:("),
    ],
)
def test_quotes_and_fences_are_read(text: str, html: str) -> None:
    assert render(parse(text), NOBODY)[0] == html


@pytest.mark.parametrize(
    ("token", "leaf"),
    [
        ("<@U1|ann>", Mention("U1", "ann")),
        ("<@W1>", Mention("W1")),
        ("<#C1>", ChannelMention("C1")),
        ("<#C1|all>", ChannelMention("C1", "all")),
        ("<!here|@here>", Broadcast(Audience.HERE)),
        ("<!everyone>", Broadcast(Audience.EVERYONE)),
        ("<!subteam^S1|@ops>", GroupMention("S1", "ops")),
        ("<!date^9^{date}|then>", Moment(9, "then")),
        ("<!date^9^{date}^https://e.com>", Moment(9, "", "https://e.com")),
        ("<!date^soon^{date}|then>", Text("then")),
        ("<https://e.com|*e* &amp; f>", Link("https://e.com", "*e* & f")),
        ("<https://e.com|>", Link("https://e.com")),
        ("<https://e.com|https://e.com>", Link("https://e.com")),
        ("<tel:+491|call>", Link("tel:+491", "call")),
        ("<javascript:alert(1)>", Text("javascript:alert(1)")),
        ("<what>", Text("<what>")),
        ("<what|ever>", Text("ever")),
    ],
)
def test_token_becomes_a_leaf(token: str, leaf: Inline) -> None:
    assert parse(token) == Document((Paragraph((leaf,)),))


def test_mentions_in_code_stay_leaves_that_show_a_name() -> None:
    document = parse("```hi <@U1|ann>```")

    assert document == Document((CodeBlock((Text("hi "), Mention("U1", "ann"))),))
    assert render(document, NOBODY) == ("<pre>hi @ann</pre>", [])


def test_quote_keeps_the_styles_of_its_lines() -> None:
    document = parse("&gt; *b*")

    bold = Text("b", (Style.BOLD,))
    assert document == Document((Quote((Paragraph((bold,)),)),))


@pytest.mark.parametrize(
    ("name", "char"),
    [
        ("thumbsup", "👍"),
        ("+1", "👍"),
        ("wave::skin-tone-3", "👋🏼"),
        ("sunglasses", "😎"),
        ("flag-de", "🇩🇪"),
        ("flag-zz", ""),
        ("man-shrugging", "🤷‍♂️"),
        ("female-technologist", "👩‍💻"),
        ("man-woman-boy", "👨‍👩‍👦"),
        ("male_mage", "🧙‍♂️"),
        ("partyparrot", ""),
        ("30", ""),
    ],
)
def test_emoji_name_becomes_its_character(name: str, char: str) -> None:
    assert character(name) == char
