"""Owners of channels write rules about their channels, and about nothing else."""

import pytest

from bridge.errors import NotAllowed
from policy.cedar.owners import refuse_foreign
from tests.unit.policy.cedar.world import FRONT, World

ANA = "p-ana"


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    "rule",
    [
        "{id: mine, deny: bridge.file, where: {channel: fin}}",
        (
            "{id: mine, allow: channel.join, who: {group: Finance EMEA}, "
            'where: {channel: "slack:T1/C-FIN"}}'
        ),
        "{id: mine, deny: bridge.ping, where: {links_between: [fin, channel:fin]}}",
    ],
)
def test_a_rule_about_ones_own_channel_is_theirs(world: World, rule: str) -> None:
    refuse_foreign(world.build(FRONT), world.build(f"{FRONT}  - {rule}"), ANA)


@pytest.mark.parametrize(
    "rule",
    [
        "{id: other, deny: bridge.file}",
        '{id: other, deny: bridge.file, where: {channel: "slack:T1/C-TALK"}}',
        "{id: other, deny: bridge.file, where: {space: finance}}",
        "{id: other, deny: bridge.file, where: {links_between: [fin, space:finance]}}",
        "{id: other, deny: record.view, where: {channel: fin}}",
        "{id: other, allow: admin.link, where: {channel: fin}}",
        '{id: other, deny: bridge.file, where: {channel: [fin, "slack:T1/C-TALK"]}}',
        "{id: other, deny: bridge.file, where: {platform: slack}}",
    ],
)
def test_a_rule_about_anything_else_is_not(world: World, rule: str) -> None:
    with pytest.raises(NotAllowed, match="Rule other is not about your channels"):
        refuse_foreign(world.build(FRONT), world.build(f"{FRONT}  - {rule}"), ANA)


@pytest.mark.parametrize(
    "changed",
    [
        FRONT.replace("GG-Finance-All", "Finance EMEA"),  # a rule about a space
        FRONT.replace("{groups: [Finance Leads]}", "{people: [Ana Ek]}"),
        FRONT.replace("classification: confidential, owners", "owners"),
        FRONT.replace("  - id: no-files-by-contractors", "  - id: renamed"),
    ],
)
def test_nothing_else_of_the_policy_may_change(world: World, changed: str) -> None:
    with pytest.raises(NotAllowed):
        refuse_foreign(world.build(FRONT), world.build(changed), ANA)


def test_cedar_is_not_for_owners(world: World) -> None:
    cedar = 'forbid (principal, action == Atom::Action::"bridge.file", resource);'
    with pytest.raises(NotAllowed, match="change rules, and nothing else"):
        refuse_foreign(world.build(FRONT), world.build(FRONT, cedar), ANA)


def test_who_owns_nothing_changes_nothing(world: World) -> None:
    with pytest.raises(NotAllowed, match="You own no channel"):
        refuse_foreign(world.build(FRONT), world.build(FRONT), "p-bob")


def test_nobody_becomes_an_owner_by_their_own_draft(world: World) -> None:
    draft = FRONT.replace("owners: [Ana Ek]", "owners: [Bob Ray]")
    with pytest.raises(NotAllowed, match="You own no channel"):
        refuse_foreign(world.build(FRONT), world.build(draft), "p-bob")
