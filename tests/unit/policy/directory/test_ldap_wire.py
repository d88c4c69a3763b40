"""LDAP's bytes: what is written can be read, and nonsense is known as such."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.protocol.rfc4511 import (
    LDAPDN,
    AttributeDescription,
    AttributeValue,
    LDAPMessage,
    MessageID,
    PartialAttribute,
    PartialAttributeList,
    ProtocolOp,
    SearchResultEntry,
    Vals,
)
from ldap3.utils.asn1 import encode

from policy.directory.ldap import ber
from policy.directory.ldap.answers import Done, Found, Notice, Referral, Told, answer
from policy.directory.ldap.results import incomplete_because, meaning

_NAMES = st.text("abcdefgABCDEFG;-", min_size=1, max_size=12)
_VALUES = st.lists(st.binary(max_size=300), max_size=4)
_ENTRIES = st.dictionaries(_NAMES, _VALUES, max_size=5)


@given(st.integers(-(2**70), 2**70))
def test_numbers_are_read_as_written(number: int) -> None:
    written = ber.integer(number)

    _, start, stop = ber.head(written, 0, len(written))

    assert ber.number(written, start, stop) == number


@pytest.mark.parametrize(
    ("number", "bytes_of_it"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (-128, "020180"),
        (-129, "0202ff7f"),
    ],
)
def test_numbers_take_as_few_bytes_as_they_can(number: int, bytes_of_it: str) -> None:
    assert ber.integer(number).hex() == bytes_of_it


@given(st.binary(max_size=70_000))
def test_values_of_any_length_are_read_as_written(body: bytes) -> None:
    written = ber.value(ber.OCTETS, body)

    start, stop = ber.inside(written, ber.OCTETS)

    assert written[start:stop] == body
    assert ber.size(written + b"more") == len(written)
    for cut in range(min(len(written), 6)):
        assert ber.size(written[:cut]) in {None, len(written)}


@given(st.integers(1, 2**31 - 1), st.text(max_size=40), _ENTRIES)
def test_entries_are_read_as_ldap3_writes_them(
    number: int, name: str, attributes: dict[str, list[bytes]]
) -> None:
    if any("\ud800" <= character <= "\udfff" for character in name):
        return
    message = _entry(number, name, attributes)

    found_number, found = answer(message)

    assert isinstance(found, Found)
    assert (found_number, found.dn) == (number, name)
    expected: dict[str, tuple[bytes, ...]] = {}
    for key, values in attributes.items():
        expected[key.lower()] = tuple(values)
    assert dict(found.attributes) == expected


@given(st.binary(max_size=80))
def test_nonsense_is_known_as_nonsense(data: bytes) -> None:
    try:
        answer(data)
    except ber.NotBer:
        return
    assert data[0] == ber.SEQUENCE


@given(st.data())
def test_a_message_that_was_cut_or_bent_never_breaks_the_reader(
    data: st.DataObject,
) -> None:
    message = bytearray(_entry(7, "cn=a", {"cn": [b"a", b"b"], "mail": [b"c" * 200]}))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(message) - 1))
        message[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(message)))
    for bent in (bytes(message), bytes(message[:cut])):
        try:
            answer(bent)
        except ber.NotBer:
            continue


def test_an_end_carries_its_code_words_and_controls() -> None:
    control = ber.sequence(ber.value(4, b"1.2.3"), ber.value(4, b"cookie"))
    result = (
        ber.integer(4, ber.ENUMERATED)
        + ber.value(4, b"o=x")
        + ber.value(4, b"too many")
    )
    message = ber.sequence(
        ber.integer(5), ber.value(0x65, result), ber.value(0xA0, control)
    )

    assert answer(message) == (5, Done(4, "too many", "o=x", (), {"1.2.3": b"cookie"}))


def test_an_end_may_name_other_servers() -> None:
    other = ber.value(0xA3, ber.value(4, b"ldap://elsewhere"))
    result = ber.integer(10, ber.ENUMERATED) + ber.value(4, b"") * 2 + other
    _, done = answer(ber.sequence(ber.integer(5), ber.value(0x65, result)))

    assert isinstance(done, Done)
    assert done.referrals == ("ldap://elsewhere",)
    assert "does not go there" in incomplete_because(done)


def test_other_answers_are_told_apart() -> None:
    reference = ber.value(0x73, ber.value(4, b"ldap://a") + ber.value(4, b"ldap://b"))
    told = ber.value(0x79, ber.value(0x80, b"1.2") + ber.value(0x81, b"x"))
    ended = ber.integer(52, ber.ENUMERATED) + ber.value(4, b"") + ber.value(4, b"bye")

    assert answer(ber.sequence(ber.integer(1), reference))[1] == Referral(
        ("ldap://a", "ldap://b")
    )
    assert answer(ber.sequence(ber.integer(1), told))[1] == Told("1.2", b"x")
    notice = ber.sequence(ber.integer(0), ber.value(0x78, ended))
    assert answer(notice)[1] == Notice(52, "bye")


@pytest.mark.parametrize("code", [1, 3, 4, 10, 11, 12, 32, 50, 51, 52, 80, 90, 4096])
def test_only_success_is_everything(code: int) -> None:
    assert incomplete_because(Done(code))
    assert not incomplete_because(Done(0))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "80090308: LdapErr: DSID-0C09044E, comment: x, data 52e, v2580",
            "password is wrong",
        ),
        (
            "80090308: LdapErr: DSID-0C09044E, comment: x, data 533, v2580",
            "is disabled",
        ),
        ("AcceptSecurityContext error, data 775, v1db1", "is locked"),
        ("", "account or the password"),
        ("data fff, v1", "account or the password"),
    ],
)
def test_active_directory_says_why_it_does_not_let_in(message: str, words: str) -> None:
    assert words in meaning(49, message)


def _entry(number: int, name: str, attributes: dict[str, list[bytes]]) -> bytes:
    listed = PartialAttributeList()
    for at, (key, values) in enumerate(attributes.items()):
        attribute = PartialAttribute()
        attribute["type"] = AttributeDescription(key)
        held = Vals()
        for position, value in enumerate(values):
            held.setComponentByPosition(position, AttributeValue(value))
        if not values:
            held.clear()
        attribute["vals"] = held
        listed[at] = attribute
    if not attributes:
        listed.clear()
    found = SearchResultEntry()
    found["object"] = LDAPDN(name)
    found["attributes"] = listed
    message = LDAPMessage()
    message["messageID"] = MessageID(number)
    message["protocolOp"] = ProtocolOp().setComponentByName("searchResEntry", found)
    return bytes(encode(message))
