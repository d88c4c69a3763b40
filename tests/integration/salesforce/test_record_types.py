"""A kind with several record types: which one is asked first, and choices follow it."""

import pytest

from bridge.records.desk import Said
from bridge.records.forms import Deed, Form, Input
from bridge.records.ports import Rejected
from connectors.salesforce.asking import TYPE
from connectors.sandbox.salesforce.record_types import RecordType
from tests.integration.salesforce.conftest import Acme
from tests.integration.salesforce.test_whose import OrgAccesses
from tests.records_world import ALICE, SLACK, FakeShown, FakeSystem, World, asker

SUPPORT, BILLING, SECRET = (
    "0125g000000Sup1AAC",
    "0125g000000Bil1AAC",
    "0125g000000Sec1AAC",
)
PRIORITIES = {SUPPORT: ("High", "Medium"), BILLING: ("Low",)}


def with_types(acme: Acme, *, secret: bool = True) -> None:
    types = [
        RecordType(SUPPORT, "Support", {"Priority": PRIORITIES[SUPPORT]}),
        RecordType(
            BILLING,
            "Billing",
            {"Priority": PRIORITIES[BILLING]},
            usual=frozenset({"bob"}),
        ),
    ]
    if secret:
        types.append(RecordType(SECRET, "Secret", only=frozenset({"dana"})))
    acme.org.rows.record_types = {"Case": tuple(types)}


async def new_case(acme: Acme, who: str) -> Form:
    return await acme.records.form(acme.account(who), "create", None, "case")


def named(form: Form, id_: str) -> Input:
    return next(each for each in form.inputs if each.id == id_)


async def test_the_record_type_is_asked_first_and_is_the_persons_usual(
    acme: Acme,
) -> None:
    with_types(acme)

    form = await new_case(acme, "bob")
    carols = await new_case(acme, "carol")
    danas = await new_case(acme, "dana")

    first = form.inputs[0]
    assert (first.id, first.value, first.required) == (TYPE, BILLING, True)
    assert [each.label for each in first.choices] == ["Billing", "Support"]
    assert named(carols, TYPE).value == ""  # Carol has no usual one
    labels = {each.label for each in named(danas, TYPE).choices}
    assert labels == {"Billing", "Secret", "Support"}


async def test_choices_follow_the_record_type(acme: Acme) -> None:
    with_types(acme)

    form = await new_case(acme, "bob")

    priority = named(form, "Priority")
    offered = {
        type_: {each.value for each in priority.offered({TYPE: type_})}
        for type_ in (SUPPORT, BILLING)
    }
    assert offered == {type_: set(values) for type_, values in PRIORITIES.items()}


async def test_a_record_is_of_the_type_that_was_chosen(acme: Acme) -> None:
    with_types(acme)
    bob = acme.account("bob")
    values = {TYPE: SUPPORT, "Subject": "No light", "Priority": "High"}

    done = await acme.records.perform(bob, Deed("create", "k", None, "case", values))

    row = acme.org.rows.rows["Case"][done.record.ref.id]
    assert (row[TYPE], row["Priority"], done.unsaved) == (SUPPORT, "High", ())


async def test_what_does_not_fit_the_type_is_refused_at_its_input(acme: Acme) -> None:
    with_types(acme)
    bob = acme.account("bob")
    unfit = {TYPE: BILLING, "Subject": "No light", "Priority": "High"}
    foreign = {TYPE: SECRET, "Subject": "No light"}

    for values, field in ((unfit, "Priority"), (foreign, TYPE)):
        with pytest.raises(Rejected) as told:
            await acme.records.perform(bob, Deed("create", "k", None, "case", values))
        assert set(told.value.fields) == {field}


async def test_a_record_that_is_there_offers_what_its_type_has(acme: Acme) -> None:
    with_types(acme)
    acme.row("Case", "crash")[TYPE] = BILLING
    bob = acme.account("bob")

    form = await acme.records.form(bob, "edit", acme.ref("case", "crash"))

    priority = named(form, "Priority")
    standing = str(acme.row("Case", "crash")["Priority"])
    # What stands there stays, as Salesforce lets it.
    assert {each.value for each in priority.choices} == {standing, "Low"}
    assert not [each for each in form.inputs if each.id == TYPE]


async def test_with_one_type_nothing_is_asked_and_its_choices_are_offered(
    acme: Acme,
) -> None:
    with_types(acme, secret=False)
    only, _ = acme.org.rows.record_types["Case"]
    acme.org.rows.record_types = {"Case": (only,)}

    form = await new_case(acme, "bob")

    assert not [each for each in form.inputs if each.id == TYPE]
    offered = {each.value for each in named(form, "Priority").choices}
    assert offered == set(PRIORITIES[SUPPORT])


async def test_without_record_types_forms_are_as_they_were(acme: Acme) -> None:
    form = await new_case(acme, "bob")

    assert not [each for each in form.inputs if each.id == TYPE]
    assert len(named(form, "Priority").choices) > 2


def picklists(acme: Acme) -> int:
    """Return how often it was asked what a record type offers."""
    return sum("picklist-values" in call for call in acme.told.calls())


def with_many(acme: Acme) -> list[str]:
    ids = [f"0125g000000Ty{n:02}AAC" for n in range(20)]
    types = [
        RecordType(id_, f"Type {n:02}", {"Priority": ("Low",) if n else ("High",)})
        for n, id_ in enumerate(ids)
    ]
    acme.org.rows.record_types = {"Case": tuple(types)}
    return ids


async def test_of_many_types_one_is_chosen_first(acme: Acme) -> None:
    ids = with_many(acme)
    bob = acme.account("bob")

    first = await new_case(acme, "bob")
    asked = picklists(acme)
    then = await acme.records.narrowed(bob, "create", None, "case", ids[0])

    assert [each.id for each in first.inputs] == [TYPE] == [first.narrows]
    assert len(named(first, TYPE).choices) == 20
    assert (asked, picklists(acme)) == (0, 1)
    assert named(then, TYPE).value == ids[0]
    assert [each.value for each in named(then, "Priority").choices] == ["High"]
    assert not then.narrows
    values = {TYPE: ids[0], "Subject": "No light", "Priority": "High"}
    done = await acme.records.perform(bob, Deed("create", "k", None, "case", values))
    assert acme.org.rows.rows["Case"][done.record.ref.id][TYPE] == ids[0]


@pytest.mark.parametrize("chosen", ["", SECRET, "x' OR Id != '"])
async def test_what_is_no_type_leads_no_further(acme: Acme, chosen: str) -> None:
    with_many(acme)

    with pytest.raises(Rejected) as told:
        await acme.records.narrowed(acme.account("bob"), "create", None, "case", chosen)

    assert set(told.value.fields) == {TYPE}


async def test_what_a_message_said_stands_in_the_form_that_follows(acme: Acme) -> None:
    """From a message to the type, from there to the form, and to one new case."""
    ids = with_many(acme)
    world = World(
        FakeSystem(kinds=("change",)),
        others=(acme.records,),
        accesses=OrgAccesses(acme),  # type: ignore[arg-type]
    )
    shown = FakeShown()
    words = Said(SLACK, "m1", "No light in plant two", ALICE)
    await world.desk.start(asker(ALICE), "salesforce/case", words, shown)
    [(first, token)] = shown.forms

    wrong, then, last = FakeShown(), FakeShown(), FakeShown()
    await world.desk.submitted(asker(ALICE), token, {TYPE: "x"}, wrong)
    await world.desk.submitted(asker(ALICE), token, {TYPE: ids[1]}, then)

    assert [set(fields) for _, fields in wrong.wrongs] == [{TYPE}]
    [(form, token)] = then.forms
    assert first.narrows == TYPE
    assert named(form, "Subject").value == "No light in plant two"
    before = len(acme.org.rows.rows["Case"])
    values = {each.id: each.value for each in form.inputs} | {"Priority": "Low"}
    await world.desk.submitted(asker(ALICE), token, values, last)
    assert last.texts
    assert len(acme.org.rows.rows["Case"]) == before + 1
