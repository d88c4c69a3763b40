"""A copy that says the same under another name is not taken for absent."""

from collections.abc import Collection
from dataclasses import dataclass

import pytest

from bots.teams.content import content
from bots.teams.graph import Standing
from bots.teams.sender import TeamsSender
from bridge.delivery import Post
from bridge.errors import CannotTell
from bridge.messages import Channel, Person, Platform
from bridge.places import Place
from tests.events import FALCON, PROJECT, words

NAMELESS = Person(Platform.SLACK, "U1")
NAMED = Person(Platform.SLACK, "U1", "Alice Wong")


@dataclass
class FakePlaces:
    async def find(self, channel: Channel) -> Place:
        return Place("tenant", channel.team, channel.id, "https://smba/", "", "group")


@dataclass
class FakeGraph:
    standing: list[Standing]

    async def posted_by(
        self, app_id: str, place: Place, thread: str, since_us: int
    ) -> Collection[Standing]:
        return self.standing


def post(author: Person, text: str = "hello there") -> Post:
    return Post("m", FALCON, PROJECT, "", author, words(text))


def sender(sent: Post) -> TeamsSender:
    html = content(sent, sent.document)[0]
    graph = FakeGraph([Standing("1700", 1, html, deleted=False)])
    return TeamsSender(None, FakePlaces(), "app", graph)  # type: ignore[arg-type]


async def test_a_copy_sent_before_the_name_was_known_is_not_sent_again() -> None:
    with pytest.raises(CannotTell, match="resembles"):
        await sender(post(NAMELESS)).find(post(NAMED), 0, ())


async def test_the_same_copy_is_found() -> None:
    assert await sender(post(NAMED)).find(post(NAMED), 0, ()) == "1700"


async def test_another_message_does_not_stand_for_it() -> None:
    assert await sender(post(NAMED, "other")).find(post(NAMED), 0, ()) is None
