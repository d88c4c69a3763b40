"""Several writes that are one wish: how far they got is shown, and none is done twice."""

from dataclasses import replace

import pytest

from bridge.access import Action
from bridge.errors import BadInput
from bridge.records.forms import DEED, MADE, TAKE_BACK
from bridge.records.model import RecordRef, System
from bridge.records.ports import Rejected
from bridge.records.saga import NEW, NEXT, Stage, Step
from tests.records_world import (
    ALICE,
    BOB,
    FakeAtOnce,
    FakeShown,
    FakeSystem,
    World,
    asker,
    unavailable,
)


def built() -> tuple[World, FakeSystem, list[Step]]:
    jira = FakeSystem(System.JIRA, kinds=("issue",))
    world = World(others=(jira,))
    change, issue = world.system.add("CHG1"), jira.add("WEB-1")
    deal = world.system.add("CHG2")
    steps = [
        Step(change.ref, "close", "Close CHG1", (("status", "Closed"),)),
        Step(issue.ref, "comment", "Comment on WEB-1", (("comment", "done"),)),
        Step(deal.ref, "stage", "Move CHG2", (("status", "Won"),)),
    ]
    return world, jira, steps


async def test_d20_a_failed_step_is_tried_again_alone() -> None:
    world, jira, steps = built()
    jira.faults["perform"].append(unavailable())
    shown = FakeShown()

    first = await world.saga.begin(asker(ALICE), steps, shown)

    assert first.stages == (Stage.DONE, Stage.FAILED, Stage.WAITING)
    [(form, token)] = shown.forms
    assert "✓ Close CHG1" in form.note
    assert "✗ Comment on WEB-1: Jira does not answer now" in form.note
    assert "… Move CHG2" in form.note

    then = FakeShown()
    await world.desk.submitted(asker(ALICE), token, {}, then)

    assert then.texts
    assert [deed.act for _, deed in world.system.written] == ["close", "stage"]
    assert [deed.act for _, deed in jira.written] == ["comment"]


async def test_d20_all_of_it_has_one_correlation() -> None:
    world, jira, steps = built()
    jira.faults["perform"].append(unavailable())
    shown = FakeShown()
    made = await world.saga.begin(asker(ALICE), steps, shown)
    await world.desk.submitted(asker(ALICE), shown.forms[0][1], {}, FakeShown())

    entries = [
        entry
        for etype in ("record.intent", "record.update", "record.failed")
        for entry in world.log.of(etype)
    ]
    assert {entry.detail["correlation"] for entry in entries} == {made.correlation}


async def test_d20_what_is_refused_inside_is_a_failure() -> None:
    world, jira, steps = built()
    jira.faults["perform"].append(Rejected("Comments are closed", {}))
    shown = FakeShown()

    made = await world.saga.begin(asker(ALICE), steps, shown)

    assert made.stages[1] is Stage.FAILED
    assert "Comments are closed" in made.lines[1]


async def test_d20_a_lost_answer_does_not_write_twice() -> None:
    world, jira, steps = built()
    jira.lost = 1
    shown = FakeShown()

    made = await world.saga.begin(asker(ALICE), steps, shown)

    assert made.complete
    assert len(jira.written) == 1


async def test_trying_again_is_for_who_began_it_and_once() -> None:
    world, jira, steps = built()
    jira.faults["perform"].append(unavailable())
    shown = FakeShown()
    await world.saga.begin(asker(ALICE), steps, shown)
    token = shown.forms[0][1]

    other = FakeShown()
    await world.desk.submitted(asker(BOB), token, {}, other)
    assert other.texts == ["That button is somebody else's."]
    assert not jira.written

    for _ in range(2):
        await world.desk.submitted(asker(ALICE), token, {}, FakeShown())
    assert len(jira.written) == 1


@pytest.mark.parametrize("many", [0, 11])
async def test_a_wish_has_some_steps_and_not_too_many(many: int) -> None:
    world, _, steps = built()

    with pytest.raises(BadInput, match="Between 1 and 10"):
        await world.saga.begin(asker(ALICE), steps[:1] * many, FakeShown())


async def failed_at_the_second() -> tuple[World, FakeSystem, str]:
    world, jira, steps = built()
    jira.faults["perform"].append(unavailable())
    shown = FakeShown()
    steps[0] = replace(steps[0], act="edit", values=(("priority", "1"),))
    await world.saga.begin(asker(ALICE), steps, shown)
    return world, jira, shown.forms[0][1]


async def test_what_was_done_can_be_taken_back() -> None:
    world, jira, token = await failed_at_the_second()
    ref = world.system.records["id-CHG1"].ref

    then = FakeShown()
    await world.desk.submitted(asker(ALICE), token, {NEXT: "back"}, then)

    [told] = then.texts
    assert "↩ Close CHG1: taken back" in told
    assert "✗ Comment on WEB-1" in told
    assert [d.values for _, d in world.system.written] == [
        {"priority": "1"},
        {"priority": "3"},
    ]
    assert world.system.records[ref.id].fact("priority").raw == "3"  # type: ignore[union-attr]
    assert not jira.written
    both = {e.detail["correlation"] for e in world.log.of("record.update")}
    assert len(both) == 1


async def test_what_somebody_changed_since_stays() -> None:
    world, _, token = await failed_at_the_second()
    ref = world.system.records["id-CHG1"].ref
    world.system.change(ref, priority="2")

    then = FakeShown()
    await world.desk.submitted(asker(ALICE), token, {NEXT: "back"}, then)

    assert "It stays: it was changed again since." in then.texts[0]
    assert len(world.system.written) == 1


async def test_a_comment_is_taken_back_where_its_system_lets_its_author() -> None:
    world, jira, steps = built()
    world.system.faults["perform"].append(unavailable())
    shown = FakeShown()
    await world.saga.begin(asker(ALICE), [steps[1], steps[0]], shown)
    [(_, said)] = jira.written

    then = FakeShown()
    await world.desk.submitted(asker(ALICE), shown.forms[0][1], {NEXT: "back"}, then)

    assert "↩ Comment on WEB-1: taken back" in then.texts[0]
    _, (who, deed) = jira.written
    assert (who, deed.act, dict(deed.values)) == (
        "p-alice",
        TAKE_BACK,
        {DEED: said.key, MADE: "id-WEB-1"},
    )
    assert deed.key != said.key
    assert len(world.log.of("record.update")) == 2


def made_first() -> tuple[World, FakeSystem, list[Step]]:
    """The first step makes an issue."""
    world, jira, steps = built()
    new = RecordRef(jira.system, jira.instance, "issue", NEW)
    values = (("title", "It burns"),)
    first = Step(new, "create", "create issue", values, Action.RECORD_CREATE)
    return world, jira, [first, *steps]


async def test_a_new_record_is_taken_back_with_the_steps_that_it_belonged_to() -> None:
    world, jira, steps = made_first()
    world.system.faults["perform"].append(unavailable())
    shown = FakeShown()
    await world.saga.begin(asker(ALICE), steps, shown)
    assert len(jira.records) == 2

    then = FakeShown()
    await world.desk.submitted(asker(ALICE), shown.forms[0][1], {NEXT: "back"}, then)

    assert "↩ create issue: taken back" in then.texts[0]
    assert list(jira.records) == ["id-WEB-1"]
    assert {deed.ref for _, deed in jira.written} == {None}
    told = [*world.log.of("record.create"), *world.log.of("record.update")]
    assert len({entry.detail["correlation"] for entry in told}) == 1


async def test_after_a_crash_it_is_known_what_a_step_made() -> None:
    """It dies in the second step; what the first one made is in the book of deeds."""
    world, jira, steps = made_first()
    act = await world.saga.offered(asker(ALICE), steps)
    world.system.waits = die
    with pytest.raises(Died):
        await world.desk.clicked(asker(ALICE), act.token, FakeShown())
    world.system.waits = None
    world.acts.used.clear()  # nothing is heard of the claim, and it is given out again
    world.system.faults["perform"].append(unavailable())
    shown = FakeShown()
    await world.desk.clicked(asker(ALICE), act.token, shown)

    then = FakeShown()
    await world.desk.submitted(asker(ALICE), shown.forms[0][1], {NEXT: "back"}, then)

    assert "↩ create issue: taken back" in then.texts[0]
    assert list(jira.records) == ["id-WEB-1"]


async def test_what_cannot_be_undone_says_so() -> None:
    """A system that knows no way to delete a comment keeps it."""
    world, jira, steps = built()
    jira.keeps = True
    world.system.faults["perform"].append(unavailable())
    shown = FakeShown()
    await world.saga.begin(asker(ALICE), [steps[1], steps[0]], shown)

    then = FakeShown()
    await world.desk.submitted(asker(ALICE), shown.forms[0][1], {NEXT: "back"}, then)

    assert "✓ Comment on WEB-1" in then.texts[0]
    assert "It stays: that cannot be undone from here." in then.texts[0]
    assert len(jira.written) == 1


async def test_after_a_crash_the_button_goes_on_where_it_was() -> None:
    """The process dies after the first step's write: nothing tells that it was done."""
    world, jira, steps = built()
    act = await world.saga.offered(asker(ALICE), steps)

    jira.waits = die
    with pytest.raises(Died):
        await world.desk.clicked(asker(ALICE), act.token, FakeShown())
    jira.waits = None
    world.acts.used.clear()  # nothing is heard of the claim, and it is given out again

    then = FakeShown()
    await world.desk.clicked(asker(ALICE), act.token, then)

    assert "✓ Close CHG1: That is recorded already." in then.texts[0]
    assert [deed.act for _, deed in world.system.written] == ["close", "stage"]
    assert len(jira.written) == 1
    again = FakeShown()
    await world.desk.clicked(asker(ALICE), act.token, again)
    assert again.texts == ["That is recorded already."]


def beside() -> tuple[World, FakeAtOnce, FakeSystem, list[Step]]:
    """Two steps in a system that does them at once, then one elsewhere, then another."""
    both, jira = FakeAtOnce(), FakeSystem(System.JIRA, kinds=("issue",))
    world = World(both, others=(jira,))
    change, other, issue = both.add("CHG1"), both.add("CHG2"), jira.add("WEB-1")
    steps = [
        Step(change.ref, "edit", "Edit CHG1", (("priority", "1"),)),
        Step(other.ref, "close", "Close CHG2", (("status", "Closed"),)),
        Step(issue.ref, "comment", "Comment on WEB-1", (("comment", "done"),)),
        Step(change.ref, "stage", "Move CHG1", (("status", "Won"),)),
    ]
    return world, both, jira, steps


async def test_steps_beside_each_other_in_one_system_are_done_at_once() -> None:
    world, both, jira, steps = beside()
    shown = FakeShown()

    made = await world.saga.begin(asker(ALICE), steps, shown)

    assert made.complete
    assert both.together == [["edit", "close"]]
    assert [deed.act for _, deed in both.written] == ["edit", "close", "stage"]
    assert len(jira.written) == 1
    told = world.log.of("record.update")
    assert len({e.detail["deed"] for e in told}) == len(told) == 4
    assert {e.detail["correlation"] for e in told} == {made.correlation}


async def test_of_steps_that_are_done_at_once_none_is_done_if_one_fails() -> None:
    world, both, _, steps = beside()
    both.refused.add("close")
    shown = FakeShown()

    made = await world.saga.begin(asker(ALICE), steps, shown)

    waiting, failed = Stage.WAITING, Stage.FAILED
    assert made.stages == (waiting, failed, waiting, waiting)
    [(form, token)] = shown.forms
    assert "… Edit CHG1: not done because Close CHG2 failed" in form.note
    assert "✗ Close CHG2: Not on Sundays" in form.note
    assert "… Comment on WEB-1: waiting" in form.note
    assert not both.written
    whys = [e.detail["why"] for e in world.log.of("record.failed")]
    assert whys == ["another of them failed", "Rejected"]
    assert not world.changes.begun  # another try of any of them is the first

    both.refused.clear()
    then = FakeShown()
    await world.desk.submitted(asker(ALICE), token, {}, then)

    assert "✓ Edit CHG1: " in then.texts[0]
    assert "because" not in then.texts[0]
    assert [deed.act for _, deed in both.written] == ["edit", "close", "stage"]


async def test_who_may_not_do_one_of_them_does_none_of_them() -> None:
    world, both, _, steps = beside()
    steps[1] = replace(steps[1], classes=("finance",))
    world.policy.denied.add(("alice", "", "finance"))

    made = await world.saga.begin(asker(ALICE), steps, FakeShown())

    assert made.stages[:2] == (Stage.WAITING, Stage.FAILED)
    assert not both.written
    assert not world.log.of("record.intent")


async def test_a_lost_answer_to_several_is_looked_up_and_not_repeated() -> None:
    world, both, _, steps = beside()
    both.lost = 1

    made = await world.saga.begin(asker(ALICE), steps, FakeShown())

    assert made.complete
    assert both.together == [["edit", "close"]] * 2
    assert [deed.act for _, deed in both.written] == ["edit", "close", "stage"]


async def test_after_a_crash_in_one_call_the_rest_of_it_is_done_once() -> None:
    """It died after the first of both was put on record, and the second was not."""
    world, both, _, steps = beside()
    act = await world.saga.offered(asker(ALICE), steps)
    finish = world.changes.finish

    async def once(tenant: str, key: str, request: str, made: str = "") -> None:
        if both.written and len(world.changes.things) == 1:
            raise Died
        await finish(tenant, key, request, made)

    world.changes.finish = once  # type: ignore[method-assign]
    with pytest.raises(Died):
        await world.desk.clicked(asker(ALICE), act.token, FakeShown())
    world.changes.finish = finish  # type: ignore[method-assign]
    world.acts.used.clear()

    then = FakeShown()
    await world.desk.clicked(asker(ALICE), act.token, then)

    assert then.texts[0].count("✓") == 4
    assert [deed.act for _, deed in both.written] == ["edit", "close", "stage"]


async def die() -> None:
    """End as a process does that is killed."""
    raise Died


class Died(BaseException):
    """The process was killed."""
