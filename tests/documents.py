"""Documents and texts of every kind, for property tests."""

import sys
from collections.abc import Callable

from hypothesis import strategies as st

from bridge.document import (
    Audience,
    Block,
    Broadcast,
    Cell,
    ChannelMention,
    ChannelName,
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
from bridge.leaves import merged, styled
from bridge.text import clean

_TEMPTING = [
    *("*", "_", "~", "`", "```", "\n", " ", "&", "<", ">", "|", ":", "@", "#", "\\"),
    *("&gt; ", "&lt;", "&amp;", "<!channel>", "<@U01ALICE>", "<https://e.com|x>"),
    *("<at>", "</at>", "<at>Alice Wong</at>", "<b>", "</p>", "<!--", "]]>", '"', "'"),
    *("@channel", "@here", ":smile:", "\u202e", "\u2066", "\x00", "\ud83d", "\udc4d"),
    *("\u200b", "\u200d", "👩‍🚀", "👋🏼", "\u00a0", "\r\n", "\u2028", "\t", "\ufeff"),
]

anything = st.text(st.characters(exclude_categories=[]), max_size=60)
tempting = st.lists(st.sampled_from(_TEMPTING) | anything, max_size=12).map("".join)
words = tempting.map(clean)
line = words.map(lambda text: " ".join(text.split()))

styles = st.lists(st.sampled_from(Style), max_size=3).map(styled)
urls = st.sampled_from(["https://e.com/?a=1&b=2", "mailto:a@e.com", "tel:+4912345"])
texts = st.builds(Text, words, styles)
leaves = st.one_of(
    texts,
    st.builds(Link, urls, line, styles),
    st.builds(Mention, st.sampled_from(["U01ALICE", "U02BOB", "U9"]), line, styles),
    st.builds(ChannelMention, st.sampled_from(["C1", "C9"]), line, styles),
    st.builds(GroupMention, st.sampled_from(["S1", "S9"]), line, styles),
    st.builds(Broadcast, st.sampled_from(Audience), styles),
    st.builds(
        Emoji, st.sampled_from(["wave", "parrot", "no"]), st.sampled_from(["", "👋"])
    ),
    st.builds(Moment, st.integers(-(10**14), 10**14), line, st.just("")),
    st.builds(Image, st.just("https://e.com/i.png"), line),
)
content = st.lists(leaves, max_size=5).map(merged)
code = st.builds(CodeBlock, st.builds(Text, words).map(lambda text: merged((text,))))
_cells = content.map(lambda row: tuple(x for x in row if not isinstance(x, Image)))
tables = st.builds(
    Table,
    st.lists(
        st.builds(
            Row, st.lists(st.builds(Cell, _cells), min_size=1, max_size=3).map(tuple)
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
)
_flat = st.builds(Paragraph, content) | code | tables | st.just(Rule())


def _around(inner: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    blocks = st.lists(inner, min_size=1, max_size=3).map(tuple)
    items = st.lists(st.builds(Item, blocks), min_size=1, max_size=3).map(tuple)
    lists = st.builds(Listing, items, st.booleans(), st.integers(1, 9))
    return st.builds(Quote, blocks) | lists


blocks: st.SearchStrategy[Block] = st.recursive(_flat, _around, max_leaves=6)
documents = st.builds(Document, st.lists(blocks, max_size=4).map(tuple))

names = st.builds(
    lambda alice, bob, channel: Names(
        people={
            "U01ALICE": PersonName(alice, "29:alice", alice),
            "U02BOB": PersonName(bob),
        },
        channels={
            "C1": ChannelName(channel, "https://teams.microsoft.com/l/channel/x")
        },
        groups={"S1": channel},
        custom_emoji={"parrot": "https://e.com/parrot.gif"},
    ),
    tempting.map("Alice {}".format),
    tempting.map("Bob {}".format),
    tempting.map("all {}".format),
)

_TAGS = [
    *("p", "div", "b", "i", "s", "code", "pre", "codeblock", "ul", "ol", "li", "a"),
    *("blockquote", "table", "tr", "td", "th", "at", "span", "img", "br", "hr", "h1"),
    *("attachment", "emoji", "script", "u"),
]
_ATTRIBUTES = [
    *("", " href='https://e.com'", " itemtype='x/Mention' itemid='0'", " start=3"),
    *(" src='https://e.com/i' alt='y'", " style='text-align:right;font-weight:bold'"),
]
tag_soup = st.lists(
    st.builds("<{}{}>".format, st.sampled_from(_TAGS), st.sampled_from(_ATTRIBUTES))
    | st.builds("</{}>".format, st.sampled_from(_TAGS))
    | st.sampled_from(["x", " ", "\n", "&nbsp;", "*", "&lt;"])
    | tempting,
    max_size=30,
).map("".join)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | tempting,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tempting, inner),
    max_leaves=6,
)


def calls_made(act: Callable[[], object]) -> int:
    """Count the calls of Python and C functions: work, whatever the machine's speed."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count
