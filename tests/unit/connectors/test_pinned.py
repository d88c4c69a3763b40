"""No address but the configured system's is ever asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from connectors.pinned import OffLimits, Pin

PIN = Pin("https://acme.my.salesforce.com", ("/services/data/",))
LOCAL = Pin("http://127.0.0.1:4901/salesforce", ("/services/data/",))


def test_an_address_of_the_system_passes() -> None:
    url = "https://acme.my.salesforce.com/services/data/v62.0/query/?q=SELECT%20Id"

    assert PIN.pinned(url) == url


def test_trap_scheme_and_path_are_the_configured_ones_whatever_a_library_insists_on() -> (
    None
):
    url = "https://127.0.0.1:4901/services/data/v62.0/limits"

    there = "http://127.0.0.1:4901/salesforce/services/data/v62.0/limits"
    assert LOCAL.pinned(url) == there
    assert LOCAL.pinned(there) == there


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/services/data/",
        "https://acme.my.salesforce.com@evil.example/services/data/",
        "https://acme.my.salesforce.com.evil.example/services/data/",
        "https://acme.my.salesforce.com:8443/services/data/",
        "//evil.example/services/data/",
        "https://acme.my.salesforce.com/services/oauth2/revoke",
        "https://acme.my.salesforce.com/services/data/../oauth2/revoke",
        "https://acme.my.salesforce.com/services/data/%2e%2e/oauth2/revoke",
        "https://acme.my.salesforce.com/services/data/..%2foauth2",
        "https://acme.my.salesforce.com/services/data/\\..\\oauth2",
        "https://acme.my.salesforce.com/services/data//x",
        "https://acme.my.salesforce.com/services/data/x#y",
        "https://acme.my.salesforce.com/services/data/x\n/y",
        "https://acme.my.salesforce.com/services/data/x\x00",
        "https://acme.my.salesforce.com:port/services/data/",
        "/services/data/",
        "",
    ],
)
def test_no_other_address_passes(url: str) -> None:
    with pytest.raises(OffLimits):
        PIN.check(url)


@given(st.text(max_size=60))
def test_nothing_appended_leads_away(tail: str) -> None:
    try:
        url = LOCAL.pinned(f"https://127.0.0.1:4901/services/data/v62.0/{tail}")
    except OffLimits:
        return
    assert url.startswith("http://127.0.0.1:4901/salesforce/services/data/v62.0/")
    assert ".." not in url.partition("?")[0]


@pytest.mark.parametrize(
    "base",
    [
        "http://acme.my.salesforce.com",
        "ftp://127.0.0.1",
        "https://",
        "acme.my.salesforce.com",
        "https://me@acme.my.salesforce.com",
        "https://acme.my.salesforce.com/?x=1",
    ],
)
def test_a_base_without_encryption_or_with_extras_is_refused(base: str) -> None:
    with pytest.raises(BadInput, match="address"):
        Pin(base, ("/",))
