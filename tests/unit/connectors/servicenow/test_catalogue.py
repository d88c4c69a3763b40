"""Orders are made of the item's own variables, in both kinds of checkout, and once."""

from typing import Any

import pytest

from bridge.errors import BadInput
from bridge.records.forms import InputKind
from bridge.records.ports import Gone, Rejected, Unsure
from connectors.sandbox.servicenow import seed
from connectors.sandbox.servicenow.instance import id_of
from connectors.servicenow.variables import inputs_of
from tests.unit.connectors.servicenow.world import LAPTOP, World, deed, ref

SCREEN = ref("item", seed.item_id("Second screen"))
MAILBOX = ref("item", seed.item_id("Shared mailbox"))
OUTAGE = ref("item", seed.item_id("Report an outage"))
WANTED = {"var-memory": "64", "var-reason": "Builds"}
ORDER_NOW = f"POST /api/sn_sc/servicecatalog/items/{LAPTOP.id}/order_now"


def requests(snow: World) -> list[dict[str, str]]:
    return list(snow.stand_in.instance.rows["sc_request"].values())


async def test_the_form_asks_what_the_item_asks(snow: World) -> None:
    form = await snow.records.form(snow.as_("bob"), "order", LAPTOP)

    inputs = {each.id: each for each in form.inputs}
    assert list(inputs) == [
        "var-memory",
        "var-reason",
        "var-bag",
        "var-site",
        "var-needed_by",
        "quantity",
        "requested_for",
    ]
    assert inputs["var-memory"].kind is InputKind.CHOICE
    assert [each.label for each in inputs["var-memory"].choices] == ["32 GB", "64 GB"]
    assert inputs["var-memory"].required
    assert inputs["var-reason"].kind is InputKind.TEXT
    assert inputs["var-bag"].kind is InputKind.CHECK
    assert inputs["var-needed_by"].kind is InputKind.DATE
    assert inputs["var-site"].hint == "its whole name"


async def test_an_order_for_somebody_else_asks_for_whom_first(snow: World) -> None:
    bob = snow.as_("bob")

    form = await snow.records.form(bob, "order-for", LAPTOP)
    with pytest.raises(Rejected) as refused:
        await snow.records.perform(bob, deed("order-for", LAPTOP, **WANTED))
    whom = {"requested_for": "dana@acme.example"}
    done = await snow.records.perform(bob, deed("order-for", LAPTOP, **WANTED, **whom))

    first = form.inputs[0]
    assert (first.id, first.required) == ("requested_for", True)
    assert [each.id for each in form.inputs].count("requested_for") == 1
    assert refused.value.fields == {"requested_for": "this is needed"}
    assert [each["requested_for"] for each in requests(snow)] == [seed.user_id("dana")]
    assert done.record.ref.kind == "request"


@pytest.mark.parametrize("two_step", [False, True])
async def test_an_order_is_one_request_in_both_checkouts(
    snow: World, *, two_step: bool
) -> None:
    snow.stand_in.instance.properties.two_step = two_step

    done = await snow.records.perform(
        snow.as_("bob"), deed("order", LAPTOP, **WANTED, **{"var-site": "Porto"})
    )

    (request,) = requests(snow)
    assert done.record.ref == ref("request", request["sys_id"])
    assert done.record.key == request["number"]
    assert request["requested_for"] == seed.user_id("bob")
    fact = done.record.fact("item-1")
    assert fact is not None
    assert fact.text == "Developer laptop – Waiting for Approval"
    assert id_of("cmn_location", "Porto") in snow.told.wire()


async def test_something_is_ordered_for_somebody_else(snow: World) -> None:
    asked = deed("order", SCREEN, quantity="2", requested_for="dana@acme.example")

    done = await snow.records.perform(snow.as_("bob"), asked)

    (request,) = requests(snow)
    assert request["requested_for"] == seed.user_id("dana")
    assert request["opened_by"] == seed.user_id("bob")
    fact = done.record.fact("requested_for")
    assert fact is not None
    assert (fact.text, fact.cls) == ("Dana Fox", "personal")
    line = done.record.fact("item-1")
    assert line is not None
    assert line.text.startswith("2 × Second screen")


@pytest.mark.parametrize("two_step", [False, True])
async def test_an_order_tried_again_is_the_same_request(
    snow: World, *, two_step: bool
) -> None:
    snow.stand_in.instance.properties.two_step = two_step
    asked = deed("order", LAPTOP, **WANTED)

    first = await snow.records.perform(snow.as_("bob"), asked)
    again = await snow.records.perform(snow.as_("bob"), asked)

    assert again.again
    assert again.record.ref == first.record.ref
    assert len(requests(snow)) == 1


async def test_an_order_whose_answer_is_lost_is_found(snow: World) -> None:
    snow.told.fault("drop_after_effect", ORDER_NOW)

    done = await snow.records.perform(snow.as_("bob"), deed("order", LAPTOP, **WANTED))

    assert len(requests(snow)) == 1
    assert done.record.ref.id == requests(snow)[0]["sys_id"]


async def test_an_order_whose_second_step_is_lost_is_found(snow: World) -> None:
    snow.stand_in.instance.properties.two_step = True
    match = "POST /api/sn_sc/servicecatalog/cart/submit_order"
    snow.told.fault("drop_after_effect", match)

    done = await snow.records.perform(snow.as_("bob"), deed("order", LAPTOP, **WANTED))

    assert len(requests(snow)) == 1
    assert done.record.ref.id == requests(snow)[0]["sys_id"]


async def test_an_order_that_never_arrived_is_unsure_and_made_later(
    snow: World,
) -> None:
    snow.told.fault("drop", ORDER_NOW)
    asked = deed("order", LAPTOP, **WANTED)

    with pytest.raises(Unsure):
        await snow.records.perform(snow.as_("bob"), asked)
    assert requests(snow) == []
    done = await snow.records.perform(snow.as_("bob"), asked)

    assert not done.again
    assert len(requests(snow)) == 1


async def test_the_same_may_be_ordered_twice_on_purpose(snow: World) -> None:
    await snow.records.perform(snow.as_("bob"), deed("order", SCREEN, "k1"))
    second = await snow.records.perform(snow.as_("bob"), deed("order", SCREEN, "k2"))

    assert not second.again
    assert len(requests(snow)) == 2


@pytest.mark.parametrize("many", ["0", "-1", "x", "1.5", "²", ""])
async def test_a_quantity_is_a_number(snow: World, many: str) -> None:
    with pytest.raises(Rejected) as rejected:
        await snow.records.perform(
            snow.as_("bob"), deed("order", SCREEN, quantity=many)
        )

    assert list(rejected.value.fields) == ["quantity"]


async def test_too_many_are_refused_in_servicenows_words(snow: World) -> None:
    with pytest.raises(Rejected, match="Invalid Quantity"):
        await snow.records.perform(
            snow.as_("bob"), deed("order", SCREEN, quantity="999")
        )


async def test_what_is_needed_is_asked_for_before_anything_is_sent(
    snow: World,
) -> None:
    with pytest.raises(Rejected) as rejected:
        await snow.records.perform(snow.as_("bob"), deed("order", LAPTOP))

    assert set(rejected.value.fields) == {"var-memory", "var-reason"}
    assert snow.writes() == []


async def test_only_what_is_offered_can_be_chosen(snow: World) -> None:
    wanted = WANTED | {"var-memory": "128"}

    with pytest.raises(Rejected) as rejected:
        await snow.records.perform(snow.as_("bob"), deed("order", LAPTOP, **wanted))

    assert list(rejected.value.fields) == ["var-memory"]


async def test_a_secret_is_not_asked_for_in_a_chat(snow: World) -> None:
    with pytest.raises(BadInput, match="Pass phrase"):
        await snow.records.form(snow.as_("bob"), "order", MAILBOX)


async def test_a_record_producer_makes_its_record_once(snow: World) -> None:
    form = await snow.records.form(snow.as_("bob"), "order", OUTAGE)
    assert [each.id for each in form.inputs] == [
        "var-short_description",
        "var-description",
    ]
    before = len(snow.stand_in.instance.rows["incident"])
    asked = deed("order", OUTAGE, **{"var-short_description": "No heating"})

    done = await snow.records.perform(snow.as_("bob"), asked)
    again = await snow.records.perform(snow.as_("bob"), asked)

    assert done.record.title == "No heating"
    assert done.record.ref.kind == "incident"
    assert again.again
    assert len(snow.stand_in.instance.rows["incident"]) == before + 1


async def test_what_is_no_longer_offered_is_gone(snow: World) -> None:
    snow.row("sc_cat_item", SCREEN.id)["active"] = "false"

    with pytest.raises(Gone):
        await snow.records.form(snow.as_("bob"), "order", SCREEN)


async def test_a_form_of_an_item_that_changed_is_opened_again(snow: World) -> None:
    with pytest.raises(BadInput, match="open its form again"):
        await snow.records.perform(
            snow.as_("bob"), deed("order", SCREEN, **{"var-colour": "red"})
        )


def item(*variables: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"variables": list(variables), **more}


def test_labels_and_containers_are_left_out() -> None:
    shown = [seed.variable(f"v{n}", "x", n, "x") for n in (11, 12, 17, 19, 20, 24)]

    assert inputs_of(item(*shown)) == ()


def test_yes_and_no_can_be_chosen() -> None:
    (input_,) = inputs_of(item(seed.variable("v", "Sure?", 1, "yes_no")))

    assert [each.value for each in input_.choices] == ["Yes", "No"]


@pytest.mark.parametrize("type_", [0, 8, 21, 23, 25, 33, 99])
def test_what_cannot_be_entered_is_left_out_unless_it_is_needed(type_: int) -> None:
    spec = seed.variable("v", "Odd", type_, "x", reference="sys_security_acl")
    assert inputs_of(item(spec)) == ()

    with pytest.raises(BadInput, match="Odd"):
        inputs_of(item({**spec, "mandatory": True}))


def test_a_needed_file_is_not_asked_for_in_a_chat() -> None:
    with pytest.raises(BadInput, match="file"):
        inputs_of(item(mandatory_attachment=True))


def test_a_form_of_endless_length_is_not_shown() -> None:
    many = [seed.variable(f"v{n}", "x", 6, "x") for n in range(41)]

    with pytest.raises(BadInput, match="too long"):
        inputs_of(item(*many))
