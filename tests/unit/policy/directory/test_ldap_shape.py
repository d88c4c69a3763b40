"""What directories of different makers show, and what it comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.model import Kind, Standing
from bridge.errors import BadInput
from policy.directory.ldap.answers import Found
from policy.directory.ldap.dn import dn
from policy.directory.ldap.index import Index, Name
from policy.directory.ldap.settings import LdapSettings
from policy.directory.ldap.shape import DS389, FREEIPA, OPENLDAP, canonical
from policy.directory.ldap.source_settings import LdapSourceSettings
from policy.directory.ldap.translate import draft, finished

_DAY = 86_400
_NOW = 20_000 * _DAY


@pytest.mark.parametrize(
    ("shown", "standing"),
    [
        ({}, Standing.ACTIVE),
        ({"nsaccountlock": "TRUE"}, Standing.DISABLED),
        ({"nsaccountlock": "true"}, Standing.DISABLED),
        ({"nsaccountlock": "FALSE"}, Standing.ACTIVE),
        ({"logindisabled": "TRUE"}, Standing.DISABLED),
        ({"pwdaccountlockedtime": "20260101000000Z"}, Standing.LOCKED),
        ({"pwdaccountlockedtime": "000001010000Z"}, Standing.DISABLED),
        ({"shadowexpire": "19999"}, Standing.EXPIRED),
        ({"shadowexpire": "20000"}, Standing.EXPIRED),
        ({"shadowexpire": "20001"}, Standing.ACTIVE),
        ({"shadowexpire": "-1"}, Standing.ACTIVE),
        ({"shadowexpire": "soon"}, Standing.ACTIVE),
        ({"shadowexpire": "0"}, Standing.EXPIRED),
        ({"shadowexpire": "1", "nsaccountlock": "TRUE"}, Standing.DISABLED),
    ],
)
def test_standing_is_the_strictest_word(
    shown: dict[str, str], standing: Standing
) -> None:
    assert OPENLDAP.standing(_found(**shown), _NOW) is standing


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        (["top", "INETORGPERSON"], Kind.PERSON),
        (["posixAccount", "account"], Kind.PERSON),
        (["groupOfNames"], Kind.GROUP),
        (["posixGroup"], Kind.GROUP),
        (["groupOfUniqueNames"], Kind.GROUP),
        (["organizationalUnit"], Kind.UNIT),
        (["inetOrgPerson", "organizationalUnit"], Kind.PERSON),
        (["device"], None),
        ([], None),
    ],
)
def test_classes_say_what_an_entry_is(classes: list[str], kind: Kind | None) -> None:
    assert OPENLDAP.kind(_found(objectclass=classes)) is kind


@pytest.mark.parametrize(
    ("shown", "id"),
    [
        (
            "5A95E986-E47E-473B-A74E-AB2BA77ED154",
            "5a95e986-e47e-473b-a74e-ab2ba77ed154",
        ),
        ("1d9c2e01-5c5f11ee-9a4ee5bb-57e8b9ba", "1d9c2e01-5c5f-11ee-9a4e-e5bb57e8b9ba"),
        (" e1042 ", "e1042"),
        ("", ""),
    ],
)
def test_ids_are_written_in_one_way(shown: str, id: str) -> None:  # noqa: A002
    assert canonical(shown) == id


def test_makers_differ_in_what_never_changes() -> None:
    assert [each.id for each in (OPENLDAP, DS389, FREEIPA)] == [
        "entryUUID",
        "nsUniqueId",
        "ipaUniqueID",
    ]
    assert "nsAccountLock" in FREEIPA.asked()  # it comes only if named


def test_a_person_gets_atoms_names_and_no_empty_ones() -> None:
    found = _found(
        "uid=ana,ou=x,o=acme",
        objectclass=["inetOrgPerson"],
        uid="ana",
        cn="Ana Nguyễn",
        mail="ana@acme.test",
        title="",
        departmentnumber="R&D",
    )
    index = Index()
    index.put("x", dn("ou=x,o=acme"), Kind.UNIT)

    made = draft(OPENLDAP, found, "1", lambda: _NOW)

    assert made is not None
    entry = finished(made, index)
    assert (entry.name, entry.unit) == ("Ana Nguyễn", "x")
    assert entry.attributes == {
        "user_name": "ana",
        "mail": "ana@acme.test",
        "department": "R&D",
    }


def test_members_are_found_by_name_however_it_is_spelt() -> None:
    index = Index()
    index.put("ana", dn(r"cn=Smith\, Ana,o=acme"), Kind.PERSON, "anas")
    index.put("ben", dn("uid=ben,o=acme"), Kind.PERSON, "ben")
    found = _found(
        "cn=g,o=acme",
        objectclass=["groupOfNames", "posixGroup"],
        member=["CN=smith\\2C  ana, O=ACME", "uid=nobody,o=acme", "nonsense", ""],
        memberuid=["BEN", "unknown"],
    )

    made = draft(OPENLDAP, found, "g", lambda: _NOW)

    assert made is not None
    assert finished(made, index).members == frozenset({"ana", "ben"})


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(BadInput):
        draft(OPENLDAP, _found("nonsense", objectclass=["person"]), "1", lambda: 0)


def test_what_stands_below_goes_with_what_moves() -> None:
    index = Index()
    index.put("sales", dn("ou=sales,o=acme"), Kind.UNIT)
    index.put("emea", dn("ou=emea,ou=sales,o=acme"), Kind.UNIT)
    index.put("ana", dn("uid=ana,ou=emea,ou=sales,o=acme"), Kind.PERSON)

    index.put("sales", dn("ou=verkauf,o=acme"), Kind.UNIT)

    assert index.id(dn("uid=ana,ou=emea,ou=verkauf,o=acme")) == "ana"
    assert index.id(dn("uid=ana,ou=emea,ou=sales,o=acme")) is None
    assert set(index.below("sales")) == {"emea", "ana"}


def test_names_that_are_exchanged_or_given_again_mean_the_new_one() -> None:
    index = Index()
    index.put("a", dn("cn=x"), Kind.PERSON, "x")
    index.put("b", dn("cn=y"), Kind.PERSON, "y")

    index.put("a", dn("cn=y"), Kind.PERSON, "y")
    index.put("b", dn("cn=x"), Kind.PERSON, "x")
    swapped = [index.id(dn("cn=x")), index.id(dn("cn=y")), index.id("x")]
    index.put("c", dn("cn=x"), Kind.PERSON, "x")
    index.forget("b")

    assert swapped == ["b", "a", "b"]
    assert index.id(dn("cn=x")) == index.id("x") == "c"
    assert index.ids() == {"a", "c"}


def test_a_name_that_two_have_means_neither_until_one_is_gone() -> None:
    index = Index()
    index.put("a", dn("cn=fin,o=acme"), Kind.PERSON, "ana")
    index.put("b", dn("cn=ﬁn,o=acme"), Kind.PERSON, "ana")
    index.put("c", dn("uid=c,o=acme"), Kind.PERSON, "ana")

    both = index.id(dn("cn=fin,o=acme")), index.id("ana")
    index.forget("a")
    later = index.id(dn("cn=fin,o=acme")), index.id("ana")
    index.forget("b")

    assert both == (None, None)
    assert later == ("b", None)
    assert index.id("ana") == "c"
    assert index.id(dn("cn=fin,o=acme")) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.sampled_from(["cn=x", "cn=y", "cn=z,cn=x", "cn=w,cn=y", ""]),
            st.sampled_from([None, "u", "v"]),
        ),
        max_size=20,
    )
)
def test_names_mean_what_they_would_if_all_were_put_anew(
    steps: list[tuple[str, str, str | None]],
) -> None:
    index = Index()
    others: dict[str, str | None] = {}
    for key, at, other in steps:
        if at:
            index.put(key, dn(at), Kind.UNIT, other)
            others[key] = other
        else:
            index.forget(key)
            others.pop(key, None)

    fresh = Index()
    for key in index.ids():
        place = index.place(key)
        assert place is not None
        fresh.put(key, place, Kind.UNIT, others[key])
    names: list[Name] = ["u", "v"]
    names += map(dn, ("cn=x", "cn=y", "cn=z,cn=x", "cn=w,cn=y"))
    for name in names:
        assert index.id(name) == fresh.id(name)
    assert index.ids() == others.keys()
    for key in others:
        assert set(index.below(key)) == set(fresh.below(key))


def test_somebodys_primary_group_is_found_by_its_number() -> None:
    index = Index()
    index.put("staff", dn("cn=staff,o=acme"), Kind.GROUP, 100)
    index.put("u", dn("uid=100,o=acme"), Kind.PERSON, "100")
    found = _found(objectclass=["posixAccount"], gidnumber="100")

    made = draft(OPENLDAP, found, "ana", lambda: _NOW)

    assert made is not None
    assert finished(made, index).parents == {"staff"}


def test_a_cursor_is_good_only_for_the_same_question() -> None:
    server = LdapSettings(("ldaps://a",), "cn=a", "b")
    settings = LdapSourceSettings("x", server, "o=acme")
    same = LdapSourceSettings("x", server, "O = Acme")
    other = LdapSourceSettings("x", server, "ou=people,o=acme")
    shaped = LdapSourceSettings("x", server, "o=acme", DS389)

    cursor = settings.cursor(b"rid=1 csn=2")

    assert settings.cookie(cursor) == same.cookie(cursor) == b"rid=1 csn=2"
    assert [each.cookie(cursor) for each in (other, shaped)] == [b"", b""]
    assert settings.cookie(b"anything else") == settings.cookie(b"") == b""


def _found(name: str = "uid=a,o=acme", **values: str | list[str]) -> Found:
    listed = {
        key: tuple(each.encode() for each in ([v] if isinstance(v, str) else v))
        for key, v in values.items()
    }
    return Found(name, listed)
