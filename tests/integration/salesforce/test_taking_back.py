"""What somebody added by ATOM is deleted as they, if it still is what they added."""

import pytest

from bridge.errors import NotAllowed
from bridge.records.forms import DEED, MADE, TAKE_BACK, Deed
from bridge.records.model import RecordRef
from bridge.records.ports import Done
from connectors.salesforce import Salesforce, Setup
from tests.integration.salesforce.conftest import Acme

_NOTE = {"Subject": "Call them", "Description": "At noon"}


def back(said: Deed, done: Done) -> Deed:
    return Deed(
        TAKE_BACK, "back", said.ref, said.kind, {DEED: said.key, MADE: done.made}
    )


def deletes(acme: Acme) -> list[str]:
    return acme.told.calls("DELETE ")


@pytest.mark.parametrize("keyed", [True, False], ids=["with a key", "without"])
async def test_a_note_is_taken_back_and_another_like_it_stays(
    acme: Acme, *, keyed: bool
) -> None:
    """Also in orgs without a field for ATOM's key."""
    field = "ATOM_Key__c" if keyed else "Nothing__c"
    setup = Setup("acme", acme.told.url, key_field=field)
    records = Salesforce(setup, acme.budget)
    bob, renewal = acme.account("bob"), acme.ref("opportunity", "renewal")
    said = Deed("note", "n1", renewal, values=_NOTE)
    done = await records.perform(bob, said)
    other = Deed("note", "n2", renewal, values=_NOTE)
    await records.perform(bob, other)

    gone = await records.perform(bob, back(said, done))

    await records.aclose()
    assert gone.record.ref == renewal
    tasks = acme.org.rows.rows["Task"].values()
    assert [row["IsDeleted"] for row in tasks] == [True, False]


@pytest.mark.parametrize("by", ["carol", "bob"], ids=["by another", "by oneself"])
async def test_a_comment_that_was_edited_since_stays(acme: Acme, by: str) -> None:
    bob, crash = acme.account("bob"), acme.ref("case", "crash")
    said = Deed("comment", "c1", crash, values={"CommentBody": "It is the fan"})
    done = await acme.records.perform(bob, said)
    id_ = done.made.split("/")[1]
    acme.org.clock.move(2)
    acme.org.rows.update(
        acme.org.users[by], "CaseComment", id_, {"CommentBody": "It is not"}
    )

    with pytest.raises(NotAllowed, match="changed since"):
        await acme.records.perform(bob, back(said, done))
    assert deletes(acme) == []


async def test_a_case_to_which_something_was_added_since_stays(acme: Acme) -> None:
    """Deleting it would delete what somebody else said on it."""
    bob = acme.account("bob")
    new = Deed("new-case", "k1", acme.ref("account", "globex"), values=_CASE)
    done = await acme.records.perform(bob, new)
    values = {"ParentId": done.record.ref.id, "CommentBody": "I am on it"}
    acme.org.rows.create(acme.org.users["carol"], "CaseComment", values)

    with pytest.raises(NotAllowed, match="added to it since"):
        await acme.records.perform(bob, back(new, done))
    assert deletes(acme) == []


_CASE = {"Subject": "Printer on fire", "Priority": "High"}


async def test_a_case_that_was_made_for_an_account_is_taken_back(acme: Acme) -> None:
    bob, globex = acme.account("bob"), acme.ref("account", "globex")
    new = Deed("new-case", "k1", globex, values=_CASE)
    done = await acme.records.perform(bob, new)
    made: RecordRef = done.record.ref

    gone = await acme.records.perform(bob, back(new, done))

    assert gone.record.ref == made
    assert acme.org.rows.rows["Case"][made.id]["IsDeleted"]
    assert not acme.org.rows.rows["Account"][globex.id]["IsDeleted"]


async def test_what_is_deleted_already_is_said_to_be(acme: Acme) -> None:
    bob = acme.account("bob")
    new = Deed("new-case", "k1", acme.ref("account", "globex"), values=_CASE)
    done = await acme.records.perform(bob, new)
    acme.org.rows.delete(acme.org.users["bob"], "Case", done.record.ref.id)

    with pytest.raises(NotAllowed, match="not there any more"):
        await acme.records.perform(bob, back(new, done))
