"""Tests that a company writes for its own policy."""

from dataclasses import replace

import pytest

from bridge.errors import BadInput
from bridge.policy_desk import CaseOutcome, Trial
from policy.cedar.cases import Cases, refuse_untried
from policy.cedar.deciding import Decider
from tests.unit.policy.cedar.test_what_if import LINKS
from tests.unit.policy.cedar.world import FRONT, TENANT, World

TESTS = """
tests:
  - name: nested member may post
    given: {user: Bob Ray, groups: [Finance EMEA]}
    ask: {action: bridge.post, from: fin, to: "teams:19:team/19:fin"}
    expect: {effect: allow, rules: [finance-talks]}
  - name: disabled means denied everywhere
    given: {user: Ana Ek, active: false}
    ask_each: [bridge.post, channel.join, record.view, admin.link]
    expect: {effect: deny, rules: [atom-inactive]}
  - name: no guest reaches what is confidential
    forall: {user.guest: true, link.classification: confidential}
    expect: {effect: deny, rules: [atom-guest-confidential]}
  - name: contractors hand nothing over
    given: {units: [Contractors]}
    ask: {action: bridge.file}
    expect: {effect: deny, rules: [no-files-by-contractors]}
  - name: leads approve
    given: {groups: [Finance Leads], clearance: 2}
    ask: {action: record.approve, channel: fin, record: salesforce/opportunity/1}
    expect: {effect: allow, rules: [leads-approve]}
"""


@pytest.fixture
def world() -> World:
    world = World()
    world.directory.nested["group:g-emea"] = ("group:g-fin",)
    return world


def cases(world: World, text: str) -> Cases:
    people = {s.id: s for s in world.directory.subjects(TENANT)}
    return Cases(Decider(world.build(text)), world.directory, people, LINKS)


def outcome(world: World, case: str) -> CaseOutcome:
    [found] = cases(world, f"{FRONT}\ntests:\n  - {case}").run()
    return found


def test_every_kind_of_test_passes_when_it_should(world: World) -> None:
    trial = cases(world, FRONT + TESTS).trial(None)

    assert [o for o in trial.outcomes if not o.passed] == []
    assert trial.untested == ()
    assert trial.passed
    refuse_untried(trial)


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (
            (
                "{name: x, given: {user: Bob Ray}, ask: {action: bridge.post, from: fin}, "
                "expect: {effect: allow}}"
            ),
            "bridge.post: deny: nothing allows it",
        ),
        (
            (
                "{name: x, given: {user: Ana Ek}, ask: {action: bridge.post}, "
                "expect: {effect: deny}}"
            ),
            "bridge.post: allow by atom-employees-talk",
        ),
        (
            (
                "{name: x, ask: {action: bridge.post}, "
                "expect: {effect: allow, rules: [finance-talks]}}"
            ),
            "bridge.post: allow by atom-employees-talk",
        ),
        (
            (
                "{name: x, forall: {user.guest: true, link.space: nowhere}, "
                "expect: {effect: deny}}"
            ),
            "it asks about nobody and nothing",
        ),
        (
            "{name: x, forall: {user.guest: true}, expect: {effect: deny}}",
            (
                "Gus Guest, bridge.read, slack:T1/C-TALK to teams:19:team/19:talk: "
                "allow by atom-reading, atom-guests-talk"
            ),
        ),
    ],
)
def test_a_test_that_does_not_hold_says_why(world: World, case: str, why: str) -> None:
    found = outcome(world, case)

    assert (found.passed, found.why) == (False, why)


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("{name: x, ask: {action: bridge.post}}", "expect needs an effect"),
        ("{name: x, expect: {effect: deny}}", "it needs ask with an action"),
        (
            "{name: x, ask: {action: bridge.pst}, expect: {effect: deny}}",
            "there is no action 'bridge.pst'",
        ),
        (
            (
                "{name: x, ask: {action: bridge.post}, "
                "expect: {effect: deny, rules: [nope]}}"
            ),
            "there is no rule 'nope'",
        ),
        (
            (
                "{name: x, given: {groups: [Nope]}, ask: {action: bridge.post}, "
                "expect: {effect: deny}}"
            ),
            "the directory has no group 'Nope'",
        ),
        (
            (
                "{name: x, given: {age: 3}, ask: {action: bridge.post}, "
                "expect: {effect: deny}}"
            ),
            "age is not known",
        ),
    ],
)
def test_a_test_that_makes_no_sense_is_refused(
    world: World, case: str, says: str
) -> None:
    with pytest.raises(BadInput, match=r"^line ") as refused:
        outcome(world, case)

    assert says in str(refused.value)


def test_staleness_and_second_factors_can_be_tested(world: World) -> None:
    stale = outcome(
        world,
        "{name: x, ask: {action: bridge.post, directory_age: 901}, "
        "expect: {effect: deny, rules: [atom-stale-directory]}}",
    )
    proved = outcome(
        world,
        "{name: x, ask: {action: admin.officers, mfa_age: 5, mfa_method: webauthn}, "
        "expect: {effect: allow}}",
    )
    unproved = outcome(
        world,
        "{name: x, ask: {action: admin.officers}, "
        "expect: {effect: deny, rules: [atom-step-up]}}",
    )

    assert (stale.passed, proved.passed, unproved.passed) == (True, True, True)


def test_new_rules_need_a_test_that_speaks_of_them(world: World) -> None:
    trial = cases(world, FRONT).trial(None)

    assert trial.untested == (
        "finance-talks",
        "leads-approve",
        "no-files-by-contractors",
    )
    with pytest.raises(BadInput, match="no test comes to speak of finance-talks"):
        refuse_untried(trial)


def test_rules_that_stay_as_they_were_need_none(world: World) -> None:
    before = Decider(world.build(FRONT))

    assert cases(world, FRONT).trial(before).untested == ()
    changed = FRONT.replace("GG-Finance-All", "Finance EMEA")
    assert cases(world, changed).trial(before).untested == ("finance-talks",)


def test_one_failing_test_keeps_a_policy_from_being_published() -> None:
    trial = Trial((CaseOutcome("a", passed=True), CaseOutcome("b", False, "because")))

    with pytest.raises(BadInput, match="test 'b' fails: because"):
        refuse_untried(trial)
    refuse_untried(replace(trial, outcomes=trial.outcomes[:1]))
