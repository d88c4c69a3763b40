"""PATCH does what RFC 7644 section 3.5.2 says, and no more than was meant."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.scim import ScimKind
from policy.directory.scim.patching import PATCH, Operation, Patch, operations
from policy.directory.scim.problems import Problem
from policy.directory.scim.schemas import shape
from policy.directory.scim.urns import ENTERPRISE, USER

USERS, GROUPS = shape(ScimKind.USER), shape(ScimKind.GROUP)
ANA: dict[str, Any] = {
    "userName": "ana",
    "title": "CFO",
    "name": {"givenName": "Ana", "familyName": "Smith"},
    "emails": [
        {"type": "work", "value": "ana@acme.example", "primary": True},
        {"type": "home", "value": "ana@home.example"},
    ],
    ENTERPRISE: {"department": "Finance", "costCenter": "7"},
}
STAFF: dict[str, Any] = {
    "displayName": "staff",
    "members": [{"value": f"u{n}", "type": "User"} for n in range(4)],
}


def patched(
    document: dict[str, Any], *steps: dict[str, Any], group: bool = False
) -> dict[str, Any]:
    read = operations({"schemas": [PATCH], "Operations": list(steps)})
    return Patch.of(GROUPS if group else USERS, document, read).document


def people(document: dict[str, Any]) -> list[str]:
    return [member["value"] for member in document.get("members", [])]


def refused(
    document: dict[str, Any], *steps: dict[str, Any], group: bool = False
) -> str:
    with pytest.raises(Problem) as caught:
        patched(document, *steps, group=group)
    assert caught.value.status == 400
    return caught.value.scim_type


@pytest.mark.parametrize("op", ["add", "Add", "replace", "Replace", "REPLACE"])
def test_a_simple_attribute_is_set(op: str) -> None:
    after = patched(ANA, {"op": op, "path": "title", "value": "CEO"})

    assert after == {**ANA, "title": "CEO"}


@pytest.mark.parametrize(
    "path", ["title", "TITLE", f"{USER}:title", f"{USER.upper()}:title"]
)
def test_names_have_any_case_and_may_have_their_schema(path: str) -> None:
    assert "title" not in patched(ANA, {"op": "remove", "path": path})


def test_what_a_complex_value_does_not_name_stays() -> None:
    step = {"op": "replace", "path": "name", "value": {"givenName": "Ann"}}

    assert patched(ANA, step)["name"] == {"givenName": "Ann", "familyName": "Smith"}


def test_null_takes_a_value_away() -> None:
    after = patched(
        ANA,
        {"op": "replace", "path": "title", "value": None},
        {"op": "replace", "path": "name.givenName", "value": None},
        {"op": "replace", "path": "emails", "value": []},
    )

    assert after == {
        "userName": "ana",
        "name": {"familyName": "Smith"},
        ENTERPRISE: ANA[ENTERPRISE],
    }


def test_what_is_left_without_any_value_is_gone() -> None:
    after = patched(
        ANA,
        {"op": "remove", "path": "name.givenName"},
        {"op": "remove", "path": "name.familyName"},
        {"op": "remove", "path": f"{ENTERPRISE}:department"},
        {"op": "remove", "path": f"{ENTERPRISE}:costCenter"},
        {"op": "remove", "path": "emails[value pr]"},
    )

    assert after == {"userName": "ana", "title": "CFO"}


def test_an_added_value_joins_those_there_are_and_none_is_there_twice() -> None:
    new = {"type": "other", "value": "a@b.example"}

    once = patched(ANA, {"op": "add", "path": "emails", "value": [new]})
    twice = patched(once, {"op": "add", "path": "emails", "value": new})

    assert once["emails"] == [*ANA["emails"], new]
    assert twice == once


def test_a_new_primary_value_takes_that_from_the_old_one() -> None:
    new = {"type": "other", "value": "a@b.example", "primary": True}

    after = patched(ANA, {"op": "add", "path": "emails", "value": [new]})

    assert [e.get("primary") for e in after["emails"]] == [False, None, True]


def test_two_primary_values_in_one_are_refused() -> None:
    new = [{"value": "a@b.c", "primary": True}, {"value": "d@e.f", "primary": True}]

    assert refused(ANA, {"op": "add", "path": "emails", "value": new}) == "invalidValue"


@pytest.mark.parametrize(
    ("path", "value", "after"),
    [
        ('emails[type eq "work"].value', "new@x.y", ["new@x.y", "ana@home.example"]),
        ('emails[type eq "WORK"]', {"value": "n@x.y"}, ["n@x.y", "ana@home.example"]),
        ('emails[primary eq "True"].value', "n@x.y", ["n@x.y", "ana@home.example"]),
        ("emails[not (primary pr)].value", "n@x.y", ["ana@acme.example", "n@x.y"]),
        ('emails[type eq "other"].value', "n@x.y", None),
    ],
)
def test_a_selected_value_is_replaced_or_made(
    path: str, value: Any, after: list[str] | None
) -> None:
    now = patched(ANA, {"op": "replace", "path": path, "value": value})

    values = [each["value"] for each in now["emails"]]
    assert values == (after or ["ana@acme.example", "ana@home.example", value])
    if after is None:
        assert now["emails"][2] == {"type": "other", "value": value}


@pytest.mark.parametrize(
    "selection", ['type ne "x" and value sw "q"', 'value co "q"', "display pr"]
)
def test_what_is_not_selected_by_equality_is_not_made_up(selection: str) -> None:
    step = {"op": "replace", "path": f"emails[{selection}].display", "value": "x"}

    assert refused(ANA, step) == "noTarget"


@pytest.mark.parametrize(
    ("step", "left"),
    [
        ({"path": "members", "value": [{"value": "u1"}]}, ["u0", "u2", "u3"]),
        ({"path": "members", "value": {"value": "u1"}}, ["u0", "u2", "u3"]),
        ({"path": "members", "value": ["u1", "u2"]}, ["u0", "u3"]),
        ({"path": "members", "value": []}, ["u0", "u1", "u2", "u3"]),
        ({"path": "members", "value": [{"value": "no"}]}, ["u0", "u1", "u2", "u3"]),
        (
            {"path": "members", "value": [{"value": "u1", "$ref": None}]},
            ["u0", "u2", "u3"],
        ),
        ({"path": 'members[value eq "u1"]'}, ["u0", "u2", "u3"]),
        ({"path": 'members[value eq "no"]'}, ["u0", "u1", "u2", "u3"]),
        ({"path": 'members[value eq "u1" or value eq "u2"]'}, ["u0", "u3"]),
        ({"path": 'members[value ne "u1"]'}, ["u1"]),
        ({"path": "members"}, []),
    ],
)
def test_exactly_the_members_that_are_named_go(
    step: dict[str, Any], left: list[str]
) -> None:
    assert people(patched(STAFF, {"op": "Remove", **step}, group=True)) == left


def test_a_member_cannot_become_another_one() -> None:
    path = 'members[value eq "u1"]'

    for step in (
        {"op": "replace", "path": f"{path}.value", "value": "u9"},
        {"op": "remove", "path": f"{path}.value"},
        {"op": "replace", "path": path, "value": {"value": "u9"}},
        {"op": "replace", "path": "members.value", "value": "u9"},
    ):
        assert refused(STAFF, step, group=True) == "mutability"


@pytest.mark.parametrize(
    "step",
    [
        {"op": "replace", "path": "id", "value": "x"},
        {"op": "add", "path": "meta.version", "value": "x"},
        {"op": "add", "path": "groups", "value": [{"value": "x"}]},
        {"op": "remove", "path": "schemas"},
        {"op": "add", "path": f"{ENTERPRISE}:manager.displayName", "value": "x"},
    ],
)
def test_what_is_read_only_is_not_written_by_a_path(step: dict[str, Any]) -> None:
    assert refused(ANA, step) == "mutability"


def test_without_a_path_what_is_read_only_or_unknown_is_passed_over() -> None:
    value = {"id": "x", "meta": {}, "shoeSize": 7, "groups": [], "title": "CEO"}

    assert patched(ANA, {"op": "replace", "value": value}) == {**ANA, "title": "CEO"}


def test_keys_may_be_paths_schemas_or_selections() -> None:
    after = patched(
        ANA,
        {
            "op": "replace",
            "value": {
                "name.givenName": "Ann",
                f"{ENTERPRISE}:department": "Sales",
                ENTERPRISE: {"costCenter": "8", "shoeSize": "7"},
                'emails[type eq "work"].value': "n@x.y",
                'phoneNumbers[type eq "work"].value': "+49",
            },
        },
    )

    assert after["name"] == {"givenName": "Ann", "familyName": "Smith"}
    assert after[ENTERPRISE] == {"department": "Sales", "costCenter": "8"}
    assert after["emails"][0]["value"] == "n@x.y"
    assert after["phoneNumbers"] == [{"type": "work", "value": "+49"}]


def test_an_extension_comes_and_goes_as_a_whole() -> None:
    gone = patched(ANA, {"op": "remove", "path": ENTERPRISE})
    back = patched(
        gone, {"op": "add", "path": ENTERPRISE, "value": {"department": "Sales"}}
    )

    assert ENTERPRISE not in gone
    assert back[ENTERPRISE] == {"department": "Sales"}


def test_a_manager_may_be_a_text_and_a_role_json_in_one() -> None:
    after = patched(
        ANA,
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "boss"},
        {
            "op": "Add",
            "path": "roles",
            "value": ['{"id": "1", "value": "Approver", "displayName": "Approver"}'],
        },
    )

    assert after[ENTERPRISE]["manager"] == {"value": "boss"}
    assert after["roles"] == [{"value": "Approver", "display": "Approver"}]


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ({"op": "move", "path": "title", "value": "x"}, "invalidSyntax"),
        ({"op": None}, "invalidSyntax"),
        ({"op": "remove"}, "noTarget"),
        ({"op": "add", "value": "x"}, "invalidValue"),
        ({"op": "add", "path": "title"}, "invalidValue"),
        ({"op": "add", "path": "title", "value": {"a": 1}}, "invalidValue"),
        ({"op": "add", "path": "active", "value": "perhaps"}, "invalidValue"),
        ({"op": "add", "path": "shoeSize", "value": 1}, "invalidPath"),
        ({"op": "add", "path": "name.shoeSize", "value": 1}, "invalidPath"),
        ({"op": "add", "path": "emails[", "value": 1}, "invalidPath"),
        ({"op": "add", "path": 'title[value eq "x"]', "value": 1}, "invalidPath"),
        ({"op": "add", "path": 'title eq "x"', "value": 1}, "invalidPath"),
        ({"op": "add", "path": 'emails[a eq "x"].value', "value": 1}, "invalidFilter"),
        ({"op": "add", "path": 7, "value": 1}, "invalidPath"),
        ({"op": "replace", "path": "userName", "value": ""}, "invalidValue"),
        ({"op": "remove", "path": "userName"}, "mutability"),
        ({"op": "add", "path": "password", "value": "x"}, "invalidValue"),
        ({"op": "add", "value": {"password": "x"}}, "invalidValue"),
        ({"op": "add", "path": f"{USER}:password", "value": "x"}, "invalidValue"),
    ],
)
def test_what_cannot_be_done_says_which_of_the_rfcs_reasons_it_is(
    step: dict[str, Any], kind: str
) -> None:
    assert refused(ANA, step) == kind


def test_attributes_of_schemas_that_are_not_known_are_left_out() -> None:
    path = "urn:ietf:params:scim:schemas:extension:custom:2.0:User:shoeSize"

    assert patched(ANA, {"op": "add", "path": path, "value": "7"}) == ANA


IDS = st.sampled_from([f"u{n}" for n in range(8)])
MEMBERS = st.lists(IDS, unique=True, max_size=8)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "take", "select", "replace", "bare"]),
        st.lists(IDS, max_size=4),
    ),
    max_size=6,
)


def as_step(kind: str, ids: list[str]) -> list[dict[str, Any]]:
    value = [{"value": each} for each in ids]
    match kind:
        case "add":
            return [{"op": "Add", "path": "members", "value": value}]
        case "take":
            return [{"op": "Remove", "path": "members", "value": value}]
        case "select":
            return [
                {"op": "remove", "path": f'members[value eq "{each}"]'} for each in ids
            ]
        case "replace":
            return [{"op": "replace", "path": "members", "value": value}]
    return [{"op": "remove", "path": "members"}]


def by_sets(members: set[str], kind: str, ids: list[str]) -> set[str]:
    match kind:
        case "add":
            return members | set(ids)
        case "take" | "select":
            return members - set(ids)
        case "replace":
            return set(ids)
    return set()


@given(MEMBERS, STEPS)
def test_members_change_as_sets_do(
    members: list[str], steps: list[tuple[str, list[str]]]
) -> None:
    before = {"displayName": "g", "members": [{"value": m} for m in members]}
    wanted, several = set(members), list[dict[str, Any]]()
    for kind, ids in steps:
        wanted = by_sets(wanted, kind, ids)
        several += as_step(kind, ids)
    if not several:
        return

    after = patched(before, *several, group=True)

    assert set(people(after)) == wanted
    assert len(people(after)) == len(wanted)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["value", "type", "primary", "givenName", "title", "emails"]
            )
            | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
PATHS = st.sampled_from(
    (
        *("", "title", "active", "name", "name.givenName", "emails", "emails.value"),
        *('emails[type eq "work"]', 'emails[type eq "work"].value', "roles", "id"),
        *(ENTERPRISE, f"{ENTERPRISE}:manager", f"{ENTERPRISE}:manager.value"),
    )
) | st.text(max_size=8)
OPERATIONS = st.lists(
    st.builds(Operation, st.sampled_from(["add", "replace", "remove"]), PATHS, VALUES),
    min_size=1,
    max_size=4,
)


@given(OPERATIONS)
def test_whatever_comes_is_done_or_refused_and_the_original_stays(
    steps: list[Operation],
) -> None:
    before = deepcopy(ANA)
    try:
        after = Patch.of(USERS, before, steps).document
    except Problem as problem:
        after = {"userName": problem.scim_type}

    assert before == ANA
    assert after["userName"]
    assert set(after) <= {a.name for a in USERS.attributes.values()} | {ENTERPRISE}
    assert not {"id", "schemas", "meta", "groups"} & set(after)
    assert all(value not in (None, [], {}) for value in after.values())


@given(OPERATIONS)
def test_what_only_replaces_does_the_same_when_it_is_done_again(
    steps: list[Operation],
) -> None:
    same = [Operation("replace", step.path, step.value) for step in steps]
    try:
        once = Patch.of(USERS, ANA, same).document
        twice = Patch.of(USERS, once, same).document
    except Problem:
        return

    assert twice == once
