"""What people do with records: forms with their own rights, and what comes of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Deed, Form, InputKind
from bridge.records.ports import EditConflict, Gone, NotYours, Rejected, Unsure
from connectors.salesforce import Salesforce, Setup
from tests.integration.salesforce.conftest import Acme
from tests.stand_ins import Account


async def form(acme: Acme, who: str, act: str, kind: str, name: str) -> Form:
    return await acme.records.form(acme.account(who), act, acme.ref(kind, name))


def filled(form_: Form, values: Mapping[str, str], key: str = "k") -> Deed:
    seen = {one.id: one.value for one in form_.inputs if one.id in values}
    return Deed(form_.act, key, form_.ref, form_.kind, values, seen, form_.rev)


async def test_a_form_has_only_what_this_person_may_write(acme: Acme) -> None:
    bob = await form(acme, "bob", "edit", "opportunity", "renewal")
    dana = await form(acme, "dana", "edit", "opportunity", "renewal")

    assert [one.id for one in bob.inputs] == [
        "Name",
        "CloseDate",
        "NextStep",
        "MainCompetitors__c",
    ]
    amount = next(one for one in dana.inputs if one.id == "Amount")
    assert (amount.kind, amount.cls) == (InputKind.NUMBER, "finance")
    assert amount.value == "1284500"


async def test_who_may_not_write_the_field_gets_no_form(acme: Acme) -> None:
    with pytest.raises(NotYours):
        await form(acme, "dana", "status", "case", "crash")
    with pytest.raises(NotYours):
        await acme.records.form(acme.account("carol"), "create", None, "opportunity")


async def test_a_choice_fits_what_it_depends_on(acme: Acme) -> None:
    shown = await form(acme, "carol", "status", "case", "crash")

    inputs = {one.id: one for one in shown.inputs}
    assert [one.value for one in inputs["Status"].choices] == [
        "New",
        "Working",
        "Escalated",
        "Closed",
    ]
    reason = inputs["Reason"]
    assert reason.controller == "Type"
    assert reason.fitting == {
        "Question": ("Instructions not clear", "Other"),
        "Problem": ("Performance", "Breakdown", "Other"),
        "Feature Request": ("New idea", "Other"),
    }


async def test_a_stage_change_moves_what_follows_from_it(acme: Acme) -> None:
    shown = await form(acme, "bob", "stage", "opportunity", "pilot")
    deed = filled(shown, {"StageName": "Proposal/Price Quote"})

    done = await acme.records.perform(acme.account("bob"), deed)

    assert done.before == {"StageName": "Qualification"}
    assert done.after == {"StageName": "Proposal/Price Quote"}
    assert done.record.status.text == "Proposal/Price Quote · 50%"
    fact = done.record.fact("stage-change")
    assert fact is not None
    assert fact.text.startswith("Qualification → Proposal/Price Quote, ")
    assert done.request


async def test_a_rule_of_the_org_is_told_at_its_input(acme: Acme) -> None:
    shown = await form(acme, "bob", "stage", "opportunity", "pilot")

    with pytest.raises(Rejected) as told:
        await acme.records.perform(
            acme.account("bob"), filled(shown, {"StageName": "Closed Won"})
        )

    assert told.value.fields == {
        "NextStep": "A won deal needs a next step: who takes over?"
    }


async def test_a_rule_about_everything_is_told_above(acme: Acme) -> None:
    shown = await form(acme, "bob", "edit", "account", "globex")

    with pytest.raises(Rejected, match="No test accounts") as told:
        await acme.records.perform(acme.account("bob"), filled(shown, {"Name": "Test"}))

    assert told.value.fields == {}


@pytest.mark.parametrize("text", ["much", "nan", "inf", "1e999"])
async def test_a_number_that_is_none_is_told_at_once(acme: Acme, text: str) -> None:
    shown = await form(acme, "dana", "edit", "opportunity", "renewal")
    deed = filled(shown, {"Amount": text})

    with pytest.raises(Rejected) as told:
        await acme.records.perform(acme.account("dana"), deed)

    assert told.value.fields.keys() == {"Amount"}
    assert acme.told.calls("PATCH") == []


async def test_a_change_elsewhere_is_a_conflict_too_and_can_be_based_anew(
    acme: Acme,
) -> None:
    alice = acme.account("bob")
    deed = filled(
        await form(acme, "bob", "edit", "case", "crash"), {"Priority": "Medium"}
    )
    carol = acme.org.users["carol"]
    acme.org.rows.update(carol, "Case", acme.org.ids["crash"], {"Status": "New"})

    with pytest.raises(EditConflict) as told:
        await acme.records.perform(alice, deed)
    latest = told.value.latest
    theirs = latest.fact("Priority")
    assert theirs is not None
    assert theirs.raw == "High"
    mine = Deed("edit", "k2", deed.ref, values=deed.values, base=told.value.latest.rev)
    await acme.records.perform(alice, mine)

    row = acme.row("Case", "crash")
    assert (row["Status"], row["Priority"]) == ("New", "Medium")
    writes = [one for one in acme.org.journal.all() if one.method == "PATCH"]
    assert len(writes) == 1
    assert writes[0].headers["if-unmodified-since"]


async def test_two_edits_in_one_second(acme: Acme) -> None:
    bob = acme.account("bob")
    deed = filled(
        await form(acme, "bob", "edit", "opportunity", "renewal"), {"NextStep": "Mine"}
    )
    acme.org.clock.stop()
    user, id_ = acme.org.users["alice"], acme.org.ids["renewal"]
    acme.org.rows.update(user, "Opportunity", id_, {"NextStep": "Hers"})

    with pytest.raises(EditConflict):
        await acme.records.perform(bob, deed)

    assert acme.row("Opportunity", "renewal")["NextStep"] == "Hers"


async def test_an_edit_between_reading_and_writing_is_noticed(acme: Acme) -> None:
    bob = acme.account("bob")
    deed = filled(
        await form(acme, "bob", "edit", "opportunity", "renewal"), {"NextStep": "Mine"}
    )
    acme.told.fault("delay", "PATCH *", arg=1.2)
    writing = asyncio.create_task(acme.records.perform(bob, deed))
    while acme.org.faults._orders[0].left:
        await asyncio.sleep(0.01)
    user, id_ = acme.org.users["alice"], acme.org.ids["renewal"]
    acme.org.rows.update(user, "Opportunity", id_, {"NextStep": "Hers"})

    with pytest.raises(EditConflict):
        await writing

    assert acme.row("Opportunity", "renewal")["NextStep"] == "Hers"


async def test_a_locked_record_is_tried_again(acme: Acme) -> None:
    acme.told.fault("error", "PATCH *", times=2, arg="UNABLE_TO_LOCK_ROW")
    shown = await form(acme, "bob", "edit", "account", "globex")

    await acme.records.perform(acme.account("bob"), filled(shown, {"Phone": "1"}))

    assert len(acme.told.calls("PATCH")) == 3
    assert acme.row("Account", "globex")["Phone"] == "1"


async def test_a_record_that_stays_locked_says_so(acme: Acme) -> None:
    acme.told.fault("error", "PATCH *", times=9, arg="UNABLE_TO_LOCK_ROW")
    shown = await form(acme, "bob", "edit", "account", "globex")

    with pytest.raises(ServiceUnavailable, match="somebody else"):
        await acme.records.perform(acme.account("bob"), filled(shown, {"Phone": "1"}))

    assert len(acme.told.calls("PATCH")) == 3


async def test_taking_a_case_twice_is_taking_it_once(acme: Acme) -> None:
    carol, ref = acme.account("carol"), acme.ref("case", "waiting")

    first = await acme.records.perform(carol, Deed("take", "k", ref))
    second = await acme.records.perform(carol, Deed("take", "k", ref))

    assert (first.again, second.again) == (False, True)
    owner = first.record.fact("owner")
    assert owner is not None
    assert owner.text == "Carol Díaz"


async def test_escalating_says_why_and_does_both_or_neither(acme: Acme) -> None:
    carol = acme.account("carol")
    shown = await form(acme, "carol", "escalate", "case", "crash")
    assert [one.id for one in shown.inputs] == ["Priority", "CommentBody"]
    deed = filled(shown, {"Priority": "High", "CommentBody": "They called the CEO"})

    done = await acme.records.perform(carol, deed)
    again = await acme.records.perform(carol, deed)

    assert acme.row("Case", "crash")["IsEscalated"] is True
    assert (done.again, again.again) == (False, True)
    comments = acme.org.rows.rows["CaseComment"].values()
    assert sum(one["CommentBody"] == "They called the CEO" for one in comments) == 1


async def test_a_part_that_fails_inside_of_a_call_that_succeeds(acme: Acme) -> None:
    carol = acme.account("carol")
    shown = await form(acme, "carol", "escalate", "case", "crash")
    deed = filled(shown, {"Priority": "Low", "CommentBody": "x" * 5000})

    with pytest.raises(Rejected) as told:
        await acme.records.perform(carol, deed)

    assert told.value.fields.keys() == {"CommentBody"}
    row = acme.row("Case", "crash")
    assert (row["IsEscalated"], row["Priority"]) == (False, "High")
    outer = [one for one in acme.org.journal.all() if one.path.endswith("composite")]
    assert {one.status for one in outer} == {200}


async def test_a_conflict_inside_of_a_composite_is_a_conflict(acme: Acme) -> None:
    carol = acme.account("carol")
    shown = await form(acme, "carol", "escalate", "case", "crash")
    deed = filled(shown, {"Priority": "Low", "CommentBody": "Why"})
    acme.org.clock.move(3)
    acme.org.rows.update(
        acme.org.users["bob"], "Case", acme.org.ids["crash"], {"Priority": "Medium"}
    )

    with pytest.raises(EditConflict):
        await acme.records.perform(carol, deed)

    assert acme.row("Case", "crash")["IsEscalated"] is False


async def test_a_call_is_logged_with_the_contact(acme: Acme) -> None:
    bob, ref = acme.account("bob"), acme.ref("contact", "hank")
    deed = Deed("call", "k", ref, values={"Subject": "Spoke about the renewal"})

    done = await acme.records.perform(bob, deed)
    again = await acme.records.perform(bob, deed)

    (task,) = acme.org.rows.rows["Task"].values()
    assert (task["WhoId"], task["TaskSubtype"]) == (ref.id, "Call")
    assert task["OwnerId"] == acme.org.users["bob"].id
    assert (done.again, again.again) == (False, True)
    last = done.record.fact("last-activity")
    assert last is not None
    assert last.text


@pytest.mark.parametrize("key_field", ["ATOM_Key__c", "Not_There__c"])
async def test_a_note_is_logged_once_though_its_answer_is_lost(
    acme: Acme, key_field: str
) -> None:
    setup = Setup("acme", acme.told.url, key_field=key_field)
    records = Salesforce(setup, acme.budget)
    bob, ref = acme.account("bob"), acme.ref("account", "globex")
    deed = Deed("note", "k", ref, values={"Subject": "Visit", "Description": "Nice"})
    acme.told.fault("drop_after_effect", "P*/sobjects/Task*")

    done = await records.perform(bob, deed)
    again = await records.perform(bob, replace(deed, tried_us=1))

    assert len(acme.org.rows.rows["Task"]) == 1
    assert (done.again, again.again) == (False, True)
    await records.aclose()


async def test_a_new_contact_belongs_to_its_account(acme: Acme) -> None:
    bob, ref = acme.account("bob"), acme.ref("account", "globex")
    shown = await acme.records.form(bob, "new-contact", ref)
    assert [one.id for one in shown.inputs if one.required] == ["LastName"]
    deed = Deed("new-contact", "k", ref, values={"LastName": "Smithers"})

    done = await acme.records.perform(bob, deed)

    assert done.record.title == "Smithers"
    account = done.record.fact("account")
    assert account is not None
    assert account.text == "Globex & Sons"


async def test_a_new_case_of_a_contact_knows_its_account(acme: Acme) -> None:
    bob, ref = acme.account("bob"), acme.ref("contact", "hank")
    deed = Deed("new-case", "k", ref, values={"Subject": "Lost his keys"})

    done = await acme.records.perform(bob, deed)

    facts = {one.id: one.text for one in done.record.facts}
    assert (facts["contact"], facts["account"]) == ("Hank Scorpio", "Globex & Sons")
    assert done.record.key.startswith("CS-0000")


async def test_a_new_deal_needs_what_the_org_needs(acme: Acme) -> None:
    bob = acme.account("bob")
    shown = await acme.records.form(bob, "create", None, "opportunity")

    required = {one.id for one in shown.inputs if one.required}
    assert required == {"Name", "StageName", "CloseDate"}
    deed = Deed("create", "k", None, "opportunity", {"Name": "Half a deal"})
    with pytest.raises(Rejected) as told:
        await acme.records.perform(bob, deed)
    assert told.value.fields.keys() == {"StageName", "CloseDate"}


async def test_an_act_on_what_is_gone(acme: Acme) -> None:
    carol, ref = acme.account("carol"), acme.ref("case", "crash")
    acme.org.rows.delete(acme.org.users["atom"], "Case", ref.id)

    for deed in (
        Deed("take", "k", ref),
        Deed("comment", "k", ref, values={"CommentBody": "Hello"}),
        Deed("note", "k", ref, values={"Subject": "Hello"}),
    ):
        with pytest.raises(Gone):
            await acme.records.perform(carol, deed)
    with pytest.raises(Gone):
        await acme.records.form(carol, "edit", ref)


async def test_an_empty_comment_is_not_written(acme: Acme) -> None:
    deed = Deed("comment", "k", acme.ref("case", "crash"), values={"CommentBody": " "})

    with pytest.raises(Rejected) as told:
        await acme.records.perform(acme.account("carol"), deed)

    assert told.value.fields.keys() == {"CommentBody"}


async def test_an_outage_after_the_effect_is_not_called_a_failure(acme: Acme) -> None:
    shown = await form(acme, "bob", "edit", "account", "globex")
    acme.told.fault("status_after_effect", "PATCH *", arg=503)

    done = await acme.records.perform(
        acme.account("bob"), filled(shown, {"Phone": "12"})
    )

    assert done.after == {"Phone": "12"}
    assert len(acme.told.calls("PATCH")) == 1


async def test_an_outage_before_the_effect_is_unsure(acme: Acme) -> None:
    shown = await form(acme, "bob", "edit", "account", "globex")
    acme.told.fault("status", "PATCH *", arg=503)

    with pytest.raises(Unsure):
        await acme.records.perform(acme.account("bob"), filled(shown, {"Phone": "12"}))

    assert len(acme.told.calls("PATCH")) == 1


async def test_the_integration_never_writes(acme: Acme) -> None:
    integration = Account(acme.org, "atom")
    integration.account = ""

    with pytest.raises(BadInput):
        await acme.records.perform(
            integration, Deed("take", "k", acme.ref("case", "crash"))
        )

    assert acme.told.calls() == []


async def test_who_connects_another_account_acts_as_that(acme: Acme) -> None:
    person = Account(acme.org, "carol", account="person-1")
    ref = acme.ref("case", "waiting")
    await acme.records.perform(person, Deed("take", "k", ref))
    other = Account(acme.org, "bob", account="person-1")

    done = await acme.records.perform(other, Deed("take", "k2", ref))

    owner = done.record.fact("owner")
    assert owner is not None
    assert owner.text == "Bob Stone"


async def test_a_description_is_asked_for_again_only_if_it_changed(acme: Acme) -> None:
    bob = acme.account("bob")
    first = await acme.records.form(bob, "edit", acme.ref("account", "globex"))
    acme.records._asking._metadata._fresh.seconds = -1
    acme.records._asking._metadata._fresh._kept.clear()

    second = await acme.records.form(bob, "edit", acme.ref("account", "globex"))

    described = [
        one for one in acme.org.journal.all() if one.path.endswith("/describe")
    ]
    assert [one.status for one in described] == [200, 304]
    assert first.inputs == second.inputs
