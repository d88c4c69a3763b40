"""What ids are on the other platform, and what is not said about them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from bridge.access import Action, Asked, Decision
from bridge.delivery import Delivery, Operation, Post
from bridge.document import (
    Audience,
    Broadcast,
    ChannelMention,
    ChannelName,
    Document,
    Emoji,
    GroupMention,
    Inline,
    Link,
    Mention,
    Names,
    Paragraph,
    PersonName,
    Text,
)
from bridge.errors import StoreUnavailable
from bridge.links import Link as ChannelLink
from bridge.messages import Channel, Person, Platform
from bridge.naming import CustomEmoji, NamingBook, Seen, names_of, unasked
from bridge.options import LinkOptions, Pings
from bridge.ports import AccessPolicy, LinkBook
from tests.events import ALICE, FALCON, PROJECT

SALES = Channel(Platform.SLACK, FALCON.team, "C09SALES")
SELLING = Channel(Platform.TEAMS, PROJECT.team, "19:selling@thread.tacv2")
LINK = ChannelLink("acme", "L1", (FALCON, PROJECT))
SALES_LINK = ChannelLink("acme", "L2", (SALES, SELLING))
CAROL = Person(Platform.TEAMS, "29:carol", "Carol Díaz")
OPENS = "https://teams.microsoft.com/l/channel/x"


@dataclass
class FakeWho:
    known: dict[str, Person] = field(default_factory=dict)

    async def counterparts(
        self, source: Channel, ids: Collection[str], target: Channel
    ) -> Mapping[str, Person]:
        return {i: one for i, one in self.known.items() if i in ids}


@dataclass
class FakeSigns:
    seen: dict[str, Seen] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)
    shown: dict[str, CustomEmoji] = field(default_factory=dict)
    opened: dict[str, str] = field(default_factory=dict)

    async def channels(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Seen]:
        return {i: one for i, one in self.seen.items() if i in ids}

    async def groups(self, channel: Channel, ids: Collection[str]) -> Mapping[str, str]:
        return {i: one for i, one in self.called.items() if i in ids}

    async def emoji(
        self, channel: Channel, names: Collection[str]
    ) -> Mapping[str, CustomEmoji]:
        return {n: one for n, one in self.shown.items() if n in names}

    def channel_in(self, url: str) -> str:
        return self.opened.get(url, "")


@dataclass
class FakeLinks:
    links: list[ChannelLink]
    broken: bool = False

    async def all(self, tenant: str) -> Sequence[ChannelLink]:
        if self.broken:
            raise StoreUnavailable("down")
        return [link for link in self.links if link.tenant == tenant]


def delivery(source: Channel = FALCON, target: Channel = PROJECT) -> Delivery:
    return Delivery("acme", 1, 0, "L1", Operation.POST, source, target, "1", "", 0, 0)


@dataclass
class Book:
    slack: FakeSigns = field(default_factory=FakeSigns)
    teams: FakeSigns = field(default_factory=FakeSigns)
    who: FakeWho = field(default_factory=FakeWho)
    links: FakeLinks = field(default_factory=lambda: FakeLinks([LINK, SALES_LINK]))
    policy: AccessPolicy | None = None

    async def names(
        self, *leaves: Inline, of: Delivery | None = None, **people: Person
    ) -> Names:
        signs = {Platform.SLACK: self.slack, Platform.TEAMS: self.teams}
        links = cast(LinkBook, self.links)
        naming = NamingBook(self.who, signs, signs, links, self.policy)
        return await naming.names(of or delivery(), said(*leaves), people, ALICE)


def said(*leaves: Inline) -> Document:
    return Document((Paragraph(leaves),))


@pytest.fixture
def book() -> Book:
    return Book()


async def test_a_message_without_ids_asks_for_nothing() -> None:
    nothing: Any = None
    naming = NamingBook(nothing, {}, {}, nothing)

    assert await naming.names(delivery(), said(Text("hi")), {}, ALICE) == Names()


async def test_a_person_is_named_and_called_where_they_are_known(book: Book) -> None:
    book.who.known = {"U3": CAROL}
    bob = Person(Platform.SLACK, "U2", "Bob")

    names = await book.names(Mention("U2"), Mention("U3"), U2=bob)

    assert names.people == {
        "U2": PersonName("Bob"),
        "U3": PersonName("", "29:carol", "Carol Díaz"),
    }


async def test_a_message_calls_no_more_than_fifty_people(book: Book) -> None:
    everybody = [f"U{n:03}" for n in range(80)]
    book.who.known = dict.fromkeys(everybody, CAROL)

    names = await book.names(*map(Mention, everybody))

    assert len(names.people) == 50


async def test_a_linked_channel_leads_to_its_counterpart(book: Book) -> None:
    book.slack.seen = {SALES.id: Seen("sales", public=True)}
    book.teams.seen = {SELLING.id: Seen("Selling", public=True, url=OPENS)}

    names = await book.names(ChannelMention(SALES.id))

    assert names.channels == {SALES.id: ChannelName("sales", url=OPENS)}


async def test_in_slack_a_linked_channel_is_a_channel_of_its_own(book: Book) -> None:
    back = delivery(PROJECT, FALCON)
    book.teams.seen = {SELLING.id: Seen("Selling", public=True, url=OPENS)}

    names = await book.names(ChannelMention(SELLING.id), of=back)

    assert names.channels == {SELLING.id: ChannelName("Selling", target=SALES.id)}


async def test_a_channel_that_is_not_linked_is_named(book: Book) -> None:
    book.slack.seen = {"C9": Seen("random", public=True)}

    names = await book.names(ChannelMention("C9"))

    assert names.channels == {"C9": ChannelName("random")}


@pytest.mark.parametrize("seen", [{}, {"C9": Seen("layoffs", public=False)}])
async def test_a_channel_that_may_be_private_is_not_named(
    book: Book, seen: dict[str, Seen]
) -> None:
    book.slack.seen = seen

    names = await book.names(ChannelMention("C9", "layoffs"))

    assert names.channels == {"C9": ChannelName("private-channel")}


async def test_a_public_channel_does_not_lead_to_a_private_counterpart(
    book: Book,
) -> None:
    book.slack.seen = {SALES.id: Seen("sales", public=True)}
    book.teams.seen = {SELLING.id: Seen("Board", public=False, url=OPENS)}

    names = await book.names(ChannelMention(SALES.id))

    assert names.channels == {SALES.id: ChannelName("sales")}


async def test_the_channel_itself_is_the_one_that_its_readers_are_in(
    book: Book,
) -> None:
    book.slack.seen = {FALCON.id: Seen("secret-falcon", public=False)}
    book.teams.seen = {PROJECT.id: Seen("Falcon", public=False, url=OPENS)}

    names = await book.names(ChannelMention(FALCON.id))

    assert names.channels == {FALCON.id: ChannelName("Falcon", url=OPENS)}


async def test_another_workspaces_channel_is_no_counterpart(book: Book) -> None:
    elsewhere = replace(SELLING, team="19:other@thread.tacv2")
    book.links = FakeLinks([LINK, replace(SALES_LINK, channels=(SALES, elsewhere))])
    book.slack.seen = {SALES.id: Seen("sales", public=True)}
    book.teams.seen = {SELLING.id: Seen("Selling", public=True, url=OPENS)}

    names = await book.names(ChannelMention(SALES.id))

    assert names.channels == {SALES.id: ChannelName("sales")}


async def test_another_companys_links_lead_nowhere(book: Book) -> None:
    book.links = FakeLinks([LINK, replace(SALES_LINK, tenant="globex")])
    book.slack.seen = {SALES.id: Seen("sales", public=True)}
    book.teams.seen = {SELLING.id: Seen("Selling", public=True, url=OPENS)}

    names = await book.names(ChannelMention(SALES.id))

    assert names.channels == {SALES.id: ChannelName("sales")}


async def test_a_link_to_a_linked_channel_becomes_that_channel(book: Book) -> None:
    book.teams.opened = {OPENS: SELLING.id}
    back = delivery(PROJECT, FALCON)

    names = await book.names(Link(OPENS), Link("https://else.example"), of=back)

    assert names.channels == {OPENS: ChannelName("", target=SALES.id)}


async def test_groups_are_named(book: Book) -> None:
    book.slack.called = {"S1": "engineers"}

    names = await book.names(GroupMention("S1"), GroupMention("S2"))

    assert names.groups == {"S1": "engineers"}


async def test_custom_emoji_are_shown_and_shared(book: Book) -> None:
    book.slack.shown = {
        "party": CustomEmoji(url="https://emoji.example/party.png"),
        "tada2": CustomEmoji(char="🎉"),
    }
    book.teams.shown = {"party": CustomEmoji()}

    names = await book.names(
        Emoji("party"), Emoji("tada2"), Emoji("x"), Emoji("+1", "👍")
    )

    assert names.custom_emoji == {"party": "https://emoji.example/party.png"}
    assert names.emoji == {"tada2": "🎉"}
    assert names.shared_emoji == {"party"}


@pytest.mark.parametrize("pings", Pings)
async def test_everyone_is_called_only_if_the_link_lets_them(
    book: Book, pings: Pings
) -> None:
    book.links = FakeLinks([replace(LINK, options=LinkOptions(pings=pings))])

    names = await book.names(Broadcast(Audience.HERE))

    assert names.pings is (pings is Pings.PING)


async def test_without_the_links_nobody_is_called(book: Book) -> None:
    book.links.broken = True
    book.slack.seen = {SALES.id: Seen("sales", public=True)}

    names = await book.names(Broadcast(Audience.HERE), ChannelMention(SALES.id))

    assert names == Names(channels={SALES.id: ChannelName("sales")})


def test_what_was_not_asked_names_people_and_hides_channels() -> None:
    document = said(Mention("U1"), ChannelMention("C9", "layoffs"))

    names = unasked(document, {"U1": ALICE})

    assert names.people == {"U1": PersonName(ALICE.name)}
    assert names.channels == {"C9": ChannelName("private-channel")}


def test_a_post_names_who_is_known_by_name_only() -> None:
    known = Names(people={"U3": PersonName("Carol", "29:carol", "Carol Díaz")})
    people = {"U1": ALICE, "U3": Person(Platform.SLACK, "U3", "carol")}

    post = Post("m", FALCON, PROJECT, "", ALICE, said(), people, names=known)

    assert names_of(post).people == {
        "U1": PersonName(ALICE.name),
        "U3": PersonName("Carol", "29:carol", "Carol Díaz"),
    }


@pytest.mark.parametrize("allowed", [True, False])
async def test_who_may_not_call_everybody_is_read_without_a_call(
    book: Book, *, allowed: bool
) -> None:
    @dataclass
    class Judge:
        asked: list[Asked] = field(default_factory=list)

        async def decide(self, asked: Asked) -> Decision:
            self.asked.append(asked)
            return Decision(allowed, "rule", "hash", "7")

    judge = Judge()
    book.policy = judge
    loud = replace(LINK, options=LinkOptions(pings=Pings.PING))
    book.links = FakeLinks([loud])

    names = await book.names(Broadcast(Audience.HERE))

    assert names.pings is allowed
    [asked] = judge.asked
    assert (asked.action, asked.person, asked.target) == (Action.PING, ALICE, PROJECT)
