"""pysnow's defects, each shown on pysnow itself, and closed in the connector."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import pysnow
import pytest
import requests

from bridge.errors import BadInput, ServiceUnavailable
from bridge.records.model import Absence, Record
from bridge.records.ports import NotYours
from connectors.pinned import OffLimits
from connectors.sandbox.servicenow import seed
from connectors.servicenow.calls import OnlyGiven, Page, Part, row_of, rows_of
from connectors.servicenow.query import Op, Query, where
from tests.unit.connectors.servicenow.world import INC1, INC2, World, deed, edit, ref

_Result = TypeVar("_Result")


def client(snow: World) -> pysnow.Client:
    """Return pysnow as it comes, signed in with a password."""
    host = snow.told.url.partition("://")[2]
    return pysnow.Client(host=host, use_ssl=False, user="erin", password="password")


async def apart(work: Callable[[], _Result]) -> _Result:
    return await asyncio.to_thread(work)


def queries(snow: World) -> list[dict[str, Any]]:
    return [dict(entry.query) for entry in snow.stand_in.journal.all()]


async def test_pysnow_as_it_comes_talks_to_the_stand_in(snow: World) -> None:
    incidents = client(snow).resource(api_path="/table/incident")

    def work() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        apart_ = client(snow).resource(api_path="/table/incident")
        found = apart_.get(query={"number": "INC0010001"}, fields=["number"]).one()
        made = incidents.create({"short_description": "By pysnow"}).one()
        wanted = {"number": made["number"]}
        changed = incidents.update(wanted, {"urgency": "1"}).one()
        return found, made, changed

    found, made, changed = await apart(work)

    assert found == {"number": "INC0010001"}
    assert made["short_description"] == "By pysnow"
    assert changed["urgency"] == "1"


async def test_pysnow_streams_and_builds_queries_against_the_stand_in(
    snow: World,
) -> None:
    incidents = client(snow).resource(api_path="/table/incident")
    query = (
        pysnow.QueryBuilder()
        .field("short_description")
        .contains("VPN")
        .AND()
        .field("number")
        .order_descending()
    )

    def work() -> list[dict[str, str]]:
        return list(incidents.get(query=query, stream=True).all())

    assert [row["number"] for row in await apart(work)] == ["INC0010002"]


async def test_8_pysnow_lets_a_value_become_a_condition(snow: World) -> None:
    hostile = "INC1^ORactive=true"
    incidents = client(snow).resource(api_path="/table/incident")

    rows = await apart(lambda: incidents.get(query={"number": hostile}).all())

    assert len(rows) == 3
    snow.stand_in.journal.clear()
    with pytest.raises(BadInput):
        where("number", Op.IS, hostile)
    with pytest.raises(BadInput):
        await snow.records.find(snow.as_("erin"), hostile, 10)
    assert snow.told.calls() == []


async def test_8_a_script_would_be_run_and_is_never_sent(snow: World) -> None:
    incidents = client(snow).resource(api_path="/table/incident")
    script = "javascript:gs.getUserID()"

    with pytest.raises(requests.HTTPError):
        await apart(lambda: incidents.get(query={"caller_id": script}).all())
    assert len(snow.stand_in.instance.scripts) == 1

    with pytest.raises(BadInput):
        where("caller_id", Op.IS, script)
    await snow.one(INC1)
    await snow.records.perform(snow.as_("erin"), deed("take", INC1))
    assert len(snow.stand_in.instance.scripts) == 1


async def test_9_pysnow_sends_one_calls_query_with_the_next(snow: World) -> None:
    incidents = client(snow).resource(api_path="/table/incident")

    def work() -> None:
        incidents.get(query={"number": "INC0010001"}).all()
        incidents.create({"short_description": "x"}).all()

    await apart(work)

    assert queries(snow)[-1]["sysparm_query"] == "number=INC0010001"


async def test_9_the_connector_sends_nothing_that_was_not_given(snow: World) -> None:
    await snow.one(INC1)
    await snow.records.perform(snow.as_("erin"), deed("take", INC1))

    (patch,) = [
        entry for entry in snow.stand_in.journal.all() if entry.method == "PATCH"
    ]
    assert "sysparm_query" not in patch.query
    assert "sysparm_limit" not in patch.query
    given = OnlyGiven()
    given.add_custom({"a": "1"})
    told = given.as_dict()
    told["b"] = "2"
    assert given.as_dict() == {"a": "1"}


async def test_9_many_people_at_once_are_answered_apart(snow: World) -> None:
    people = ["erin", "alice", "bob", "dana", "dave"] * 6
    refs = [INC1, INC2]

    answers = await asyncio.gather(
        *(snow.records.read(snow.as_(name), refs) for name in people)
    )

    sees = {"bob": [INC1], "dana": [INC2], "dave": []}
    for name, found in zip(people, answers, strict=True):
        seen = [each for each in refs if isinstance(found[each], Record)]
        assert seen == sees.get(name, refs)
        assert all(found[each] is Absence.GONE for each in refs if each not in seen)


async def test_10_pysnow_reads_and_replaces_whole_rows(snow: World) -> None:
    incidents = client(snow).resource(api_path="/table/incident")

    await apart(lambda: incidents.update({"number": "INC0010001"}, {"urgency": "1"}))

    assert [call.partition(" ")[0] for call in snow.told.calls()] == ["GET", "PUT"]
    assert queries(snow)[0]["sysparm_limit"] == "10000"


async def test_10_the_connector_patches_the_fields_that_changed(snow: World) -> None:
    record = await snow.one(INC1)
    asked = edit(record, {"urgency": "2"}, urgency="1")

    await snow.records.perform(snow.as_("erin"), asked)

    (patch,) = [
        entry for entry in snow.stand_in.journal.all() if entry.method == "PATCH"
    ]
    assert json.loads(patch.body) == {"urgency": "1"}
    assert not [call for call in snow.told.calls() if call.startswith("PUT")]


async def test_10_pysnow_loses_the_reason_and_the_connector_tells_it(
    snow: World,
) -> None:
    snow.told.fault("status", f"P* /api/now/table/incident/{INC1.id}", times=2, arg=403)
    incidents = client(snow).resource(api_path="/table/incident")

    def work() -> str:
        path = f"/{INC1.id}"
        with pytest.raises(requests.HTTPError) as error:
            incidents.request("PATCH", path, data="{}").all()
        return str(error.value)

    assert "ACL" not in await apart(work)
    with pytest.raises(NotYours, match="Failed API level ACL Validation"):
        await snow.records.perform(snow.as_("erin"), deed("take", INC1))


async def test_10_every_question_has_a_limit(snow: World) -> None:
    await snow.one(INC1)
    await snow.records.find(snow.as_("erin"), "vpn", 10_000)
    await snow.records.changed(snow.as_(seed.INTEGRATION), "")

    limits = [
        int(dict(parse_qsl(each["url"].partition("?")[2]))["sysparm_limit"])
        for entry in snow.stand_in.journal.all()
        if entry.path.endswith("/batch")
        for each in json.loads(entry.body)["rest_requests"]
        if "/table/" in each["url"]
    ]
    assert limits
    assert max(limits) <= 1000


@pytest.mark.parametrize(
    "path", ["/table/incident/../sys_user", "/table/../../../oauth_token.do"]
)
async def test_10_pysnow_takes_crooked_paths_and_the_guard_does_not(
    snow: World, path: str
) -> None:
    assert client(snow).resource(api_path=path)

    with pytest.raises(OffLimits):
        await snow.records._reading.calls.get(snow.as_("erin"), Part("/api/now", path))
    assert snow.told.calls() == []


@pytest.mark.parametrize("table", ["sys_properties", "incident/../sys_user", "", "x"])
def test_10_only_known_tables_are_asked_for(table: str) -> None:
    query = Query((where("sys_id", Op.IS, "a" * 32),))

    with pytest.raises(BadInput):
        rows_of(table, Page(query, ["name"], 1))
    with pytest.raises(BadInput):
        row_of(table, "a" * 32)


@pytest.mark.parametrize(
    "id_",
    ["", "../x", "a" * 31, "A" * 32, "a" * 32 + "?x=1", "//evil.example", "g" * 32],
)
def test_10_only_ids_become_paths(id_: str) -> None:
    with pytest.raises(BadInput):
        row_of("incident", id_)


async def test_an_id_that_is_none_is_asked_of_nobody(snow: World) -> None:
    for act in ("take", "comment", "approve", "order"):
        for kind in ("incident", "change", "item"):
            asked = deed(act, ref(kind, "x.y"), comments="x")
            with pytest.raises(BadInput):
                await snow.records.perform(snow.as_("erin"), asked)
    assert snow.told.calls() == []


async def test_a_call_that_hangs_ends_at_the_deadline_and_frees_its_thread(
    snow: World,
) -> None:
    # A deadline that has passed before the answer comes, however slow the machine is.
    before = threading.active_count()
    snow.told.fault("delay", "POST /api/now/v1/batch", times=3, arg=30)
    snow.records._line.limits = type(snow.records._line.limits)(deadline=0.5)

    for _ in range(3):
        found = await snow.records.read(snow.as_("erin"), [INC1])
        assert found[INC1] is Absence.UNREACHABLE

    assert threading.active_count() <= before + snow.records._line.limits.workers


async def test_no_token_and_no_content_is_in_an_error(snow: World) -> None:
    snow.told.fault("status", times=9, arg=500)
    token = await snow.as_("erin").token()

    with pytest.raises(ServiceUnavailable) as error:
        await snow.records.perform(
            snow.as_("erin"), deed("comment", INC1, comments="HUSH")
        )

    assert token not in str(error.value)
    assert "HUSH" not in str(error.value)
    assert "http" not in str(error.value)
