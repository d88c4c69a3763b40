"""What an operator writes of a directory either works or is answered by one line."""

from dataclasses import replace

import pytest
from ldap3.operation.search import parse_filter

from bridge.errors import BadInput
from policy.directory.ldap.configured import Written, configured

_GOOD = Written("acme", "ldaps://a, ldap://b:1389", "o=acme", "cn=atom", "secret")


def test_little_is_enough() -> None:
    settings = configured(_GOOD)

    assert settings.ldap.servers == ("ldaps://a", "ldap://b:1389")
    assert settings.shape.id == "entryUUID"
    assert settings.filter == ""
    assert "secret" not in repr(_GOOD) + repr(settings)


def test_everything_can_be_told() -> None:
    settings = configured(
        replace(
            _GOOD,
            people="(!(employeeType=test))",
            groups="(cn=atom-*)",
            attributes={"immutable_id": "entraAnchor", "phone": ""},
            options={
                "preset": "freeipa",
                "page": 200,
                "beat_seconds": "2.5",
                "answer_seconds": 30,
                "guests": "employeeType=contractor, employeeType=partner",
                "group_classes": "groupOfNames groupOfURLs",
            },
        )
    )

    assert settings.shape.id == "ipaUniqueID"
    assert settings.shape.attributes["immutable_id"] == "entraAnchor"
    assert "phone" not in settings.shape.attributes
    assert settings.shape.group_classes == ("groupOfNames", "groupOfURLs")
    assert settings.shape.guests[1] == ("employeeType", "partner")
    assert (settings.page, settings.beat_seconds) == (200, 2.5)
    assert settings.ldap.answer_seconds == 30
    assert "(objectClass=organizationalUnit)" in settings.filter
    assert "(!(employeeType=test))" in settings.filter
    parse_filter(settings.filter, None, False, False, None, False)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": ""}, "name a directory server"),
        ({"base": ""}, "base DN"),
        ({"base": "acme"}, "DN"),
        ({"password": ""}, "password of cn=atom is empty"),
        ({"bind": "", "password": ""}, "which account"),
        ({"people": "(uid=a"}, "filter for people"),
        ({"people": "(uid=a))(&(x=y)"}, "filter for people"),
        ({"groups": "cn=a"}, "filter for groups"),
        ({"attributes": {"mail": "mail)(uid=*"}}, "name of an attribute"),
        ({"options": {"colour": "red"}}, "no option colour"),
        ({"options": {"preset": "novell"}}, "no preset novell"),
        ({"options": {"page": "many"}}, "page is a number"),
        ({"options": {"page": True}}, "page is a number"),
        ({"options": {"page": 0}}, "above 0"),
        ({"options": {"poll_seconds": -1}}, "above 0"),
        ({"options": {"anonymous": "perhaps"}}, "true or false"),
        ({"options": {"anonymous": True}}, "not both"),
        ({"options": {"guests": "contractor"}}, "attribute=value"),
        ({"options": {"group_classes": "a)(b"}}, "name of an attribute"),
        ({"options": {"id": "a b"}}, "name of an attribute"),
        ({"options": {"answer_seconds": 0}}, "at least 1"),
    ],
)
def test_what_cannot_work_is_one_line(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        configured(replace(_GOOD, **wrong))  # type: ignore[arg-type] # any field

    assert "\n" not in str(refused.value)


def test_anonymous_only_if_asked() -> None:
    written = replace(_GOOD, bind="", password="", options={"anonymous": True})

    assert configured(written).ldap.anonymous
