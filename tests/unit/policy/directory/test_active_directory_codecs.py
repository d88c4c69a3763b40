"""What Active Directory writes in bytes, bits and options."""

from base64 import b64decode
from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.model import Standing
from policy.directory.active_directory.cursor import Cursor, cursor
from policy.directory.active_directory.dirsync import Flag, Position, request, response
from policy.directory.active_directory.identifiers import (
    Named,
    NotAnIdentifier,
    guid_base,
    guid_filter,
    named,
    object_id,
    sid_bytes,
    sid_text,
)
from policy.directory.active_directory.ranges import Slice, slice_of
from policy.directory.active_directory.settings import Way
from policy.directory.active_directory.standing import (
    NEVER,
    filetime,
    is_security,
    standing,
    unix_seconds,
)
from policy.directory.ldap import ber

GUID = "5a95e986-e47e-473b-a74e-ab2ba77ed154"
ALL_THREE = Flag.INCREMENTAL_VALUES | Flag.ANCESTORS_FIRST | Flag.OBJECT_SECURITY

sids = st.builds(
    lambda authority, subs: "-".join(["S-1", str(authority), *map(str, subs)]),
    st.integers(0, 2**48 - 1),
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15),
)


def test_a_guid_is_mixed_endian() -> None:
    assert object_id(b64decode("humVWn7kO0enTqsrp37RVA==")) == GUID


def test_a_guid_in_a_filter_has_every_byte_escaped() -> None:
    escaped = r"\86\e9\95\5a\7e\e4\3b\47\a7\4e\ab\2b\a7\7e\d1\54"

    assert guid_filter(GUID) == escaped


def test_a_base_by_guid_is_nothing_but_a_guid() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        guid_base("x>,DC=evil")


@given(st.uuids())
def test_a_guid_survives_its_bytes(given_id: UUID) -> None:
    assert object_id(given_id.bytes_le) == str(given_id)


@given(sids)
def test_a_sid_survives_its_bytes(text: str) -> None:
    assert sid_text(sid_bytes(text)) == text


@given(st.binary(max_size=80))
def test_bytes_are_a_sid_or_are_refused(raw: bytes) -> None:
    try:
        text = sid_text(raw)
    except NotAnIdentifier:
        return
    assert sid_text(raw) == text
    assert len(raw) == 8 + 4 * raw[1]


@pytest.mark.parametrize("text", ["", "S-1", "S-1-5-", "S-1-5-x", "S-1-5-4294967296"])
def test_what_is_no_sid_is_refused(text: str) -> None:
    with pytest.raises(NotAnIdentifier):
        sid_bytes(text)


@given(st.uuids(), sids, st.text(max_size=40))
def test_an_extended_name_gives_its_parts(id_: UUID, sid: str, tail: str) -> None:
    dn = f"CN={tail},DC=acme"

    assert named(f"<GUID={id_}>;<SID={sid}>;{dn}") == Named(dn, str(id_), sid)
    assert named(f"<GUID={id_.bytes_le.hex()}>;{dn}") == Named(dn, str(id_))
    assert named(dn) == Named(dn)


def test_a_name_that_only_looks_extended_further_on_is_a_name() -> None:
    dn = f"CN=a;<GUID={GUID}>,DC=acme"

    assert named(dn) == Named(dn)


@given(st.integers(0, NEVER))
def test_a_file_time_is_seconds_since_1970(ticks: int) -> None:
    assert filetime(unix_seconds(ticks)) == pytest.approx(ticks, abs=20_000_000)


def test_1970_is_where_it_should_be() -> None:
    assert unix_seconds(116_444_736_000_000_000) == 0


@pytest.mark.parametrize(
    ("control", "computed", "expires", "stands"),
    [
        (512, 0, 0, Standing.ACTIVE),
        (66048, 0, NEVER, Standing.ACTIVE),
        (514, 0, 0, Standing.DISABLED),
        (66050, 0x10, filetime(1), Standing.DISABLED),
        (512, 0, filetime(1_000), Standing.EXPIRED),
        (512, 0, filetime(1_001), Standing.ACTIVE),
        (512, 0x10, 0, Standing.LOCKED),
        (512 | 0x10, 0, 0, Standing.ACTIVE),  # a bit that nobody keeps
        (512, 0x800000, 0, Standing.ACTIVE),  # a password that expired
    ],
)
def test_standing(control: int, computed: int, expires: int, stands: Standing) -> None:
    assert standing(control, computed, expires, now=1_000) is stands


@pytest.mark.parametrize(
    ("group_type", "security"),
    [
        (-2147483646, True),  # global
        (-2147483644, True),  # domain local
        (-2147483640, True),  # universal
        (-2147483643, True),  # built in
        (2, False),
        (4, False),
        (8, False),
    ],
)
def test_only_security_groups_give_access(group_type: int, *, security: bool) -> None:
    assert is_security(group_type) is security


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("member;range=0-1499", Slice("member", 0, 1499)),
        ("Member;Range=1500-*", Slice("member", 1500, None)),
        ("member;binary;range=3-4", Slice("member", 3, 4)),
        ("member;range=1-1", Slice("member", 1, 1)),
        ("member", None),
        ("member;range=-1-4", None),
        ("member;range=a-b", None),
        ("member;range=0-1499x", None),
    ],
)
def test_a_range_is_read_from_the_name(name: str, here: Slice | None) -> None:
    assert slice_of(name) == here


@pytest.mark.parametrize(
    ("flags", "written"),
    [
        (ALL_THREE, "020480000801"),
        (Flag.INCREMENTAL_VALUES, "020480000000"),
        (Flag.INCREMENTAL_VALUES | Flag.ANCESTORS_FIRST, "020480000800"),
        (ALL_THREE | Flag.PUBLIC_DATA_ONLY, "020480002801"),
    ],
)
def test_d09_dirsync_flags_take_exactly_four_bytes(flags: Flag, written: str) -> None:
    control = request(b"", flags)

    assert control.critical
    assert control.value is not None
    assert control.value.hex() == f"300b{written}020100" + "0400"


@given(st.binary(max_size=400), st.integers(0, 2**31 - 1))
def test_a_dirsync_request_holds_the_cookie(cookie: bytes, most: int) -> None:
    value = request(cookie, ALL_THREE, most).value or b""

    start, stop = ber.inside(value, ber.SEQUENCE)
    flags, size, held = ber.parts(value, start, stop)
    assert flags[2] - flags[1] == 4
    assert ber.number(value, size[1], size[2]) == most
    assert value[held[1] : held[2]] == cookie


@given(st.integers(0, 3), st.binary(max_size=400))
def test_a_dirsync_response_is_read(more: int, cookie: bytes) -> None:
    told = ber.sequence(
        ber.integer(more), ber.integer(0), ber.value(ber.OCTETS, cookie)
    )

    assert response(told) == Position(more != 0, cookie)


@given(st.binary(max_size=60))
def test_a_dirsync_response_is_whole_or_refused(data: bytes) -> None:
    with suppress(ber.NotBer):
        assert isinstance(response(data), Position)


@given(
    st.binary(max_size=200),
    st.integers(0, 2**63),
    st.sampled_from([Way.DIRSYNC, Way.USN]),
)
def test_a_cursor_survives_being_stored(cookie: bytes, usn: int, way: Way) -> None:
    held = Cursor("settings", GUID, GUID, way, cookie, usn, 12.5, own_security=True)

    assert cursor(held.encode()) == held


@given(st.binary(max_size=100))
def test_what_is_no_cursor_asks_for_everything(data: bytes) -> None:
    assert cursor(data) is None


@pytest.mark.parametrize(
    "broken",
    [b"", b"{}", b"[]", b"null", b'{"version":1}', b'{"version":2}', b"1"],
)
def test_an_old_or_broken_cursor_asks_for_everything(broken: bytes) -> None:
    assert cursor(broken) is None
