"""What is read of an instance, in how many calls, and what its silences mean."""

import pytest

from bridge.cards import Tone
from bridge.errors import BadInput
from bridge.records.model import Absence, Needs, Record, RecordRef, System
from connectors.sandbox.servicenow import seed
from connectors.sandbox.servicenow.rights import hiding
from tests.unit.connectors.servicenow.world import (
    ANY_OF,
    INC1,
    INC2,
    LAPTOP,
    WAITING,
    World,
    ref,
)

NOWHERE = ref("incident", "f" * 32)


async def test_an_incident_is_read_with_what_a_card_shows(snow: World) -> None:
    record = await snow.one(INC2)

    assert (record.key, record.title) == ("INC0010002", "VPN drops every few minutes")
    assert record.status.text == "In Progress · P3"
    facts = {fact.id: fact for fact in record.facts}
    assert facts["assigned_to"].text == "Erin Park"
    assert (facts["caller_id"].text, facts["caller_id"].cls) == ("Dana Fox", "personal")
    assert facts["comments"].text == "We are looking at the gateway."
    assert facts["comments"].cls == "public"
    assert facts["work_notes"].text == "Node 2 leaks."
    assert facts["work_notes"].cls == "it-internal"
    assert record.body is not None
    assert record.body.text.startswith("The VPN client")
    acts = [offer.act for offer in record.offers]
    assert acts == ["take", "comment", "resolve", "reassign", "hold", "edit", "note"]
    assert record.rev.order == 1
    assert record.url.endswith(f"/nav_to.do?uri=incident.do?sys_id={INC2.id}")


async def test_a_change_says_who_is_waited_for_and_keeps_its_plans(snow: World) -> None:
    record = await snow.one(WAITING)

    assert record.what == "Normal change"
    assert record.status.text == "Authorize – approval requested"
    assert record.status.tone is Tone.WARNING
    facts = {fact.id: fact for fact in record.facts}
    assert facts["approvals"].text == (
        "0 of 3 · waiting on Alice Wong, Erin Park, Dave O'Neil (CAB)"
    )
    assert facts["window"].text == "5 Dec 2026 22:00 – 23:30 UTC"
    assert facts["conflict_status"].text == "No Conflict"
    assert facts["backout_plan"].cls == facts["test_plan"].cls == "it-internal"
    assert [offer.act for offer in record.offers] == [
        "approve",
        "reject",
        "comment",
        "note",
        "move-4",
    ]
    assert record.offers[1].needs is Needs.FORM


async def test_moves_are_those_of_nextstates_alone(snow: World) -> None:
    record = await snow.one(ref("change", seed.sys_id("CHG0030353")))

    moves = {offer.act: offer.label for offer in record.offers}
    assert moves["move--1"] == "Move to Implement"
    assert "move-0" not in moves
    assert "approve" not in moves


async def test_many_records_of_all_kinds_are_one_call(snow: World) -> None:
    article = ref("article", seed.sys_id("KB0000020"))
    refs = [INC1, INC2, WAITING, ANY_OF, LAPTOP, article, NOWHERE]

    found = await snow.records.read(snow.as_("erin"), refs)

    assert [each for each in refs if isinstance(found[each], Record)] == refs[:-1]
    assert found[NOWHERE] is Absence.GONE
    assert snow.told.calls() == ["POST /api/now/v1/batch"]
    assert snow.budget.spent == {"erin": 1}


async def test_an_article_is_plain_text(snow: World) -> None:
    record = await snow.one(ref("article", seed.sys_id("KB0000020")))

    assert record.body is not None
    assert record.body.text == "VPN\nInstall the client, then sign in."


async def test_an_item_shows_its_price_and_no_script(snow: World) -> None:
    record = await snow.one(LAPTOP)

    assert record.status.text == "$1,800.00"
    assert record.body is not None
    assert record.body.text == "14 inch, 32 GB & 1 TB."
    assert [offer.act for offer in record.offers] == ["order", "order-for"]


async def test_each_account_sees_what_is_its(snow: World) -> None:
    found = await snow.records.read(snow.as_("dana"), [INC1, INC2, WAITING])

    assert found[INC1] is Absence.GONE
    assert found[WAITING] is Absence.GONE
    own = found[INC2]
    assert isinstance(own, Record)
    assert own.fact("comments") is not None
    assert own.fact("work_notes") is None


async def test_a_hidden_field_is_no_fact(snow: World) -> None:
    erin = snow.stand_in.users["erin"]
    less = hiding(erin.profile, "incident.caller_id")
    snow.stand_in.users["erin"] = type(erin)(erin.id, "erin", erin.shown, less)

    record = await snow.one(INC1)

    assert record.fact("caller_id") is None


async def test_what_is_no_id_of_servicenows_is_gone_without_a_call(snow: World) -> None:
    other = RecordRef(System.SERVICENOW, "other", "incident", "a" * 32)
    odd = [ref("incident", "x"), ref("user", "a" * 32), other]

    found = await snow.records.read(snow.as_("erin"), odd)

    assert set(found.values()) == {Absence.GONE}
    assert snow.told.calls() == []


async def test_a_deleted_record_is_gone(snow: World) -> None:
    snow.stand_in.instance.delete("incident", INC1.id)

    found = await snow.records.read(snow.as_("erin"), [INC1])

    assert found[INC1] is Absence.GONE


@pytest.mark.parametrize("kind", ["status", "html", "truncate", "drop"])
async def test_an_answer_that_is_none_is_never_taken_for_gone(
    snow: World, kind: str
) -> None:
    snow.told.fault(kind, times=5, arg=503)

    found = await snow.records.read(snow.as_("erin"), [INC1])

    assert found[INC1] is Absence.UNREACHABLE


async def test_a_refused_token_is_renewed_once(snow: World) -> None:
    erin = snow.as_("erin")
    await erin.token()
    erin.run_out()

    found = await snow.records.read(erin, [INC1])

    assert isinstance(found[INC1], Record)
    assert erin.renewals == 1


async def test_without_a_right_somebody_has_to_connect(snow: World) -> None:
    erin = snow.as_("erin")
    erin.renewable = False
    await erin.token()
    erin.run_out()

    found = await snow.records.read(erin, [INC1])

    assert found[INC1] is Absence.UNCONNECTED


async def test_a_rate_limit_inside_a_batch_stops_the_account(snow: World) -> None:
    snow.stand_in.instance.properties.hourly = 1

    found = await snow.records.read(snow.as_("erin"), [INC1])
    calls = len(snow.told.calls())
    again = await snow.records.read(snow.as_("erin"), [INC1])

    assert found[INC1] is again[INC1] is Absence.SPENT
    assert len(snow.told.calls()) == calls
    assert 0 < snow.budget.paused["servicenow:acme", "erin"] <= 3600


async def test_numbers_are_resolved_and_an_item_of_a_request_names_it(
    snow: World,
) -> None:
    request = snow.stand_in.instance.insert("sc_request", {}, "erin")
    item = snow.stand_in.instance.insert(
        "sc_req_item", {"request": request["sys_id"]}, "erin"
    )
    text = f"INC0010001, CHG0030351, {item['number']}, INC9999999"

    refs = await snow.records.resolve(snow.as_("erin"), snow.records.recognise(text))

    assert refs == {
        "INC0010001": INC1,
        "CHG0030351": WAITING,
        item["number"]: ref("request", request["sys_id"]),
    }


async def test_words_are_found_everywhere_at_once_best_first(snow: World) -> None:
    found = await snow.records.find(snow.as_("erin"), "vpn", 10)

    assert {record.ref.kind for record in found} == {"incident", "change", "article"}
    assert snow.told.calls() == ["POST /api/now/v1/batch"]
    assert all("Draft" not in record.title for record in found)
    assert not snow.alerts


async def test_titles_with_the_words_come_before_texts_with_them(snow: World) -> None:
    found = await snow.records.find(snow.as_("erin"), "gateway", 10)
    mail = await snow.records.find(snow.as_("erin"), "outside", 10)

    assert found[0].title == "Renew the certificate of the VPN gateway"
    assert {record.title for record in mail} == {
        "Email does not arrive",
        "Why email can be late",
    }


async def test_a_number_is_looked_up(snow: World) -> None:
    (found,) = await snow.records.find(snow.as_("erin"), "inc0010001", 10)

    assert found.ref == INC1


async def test_searching_as_somebody_finds_what_is_theirs(snow: World) -> None:
    found = await snow.records.find(snow.as_("dana"), "vpn", 10)

    assert {record.ref.kind for record in found} == {"incident", "article"}


async def test_the_catalogue_can_be_browsed(snow: World) -> None:
    found = await snow.records.browse(snow.as_("bob"), 20)

    assert [record.title for record in found] == [
        "Developer laptop",
        "Second screen",
        "Shared mailbox",
        "Report an outage",
    ]


@pytest.mark.parametrize(
    "hostile",
    ["x^ORactive=true", "^NQ", "javascript:gs.getUser()", "a\x00b", "x" * 10_000],
)
async def test_hostile_words_never_leave(snow: World, hostile: str) -> None:
    with pytest.raises(BadInput):
        await snow.records.find(snow.as_("erin"), hostile, 10)

    assert snow.told.calls() == []


async def test_an_instance_that_ignores_the_question_gives_nothing(snow: World) -> None:
    # As if the dictionary did not know the field: that part is left out there.
    snow.stand_in.instance.blind.add("number")

    refs = await snow.records.resolve(
        snow.as_("erin"), snow.records.recognise("INC0010002")
    )

    assert refs == {}
    assert snow.alerts == [("query_ignored", "incident")]


async def test_an_instance_that_ignores_ids_shows_no_other_record(snow: World) -> None:
    snow.stand_in.instance.blind.add("sys_id")

    found = await snow.records.read(snow.as_("erin"), [INC2])

    assert found[INC2] is Absence.UNREACHABLE
    assert ("query_ignored", "incident") in snow.alerts


async def test_an_instance_that_ignores_words_finds_nothing(snow: World) -> None:
    snow.stand_in.instance.blind.add("123TEXTQUERY321")

    found = await snow.records.find(snow.as_("erin"), "nosuchthing", 10)

    assert found == []
    assert ("query_ignored", "incident") in snow.alerts
