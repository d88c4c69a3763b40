"""RFC 4533 on the wire: known bytes, and whatever is written can be read."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.directory.ldap import ber
from policy.directory.ldap.sync_codec import (
    IdSet,
    Mode,
    NewCookie,
    PhaseEnd,
    SyncDone,
    SyncState,
    What,
    sync_control,
    sync_done,
    sync_info,
    sync_request,
    sync_state,
    written_done,
    written_info,
    written_state,
)

_COOKIES = st.binary(max_size=200)
_IDS = st.frozensets(st.uuids(), max_size=40)
_INFOS = st.one_of(
    st.builds(NewCookie, _COOKIES),
    st.builds(PhaseEnd, st.booleans(), _COOKIES, st.booleans()),
    st.builds(IdSet, _IDS, _COOKIES, st.booleans()),
)


def test_requests_are_the_bytes_that_servers_know() -> None:
    assert sync_request(Mode.REFRESH_ONLY).hex() == "30030a0101"
    assert (
        sync_request(Mode.REFRESH_AND_PERSIST, b"c=1").hex() == "30080a01030403633d31"
    )
    assert sync_request(Mode.REFRESH_ONLY, reload_hint=True).hex() == "30060a01010101ff"
    assert sync_control(Mode.REFRESH_ONLY).critical


def test_what_a_server_said_is_read() -> None:
    cookie = b"rid=000,csn=20261122204742.157246Z#000000#000#000000"
    ended = bytes.fromhex("a136" + "0434") + cookie
    named = bytes.fromhex("a317" + "0101ff" + "3112" + "0410") + bytes(range(16))

    assert sync_info(ended) == PhaseEnd(deletes=True, cookie=cookie, done=True)
    assert sync_info(named) == IdSet(
        frozenset({UUID(bytes=bytes(range(16)))}), deletes=True
    )
    assert sync_done(bytes.fromhex("30030101ff")) == SyncDone(refresh_deletes=True)
    assert sync_done(bytes.fromhex("3000")) == SyncDone()


@given(st.builds(SyncState, st.sampled_from(What), st.uuids(), _COOKIES))
def test_states_are_read_as_written(state: SyncState) -> None:
    assert sync_state(written_state(state)) == state


@given(st.builds(SyncDone, _COOKIES, st.booleans()))
def test_ends_are_read_as_written(done: SyncDone) -> None:
    assert sync_done(written_done(done)) == done


@given(_INFOS)
def test_infos_are_read_as_written(info: NewCookie | PhaseEnd | IdSet) -> None:
    assert sync_info(written_info(info)) == info


@given(st.binary(max_size=60), st.sampled_from([sync_state, sync_done, sync_info]))
def test_nonsense_is_refused(data: bytes, read: object) -> None:
    assert callable(read)
    try:
        read(data)
    except ber.NotBer:
        return


@pytest.mark.parametrize(
    "state", ["30030a0101", "30150a01070410" + "00" * 16, "30080a01010403010203"]
)
def test_a_state_without_an_id_or_a_meaning_is_refused(state: str) -> None:
    with pytest.raises(ber.NotBer):
        sync_state(bytes.fromhex(state))
