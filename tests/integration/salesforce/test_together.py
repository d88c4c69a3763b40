"""Several deeds in one call: all of them or none, counted once, and done once."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.records.forms import Deed
from bridge.records.model import RecordRef, System
from bridge.records.ports import EditConflict, NotYours, PartFailed, Rejected, Unsure
from connectors.salesforce import Salesforce, Setup
from connectors.salesforce.together import MOST
from connectors.sandbox.salesforce import refusals
from tests.integration.salesforce.conftest import Acme
from tests.stand_ins import CountingBudget

WRITES = '"allOrNone": true'
SAID, NOTED = "It is the fan", {"Subject": "Call them", "Description": "At noon"}


async def three(acme: Acme, **values: str) -> list[Deed]:
    """A change, a comment, and a note: of three records, as Bob."""
    renewal, crash = acme.ref("opportunity", "renewal"), acme.ref("case", "crash")
    form = await acme.records.form(acme.account("bob"), "edit", renewal)
    wanted = {"NextStep": "Send it", **values}
    seen = {one.id: one.value for one in form.inputs if one.id in wanted}
    return [
        Deed("edit", "k1", renewal, "opportunity", wanted, seen, form.rev),
        Deed("comment", "k2", crash, "case", {"CommentBody": SAID}),
        Deed("note", "k3", acme.ref("contact", "hank"), "contact", NOTED),
    ]


def there(acme: Acme) -> tuple[bool, int, int]:
    """Whether the change stands, and how many comments and notes there are."""
    rows = acme.org.rows.rows
    comments = [r for r in rows["CaseComment"].values() if r["CommentBody"] == SAID]
    changed = acme.row("Opportunity", "renewal")["NextStep"] == "Send it"
    return changed, len(comments), len(rows["Task"])


def writing(acme: Acme) -> list[Mapping[str, Any]]:
    """Return the bodies of all calls that wrote."""
    calls = [one for one in acme.org.journal.all() if one.method != "GET"]
    told = [json.loads(one.body) for one in calls if one.body.startswith("{")]
    return [
        one for one in told if one.get("allOrNone") or "compositeRequest" not in one
    ]


@pytest.mark.parametrize("key_field", ["ATOM_Key__c", "Not_There__c"])
async def test_three_deeds_are_one_call_that_counts_once(
    acme: Acme, key_field: str
) -> None:
    records = Salesforce(Setup("acme", acme.told.url, key_field=key_field), acme.budget)
    bob, deeds = acme.account("bob"), await three(acme)
    assert records.at_once(deeds) == 3

    done = await records.perform_all(bob, deeds)

    await records.aclose()
    assert there(acme) == (True, 1, 1)
    [call] = writing(acme)
    assert call["allOrNone"] is True
    change, *_ = call["compositeRequest"]
    assert "If-Unmodified-Since" in change["httpHeaders"]
    assert [one.record.ref for one in done] == [deed.ref for deed in deeds]
    assert not any(one.again for one in done)
    assert len({one.request for one in done}) == 1
    assert [bool(one.made) for one in done] == [False, True, True]
    assert done[0].before == {"NextStep": "Legal redlines back to Globex"}


@pytest.mark.parametrize(
    ("place", "values"),
    [(0, {"NextStep": "x" * 300}), (1, {"CommentBody": "x" * 5000})],
    ids=["the first", "the second"],
)
async def test_one_that_is_refused_inside_undoes_the_others(
    acme: Acme, place: int, values: Mapping[str, str]
) -> None:
    """The call itself succeeds, with status 200."""
    deeds = await three(acme)
    deeds[place] = replace(deeds[place], values=values)
    before = there(acme)

    with pytest.raises(PartFailed) as told:
        await acme.records.perform_all(acme.account("bob"), deeds)

    assert told.value.place == place
    assert isinstance(told.value.error, Rejected)
    assert told.value.error.fields.keys() == values.keys()
    assert there(acme) == before == (False, 0, 0)
    [outer] = [one for one in acme.org.journal.all() if WRITES in one.body]
    assert outer.status == 200


async def test_a_condition_that_fails_inside_is_a_conflict(acme: Acme) -> None:
    """Somebody changes it between the last look and the call."""
    deeds = await three(acme)

    def changed() -> None:
        acme.org.clock.move(2)
        user, id_ = acme.org.users["alice"], acme.org.ids["renewal"]
        acme.org.rows.update(user, "Opportunity", id_, {"CloseDate": "2031-01-01"})

    before_writing(acme, changed)
    with pytest.raises(PartFailed) as told:
        await acme.records.perform_all(acme.account("bob"), deeds)

    assert told.value.place == 0
    assert isinstance(told.value.error, EditConflict)
    assert there(acme) == (False, 0, 0)


async def test_who_may_not_write_one_of_them_writes_none(acme: Acme) -> None:
    bob = acme.org.users["bob"]
    rights = replace(bob.profile, objects={"*": "crud", "Task": "r"})
    acme.org.users["bob"] = replace(bob, profile=rights)

    with pytest.raises(PartFailed) as told:
        await acme.records.perform_all(acme.account("bob"), await three(acme))

    assert told.value.place == 2
    assert isinstance(told.value.error, NotYours)
    assert there(acme) == (False, 0, 0)


@pytest.mark.parametrize("kind", ["drop_after_effect", "drop", "truncate"])
async def test_a_lost_answer_is_looked_up_before_anything_is_repeated(
    acme: Acme, kind: str
) -> None:
    bob, deeds = acme.account("bob"), await three(acme)
    acme.told.fault(kind, "POST */composite", says=WRITES)

    try:
        await acme.records.perform_all(bob, deeds)
    except Unsure:
        assert kind == "drop"
        tried = [replace(deed, tried_us=1) for deed in deeds]
        await acme.records.perform_all(bob, tried)
    again = await acme.records.perform_all(
        bob, [replace(deed, tried_us=1) for deed in deeds]
    )

    assert all(one.again for one in again)
    assert there(acme) == (True, 1, 1)
    assert len(writing(acme)) == (2 if kind == "drop" else 1)


@pytest.mark.parametrize("inside", [True, False], ids=["of a part", "of the call"])
async def test_somebody_elses_lock_is_waited_for(acme: Acme, *, inside: bool) -> None:
    deeds = await three(acme)
    if inside:
        before_writing(acme, locked)
    else:
        lock = {"says": WRITES, "arg": "UNABLE_TO_LOCK_ROW"}
        acme.told.fault("error", "POST */composite", **lock)

    await acme.records.perform_all(acme.account("bob"), deeds)

    assert there(acme) == (True, 1, 1)
    assert len(writing(acme)) == 2


def locked() -> None:
    """Refuse as the org does while somebody else writes to a record."""
    raise refusals.told("UNABLE_TO_LOCK_ROW")


def before_writing(acme: Acme, do: Callable[[], None]) -> None:
    """Let something happen once, just before the first row is written."""
    update = acme.org.rest._condition

    def first(*given: Any) -> None:
        acme.org.rest._condition = update  # type: ignore[method-assign]
        do()
        update(*given)

    acme.org.rest._condition = first  # type: ignore[method-assign, assignment]


_ACTS = st.sampled_from(["edit", "comment", "take", "escalate", "note", "approve"])
_DEEDS = st.lists(st.tuples(_ACTS, st.integers(0, 3)), min_size=1, max_size=40)


def test_what_fits_into_a_call_is_changed_once_and_is_not_too_much() -> None:
    records = Salesforce(Setup("acme", "https://acme.example"), CountingBudget())
    refs = [RecordRef(System.SALESFORCE, "acme", "case", f"500{n}") for n in range(4)]

    @given(_DEEDS)
    def holds(wanted: Sequence[tuple[str, int]]) -> None:
        deeds = [Deed(act, "", refs[n], "case") for act, n in wanted]
        many = records.at_once(deeds)
        assert 1 <= many <= len(deeds)
        first = wanted[:many]
        if many > 1:
            assert all(act != "approve" for act, _ in first)
            assert sum(2 if act == "escalate" else 1 for act, _ in first) <= MOST
        for n, (act, of) in enumerate(first):
            if act not in {"comment", "note"}:
                assert of not in {other for _, other in first[:n]}

    holds()
