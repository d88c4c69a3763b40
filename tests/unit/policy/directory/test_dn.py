"""Names of entries are compared by what they mean, and nothing slips into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import search_operation
from ldap3.utils.dn import parse_dn

from bridge.errors import BadInput
from policy.directory.ldap.dn import dn, dn_value, filter_value

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_SHOWN = _TEXT.filter(lambda text: bool(text.strip()))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=Ana,OU=Sales,DC=acme", "cn=ana,ou=sales,dc=ACME"),
        ("cn=ana,ou=sales", " CN = ana , OU=sales "),
        (r"CN=Smith\, Ana (R&D)*,OU=Q\2BA", r"cn=smith\2c ana (r&d)*,ou=q\+a"),
        ('cn="Smith, Ana",o=x', r"cn=Smith\, Ana,o=x"),
        (r"cn=M\C3\BCller", "CN=MÜLLER"),
        ("cn=#0c03416e61", "cn=ana"),
        ("cn=a+uid=b,o=x", "UID=B+CN=A,o=x"),
        ("2.5.4.3=ana,OID.2.5.4.11=x", "cn=ana,ou=x"),
        ("cn=ana  maria", "cn=ana maria"),
        ("cn=Ｓａｌｅｓ", "cn=sales"),
        ("cn=straße", "cn=STRASSE"),
        (r"cn=a\ ,o=x", "cn=a,o=x"),
        ("cn=a;o=x", "cn=a,o=x"),
    ],
)
def test_spellings_of_one_name_are_equal(one: str, other: str) -> None:
    assert dn(one) == dn(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"cn=a\,o=x", "cn=a,o=x"),
        (r"cn=a\2bcn=b", "cn=a+cn=b"),
        ("cn=ana", "uid=ana"),
        (r"cn=\23616e61", "cn=#0403616e61"),
        ("cn=ana,ou=a,ou=b", "cn=ana,ou=b,ou=a"),
        (r"cn=a\5c2c", "cn=a,"),
        ("cn=ana", "cn=\u0430na"),  # a Cyrillic letter that looks the same
        ("cn=ana", "cn=\u0430n\u0430"),
    ],
)
def test_different_names_are_different(one: str, other: str) -> None:
    try:
        second = dn(other)
    except BadInput:
        return
    assert dn(one) != second


@pytest.mark.parametrize(
    "text",
    [
        *("ana", "cn=a,", ",cn=a", "=a", "cn=a,b", 'cn="a', "cn=a\\", "c,n=a"),
        *("cn=#zz", "cn=#04", r"cn=\ff", "cn=a+", "cn=#0403616e6161"),
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="DN"):
        dn(text)


def test_parents_are_parsed_and_not_cut_from_text() -> None:
    name = dn(r"cn=a\,ou=x,ou=people,dc=acme")

    assert list(name.parents()) == [dn("ou=people,dc=acme"), dn("dc=acme")]
    assert name.within(dn("OU=People,DC=acme"))
    assert not dn("cn=a,ou=notpeople,dc=acme").within(dn("ou=people,dc=acme"))
    assert not dn(r"cn=a\,dc=acme,dc=other").within(dn("dc=acme"))
    assert name.within(dn(""))
    assert name.within(name)


@given(_SHOWN, _SHOWN)
def test_a_written_value_is_one_value_whatever_it_holds(one: str, two: str) -> None:
    name = dn(f"cn={dn_value(one)},ou={dn_value(two)},o=x")

    assert len(name.rdns) == 3
    assert name.parent == dn(f"ou={dn_value(two)},o=x")


@given(_SHOWN)
def test_a_written_value_is_read_alike_by_another_parser(text: str) -> None:
    parsed = parse_dn(f"cn={dn_value(text)},o=x")

    assert len(parsed) == 2


@given(st.text(st.characters(max_codepoint=0x17F), min_size=1, max_size=20))
def test_case_does_not_matter(text: str) -> None:
    lower, upper = text.lower(), text.lower().upper()
    if upper.lower() != lower:
        return  # some letters have no way back
    assert dn(f"cn={dn_value(lower)},o=x") == dn(f"CN={dn_value(upper)},O=X")


@given(_TEXT)
def test_whatever_is_given_is_a_name_or_refused(text: str) -> None:
    try:
        name = dn(text)
    except BadInput:
        return
    assert all("=" in step for step in name.rdns)


@given(st.text(max_size=30) | st.binary(max_size=30))
def test_nothing_in_a_filter_value_is_syntax(value: str | bytes) -> None:
    try:
        data = value if isinstance(value, bytes) else value.encode()
    except UnicodeEncodeError:
        return
    written = filter_value(value if isinstance(value, bytes) else data.decode())

    request = search_operation(
        "", f"(cn={written})", 2, 0, ["1.1"], 0, 0, False, False, False
    )

    match = request["filter"].getComponent()
    assert request["filter"].getName() == "equalityMatch"
    assert bytes(match["assertionValue"]) == data
