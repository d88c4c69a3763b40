"""Who has to go, who comes back, and what waits for somebody to look at it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access import Decision
from bridge.keeping import Ended, Plan, Seat, Wish, plan
from bridge.messages import Person, PersonKind, Platform
from bridge.options import Members
from tests.events import FALCON

YES = Decision(allowed=True, rule="fin", policy="hash", directory="7")
NO = replace(YES, allowed=False)
ACTIVE = [Members.REMOVE, Members.INVITE]


def seat(user: str, decision: Decision, kind: PersonKind = PersonKind.USER) -> Seat:
    return Seat(Person(Platform.SLACK, user, kind=kind), decision)


def gone(found: Plan) -> list[str]:
    return [one.person.id for one in found.remove]


@pytest.mark.parametrize("wish", list(Members))
def test_only_who_asks_for_it_has_people_moved(wish: Members) -> None:
    seats = [seat("U1", YES), seat("U2", NO)]

    found = plan(FALCON, seats, ["U3"], {}, Wish(wish))

    assert [one.person.id for one in found.wrong] == ["U2"]
    assert gone(found) == (["U2"] if wish in ACTIVE else [])
    assert found.invite == (("U3",) if wish is Members.INVITE else ())


@pytest.mark.parametrize("kind", [PersonKind.BOT, PersonKind.SYSTEM])
def test_apps_are_nobody_whom_a_directory_knows(kind: PersonKind) -> None:
    found = plan(FALCON, [seat("B1", NO, kind)], [], {}, Wish(Members.REMOVE))

    assert found == Plan(FALCON)


def test_nobody_is_taken_out_while_it_cannot_be_decided() -> None:
    unsure = seat("U1", replace(NO, unsure=True))

    assert plan(FALCON, [unsure], [], {}, Wish(Members.REMOVE)) == Plan(FALCON)


@pytest.mark.parametrize("wish", ACTIVE)
def test_who_left_by_choice_is_let_be_and_who_was_taken_out_comes_back(
    wish: Members,
) -> None:
    """Scenario 16: and so it is in Slack and in Teams."""
    ended = {"U1": Ended.CHOICE, "U2": Ended.SYNC}

    found = plan(FALCON, [], ["U1", "U2", "U2"], ended, Wish(wish))

    assert found.invite == ("U2",)


def test_many_at_once_wait_until_exactly_they_are_agreed_to() -> None:
    seats = [seat(f"U{n}", NO if n < 4 else YES) for n in range(10)]
    waiting = plan(FALCON, seats, [], {}, Wish(Members.REMOVE))
    assert gone(waiting) == []
    assert waiting.braked == "4 of 10 people would be taken out"

    agreed = plan(FALCON, seats, [], {}, Wish(Members.REMOVE, waiting.digest))
    assert gone(agreed) == ["U0", "U1", "U2", "U3"]

    more = [*seats[:9], seat("U9", NO)]
    assert gone(plan(FALCON, more, [], {}, Wish(Members.REMOVE, waiting.digest))) == []


@given(st.integers(0, 60), st.integers(0, 60))
def test_never_more_than_a_few_or_a_fifth_go_without_a_word(
    wrong: int, right: int
) -> None:
    seats = [seat(f"U{n}", NO) for n in range(wrong)]
    seats += [seat(f"V{n}", YES) for n in range(right)]

    found = plan(FALCON, seats, [], {}, Wish(Members.REMOVE))

    assert len(found.remove) <= max(3, (wrong + right) / 5)
    assert bool(found.braked) == (bool(found.wrong) and not found.remove)
