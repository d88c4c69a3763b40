"""A copy that says the same under another name is not taken for absent."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import pytest

from bots.teams.content import content
from bots.teams.graph import Standing
from bots.teams.sender import TeamsSender
from bridge.delivery import Post
from bridge.document import (
    ChannelMention,
    ChannelName,
    Document,
    Emoji,
    Mention,
    Names,
    Paragraph,
    PersonName,
    Text,
)
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


def naming(*, known: bool) -> Post:
    """The same message, when ATOM knew who and what it names, and when it did not."""
    leaves = (
        Text("ask "),
        Mention("U2"),
        Text(" in "),
        ChannelMention("C9", "plans"),
        Text(" "),
        Emoji("party"),
        Text(" now"),
    )
    names = Names(
        people={"U2": PersonName("bob", "29:bob", "Robert Stone")},
        channels={"C9": ChannelName("plans")},
        custom_emoji={"party": "https://emoji.example/party.png"},
    )
    document = Document((Paragraph(leaves),))
    return Post(
        "m", FALCON, PROJECT, "", NAMED, document, names=names if known else Names()
    )


def only_names(person: str) -> Post:
    document = Document((Paragraph((Mention("U2", person),)),))
    return Post("m", FALCON, PROJECT, "", NAMED, document)


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


@pytest.mark.parametrize("known", [True, False])
async def test_a_copy_that_named_people_otherwise_is_not_sent_again(
    known: bool,  # noqa: FBT001 - pytest gives it by name
) -> None:
    with pytest.raises(CannotTell, match="resembles"):
        await sender(naming(known=known)).find(naming(known=not known), 0, ())


async def test_a_copy_that_only_names_somebody_may_be_any_of_the_authors() -> None:
    with pytest.raises(CannotTell, match="resembles"):
        await sender(only_names("Bob")).find(only_names("Robert"), 0, ())


async def test_other_words_around_the_same_names_are_another_message() -> None:
    other = replace(naming(known=True), document=words("ask somebody else"))

    assert await sender(naming(known=True)).find(other, 0, ()) is None
