"""Ids in both lengths, and the records that a text names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from connectors.salesforce import ids
from connectors.salesforce.kinds import Kinds
from connectors.salesforce.recognition import Recognition, number_of
from connectors.sandbox.salesforce import ids as theirs

# Known pairs, from the vendor's own documentation and from orgs.
PAIRS = [
    ("0015000000Gv7qJ", "0015000000Gv7qJAAR"),
    ("500A0000006cbBM", "500A0000006cbBMIAY"),
    ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
]
CASE = "500A0000006cbBMIAY"
WEB = "https://acme.my.salesforce.com"


@pytest.fixture
def pages() -> Recognition:
    return Recognition("acme", WEB, Kinds())


@pytest.mark.parametrize(("short", "long"), PAIRS)
def test_a_short_id_gets_its_checksum(short: str, long: str) -> None:
    assert ids.long(short) == ids.long(long) == long


@given(st.text(alphabet="abcXYZ019", min_size=15, max_size=15))
def test_atom_and_the_stand_in_agree_on_checksums(short: str) -> None:
    assert ids.long(short) == theirs.long(short) == theirs.read(short)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "500",
        "500A0000006cbBM?",
        "500a0000006cbbmIAY",
        "500A0000006cbBMAAA",
        "x" * 16,
    ],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        ids.long(text)


@pytest.mark.parametrize(
    "url",
    [
        f"https://acme.lightning.force.com/lightning/r/Case/{CASE}/view",
        f"https://acme.lightning.force.com/lightning/r/{CASE}/view",
        f"https://acme.my.salesforce.com/{CASE}",
        f"https://acme.my.salesforce.com/{CASE[:15]}",
        f"https://ACME.my.salesforce.com/{CASE}?nooverride=1",
    ],
)
def test_a_page_names_its_record(pages: Recognition, url: str) -> None:
    (mention,) = pages.mentions(f"See {url}, it is on fire")

    assert mention.ref == pages.ref("case", CASE)
    assert mention.url == url


@pytest.mark.parametrize(
    "url",
    [
        f"https://evil.example/lightning/r/Case/{CASE}/view",
        f"https://other.my.salesforce.com/{CASE}",
        f"https://acme.my.salesforce.com.evil.example/{CASE}",
        f"https://acme.my.salesforce.com@evil.example/{CASE}",
        f"https://acme.lightning.force.com/lightning/r/Account/{CASE}/view",
        f"https://acme.lightning.force.com/lightning/r/Case/{CASE[:17]}X/view",
        "https://acme.my.salesforce.com/00QA0000006cbBM",
        "https://acme.my.salesforce.com/services/data",
    ],
)
def test_other_pages_name_nothing(pages: Recognition, url: str) -> None:
    assert pages.mentions(url) == ()


def test_numbers_are_named_where_they_stand_alone(pages: Recognition) -> None:
    text = "CS-00001026, XCS-1234567 and CS-12 and CS-00001027-b but CS-00001028."

    assert [one.key for one in pages.mentions(text)] == ["CS-00001026", "CS-00001028"]


def test_a_number_in_a_link_is_not_named_again(pages: Recognition) -> None:
    assert pages.mentions(f"{WEB}/search?q=CS-00001026") == ()


def test_short_numbers_are_the_orgs_eight_digits() -> None:
    assert number_of("CS-01026") == number_of("CS-00001026") == "00001026"
    assert number_of("CS-1026") is None


@given(st.text(max_size=200))
def test_any_text_can_be_looked_through(text: str) -> None:
    for mention in Recognition("acme", WEB, Kinds()).mentions(text + f" {WEB}/{CASE}"):
        assert mention.start < mention.end
