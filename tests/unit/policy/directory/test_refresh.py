"""Phases of a refresh: who is gone is known only when the server is through."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.directory.ldap import ber
from policy.directory.ldap.answers import Answer, Done, Found, Referral, Told
from policy.directory.ldap.refresh import Refresh
from policy.directory.ldap.sync_codec import (
    SYNC_DONE,
    SYNC_INFO,
    SYNC_STATE,
    IdSet,
    NewCookie,
    PhaseEnd,
    SyncDone,
    SyncInfo,
    SyncState,
    What,
    written_done,
    written_info,
    written_state,
)

_ANA, _BEN, _EVE = (UUID(int=number) for number in (1, 2, 3))


def test_a_server_that_remembers_names_what_is_gone() -> None:
    refresh = Refresh(b"old")

    refresh.hear([_info(IdSet(frozenset({_BEN}), b"mid", deletes=True))])
    refresh.hear([_entry(_ANA, What.MODIFY), _info(PhaseEnd(True, b"new"))])

    assert set(refresh.changed) == {str(_ANA)}
    assert refresh.gone == {str(_BEN)}
    assert (refresh.through, refresh.named_all, refresh.cookie) == (True, False, b"new")


def test_a_server_that_forgot_names_all_that_is_there() -> None:
    refresh = Refresh(b"old")

    refresh.hear([_info(IdSet(frozenset({_BEN})))])
    refresh.hear([_entry(_ANA, What.ADD), _entry(_EVE, What.PRESENT)])
    early = refresh.named_all
    refresh.hear([_info(PhaseEnd(False, b"new"))])

    assert not early
    assert refresh.named_all
    assert refresh.through
    assert refresh.there == {str(_BEN), str(_EVE)}
    assert not refresh.gone


def test_a_phase_may_end_and_another_follow() -> None:
    refresh = Refresh()

    refresh.hear([_info(PhaseEnd(False, b"", done=False))])
    between = refresh.through
    refresh.hear([_entry(_ANA, What.DELETE), _info(PhaseEnd(True, b"c"))])

    assert not between
    assert refresh.through
    assert refresh.gone == {str(_ANA)}


@pytest.mark.parametrize("deletes", [True, False])
def test_the_end_says_which_phase_it_was(*, deletes: bool) -> None:
    refresh = Refresh()

    refresh.hear([Done(0, controls={SYNC_DONE: written_done(SyncDone(b"c", deletes))})])

    assert refresh.through
    assert refresh.named_all is not deletes
    assert refresh.cookie == b"c"


@pytest.mark.parametrize("code", [3, 4, 51, 52, 80])
def test_an_end_in_bad_order_is_not_through(code: int) -> None:
    refresh = Refresh()

    refresh.hear([_entry(_ANA, What.ADD), Done(code)])

    assert not refresh.through
    assert not refresh.named_all
    assert not refresh.restart


def test_a_server_may_ask_to_start_over() -> None:
    refresh = Refresh(b"old")

    refresh.hear([Done(4096)])

    assert refresh.restart


def test_the_last_word_on_an_entry_counts() -> None:
    refresh = Refresh()

    refresh.hear([_entry(_ANA, What.ADD), _entry(_ANA, What.DELETE)])
    refresh.hear([_entry(_BEN, What.DELETE), _entry(_BEN, What.ADD)])

    assert refresh.gone == {str(_ANA)}
    assert set(refresh.changed) == {str(_BEN)}


def test_cookies_that_say_nothing_change_nothing() -> None:
    refresh = Refresh(b"old")

    refresh.hear([_entry(_ANA, What.MODIFY), _info(NewCookie(b""))])
    refresh.hear([Told("1.2.3", b"something else"), Referral(("ldap://x",))])

    assert refresh.cookie == b"old"
    assert refresh.referrals == 1


def test_taking_leaves_the_cookie_and_the_phase() -> None:
    refresh = Refresh()
    refresh.hear([_entry(_ANA, What.ADD), _info(PhaseEnd(False, b"c"))])

    said = refresh.taken()

    assert set(said.changed) == {str(_ANA)}
    assert said.named_all
    assert (refresh.cookie, refresh.through, refresh.empty) == (b"c", True, True)


def test_an_entry_without_its_state_is_no_synchronization() -> None:
    with pytest.raises(ber.NotBer):
        Refresh().hear([Found("cn=a", {})])


@given(st.lists(st.sampled_from(["add", "modify", "delete", "idset"]), max_size=12))
def test_nobody_is_changed_and_gone_at_once(steps: list[str]) -> None:
    refresh = Refresh()
    for step in steps:
        if step == "idset":
            refresh.hear([_info(IdSet(frozenset({_ANA}), deletes=True))])
        else:
            refresh.hear([_entry(_ANA, What[step.upper()])])

    assert not refresh.gone & set(refresh.changed)
    if steps:
        gone = steps[-1] in {"delete", "idset"}
        assert (str(_ANA) in refresh.gone) is gone


def _entry(key: UUID, what: What) -> Answer:
    state = written_state(SyncState(what, key))
    return Found(f"cn={key}", {}, {SYNC_STATE: state})


def _info(info: SyncInfo) -> Answer:
    return Told(SYNC_INFO, written_info(info))
