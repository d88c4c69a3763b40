"""What can be typed, in the words of the platform it is typed on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Command, Request, spoken
from bots.commands.records_find import KINDS
from bridge.cards import Button, Card, Field, Section
from bridge.messages import Platform


@dataclass(frozen=True, slots=True)
class Topic:
    """Commands that belong together. `word` is what follows `help`."""

    word: str
    title: str
    names: tuple[str, ...]


_BRIDGING = (
    "link unlink links status pause resume options members dead retry replay drop "
    "reactions"
)
_RECORDS = "do follow unfollow subscriptions connect disconnect records"
_PEOPLE = "me who why what-if policy directory runs kept sessions"
_EVIDENCE = "search hold review release refuse approvals approve officers"

# With two more buttons they are six: Teams shows no more.
TOPICS = (
    Topic(
        "bridging",
        "Channels that are one conversation",
        (*_BRIDGING.split(), "workspaces", "channels"),
    ),
    Topic("records", "Business records", ("find", *KINDS, *_RECORDS.split())),
    Topic("people", "Who is who, and may do what", tuple(_PEOPLE.split())),
    Topic("evidence", "What was said, and may leave", tuple(_EVIDENCE.split())),
)
_FIRST = ("link", "status", "find", "search", "me", "why")


@dataclass(frozen=True, slots=True)
class Help:
    """An overview by topics; with a topic, a command or `all` what each does."""

    name: ClassVar[str] = "help"
    usage: ClassVar[str] = "help [TOPIC|COMMAND|all]"
    summary: ClassVar[str] = "show what can be typed"

    others: tuple[Command, ...]

    async def run(self, request: Request) -> Card:
        platform = request.channel.platform
        asked = request.arguments[0].lower() if request.arguments else ""
        known = self._known()
        topics = [*self._topics(known)]
        if topic := next((each for each in topics if each.word == asked), None):
            return _listed(topic.title, platform, [known[n] for n in topic.names])
        if command := known.get(asked):
            return _listed(f"About {command.name}", platform, [command])
        if asked == "all":
            return _listed("All that you can type", platform, [*known.values()])
        return _overview(platform, known, topics)

    def _known(self) -> dict[str, Command]:
        return {each.name: each for each in (*self.others, self)}

    def _topics(self, known: Mapping[str, Command]) -> Iterator[Topic]:
        """Yield the topics with what is known of them, and last what is in none."""
        left = dict.fromkeys(known)
        for topic in TOPICS:
            names = tuple(name for name in topic.names if name in known)
            for name in names:
                left.pop(name, None)
            if names:
                yield Topic(topic.word, topic.title, names)
        if names := tuple(name for name in left if name != Help.name):
            yield Topic("more", "More", names)


def _listed(title: str, platform: Platform, commands: Sequence[Command]) -> Card:
    fields = tuple(
        Field(f"`{spoken(platform, command.usage)}`", command.summary)
        for command in commands
    )
    overview = Button("Show all topics", "help")
    return Card(title, sections=(Section(fields=fields),), buttons=(overview,))


def _overview(
    platform: Platform, known: Mapping[str, Command], topics: Sequence[Topic]
) -> Card:
    first = tuple(
        Field(f"`{spoken(platform, known[name].name)}`", known[name].summary)
        for name in _FIRST
        if name in known
    )
    rest = tuple(
        Section(each.title, " ".join(f"`{name}`" for name in each.names))
        for each in topics
    )
    return Card(
        "ATOM makes channels in Slack and Teams one conversation",
        f"Begin with these. `{spoken(platform, 'help COMMAND')}` tells how each is used.",
        sections=(Section(fields=first), *rest),
        buttons=(
            Button("Show links", "links"),
            Button("Show status", "status"),
            *(Button(each.word.capitalize(), f"help {each.word}") for each in topics),
        ),
    )
