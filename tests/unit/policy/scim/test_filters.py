"""Filters find what RFC 7644 says: by its own examples, and by an oracle of our own."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import EnterpriseUser, ScimFilter, User

from bridge.directory.scim import Lookup, ScimKind
from policy.directory.scim.filters import Filter
from policy.directory.scim.problems import Problem
from policy.directory.scim.schemas import shape
from policy.directory.scim.urns import ENTERPRISE, USER

ANA: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "id": "2819c223",
    "externalId": "Ext-1",
    "userName": "bJensen@acme.example",
    "name": {"familyName": "O'Malley", "givenName": "Ana"},
    "title": "Straße 7",
    "active": True,
    "userType": "Employee",
    "emails": [
        {"type": "work", "value": "bjensen@example.com", "primary": True},
        {"type": "home", "value": "ana@home.org"},
    ],
    "meta": {
        "resourceType": "User",
        "lastModified": "2011-05-13T04:42:34Z",
        "created": "2010-01-23T04:56:22.000Z",
    },
    ENTERPRISE: {"department": "Finance", "manager": {"value": "boss"}},
}
USERS = shape(ScimKind.USER)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ('userName eq "bjensen@ACME.example"', True),
        ('USERNAME Eq "bjensen@acme.example"', True),
        ('name.familyName co "O\'Malley"', True),
        ('name.familyName co "o\'m"', True),
        ('userName sw "BJ"', True),
        (f'{USER}:userName sw "BJ"', True),
        ('userName ew "EXAMPLE"', True),
        ("title pr", True),
        ("nickName pr", False),
        ("not (nickName pr)", True),
        ('title eq "STRAßE 7"', True),
        ('title eq "STRASSE 7"', False),
        ('meta.lastModified gt "2011-05-13T04:42:33Z"', True),
        ('meta.lastModified ge "2011-05-13T06:42:34+02:00"', True),
        ('meta.lastModified lt "2011-05-13T04:42:34Z"', False),
        ('meta.lastModified eq "2011-05-13T04:42:34.000Z"', True),
        ('id eq "2819c223"', True),
        ('id eq "2819C223"', False),
        ('externalId eq "ext-1"', False),
        ('schemas eq "' + ENTERPRISE + '"', True),
        ("active eq true", True),
        ('active eq "True"', True),
        ("active ne true", False),
        ('emails eq "ANA@home.org"', True),
        ('emails.type eq "work"', True),
        ('emails[type eq "work" and value co "@example.com"]', True),
        ('emails[type eq "home" and value co "@example.com"]', False),
        ('emails[type eq "work"].value eq "bjensen@example.com"', True),
        ("emails[primary eq true]", True),
        ("emails[not (primary pr)]", True),
        ('emails.value ne "ana@home.org"', False),
        ('userType eq "Employee" and (emails co "example.com" or title pr)', True),
        ('userType ne "Employee" and not (emails co "example.com" or title pr)', False),
        ('title pr or userType eq "Intern" and active eq false', True),
        ('(title pr or userType eq "Intern") and active eq false', False),
        (f'{ENTERPRISE}:department eq "finance"', True),
        (f'{ENTERPRISE}:manager.value eq "boss"', True),
        (f'{ENTERPRISE}:manager eq "boss"', True),
        (f'{ENTERPRISE}:manager eq "Boss"', False),
        (f"{ENTERPRISE}:costCenter pr", False),
        ("nickName eq null", True),
        ("title eq null", False),
        ("title ne null", True),
        ('nickName ne "x"', True),
        ('nickName eq "x"', False),
        ('userName gt "a" and userName lt "c"', True),
        ('title eq "Stra\\u00dfe 7"', True),
    ],
)
def test_a_filter_means_what_the_rfc_says(text: str, *, matches: bool) -> None:
    assert Filter.of(USERS, text).matches(ANA) is matches


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userName",
        "userName eq",
        "userName eq 'x'",
        'userName zz "x"',
        "shoeSize pr",
        "name.shoeSize pr",
        "userName eq 5",
        "active gt true",
        'active co "t"',
        'x509Certificates.value gt "x"',
        'meta.created gt "yesterday"',
        "title gt null",
        'name eq "x"',
        'name[givenName eq "x"]',
        'userName[value eq "x"]',
        'emails[shoeSize eq "x"]',
        'emails[value eq "x"',
        'userName eq "x" and',
        'urn:nobody:User:userName eq "x"',
        'password eq "x"',
        "not title pr",
    ],
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        Filter.of(USERS, text)

    assert (caught.value.status, caught.value.scim_type) == (400, "invalidFilter")


@pytest.mark.parametrize(
    ("text", "lookup"),
    [
        ('userName eq "Ana"', Lookup(label="Ana")),
        (f'{USER}:userName eq "Ana" and active eq true', Lookup(label="Ana")),
        ('id eq "1" and externalId eq "2"', Lookup(id="1", external="2")),
        ('userName eq "Ana" or externalId eq "2"', Lookup()),
        ('not (userName eq "Ana")', Lookup()),
        ('userName ne "Ana"', Lookup()),
        ('name.givenName eq "Ana"', Lookup()),
        (f'{ENTERPRISE}:department eq "x"', Lookup()),
    ],
)
def test_what_every_match_has_is_looked_up(text: str, lookup: Lookup) -> None:
    assert Filter.of(USERS, text).lookup() == lookup


@pytest.mark.parametrize(
    "text", ['members eq "1"', 'members.value eq "1"', 'members[value eq "1"]']
)
def test_groups_are_looked_up_by_a_member(text: str) -> None:
    groups = shape(ScimKind.GROUP)

    assert Filter.of(groups, f'id eq "g" and {text}').lookup() == Lookup(
        id="g", member="1"
    )


# The oracle: the same question asked of two texts, written as Python.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6
)
COMPARED = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])
ATTRIBUTES = st.sampled_from(["userName", "title", "nickName", "externalId"])


def quoted(text: str) -> str:
    return ScimFilter.quote(text)


def said(op: str, left: str | None, right: str) -> bool:
    if left is None:
        return op == "ne"
    return {
        "eq": left == right,
        "ne": left != right,
        "co": right in left,
        "sw": left.startswith(right),
        "ew": left.endswith(right),
        "gt": left > right,
        "ge": left >= right,
        "lt": left < right,
        "le": left <= right,
    }[op]


Tree = Any


def trees() -> st.SearchStrategy[Tree]:
    leaf = st.tuples(ATTRIBUTES, COMPARED, st.sampled_from(["a", "A", "ab", "b", "ß"]))
    present = st.tuples(ATTRIBUTES, st.just("pr"), st.just(""))
    return st.recursive(
        leaf | present,
        lambda inner: (
            st.tuples(st.sampled_from(["and", "or"]), inner, inner)
            | st.tuples(st.just("not"), inner)
        ),
        max_leaves=8,
    )


def written(tree: Tree) -> str:
    match tree:
        case ("not", inner):
            return f"not ({written(inner)})"
        case ("and" | "or" as op, left, right):
            return f"({written(left)}) {op} ({written(right)})"
        case (attribute, "pr", _):
            return f"{attribute} pr"
        case (attribute, op, value):
            return f"{attribute} {op} {quoted(value)}"
    raise AssertionError(tree)


def true_of(tree: Tree, document: dict[str, str]) -> bool:
    match tree:
        case ("not", inner):
            return not true_of(inner, document)
        case ("and", left, right):
            return true_of(left, document) and true_of(right, document)
        case ("or", left, right):
            return true_of(left, document) or true_of(right, document)
        case (attribute, "pr", _):
            return bool(document.get(attribute))
        case (attribute, op, value):
            left, right = document.get(attribute), value
            if attribute != "externalId":
                left, right = left and left.lower(), right.lower()
            return said(op, left, right)
    raise AssertionError(tree)


DOCUMENTS = st.dictionaries(ATTRIBUTES, st.sampled_from(["a", "A", "Ab", "b", "ss"]))


@given(trees(), DOCUMENTS)
def test_any_tree_of_conditions_is_true_when_the_oracle_says_so(
    tree: Tree, document: dict[str, str]
) -> None:
    assert Filter.of(USERS, written(tree)).matches(document) is true_of(tree, document)


@given(trees(), DOCUMENTS.filter(lambda d: "userName" in d))
def test_scim2_models_agrees(tree: Tree, document: dict[str, str]) -> None:
    text = written(tree)
    model = User[EnterpriseUser].model_validate(document)

    assert Filter.of(USERS, text).matches(document) is ScimFilter[User[EnterpriseUser]](
        text
    ).match(model)


@given(ATTRIBUTES, COMPARED, TEXTS, TEXTS)
def test_no_value_gets_out_of_its_quotes(
    attribute: str, op: str, value: str, kept: str
) -> None:
    text = f"{attribute} {op} {quoted(value)}"
    exact = attribute == "externalId"

    found = Filter.of(USERS, text).matches({attribute: kept})

    if op == "eq" and exact:
        assert found is (value == kept)
    if op == "eq" and value == kept:
        assert found


@given(trees(), st.sampled_from(["a", "A", "ab"]), DOCUMENTS)
def test_a_lookup_never_loses_a_match(
    tree: Tree, name: str, document: dict[str, str]
) -> None:
    text = f"userName eq {quoted(name)} and ({written(tree)})"
    asked = Filter.of(USERS, text)

    if asked.matches(document):
        assert asked.lookup().label.lower() == document["userName"].lower()


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    assert reason(text) in {"", "invalidFilter"}


def reason(text: str) -> str:
    """Say why a text is no filter; nothing if it is one."""
    try:
        Filter.of(USERS, text).matches(ANA)
    except Problem as problem:
        return problem.scim_type
    return ""


PIECES = (
    *("userName", "eq", '"a"', "and", "or", "not", "(", ")", "[", "]", "pr"),
    *("emails", ".value", "type", "true", "null", "-1", f"{USER}:"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_any_pieces_in_any_order_are_a_filter_or_are_refused(pieces: list[str]) -> None:
    text = re.sub(r" \.", ".", " ".join(pieces))

    assert reason(text) in {"", "invalidFilter"}
