"""Issues as records, against a Jira that fails like the real one."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from aiohttp import ClientSession
from yarl import URL

from bridge.errors import BadInput, NotAllowed, ServiceUnavailable
from bridge.records.forms import DEED, TAKE_BACK, Deed
from bridge.records.model import (
    Absence,
    ChangeKind,
    Record,
    RecordRef,
    Revision,
    System,
)
from bridge.records.ports import (
    EditConflict,
    Gone,
    NotConnected,
    NotYours,
    Rejected,
    Spent,
    Unsure,
)
from connectors.jira.api import DEEDS, MANNER
from connectors.jira.records import JiraRecords
from connectors.jira.site import Site
from connectors.rest import Rest
from connectors.sandbox.jira.app import Jira
from connectors.sandbox.jira.seed import CLIENT_SECRET, HOOK_SECRET
from connectors.sandbox.jira.state import AdminHook
from tests.hooked import Ear, listening
from tests.stand_ins import Account, CountingBudget, Told, running

ISSUE = RecordRef(System.JIRA, "acme", "issue", "10042")
SECURED = RecordRef(System.JIRA, "acme", "issue", "10043")
SECRET = RecordRef(System.JIRA, "acme", "issue", "90001")


@dataclass
class World:
    jira: Jira
    told: Told
    records: JiraRecords
    budget: CountingBudget
    site: Site
    rest: Rest

    def person(self, name: str = "bob") -> Account:
        return Account(self.jira, name)

    async def one(self, ref: RecordRef = ISSUE, who: str = "bob") -> Record:
        read = (await self.records.read(self.person(who), [ref]))[ref]
        assert isinstance(read, Record)
        return read

    def said(self, key: str = "ACME-42") -> list[str]:
        issue = self.jira.site.found(key)
        assert issue is not None
        return [json.dumps(each.body) for each in issue.comments]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    jira = Jira()
    site = Site(
        "acme",
        URL("https://acme.atlassian.net"),
        frozenset({"ACME"}),
        hook_secret=HOOK_SECRET,
        client_secret=CLIENT_SECRET,
    )
    budget = CountingBudget()

    async def sleep(seconds: float) -> None:
        jira.clock.move(seconds)
        await asyncio.sleep(0)

    async with running(jira) as told:
        base = URL(f"{told.url}/ex/jira/{jira.site.cloud_id}/rest/api/3")
        rest = Rest(
            ClientSession(),
            "Jira",
            base,
            site.bucket,
            budget,
            MANNER,
            clock=jira.clock.now,
        )
        records = JiraRecords(site, rest, sleep)
        yield World(jira, told, records, budget, site, rest)
        await jira.poster.idle()
        await records.aclose()


async def test_an_issue_is_a_record(world: World) -> None:
    found = await world.records.resolve(
        world.person(), world.records.recognise("See ACME-42 and ACME-999.")
    )
    record = await world.one()

    assert found == {"ACME-42": ISSUE}
    assert (record.key, record.what, record.status.text) == (
        "ACME-42",
        "Bug",
        "In Progress",
    )
    shown = {each.label: each.text for each in record.facts}
    assert shown == {
        "Type": "Bug",
        "Priority": "High",
        "Assignee": "Bob Stone",
        "Reporter": "Chen Li",
        "Sprint": "Falcon 12",
        "Due": "2026-12-15",
        "Labels": "falcon, login",
        "Fix version": "Falcon 1.2",
    }
    assert record.url == "https://acme.atlassian.net/browse/ACME-42"
    assert not record.secured


async def test_secured_issues_are_marked_and_gone_for_others(world: World) -> None:
    for_dana = await world.one(SECURED, "dana")
    for_bob = await world.records.read(world.person(), [SECURED, ISSUE])

    assert for_dana.secured
    assert for_bob[SECURED] is Absence.GONE
    assert isinstance(for_bob[ISSUE], Record)


async def test_projects_that_atom_does_not_speak_of_are_not_read(world: World) -> None:
    alice = world.person("alice")

    assert (await world.records.read(alice, [SECRET]))[SECRET] is Absence.GONE
    assert world.records.recognise("SECRET-1") == []
    assert await world.records.find(alice, "works council", 10) == []
    with pytest.raises(Gone):
        await world.records.perform(alice, Deed("assign", "k1", SECRET))


async def test_many_are_read_in_one_call(world: World) -> None:
    refs = [RecordRef(System.JIRA, "acme", "issue", f"100{n}") for n in range(38, 48)]

    await world.records.read(world.person(), refs)

    assert len(world.told.calls()) == 1


async def test_words_find_issues_the_best_first(world: World) -> None:
    found = await world.records.find(world.person(), "globex reports", 5)
    by_key = await world.records.find(world.person(), "acme-40", 5)

    assert [each.key for each in found] == ["ACME-45"]
    assert [each.key for each in by_key] == ["ACME-40"]
    assert await world.records.find(world.person(), '"" ~ (', 5) == []


async def test_a_new_issue_is_found_although_the_index_is_late(world: World) -> None:
    world.jira.site.lag = 60
    values = {"project": "ACME", "issuetype": "10004", "summary": "Kestrel crashes"}
    done = await world.records.perform(
        world.person(), Deed("create", "k1", kind="issue", values=values)
    )

    found = await world.records.find(world.person(), "kestrel", 5)

    assert [each.ref for each in found] == [done.record.ref]


async def test_moving_an_issue_lists_what_its_workflow_allows(world: World) -> None:
    form = await world.records.form(world.person(), "transition", ISSUE)
    chosen = {choice.label: choice.value for choice in form.inputs[0].choices}
    assert chosen == {"Ask for review": "21", "Done": "31"}
    resolution = form.inputs[1]
    assert resolution.hint == "Needed for: Done"

    values = {"transition": "31", "resolution": resolution.choices[0].value}
    deed = Deed("transition", "k1", ISSUE, values=values, base=form.rev)
    done = await world.records.perform(world.person(), deed)

    assert done.record.status.text == "Done"
    assert (done.before["status"], done.after["status"]) == ("In Progress", "Done")


async def test_what_a_step_needs_is_told_at_its_input(world: World) -> None:
    deed = Deed("transition", "k1", ISSUE, values={"transition": "31"})

    with pytest.raises(Rejected) as raised:
        await world.records.perform(world.person(), deed)

    assert set(raised.value.fields) == {"resolution"}


async def test_a_step_that_somebody_else_took_is_a_conflict(world: World) -> None:
    values = {"transition": "21"}
    await world.records.perform(
        world.person("chen"), Deed("transition", "k1", ISSUE, values=values)
    )

    with pytest.raises(EditConflict) as raised:
        await world.records.perform(
            world.person(), Deed("transition", "k2", ISSUE, values=values)
        )

    assert raised.value.latest.status.text == "In Review"


async def test_an_issue_is_assigned_to_whoever_clicks(world: World) -> None:
    first = await world.records.perform(
        world.person("chen"), Deed("assign", "k1", ISSUE)
    )
    second = await world.records.perform(
        world.person("chen"), Deed("assign", "k2", ISSUE)
    )

    assert first.after == {"assignee": "Chen Li"}
    assert (first.again, second.again) == (False, True)


async def test_who_may_not_edit_is_told_so(world: World) -> None:
    with pytest.raises(NotYours):
        await world.records.form(world.person("frank"), "edit", ISSUE)
    with pytest.raises(NotYours):
        await world.records.form(world.person("frank"), "create", kind="issue")


async def test_only_what_was_changed_is_written(world: World) -> None:
    form = await world.records.form(world.person(), "edit", ISSUE)
    seen = {each.id: each.value for each in form.inputs}
    values = {**seen, "priority": "1", "labels": "login, falcon"}
    deed = Deed("edit", "k1", ISSUE, values=values, seen=seen, base=form.rev)

    done = await world.records.perform(world.person(), deed)

    assert (done.before, done.after) == ({"priority": "2"}, {"priority": "1"})
    puts = [e for e in world.jira.journal.all() if e.method == "PUT"]
    assert json.loads(puts[0].body)["fields"] == {"priority": {"id": "1"}}


async def test_a_stale_edit_writes_nothing(world: World) -> None:
    form = await world.records.form(world.person(), "edit", ISSUE)
    seen = {each.id: each.value for each in form.inputs}
    await world.records.perform(
        world.person("chen"), Deed("edit", "k1", ISSUE, values={"priority": "4"})
    )
    deed = Deed("edit", "k2", ISSUE, values={"priority": "1"}, seen=seen, base=form.rev)

    with pytest.raises(EditConflict) as raised:
        await world.records.perform(world.person(), deed)
    mine = Deed(
        "edit", "k3", ISSUE, values={"labels": "mine"}, seen=seen, base=form.rev
    )
    saved = await world.records.perform(world.person(), mine)

    latest = raised.value.latest.fact("priority")
    assert latest is not None
    assert latest.text == "Low"
    assert saved.after == {"labels": "mine"}


async def test_two_edits_in_the_same_moment_are_seen(world: World) -> None:
    world.jira.clock.stop()
    await test_a_stale_edit_writes_nothing(world)


async def test_wrong_values_are_told_at_their_inputs(world: World) -> None:
    deed = Deed("edit", "k1", ISSUE, values={"summary": "", "duedate": "soon"})

    with pytest.raises(Rejected) as raised:
        await world.records.perform(world.person(), deed)

    assert set(raised.value.fields) == {"summary", "duedate"}


_DEEDS = (
    ("comment", {"text": "Fixed in 1.3"}, "POST */comment"),
    ("transition", {"transition": "21"}, "POST */transitions"),
    ("edit", {"priority": "1"}, "PUT */issue/10042"),
    (
        "create",
        {"project": "ACME", "issuetype": "10004", "summary": "Once only"},
        "POST */issue",
    ),
)
_LOSSES = [
    (kind, *deed)
    for kind in ("drop_after_effect", "truncate", "status_after_effect")
    for deed in _DEEDS
    # Answers without a body cannot be cut.
    if kind != "truncate" or deed[0] not in {"transition", "edit"}
]


@pytest.mark.parametrize(("kind", "act", "values", "match"), _LOSSES)
async def test_a_deed_whose_answer_was_lost_is_done_once(
    world: World, kind: str, act: str, values: dict[str, str], match: str
) -> None:
    world.told.fault(kind, match, arg=503)
    ref = None if act == "create" else ISSUE
    deed = Deed(act, "deed-1", ref, "issue", values)
    try:
        await world.records.perform(world.person(), deed)
    except Unsure:
        assert (await world.records.perform(world.person(), deed)).again

    writes = [e for e in world.jira.journal.all() if f"{e.method} " in match + " "]
    made = [
        e
        for e in writes
        if e.path.endswith(match.rpartition("/")[2]) and e.fault in {"", kind}
    ]
    assert len(made) == 1


async def test_a_new_issue_is_not_made_twice_while_the_index_is_late(
    world: World,
) -> None:
    world.jira.site.lag = 20
    world.told.fault("drop_after_effect", "POST */issue")
    values = {"project": "ACME", "issuetype": "10004", "summary": "Once only"}
    deed = Deed("create", "k1", None, "issue", values)

    for _ in range(2):
        with pytest.raises(Unsure):
            await world.records.perform(world.person(), deed)
    world.jira.clock.move(21)

    assert (await world.records.perform(world.person(), deed)).again
    summaries = [each.values["summary"] for each in world.jira.site.issues.values()]
    assert summaries.count("Once only") == 1


async def test_what_is_said_while_an_issue_is_busy_becomes_one_comment(
    world: World,
) -> None:
    world.jira.site.per_issue = 1
    world.jira.clock.stop()
    before = len(world.said())
    deeds = [
        Deed("comment", f"k{n}", ISSUE, values={"text": f"Line {n}"}) for n in range(6)
    ]
    bob = world.person()

    done = await asyncio.gather(*(world.records.perform(bob, each) for each in deeds))

    told = world.said()[before:]
    assert len(told) < 6
    assert sum(text.count('"Line ') for text in told) == 6
    assert not any(each.again for each in done)
    assert (await world.records.perform(bob, deeds[3])).again
    # What one issue has to wait for stops nothing else.
    assert world.budget.paused == {}


def back(key: str, tried_us: int = 0) -> Deed:
    return Deed(TAKE_BACK, f"back-{key}", ISSUE, values={DEED: key}, tried_us=tried_us)


async def test_ones_own_comment_can_be_taken_back(world: World) -> None:
    bob, before = world.person(), world.said()
    said = Deed("comment", "k1", ISSUE, values={"text": "Wrong issue"})
    await world.records.perform(bob, said)

    await world.records.perform(bob, back("k1"))

    assert world.said() == before
    # Tried before, it is known to be gone; for the first time it is somebody else's doing.
    assert (await world.records.perform(bob, back("k1", tried_us=1))).again
    with pytest.raises(NotAllowed, match="not there any more"):
        await world.records.perform(bob, back("k1"))


async def test_a_comment_that_is_not_ones_own_alone_stays(world: World) -> None:
    bob = world.person()
    await world.records.perform(
        bob, Deed("comment", "k1", ISSUE, values={"text": "Mine"})
    )
    issue = world.jira.site.found("ACME-42")
    assert issue is not None
    mine = issue.comments[-1]

    with pytest.raises(NotYours):
        await world.records.perform(world.person("dana"), back("k1"))
    mine.updated = mine.created + 60
    with pytest.raises(NotAllowed, match="edited since"):
        await world.records.perform(bob, back("k1"))
    mine.updated = 0
    mine.properties[DEEDS] = {"keys": ["k1", "k2"]}
    with pytest.raises(NotAllowed, match="in the same comment"):
        await world.records.perform(bob, back("k1"))

    assert mine in issue.comments


@pytest.mark.parametrize("kind", ["drop_after_effect", "status_after_effect"])
async def test_taking_back_whose_answer_was_lost_is_looked_up(
    world: World, kind: str
) -> None:
    bob, before = world.person(), world.said()
    await world.records.perform(
        bob, Deed("comment", "k1", ISSUE, values={"text": "Wrong issue"})
    )
    world.told.fault(kind, "DELETE *", arg=503)

    await world.records.perform(bob, back("k1"))

    assert world.said() == before


async def test_a_busy_user_waits_and_is_told_how_long(world: World) -> None:
    world.told.fault("ratelimit", "POST */bulkfetch", arg=7)
    bob = world.person()

    read = await world.records.read(bob, [ISSUE])

    assert read == {ISSUE: Absence.SPENT}
    assert world.budget.paused == {("jira:acme", "bob"): 7.0}
    with pytest.raises(Spent):
        await world.records.find(bob, "falcon", 3)


async def test_a_token_that_runs_out_is_renewed_once(world: World) -> None:
    bob = world.person()
    await bob.token()
    bob.run_out()

    reads = await asyncio.gather(*(world.records.read(bob, [ISSUE]) for _ in range(20)))

    assert all(isinstance(each[ISSUE], Record) for each in reads)
    assert bob.renewals == 1


async def test_an_account_that_is_gone_has_to_be_connected_again(world: World) -> None:
    bob = Account(world.jira, "bob", renewable=False)
    await bob.token()
    bob.run_out()

    read = await world.records.read(bob, [ISSUE])

    assert read == {ISSUE: Absence.UNCONNECTED}
    with pytest.raises(NotConnected):
        await world.records.find(bob, "falcon", 3)


async def test_a_jira_that_is_down_is_unreachable(world: World) -> None:
    world.told.fault("status", "*", times=10, arg=503)

    read = await world.records.read(world.person(), [ISSUE])

    assert read == {ISSUE: Absence.UNREACHABLE}
    with pytest.raises(ServiceUnavailable):
        await world.records.find(world.person(), "falcon", 3)


async def test_changes_are_told_since_a_position(world: World) -> None:
    _, position = await world.records.changed(world.person("atom"), "")
    world.jira.clock.move(1)
    done = await world.records.perform(
        world.person(), Deed("edit", "k1", ISSUE, values={"priority": "1"})
    )
    world.jira.clock.move(1)
    other = Deed("edit", "k2", SECURED, values={"summary": "Hidden"})
    await world.records.perform(world.person("alice"), other)

    changes, after = await world.records.changed(world.person("atom"), position)
    again, same = await world.records.changed(world.person("atom"), after)

    assert [(each.ref, each.rev, each.ours) for each in changes] == [
        (ISSUE, done.record.rev, True)
    ]
    # Looked at again for the index's sake, it is the same event.
    assert [each.event for each in again] == [each.event for each in changes]
    assert same == after


async def hear(world: World, ear: Ear, who: str = "chen") -> None:
    deed = Deed("edit", f"k-{who}", ISSUE, values={"summary": f"By {who}"})
    await world.records.perform(world.person(who), deed)
    await world.jira.poster.idle()
    assert ear.heard


async def test_webhooks_of_an_administrator_are_believed_if_signed(
    world: World,
) -> None:
    async with listening() as ear:
        world.jira.site.admin_hooks.append(AdminHook(ear.url, HOOK_SECRET))
        await hear(world, ear)
    call = ear.heard[0]

    [change] = world.records.heard(
        call.headers, call.url, call.body, world.jira.clock.now()
    )

    assert (change.kind, change.ref, change.fields) == (
        ChangeKind.CHANGED,
        ISSUE,
        ("summary",),
    )
    assert change.ours
    assert change.actor == "712020:chen"
    written = json.dumps(json.loads(call.body), indent=1).encode()
    for headers, body in (
        (call.headers, written),
        ({**call.headers, "X-Hub-Signature": "sha256=00"}, call.body),
        ({**call.headers, "X-Hub-Signature": "sha256=é"}, call.body),
        ({}, call.body),
    ):
        with pytest.raises(NotAllowed):
            world.records.heard(headers, call.url, body, world.jira.clock.now())


async def test_webhooks_of_the_app_are_believed_by_their_token(world: World) -> None:
    atom = world.person("atom")
    async with listening() as ear:
        await world.records.tending.tend(atom, ear.url)
        await hear(world, ear)
    call, now = ear.heard[0], world.jira.clock.now()

    [change] = world.records.heard(call.headers, call.url, call.body, now)

    assert change.ref == ISSUE
    with pytest.raises(NotAllowed):
        world.records.heard(call.headers, call.url, call.body, now + 3600)
    forged = {**call.headers, "Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}
    with pytest.raises(NotAllowed):
        world.records.heard(forged, call.url, call.body, now)


async def test_what_is_told_twice_is_one_event(world: World) -> None:
    world.told.fault("dup_event", "EVENT jira:issue_updated")
    async with listening() as ear:
        world.jira.site.admin_hooks.append(AdminHook(ear.url, HOOK_SECRET))
        await hear(world, ear)
        events = {
            change.event
            for call in ear.heard
            for change in world.records.heard(
                call.headers, call.url, call.body, world.jira.clock.now()
            )
        }

    assert (len(ear.heard), len(events)) == (2, 1)


async def test_a_signed_call_that_makes_no_sense_is_refused(world: World) -> None:

    digest = hmac.new(HOOK_SECRET.encode(), b"[", hashlib.sha256).hexdigest()

    with pytest.raises(BadInput):
        world.records.heard({"x-hub-signature": f"sha256={digest}"}, "", b"[", 0.0)


async def test_the_apps_webhook_is_kept_alive(world: World) -> None:
    atom, url = world.person("atom"), "http://127.0.0.1:9/hooks/jira"
    tend = world.records.tending.tend
    await tend(atom, url)
    first = [each.id for each in world.jira.site.dynamic_hooks]
    await tend(atom, url)

    for _ in range(4):
        world.jira.clock.move(25 * 86_400)
        await tend(atom, url)

    assert [each.id for each in world.jira.site.dynamic_hooks] == first
    await tend(atom, "http://127.0.0.1:9/elsewhere")
    [moved] = world.jira.site.dynamic_hooks
    assert moved.url == "http://127.0.0.1:9/elsewhere"


async def test_revisions_grow(world: World) -> None:
    before = await world.one()
    await world.records.perform(
        world.person(), Deed("comment", "k1", ISSUE, values={"text": "Hello"})
    )

    assert (await world.one()).rev > before.rev
    assert isinstance(before.rev, Revision)


async def test_asking_for_changes_keeps_the_webhook_alive(world: World) -> None:
    url = "http://127.0.0.1:9/hooks/jira"
    site = replace(world.site, hook_url=url)
    records = JiraRecords(site, world.rest)
    atom = world.person("atom")

    await records.changed(atom, "")
    first = [each.id for each in world.jira.site.dynamic_hooks]
    for _ in range(3):
        world.jira.clock.move(25 * 86_400)
        await records.changed(atom, "")

    assert len(first) == 1
    assert [each.id for each in world.jira.site.dynamic_hooks] == first


async def test_changes_are_told_although_the_webhook_is_refused(world: World) -> None:
    site = replace(world.site, hook_url="http://127.0.0.1:9/hooks/jira")
    records = JiraRecords(site, world.rest)
    world.told.fault("status", "* */webhook", times=9, arg=403)

    _, position = await records.changed(world.person("atom"), "")

    assert position.isdecimal()


async def test_what_jira_fails_to_give_is_not_gone(world: World) -> None:
    world.jira.site.failing = {"10042"}
    other = RecordRef(System.JIRA, "acme", "issue", "10041")

    read = await world.records.read(world.person(), [ISSUE, other])

    assert read[ISSUE] is Absence.UNREACHABLE
    assert isinstance(read[other], Record)
