"""Only addresses that somebody here answers for tell whose contact somebody is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from bots.records.attesting import Attesting
from bridge.directory.accounts import Account
from bridge.directory.model import Standing, Subject
from bridge.identities import Identity
from bridge.messages import Channel, Person, PersonKind, Platform
from policy.linking import answered_for
from tests.records_world import ALICE, CAROL, asker

GUEST, USER, EXTERNAL = PersonKind.GUEST, PersonKind.USER, PersonKind.EXTERNAL
MAIL = "gus@partner.example"


def identity(
    platform: Platform = Platform.SLACK,
    kind: PersonKind = GUEST,
    *,
    proven: bool = False,
    mails: tuple[str, ...] = (MAIL,),
    directory_id: str = "oid",
    active: bool = True,
) -> Identity:
    person = Person(platform, "gus", "Gus Novak", kind=kind)
    held = frozenset(mails)
    return Identity(
        person, held, held if proven else frozenset(), directory_id, active=active
    )


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (identity(), True),
        (identity(kind=USER), True),
        (identity(kind=EXTERNAL), False),
        (identity(kind=PersonKind.BOT), False),
        (identity(active=False), False),
        (identity(Platform.TEAMS), True),
        (identity(Platform.TEAMS, directory_id=""), False),
        (identity(Platform.TEAMS, USER), False),
        (identity(Platform.TEAMS, USER, proven=True), True),
        (identity(Platform.TEAMS, EXTERNAL, proven=True), False),
    ],
    ids=[
        "slack guest",
        "slack user",
        "slack stranger",
        "bot",
        "deactivated",
        "teams guest",
        "anonymous in teams",
        "teams user, not proven",
        "teams user",
        "teams stranger",
    ],
)
def test_whose_word_counts(*, one: Identity, counts: bool) -> None:
    assert answered_for(one) == (frozenset({MAIL}) if counts else frozenset())


def test_what_a_guest_signs_in_as_is_no_mailbox() -> None:
    invited = "gus_partner.example#ext#@acme.onmicrosoft.com"
    one = identity(Platform.TEAMS, mails=(MAIL, invited, "güs@partner.example"))

    assert answered_for(one) == {MAIL}


@dataclass
class Introduces:
    """Implements `bots.records.attesting.Introduces`."""

    known: Identity | None = field(default_factory=identity)
    place: bool = True

    async def account_of(self, person: Person, channel: Channel) -> Account | None:
        return Account(channel.platform, "T1", person.id) if self.place else None

    async def identity(self, account: Account, channel: Channel) -> Identity | None:
        return self.known


@dataclass
class Register:
    """Implements `bots.records.attesting.Register`; `told` is of one person."""

    subject_: Subject | None = None
    told: Mapping[str, str] = field(default_factory=dict)
    on: bool = True

    def configured(self, tenant: str) -> bool:
        return self.on

    def subject(self, tenant: str, person: Person, account: str) -> Subject | None:
        assert (person.id, account) == ("gus", "T1")
        return self.subject_

    def attributes(self, tenant: str, subject: str) -> Mapping[str, str]:
        return self.told


GUS = Subject("p-gus", "Gus N.", confidence=2)
TOLD = {"mail": "G.Novak@Partner.example", "user_name": "gus"}


@pytest.mark.parametrize("who", [ALICE, CAROL], ids=["slack", "teams"])
async def test_the_platform_and_the_directory_answer_both(who: Person) -> None:
    made = Attesting(Introduces(), Register(GUS, TOLD))

    found = await made.of(asker(who), "gus")

    assert found.name == "Gus Novak"
    assert found.addresses == {MAIL, "g.novak@partner.example"}


async def test_whom_the_platform_does_not_know_the_directory_may() -> None:
    made = Attesting(Introduces(None), Register(GUS, TOLD))

    found = await made.of(asker(ALICE), "gus")

    assert found.name == "Gus N."
    assert found.addresses == {"g.novak@partner.example"}


@pytest.mark.parametrize(
    "register",
    [
        Register(None, TOLD),
        Register(replace(GUS, confidence=0), TOLD),
        Register(replace(GUS, standing=Standing.LEFT), TOLD),
        Register(GUS, {"mail": "gus", "user_name": "güs@partner.example"}),
        Register(GUS, TOLD, on=False),
    ],
    ids=["unknown", "a guess", "gone", "no address", "no directory"],
)
async def test_a_directory_that_is_not_sure_answers_for_nothing(
    register: Register,
) -> None:
    found = await Attesting(Introduces(None), register).of(asker(ALICE), "gus")

    assert found.addresses == frozenset()


async def test_where_nobody_vouches_for_accounts_nobody_is_known() -> None:
    nowhere = Attesting(Introduces(place=False), Register(GUS, TOLD))
    alone = replace(asker(ALICE), channel=None)

    assert (await nowhere.of(asker(ALICE), "gus")).addresses == frozenset()
    made = Attesting(Introduces(), Register(GUS, TOLD))
    assert (await made.of(alone, "gus")).addresses == frozenset()
