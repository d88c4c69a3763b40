"""What is refused before it is published, and that names can say nothing but names."""

import json

import cedarpy
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import BadInput
from policy.cedar.bundle import Draft, build, from_saved
from policy.cedar.naming import FromDirectory
from policy.cedar.quoting import entity
from tests.unit.policy.cedar.world import COMMANDS, FRONT, TENANT, World, directory

HEAD = "permit (principal, action, resource)"


@pytest.mark.parametrize(
    ("cedar", "says"),
    [
        (
            f"{HEAD}\nwhen {{ principal.clearence > 1 }};",
            "line 2, column 18: attribute",
        ),
        (
            'permit (principal in Atom::Grup::"g-fin", action, resource);',
            "line 1, column 28: unrecognized entity type",
        ),
        (
            'permit (principal in Atom::Group::"other-tenants", action, resource);',
            "line 1, column 35: the directory has no group with the id 'other-tenants'",
        ),
        (
            f'{HEAD} when {{ principal.tenant == Atom::Tenant::"evil" }};',
            "'evil' is not this company",
        ),
        ('permit (principal in Atom::Role::"x", action, resource);', "no role 'x'"),
        (f"{HEAD} when {{ principal.x >> 1 }};", "line 1, column 58: unexpected token"),
        ("permit (principal == ?principal, action, resource);", "templates"),
        (f'@id("atom-mine") {HEAD};', "are ATOM's own"),
        (f'@id("a") {HEAD};\n@id("a") {HEAD};', "line 2, column 1: there is another"),
        ("permit (principal, action", "this policy has no end"),
    ],
)
def test_a_mistake_in_cedar_is_refused_with_its_place(cedar: str, says: str) -> None:
    with pytest.raises(BadInput, match=r"^line \d+, column \d+: ") as refused:
        World().build("", cedar)

    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("front", "says"),
    [
        ('a: "\\ud83d"', "half a character"),
        ("rulez: []", "rulez is not known"),
        ("a: &x 1\nb: *x", "anchors and aliases are not used"),
        ("rules: [{id: a, allow: bridge.post}, {id: a, deny: bridge.post}]", "another"),
        ("rules: [{id: atom-x, allow: bridge.post}]", "is no id"),
        ("rules: [{id: a, allow: bridge.post, who: {group: Nobody}}]", "no group"),
        ("rules: [{id: a, allow: bridge.post, where: {space: x}}]", "no space 'x'"),
        ("rules: [{id: a, allow: bridge.post, when: {guest: maybe}}]", "true or false"),
        ("rules: [{id: a, deny: bridge.post, when: {label_at_least: x}}]", "no label"),
        ("rules: [{id: a, allow: bridge.post, deny: bridge.post}]", "either"),
        ("defaults: {grants: some}", "all or none"),
        ("roles: {a: {groups: [Nobody]}}", "no group 'Nobody'"),
        ('channels: {"C1": {}}', "is no channel address"),
    ],
)
def test_a_mistake_in_the_front_is_refused_with_its_place(
    front: str, says: str
) -> None:
    with pytest.raises(BadInput, match=r"^line \d+, column \d+: ") as refused:
        World().build(front)

    assert says in str(refused.value)


def test_a_name_that_means_several_things_is_refused() -> None:
    world = World()
    for (kind, id_), name in list(world.directory.things.items()):
        if id_ == "g-fin":
            world.directory.things[kind, "g-other"] = name

    with pytest.raises(BadInput, match="2 groups called 'GG-Finance-All'"):
        world.build(FRONT)


def test_the_hash_is_of_what_it_means_and_not_of_how_it_is_written() -> None:
    world = World()
    first = world.build(FRONT, f'@id("a") {HEAD};')
    spaced = world.build(f"# a remark\n{FRONT}\n", f'@id("a")\n{HEAD};  // said')
    other = world.build(FRONT.replace("its own", "all"), f'@id("a") {HEAD};')

    assert first.hash == spaced.hash
    assert first.hash != other.hash
    again = from_saved(TENANT, first.draft, first.resolved, COMMANDS)
    assert again.hash == first.hash


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@given(texts)
def test_any_name_stays_one_name(name: str) -> None:
    policy = f"permit (principal in {entity('Group', name)}, action, resource);"

    told = json.loads(cedarpy.policies_to_json_str(policy))

    [est] = told["staticPolicies"].values()
    assert est["principal"]["entity"] == {"type": "Atom::Group", "id": name}
    assert est["conditions"] == []


@given(texts.filter(str.strip), texts.filter(str.strip))
@settings(deadline=None, max_examples=50)
def test_whatever_people_write_into_a_rule_is_one_policy(
    group: str, reason: str
) -> None:
    names = directory()
    names.things = {(kind, "g-1"): group for kind, _ in names.things}
    rule = {"id": "a", "allow": "bridge.post", "who": {"group": group}}
    front = yaml.safe_dump({"rules": [rule | {"reason": reason}]})

    bundle = build(TENANT, Draft(front), FromDirectory(names, TENANT), COMMANDS)

    [policy] = bundle.own
    assert policy.anchors == frozenset({"Group::g-1"})
    assert policy.reason == reason
