"""Who is who follows from addresses that platforms vouch for, and from nothing else."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.identities import Identity, address, domain_of
from bridge.messages import Channel, Person, PersonKind, Platform
from policy.people import PeopleByAddress, counterpart
from tests.events import FALCON, PROJECT

BOB = "bob@acme.example"
HERE = Identity(Person(Platform.SLACK, "U02BOB", "Bob Stone"), frozenset({BOB}))
THERE = Identity(
    Person(Platform.TEAMS, "29:bob", "Robert Stone"), frozenset({BOB}), frozenset({BOB})
)


def called(account: Identity, **more: object) -> Identity:
    return replace(account, person=replace(account.person, **more))  # type: ignore[arg-type]


def test_who_has_the_same_address_is_the_same_person_whatever_they_are_called() -> None:
    assert counterpart(HERE, [THERE]) == THERE.person


def test_who_is_called_the_same_is_somebody_else() -> None:
    namesake = replace(
        called(THERE, name="Bob Stone"), addresses=frozenset({"bob2@acme.example"})
    )

    assert counterpart(HERE, [namesake]) is None


def test_an_address_that_nobody_has_proven_to_be_the_companys_is_no_proof() -> None:
    assert counterpart(HERE, [replace(THERE, proven=frozenset())]) is None


def test_the_proof_may_come_from_either_side() -> None:
    assert counterpart(THERE, [HERE]) == HERE.person


def test_two_accounts_under_one_address_are_nobody_for_certain() -> None:
    other = called(THERE, id="29:bobby")

    assert counterpart(HERE, [THERE, other]) is None


@pytest.mark.parametrize(
    "claim",
    [
        called(THERE, id="29:guest", kind=PersonKind.GUEST),
        called(THERE, id="29:gone"),
    ],
)
def test_a_guests_or_a_leavers_claim_makes_the_answer_uncertain(
    claim: Identity,
) -> None:
    claim = replace(claim, active=claim.person.id != "29:gone")

    assert counterpart(HERE, [THERE, claim]) is None
    assert counterpart(HERE, [claim]) is None


@pytest.mark.parametrize(
    "kind",
    [PersonKind.GUEST, PersonKind.EXTERNAL, PersonKind.BOT, PersonKind.SYSTEM],
)
def test_only_people_of_the_house_have_a_counterpart(kind: PersonKind) -> None:
    assert counterpart(called(HERE, kind=kind), [THERE]) is None
    assert counterpart(HERE, [called(THERE, kind=kind)]) is None


def test_the_deactivated_have_no_counterpart() -> None:
    assert counterpart(replace(HERE, active=False), [THERE]) is None


def test_the_same_directory_id_is_the_same_person() -> None:
    one = replace(THERE, addresses=frozenset(), directory_id="c0")
    other = called(one, id="29:bob-in-another-team")

    assert counterpart(one, [other]) == other.person


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (" Bob@ACME.example ", BOB),
        ("b\u043eb@acme.example", "b\u043eb@acme.example"),  # not an o
        ("\u212aim@acme.example", "\u212aim@acme.example"),  # not a K
        ("bob", ""),
        ("@acme.example", ""),
        ("bob@", ""),
        ("bob stone@acme.example", ""),
        ("bob@acme.example\u202e", ""),
        ("", ""),
    ],
)
def test_addresses_are_compared_without_case_and_nothing_more(
    text: str, meant: str
) -> None:
    assert address(text) == meant


def test_plus_and_dots_are_part_of_an_address() -> None:
    assert address("bob+x@acme.example") != address("bob@acme.example")
    assert domain_of("bob+x@acme.example") == "acme.example"


@given(st.emails(), st.emails())
def test_different_addresses_stay_different(one: str, other: str) -> None:
    same = one.lower() == other.lower()

    assert (address(one) == address(other)) is same


@dataclass
class FakeAccounts:
    known: list[Identity] = field(default_factory=list)
    asked: list[Collection[str]] = field(default_factory=list)

    async def described(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Identity]:
        return {one.person.id: one for one in self.known if one.person.id in ids}

    async def holders(
        self, channel: Channel, addresses: Collection[str]
    ) -> Sequence[Identity]:
        self.asked.append(addresses)
        return [one for one in self.known if one.addresses & set(addresses)]


async def test_everybody_mentioned_is_found_in_one_question() -> None:
    slack, teams = FakeAccounts([HERE]), FakeAccounts([THERE])
    people = PeopleByAddress({Platform.SLACK: slack, Platform.TEAMS: teams})

    found = await people.counterparts(FALCON, ["U02BOB", "U99GONE"], PROJECT)

    assert found == {"U02BOB": THERE.person}
    assert teams.asked == [{BOB}]


async def test_who_has_no_address_is_not_asked_for() -> None:
    slack = FakeAccounts([replace(HERE, addresses=frozenset())])
    teams = FakeAccounts([THERE])
    people = PeopleByAddress({Platform.SLACK: slack, Platform.TEAMS: teams})

    assert await people.counterparts(FALCON, ["U02BOB"], PROJECT) == {}
    assert teams.asked == []


async def test_a_platform_that_is_not_set_up_knows_nobody() -> None:
    people = PeopleByAddress({Platform.SLACK: FakeAccounts([HERE])})

    assert await people.counterparts(FALCON, ["U02BOB"], PROJECT) == {}
