"""The local HubSpot fails where the real one does."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from hubspot import HubSpot as Client
from hubspot.crm.deals import (
    ApiException,
    BatchReadInputSimplePublicObjectId,
    PublicObjectSearchRequest,
    SimplePublicObjectInput,
    SimplePublicObjectInputForCreate,
)

from connectors.sandbox.hubspot.app import HubSpot
from tests.integration.connectors.callers import Caller
from tests.stand_ins import Told, running

DEALS = "/crm/v3/objects/deals"


@pytest.fixture
def hubspot() -> HubSpot:
    return HubSpot()


@pytest.fixture
async def told(hubspot: HubSpot) -> AsyncIterator[Told]:
    async with running(hubspot) as serving:
        yield serving
        await hubspot.poster.idle()


@pytest.fixture
async def call(hubspot: HubSpot, told: Told) -> AsyncIterator[Caller]:
    async with ClientSession() as session:
        yield Caller(session, told.url, hubspot)


def query(name: str, operator: str, value: str) -> dict[str, object]:
    told = {"propertyName": name, "operator": operator, "value": value}
    return {"filterGroups": [{"filters": [told]}]}


async def test_only_default_properties_are_told(call: Caller) -> None:
    _, plain = await call("bob", "GET", f"{DEALS}/30101")
    _, asked = await call("bob", "GET", f"{DEALS}/30101", properties="hubspot_owner_id")

    assert set(plain["properties"]) == {
        "amount",
        "closedate",
        "createdate",
        "dealname",
        "dealstage",
        "hs_lastmodifieddate",
        "hs_object_id",
        "pipeline",
    }
    assert asked["properties"]["hubspot_owner_id"] == "501"


async def test_what_a_person_may_not_see_is_not_there(call: Caller) -> None:
    _, deal = await call("carol", "GET", f"{DEALS}/30101")
    status, _ = await call(
        "frank", "PATCH", f"{DEALS}/30101", {"properties": {"dealname": "X"}}
    )

    assert "amount" not in deal["properties"]
    assert status == 403


async def test_a_batch_that_misses_some_is_partial(call: Caller) -> None:
    body = {"inputs": [{"id": "30101"}, {"id": "999"}], "properties": []}

    status, told = await call("bob", "POST", f"{DEALS}/batch/read", body)

    assert status == 207
    assert [each["id"] for each in told["results"]] == ["30101"]
    assert told["errors"][0]["context"]["ids"] == ["999"]


async def test_searches_are_late(call: Caller, hubspot: HubSpot) -> None:
    hubspot.portal.lag = 5
    change = {"properties": {"dealname": "Kestrel"}}
    await call("bob", "PATCH", f"{DEALS}/30101", change)
    asked = query("dealname", "CONTAINS_TOKEN", "kest*")

    _, early = await call("bob", "POST", f"{DEALS}/search", asked)
    hubspot.clock.move(6)
    _, late = await call("bob", "POST", f"{DEALS}/search", asked)

    assert (early["total"], late["total"]) == (0, 1)


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 201},
        {"after": "9995", "limit": 10},
        {"filterGroups": [{"filters": []}] * 6},
        query("nonsense", "EQ", "x"),
        query("dealname", "LIKE", "x"),
    ],
)
async def test_searches_have_limits(call: Caller, asked: dict[str, object]) -> None:
    status, told = await call("bob", "POST", f"{DEALS}/search", asked)

    assert (status, told["category"]) == (400, "VALIDATION_ERROR")


async def test_calls_are_counted_by_ten_seconds(call: Caller, hubspot: HubSpot) -> None:
    hubspot.portal.burst = 2
    hubspot.clock.stop()

    answers = [await call("bob", "GET", f"{DEALS}/30101") for _ in range(3)]
    hubspot.clock.move(11)
    later, _ = await call("bob", "GET", f"{DEALS}/30101")

    assert [status for status, _ in answers] == [200, 200, 429]
    assert answers[2][1]["policyName"] == "TEN_SECONDLY_ROLLING"
    assert later == 200


async def test_tokens_last_half_an_hour(hubspot: HubSpot, told: Told) -> None:
    token = hubspot.tokens.issue("bob").access
    hubspot.clock.move(1801)

    async with ClientSession() as session:
        headers = {"Authorization": f"Bearer {token}"}
        async with session.get(f"{told.url}{DEALS}/30101", headers=headers) as answer:
            body = await answer.json()

    assert (answer.status, body["category"]) == (401, "EXPIRED_AUTHENTICATION")


async def test_the_vendors_library_reads_searches_and_writes(
    hubspot: HubSpot, told: Told
) -> None:
    token = hubspot.tokens.issue("bob").access

    def use() -> tuple[str, int, str, str, int]:
        client = Client(access_token=token)
        client.config["host"] = told.url
        deals = client.crm.deals
        renewal = deals.basic_api.get_by_id("30101", properties=["dealname", "amount"])
        found = deals.search_api.do_search(
            PublicObjectSearchRequest(query="globex", limit=10)
        )
        deals.basic_api.update(
            "30101", SimplePublicObjectInput(properties={"dealstage": "closedwon"})
        )
        made = deals.basic_api.create(
            SimplePublicObjectInputForCreate(
                properties={"dealname": "New", "dealstage": "contractsent"},
                associations=[],
            )
        )
        many = deals.batch_api.read(
            BatchReadInputSimplePublicObjectId(
                properties=["dealstage"],
                properties_with_history=[],
                inputs=[{"id": "30101"}, {"id": made.id}],
            )
        )
        stages = client.crm.pipelines.pipelines_api.get_all("deals").results[0].stages
        owners = client.crm.owners.owners_api.get_page().results
        linked = client.crm.associations.v4.basic_api.get_page(
            "deals", "30101", "companies"
        )
        assert str(linked.results[0].to_object_id) == "20101"
        assert owners[0].email == "bob@acme.example"
        return (
            renewal.properties["amount"],
            found.total,
            many.results[0].properties["dealstage"],
            made.properties["pipeline"],
            len(stages),
        )

    answers = await asyncio.to_thread(use)

    assert answers == ("84000", 2, "closedwon", "default", 6)


async def test_the_vendors_library_hears_what_is_refused(
    hubspot: HubSpot, told: Told
) -> None:
    token = hubspot.tokens.issue("bob").access

    def use() -> None:
        client = Client(access_token=token)
        client.config["host"] = told.url
        wrong = SimplePublicObjectInput(properties={"dealstage": "nonsense"})
        client.crm.deals.basic_api.update("30101", wrong)

    with pytest.raises(ApiException) as raised:
        await asyncio.to_thread(use)

    assert raised.value.status == 400
    assert "INVALID_OPTION" in raised.value.body
