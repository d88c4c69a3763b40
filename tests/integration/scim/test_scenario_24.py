"""
Scenario 24: what Entra ID and Okta send does exactly what is meant.

The requests are written by the vendors' documentation of what their clients send.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scim_client import ENTERPRISE, ScimServer

FIXTURES = Path(__file__).parents[2] / "fixtures/scim"
BIG = 500


def recorded(name: str) -> list[dict[str, Any]]:
    lines = (FIXTURES / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


async def play(server: ScimServer, name: str) -> dict[str, str]:
    """
    Send what was recorded, in order, and compare every answer with what came then.

    `{NAME}` stands for the id of what the step called NAME made.
    """
    ids: dict[str, str] = {}

    def known(told: Any) -> Any:
        text = json.dumps(told)
        for key, value in ids.items():
            text = text.replace(f"{{{key}}}", value)
        return json.loads(text)

    for step in recorded(name):
        path = known(step["path"])
        said = await server.ask(step["method"], path, known(step.get("body")))
        assert said.status == step["status"], (step["why"], said.body)
        if "makes" in step:
            ids[step["makes"]] = said.id
        for key, value in known(step.get("has", {})).items():
            assert found(said.body, key) == value, (step["why"], said.body)
    return ids


def found(body: Any, key: str) -> Any:
    """Return what stands at `a/0/b`; None if nothing does."""
    for part in key.split("/"):
        if isinstance(body, list):
            body = body[int(part)] if int(part) < len(body) else None
        elif body is not None:
            body = body.get(part)
    return body


@pytest.mark.parametrize(
    "name", ["entra_legacy", "entra_2020", "entra_test_connection", "okta"]
)
async def test_scenario_24_recorded_traffic(server: ScimServer, name: str) -> None:
    await play(server, name)


async def test_scenario_24_entra_removes_one_member_and_no_more(
    server: ScimServer,
) -> None:
    people = [(await server.user(f"u{n}")).id for n in range(3)]
    group = await server.group("staff", *people)

    said = await server.patch(
        f"/Groups/{group.id}",
        {"op": "Remove", "path": "members", "value": [{"value": people[0]}]},
    )

    assert said.status == 200
    assert await server.members(group.id) == set(people[1:])


async def test_scenario_24_text_false_shuts_out(server: ScimServer) -> None:
    user = await server.user("ana")

    await server.patch(
        f"/Users/{user.id}", {"op": "Replace", "path": "active", "value": "False"}
    )

    assert (await server.get(f"/Users/{user.id}")).body["active"] is False


async def test_scenario_24_a_selected_mail_is_made(server: ScimServer) -> None:
    user = await server.user("ana")

    await server.patch(
        f"/Users/{user.id}",
        {
            "op": "Add",
            "path": 'emails[type eq "work"].value',
            "value": "ana@acme.example",
        },
    )

    read = await server.get(f"/Users/{user.id}")
    assert read.body["emails"] == [{"type": "work", "value": "ana@acme.example"}]


async def test_scenario_24_dotted_and_full_keys_without_a_path(
    server: ScimServer,
) -> None:
    user = await server.user("ana", name={"familyName": "Smith"})

    await server.patch(
        f"/Users/{user.id}",
        {
            "op": "replace",
            "value": {
                "name.givenName": "Ana",
                f"{ENTERPRISE}:department": "Finance",
                'emails[type eq "work"].value': "ana@acme.example",
            },
        },
    )

    read = (await server.get(f"/Users/{user.id}")).body
    assert read["name"] == {"familyName": "Smith", "givenName": "Ana"}
    assert read[ENTERPRISE] == {"department": "Finance"}
    assert read["emails"][0]["value"] == "ana@acme.example"


async def test_scenario_24_okta_deactivates_and_replaces_members(
    server: ScimServer,
) -> None:
    people = [(await server.user(f"u{n}")).id for n in range(4)]
    group = await server.group("staff", *people[:3])

    await server.patch(
        f"/Users/{people[0]}", {"op": "replace", "value": {"active": False}}
    )
    await server.patch(
        f"/Groups/{group.id}",
        {
            "op": "replace",
            "path": "members",
            "value": [{"value": person} for person in people[1:]],
        },
    )

    assert (await server.get(f"/Users/{people[0]}")).body["active"] is False
    assert await server.members(group.id) == set(people[1:])


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "members"},
        {"op": "replace", "path": "members", "value": []},
        {"op": "replace", "value": {"members": []}},
    ],
)
async def test_scenario_24_emptying_a_large_group_trips_the_breaker(
    server: ScimServer, operation: dict[str, Any]
) -> None:
    people = {(await server.user(f"u{n}")).id for n in range(40)}
    group = await server.group("all", *people)

    said = await server.patch(f"/Groups/{group.id}", operation)

    assert said.status == 409
    assert "circuit breaker" in said.body["detail"]
    assert int(said.headers["Retry-After"]) > 0
    assert await server.members(group.id) == people
    version = (await server.get(f"/Groups/{group.id}")).headers["ETag"]
    assert version == 'W/"1"'


async def test_scenario_24_a_bare_remove_on_500_members(server: ScimServer) -> None:
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {
                "method": "POST",
                "path": "/Users",
                "bulkId": f"u{n}",
                "data": {
                    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                    "userName": f"u{n}",
                },
            }
            for n in range(BIG)
        ],
    }
    made = await server.ask("POST", "/Bulk", body)
    places = [each["location"] for each in made.body["Operations"]]
    group = await server.group("all", *(place.rsplit("/")[-1] for place in places))

    bare = {"op": "remove", "path": "members"}
    refused = await server.patch(f"/Groups/{group.id}", bare)
    assert refused.status == 409
    assert len(await server.members(group.id)) == BIG

    # An admin lets it happen, and the client tries again, as it was told to.
    await server.core.scim.store.allow("acme", group.id, 2**60)
    assert (await server.patch(f"/Groups/{group.id}", bare)).status == 200
    assert await server.members(group.id) == set()
    assert not await server.core.scim.store.allowed("acme", group.id)
