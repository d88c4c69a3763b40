"""What each kind of record shows, and to whom."""

from bridge.cards import Tone
from bridge.records.model import Absence, Record
from tests.integration.salesforce.conftest import Acme


def _facts(record: Record) -> dict[str, str]:
    return {one.label: one.text for one in record.facts}


async def test_an_opportunity_for_finance(acme: Acme) -> None:
    record = await acme.record("dana", "opportunity", "renewal")

    facts = _facts(record)
    assert record.title == "Globex – platform renewal FY27"
    assert record.status.text == "Negotiation/Review · 80%"
    assert list(facts)[:4] == ["Account", "Owner", "Close date", "Next step"]
    assert facts["Account"] == "Globex & Sons"
    assert facts["Owner"] == "Bob Stone"
    assert facts["Amount"] == "USD 1,284,500"
    assert facts["Forecast"] == "Commit"
    assert facts["Last stage change"].startswith(
        "Proposal/Price Quote → Negotiation/Review, "
    )
    assert {one.label: one.cls for one in record.facts if one.cls != "public"} == {
        "Amount": "finance",
        "Forecast": "finance",
        "Competitor": "confidential",
    }
    assert [one.act for one in record.offers] == ["stage", "edit", "note"]


async def test_an_opportunity_without_a_right_to_its_amount(acme: Acme) -> None:
    facts = _facts(await acme.record("bob", "opportunity", "renewal"))

    assert facts.keys() & {"Amount", "Forecast"} == set()
    assert facts["Owner"] == "Bob Stone"
    assert "1284500" not in acme.told.wire()


async def test_hidden_fields_are_asked_for_once(acme: Acme) -> None:
    bob, ref = acme.account("bob"), acme.ref("opportunity", "renewal")
    await acme.records.read(bob, [ref])
    asked = len(acme.told.calls())

    await acme.records.read(bob, [ref])

    assert len(acme.told.calls()) == asked + 1
    dana = await acme.record("dana", "opportunity", "renewal")
    assert dana.fact("amount") is not None


async def test_an_account_counts_what_is_open(acme: Acme) -> None:
    facts = _facts(await acme.record("dana", "account", "globex"))

    assert facts["Open opportunities"] == "1"
    assert facts["Open cases"] == "2"
    assert facts["Annual revenue"] == "USD 84,000,000"
    assert facts["Credit limit"] == "USD 500,000"


async def test_what_one_may_not_count_is_not_nothing(acme: Acme) -> None:
    facts = _facts(await acme.record("carol", "account", "globex"))

    assert "Open opportunities" not in facts
    assert facts["Open cases"] == "2"


async def test_a_case_shows_its_number_and_the_last_public_comment(acme: Acme) -> None:
    record = await acme.record("carol", "case", "crash")

    facts = _facts(record)
    assert record.key == "CS-00001026"
    assert record.status.text == "Working · High"
    assert record.status.tone is Tone.WARNING
    assert facts["Last public comment"] == "We see it too and are working on it."
    assert "Root cause" not in str(record)
    contact = record.fact("contact")
    assert contact is not None
    assert contact.cls == "personal"


async def test_a_queue_owns_cases_too(acme: Acme) -> None:
    facts = _facts(await acme.record("bob", "case", "waiting"))

    assert facts["Owner"] == "Tier 2 support"


async def test_a_contact_keeps_what_is_personal_apart(acme: Acme) -> None:
    record = await acme.record("bob", "contact", "hank")

    classes = {one.label: one.cls for one in record.facts}
    assert {classes[name] for name in ("Email", "Mobile", "Phone")} == {"personal"}
    assert classes["Title"] == "public"


async def test_a_kind_that_is_not_for_an_account_is_gone(acme: Acme) -> None:
    carol = acme.account("carol")
    refs = [acme.ref("opportunity", "renewal"), acme.ref("case", "crash")]

    found = await acme.records.read(carol, refs)

    assert found[refs[0]] is Absence.GONE
    assert isinstance(found[refs[1]], Record)


async def test_hundreds_are_read_in_chunks(acme: Acme) -> None:
    made = [
        acme.org.rows.create(None, "Case", {"Subject": f"Case {n}"})["Id"]
        for n in range(450)
    ]
    acme.org.ids |= {id_: id_ for id_ in made}
    refs = [acme.ref("case", id_) for id_ in made]

    found = await acme.records.read(acme.account("bob"), refs)

    assert all(isinstance(one, Record) for one in found.values())
    assert len(found) == 450
    assert len(acme.told.calls()) == 1


async def test_a_short_id_is_the_same_record(acme: Acme) -> None:
    acme.org.ids["short"] = acme.org.ids["crash"][:15]

    assert (await acme.record("bob", "case", "short")).key == "CS-00001026"


async def test_a_deleted_record_is_gone_and_comes_back(acme: Acme) -> None:
    bob, ref = acme.account("bob"), acme.ref("case", "crash")
    acme.org.rows.delete(acme.org.users["atom"], "Case", ref.id)
    assert await acme.records.read(bob, [ref]) == {ref: Absence.GONE}

    acme.org.rows.undelete("Case", ref.id)

    assert isinstance((await acme.records.read(bob, [ref]))[ref], Record)


async def test_quotas_are_told_and_spent_quotas_stop_everything(acme: Acme) -> None:
    bob, ref = acme.account("bob"), acme.ref("case", "crash")
    await acme.records.read(bob, [ref])
    assert acme.budget.quota == {"salesforce:acme": (1, 15_000)}
    acme.org.most = acme.org.used

    assert await acme.records.read(bob, [ref]) == {ref: Absence.SPENT}
    asked = len(acme.told.calls())
    dana = acme.account("dana")
    assert await acme.records.read(dana, [ref]) == {ref: Absence.SPENT}

    assert len(acme.told.calls()) == asked
    assert acme.budget.paused == {("salesforce:acme", "*"): 900.0}


async def test_who_sees_a_case_alone_sees_no_more_and_no_less(acme: Acme) -> None:
    record = await acme.record("frank", "case", "crash")

    facts = _facts(record)
    assert record.title.startswith("Login page")
    assert facts["Origin"] == "Web"
    # Not for them, which is something else than empty.
    assert facts.keys() & {"Contact", "Last public comment"} == set()
    asked = len(acme.told.calls())
    await acme.record("frank", "case", "crash")
    assert len(acme.told.calls()) == asked + 1


async def test_a_search_leaves_out_what_is_not_for_an_account(acme: Acme) -> None:
    carol = acme.account("carol")

    found = await acme.records.find(carol, "globex", 10)
    searches = len([one for one in acme.told.calls() if "earch" in one])
    await acme.records.find(carol, "globex", 10)

    assert {one.ref.kind for one in found} == {"account", "contact"}
    assert searches == 2
    assert len([one for one in acme.told.calls() if "earch" in one]) == 3
