"""Whose an account is at first sight: what is vouched for counts, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.directory.model import Standing, Subject
from bridge.identities import Identity
from bridge.messages import Person, PersonKind, Platform
from policy.linking import Claim, Registry, claim, vouched

HERS = Account(Platform.SLACK, "T01ACME", "U01ALICE")
MAIL = "alice@acme.example"
ALICE = Subject("p-alice", "Alice Wong")


def identity(
    kind: PersonKind = PersonKind.USER, *addresses: str, active: bool = True
) -> Identity:
    person = Person(Platform.SLACK, HERS.user, "Alice", kind=kind)
    held = frozenset(addresses or (MAIL,))
    return Identity(person, held, held, active=active)


@dataclass
class Book:
    """A directory of people by address, and what accounts they have."""

    people: dict[str, list[Subject]] = field(default_factory=lambda: {MAIL: [ALICE]})
    taken: dict[str, list[AccountLink]] = field(default_factory=dict)
    given: Subject | None = None

    def under(self, address: str) -> Sequence[Subject]:
        return self.people.get(address, ())

    @property
    def registry(self) -> Registry:
        return Registry(
            lambda _a, _i: self.given, self.under, lambda id_: self.taken.get(id_, ())
        )

    def claim(self, one: Identity, account: Account = HERS) -> Claim | None:
        return claim(account, one, self.registry)


def test_the_same_proven_address_is_as_sure_as_one() -> None:
    found = Book().claim(identity())

    assert found is not None
    assert found.link == AccountLink(HERS, "p-alice", Confidence.ADDRESS, How.ADDRESS)
    assert found.address == MAIL


def test_an_id_that_the_directory_names_is_surer_than_any_address() -> None:
    ben = Subject("p-ben", "Ben Ode")

    found = Book(given=ben).claim(identity())

    assert found is not None
    assert (found.link.person, found.link.confidence) == ("p-ben", 2)


@pytest.mark.parametrize("kind", [PersonKind.GUEST, PersonKind.EXTERNAL])
def test_a_guest_under_an_employees_address_is_nobodys_and_reported(
    kind: PersonKind,
) -> None:
    """Scenario 21: whoever sets the victim's address gets nothing but a report."""
    found = Book(given=ALICE).claim(identity(kind))

    assert found is not None
    assert found.refused
    assert (found.link.person, found.link.confidence) == ("", 0)
    assert "Alice Wong" in found.text
    assert found.whose == "p-alice"  # who is told of it


def test_another_tenants_account_is_not_vouched_for() -> None:
    """Scenario 21: an Entra tenant of one's own says whatever one likes."""
    theirs = Account(Platform.TEAMS, "tid-acme", "29:mallory")
    mallory = Person(Platform.TEAMS, "29:mallory", kind=PersonKind.USER)
    unproven = Identity(mallory, frozenset({MAIL}), frozenset())

    assert Book().claim(unproven, theirs) is None


@pytest.mark.parametrize(
    "people",
    [
        [ALICE, Subject("p-new", "Alice Wong", Standing.ACTIVE)],
        [Subject("p-old", "Old Alice", Standing.LEFT), ALICE],
        [replace(ALICE, standing=Standing.LEFT)],
        [replace(ALICE, standing=Standing.DISABLED)],
        [replace(ALICE, guest=True)],
    ],
    ids=["two", "one who left had it", "left", "disabled", "guest"],
)
def test_an_address_that_leaves_a_doubt_links_nobody(people: list[Subject]) -> None:
    """A new hire under a leaver's address inherits nothing, nor does the leaver."""
    found = Book({MAIL: people}).claim(identity())

    assert found is not None
    assert found.refused
    assert found.link.person == ""
    assert found.whose == ""


def test_somebody_who_has_an_account_there_does_not_get_a_second_by_address() -> None:
    first = AccountLink(
        replace(HERS, user="U99"), "p-alice", Confidence.ADDRESS, How.ADDRESS
    )

    found = Book(taken={"p-alice": [first]}).claim(identity())

    assert found is not None
    assert found.refused
    assert "U99" in found.text


def test_an_account_like_nobodys_leaves_nothing_behind() -> None:
    assert Book().claim(identity(PersonKind.USER, "zoe@acme.example")) is None
    assert Book().claim(identity(PersonKind.GUEST, "zoe@acme.example")) is None
    assert Book().claim(identity(PersonKind.BOT)) is None


@given(st.text(min_size=1, max_size=12))
def test_nothing_is_normalised(text: str) -> None:
    """A homograph of an address is another address, whatever letters it is made of."""
    address = f"{text}@acme.example"
    found = Book().claim(identity(PersonKind.USER, address))

    assert (found is not None) == (address == MAIL)
    assert all(each.isascii() for each in vouched(identity(PersonKind.USER, address)))
