"""Whom and what a mention in Teams is of, by what Teams says beside the text."""

from typing import Any

import pytest

from bots.teams.html_in import parse_activity
from bridge.document import (
    Audience,
    Broadcast,
    ChannelMention,
    Document,
    Emoji,
    GroupMention,
    Inline,
    Mention,
    Paragraph,
    Text,
)

OWN, TEAM, OTHER = (f"19:{name}@thread.tacv2" for name in ("own", "team", "other"))


def activity(html: str, *mentioned: dict[str, str]) -> dict[str, Any]:
    return {
        "attachments": [{"contentType": "text/html", "content": html}],
        "entities": [
            {"type": "mention", "text": f"<at>{one['name']}</at>", "mentioned": one}
            for one in mentioned
        ],
        "channelData": {"teamsChannelId": OWN, "teamsTeamId": TEAM},
    }


def span(number: int, words: str) -> str:
    kind = "http://schema.skype.com/Mention"
    return f'<span itemscope itemtype="{kind}" itemid="{number}">{words}</span>'


@pytest.mark.parametrize(
    ("mentioned", "leaf"),
    [
        ({"id": "29:bob", "name": "Bob"}, Mention("29:bob", "Bob")),
        ({"id": OWN, "name": "Bob"}, Broadcast(Audience.CHANNEL)),
        ({"id": TEAM, "name": "Bob"}, Broadcast(Audience.EVERYONE)),
        ({"id": OTHER, "name": "Bob"}, ChannelMention(OTHER, "Bob")),
        ({"id": "dGFn", "name": "Bob", "type": "tag"}, GroupMention("dGFn", "Bob")),
    ],
)
def test_a_mentions_id_says_what_it_is_of(
    mentioned: dict[str, str], leaf: Inline
) -> None:
    document, _ = parse_activity(activity(f"<p>{span(0, 'Bob')}</p>", mentioned))

    assert document == Document((Paragraph((leaf,)),))


@pytest.mark.parametrize(
    ("id_", "whole"),
    [
        (OTHER, ChannelMention(OTHER, "Big Plans")),
        (OWN, Broadcast(Audience.CHANNEL)),
    ],
)
def test_a_channel_that_a_client_tore_apart_is_mentioned_once(
    id_: str, whole: Inline
) -> None:
    html = f"<p>{span(0, 'Big')}&nbsp;{span(1, 'Plans')} x</p>"
    torn = ({"id": id_, "name": "Big"}, {"id": id_, "name": "Plans"})

    document, _ = parse_activity(activity(html, *torn))

    assert document == Document((Paragraph((whole, Text(" x"))),))


@pytest.mark.parametrize(
    "html",
    [
        "<customemoji alt='party_atom' source='x'></customemoji>",
        "<customemoji alt=':party_atom:'></customemoji>",
        "<img itemtype='http://schema.skype.com/CustomEmoji' alt='party_atom'>",
    ],
)
def test_a_custom_emoji_is_known_by_its_name(html: str) -> None:
    document, files = parse_activity(activity(f"<p>so {html}</p>"))

    assert document == Document((Paragraph((Text("so "), Emoji("party_atom"))),))
    assert not files
