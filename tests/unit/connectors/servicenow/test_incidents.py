"""What people do with incidents is written as them, once, and never over others."""

import asyncio
from dataclasses import replace

import pytest

from bridge.errors import BadInput
from bridge.records.comparing import value_of
from bridge.records.forms import Deed, InputKind
from bridge.records.ports import EditConflict, Gone, NotYours, Rejected, Unsure
from connectors.sandbox.servicenow import seed
from connectors.sandbox.servicenow.rights import locking
from tests.unit.connectors.servicenow.world import (
    INC1,
    INC2,
    World,
    deed,
    edit,
    ref,
    tried,
)


def entries(snow: World, id_: str, element: str) -> list[str]:
    rows = snow.stand_in.instance.rows["sys_journal_field"].values()
    return [
        row["value"]
        for row in rows
        if row["element_id"] == id_ and row["element"] == element
    ]


async def test_taking_one_assigns_it_and_begins_it(snow: World) -> None:
    done = await snow.records.perform(snow.as_("erin"), deed("take", INC1))

    row = snow.row("incident", INC1.id)
    assert (row["assigned_to"], row["state"]) == (seed.user_id("erin"), "2")
    assert row["sys_updated_by"] == "erin"
    assert done.record.status.text.startswith("In Progress")
    assert done.before["state"] == "1"
    assert done.after["state"] == "2"
    assert done.request
    assert not done.unsaved


async def test_taking_what_is_mine_already_writes_nothing(snow: World) -> None:
    done = await snow.records.perform(snow.as_("erin"), deed("take", INC2))

    assert done.again
    assert snow.writes() == []


async def test_what_somebody_took_meanwhile_is_not_taken_from_them(snow: World) -> None:
    seen = await snow.one(INC1)
    await snow.records.perform(snow.as_("alice"), deed("take", INC1))
    late = replace(deed("take", INC1, "k2"), base=seen.rev)

    with pytest.raises(EditConflict, match="Alice Wong took it") as conflict:
        await snow.records.perform(snow.as_("erin"), late)

    assert snow.row("incident", INC1.id)["assigned_to"] == seed.user_id("alice")
    assert conflict.value.latest.rev.order > seen.rev.order


@pytest.mark.parametrize(
    ("act", "element"), [("comment", "comments"), ("note", "work_notes")]
)
async def test_what_is_said_stands_in_its_own_journal(
    snow: World, act: str, element: str
) -> None:
    said = deed(act, INC1, **{element: "On it."})

    done = await snow.records.perform(snow.as_("erin"), said)

    assert entries(snow, INC1.id, element) == ["On it."]
    fact = done.record.fact(element)
    assert fact is not None
    assert fact.text == "On it."
    other = {"comments": "work_notes", "work_notes": "comments"}[element]
    assert entries(snow, INC1.id, other) == []


async def test_the_same_comment_tried_again_stands_there_once(snow: World) -> None:
    said = deed("comment", INC1, comments="On it.")

    await snow.records.perform(snow.as_("erin"), said)
    again = await snow.records.perform(snow.as_("erin"), tried(said))

    assert again.again
    assert entries(snow, INC1.id, "comments") == ["On it."]


@pytest.mark.parametrize(
    "kind", ["drop_after_effect", "truncate", "status_after_effect"]
)
async def test_a_comment_whose_answer_is_lost_is_unsure_and_said_once(
    snow: World, kind: str
) -> None:
    said = deed("comment", INC1, comments="On it.")
    snow.told.fault(kind, f"PATCH /api/now/table/incident/{INC1.id}", arg=502)

    with pytest.raises(Unsure):
        await snow.records.perform(snow.as_("erin"), said)
    done = await snow.records.perform(snow.as_("erin"), tried(said))

    assert done.again
    assert entries(snow, INC1.id, "comments") == ["On it."]


async def test_the_same_may_be_said_twice_on_purpose(snow: World) -> None:
    said = deed("comment", INC1, comments="Any news?")

    await snow.records.perform(snow.as_("erin"), said)
    second = await snow.records.perform(snow.as_("erin"), replace(said, key="k2"))

    assert not second.again
    assert entries(snow, INC1.id, "comments") == ["Any news?", "Any news?"]


async def test_others_may_say_the_same(snow: World) -> None:
    said = deed("comment", INC1, comments="Me too.")

    await snow.records.perform(snow.as_("erin"), said)
    await snow.records.perform(snow.as_("alice"), replace(said, key="k2"))

    assert entries(snow, INC1.id, "comments") == ["Me too.", "Me too."]


async def test_an_empty_comment_is_refused_at_its_input(snow: World) -> None:
    with pytest.raises(Rejected) as rejected:
        await snow.records.perform(snow.as_("erin"), deed("comment", INC1))

    assert list(rejected.value.fields) == ["comments"]
    assert snow.writes() == []


async def test_resolving_asks_for_code_and_notes_from_the_instance(
    snow: World,
) -> None:
    form = await snow.records.form(snow.as_("erin"), "resolve", INC1)

    code, notes = form.inputs
    assert code.choices[0].value == "Solution provided"
    assert code.required
    assert notes.required
    assert notes.kind is InputKind.TEXT
    assert form.rev is not None

    done = await snow.records.perform(
        snow.as_("erin"),
        replace(
            deed(
                "resolve", INC1, close_code="Duplicate", close_notes="See INC0010002."
            ),
            base=form.rev,
        ),
    )

    row = snow.row("incident", INC1.id)
    assert (row["state"], row["close_code"]) == ("6", "Duplicate")
    assert [offer.act for offer in done.record.offers] == ["comment", "note", "reopen"]


async def test_resolving_without_notes_is_refused_before_it_is_asked(
    snow: World,
) -> None:
    with pytest.raises(Rejected) as rejected:
        await snow.records.perform(
            snow.as_("erin"), deed("resolve", INC1, close_code="Duplicate")
        )

    assert list(rejected.value.fields) == ["close_notes"]
    assert snow.writes() == []


async def test_resolving_what_was_resolved_meanwhile_is_a_conflict(snow: World) -> None:
    seen = await snow.one(INC1)
    values = {"close_code": "Duplicate", "close_notes": "a"}
    await snow.records.perform(snow.as_("alice"), deed("resolve", INC1, **values))
    late = deed("resolve", INC1, "k2", close_code="Duplicate", close_notes="b")

    with pytest.raises(EditConflict):
        await snow.records.perform(snow.as_("erin"), replace(late, base=seen.rev))

    assert snow.row("incident", INC1.id)["close_notes"] == "a"


async def test_a_rule_of_the_instance_is_told_in_its_words(snow: World) -> None:
    snow.stand_in.instance.policies["description"] = "Description"
    record = await snow.one(INC1)
    asked = edit(record, {"description": record.body.raw if record.body else ""},
                 description="x")  # fmt: skip

    with pytest.raises(Rejected, match="Data Policy Exception"):
        await snow.records.perform(snow.as_("erin"), asked)


async def test_holding_takes_a_reason_and_says_why(snow: World) -> None:
    form = await snow.records.form(snow.as_("erin"), "hold", INC1)
    assert form.inputs[0].choices[0].label == "Awaiting Caller"

    asked = deed("hold", INC1, hold_reason="1", comments="Are you there?")
    await snow.records.perform(snow.as_("erin"), asked)

    row = snow.row("incident", INC1.id)
    assert (row["state"], row["hold_reason"]) == ("3", "1")
    assert entries(snow, INC1.id, "comments") == ["Are you there?"]


async def test_a_resolved_incident_can_be_reopened(snow: World) -> None:
    values = {"close_code": "Duplicate", "close_notes": "a"}
    await snow.records.perform(snow.as_("erin"), deed("resolve", INC1, **values))

    await snow.records.perform(snow.as_("erin"), deed("reopen", INC1, "k2"))

    assert snow.row("incident", INC1.id)["state"] == "2"


async def test_reassigning_finds_whole_names_alone(snow: World) -> None:
    asked = deed(
        "reassign", INC1, assignment_group="Web Ops", assigned_to="chen@acme.example"
    )

    await snow.records.perform(snow.as_("erin"), asked)

    row = snow.row("incident", INC1.id)
    assert row["assignment_group"] == seed.group_id("Web Ops")
    assert row["assigned_to"] == seed.user_id("chen")
    with pytest.raises(Rejected) as rejected:
        await snow.records.perform(
            snow.as_("erin"), deed("reassign", INC1, "k2", assignment_group="Web")
        )
    assert rejected.value.fields == {"assignment_group": "nothing has this name"}


async def test_nobody_is_chosen_among_several_of_one_name(snow: World) -> None:
    snow.stand_in.instance.insert("sys_user", {"name": "Chen Li"}, "system")

    with pytest.raises(Rejected) as rejected:
        await snow.records.perform(
            snow.as_("erin"), deed("reassign", INC1, assigned_to="Chen Li")
        )

    assert rejected.value.fields == {"assigned_to": "several have this name"}
    assert snow.writes() == []


async def test_a_name_cannot_carry_another_query(snow: World) -> None:
    with pytest.raises(BadInput):
        await snow.records.perform(
            snow.as_("erin"),
            deed("reassign", INC1, assigned_to="x^ORactive=true"),
        )

    assert "ORactive" not in snow.told.wire()


async def test_an_edit_writes_what_was_changed_with_patch(snow: World) -> None:
    form = await snow.records.form(snow.as_("erin"), "edit", INC1)
    seen = {each.id: each.value for each in form.inputs}
    record = await snow.one(INC1)

    done = await snow.records.perform(
        snow.as_("erin"), edit(record, {"impact": seen["impact"]}, impact="3")
    )

    assert snow.row("incident", INC1.id)["priority"] == "4"
    assert snow.writes() == [f"PATCH /api/now/table/incident/{INC1.id}"]
    assert done.before == {"impact": "1"}
    assert done.after == {"impact": "3"}


async def test_a_stale_edit_writes_nothing_and_shows_what_is_there(
    snow: World,
) -> None:
    record = await snow.one(INC1)
    title = "short_description"
    asked = edit(record, {title: record.title}, short_description="Mail is late")
    snow.stand_in.instance.update("incident", INC1.id, {title: "Mail is down"}, "bob")

    with pytest.raises(EditConflict) as conflict:
        await snow.records.perform(snow.as_("erin"), asked)

    assert conflict.value.latest.title == "Mail is down"
    assert snow.writes() == []


async def test_a_change_of_other_fields_is_no_conflict(snow: World) -> None:
    record = await snow.one(INC1)
    asked = edit(record, {"urgency": "2"}, urgency="1")
    changed = {"short_description": "Mail is down", "comments": "hello"}
    snow.stand_in.instance.update("incident", INC1.id, changed, "bob")

    await snow.records.perform(snow.as_("erin"), asked)

    row = snow.row("incident", INC1.id)
    assert (row["urgency"], row["short_description"]) == ("1", "Mail is down")


async def test_what_stands_there_already_is_not_written_again(snow: World) -> None:
    record = await snow.one(INC1)
    asked = edit(record, {"urgency": "2"}, urgency="1")

    await snow.records.perform(snow.as_("erin"), asked)
    again = await snow.records.perform(snow.as_("erin"), asked)

    assert again.again
    assert len(snow.writes()) == 1


async def test_fields_that_are_dropped_in_silence_are_named(snow: World) -> None:
    erin = snow.stand_in.users["erin"]
    locked = locking(erin.profile, "incident.urgency")
    snow.stand_in.users["erin"] = replace(erin, profile=locked)
    record = await snow.one(INC1)

    done = await snow.records.perform(
        snow.as_("erin"),
        edit(record, {"urgency": "2", "impact": "1"}, urgency="1", impact="2"),
    )

    assert done.unsaved == ("urgency",)
    assert snow.row("incident", INC1.id)["impact"] == "2"


async def test_a_comment_that_is_dropped_in_silence_is_named(snow: World) -> None:
    bob = snow.stand_in.users["bob"]
    locked = locking(bob.profile, "incident.comments")
    snow.stand_in.users["bob"] = replace(bob, profile=locked)

    said = deed("comment", INC1, comments="Hello?")
    done = await snow.records.perform(snow.as_("bob"), said)

    assert done.unsaved == ("comments",)


async def test_only_what_the_form_asks_for_can_be_changed(snow: World) -> None:
    record = await snow.one(INC1)

    with pytest.raises(BadInput):
        await snow.records.perform(
            snow.as_("erin"), edit(record, {}, sys_created_by="mallory")
        )


async def test_what_somebody_cannot_see_cannot_be_written(snow: World) -> None:
    with pytest.raises(Gone):
        await snow.records.perform(snow.as_("dave"), deed("take", INC1))

    assert snow.writes() == []


async def test_a_refusal_is_told_with_its_reason(snow: World) -> None:
    snow.told.fault("status", f"PATCH /api/now/table/incident/{INC1.id}", arg=403)

    with pytest.raises(NotYours, match="Failed API level ACL Validation"):
        await snow.records.perform(snow.as_("erin"), deed("take", INC1))


async def test_a_new_incident_is_made_once_however_often_it_is_tried(
    snow: World,
) -> None:
    form = await snow.records.form(snow.as_("bob"), "create", kind="incident")
    assert [each.id for each in form.inputs if each.required] == ["short_description"]
    new = Deed(
        "create",
        "k9",
        kind="incident",
        values={"short_description": "No tea", "impact": "3"},
    )
    before = len(snow.stand_in.instance.rows["incident"])
    snow.told.fault("drop_after_effect", "POST /api/now/table/incident")

    with pytest.raises(Unsure):
        await snow.records.perform(snow.as_("bob"), new)
    again = await snow.records.perform(snow.as_("bob"), new)
    third = await snow.records.perform(snow.as_("bob"), new)

    assert len(snow.stand_in.instance.rows["incident"]) == before + 1
    row = snow.row("incident", again.record.ref.id)
    assert row["caller_id"] == seed.user_id("bob")
    assert again.record.key == third.record.key
    assert again.again


async def test_a_new_incident_says_what_became_of_it(snow: World) -> None:
    new = Deed("create", "k9", kind="incident", values={"short_description": "No tea"})

    done = await snow.records.perform(snow.as_("bob"), new)

    assert done.record.title == "No tea"
    assert done.record.key.startswith("INC")
    assert not done.unsaved
    assert not done.again


async def test_twenty_edits_at_once_leave_one_conflict_each(snow: World) -> None:
    record = await snow.one(INC1)
    title = "short_description"
    asked = [
        replace(
            edit(record, {title: record.title}, short_description=f"t{n}"), key=f"{n}"
        )
        for n in range(20)
    ]

    outcomes = await asyncio.gather(
        *(snow.records.perform(snow.as_("erin"), each) for each in asked),
        return_exceptions=True,
    )

    assert sum(isinstance(each, EditConflict) for each in outcomes) == 19
    assert len(snow.writes()) == 1


async def test_what_is_no_act_is_refused(snow: World) -> None:
    with pytest.raises(BadInput):
        await snow.records.perform(snow.as_("erin"), deed("delete", INC1))
    with pytest.raises(BadInput):
        await snow.records.perform(snow.as_("erin"), deed("take", ref("article", "a")))


async def test_without_the_journals_table_the_row_itself_tells(snow: World) -> None:
    erin = snow.stand_in.users["erin"]
    objects = {**erin.profile.objects, "sys_journal_field": ""}
    profile = replace(erin.profile, objects=objects)
    snow.stand_in.users["erin"] = replace(erin, profile=profile)
    said = deed("comment", INC1, comments="On it.")

    done = await snow.records.perform(snow.as_("erin"), said)
    again = await snow.records.perform(snow.as_("erin"), tried(said))

    fact = done.record.fact("comments")
    assert fact is not None
    assert fact.text == "On it."
    assert again.again
    assert entries(snow, INC1.id, "comments") == ["On it."]
    other = await snow.one(INC2)
    note = other.fact("work_notes")
    assert note is not None
    assert (note.text, note.cls) == ("Node 2 leaks.", "it-internal")


async def test_a_conflict_tells_each_field_that_was_seen_as_it_is_now(
    snow: World,
) -> None:
    form = await snow.records.form(snow.as_("erin"), "edit", INC1)
    seen = {each.id: each.value for each in form.inputs}
    mine = Deed(
        "edit", "k1", INC1, values={"description": "mine"}, seen=seen, base=form.rev
    )
    theirs = {"description": "theirs", "short_description": "Mail", "impact": "2"}
    snow.stand_in.instance.update("incident", INC1.id, theirs, "bob")

    with pytest.raises(EditConflict) as conflict:
        await snow.records.perform(snow.as_("erin"), mine)

    latest = conflict.value.latest
    assert {name: value_of(latest, name) for name in seen} == {
        **theirs,
        "urgency": "2",
    }


async def test_a_conflict_of_assignment_is_told_in_names(snow: World) -> None:
    form = await snow.records.form(snow.as_("erin"), "reassign", INC2)
    seen = {each.id: each.value for each in form.inputs}
    assert seen == {"assignment_group": "Service Desk", "assigned_to": "Erin Park"}
    values = {"assignment_group": "Network", "assigned_to": "Erin Park"}
    mine = Deed("reassign", "k1", INC2, values=values, seen=seen, base=form.rev)
    theirs = {"assignment_group": seed.group_id("CAB"), "assigned_to": ""}
    snow.stand_in.instance.update("incident", INC2.id, theirs, "bob")

    with pytest.raises(EditConflict) as conflict:
        await snow.records.perform(snow.as_("erin"), mine)

    assert value_of(conflict.value.latest, "assignment_group") == "CAB"
    assert value_of(conflict.value.latest, "assigned_to") == ""


async def test_another_group_chooses_its_own_person(snow: World) -> None:
    form = await snow.records.form(snow.as_("erin"), "reassign", INC2)
    seen = {each.id: each.value for each in form.inputs}
    values = seen | {"assignment_group": "Network"}

    await snow.records.perform(
        snow.as_("erin"),
        Deed("reassign", "k1", INC2, values=values, seen=seen, base=form.rev),
    )

    row = snow.row("incident", INC2.id)
    assert row["assignment_group"] == seed.group_id("Network")
    assert row["assigned_to"] == ""
