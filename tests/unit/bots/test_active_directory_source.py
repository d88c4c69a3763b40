"""Active Directory's part of the settings."""

import pytest

from bots.active_directory_source import active_directory, active_directory_settings
from bots.directory_settings import SourceSettings
from bridge.errors import BadInput
from policy.directory.active_directory.settings import Way


def given(**more: object) -> SourceSettings:
    return SourceSettings.model_validate(
        {
            "name": "ad",
            "kind": "active-directory",
            "url": "ldaps://dc1.acme.test, ldaps://dc2.acme.test",
            "bind": "atom@acme.test",
            "password": "secret",
            **more,
        }
    )


def test_servers_are_tried_in_turn() -> None:
    ldap = active_directory_settings(given()).ldap

    assert ldap.servers == ("ldaps://dc1.acme.test", "ldaps://dc2.acme.test")
    assert (ldap.bind_dn, ldap.password) == ("atom@acme.test", "secret")


def test_several_bases_stand_apart_by_semicolons() -> None:
    told = active_directory_settings(
        given(base=r"OU=A\;B,DC=acme; OU=C,DC=acme", options={"groups_base": "DC=acme"})
    )

    assert told.bases == (r"OU=A\;B,DC=acme", "OU=C,DC=acme")
    assert told.group_bases == ("DC=acme",)


def test_options_are_read() -> None:
    options = {
        "changes": "usn",
        "contacts": True,
        "guest_types": "Contractor, Vendor",
        "poll": 2,
    }
    told = active_directory_settings(given(options=options))

    assert told.changes is Way.USN
    assert told.contacts
    assert told.guest_types == {"Contractor", "Vendor"}
    assert told.poll_seconds == 2.0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": ""}, "name a directory server"),
        ({"url": "dc1.acme.test"}, "not a directory server"),
        ({"password": ""}, "password of atom@acme.test is empty"),
        ({"base": "nonsense"}, "not the name of a directory entry"),
        ({"people": "employeeID=*"}, "stands in parentheses"),
        ({"groups": "cn=GG-*"}, "stands in parentheses"),
        ({"options": {"changes": "push"}}, "changes is one of"),
        ({"options": {"contacts": "yes"}}, "contacts is true or false"),
        ({"options": {"poll": "often"}}, "poll is a number"),
        ({"options": {"poll": 0}}, "above 0"),
        ({"options": {"page_size": 5000}}, "page_size is 1 to 1000"),
        ({"options": {"pages": 5}}, "no option pages"),
    ],
)
def test_what_is_wrong_is_said(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        active_directory(given(**wrong), lambda: 0)
