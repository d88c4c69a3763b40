"""Bulk requests over HTTP: RFC 7644 section 3.7."""

from typing import Any

from tests.scim_client import GROUP, PATCH, USER, Said, ScimServer

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


def user(name: str) -> dict[str, Any]:
    return {
        "method": "POST",
        "path": "/Users",
        "bulkId": name,
        "data": {"schemas": [USER], "userName": name},
    }


def group(name: str, *members: str) -> dict[str, Any]:
    return {
        "method": "POST",
        "path": "/Groups",
        "bulkId": name,
        "data": {
            "schemas": [GROUP],
            "displayName": name,
            "members": [{"value": f"bulkId:{member}"} for member in members],
        },
    }


async def bulk(server: ScimServer, *operations: Any, fail_on: int = 0) -> Said:
    body = {"schemas": [BULK], "Operations": list(operations)}
    return await server.ask(
        "POST", "/Bulk", {**body, "failOnErrors": fail_on} if fail_on else body
    )


def statuses(said: Said) -> list[str]:
    return [each["status"] for each in said.body["Operations"]]


def place(said: Said, number: int) -> str:
    return str(said.body["Operations"][number]["location"]).rpartition("/")[2]


async def test_what_is_made_can_be_referred_to_before_and_after(
    server: ScimServer,
) -> None:
    said = await bulk(server, group("staff", "ana"), user("ana"))

    assert said.status == 200
    assert statuses(said) == ["201", "201"]
    assert await server.members(place(said, 0)) == {place(said, 1)}
    assert said.body["Operations"][0]["version"] == 'W/"1"'


async def test_groups_that_refer_to_each_other_are_both_made(
    server: ScimServer,
) -> None:
    said = await bulk(server, group("a", "b"), group("b", "a"))

    assert statuses(said) == ["201", "201"]
    assert await server.members(place(said, 0)) == {place(said, 1)}
    assert await server.members(place(said, 1)) == {place(said, 0)}


async def test_each_operation_stands_for_itself(server: ScimServer) -> None:
    ana = await server.user("ana")
    title = {"op": "replace", "path": "title", "value": "CFO"}

    said = await bulk(
        server,
        user("ana"),
        user("bob"),
        {
            "method": "PATCH",
            "path": f"/Users/{ana.id}",
            "version": 'W/"1"',
            "data": {"schemas": [PATCH], "Operations": [title]},
        },
        {
            "method": "PUT",
            "path": f"/Users/{ana.id}",
            "version": 'W/"1"',
            "data": {"schemas": [USER], "userName": "ana"},
        },
        {"method": "DELETE", "path": "/Users/bulkId:bob"},
        {"method": "DELETE", "path": "/Users/nobody"},
        {"method": "POST", "path": "/Bulk", "bulkId": "x", "data": {}},
    )

    assert statuses(said) == ["409", "201", "200", "412", "204", "404", "400"]
    assert said.body["Operations"][0]["response"]["scimType"] == "uniqueness"
    assert (await server.get(f"/Users/{ana.id}")).body["title"] == "CFO"
    assert (await server.get("/Users")).body["totalResults"] == 1


async def test_what_refers_to_a_failure_fails_too(server: ScimServer) -> None:
    await server.user("ana")

    said = await bulk(server, user("ana"), group("staff", "ana"))

    assert statuses(said) == ["409", "400"]
    assert (await server.get("/Groups")).body["totalResults"] == 0


async def test_it_stops_at_as_many_errors_as_were_named(server: ScimServer) -> None:
    await server.user("ana")

    said = await bulk(server, user("ana"), user("bob"), fail_on=1)

    assert statuses(said) == ["409"]
    assert (await server.get("/Users")).body["totalResults"] == 1


async def test_limits_are_kept(server: ScimServer) -> None:
    config = (await server.get("/ServiceProviderConfig")).body["bulk"]
    many = [user(f"u{n}") for n in range(config["maxOperations"] + 1)]

    said = await bulk(server, *many)

    assert said.status == 413
    assert (await server.get("/Users")).body["totalResults"] == 0


async def test_a_post_needs_a_name_and_names_are_used_once(
    server: ScimServer,
) -> None:
    nameless = {**user("ana"), "bulkId": ""}

    assert (await bulk(server, nameless)).body["scimType"] == "invalidSyntax"
    assert (await bulk(server, user("a"), user("a"))).status == 400
