"""Why somebody may do something, or what is missing if they may not."""

from collections.abc import Sequence

import pytest

from bridge.access import Action, Label
from bridge.directory.held import Ending, Lost
from bridge.directory.model import Kind
from policy.cedar.explaining import Explainer
from tests.unit.policy.cedar.world import FIN_SLACK, FIN_TEAMS, World, asked


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def explainer(world: World) -> Explainer:
    return Explainer(world.engine, world.directory)


async def test_an_allowance_tells_rule_reason_and_the_way_of_groups(
    explainer: Explainer,
) -> None:
    why = await explainer.why(asked("ana", Action.POST, FIN_SLACK, FIN_TEAMS))

    assert why.decision.allowed
    assert why.name == "Ana Ek"
    [hit] = why.hits
    assert (hit.id, hit.reason) == (
        "finance-talks",
        "Finance talks in its own channels.",
    )
    [way] = hit.ways
    assert way.into == "group GG-Finance-All"
    assert way.names == ("Finance EMEA", "GG-Finance-All")
    assert not why.near


async def test_a_role_tells_the_group_that_gives_it(explainer: Explainer) -> None:
    why = await explainer.why(
        asked(
            "leo",
            Action.RECORD_APPROVE,
            FIN_SLACK,
            None,
            thing="salesforce/opportunity/1",
        )
    )

    [hit] = why.hits
    [way] = hit.ways
    assert (hit.id, way.into, way.names) == (
        "leads-approve",
        "role approver",
        ("Finance Leads",),
    )


async def test_a_denial_by_nothing_names_what_is_missing(explainer: Explainer) -> None:
    why = await explainer.why(asked("bob", Action.POST, FIN_SLACK, FIN_TEAMS))

    assert not why.decision.allowed
    nearest = why.near[0]
    assert nearest.id == "finance-talks"
    assert nearest.missing == ("member of GG-Finance-All (group)",)


async def test_what_is_missing_is_ranked_by_how_much_it_is(
    world: World, explainer: Explainer
) -> None:
    world.publish(
        """
        defaults: {grants: none}
        spaces: {finance: ["slack:T1/C-FIN"]}
        rules:
          - {id: two, allow: bridge.post, who: {group: GG-Finance-All},
             where: {space: finance}, when: {label_at_least: restricted}}
          - {id: one, allow: bridge.post, who: {group: GG-Finance-All},
             where: {space: finance}}
        """
    )
    why = await explainer.why(asked("bob", Action.POST, FIN_SLACK, FIN_TEAMS))

    assert [miss.id for miss in why.near] == ["one", "two"]
    assert why.near[1].missing == (
        "member of GG-Finance-All (group)",
        "labelled at least restricted",
    )


async def test_doing_what_is_missing_opens_it(
    world: World, explainer: Explainer
) -> None:
    """The nearest miss is no guess: with what it names, the answer is yes."""
    question = asked("bob", Action.POST, FIN_SLACK, FIN_TEAMS)
    why = await explainer.why(question)
    assert why.near[0].missing == ("member of GG-Finance-All (group)",)

    world.directory.join("slack:bob", ["g-fin"])

    assert (await explainer.why(question)).decision.allowed


async def test_a_denial_by_a_rule_names_it_and_guesses_nothing(
    explainer: Explainer,
) -> None:
    why = await explainer.why(asked("bob", label=Label.RESTRICTED))

    assert [hit.id for hit in why.hits] == ["atom-label-above-target"]
    assert not why.near


async def test_of_people_nobody_knows_it_says_just_that(explainer: Explainer) -> None:
    why = await explainer.why(asked("nobody"))

    assert why.name == ""
    assert why.decision.rule == "unknown-person"
    assert not why.hits
    assert not why.near


async def test_without_a_directory_it_explains_the_platforms_membership(
    explainer: Explainer,
) -> None:
    why = await explainer.why(asked("bob", tenant="other"))

    assert why.decision.allowed
    assert not why.hits


async def test_conditions_without_words_are_shown_as_cedar(
    world: World, explainer: Explainer
) -> None:
    world.publish(
        "defaults: {grants: none}",
        '@id("odd") permit (principal, action == Atom::Action::"bridge.post", resource)'
        ' when { context.mfaMethod like "web*" };',
    )
    why = await explainer.why(asked("bob"))

    assert why.near[0].missing == ('(context.mfaMethod) like "web*"',)


async def test_a_denial_tells_what_somebody_left_when_and_who_said_so(
    explainer: Explainer,
) -> None:
    async def losses(_tenant: str, _subject: str) -> Sequence[Lost]:
        return [Lost("g-fin", 1_900_000_000_000_000, "ad")]

    explainer.losses = losses

    denied = await explainer.why(asked("bob", Action.POST, FIN_SLACK, FIN_TEAMS))
    allowed = await explainer.why(asked("ana", Action.POST, FIN_SLACK, FIN_TEAMS))

    left = "Left group GG-Finance-All 2030-03-17 17:46:40 UTC, as ad told"
    assert left in denied.facts
    assert not any(fact.startswith("Left") for fact in allowed.facts)


async def test_a_denial_tells_departments_units_and_roles_that_are_others_now(
    explainer: Explainer,
) -> None:
    at_us = 1_900_000_000_000_000
    when = "2030-03-17 17:46:40 UTC"

    async def losses(_tenant: str, _subject: str) -> Sequence[Lost]:
        return [
            Lost("finance", at_us, "hr", Kind.DEPARTMENT),
            Lost("night shift", at_us, "hr", Kind.DEPARTMENT),
            Lost("g-fin", at_us, "slack:T1/U1", Kind.GROUP, Ending.CUT),
            Lost("u-con", at_us, "hr"),  # another source says so still
            Lost("never heard of", at_us, "hr"),
        ]

    explainer.losses = losses

    denied = await explainer.why(asked("leo", Action.POST, FIN_SLACK, FIN_TEAMS))

    assert [f for f in denied.facts if f.startswith(("Left", "Kept"))] == [
        f"Left department Finance {when}, as hr told",
        f"Left department night shift {when}, as hr told",
        f"Kept group GG-Finance-All until slack:T1/U1 ended that {when}",
    ]
