"""What is shown, in which order, and what the directory is told of it."""

from typing import Any

import pytest

from bridge.directory.model import Edge, Fate, Gone, Kind, Standing
from bridge.directory.scim import Kept, Member, ScimKind
from bridge.errors import BadInput
from policy.directory.scim.brake import Brake
from policy.directory.scim.mapping import Translation
from policy.directory.scim.problems import Problem
from policy.directory.scim.schemas import shape
from policy.directory.scim.showing import Wanted, in_order
from policy.directory.scim.targets import tagged
from policy.directory.scim.urns import ENTERPRISE, USER

USERS = shape(ScimKind.USER)
ANA: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "id": "1",
    "externalId": "E1",
    "userName": "ana",
    "name": {"givenName": "Ana", "familyName": "Smith"},
    "active": True,
    "emails": [{"type": "home", "value": "h"}, {"value": "w", "primary": True}],
    "roles": [{"value": "Approver"}, {"value": "policy-admin"}],
    ENTERPRISE: {"department": "Finance", "costCenter": "7"},
}
ALWAYS = {"schemas", "id"}


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("userName",), {"userName": "ana"}),
        (("USERNAME", "shoeSize", "]["), {"userName": "ana"}),
        ((f"{USER}:userName",), {"userName": "ana"}),
        (("name.givenName",), {"name": {"givenName": "Ana"}}),
        (("emails.value",), {"emails": [{"value": "h"}, {"value": "w"}]}),
        ((f"{ENTERPRISE}:department",), {ENTERPRISE: {"department": "Finance"}}),
        ((ENTERPRISE,), {ENTERPRISE: ANA[ENTERPRISE]}),
        (("title",), {}),
    ],
)
def test_what_is_asked_for_is_shown_and_what_always_is(
    names: tuple[str, ...], shown: dict[str, Any]
) -> None:
    found = Wanted(only=names).of(USERS, ANA)

    assert {key: found[key] for key in found if key not in ALWAYS} == shown
    assert set(found) >= ALWAYS


@pytest.mark.parametrize(
    ("names", "gone"),
    [
        (("emails",), "emails"),
        ((ENTERPRISE,), ENTERPRISE),
        (("id", "schemas"), ""),
    ],
)
def test_what_is_not_wanted_is_left_out_unless_it_always_is_shown(
    names: tuple[str, ...], gone: str
) -> None:
    found = Wanted(without=names).of(USERS, ANA)

    assert found == {key: value for key, value in ANA.items() if key != gone}


def test_a_part_of_a_value_is_left_out_alone() -> None:
    found = Wanted(without=("name.givenName", f"{ENTERPRISE}:costCenter")).of(
        USERS, ANA
    )

    assert found["name"] == {"familyName": "Smith"}
    assert found[ENTERPRISE] == {"department": "Finance"}


@pytest.mark.parametrize(
    ("by", "order"),
    [
        ("userName", ["a", "B", "c", "D"]),
        ("externalId", ["B", "a", "c", "D"]),
        ("emails", ["c", "B", "a", "D"]),
        ("meta.created", ["D", "c", "B", "a"]),
    ],
)
def test_an_order_has_case_as_the_attribute_does_and_nothing_last(
    by: str, order: list[str]
) -> None:
    documents: list[dict[str, Any]] = [
        {
            "userName": "B",
            "externalId": "X",
            "emails": [{"value": "z"}, {"value": "m", "primary": True}],
            "meta": {"created": "2030-01-01T02:00:00Z"},
        },
        {
            "userName": "a",
            "externalId": "x",
            "emails": [{"value": "N"}],
            "meta": {"created": "2030-01-01T02:30:00Z"},
        },
        {
            "userName": "c",
            "externalId": "y",
            "emails": [{"value": "a"}],
            "meta": {"created": "2030-01-01T02:30:00+02:00"},
        },
        {"userName": "D", "meta": {"created": "2029-01-01T00:00:00Z"}},
    ]

    up = in_order(USERS, documents, by, descending=False)
    down = in_order(USERS, documents, by, descending=True)

    assert [each["userName"] for each in up] == order
    assert [each["userName"] for each in down] == order[::-1]


@pytest.mark.parametrize("by", ["name", "shoeSize", 'emails[type eq "x"]', "("])
def test_what_cannot_be_sorted_by_is_refused(by: str) -> None:
    with pytest.raises(Problem, match="sortBy"):
        in_order(USERS, [], by, descending=False)


@pytest.mark.parametrize(
    ("tags", "same"),
    [
        ('W/"3"', True),
        ('"3"', True),
        ("*", True),
        ('"1", W/"3"', True),
        ('"33"', False),
    ],
)
def test_a_version_is_named_by_its_tag(tags: str, *, same: bool) -> None:
    assert tagged(tags, 3) is same


def kept(document: dict[str, Any], *, deleted: bool = False) -> Kept:
    return Kept(ScimKind.USER, "1", 1, 7, 0, 0, document, deleted=deleted)


def test_a_user_is_a_person_by_its_id_with_what_joins_sources() -> None:
    translation = Translation({"approver": "payments"}, external="employee_id")

    person = translation.entry(kept(ANA))

    assert (person.kind, person.id, person.name) == (Kind.PERSON, "1", "Ana Smith")
    assert person.parents == {"payments"}
    assert person.attributes == {
        "employee_id": "E1",
        "user_name": "ana",
        "mail": "w",
        "given_name": "Ana",
        "family_name": "Smith",
        "department": "Finance",
        "cost_center": "7",
    }


@pytest.mark.parametrize(
    ("document", "standing"),
    [
        ({"active": True}, Standing.ACTIVE),
        ({"active": False}, Standing.DISABLED),
        ({}, Standing.DISABLED),
    ],
)
def test_only_who_is_said_to_be_active_is(
    document: dict[str, Any], standing: Standing
) -> None:
    assert Translation().entry(kept({"userName": "x", **document})).standing is standing


def test_roles_count_only_as_configuration_says_and_never_make_admins() -> None:
    assert Translation().entry(kept(ANA)).parents == frozenset()
    with pytest.raises(BadInput, match="ATOM_SCIM_ADMIN_ROLES"):
        Translation({"policy-admin": "policy-admin"})
    allowed = Translation({"policy-admin": "policy-admin"}, admin_roles=True)
    assert allowed.entry(kept(ANA)).parents == {"policy-admin"}


def test_a_change_tells_of_edges_and_a_deletion_of_all_that_ends() -> None:
    told = Translation().changed(kept(ANA), [Member("2", ScimKind.USER)], ["3"])
    gone = Translation().changed(kept({}, deleted=True), (), ["2"], ["g"])

    assert (told.joined, told.left) == ((Edge("2", "1"),), (Edge("3", "1"),))
    assert (told.whole, told.complete, told.cursor) == (False, True, b"7")
    assert gone.gone == (Gone("1", Fate.DELETED),)
    assert gone.left == (Edge("2", "1"), Edge("1", "g"))
    assert gone.entries == ()


@pytest.mark.parametrize(
    ("before", "leaving", "holds"),
    [
        (500, 500, True),
        (500, 151, True),
        (500, 150, False),
        (11, 11, True),
        (10, 10, False),
        (0, 0, False),
    ],
)
def test_the_brake_holds_many_and_a_large_part(
    before: int, leaving: int, *, holds: bool
) -> None:
    assert Brake().holds(before, leaving) is holds
