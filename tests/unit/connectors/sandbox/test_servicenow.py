"""The stand-in fails as ServiceNow's documentation says that the real one does."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import aiohttp
import pytest
from aiohttp import web

from connectors.sandbox.servicenow import seed
from connectors.sandbox.servicenow.app import ServiceNow
from connectors.sandbox.servicenow.rights import hiding, locking
from tests.stand_ins import Told, running

INCIDENT = seed.sys_id("INC0010001")
WAITING = seed.sys_id(seed.WAITING)
TABLE = "/api/now/table/incident"
CHANGE = f"/api/sn_chg_rest/change/{WAITING}"
LAPTOP = f"/api/sn_sc/servicecatalog/items/{seed.item_id('Developer laptop')}"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def result(self) -> Any:
        return self.json["result"]

    @property
    def error(self) -> tuple[str, str]:
        error = self.json["error"]
        return error["message"], error["detail"]


@dataclass
class Instance:
    told: Told
    stand_in: ServiceNow
    session: aiohttp.ClientSession

    async def ask(
        self,
        path: str,
        user: str = "erin",
        method: str = "GET",
        body: Any = None,
        **params: str,
    ) -> Reply:
        token = self.stand_in.tokens.issue(user).access
        return await self.raw(method, path, f"Bearer {token}", body, **params)

    async def raw(
        self, method: str, path: str, authorization: str, body: Any, **params: str
    ) -> Reply:
        async with self.session.request(
            method,
            f"{self.told.url}{path}",
            params=params,
            json=body,
            headers={"Authorization": authorization} if authorization else {},
        ) as given:
            return Reply(given.status, dict(given.headers), await given.text())


@pytest.fixture
async def snow() -> AsyncIterator[Instance]:
    stand_in = ServiceNow()
    async with running(stand_in) as told, aiohttp.ClientSession() as session:
        yield Instance(told, stand_in, session)


async def test_nobody_is_answered_without_a_right(snow: Instance) -> None:
    reply = await snow.raw("GET", TABLE, "", None)

    assert reply.status == 401
    assert reply.json == {
        "error": {
            "message": "User Not Authenticated",
            "detail": "Required to provide Auth information",
        },
        "status": "failure",
    }


async def test_unknown_fields_are_left_out_and_others_followed(snow: Instance) -> None:
    reply = await snow.ask(
        TABLE,
        sysparm_query="number=INC0010001",
        sysparm_fields="number,nosuch,caller_id.name,caller_id.nosuch",
    )

    assert reply.result == [{"number": "INC0010001", "caller_id.name": "Bob Stone"}]


async def test_unknown_parts_of_a_query_are_left_out_and_more_rows_come(
    snow: Instance,
) -> None:
    query = "nubmer=INC0010001^active=true"

    wide = await snow.ask(TABLE, sysparm_query=query)
    snow.stand_in.instance.properties.no_rows = True
    none = await snow.ask(TABLE, sysparm_query=query)

    assert len(wide.result) == 3
    assert none.result == []


async def test_the_limit_and_the_count_come_before_the_rights(snow: Instance) -> None:
    reply = await snow.ask(
        TABLE,
        "dana",
        sysparm_query="ORDERBYnumber",
        sysparm_limit="1",
    )
    second = await snow.ask(
        TABLE,
        "dana",
        sysparm_query="ORDERBYnumber",
        sysparm_limit="1",
        sysparm_offset="1",
    )

    assert reply.result == []
    assert reply.headers["X-Total-Count"] == "3"
    assert 'rel="next"' in reply.headers["Link"]
    assert [row["number"] for row in second.result] == ["INC0010002"]


@pytest.mark.parametrize(("version", "status"), [("v1/", 404), ("v2/", 200), ("", 200)])
async def test_no_rows_are_an_error_in_the_first_version_alone(
    snow: Instance, version: str, status: int
) -> None:
    path = f"/api/now/{version}table/incident"

    assert (await snow.ask(path, sysparm_query="number=NO")).status == status


async def test_values_words_and_both(snow: Instance) -> None:
    path, fields = f"{TABLE}/{INCIDENT}", "impact,caller_id"
    caller = seed.user_id("bob")

    plain = await snow.ask(path, sysparm_fields=fields)
    words = await snow.ask(path, sysparm_fields=fields, sysparm_display_value="true")
    both = await snow.ask(path, sysparm_fields=fields, sysparm_display_value="all")
    bare = await snow.ask(
        path, sysparm_fields=fields, sysparm_exclude_reference_link="true"
    )

    assert plain.result["impact"] == "1"
    assert plain.result["caller_id"]["value"] == caller
    assert plain.result["caller_id"]["link"].endswith(f"/table/sys_user/{caller}")
    assert words.result["impact"] == "1 - High"
    assert words.result["caller_id"]["display_value"] == "Bob Stone"
    assert both.result["impact"] == {"display_value": "1 - High", "value": "1"}
    assert both.result["caller_id"]["value"] == caller
    assert bare.result["caller_id"] == caller


async def test_journals_take_entries_and_show_no_value(snow: Instance) -> None:
    path = f"{TABLE}/{INCIDENT}"

    said = await snow.ask(path, method="PATCH", body={"work_notes": "a"})
    plain = await snow.ask(path)
    entries = await snow.ask(
        "/api/now/table/sys_journal_field",
        sysparm_query=f"element_id={INCIDENT}^element=work_notes",
    )

    assert said.status == 200
    assert plain.result["work_notes"] == ""
    assert plain.result["sys_mod_count"] == "1"
    assert [row["value"] for row in entries.result] == ["a"]
    assert entries.result[0]["sys_created_by"] == "erin"


async def test_what_may_not_be_written_is_dropped_in_silence(snow: Instance) -> None:
    erin = snow.stand_in.users["erin"]
    locked = locking(erin.profile, "incident.urgency")
    snow.stand_in.users["erin"] = replace(erin, profile=locked)
    body = {"urgency": "1", "priority": "1", "nosuch": "x", "impact": "2"}

    reply = await snow.ask(f"{TABLE}/{INCIDENT}", method="PATCH", body=body)

    assert reply.status == 200
    assert reply.result["urgency"] == "2"
    assert reply.result["impact"] == "2"
    assert reply.result["priority"] == "3"


async def test_a_write_that_changes_nothing_is_not_counted(snow: Instance) -> None:
    same = {"urgency": "2"}

    reply = await snow.ask(f"{TABLE}/{INCIDENT}", method="PATCH", body=same)

    assert reply.result["sys_mod_count"] == "0"


async def test_missing_and_hidden_rows_read_alike_and_writes_are_forbidden(
    snow: Instance,
) -> None:
    missing = await snow.ask(f"{TABLE}/{'f' * 32}")
    hidden = await snow.ask(f"{TABLE}/{INCIDENT}", "dave")
    change = f"/api/now/table/change_request/{WAITING}"
    forbidden = await snow.ask(change, "dave", "PATCH", {"risk": "2"})
    table = await snow.ask("/api/now/table/change_task", "dave")

    assert (missing.status, missing.text) == (hidden.status, hidden.text)
    assert missing.status == 404
    assert missing.error[1].startswith("Record doesn't exist or ACL restricts")
    assert forbidden.status == 403
    assert table.status == 403
    assert table.error == ("User Not Authorized", "Failed API level ACL Validation")


async def test_a_hidden_field_is_not_in_the_answer(snow: Instance) -> None:
    erin = snow.stand_in.users["erin"]
    less = hiding(erin.profile, "incident.caller_id")
    snow.stand_in.users["erin"] = replace(erin, profile=less)

    reply = await snow.ask(f"{TABLE}/{INCIDENT}")

    assert "caller_id" not in reply.result


@pytest.mark.parametrize(
    "query",
    [
        "caller_id=javascript:gs.getUserID()",
        "number=x^ORcaller_id=JavaScript:x",
        "active=true^NQcaller_idIN javascript:x",
    ],
)
async def test_scripts_are_refused_and_noted(snow: Instance, query: str) -> None:
    reply = await snow.ask(TABLE, sysparm_query=query)

    assert reply.status == 400
    assert len(snow.stand_in.instance.scripts) == 1


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("number=INC0010001^ORnumber=INC0010002", "12"),
        ("number=INC0010001^NQnumber=INC0010003", "13"),
        ("short_descriptionLIKEvpn", "2"),
        ("short_descriptionNOT LIKEvpn", "13"),
        ("short_descriptionSTARTSWITHVPN^active=true", "2"),
        ("short_descriptionENDSWITHoffline", "3"),
        ("numberININC0010001,INC0010003", "13"),
        ("numberNOT ININC0010001,INC0010003", "2"),
        ("assigned_toISEMPTY", "13"),
        ("assigned_toISNOTEMPTY", "2"),
        ("priority<3", "1"),
        ("priority>=3", "23"),
        ("priorityBETWEEN1@2", "1"),
        ("123TEXTQUERY321=gateway node", ""),
        ("123TEXTQUERY321=token client", "2"),
        ("caller_id.name=Dave O'Neil", "3"),
        ("state!=1", "2"),
        ("", "123"),
    ],
)
async def test_encoded_queries(snow: Instance, query: str, numbers: str) -> None:
    reply = await snow.ask(TABLE, sysparm_query=f"{query}^ORDERBYnumber")

    assert "".join(row["number"][-1] for row in reply.result) == numbers


async def test_order_is_kept_both_ways(snow: Instance) -> None:
    reply = await snow.ask(TABLE, sysparm_query="ORDERBYDESCnumber")

    assert [row["number"][-1] for row in reply.result] == ["3", "2", "1"]


async def test_rows_are_made_and_deleted_by_who_may(snow: Instance) -> None:
    made = await snow.ask(TABLE, "bob", "POST", {"short_description": "x"})
    refused = await snow.ask(f"{TABLE}/{INCIDENT}", method="DELETE")

    assert made.status == 201
    assert made.headers["Location"].endswith(f"/{made.result['sys_id']}")
    assert made.result["number"] == "INC0010004"
    assert made.result["priority"] == "5"
    assert refused.status == 403


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({"state": "3"}, "On hold reason"),
        ({"state": "6", "close_code": "Duplicate"}, "Resolution notes"),
        ({"incident_state": "6", "close_notes": "x"}, "Resolution code"),
    ],
)
async def test_a_data_policy_asks_for_fields(
    snow: Instance, values: dict[str, str], missing: str
) -> None:
    reply = await snow.ask(f"{TABLE}/{INCIDENT}", method="PATCH", body=values)

    assert reply.status == 403
    assert missing in reply.error[1]
    assert snow.stand_in.instance.rows["incident"][INCIDENT]["state"] == "1"


async def test_a_change_tells_pairs_and_what_it_ignored(snow: Instance) -> None:
    body = {"risk": "2", "nosuch": "x", "state": "0"}

    reply = await snow.ask(CHANGE, "chen", "PATCH", body)

    assert reply.result["risk"] == {"value": "2", "display_value": "High"}
    assert set(reply.result["__meta"]["ignoredFields"]) == {"nosuch", "state"}


async def test_next_states_depend_on_conditions(snow: Instance) -> None:
    reply = await snow.ask(f"{CHANGE}/nextstates", "chen")

    assert reply.result["available_states"] == ["-3", "4"]
    ((step,), _cancel) = reply.result["state_transitions"]
    assert (step["to_state"], step["transition_available"]) == ("-2", False)
    assert step["conditions"][0]["passed"] is False


@pytest.mark.parametrize("method", ["PATCH", "POST"])
async def test_approvals_are_the_callers_own(snow: Instance, method: str) -> None:
    path = f"{CHANGE}/approvals"

    none = await snow.ask(path, "chen", method, {"state": "approved"})
    bare = await snow.ask(path, "alice", method, {"state": "rejected"})
    given = await snow.ask(path, "alice", method, {"state": "approved"})
    again = await snow.ask(path, "alice", method, {"state": "approved"})

    assert [none.status, bare.status, given.status, again.status] == [
        400,
        400,
        200,
        400,
    ]


async def test_one_of_any_is_enough_and_the_change_moves_on(snow: Instance) -> None:
    any_of = seed.sys_id(seed.ANY_OF)
    path = f"/api/sn_chg_rest/v1/change/{any_of}/approvals"

    reply = await snow.ask(path, "carol", "PATCH", {"state": "approved"})
    rows = await snow.ask(
        "/api/now/table/sysapproval_approver",
        sysparm_query=f"sysapproval={any_of}^ORDERBYstate",
    )

    assert reply.result[0]["state"]["display_value"] == "Scheduled"
    assert [row["state"] for row in rows.result] == ["approved", "not_required"]


async def test_conflicts_and_tasks_of_a_change(snow: Instance) -> None:
    found = await snow.ask(f"{CHANGE}/conflict", "chen")
    made = await snow.ask(
        f"{CHANGE}/task", "chen", "POST", {"short_description": "Drain"}
    )
    tasks = await snow.ask(f"{CHANGE}/task", "chen")

    assert found.result["conflict_status"]["value"] == "No Conflict"
    assert made.result["change_request"]["value"] == WAITING
    assert [row["short_description"]["value"] for row in tasks.result] == ["Drain"]


async def test_a_change_is_made_of_pairs_in_the_address(snow: Instance) -> None:
    reply = await snow.ask(
        "/api/sn_chg_rest/change/emergency", "chen", "POST", short_description="Now"
    )

    assert reply.result["type"]["value"] == "emergency"
    assert reply.result["short_description"]["value"] == "Now"


async def test_an_item_tells_its_variables(snow: Instance) -> None:
    reply = await snow.ask(LAPTOP, "bob")

    memory = reply.result["variables"][0]
    assert (memory["type"], memory["friendly_type"]) == (5, "select_box")
    assert memory["mandatory"] is True
    assert memory["choices"][1] == {"label": "64 GB", "value": "64"}


@pytest.mark.parametrize("two_step", [False, True])
async def test_ordering_takes_one_step_or_two(
    snow: Instance, *, two_step: bool
) -> None:
    snow.stand_in.instance.properties.two_step = two_step
    body = {"sysparm_quantity": 1, "variables": {"memory": "32", "reason": "x"}}

    ordered = await snow.ask(f"{LAPTOP}/order_now", "bob", "POST", body)
    if two_step:
        assert list(ordered.result) == ["cart_id"]
        assert not snow.stand_in.instance.rows["sc_request"]
        path = "/api/sn_sc/servicecatalog/cart/submit_order"
        ordered = await snow.ask(path, "bob", "POST", {})
        empty = await snow.ask(path, "bob", "POST", {})
        assert empty.status == 400

    assert ordered.result["request_number"].startswith("REQ")
    assert len(snow.stand_in.instance.rows["sc_request"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"sysparm_quantity": 0},
        {"sysparm_quantity": 11},
        {"sysparm_quantity": "x"},
        {"sysparm_quantity": 1, "variables": {"memory": "32"}},
        {"sysparm_quantity": 1, "sysparm_requested_for": "nobody"},
    ],
)
async def test_orders_that_cannot_be_are_refused(
    snow: Instance, body: dict[str, Any]
) -> None:
    reply = await snow.ask(f"{LAPTOP}/order_now", "bob", "POST", body)

    assert reply.status == 400
    assert not snow.stand_in.instance.rows["sc_req_item"]


async def test_knowledge_is_searched_and_drafts_are_not(snow: Instance) -> None:
    path = "/api/sn_km_api/knowledge/articles"

    reply = await snow.ask(path, "bob", query="vpn", fields="short_description,nosuch")

    (article,) = reply.result["articles"]
    assert article["number"] == "KB0000020"
    assert list(article["fields"]) == ["short_description"]
    assert reply.result["meta"]["count"] == 1


async def test_a_batch_answers_each_part_for_itself(snow: Instance) -> None:
    parts = [
        f"{TABLE}?sysparm_query={quote('number=INC0010001')}&sysparm_fields=number",
        f"{TABLE}/{'f' * 32}",
        "/api/now/nosuch",
    ]
    asked = [
        {"id": str(n), "method": "GET", "url": url, "headers": []}
        for n, url in enumerate(parts)
    ]

    reply = await snow.ask(
        "/api/now/v1/batch",
        method="POST",
        body={"batch_request_id": "7", "rest_requests": asked},
    )

    served = reply.json["serviced_requests"]
    assert reply.json["batch_request_id"] == "7"
    assert [each["status_code"] for each in served] == [200, 404, 400]
    first = json.loads(base64.b64decode(served[0]["body"]))
    assert first == {"result": [{"number": "INC0010001"}]}


async def test_calls_are_counted_by_the_hour(snow: Instance) -> None:
    snow.stand_in.clock.stop()
    snow.stand_in.instance.properties.hourly = 2

    replies = [await snow.ask(TABLE) for _ in range(3)]
    other = await snow.ask(TABLE, "alice")
    snow.stand_in.clock.move(3600)
    later = await snow.ask(TABLE)

    assert [each.status for each in replies] == [200, 200, 429]
    assert 0 < int(replies[2].headers["Retry-After"]) <= 3600
    assert replies[2].error == (
        "Rate limit exceeded",
        "Rate limit of 2 requests per hour for Table API exceeded",
    )
    assert replies[0].headers["X-RateLimit-Limit"] == "2"
    assert (other.status, later.status) == (200, 200)


async def test_signing_in_gives_tokens_for_thirty_minutes(snow: Instance) -> None:
    query = (
        "?response_type=code&client_id=atom&state=s1"
        "&redirect_uri=http%3A%2F%2F127.0.0.1%2Fback"
    )
    url = f"{snow.told.url}/oauth_auth.do{query}"
    async with snow.session.post(
        url, data={"user": "bob"}, allow_redirects=False
    ) as given:
        back = parse_qs(urlsplit(given.headers["Location"]).query)
    form = {
        "grant_type": "authorization_code",
        "code": back["code"][0],
        "client_id": "atom",
        "client_secret": "atom-secret",
        "redirect_uri": "http://127.0.0.1/back",
    }
    async with snow.session.post(f"{snow.told.url}/oauth_token.do", data=form) as given:
        token = await given.json()

    assert back["state"] == ["s1"]
    assert (token["expires_in"], token["scope"]) == (1799, "useraccount")
    right = f"Bearer {token['access_token']}"
    who = await snow.raw("GET", "/api/now/ui/user/current_user", right, None)
    assert who.result["user_name"] == "bob"
    snow.stand_in.clock.move(1801)
    assert (await snow.raw("GET", TABLE, right, None)).status == 401

    again = {**form, "grant_type": "refresh_token"}
    again["refresh_token"] = token["refresh_token"]
    async with snow.session.post(
        f"{snow.told.url}/oauth_token.do", data=again
    ) as given:
        renewed = await given.json()
    right = f"Bearer {renewed['access_token']}"
    assert (await snow.raw("GET", TABLE, right, None)).status == 200


async def test_a_code_that_is_none_is_denied_in_servicenows_words(
    snow: Instance,
) -> None:
    form = {"grant_type": "authorization_code", "code": "x", "client_id": "atom"}
    async with snow.session.post(f"{snow.told.url}/oauth_token.do", data=form) as given:
        told = await given.json()

    assert given.status == 401
    assert told == {"error": "access_denied", "error_description": "access_denied"}


async def test_events_come_doubled_lost_and_out_of_order(snow: Instance) -> None:
    got: list[int] = []

    async def take(request: web.Request) -> web.Response:
        got.append((await request.json())["sys_mod_count"])
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    snow.stand_in.hooks["events"] = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    for kind in ("dup_event", "drop_event", "reorder"):
        snow.told.fault(kind, "EVENT incident")
    try:
        for number in range(4):
            values = {"short_description": f"n{number}"}
            wish = {"table": "incident", "sys_id": INCIDENT, "values": values}
            await snow.stand_in.emit(wish)
    finally:
        await runner.cleanup()

    assert got == [1, 1, 4, 3]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
async def test_an_ordered_refusal_has_the_real_shape(
    snow: Instance, status: int
) -> None:
    snow.told.fault("status", f"GET {TABLE}", arg=status)

    reply = await snow.ask(TABLE)

    assert reply.status == status
    assert reply.json["status"] == "failure"
    assert reply.error[0]


async def test_the_instance_starts_anew(snow: Instance) -> None:
    await snow.ask(f"{TABLE}/{INCIDENT}", method="PATCH", body={"urgency": "1"})
    snow.stand_in.reset()

    reply = await snow.ask(f"{TABLE}/{INCIDENT}")

    assert reply.result["urgency"] == "2"
    assert reply.result["sys_mod_count"] == "0"
