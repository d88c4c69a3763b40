"""A company with one channel in each place, and somebody who may link them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bots.commands.backfill import Backfills
from bots.commands.base import Commands, Doorman, Request
from bots.commands.kept import KeptCommand
from bots.commands.me import Me, Who
from bots.commands.members import MembersCommand
from bots.commands.organisations import Organisations
from bots.commands.standard import standard_commands
from bridge.cards import Card
from bridge.delivery import Delivery, Operation
from bridge.explaining import Explains
from bridge.letters import DeadLetter
from bridge.messages import Channel, Person, Platform
from bridge.outlook import Outlook
from bridge.reacted import Choice
from tests.fakes import (
    FakeAnnouncer,
    FakeClock,
    FakeDeadLetters,
    FakeHealth,
    FakeLinkBook,
    FakeRights,
    FakeWishes,
)
from tests.fakes_compliance import FakeHolds, FakeTrust
from tests.fakes_leaving import FakeReviews
from tests.fakes_organisation import FakeAudit, FakeOrganisation
from tests.fakes_people import FakeKeptDesk, FakeMembersDesk, NoDesk
from tests.fakes_policy import FakeExplains, FakePolicyDesk
from tests.fakes_search import FakeFinder

TENANT = "acme"
FALCON = {
    Platform.SLACK: Channel(Platform.SLACK, "T01ACME", "C02FALCON"),
    Platform.TEAMS: Channel(
        Platform.TEAMS, "19:acme@thread.tacv2", "19:falcon@thread.tacv2"
    ),
}
RANDOM = {
    Platform.SLACK: Channel(Platform.SLACK, "T01ACME", "C03RANDOM"),
    Platform.TEAMS: Channel(
        Platform.TEAMS, "19:acme@thread.tacv2", "19:random@thread.tacv2"
    ),
}
NAMES = {
    FALCON[Platform.SLACK]: "#project-falcon",
    FALCON[Platform.TEAMS]: "Project Falcon",
    RANDOM[Platform.SLACK]: "#random",
    RANDOM[Platform.TEAMS]: "Random",
}


@dataclass
class FakeReactors:
    """Who reacted, by message."""

    chosen: dict[str, tuple[Choice, ...]] = field(default_factory=dict)

    async def to(
        self, tenant: str, channel: Channel, message: str
    ) -> tuple[Choice, ...]:
        return self.chosen.get(message, ())


@dataclass
class FakeRehearsal:
    """How it looks for channels, as a test put it; else nobody is there."""

    seen: dict[Channel, Outlook] = field(default_factory=dict)
    days: list[int] = field(default_factory=list)

    async def outlooks(
        self, tenant: str, channels: Sequence[Channel], days: int
    ) -> Sequence[Outlook]:
        self.days.append(days)
        return [self.seen.get(c, Outlook(c, (), (), 0, 0, 0)) for c in channels]


@dataclass
class Office:
    """Everything that the commands reach, and a way to type at them."""

    links: FakeLinkBook = field(default_factory=FakeLinkBook)
    health: FakeHealth = field(default_factory=FakeHealth)
    letters: FakeDeadLetters = field(default_factory=FakeDeadLetters)
    clock: FakeClock = field(default_factory=FakeClock)
    rights: dict[Platform, FakeRights] = field(
        default_factory=lambda: {p: FakeRights({"admin"}) for p in Platform}
    )
    announcers: dict[Platform, FakeAnnouncer] = field(
        default_factory=lambda: {p: FakeAnnouncer(dict(NAMES)) for p in Platform}
    )

    organisation: FakeOrganisation = field(default_factory=FakeOrganisation)
    wishes: FakeWishes = field(default_factory=FakeWishes)
    audit: FakeAudit = field(default_factory=FakeAudit)
    trusted: FakeTrust = field(default_factory=FakeTrust)
    holds: FakeHolds = field(default_factory=FakeHolds)
    members: FakeMembersDesk = field(default_factory=FakeMembersDesk)
    kept: FakeKeptDesk = field(default_factory=FakeKeptDesk)
    explains: Explains = field(default_factory=FakeExplains)
    desk: FakePolicyDesk = field(default_factory=FakePolicyDesk)
    reviews: FakeReviews = field(default_factory=FakeReviews)
    reactors: FakeReactors = field(default_factory=FakeReactors)
    rehearsal: FakeRehearsal = field(default_factory=FakeRehearsal)

    @property
    def commands(self) -> Commands:
        return standard_commands(
            links=self.links,
            health=self.health,
            letters=self.letters,
            rights=self.rights,
            announcers=self.announcers,
            organisations=Organisations(
                {p: self.organisation.administration() for p in Platform}, self.audit
            ),
            backfills=Backfills(self.wishes, 30),
            duties=self.trusted,
            approvals=self.trusted,
            legal_holds=self.holds,
            finder=FakeFinder(),
            explains=self.explains,
            policies=self.desk,
            reviews=self.reviews,
            reactors=self.reactors,
            rehearsal=self.rehearsal,
            clock=self.clock,
            gate=self.gate,
            more=(
                Me(NoDesk()),
                Who(NoDesk(), self.rights),
                MembersCommand(self.members, self.links, self.rights, self.announcers),
                KeptCommand(self.kept),
            ),
        )

    @property
    def gate(self) -> Doorman | None:
        """Nobody asks a policy, unless a test lets one be asked."""
        return None

    async def type(self, channel: Channel, text: str, who: str = "admin") -> Card:
        person = Person(channel.platform, who)
        return await self.commands.answer(Request(TENANT, channel, person, text))

    async def link(self, one: Channel, other: Channel) -> str:
        """Link two channels and forget how it came about; returns the link's id."""
        link = await self.links.add(TENANT, (one, other), "slack:admin")
        self.links.actors.clear()
        return link.id

    def die(self, here: Channel, *, link: str = "L1", unknown: bool = False) -> str:
        """Put a delivery from a channel on the dead-letter list; returns its number."""
        seq = 50 + len(self.letters.letters)
        delivery = Delivery(
            TENANT,
            seq,
            0,
            link,
            Operation.POST,
            here,
            FALCON[here.platform.other],
            "m1",
            "",
            0,
            self.clock(),
            tries=8,
        )
        before = self.clock() - 60_000_000
        letter = DeadLetter(delivery, "no_such", before, before if unknown else 0)
        self.letters.letters.append(letter)
        return letter.number

    def titles(self, channel: Channel) -> list[str]:
        return self.announcers[channel.platform].titles(channel)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture(params=list(Platform))
def platform(request: pytest.FixtureRequest) -> Platform:
    """Every test that takes it runs in Slack and in Teams."""
    side: Platform = request.param
    return side


@pytest.fixture
def here(platform: Platform) -> Channel:
    return FALCON[platform]


@pytest.fixture
def there(platform: Platform) -> Channel:
    return FALCON[platform.other]
