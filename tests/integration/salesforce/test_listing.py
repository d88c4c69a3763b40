"""All accounts and contacts of an org, page by page, as the integration sees them."""

from dataclasses import replace

import pytest

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.knowing import Clue, ClueKind, Page, asked, is_shown_by
from bridge.records.model import Record
from bridge.records.ports import Lists, Spent
from connectors.salesforce import Salesforce, Setup
from connectors.salesforce.syncing import KnownBy
from connectors.sandbox.salesforce.store import ONLY_FOR
from tests.integration.salesforce.conftest import Acme

MAIL, SITE, WORD = ClueKind.MAIL, ClueKind.SITE, ClueKind.WORD


async def page(acme: Acme, kind: str, position: str = "", who: str = "atom") -> Page:
    [only] = await acme.records.listed(acme.account(who), kind, position)
    return only


def test_the_connector_lists(acme: Acme) -> None:
    assert isinstance(acme.records, Lists)
    assert acme.records.lists == ("account", "contact")


async def test_a_contact_is_known_by_its_address_and_name(acme: Acme) -> None:
    told = await page(acme, "contact")

    known = {one.ref: one for one in told.listed}
    hank = known[acme.ref("contact", "hank")]
    assert hank.clues == {
        Clue(MAIL, "hank@globex.example"),
        Clue(WORD, "hank"),
        Clue(WORD, "scorpio"),
    }
    assert hank.account == acme.ref("account", "globex")
    assert told.complete


async def test_an_account_is_known_by_its_site_and_name(acme: Acme) -> None:
    told = await page(acme, "account")

    known = {one.ref: one for one in told.listed}
    globex = known[acme.ref("account", "globex")]
    assert globex.clues == {
        Clue(SITE, "globex.example"),
        Clue(WORD, "globex"),
        Clue(WORD, "sons"),
    }
    assert globex.account is None


async def test_fields_of_the_orgs_own_are_clues_too(acme: Acme) -> None:
    known_by = KnownBy.told("Work_Email__c, Other_Email__c", "Domain__c")
    setup = Setup("acme", acme.told.url, known_by=known_by)
    records = Salesforce(setup, acme.budget)
    acme.row("Contact", "hank")["Work_Email__c"] = "h.scorpio@works.example"
    acme.row("Account", "globex")["Domain__c"] = "https://globex.works.example/"
    atom, bob = acme.account("atom"), acme.account("bob")

    # A field that the org has not got is left out, and hides nothing else.
    [contacts] = await records.listed(atom, "contact", "")
    [accounts] = await records.listed(atom, "account", "")

    hank, globex = acme.ref("contact", "hank"), acme.ref("account", "globex")
    [of_hank] = [one.clues for one in contacts.listed if one.ref == hank]
    assert {clue.text for clue in of_hank if clue.kind is MAIL} == {
        "hank@globex.example",
        "h.scorpio@works.example",
    }
    [of_globex] = [one.clues for one in accounts.listed if one.ref == globex]
    assert Clue(SITE, "globex.works.example") in of_globex

    # Nobody is found by what they do not see, so it stands on the card, as personal.
    read = await records.read(bob, [hank, globex])
    person, company = read[hank], read[globex]
    assert isinstance(person, Record)
    assert isinstance(company, Record)
    wanted = asked("H.Scorpio@works.example")
    assert is_shown_by(person, wanted, frozenset({"public", "personal"}))
    assert not is_shown_by(person, wanted, frozenset({"public"}))
    assert is_shown_by(company, asked("globex.works.example"), frozenset({"public"}))
    await records.aclose()


@pytest.mark.parametrize(
    "names",
    ["Email", "Work_Email__c; DROP", "x'__c", "__c", "a.b__c", "Id FROM Contact __c"],
)
def test_only_names_of_fields_can_be_chosen(names: str) -> None:
    with pytest.raises(BadInput, match="no field of an org"):
        KnownBy.told(names, "")
    with pytest.raises(BadInput, match="no field of an org"):
        KnownBy.told("", names)


async def test_nothing_else_is_asked_for(acme: Acme) -> None:
    await page(acme, "contact")

    (call,) = acme.told.calls("GET /services/data/v62.0/queryAll")
    assert call
    assert "Phone" not in acme.told.wire()


async def test_a_list_of_all_contacts_goes_on_where_it_was(acme: Acme) -> None:
    for number in range(7):
        acme.org.rows.create(None, "Contact", {"LastName": f"Person {number}"})
    small = Salesforce(Setup("acme", acme.told.url, page=5), acme.budget)
    atom = acme.account("atom")

    [first] = await small.listed(atom, "contact", "")
    [second] = await small.listed(atom, "contact", first.position)

    assert (first.complete, second.complete) == (False, True)
    assert len(first.listed) == 5
    both = [one.ref for one in (*first.listed, *second.listed)]
    assert len(both) == len(set(both)) == 9

    acme.org.clock.move(5)
    hank = acme.ref("contact", "hank")
    acme.org.rows.delete(acme.org.users["atom"], "Contact", hank.id)
    [third] = await small.listed(atom, "contact", second.position)
    assert (third.listed, third.gone) == ((), (hank,))
    assert third.complete
    [fourth] = await small.listed(atom, "contact", third.position)
    assert fourth.gone == ()
    await small.aclose()


async def test_one_call_gives_pages_that_are_soon_taken_in(acme: Acme) -> None:
    for number in range(448):
        acme.org.rows.create(None, "Contact", {"LastName": f"Person {number}"})
    atom = acme.account("atom")

    pages = await acme.records.listed(atom, "contact", "")

    assert [len(each.listed) for each in pages] == [200, 200, 50]
    assert [each.complete for each in pages] == [False, False, True]
    [*_, again] = await acme.records.listed(atom, "contact", pages[0].position)
    assert again == pages[-1]
    assert len(acme.told.calls("GET /services/data/v62.0/queryAll")) == 2


async def test_an_answer_of_the_org_that_is_not_all_is_a_page(acme: Acme) -> None:
    acme.org.rest.page = 1

    told = await page(acme, "contact")
    rest = await page(acme, "contact", told.position)

    assert len(told.listed) == len(rest.listed) == 1
    assert not told.complete
    assert told.listed[0].ref != rest.listed[0].ref


async def test_a_page_is_one_call_that_nobody_waits_for(acme: Acme) -> None:
    await page(acme, "account")

    assert acme.budget.spent == {"atom": 1}
    acme.budget.left = 0
    with pytest.raises(Spent):
        await page(acme, "account")


async def test_what_the_account_does_not_see_is_not_listed(acme: Acme) -> None:
    acme.row("Contact", "hank")[ONLY_FOR] = {"bob"}

    told = await page(acme, "contact", who="alice")

    assert acme.ref("contact", "hank") not in {one.ref for one in told.listed}
    assert told.gone == ()


async def test_a_hidden_address_is_no_clue(acme: Acme) -> None:
    alice = acme.org.users["alice"]
    hidden = alice.profile.hidden | {"Contact.Email"}
    acme.org.users["alice"] = replace(
        alice, profile=replace(alice.profile, hidden=hidden)
    )

    told = await page(acme, "contact", who="alice")

    assert told.listed
    assert MAIL not in {clue.kind for one in told.listed for clue in one.clues}


async def test_who_may_see_no_contacts_sees_none(acme: Acme) -> None:
    told = await page(acme, "contact", who="frank")

    assert told == Page((), (), "", complete=True)


@pytest.mark.parametrize("kind", ["opportunity", "case", "spaceship"])
async def test_other_kinds_are_not_listed(acme: Acme, kind: str) -> None:
    with pytest.raises(BadInput, match="no list"):
        await page(acme, kind)


@pytest.mark.parametrize("position", ["yesterday", "x/003", "/"])
async def test_a_position_that_is_none_is_refused(acme: Acme, position: str) -> None:
    with pytest.raises(BadInput):
        await page(acme, "contact", position)


async def test_an_org_that_is_down_lists_nothing(acme: Acme) -> None:
    acme.told.fault("status", "GET *queryAll*", arg=503, times=5)

    with pytest.raises(ServiceUnavailable):
        await page(acme, "contact")


async def test_a_used_up_quota_is_no_empty_list(acme: Acme) -> None:
    acme.told.fault("ratelimit", "GET *queryAll*")

    with pytest.raises(Spent):
        await page(acme, "contact")
