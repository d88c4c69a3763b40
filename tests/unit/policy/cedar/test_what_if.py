"""What a change would do is what it does."""

from dataclasses import replace

import pytest

from bridge.access import Action, Asked
from bridge.directory.model import Standing, Subject
from bridge.proofs import Proof
from bridge.what_if import Report
from policy.cedar.bundle import Bundle
from policy.cedar.deciding import Decider
from policy.cedar.facts import context
from policy.cedar.what_if import Scene, what_if
from tests.unit.policy.cedar.world import (
    FIN_SLACK,
    FIN_TEAMS,
    FRONT,
    TALK_SLACK,
    TALK_TEAMS,
    TENANT,
    World,
    person,
)

LINKS = (("L1", (FIN_SLACK, FIN_TEAMS)), ("L2", (TALK_SLACK, TALK_TEAMS)))


@pytest.fixture
def world() -> World:
    return World()


def scene(world: World, after: list[Subject] | None = None) -> Scene:
    before = list(world.directory.subjects(TENANT))
    return Scene(LINKS, before, after or before, "acme:1")


def measured(bundle: Bundle, people: list[Subject]) -> set[tuple[str, str, str]]:
    """Ask every single question about bridging, with nothing put together."""
    decider = Decider(bundle)
    found = set()
    for subject in people:
        principal = decider.facts.principal(subject, person("x"))
        for action in (a for a in Action if a.startswith("bridge.")):
            for link, (one, other) in LINKS:
                for source, target in ((one, other), (other, one)):
                    asked = Asked(TENANT, person("x"), action, source, target, link)
                    resource = decider.facts.resource(asked, action.value)
                    assert resource
                    said = context(asked, 0, 1, Proof())
                    verdict = decider.ask(principal, action.value, resource, said)
                    if verdict.allowed:
                        found.add((subject.id, action.value, f"{source} to {target}"))
    return found


def named(report: Report) -> tuple[set[tuple[str, str, str]], ...]:
    return tuple(
        {(c.person, c.action, c.where) for c in each if c.action.startswith("bridge.")}
        for each in (report.gained, report.lost)
    )


@pytest.mark.parametrize(
    "front",
    [
        "",
        "defaults: {grants: none}",
        FRONT.replace("GG-Finance-All", "Finance Leads"),
        FRONT.replace(
            "allow: [bridge.post, bridge.read, bridge.edit]", "allow: bridge.*"
        ),
        FRONT + "  - {id: bob-out, deny: bridge.post, who: {person: Bob Ray}}\n",
        FRONT + "  - {id: talk, allow: bridge.post, who: {unit: Contractors}, "
        'where: {channel: "slack:T1/C-TALK"}}\n',
        'channels: {"slack:T1/C-TALK": {classification: restricted}}',
    ],
)
async def test_it_names_exactly_what_a_new_policy_changes(
    world: World, front: str
) -> None:
    old, new = world.build(FRONT), world.build(front)
    people = list(world.directory.subjects(TENANT))
    before, after = measured(old, people), measured(new, people)

    report = await what_if("a policy", old, new, scene(world))

    assert named(report) == (after - before, before - after)
    assert report.gains == len(report.gained)
    assert report.losses == len(report.lost)
    assert report.sampled == 0


async def test_it_names_exactly_what_a_change_of_the_directory_changes(
    world: World,
) -> None:
    bundle = world.build(FRONT)
    before = list(world.directory.subjects(TENANT))
    after = [
        replace(s, ancestors=frozenset(), version=2)
        if s.id == "p-ana"
        else replace(s, standing=Standing.LEFT, version=2)
        if s.id == "p-bob"
        else s
        for s in before
    ]

    report = await what_if("two leave", bundle, bundle, scene(world, after))

    was, will = measured(bundle, before), measured(bundle, after)
    assert named(report) == (will - was, was - will)
    assert report.people == 2
    assert {c.name for c in report.lost} == {"Ana Ek", "Bob Ray"}


async def test_numbers_add_up_by_person_place_and_action(world: World) -> None:
    old, new = world.build(FRONT), world.build("defaults: {grants: none}")

    report = await what_if("nothing is granted", old, new, scene(world))

    assert sum(each.lost for each in report.by_person) == report.losses
    assert report.losses > 0


async def test_the_hash_is_of_what_was_seen(world: World) -> None:
    old, new = world.build(FRONT), world.build("")
    first = await what_if("x", old, new, scene(world))
    again = await what_if("x", old, new, scene(world))
    moved = await what_if("x", old, new, replace(scene(world), directory="acme:2"))

    assert first.hash == again.hash
    assert first.hash != moved.hash


async def test_above_the_limit_it_samples_and_says_so(world: World) -> None:
    old, new = world.build(FRONT), world.build("defaults: {grants: none}")

    report = await what_if("x", old, new, scene(world), most=100)

    assert report.sampled > 100
    assert report.pairs <= report.sampled


async def test_a_rule_about_labels_is_tried_with_every_label(world: World) -> None:
    front = FRONT + (
        "  - {id: no-conf, deny: bridge.post, when: {label_at_least: internal}}\n"
    )
    report = await what_if("x", world.build(FRONT), world.build(front), scene(world))

    assert {c.when for c in report.lost} == {
        "labelled internal",
        "labelled confidential",
    }


async def test_many_people_of_few_kinds_are_asked_as_kinds(world: World) -> None:
    crowd = [
        Subject(f"p{n}", f"Person {n}", confidence=2, version=1) for n in range(3_000)
    ]
    one = Scene(LINKS, crowd, crowd, "acme:1")

    report = await what_if(
        "x", world.build(FRONT), world.build("defaults: {grants: none}"), one
    )

    assert report.people == 3_000
    assert report.pairs < 1_000
    assert report.losses > 3_000
    assert report.sampled == 0


async def test_a_spreadsheet_finds_no_formula_in_it(world: World) -> None:
    world.directory.change("slack:bob", name="=cmd|' /C calc'!A0")

    report = await what_if(
        "x", world.build(FRONT), world.build("defaults: {grants: none}"), scene(world)
    )

    lines = report.as_csv().splitlines()
    assert lines[0] == "change,person,name,action,where,when"
    assert len(lines) == 1 + report.gains + report.losses
    assert any("'=cmd" in line for line in lines)
    assert not any(",=cmd" in line for line in lines)
