"""The way of a policy: tried, shown, published if nothing moved, replayed years later."""

from typing import Any

import orjson
import pytest

from bots.leaving_side import CurrentRules, LeavingOnRecord
from bots.policy_desk import Desk
from bridge.access import Action, Asked, Decision
from bridge.errors import BadInput, Conflict, NotAllowed, NotFound
from bridge.leaving.findings import Inspection
from bridge.leaving.rules import Deed, Taken, Verdict
from bridge.messages import Event, EventKind
from bridge.ports import Commitment
from policy.cedar.bundle import Draft
from policy.cedar.replaying import replayed
from policy.dlp.rulebook import prepared
from policy.dlp.version import detectors_version
from storage.compliance.acts import Acts
from storage.hot import Program, Statement
from storage.leaving.rules import StoredRules
from storage.policies.stored import StoredPolicies
from tests.contract.conftest import Store, ticking_clock
from tests.unit.policy.cedar.world import (
    COMMANDS,
    FIN_SLACK,
    FIN_TEAMS,
    FRONT,
    TALK_SLACK,
    TALK_TEAMS,
    TENANT,
    World,
    asked,
)

TESTS = """
tests:
  - name: finance talks
    given: {groups: [GG-Finance-All]}
    ask: {action: bridge.post, from: fin, to: "teams:19:team/19:fin"}
    expect: {effect: allow, rules: [finance-talks]}
  - name: contractors hand nothing over
    given: {units: [Contractors]}
    ask: {action: bridge.file}
    expect: {effect: deny, rules: [no-files-by-contractors]}
  - name: leads approve
    given: {groups: [Finance Leads]}
    ask: {action: record.approve, channel: fin, record: salesforce/opportunity/1}
    expect: {effect: allow, rules: [leads-approve]}
"""
GOOD = Draft(FRONT + TESTS)
NO_FILES = (
    "{id: no-files, deny: bridge.file, where: {channel: here}, reason: No files., "
    "tests: [{ask: {action: bridge.file, from: here}, "
    "expect: {effect: deny, rules: [no-files]}}]}"
)


def desk_on(store: Store, world: World) -> Desk:
    clock = ticking_clock()
    acts = Acts(store.journal, clock)
    shelf = StoredPolicies(store.database.hot, acts, clock)
    return Desk(
        world.engine, world.directory, shelf, store.links, store.reader, COMMANDS, clock
    )


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def desk(store: Store, world: World) -> Desk:
    await store.links.add(TENANT, (FIN_SLACK, FIN_TEAMS), "slack:U1")
    await store.links.add(TENANT, (TALK_SLACK, TALK_TEAMS), "slack:U1")
    world.engine.drop(TENANT)
    made = desk_on(store, world)
    await made.load(TENANT)
    return made


async def publish(desk: Desk, draft: Draft = GOOD) -> str:
    shown = await desk.preview(TENANT, "cli:ada", draft, "a file")
    version = await desk.apply(TENANT, "cli:ada", shown.report.hash)
    return version.hash


async def test_at_first_atoms_own_policies_decide(desk: Desk, world: World) -> None:
    decision = await world.engine.decide(asked("bob"))

    assert decision.rule == "atom-employees-talk"
    assert await desk.shelf.body(TENANT, decision.policy)
    assert await desk.show(TENANT) is None


async def test_what_was_shown_can_be_applied_and_is_then_in_force(
    desk: Desk, world: World
) -> None:
    shown = await desk.preview(TENANT, "cli:ada", GOOD, "a file")
    before = await world.engine.decide(asked("bob", Action.POST, FIN_SLACK, FIN_TEAMS))
    version = await desk.apply(TENANT, "cli:ada", shown.report.hash[:12])
    after = await world.engine.decide(asked("bob", Action.POST, FIN_SLACK, FIN_TEAMS))

    assert shown.trial.passed
    assert shown.report.losses > 0
    assert (before.allowed, after.allowed) == (True, False)
    assert (version.number, version.hash) == (1, after.policy)
    assert version.resolved["group|GG-Finance-All"] == "g-fin"
    assert await desk.show(TENANT) == version


async def test_a_policy_whose_tests_fail_is_not_published(desk: Desk) -> None:
    bad = Draft(GOOD.front.replace("effect: deny", "effect: allow"))
    shown = await desk.preview(TENANT, "cli:ada", bad, "a file")

    with pytest.raises(BadInput, match="test 'contractors hand nothing over' fails"):
        await desk.apply(TENANT, "cli:ada", shown.report.hash)
    assert await desk.show(TENANT) is None


async def test_a_policy_without_tests_is_not_published(desk: Desk) -> None:
    shown = await desk.preview(TENANT, "cli:ada", Draft(FRONT), "a file")

    with pytest.raises(BadInput, match="no test comes to speak of finance-talks"):
        await desk.apply(TENANT, "cli:ada", shown.report.hash)


async def test_nobody_applies_what_nobody_looked_at(desk: Desk) -> None:
    with pytest.raises(NotFound, match="look at what it"):
        await desk.apply(TENANT, "cli:ada", "0123456789abcdef")


async def test_a_preview_is_void_once_the_directory_changed(
    desk: Desk, world: World
) -> None:
    shown = await desk.preview(TENANT, "cli:ada", GOOD, "a file")
    world.directory.join("slack:bob", ["g-fin"])

    with pytest.raises(Conflict, match="The directory changed"):
        await desk.apply(TENANT, "cli:ada", shown.report.hash)


async def test_a_preview_is_void_once_another_policy_is_in_force(desk: Desk) -> None:
    shown = await desk.preview(TENANT, "cli:ada", GOOD, "a file")
    await publish(desk, Draft("defaults: {grants: none}"))

    with pytest.raises(Conflict, match="The policy is another one"):
        await desk.apply(TENANT, "cli:ada", shown.report.hash)


async def test_another_process_takes_a_new_version_over(
    store: Store, desk: Desk, world: World
) -> None:
    other_world = World(directory=world.directory)
    other = desk_on(store.another_process("two"), other_world)
    await other.load(TENANT)
    hash_ = await publish(desk)

    await other.refresh([TENANT, "unknown"])

    decision = await other_world.engine.decide(asked("bob"))
    assert decision.policy == hash_


async def test_names_keep_the_ids_they_had_when_it_was_saved(
    store: Store, desk: Desk, world: World
) -> None:
    hash_ = await publish(desk)
    later = World(directory=world.directory)
    world.directory.things = {
        key: "Renamed" if name == "GG-Finance-All" else name
        for key, name in world.directory.things.items()
    }

    again = desk_on(store, later)
    await again.load(TENANT)

    bundle = again.engine.bundle(TENANT)
    assert bundle
    assert bundle.hash == hash_


async def test_a_version_that_cannot_be_used_allows_nothing(
    store: Store, desk: Desk, world: World
) -> None:
    await publish(desk)
    statement = Statement("UPDATE policy_version SET front = 'rules: [{}]'")

    def program() -> Program[None]:
        yield statement

    await store.database.hot.run(program)
    again = desk_on(store, world)
    await again.load(TENANT)

    decision = await world.engine.decide(asked("bob"))
    assert (decision.allowed, decision.rule) == (False, "no-policy")


async def test_going_back_is_a_change_like_any_other(desk: Desk, world: World) -> None:
    first = await publish(desk)
    await publish(desk, Draft("defaults: {grants: none}"))
    shown = await desk.rollback(TENANT, "cli:ada", 1)
    version = await desk.apply(TENANT, "cli:ada", shown.report.hash)

    assert (version.number, version.hash) == (3, first)
    assert [v.number for v in await desk.history(TENANT)] == [3, 2, 1]
    with pytest.raises(NotFound):
        await desk.rollback(TENANT, "cli:ada", 9)


async def test_one_rule_is_tried_and_applied_from_chat(
    desk: Desk, world: World
) -> None:
    await publish(desk)
    shown = await desk.try_rule(TENANT, "slack:U1", NO_FILES, str(TALK_SLACK))
    await desk.apply(TENANT, "slack:U1", shown.report.hash)
    denied = await world.engine.decide(asked("bob", Action.FILE))

    undone = await desk.try_without(TENANT, "slack:U1", "no-files")
    await desk.apply(TENANT, "slack:U1", undone.report.hash)
    allowed = await world.engine.decide(asked("bob", Action.FILE))

    assert (denied.rule, allowed.allowed) == ("no-files", True)
    assert {c.action for c in shown.report.lost} == {"bridge.file"}
    assert undone.report.gained == shown.report.lost


async def test_an_owner_applies_rules_about_their_channel_only(
    desk: Desk, world: World
) -> None:
    await publish(desk)
    mine = await desk.try_rule(TENANT, "slack:ana", NO_FILES, str(FIN_SLACK))
    await desk.apply(TENANT, "slack:ana", mine.report.hash, owner="p-ana")
    other = await desk.try_rule(
        TENANT, "slack:ana", NO_FILES.replace("no-files", "more"), str(TALK_SLACK)
    )

    with pytest.raises(NotAllowed, match="not about your channels"):
        await desk.apply(TENANT, "slack:ana", other.report.hash, owner="p-ana")


async def test_a_change_of_the_directory_is_shown_as_it_then_comes(
    desk: Desk, world: World
) -> None:
    await publish(desk)
    shown = await desk.try_membership(TENANT, "Bob Ray", "GG-Finance-All", joins=True)
    assert {c.where for c in shown.report.gained} == {
        f"{FIN_SLACK} to {FIN_TEAMS}",
        f"{FIN_TEAMS} to {FIN_SLACK}",
    }
    before = {
        c.action
        for c in shown.report.gained
        if not (await world.engine.decide(_about(c.action))).allowed
    }
    world.directory.join("slack:bob", ["g-fin"])
    after = {
        c.action
        for c in shown.report.gained
        if (await world.engine.decide(_about(c.action))).allowed
    }

    assert before == after == {"bridge.post", "bridge.read", "bridge.edit"}


def _about(action: str) -> Asked:
    return asked("bob", Action(action), FIN_SLACK, FIN_TEAMS)


async def test_without_a_directory_there_is_no_policy_to_change(desk: Desk) -> None:
    with pytest.raises(BadInput, match="No directory is configured"):
        await desk.preview("other", "cli:ada", GOOD, "a file")


async def recorded(
    store: Store,
    world: World,
    who: str,
    number: int,
    decision: Decision | None = None,
    **found: Any,
) -> int:
    """Put a message with its decision on record, as the relay does."""
    question = asked(who, Action.POST, FIN_SLACK, FIN_TEAMS)
    decision = decision or await world.engine.decide(question)
    event = Event(
        FIN_SLACK.platform,
        "T1",
        f"E{number}",
        EventKind.MESSAGE_CREATE,
        FIN_SLACK,
        question.person,
        1_000,
        b"{}",
        message=f"{number}.1",
    )
    commitment = Commitment(TENANT, event, (decision,), (), **found)
    receipt = await store.journal.append(commitment)
    return receipt.seq


@pytest.mark.parametrize("who", ["ana", "bob", "off", "gus"])
async def test_a_decision_of_the_log_comes_out_the_same_again(
    store: Store, desk: Desk, world: World, who: str
) -> None:
    await publish(desk)
    seq = await recorded(store, world, who, 1)
    # Neither the people nor the policy are what they were.
    world.directory.people = {}
    await publish(desk, Draft("defaults: {grants: none}"))

    [again] = await desk.replay(TENANT, seq)

    assert again.same, again
    assert again.recorded[0] is (who == "ana")


async def test_a_decision_that_comes_out_otherwise_is_found(
    store: Store, desk: Desk, world: World
) -> None:
    await publish(desk)
    seq = await recorded(store, world, "bob", 1)
    [entry] = await store.reader.at(TENANT, [seq])
    told = dict(entry.body["decisions"][0])
    body = await desk.shelf.body(TENANT, told["policy"])

    lied = replayed(seq, told | {"allowed": True}, body)
    other = replayed(seq, told | {"rule": "finance-talks"}, body)
    edited = replayed(seq, told, (body or "").replace("g-fin", "g-emea"))
    facts = orjson.loads(told["evidence"])
    facts["principal"]["parents"] = [{"type": "Atom::Group", "id": "g-fin"}]
    forged = replayed(seq, told | {"evidence": orjson.dumps(facts).decode()}, body)

    assert [one.same for one in (lied, other, edited, forged)] == [False] * 4
    assert "was changed where it is kept" in edited.why


async def test_what_was_decided_without_policies_says_so(
    store: Store, desk: Desk, world: World
) -> None:
    seq = await recorded(store, world, "nobody", 1)

    [again] = await desk.replay(TENANT, seq)

    assert not again.same
    assert again.why == "it was decided without asking the policies"
    with pytest.raises(NotFound, match="no entry 99"):
        await desk.replay(TENANT, 99)


async def test_leaving_a_group_keeps_what_others_give(desk: Desk, world: World) -> None:
    world.directory.nested = {
        "group:g-emea": ("group:g-fin",),
        "group:g-leads": ("group:g-fin",),
    }
    world.directory.join("slack:ana", ["g-leads"])
    await publish(desk)

    shown = await desk.try_membership(TENANT, "Ana Ek", "Finance EMEA", joins=False)

    assert shown.report.losses == 0


CARDS = "rules: [{name: cards, detectors: [credit_card], do: block}]"
CARD = "card 4242 4242 4242 4242"
STAYS = f"""
  - name: cards stay here
    leaves: {{text: "{CARD}", to: "teams:19:team/19:fin"}}
    expect: {{do: block, rules: [cards]}}
"""


async def leaving(store: Store, desk: Desk) -> LeavingOnRecord:
    """Let cards not leave, and a policy's tests speak of it."""
    clock = ticking_clock()
    stored = StoredRules(store.database.hot, Acts(store.journal, clock), clock)
    current = CurrentRules(stored)
    await stored.publish(TENANT, CARDS, prepared(CARDS).name, "cli:ada")
    await current.read()
    desk.leaving = LeavingOnRecord(stored, current.of)
    return desk.leaving


async def test_a_policys_tests_may_speak_of_what_may_leave(
    store: Store, desk: Desk
) -> None:
    await leaving(store, desk)
    await publish(desk, Draft(FRONT + TESTS + STAYS))
    passed = await desk.test(TENANT)
    wrong = STAYS.replace("do: block", "do: warn")

    with pytest.raises(BadInput, match="'cards stay here' fails: block by cards"):
        await publish(desk, Draft(FRONT + TESTS + wrong))

    assert passed.passed
    assert [one.name for one in passed.outcomes][-1] == "cards stay here"


async def test_a_decision_says_by_which_detectors_it_was_looked_at(
    store: Store, desk: Desk, world: World
) -> None:
    await leaving(store, desk)
    await publish(desk)
    rules = prepared(CARDS).book.hash
    seq = await recorded(
        store, world, "ana", 1, inspection=Inspection(rules, partial=True)
    )

    [again] = await desk.replay(TENANT, seq)

    assert again.same
    assert again.looked_at == (
        f"version 1 of the rules for what may leave, by detectors {detectors_version()}"
    )


async def test_what_was_decided_by_older_detectors_says_so(
    store: Store, desk: Desk, world: World
) -> None:
    """A version that is kept under its text's hash is found by old entries too."""
    await leaving(store, desk)
    name = prepared(CARDS).name
    refused = Decision(False, "dlp cards", f"{name}.0123456789ab", "none")
    one = await recorded(store, world, "ana", 1, decision=refused)
    older = await recorded(
        store, world, "ana", 2, inspection=Inspection(name, partial=True)
    )

    [told] = await desk.replay(TENANT, one)
    [old] = await desk.replay(TENANT, older)

    now = f"(now {detectors_version()})"
    assert told.recorded == (False, ("dlp cards",))
    assert told.why == "it was judged by what was found, and values are not kept"
    assert told.looked_at.endswith(
        f"version 1 of the rules for what may leave, by detectors 0123456789ab {now}"
    )
    assert "by detectors of before they had versions" in old.looked_at


async def test_what_was_done_by_rules_for_what_may_leave_is_told_of(
    store: Store, desk: Desk, world: World
) -> None:
    await leaving(store, desk)
    found = Inspection(prepared(CARDS).book.hash, partial=True)
    taken = Taken(Verdict(Deed.BLOCK, ("cards",)), "L1", FIN_TEAMS)
    seq = await recorded(store, world, "ana", 1, inspection=found, taken=(taken,))
    entries = await store.reader.entries(TENANT, seq, 9)
    [action] = [e for e in entries if e.etype == "dlp.action"]

    [told] = await desk.replay(TENANT, action.seq)

    assert told.recorded == (False, ("cards",))
    assert told.looked_at.endswith(f"by detectors {detectors_version()}")
