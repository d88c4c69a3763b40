"""Nothing that anybody types becomes a mention of somebody who is not mentioned."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from bots.sandbox.slack.compose import encode
from bots.slack import rich_text
from bots.teams import html_in, html_out
from bots.teams.content import header
from bridge.document import (
    ChannelMention,
    ChannelName,
    Document,
    GroupMention,
    Mention,
    Names,
    Paragraph,
    PersonName,
)
from bridge.mentions import leaves
from bridge.messages import Person, Platform
from tests.documents import tempting
from tests.events import FALCON

# Everybody is known, under names that say whatever they like, and everything is allowed.
known = st.builds(
    lambda name, shown: Names(
        people={
            "U01ALICE": PersonName(name, "29:alice", shown),
            "29:alice": PersonName(name, "U01ALICE", shown),
        },
        channels={
            "C1": ChannelName(name, "https://teams.microsoft.com/l/channel/x"),
            "19:x": ChannelName(name, target="C1"),
        },
        groups={"S1": name},
        shared_emoji=frozenset({"party"}),
        pings=True,
    ),
    tempting,
    tempting,
)


def called_in_slack(blocks: Any) -> Iterator[str]:
    """Yield the types of everything in blocks that could call somebody."""
    if isinstance(blocks, list):
        for each in blocks:
            yield from called_in_slack(each)
    elif isinstance(blocks, dict):
        if blocks.get("type") in {"user", "usergroup", "broadcast", "channel"}:
            yield blocks["type"]
        for each in blocks.values():
            yield from called_in_slack(each)


@given(tempting, known)
def test_words_typed_in_slack_call_nobody_in_teams(typed: str, names: Names) -> None:
    for message in (
        {"text": encode(typed)},
        {"blocks": rich_text.render(words(typed), Names())[1]},
    ):
        text, entities = html_out.render(rich_text.parse_message(message), names)

        assert entities == []
        assert not list(html.fragment_fromstring(text or " ", "div").iter("at"))


@given(tempting, known)
def test_words_typed_in_teams_call_nobody_in_slack(typed: str, names: Names) -> None:
    shown = typed.replace("&", "&amp;").replace("<", "&lt;")
    for activity in ({"text": typed}, {"textFormat": "xml", "text": f"<p>{shown}</p>"}):
        document, _ = html_in.parse_activity(activity)
        text, blocks = rich_text.render(document, names)

        assert not list(called_in_slack(blocks))
        assert not any(mark in text for mark in ("<@", "<!", "<#"))


@given(tempting, tempting, known)
def test_a_mention_calls_who_is_meant_and_not_whom_it_names(
    label: str, group: str, names: Names
) -> None:
    mentions = (
        Mention("U01ALICE", label),
        Mention("U99", label),
        GroupMention("S1", group),
        GroupMention("S9", group),
        ChannelMention("C1", label),
    )

    text, entities = html_out.render(Document((Paragraph(mentions),)), names)

    assert [one["mentioned"]["id"] for one in entities] == ["29:alice"]
    assert len(list(html.fragment_fromstring(text, "div").iter("at"))) == 1


@given(tempting, tempting, known)
def test_a_name_in_slack_calls_nobody(label: str, group: str, names: Names) -> None:
    mentions = (
        Mention("29:alice", label),
        Mention("29:nobody", label),
        GroupMention("tag", group),
        ChannelMention("19:x", label),
        ChannelMention("19:y", label),
    )

    text, blocks = rich_text.render(Document((Paragraph(mentions),)), names)

    assert list(called_in_slack(blocks)) == ["user", "channel"]
    assert (text.count("<@"), text.count("<#"), text.count("<!")) == (1, 1, 0)


@given(tempting)
def test_an_authors_name_brings_no_markup(name: str) -> None:
    line = header(Person(Platform.SLACK, "U1", name), FALCON)

    [paragraph] = html.fragments_fromstring(line)
    assert [each.tag for each in paragraph.iter()] == ["p", "strong"]


@given(tempting, st.lists(tempting, max_size=3))
def test_an_entity_calls_only_where_teams_put_a_mention(
    typed: str, labels: list[str]
) -> None:
    entities = [
        {
            "type": "mention",
            "text": f"<at>{label}</at>",
            "mentioned": {"id": "29:alice"},
        }
        for label in labels
    ]
    shown = typed.replace("&", "&amp;").replace("<", "&lt;")

    document, _ = html_in.parse_html(f"<p>{shown}</p>", entities)

    assert not any(isinstance(leaf, Mention) for leaf in leaves(document))


def words(typed: str) -> Document:
    return html_in.parse_activity({"text": typed})[0]
