"""What Graph shows of a message's mentions is told as activities tell it."""

from typing import Any

import pytest

from bots.teams.html_in import parse_activity
from bots.teams.recalled import activities_of
from bridge.document import (
    Audience,
    Broadcast,
    ChannelMention,
    Document,
    GroupMention,
    Inline,
    Mention,
    Paragraph,
)
from bridge.places import Place

PLACE = Place("tenant", "19:team", "19:own", "https://smba.example/", group_id="g")
ACCOUNTS = {"c0": "29:bob"}


@pytest.mark.parametrize(
    ("mentioned", "leaf"),
    [
        ({"user": {"id": "c0"}}, Mention("29:bob", "X")),
        ({"conversation": {"id": "19:own"}}, Broadcast(Audience.CHANNEL)),
        ({"conversation": {"id": "19:team"}}, Broadcast(Audience.EVERYONE)),
        ({"conversation": {"id": "19:other"}}, ChannelMention("19:other", "X")),
        ({"tag": {"id": "dGFn"}}, GroupMention("dGFn", "X")),
    ],
)
def test_what_is_mentioned_is_the_same_as_if_it_had_been_heard(
    mentioned: dict[str, Any], leaf: Inline
) -> None:
    message = {
        "id": "1",
        "messageType": "message",
        "createdDateTime": "2023-11-14T22:13:21.5Z",
        "from": {"user": {"id": "c9", "displayName": "Carol"}},
        "body": {"contentType": "html", "content": '<p><at id="0">X</at></p>'},
        "mentions": [{"id": 0, "mentionText": "X", "mentioned": mentioned}],
    }

    [activity] = activities_of(message, PLACE, ACCOUNTS, was_deleted=False)

    document, _ = parse_activity(activity)
    assert document == Document((Paragraph((leaf,)),))
