"""What Graph shows of mentions and reactions is told as activities tell it."""

from typing import Any

import pytest

from bots.teams.html_in import parse_activity
from bots.teams.recalled import activities_of, reacted
from bots.teams.translate import translate
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
from bridge.messages import Event, EventKind
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


REACTED_AT = "2023-11-14T22:14:00Z"
MODIFIED = "2023-11-14T22:15:00Z"
Chosen = tuple[str, str]


def chosen(kind: str, person: str) -> dict[str, Any]:
    return {
        "reactionType": kind,
        "createdDateTime": REACTED_AT,
        "user": {"user": {"id": person}},
    }


def became(reactions: Any, known: set[Chosen]) -> list[Event]:
    """Return what is told of a message's reactions, by what the log has of them."""
    message = {
        "id": "17",
        "replyToId": "12",
        "lastModifiedDateTime": MODIFIED,
        "body": {"contentType": "text", "content": "hello"},
        "reactions": reactions,
    }
    accounts = {"c0": "29:bob", "d0": "29:dave"}
    activities = reacted(message, PLACE, accounts, known)
    told = [translate(one, b"{}", app_id="app", now_us=0) for one in activities]
    return [event for event in told if isinstance(event, Event)]


def test_a_reaction_that_the_log_lacks_is_told_with_who_when_and_where() -> None:
    [event] = became([chosen("like", "c0"), chosen("like", "d0")], {("29:dave", "👍")})

    assert event.kind is EventKind.REACTION_ADD
    assert (event.author.id, dict(event.detail)["added"]) == ("29:bob", "👍")
    assert (event.message, event.thread) == ("17", "12")
    assert event.sent_us == 1_700_000_040_000_000


def test_a_reaction_that_stands_no_more_is_told_as_taken_back() -> None:
    [event] = became([], {("29:dave", "👋🏼")})

    assert event.kind is EventKind.REACTION_REMOVE
    assert (event.author.id, dict(event.detail)["removed"]) == ("29:dave", "👋🏼")
    assert event.sent_us == 1_700_000_100_000_000


def test_of_two_people_each_is_told_even_if_as_many_chose_it() -> None:
    told = became([chosen("like", "c0")], {("29:dave", "👍")})

    assert [(e.kind, e.author.id) for e in told] == [
        (EventKind.REACTION_ADD, "29:bob"),
        (EventKind.REACTION_REMOVE, "29:dave"),
    ]


def test_what_is_known_already_is_not_told_again() -> None:
    assert became([chosen("heart", "c0")], {("29:bob", "❤️")}) == []


def test_graph_may_name_an_emoji_by_itself() -> None:
    assert became([chosen("❤", "c0")], {("29:bob", "❤️")}) == []


def test_where_somebody_is_not_known_nobody_took_theirs_back() -> None:
    """It may be the same person: whom the log knows and Graph cannot name."""
    assert became([chosen("like", "left")], {("29:dave", "👍")}) == []


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "x",
        [5, {}, {"reactionType": 5}, {"reactionType": "like"}],
        [chosen("like", "c0") | {"user": []}, chosen("like", "c0") | {"user": None}],
    ],
    ids=["none", "a word", "odd", "nobody"],
)
def test_reactions_of_any_shape_are_read(odd: Any) -> None:
    assert became(odd, set()) == []
