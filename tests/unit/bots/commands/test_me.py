"""People see whom they are taken for, and confirm or deny it with both accounts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bots.commands.base import Request
from bots.commands.me import Me, Who
from bots.commands.mentioned import account_named, mentioned
from bots.confirming import Desk
from bots.introducing import Introducer, Introducing, LinkedPeople
from bridge.access import Action, Asked, Decision
from bridge.cards import Card, Tone
from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.directory.model import Kind, Subject
from bridge.errors import AtomError, Conflict, NotAllowed, NotFound
from bridge.identities import Identity
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.places import Place
from tests.events import FALCON, PROJECT
from tests.fakes import FakeRights
from tests.fakes_directory import FakeDirectory

TENANT, TID = "acme", "tid-acme"
SLACK = Account(Platform.SLACK, "T01ACME", "U01ALICE")
TEAMS = Account(Platform.TEAMS, TID, "29:alice")
MAIL = "alice@acme.example"
ALICE = Subject("p-alice", "Alice Wong", department="finance")
BEN = Subject("p-ben", "Ben Ode")


@dataclass
class Directory(FakeDirectory):
    """Knows people by address as well."""

    addresses: dict[str, list[str]] = field(
        default_factory=lambda: {MAIL: ["p-alice"], "ben@acme.example": ["p-ben"]}
    )
    everybody: dict[str, Subject] = field(
        default_factory=lambda: {"p-alice": ALICE, "p-ben": BEN}
    )
    accounts: Any = None
    left: set[str] = field(default_factory=set)
    former: dict[str, list[str]] = field(default_factory=dict)

    def gone_under(self, tenant: str, address: str) -> bool:
        return address in self.left

    def formerly(self, tenant: str, address: str) -> Sequence[str]:
        return self.former.get(address, [])

    def find(self, tenant: str, subject: str) -> Subject | None:
        return self.everybody.get(subject)

    def named(self, tenant: str, kind: Kind, name: str) -> Sequence[str]:
        return self.addresses.get(name, [])

    def subject(self, tenant: str, person: Person, account: str) -> Subject | None:
        link = self.accounts.owner(tenant, person, account)
        if link is None:
            return super().subject(tenant, person, account)
        found = self.everybody.get(link[0])
        return found and replace(found, confidence=link[1])


@dataclass
class Accounts:
    """Links and codes in memory; `said` is what went on record."""

    links: dict[Account, AccountLink] = field(default_factory=dict)
    codes: dict[str, Account] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    rests: str = ""

    def link_of(self, tenant: str, account: Account) -> AccountLink | None:
        return self.links.get(account)

    def owner(
        self, tenant: str, person: Person, account: str
    ) -> tuple[str, int] | None:
        link = self.links.get(Account(person.platform, account, person.id))
        return (link.person, int(link.confidence)) if link else None

    def accounts(self, tenant: str, person: str) -> list[AccountLink]:
        return [one for one in self.links.values() if one.person == person]

    async def keep(
        self, tenant: str, link: AccountLink, text: str, address: str = ""
    ) -> None:
        self.links[link.account] = link
        self.rests = address or self.rests
        self.said.append(text)

    async def rests_on(
        self, tenant: str, account: Account, addresses: Collection[str]
    ) -> bool:
        return self.rests in {"", *addresses}

    async def moved(
        self, tenant: str, held: Mapping[Account, Collection[str]]
    ) -> list[Account]:
        return [a for a, mine in held.items() if self.rests not in {"", *mine}]

    async def code(self, tenant: str, account: Account) -> str:
        self.codes["ABCD-2345"] = account
        return "ABCD-2345"

    async def take(self, tenant: str, code: str, by: Account) -> Account:
        if code not in self.codes:
            raise NotFound("no such code")
        return self.codes.pop(code)


@dataclass
class Platforms:
    """What a platform says of accounts, and how often it was asked."""

    known: dict[str, Identity] = field(default_factory=dict)
    asked: int = 0

    async def described(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Identity]:
        self.asked += 1
        return {i: self.known[i] for i in ids if i in self.known}


class Places:
    async def remember(self, place: Place) -> None:
        """Nothing new is heard here."""

    async def find(self, channel: Channel) -> Place:
        return Place(TID, channel.team, channel.id, "https://teams.example")

    async def of_account(self, account: str) -> Place | None:
        return None


def identity(
    account: Account, mail: str = "", kind: PersonKind = PersonKind.USER
) -> Identity:
    held = frozenset({mail} if mail else ())
    person = Person(account.platform, account.user, "Alice", kind=kind)
    return Identity(person, held, held)


@dataclass
class Scene:
    """Alice in Slack, under her address, and in Teams, under none."""

    accounts: Accounts = field(default_factory=Accounts)
    directory: Directory = field(default_factory=Directory)
    slack: Platforms = field(default_factory=Platforms)
    teams: Platforms = field(default_factory=Platforms)
    introducer: Introducer = field(init=False)

    def __post_init__(self) -> None:
        self.directory.accounts = self.accounts
        self.slack.known[SLACK.user] = identity(SLACK, MAIL)
        self.teams.known[TEAMS.user] = identity(TEAMS)
        both: Any = {Platform.SLACK: self.slack, Platform.TEAMS: self.teams}
        accounts: Any = self.accounts
        self.introducer = Introducer(accounts, self.directory, Places(), both)

    async def type(self, channel: Channel, text: str, user: str = "") -> Card:
        own = SLACK.user if channel is FALCON else TEAMS.user
        person = Person(channel.platform, user or own)
        request = Request(TENANT, channel, person, text)
        desk = Desk(self.introducer)
        rights = {p: FakeRights({"admin"}) for p in Platform}
        command = Me(desk) if text.startswith("me") else Who(desk, rights)
        return await command.run(request)


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_people_see_whom_they_are_taken_for_and_how_sure(scene: Scene) -> None:
    card = await scene.type(FALCON, "me")

    assert card.title == "You are Alice Wong"
    told = {each.label: each.value for each in card.sections[0].fields}
    assert told["Account"] == str(SLACK)
    assert told["How sure"] == "1: the same address on both sides"
    assert [b.command for b in card.buttons] == ["me code", "me not"]


async def test_a_code_from_slack_typed_in_teams_proves_both(scene: Scene) -> None:
    shown = await scene.type(FALCON, "me code")
    assert "ABCD-2345" in shown.title
    await scene.type(FALCON, "me")

    card = await scene.type(PROJECT, "me ABCD-2345")

    assert card.title == "You are Alice Wong"
    for account in (SLACK, TEAMS):
        link = scene.accounts.links[account]
        assert (link.person, link.confidence, link.how) == (
            "p-alice",
            Confidence.PROVED,
            How.CONFIRMED,
        )
    with pytest.raises(NotFound):
        await scene.type(PROJECT, "me ABCD-2345")


async def test_no_code_is_shown_where_others_read_along(scene: Scene) -> None:
    card = await scene.type(PROJECT, "me code")

    assert card.title == "Start in Slack"
    assert scene.accounts.codes == {}


async def test_two_peoples_accounts_do_not_become_one(scene: Scene) -> None:
    scene.accounts.links[TEAMS] = AccountLink(
        TEAMS, "p-ben", Confidence.ADDRESS, How.ADDRESS
    )
    await scene.type(FALCON, "me")
    await scene.type(FALCON, "me code")

    with pytest.raises(Conflict, match="Alice Wong and Ben Ode"):
        await scene.type(PROJECT, "me ABCD-2345")
    assert scene.accounts.links[TEAMS].person == "p-ben"


async def test_who_was_taken_for_somebody_else_is_nobody(scene: Scene) -> None:
    await scene.type(FALCON, "me")

    await scene.type(FALCON, "me not")

    card = await scene.type(FALCON, "me")
    assert card.tone is Tone.WARNING
    assert card.title == "You are nobody that ATOM knows"
    assert scene.accounts.owner(TENANT, Person(Platform.SLACK, SLACK.user), "T01ACME")


@pytest.mark.parametrize("line", ["me code", "who U01ALICE is alice@acme.example"])
async def test_guests_are_never_anybody(scene: Scene, line: str) -> None:
    scene.slack.known[SLACK.user] = identity(SLACK, MAIL, PersonKind.GUEST)

    with pytest.raises(NotAllowed, match="Guests"):
        await scene.type(FALCON, line, "admin" if "who" in line else "")


async def test_an_admin_says_whose_an_account_is(scene: Scene) -> None:
    card = await scene.type(PROJECT, "who 29:alice is ben@acme.example", "admin")

    assert card.title == "That account is Ben Ode's"
    link = scene.accounts.links[TEAMS]
    assert (link.confidence, link.how, link.by) == (2, How.ADMIN, "teams:admin")
    with pytest.raises(AtomError):
        await scene.type(PROJECT, "who 29:alice is ben@acme.example", "mallory")


async def test_without_a_directory_there_is_nobody_to_be(scene: Scene) -> None:
    scene.directory.known = False

    with pytest.raises(NotFound, match="No directory"):
        await scene.type(FALCON, "me")


def test_accounts_are_named_as_slack_writes_mentions_or_by_id() -> None:
    assert account_named("<@U01ALICE|alice>") == "U01ALICE"
    assert account_named("@U01ALICE") == "U01ALICE"
    assert account_named("29:carol") == "29:carol"
    assert account_named("<@29:carol>") == "29:carol"


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("<@U01ALICE|alice>", "U01ALICE"),
        (" <@U01ALICE> ", "U01ALICE"),
        ("<@29:1f_-x>", "29:1f_-x"),
        ("<@U01ALICE> and more", ""),
        ("<@>", ""),
        ("<@a b>", ""),
        ("@alice", ""),
        ("<@U1><@U2>", ""),
        ("<https://a.example>", ""),
    ],
)
def test_only_a_mention_alone_names_somebody(text: str, who: str) -> None:
    assert mentioned(text) == who


@dataclass
class Judge:
    asked: list[Asked] = field(default_factory=list)

    async def decide(self, asked: Asked) -> Decision:
        self.asked.append(asked)
        return Decision(allowed=True, rule="", policy="", directory="")


async def test_whom_nobody_knows_is_looked_at_once_before_the_policy_is_asked(
    scene: Scene,
) -> None:
    policy = Introducing(Judge(), scene.introducer)
    mallory = Person(Platform.SLACK, "U66MALLORY")
    for who in (Person(Platform.SLACK, SLACK.user), mallory):
        for _ in range(3):
            await policy.decide(
                Asked(TENANT, who, Action.POST, FALCON, account="T01ACME")
            )

    assert scene.accounts.links[SLACK].person == "p-alice"
    assert scene.slack.asked == 2
    scene.directory.number += 1
    await policy.decide(Asked(TENANT, mallory, Action.POST, FALCON, account="T01ACME"))
    assert scene.slack.asked == 3


async def test_a_new_hire_under_a_leavers_address_is_not_given_the_old_account(
    scene: Scene,
) -> None:
    """Scenario 8: the account may still be who left."""
    scene.directory.left.add(MAIL)

    card = await scene.type(FALCON, "me")

    assert card.title == "You are nobody that ATOM knows"
    assert scene.accounts.links[SLACK].how is How.REFUSED


async def test_where_no_directory_is_nobody_is_looked_at(scene: Scene) -> None:
    scene.directory.known = False

    await Introducing(Judge(), scene.introducer).decide(
        Asked(TENANT, Person(Platform.SLACK, SLACK.user), Action.POST, FALCON)
    )

    assert scene.slack.asked == 0


async def test_another_address_is_a_doubt_and_is_not_matched_again(
    scene: Scene,
) -> None:
    await scene.type(FALCON, "me")
    same = scene.slack.known[SLACK.user]
    await scene.introducer.changed(TENANT, SLACK, same)
    assert scene.accounts.links[SLACK].confidence is Confidence.ADDRESS

    now = identity(SLACK, "ben@acme.example")
    scene.slack.known[SLACK.user] = now
    await scene.introducer.changed(TENANT, SLACK, now)

    link = scene.accounts.links[SLACK]
    assert (link.person, link.confidence, link.how) == ("p-alice", 0, How.CHANGED)
    card = await scene.type(FALCON, "me")
    assert card.title == "You are Alice Wong?"


async def test_who_is_linked_is_mentioned_without_any_address(scene: Scene) -> None:
    class Nobody:
        async def counterparts(
            self, source: Channel, ids: Collection[str], target: Channel
        ) -> Mapping[str, Person]:
            return {}

    async def tenant_of(_channel: Channel) -> str:
        return TENANT

    who = LinkedPeople(scene.introducer, tenant_of, Nobody())
    assert await who.counterparts(FALCON, [SLACK.user], PROJECT) == {}
    await scene.type(FALCON, "me")
    await scene.type(FALCON, "me code")
    await scene.type(PROJECT, "me ABCD-2345")

    found = await who.counterparts(FALCON, [SLACK.user, "U99"], PROJECT)

    assert {i: p.id for i, p in found.items()} == {SLACK.user: TEAMS.user}
