"""What the people, channels, groups and emoji of a message are on the other platform."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bridge.access import Action, Asked
from bridge.delivery import Delivery, Post
from bridge.document import (
    Broadcast,
    ChannelMention,
    ChannelName,
    Document,
    Emoji,
    GroupMention,
    Link,
    Mention,
    Names,
    PersonName,
)
from bridge.errors import AtomError
from bridge.identities import WhoIsWho
from bridge.links import Link as ChannelLink
from bridge.mentions import leaves
from bridge.messages import Channel, Person, Platform
from bridge.options import Pings
from bridge.ports import AccessPolicy, LinkBook

HIDDEN = "private-channel"
_MOST_PEOPLE = 50  # whom one message can call; the others are named


@dataclass(frozen=True, slots=True)
class Seen:
    """
    A channel as its platform shows it.

    `public` says that whoever is in the workspace or team may know its name; `url` is
    where it is opened, if it has an address.
    """

    name: str
    public: bool
    url: str = ""


@dataclass(frozen=True, slots=True)
class CustomEmoji:
    """What a workspace's own emoji shows: a picture's address, or a character."""

    url: str = ""
    char: str = ""


class Signs(Protocol):
    """
    What channels' ids and addresses stand for on one platform.

    Cached. What the platform does not tell, or not now, is left out.
    """

    async def channels(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Seen]:
        """Return channels beside `channel`, by id."""
        ...

    def channel_in(self, url: str) -> str:
        """Return the id of the channel that an address opens, or nothing."""
        ...


class Vocabulary(Protocol):
    """What only some platforms tell: their groups of people, and their own emoji."""

    async def groups(self, channel: Channel, ids: Collection[str]) -> Mapping[str, str]:
        """Return how groups of people are called, by id."""
        ...

    async def emoji(
        self, channel: Channel, names: Collection[str]
    ) -> Mapping[str, CustomEmoji]:
        """Return which of the names are emoji of the channel's workspace."""
        ...


class Naming(Protocol):
    """What a composer asks."""

    async def names(
        self,
        delivery: Delivery,
        document: Document,
        people: Mapping[str, Person],
        author: Person,
    ) -> Names:
        """
        Return what the ids in a document are for the delivery's target.

        `people` is who is known on the source. What is not known for certain, or not
        soon, is left out, and shown as text. Whether its `author` may call everybody is
        asked as well.
        """
        ...


@dataclass(frozen=True, slots=True)
class NamingBook:
    """Implements `Naming` with what the platforms and the links say."""

    who: WhoIsWho
    signs: Mapping[Platform, Signs]
    vocabularies: Mapping[Platform, Vocabulary]
    links: LinkBook
    policy: AccessPolicy | None = None

    async def names(
        self,
        delivery: Delivery,
        document: Document,
        people: Mapping[str, Person],
        author: Person,
    ) -> Names:
        spoken = _Spoken.of(document)
        names = Names(people=called(people))
        if spoken.of_nothing:
            return names
        around = _Around(
            delivery,
            self.signs.get(delivery.source.platform),
            self.signs.get(delivery.target.platform),
            await self._links(delivery) if spoken.of_channels else (),
        )
        if spoken.people:
            wanted = sorted(spoken.people)[:_MOST_PEOPLE]
            known = await self.who.counterparts(
                delivery.source, wanted, delivery.target
            )
            names = replace(names, people=_called_there(names.people, known))
        words = self.vocabularies.get(delivery.source.platform)
        if spoken.groups and words:
            groups = await words.groups(delivery.source, spoken.groups)
            names = replace(names, groups=groups)
        if spoken.emoji:
            names = await self._with_emoji(names, delivery, spoken.emoji)
        if spoken.of_channels:
            channels = await around.names(spoken.channels, spoken.urls)
            pings = spoken.calls and around.may_ping
            pings = pings and await self._may_ping(delivery, author)
            names = replace(names, channels=channels, pings=pings)
        return names

    async def _may_ping(self, delivery: Delivery, author: Person) -> bool:
        """Ask again as it leaves; who may not call is read all the same."""
        if self.policy is None:
            return True
        asked = Asked(
            delivery.tenant,
            author,
            Action.PING,
            delivery.source,
            delivery.target,
            delivery.link,
        )
        return (await self.policy.decide(asked)).allowed

    async def _with_emoji(
        self, names: Names, delivery: Delivery, wanted: Collection[str]
    ) -> Names:
        here = self.vocabularies.get(delivery.source.platform)
        there = self.vocabularies.get(delivery.target.platform)
        ours = await here.emoji(delivery.source, wanted) if here else {}
        theirs = await there.emoji(delivery.target, wanted) if there else {}
        return replace(
            names,
            custom_emoji={n: one.url for n, one in ours.items() if one.url},
            emoji={n: one.char for n, one in ours.items() if one.char},
            shared_emoji=frozenset(theirs),
        )

    async def _links(self, delivery: Delivery) -> Sequence[ChannelLink]:
        try:
            return await self.links.all(delivery.tenant)
        except AtomError:
            return ()


@dataclass(slots=True)
class _Spoken:
    """Everything in a document that has to be asked for."""

    people: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    emoji: set[str] = field(default_factory=set)
    urls: set[str] = field(default_factory=set)
    calls: bool = False

    @property
    def of_nothing(self) -> bool:
        return not (self.people or self.groups or self.emoji or self.of_channels)

    @property
    def of_channels(self) -> bool:
        return bool(self.channels or self.urls or self.calls)

    @classmethod
    def of(cls, document: Document) -> "_Spoken":
        spoken = cls()
        for leaf in leaves(document):
            match leaf:
                case Mention(id=id_):
                    spoken.people.add(id_)
                case ChannelMention(id=id_):
                    spoken.channels.add(id_)
                case GroupMention(id=id_):
                    spoken.groups.add(id_)
                case Emoji(name=name, char=""):
                    spoken.emoji.add(name)
                case Link(url=url):
                    spoken.urls.add(url)
                case Broadcast():
                    spoken.calls = True
        return spoken


@dataclass(frozen=True, slots=True)
class _Around:
    """The channels around a delivery, and which are linked with which."""

    delivery: Delivery
    here: Signs | None
    there: Signs | None
    links: Sequence[ChannelLink]

    @property
    def may_ping(self) -> bool:
        return any(
            link.id == self.delivery.link and link.options.pings is Pings.PING
            for link in self.links
        )

    async def names(
        self, ids: Collection[str], urls: Collection[str]
    ) -> dict[str, ChannelName]:
        """Return names by id, and by address what leads to a linked channel."""
        if self.here is None or self.there is None:
            return dict.fromkeys(ids, ChannelName(HIDDEN))
        seen = await self.here.channels(self.delivery.source, ids) if ids else {}
        named = {i: await self._name(i, seen.get(i)) for i in ids}
        for url in urls:
            counterpart = self._counterpart(self.here.channel_in(url))
            if counterpart and counterpart.platform is Platform.SLACK:
                named[url] = ChannelName("", target=counterpart.id)
        return named

    async def _name(self, id_: str, seen: Seen | None) -> ChannelName:
        """
        Name a channel, but a private one only to those who share it.

        Slack shows each reader no more of a channel than they may see. Teams shows
        whatever it is told.
        """
        source, target = self.delivery.source, self.delivery.target
        public = seen is not None and seen.public
        name = seen.name if seen and public else HIDDEN
        counterpart = self._counterpart(id_)
        if counterpart is None or self.there is None:
            return ChannelName(name)
        if counterpart.platform is Platform.SLACK:
            return ChannelName(name, target=counterpart.id)
        shown = (await self.there.channels(target, {counterpart.id})).get(
            counterpart.id
        )
        if shown is None or not (shown.public or counterpart == target):
            return ChannelName(name)
        if id_ == source.id and not public:
            name = shown.name or HIDDEN
        return ChannelName(name, url=shown.url)

    def _counterpart(self, id_: str) -> Channel | None:
        """Return the channel of the target's workspace or team linked with another."""
        source, target = self.delivery.source, self.delivery.target
        if not id_:
            return None
        if id_ == source.id:
            return target
        for link in self.links:
            if any((c.platform, c.id) == (source.platform, id_) for c in link.channels):
                for other in link.channels:
                    if (other.platform, other.team) == (target.platform, target.team):
                        return other
        return None


def names_of(post: Post) -> Names:
    """Return what a post's ids are, people who are only known by name included."""
    return replace(post.names, people={**called(post.people), **post.names.people})


def unasked(document: Document, people: Mapping[str, Person]) -> Names:
    """Return what can be said at once. A channel may be private: it is not named."""
    hidden = dict.fromkeys(_Spoken.of(document).channels, ChannelName(HIDDEN))
    return Names(called(people), hidden)


def called(people: Mapping[str, Person]) -> dict[str, PersonName]:
    return {i: PersonName(person.name) for i, person in people.items() if person.name}


def _called_there(
    names: Mapping[str, PersonName], known: Mapping[str, Person]
) -> dict[str, PersonName]:
    there = {
        i: PersonName(names[i].name if i in names else "", one.id, one.name)
        for i, one in known.items()
    }
    return {**names, **there}
