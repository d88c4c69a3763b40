"""What becomes of joiners, movers and leavers is worked out, and does nothing yet."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.accounts import Account, Confidence
from bridge.directory.lifecycle import (
    Actions,
    Case,
    Deed,
    Happening,
    Holdings,
    Known,
    Plan,
    Seat,
    Step,
    converted,
    happening,
    planned,
    step_data,
    step_from,
)
from bridge.directory.model import Grace, Standing, Subject
from bridge.directory.runs import left_by_choice
from bridge.messages import Channel, Platform

FINANCE, SALES = "group:fin", "group:sales"
SLACK = Account(Platform.SLACK, "T1", "U1")
TEAMS = Account(Platform.TEAMS, "tid", "29:u1")
S_FIN, T_FIN = (
    Channel(Platform.SLACK, "T1", "CFIN"),
    Channel(Platform.TEAMS, "G", "19:f"),
)
S_SALES = Channel(Platform.SLACK, "T1", "CSALES")
LINKED = {"fin": (S_FIN, T_FIN), "sales": (S_SALES,)}
ACTIONS = Actions(rooms={FINANCE: frozenset({"fin"}), SALES: frozenset({"sales"})})
BOTH = (Known(SLACK, Confidence.PROVED), Known(TEAMS, Confidence.ADDRESS))
ANA = Subject("p-1", "Ana", department="Finance", ancestors=frozenset({FINANCE}))
MOVED = replace(ANA, department="Sales", ancestors=frozenset({SALES}))


def told(steps: list[Step]) -> list[tuple[Deed, str]]:
    return [(one.deed, str(one.channel or one.target or one.account)) for one in steps]


def case(
    what: Happening,
    old: Subject | None,
    new: Subject | None,
    holdings: Holdings,
) -> Case:
    names = {FINANCE: "Finance", SALES: "Sales"}
    return Case(what, old, new, holdings, LINKED, lambda one: names.get(one, one))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, Standing.ACTIVE, Happening.JOINER),
        (None, Standing.PENDING, None),
        (Standing.PENDING, Standing.ACTIVE, Happening.JOINER),
        (Standing.LEFT, Standing.ACTIVE, Happening.RETURNER),
        (Standing.DISABLED, Standing.ACTIVE, Happening.RETURNER),
        (Standing.ACTIVE, Standing.ACTIVE, None),
        (Standing.ACTIVE, Standing.LOCKED, None),
        (Standing.LOCKED, Standing.ACTIVE, None),
        (Standing.ACTIVE, Standing.DISABLED, Happening.LEAVER),
        (Standing.ACTIVE, Standing.EXPIRED, Happening.LEAVER),
        (Standing.ACTIVE, Standing.LEFT, Happening.LEAVER),
        (Standing.ACTIVE, None, Happening.LEAVER),
        (Standing.LEFT, None, None),
    ],
)
def test_what_happened_is_told_by_how_they_stood(
    before: Standing | None, after: Standing | None, expected: Happening | None
) -> None:
    old = replace(ANA, standing=before) if before else None
    new = replace(ANA, standing=after) if after else None

    assert happening(old, new) is expected


@pytest.mark.parametrize(
    "change",
    [
        {"ancestors": frozenset({SALES})},
        {"department": "Sales"},
        {"unit": "ou=x"},
        {"guest": True},
        {"clearance": 2},
    ],
)
def test_whoever_has_another_place_has_moved(change: dict[str, object]) -> None:
    assert happening(ANA, replace(ANA, **change)) is Happening.MOVER  # type: ignore[arg-type]
    assert happening(ANA, replace(ANA, name="Ana B.", version=9)) is None


def test_a_joiner_is_added_where_their_groups_belong() -> None:
    holdings = Holdings(BOTH, open=frozenset({S_FIN, T_FIN, S_SALES}))

    steps, notes = planned(case(Happening.JOINER, None, ANA, holdings), ACTIONS)

    assert told(steps) == [(Deed.ADD, str(S_FIN)), (Deed.ADD, str(T_FIN))]
    assert {one.why for one in steps} == {"is in Finance"}
    assert notes == []


def test_nobody_is_added_where_the_policy_does_not_let_them_be() -> None:
    holdings = Holdings(BOTH, open=frozenset({S_FIN}))

    steps, notes = planned(case(Happening.JOINER, None, ANA, holdings), ACTIONS)

    assert told(steps) == [(Deed.ADD, str(S_FIN))]
    assert notes == [f"{T_FIN}: the policy does not let them in"]


def test_an_account_that_is_only_guessed_gets_and_loses_nothing() -> None:
    guessed = (Known(SLACK, Confidence.NONE),)
    holdings = Holdings(guessed, open=frozenset({S_FIN}))

    joined, _ = planned(case(Happening.JOINER, None, ANA, holdings), ACTIONS)
    left, _ = planned(case(Happening.LEAVER, ANA, None, holdings), ACTIONS)

    assert joined == left == []


def test_a_mover_leaves_both_sides_and_comes_in_elsewhere() -> None:
    seats = frozenset({Seat("fin", S_FIN, SLACK), Seat("fin", T_FIN, TEAMS)})
    holdings = Holdings(BOTH, seats, open=frozenset({S_SALES}))

    steps, _ = planned(case(Happening.MOVER, ANA, MOVED, holdings), ACTIONS)

    assert told(steps) == [
        (Deed.REMOVE, str(S_FIN)),
        (Deed.REMOVE, str(T_FIN)),
        (Deed.ADD, str(S_SALES)),
    ]
    assert [one.why for one in steps] == ["left Finance", "left Finance", "is in Sales"]


def test_a_mover_keeps_what_the_policy_still_allows() -> None:
    seats = frozenset({Seat("fin", S_FIN, SLACK)})
    holdings = Holdings(BOTH, seats, open=frozenset({S_FIN}))

    steps, _ = planned(case(Happening.MOVER, ANA, MOVED, holdings), ACTIONS)

    assert steps == []


def test_a_leaver_is_signed_out_before_everything_else() -> None:
    seats = frozenset({Seat("fin", S_FIN, SLACK)})
    holdings = Holdings(
        BOTH,
        seats,
        open=frozenset({S_FIN}),
        links=(("fin", SLACK),),
        duties=("export",),
        heir="p-2",
    )
    gone = replace(ANA, standing=Standing.LEFT)

    steps, _ = planned(case(Happening.LEAVER, ANA, gone, holdings), ACTIONS)

    assert told(steps) == [
        (Deed.END_SESSIONS, str(SLACK)),
        (Deed.END_SESSIONS, str(TEAMS)),
        (Deed.REMOVE, str(S_FIN)),
        (Deed.REVOKE, "export"),
        (Deed.HAND_OVER, "fin"),
    ]
    assert {one.why for one in steps} == {"is left"}


def test_without_an_heir_an_admin_has_to_see_to_it() -> None:
    holdings = Holdings(BOTH, links=(("fin", SLACK),))

    steps, notes = planned(case(Happening.LEAVER, ANA, None, holdings), ACTIONS)

    assert Deed.HAND_OVER not in {one.deed for one in steps}
    assert notes == ["link fin has nobody to take it over: an admin has to"]


def test_who_comes_back_gets_what_is_theirs_now_and_not_what_was() -> None:
    """Seats that were never taken from them go, if the policy says so now."""
    seats = frozenset({Seat("fin", S_FIN, SLACK)})
    holdings = Holdings(BOTH, seats, open=frozenset({S_SALES}))
    gone = replace(ANA, standing=Standing.LEFT)

    steps, _ = planned(case(Happening.RETURNER, gone, MOVED, holdings), ACTIONS)

    assert told(steps) == [(Deed.REMOVE, str(S_FIN)), (Deed.ADD, str(S_SALES))]


def test_who_left_a_channel_by_choice_is_not_put_back() -> None:
    holdings = Holdings(
        BOTH,
        chosen=frozenset({Seat("fin", S_FIN, SLACK)}),
        open=frozenset({S_FIN, T_FIN}),
    )

    steps, notes = planned(case(Happening.RETURNER, None, ANA, holdings), ACTIONS)

    assert told(steps) == [(Deed.ADD, str(T_FIN))]
    assert notes == [f"{S_FIN}: they left it by their own choice"]


def test_a_company_may_want_less_done() -> None:
    few = replace(ACTIONS, leaver=frozenset({Deed.END_SESSIONS}))
    holdings = Holdings(BOTH, frozenset({Seat("fin", S_FIN, SLACK)}))

    steps, _ = planned(case(Happening.LEAVER, ANA, None, holdings), few)

    assert {one.deed for one in steps} == {Deed.END_SESSIONS}


def test_a_human_under_another_id_is_found_by_hrs_own_id_of_them() -> None:
    left = {"p-c1": "h1", "p-c2": "h2", "p-c3": "", "p-c4": "h4", "p-c5": "h4"}
    came = {"p-e1": "h1", "p-e2": "h9", "p-e3": "", "p-e4": "h4"}

    assert converted(left, came) == {"p-c1": "p-e1"}


def test_a_digest_names_these_steps_about_this_person_now() -> None:
    step = Step(Deed.REMOVE, "why", SLACK, S_FIN, "fin")
    plan = Plan("acme", "p-1", "Ana", Happening.MOVER, "7", (step,))

    others = [
        replace(plan, tenant="globex"),
        replace(plan, person="p-2"),
        replace(plan, version="8"),
        replace(plan, happening=Happening.LEAVER),
        replace(plan, steps=(replace(step, channel=T_FIN),)),
        replace(plan, steps=()),
    ]

    assert len({plan.digest, *(one.digest for one in others)}) == len(others) + 1
    assert replace(plan, name="Ana B.").digest == plan.digest


_names = st.text("abcXYZ019:-", min_size=1, max_size=8)
_accounts = st.builds(Account, st.sampled_from(list(Platform)), _names, _names)
_channels = st.builds(Channel, st.sampled_from(list(Platform)), _names, _names)
_steps = st.builds(
    Step,
    st.sampled_from(list(Deed)),
    st.text(max_size=20),
    st.none() | _accounts,
    st.none() | _channels,
    _names,
    _names,
)


@given(step=_steps)
def test_steps_come_back_from_the_store_as_they_went(step: Step) -> None:
    assert step_from(step_data(step)) == step


@given(step=_steps)
def test_taking_back_twice_is_doing_again(step: Step) -> None:
    back = step.opposite()

    assert (back is None) is (step.deed is Deed.END_SESSIONS)
    if back is not None:
        again = back.opposite()
        assert again is not None
        assert replace(again, why=step.why) == step


@given(
    order=st.permutations(sorted([SLACK, TEAMS])),
    seats=st.sets(st.sampled_from([(S_FIN, SLACK), (T_FIN, TEAMS), (S_SALES, SLACK)])),
    allowed=st.sets(st.sampled_from([S_FIN, T_FIN, S_SALES])),
    what=st.sampled_from(
        [Happening.JOINER, Happening.RETURNER, Happening.MOVER, Happening.LEAVER]
    ),
)
def test_a_plan_never_adds_what_is_closed_nor_leaves_a_leaver_inside(
    order: list[Account],
    seats: set[tuple[Channel, Account]],
    allowed: set[Channel],
    what: Happening,
) -> None:
    taken = frozenset(Seat("l", channel, account) for channel, account in seats)
    holdings = Holdings(
        tuple(Known(one, Confidence.PROVED) for one in order),
        taken,
        open=frozenset(allowed),
    )
    both = replace(MOVED, ancestors=frozenset({FINANCE, SALES}))

    steps, _ = planned(case(what, ANA, both, holdings), ACTIONS)

    added = {one.channel for one in steps if one.deed is Deed.ADD}
    removed = {one.channel for one in steps if one.deed is Deed.REMOVE}
    assert added <= allowed
    assert not added & {channel for channel, _ in seats}
    if what is Happening.LEAVER:
        assert (added, removed) == (set(), {channel for channel, _ in seats})
    elif what is not Happening.JOINER:
        assert removed == {channel for channel, _ in seats} - allowed
    again, _ = planned(
        case(what, ANA, both, replace(holdings, accounts=holdings.accounts[::-1])),
        ACTIONS,
    )
    assert again == steps


def test_being_put_out_is_told_from_leaving() -> None:
    minute = 60 * 1_000_000

    assert left_by_choice(1_000 * minute, [])
    assert not left_by_choice(1_000 * minute, [999 * minute])
    assert not left_by_choice(1_000 * minute, [1_001 * minute])
    assert left_by_choice(1_000 * minute, [900 * minute])


KEPT = Grace(FINANCE, 1_900_000_000_000_000, 1_900_086_400_000_000)
KEEPING = replace(MOVED, ancestors=frozenset({FINANCE, SALES}), kept=(KEPT,))


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        (ANA, KEEPING, "Finance is kept until 2030-03-18 17:46:40 UTC"),
        (KEEPING, MOVED, "Finance is kept no longer"),
        (KEEPING, ANA, "Finance is theirs again"),
        (KEEPING, replace(MOVED, standing=Standing.LEFT), "Finance is kept no longer"),
    ],
    ids=["begins", "ends", "comes back", "leaves"],
)
def test_what_is_kept_for_a_while_is_said_in_the_run(
    old: Subject, new: Subject, note: str
) -> None:
    what = happening(old, new)
    assert what is not None

    _, notes = planned(case(what, old, new, Holdings(BOTH)), ACTIONS)

    assert note in notes


def test_nobody_is_added_anywhere_for_what_they_only_keep() -> None:
    holdings = Holdings(BOTH, open=frozenset({S_FIN, T_FIN, S_SALES}))

    steps, _ = planned(case(Happening.MOVER, ANA, KEEPING, holdings), ACTIONS)

    assert [step.channel for step in steps] == [S_SALES]
