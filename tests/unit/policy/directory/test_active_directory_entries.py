"""Entries of Active Directory in ATOM's words, without a server."""

from base64 import b64encode
from uuid import UUID

import pytest

from bridge.directory.model import Kind, Standing
from policy.directory.active_directory.identifiers import sid_bytes
from policy.directory.active_directory.settings import ActiveDirectorySettings
from policy.directory.active_directory.standing import filetime
from policy.directory.active_directory.translate import (
    Around,
    NotReadable,
    Sort,
    contact,
    foreigner,
    group,
    person,
    sort_of,
    unit,
)
from policy.directory.ldap.answers import Found
from policy.directory.ldap.dn import dn
from policy.directory.ldap.settings import LdapSettings

ANA = UUID("11111111-2222-3333-4444-555555555555")
BOSS = UUID("99999999-2222-3333-4444-555555555555")
DOMAIN = "S-1-5-21-1-2-3"
LDAP = LdapSettings(("ldaps://dc1.acme.test",), "atom", "secret")


def around(**more: object) -> Around:
    settings = ActiveDirectorySettings("ad", LDAP, **more)  # type: ignore[arg-type]
    bases = tuple(map(dn, settings.people_below or ("DC=acme",)))
    return Around(
        settings,
        DOMAIN,
        bases,
        (dn("DC=acme"),),
        {dn("DC=acme"): "root", dn("OU=Finance,DC=acme"): "finance"},
        {f"{DOMAIN}-513": "users", f"{DOMAIN}-514": "guests"},
        lambda: 1_000.0,
    )


def found(place: str, *classes: str, **values: str | bytes | list[str]) -> Found:
    told: dict[str, tuple[bytes, ...]] = {
        "objectguid": (ANA.bytes_le,),
        "objectclass": tuple(each.encode() for each in ("top", *classes)),
    }
    for key, value in values.items():
        listed = value if isinstance(value, list) else [value]
        told[key.replace("__", "-").lower()] = tuple(
            each.encode() if isinstance(each, str) else each for each in listed
        )
    return Found(f"<GUID={ANA}>;<SID={DOMAIN}-1104>;{place}", told)


def user(**values: str | bytes | list[str]) -> Found:
    given = {
        "userAccountControl": "512",
        "primaryGroupID": "513",
        "objectSid": sid_bytes(f"{DOMAIN}-1104"),
        "displayName": "Ana Ruiz",
        **values,
    }
    name = "CN=ana,OU=Finance,DC=acme"
    return found(name, "person", "user", **given)


def test_a_person_is_known_by_guid_and_stands_in_a_unit() -> None:
    ana = person(user(mail="ana@acme.test", department="Finance"), around())

    assert (ana.kind, ana.id, ana.name) == (Kind.PERSON, str(ANA), "Ana Ruiz")
    assert (ana.path, ana.unit) == ("CN=ana,OU=Finance,DC=acme", "finance")
    assert ana.attributes["mail"] == "ana@acme.test"
    assert ana.attributes["department"] == "Finance"
    assert ana.attributes["sid"] == f"{DOMAIN}-1104"


def test_d06_the_primary_group_counts_like_any_other() -> None:
    assert person(user(), around()).parents == {"users"}
    assert person(user(primaryGroupID="514"), around()).parents == {"guests"}


def test_a_primary_group_that_nobody_may_read_is_not_no_group() -> None:
    with pytest.raises(NotReadable, match="primary group 1200"):
        person(user(primaryGroupID="1200"), around())


def test_who_cannot_be_told_from_a_disabled_one_is_not_readable() -> None:
    with pytest.raises(NotReadable, match="userAccountControl"):
        person(user(userAccountControl=""), around())


def test_the_manager_is_named_by_id() -> None:
    ana = person(user(manager=f"<GUID={BOSS}>;CN=boss,DC=acme"), around())

    assert ana.attributes["manager"] == str(BOSS)


def test_proxy_addresses_are_told_apart_by_case() -> None:
    listed = ["smtp:A.Ruiz@acme.test", "SMTP:ana@acme.test", "x500:/o=acme", "smtp:a@x"]
    ana = person(user(proxyAddresses=listed), around())

    assert ana.attributes["mail"] == "ana@acme.test"
    assert ana.attributes["aliases"] == "a.ruiz@acme.test a@x"


def test_entra_knows_somebody_by_the_consistency_guid() -> None:
    raw = BOSS.bytes_le
    given = user(mS__DS__ConsistencyGuid=raw)

    told = person(given, around()).attributes["immutable_id"]

    assert told == b64encode(raw).decode()


def test_without_one_entra_knows_them_by_the_object_guid() -> None:
    told = person(user(), around()).attributes["immutable_id"]

    assert told == b64encode(ANA.bytes_le).decode()


def test_an_account_expires_by_the_clock() -> None:
    expired = person(user(accountExpires=str(filetime(999))), around())
    lasting = person(user(accountExpires=str(filetime(1001))), around())

    assert expired.standing is Standing.EXPIRED
    assert lasting.standing is Standing.ACTIVE


def test_a_locked_account_is_locked_by_the_computed_bits_alone() -> None:
    computed = {"msDS__User__Account__Control__Computed": "16"}

    assert person(user(**computed), around()).standing is Standing.LOCKED
    assert person(user(userAccountControl="528"), around()).standing is Standing.ACTIVE


@pytest.mark.parametrize(
    "given",
    [
        {"primaryGroupID": "514"},
        {"objectSid": sid_bytes(f"{DOMAIN}-501")},
        {"employeeType": "Contractor"},
    ],
)
def test_guests(given: dict[str, str | bytes | list[str]]) -> None:
    contractors = around(guest_types=frozenset({"contractor"}))

    assert person(user(**given), contractors).guest


def test_attributes_are_the_companys_own_to_map() -> None:
    mapped = around(attributes={"clearance": "extensionAttribute5", "phone": ""})
    given = user(extensionAttribute5="2", telephoneNumber="1")

    told = person(given, mapped).attributes

    assert told["clearance"] == "2"
    assert "phone" not in told


def test_a_computer_is_nobody() -> None:
    pc = found("CN=pc,DC=acme", "person", "user", "computer", userAccountControl="4096")
    trust = found("CN=t,DC=acme", "person", "user", userAccountControl="2080")

    assert sort_of(pc) is sort_of(trust) is Sort.OTHER


def test_a_contact_is_a_guest() -> None:
    zoe = found("CN=zoe,DC=acme", "person", "contact", mail="zoe@else.test")

    assert sort_of(zoe) is Sort.CONTACT
    assert contact(zoe, around()).guest


def test_somebody_of_another_domain_is_known_by_sid() -> None:
    place = "CN=ForeignSecurityPrincipals,DC=acme"
    theirs = found(f"CN=x,{place}", objectSid=sid_bytes("S-1-5-21-7-8-9-1104"))
    everyone = found(f"CN=y,{place}", objectSid=sid_bytes("S-1-1-0"))

    made = foreigner(theirs)

    assert made is not None
    assert made.guest
    assert made.attributes == {"sid": "S-1-5-21-7-8-9-1104"}
    assert foreigner(everyone) is None


def test_a_distribution_list_is_a_group_only_if_asked_for() -> None:
    news = found("CN=news,DC=acme", "group", groupType="2", cn="news")

    assert group(news, frozenset(), around()) is None
    assert group(news, frozenset(), around(distribution_groups=True)) is not None


def test_being_in_a_group_is_not_being_where_the_group_stands() -> None:
    given = found("CN=g,OU=Finance,DC=acme", "group", groupType="-2147483646", cn="g")

    made = group(given, frozenset({"a"}), around())

    assert made is not None
    assert not made.unit
    assert made.members == frozenset({"a"})


def test_who_stands_in_a_container_is_in_the_unit_above_it() -> None:
    given = found("OU=Deep,CN=Box,OU=Finance,DC=acme", "organizationalUnit", name="D")

    assert unit(given, around()).unit == "finance"


@pytest.mark.parametrize(
    ("name", "sort", "holds"),
    [
        ("CN=ana,OU=Finance,DC=acme", Sort.PERSON, True),
        ("CN=ana,ou=finance, dc=acme", Sort.PERSON, True),
        ("CN=ana,OU=XFinance,DC=acme", Sort.PERSON, False),
        (r"CN=ana\,OU=Finance,DC=acme", Sort.PERSON, False),
        ("DC=acme", Sort.UNIT, True),
        ("OU=Sub,OU=Finance,DC=acme", Sort.UNIT, True),
        ("OU=Sales,DC=acme", Sort.UNIT, False),
        ("CN=g,OU=Elsewhere,DC=acme", Sort.GROUP, True),
    ],
)
def test_d12_what_is_below_a_base_is_told_by_its_parts(
    name: str, sort: Sort, *, holds: bool
) -> None:
    assert around(bases=("OU=Finance,DC=acme",)).holds(dn(name), sort) is holds
