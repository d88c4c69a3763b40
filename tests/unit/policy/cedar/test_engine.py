"""What the engine decides with ATOM's own policies and a company's rules."""

import json
from dataclasses import replace

import pytest

from bridge.access import Action, Label
from bridge.directory.model import Standing
from bridge.messages import PersonKind
from bridge.proofs import Proof
from policy.cedar import engine as engines
from tests.unit.policy.cedar.world import (
    FIN_SLACK,
    FIN_TEAMS,
    FRONT,
    TALK_TEAMS,
    World,
    asked,
)

WRITES = [
    Action.POST,
    Action.EDIT,
    Action.DELETE,
    Action.REACT,
    Action.FILE,
    Action.PING,
    Action.JOIN,
    Action.INVITE,
    Action.RECORD_UPDATE,
    Action.RECORD_CREATE,
    Action.RECORD_APPROVE,
    Action.EXPORT,
    Action.HOLD,
]


@pytest.fixture
def world() -> World:
    return World()


async def test_employees_talk_in_linked_channels_without_any_rule(world: World) -> None:
    decision = await world.engine.decide(asked("bob"))

    assert decision.allowed
    assert decision.rule == "atom-employees-talk"
    assert decision.directory == "acme:1"
    assert decision.action is Action.POST
    assert decision.reason == "Employees talk in linked channels."


async def test_a_company_without_directory_keeps_the_platforms_membership(
    world: World,
) -> None:
    decision = await world.engine.decide(asked("nobody", tenant="other"))

    assert decision.allowed
    assert decision.directory == "none"


@pytest.mark.parametrize("action", list(Action))
async def test_unknown_people_are_denied_everything(
    world: World, action: Action
) -> None:
    decision = await world.engine.decide(asked("nobody", action))

    assert not decision.allowed
    assert decision.rule == engines.UNKNOWN_PERSON


@pytest.mark.parametrize("standing", list(Standing))
async def test_only_the_active_and_the_locked_may_do_anything(
    world: World, standing: Standing
) -> None:
    world.directory.change("slack:bob", standing=standing)

    decision = await world.engine.decide(asked("bob"))

    assert decision.allowed == (standing in {Standing.ACTIVE, Standing.LOCKED})
    if not decision.allowed:
        assert decision.rule == "atom-inactive"


async def test_a_group_opens_its_channels_and_closes_them_to_others(
    world: World,
) -> None:
    ana = await world.engine.decide(asked("ana", Action.POST, FIN_SLACK, FIN_TEAMS))
    bob = await world.engine.decide(asked("bob", Action.POST, FIN_SLACK, FIN_TEAMS))

    assert (ana.allowed, ana.rule) == (True, "finance-talks")
    assert (bob.allowed, bob.rule) == (False, engines.NOTHING_ALLOWS)


async def test_joining_and_leaving_a_group_count_at_the_next_question(
    world: World,
) -> None:
    question = asked("bob", Action.POST, FIN_SLACK, FIN_TEAMS)
    before = await world.engine.decide(question)
    world.directory.join("slack:bob", ["g-fin"])
    joined = await world.engine.decide(question)
    world.directory.change("slack:bob", ancestors=frozenset())
    left = await world.engine.decide(question)

    assert [d.allowed for d in (before, joined, left)] == [False, True, False]


@pytest.mark.parametrize("action", WRITES)
async def test_a_stale_directory_denies_writing(world: World, action: Action) -> None:
    world.directory.age = 901

    decision = await world.engine.decide(
        asked("ana", action, FIN_SLACK, FIN_TEAMS, thing="salesforce/opportunity/1")
    )

    assert not decision.allowed
    assert "atom-stale-directory" in decision.rule.split(", ")


async def test_the_limit_of_age_is_the_companys_choice(world: World) -> None:
    world.directory.age = 901
    world.engine.stale_after = 1000

    assert (await world.engine.decide(asked("bob"))).allowed


async def test_a_stale_directory_lets_people_read_and_ask(world: World) -> None:
    world.directory.age = 5_000

    read = await world.engine.decide(asked("bob", Action.READ))
    why = await world.engine.decide(asked("bob", Action.COMMAND, thing="why"))
    link = await world.engine.decide(asked("bob", Action.COMMAND, thing="link"))

    assert read.allowed
    assert why.allowed
    assert link.rule == "atom-stale-directory-commands"


@pytest.mark.parametrize(
    ("label", "target", "allowed"),
    [
        (Label.INTERNAL, TALK_TEAMS, True),
        (Label.CONFIDENTIAL, TALK_TEAMS, False),
        (Label.CONFIDENTIAL, FIN_TEAMS, True),
        (Label.RESTRICTED, FIN_TEAMS, False),
        (Label.INTERNAL, None, True),
        (Label.CONFIDENTIAL, None, False),
    ],
)
async def test_nothing_goes_where_it_is_classified_too_high_for(
    world: World, label: Label, target: object, *, allowed: bool
) -> None:
    world.publish(FRONT.partition("rules:")[0])
    question = asked("ana", Action.EDIT, FIN_SLACK, label=label)
    question = replace(question, target=target)  # type: ignore[arg-type]

    decision = await world.engine.decide(question)

    assert decision.allowed == allowed, decision
    if not allowed:
        assert decision.rule.startswith("atom-label-")


async def test_what_is_internal_is_not_for_outsiders(world: World) -> None:
    public = await world.engine.decide(asked("bob", outsiders=True))
    internal = await world.engine.decide(
        asked("bob", outsiders=True, label=Label.INTERNAL)
    )

    assert public.allowed
    assert internal.rule == "atom-label-before-outsiders"


async def test_guests_talk_but_hand_nothing_over_and_see_nothing_confidential(
    world: World,
) -> None:
    world.publish(FRONT.partition("rules:")[0])
    talk = await world.engine.decide(asked("gus"))
    file = await world.engine.decide(asked("gus", Action.FILE))
    secret = await world.engine.decide(asked("gus", Action.READ, FIN_SLACK, FIN_TEAMS))
    command = await world.engine.decide(asked("gus", Action.COMMAND, thing="link"))
    join = await world.engine.decide(asked("gus", Action.JOIN, FIN_SLACK, None))

    assert talk.rule == "atom-guests-talk"
    assert file.rule == engines.NOTHING_ALLOWS
    assert secret.rule == "atom-guest-confidential"
    assert not command.allowed
    assert join.rule == "atom-guest-confidential-channel"


async def test_whom_the_platform_calls_a_guest_is_one(world: World) -> None:
    decision = await world.engine.decide(
        asked("bob", Action.FILE, kind=PersonKind.GUEST)
    )
    employee = await world.engine.decide(asked("bob", Action.FILE))

    assert not decision.allowed
    assert employee.allowed


async def test_outsiders_talk_only_where_the_company_welcomes_them(
    world: World,
) -> None:
    question = asked("eve", kind=PersonKind.EXTERNAL)
    refused = await world.engine.decide(question)
    world.publish('channels: {"slack:T1/C-TALK": {outsiders: welcome}}')
    welcome = await world.engine.decide(question)
    file = await world.engine.decide(replace(question, action=Action.FILE))

    assert refused.rule == engines.NOTHING_ALLOWS
    assert welcome.rule == "atom-outsiders-talk"
    assert not file.allowed


async def test_bots_are_for_the_links_options_to_let_through(world: World) -> None:
    bot = await world.engine.decide(
        asked("B1", Action.POST, FIN_SLACK, FIN_TEAMS, kind=PersonKind.BOT)
    )
    labelled = await world.engine.decide(
        asked("B1", kind=PersonKind.BOT, label=Label.RESTRICTED)
    )
    command = await world.engine.decide(
        asked("B1", Action.COMMAND, kind=PersonKind.BOT, thing="link")
    )

    assert bot.rule == "atom-bots-talk"
    assert labelled.rule == "atom-label-above-target"
    assert not command.allowed


async def test_an_account_that_is_only_guessed_opens_nothing(world: World) -> None:
    guessed = await world.engine.decide(asked("meh"))
    by_address = await world.engine.decide(asked("adr"))
    record = await world.engine.decide(
        asked("adr", Action.RECORD_VIEW, thing="jira/issue/A-1")
    )

    assert guessed.rule == "atom-unproved"
    assert by_address.allowed
    assert record.rule == "atom-weak-link"
    assert record.duties == ("link:confirm",)


async def test_records_follow_classification_clearance_and_place(world: World) -> None:
    thing = "salesforce/opportunity/006"
    open_channel = await world.engine.decide(
        asked("ana", Action.RECORD_VIEW, thing=thing)
    )
    confidential = await world.engine.decide(
        asked("ana", Action.RECORD_VIEW, FIN_SLACK, None, thing="hubspot/deal/1")
    )
    approves = await world.engine.decide(
        asked("leo", Action.RECORD_APPROVE, FIN_SLACK, None, thing=thing)
    )
    other = await world.engine.decide(
        asked("ana", Action.RECORD_APPROVE, FIN_SLACK, None, thing=thing)
    )

    assert open_channel.rule == "atom-record-above-channel"
    assert confidential.rule == "atom-employees-records"
    assert approves.rule == "leads-approve"
    assert not other.allowed


async def test_fields_are_shown_to_outsiders_only_if_they_are_public(
    world: World,
) -> None:
    def view(field_class: str) -> object:
        return world.engine.decide_now(
            asked(
                "bob",
                Action.RECORD_VIEW,
                thing="jira/issue/A-1",
                outsiders=True,
                field_class=field_class,
            )
        ).allowed

    assert (view("public"), view("contact"), view("")) == (True, False, False)


async def test_a_sensitive_command_asks_for_a_second_factor_where_there_is_one(
    world: World,
) -> None:
    question = asked("bob", Action.COMMAND, thing="officers")
    proofs = _Proofs(Proof())
    world.engine.proofs = proofs
    without = await world.engine.decide(question)
    proofs.proof = Proof(available=True)
    unproved = await world.engine.decide(question)
    proofs.proof = Proof(available=True, mfa_age_seconds=20, method="totp")
    weak = await world.engine.decide(question)
    proofs.proof = Proof(available=True, mfa_age_seconds=20, method="webauthn")
    proved = await world.engine.decide(question)
    proofs.proof = Proof(available=True, mfa_age_seconds=301, method="webauthn")
    late = await world.engine.decide(question)

    found = [d.allowed for d in (without, unproved, weak, proved, late)]
    assert found == [True, False, False, True, False]
    assert unproved.duties == ("step-up:webauthn:300",)


async def test_commands_are_never_remembered(world: World) -> None:
    question = asked("bob", Action.COMMAND, thing="link")
    first = await world.engine.decide(question)
    second = await world.engine.decide(question)

    assert first == second
    assert first is not second


async def test_answers_are_remembered_for_a_while(world: World) -> None:
    first = await world.engine.decide(asked("bob"))
    again = await world.engine.decide(asked("bob"))
    world.now = 31.0
    later = await world.engine.decide(asked("bob"))

    assert again is first
    assert later is not first


async def test_a_command_that_nobody_knows_is_any_command(world: World) -> None:
    world.publish("rules: [{id: nobody, deny: admin.*, reason: None of that.}]")

    known = await world.engine.decide(asked("bob", Action.COMMAND, thing="link"))
    unknown = await world.engine.decide(
        asked("bob", Action.COMMAND, thing="frobnicate")
    )

    assert known.rule == "nobody"
    assert unknown.rule == "nobody"
    assert '"id":"admin.any"' in unknown.evidence


async def test_a_rule_about_one_command_governs_it_alone(world: World) -> None:
    world.publish(
        "rules: [{id: leads-link, allow: admin.link, who: {group: Finance Leads}}]"
    )

    def may(who: str, command: str) -> bool:
        question = asked(who, Action.COMMAND, thing=command)
        return world.engine.decide_now(question).allowed

    assert may("leo", "link")
    assert not may("bob", "link")
    assert may("bob", "status")


async def test_without_grants_only_the_companys_rules_allow(world: World) -> None:
    world.publish("defaults: {grants: none}")

    decision = await world.engine.decide(asked("bob"))

    assert decision.rule == engines.NOTHING_ALLOWS


async def test_a_denial_wins_over_every_grant(world: World) -> None:
    decision = await world.engine.decide(asked("leo", Action.FILE))

    assert decision.rule == "no-files-by-contractors"
    assert decision.reason == "Contractors do not hand files over."


async def test_what_cannot_be_worked_out_denies_and_alarms(world: World) -> None:
    """An error in a denial would otherwise be no denial: Cedar passes it over."""
    world.publish(
        "",
        '@id("broken") forbid (principal, action == Atom::Action::"bridge.post", '
        "resource) when { context.label + 9223372036854775807 > 0 };",
    )

    sound = await world.engine.decide(asked("bob"))
    decision = await world.engine.decide(asked("bob", label=Label.INTERNAL))

    assert sound.rule == "broken"
    assert not decision.allowed
    assert decision.rule == engines.POLICY_ERROR
    [(tenant, rule, what)] = world.alarms
    assert (tenant, rule) == ("acme", engines.POLICY_ERROR)
    assert "broken" in what


async def test_an_error_beside_a_grant_still_denies(world: World) -> None:
    world.publish(
        "",
        '@id("a") permit (principal, action == Atom::Action::"bridge.post", resource);'
        '@id("b") forbid (principal, action == Atom::Action::"bridge.post", resource) '
        "when { context.mfaAgeSeconds + 9223372036854775807 > 0 };",
    )

    decision = await world.engine.decide(asked("bob"))

    assert (decision.allowed, decision.rule) == (False, engines.POLICY_ERROR)
    assert len(world.alarms) == 1


async def test_without_a_policy_nothing_is_allowed(world: World) -> None:
    world.engine.drop("acme")

    decision = await world.engine.decide(asked("bob"))

    assert (decision.allowed, decision.rule) == (False, engines.NO_POLICY)
    assert world.alarms


async def test_nothing_is_allowed_nowhere(world: World) -> None:
    decision = await world.engine.decide(asked("bob", channel=None))

    assert (decision.allowed, decision.rule) == (False, engines.NO_CHANNEL)


async def test_the_evidence_is_complete_and_canonical(world: World) -> None:
    decision = await world.engine.decide(
        asked("ana", Action.POST, FIN_SLACK, FIN_TEAMS, label=Label.CONFIDENTIAL)
    )

    told = json.loads(decision.evidence)
    again = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert again == decision.evidence
    assert set(told) == {"action", "context", "principal", "resource"}
    assert told["context"]["label"] == 2
    assert {"type": "Atom::Group", "id": "g-fin"} in told["principal"]["parents"]


class _Proofs:
    def __init__(self, proof: Proof) -> None:
        self.proof = proof

    def of(self, tenant: str, subject: str) -> Proof:
        return self.proof


async def test_a_doubt_whose_account_it_is_counts_at_once(world: World) -> None:
    assert (await world.engine.decide(asked("bob"))).allowed
    bob = world.directory.people["slack:bob"]

    world.directory.people["slack:bob"] = replace(bob, confidence=0)

    doubted = await world.engine.decide(asked("bob"))
    assert (doubted.allowed, doubted.rule) == (False, "atom-unproved")


async def test_only_what_may_pass_is_a_denial_that_may_wait(world: World) -> None:
    assert not (await world.engine.decide(asked("gone"))).unsure
    assert not (await world.engine.decide(asked("off"))).unsure
    world.directory.age = 901
    assert (await world.engine.decide(asked("bob"))).unsure
    world.engine.drop("acme")
    assert (await world.engine.decide(asked("bob"))).unsure


@pytest.mark.parametrize(
    ("rule", "reads"),
    [
        ("{id: x, allow: bridge.post, who: {group: GG-Finance-All}", True),
        ("{id: x, allow: write, who: {group: GG-Finance-All}", True),
        ("{id: x, allow: bridge.read, who: {group: GG-Finance-All}", False),
        ("{id: x, allow: bridge.*, who: {group: GG-Finance-All}", False),
        ("{id: x, deny: bridge.read, who: {person: Bob Ray}", False),
    ],
)
async def test_rules_for_who_speaks_leave_reading_to_everybody(
    world: World, rule: str, *, reads: bool
) -> None:
    spaces = "spaces: {finance: ['slack:T1/C-FIN', 'teams:19:team/19:fin']}"
    world.publish(f"{spaces}\nrules: [{rule}, where: {{space: finance}}}}]")

    answer = await world.engine.decide(asked("bob", Action.READ, FIN_TEAMS, FIN_SLACK))
    ana = await world.engine.decide(asked("ana", Action.READ, FIN_TEAMS, FIN_SLACK))

    assert answer.allowed is reads
    assert ana.allowed


async def test_an_emergency_lifts_the_age_of_the_directory_and_nothing_else(
    world: World,
) -> None:
    """Scenario 25: breaking the glass is for a directory that cannot be heard of."""

    class Glass:
        def of(self, tenant: str, subject: str) -> Proof:
            return Proof(break_glass=True)

    world.directory.age = 5_000
    stale = await world.engine.decide(asked("bob"))
    world.engine.proofs = Glass()

    assert stale.rule == "atom-stale-directory"
    assert (await world.engine.decide(asked("bob"))).allowed
    assert (await world.engine.decide(asked("off"))).rule == "atom-inactive"
    secret = await world.engine.decide(asked("bob", label=Label.RESTRICTED))
    assert secret.rule == "atom-label-above-target"
    other = await world.engine.decide(asked("bob", Action.POST, FIN_SLACK, FIN_TEAMS))
    assert not other.allowed
