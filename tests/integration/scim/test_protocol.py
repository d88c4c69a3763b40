"""RFC 7644 over HTTP: statuses, headers, versions, errors, limits."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bots.core import steady_us
from bots.settings import Settings
from bots.settings_scim import ScimSettings
from storage.limiter import RedisLimiter
from tests.scim_client import ADMIN, GROUP, USER, ScimServer, scim_server

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"


async def test_what_is_made_says_where_it_is_and_in_which_version(
    server: ScimServer,
) -> None:
    made = await server.user("ana", displayName="Ana")

    place = f"{server.base}/Users/{made.id}"
    assert made.headers["Location"] == place == made.body["meta"]["location"]
    assert made.headers["ETag"] == 'W/"1"' == made.body["meta"]["version"]
    assert made.headers["Content-Type"].startswith("application/scim+json")
    assert made.body["meta"]["created"] == made.body["meta"]["lastModified"]
    assert made.body["schemas"] == [USER]
    read = await server.get(f"/Users/{made.id}")
    assert read.body == made.body


@pytest.mark.parametrize(
    "path", ["/Users", "/ServiceProviderConfig", "/Schemas", "/Me", "/nothing", ""]
)
@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer atom_scim_é"]
)
async def test_nobody_gets_in_without_a_token(
    server: ScimServer, path: str, header: str
) -> None:
    said = await server.get(path, Authorization=header)

    assert said.status == 401
    assert said.headers["WWW-Authenticate"].startswith("Bearer")
    assert said.body["schemas"] == [ERROR]
    assert said.body["status"] == "401"


async def test_a_revoked_token_lets_nobody_in(server: ScimServer) -> None:
    tokens = server.core.scim.tokens
    token = (await tokens.all("acme"))[0]

    await tokens.revoke("acme", ADMIN, token.id)

    assert (await server.get("/Users")).status == 401


async def test_companies_do_not_see_each_other(server: ScimServer) -> None:
    ana = await server.user("ana", externalId="1")
    staff = await server.group("staff", ana.id)
    await server.core.companies.create("other", "Other", "o@other.example")
    server.core.keys.create("other")
    made = await server.core.scim.tokens.create("other", ADMIN, "")
    theirs = ScimServer(server.core, server.base, made.text, server.session)

    for path in (f"/Users/{ana.id}", f"/Groups/{staff.id}"):
        assert (await theirs.get(path)).status == 404
        assert (await theirs.ask("DELETE", path)).status == 404
    change = {"op": "replace", "path": "displayName", "value": "x"}
    assert (await theirs.patch(f"/Users/{ana.id}", change)).status == 404
    for path in ("/Users", "/Groups", '/Users?filter=externalId eq "1"', ""):
        assert (await theirs.get(path)).body["totalResults"] == 0
    group = {"schemas": [GROUP], "displayName": "x", "members": [{"value": ana.id}]}
    assert (await theirs.ask("POST", "/Groups", group)).status == 400
    assert (await theirs.user("ana")).status == 201
    assert (await server.get(f"/Users/{ana.id}")).status == 200


async def test_a_version_that_is_read_already_is_not_sent_again(
    server: ScimServer,
) -> None:
    ana = await server.user("ana")
    tag = ana.headers["ETag"]

    same = await server.get(f"/Users/{ana.id}", If_None_Match=tag)
    other = await server.get(f"/Users/{ana.id}", If_None_Match='W/"7"')

    assert (same.status, same.body, same.headers["ETag"]) == (304, None, tag)
    assert other.status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_nothing_is_written_over_another_version(
    server: ScimServer, method: str
) -> None:
    ana = await server.user("ana")
    path = f"/Users/{ana.id}"
    body: Any = {"schemas": [USER], "userName": "ann"}
    if method == "PATCH":
        change = {"op": "replace", "path": "userName", "value": "ann"}
        refused = await server.patch(path, change, If_Match='W/"9"')
    else:
        refused = await server.ask(
            method, path, None if method == "DELETE" else body, If_Match='W/"9"'
        )

    assert refused.status == 412
    assert (await server.get(path)).body == ana.body
    for tag in ("*", '"1"', 'W/"5", W/"1"'):
        title = {"op": "replace", "path": "userName", "value": "ana"}
        assert (await server.patch(path, title, If_Match=tag)).status == 200


async def test_of_two_writers_of_one_version_one_wins(server: ScimServer) -> None:
    ana = await server.user("ana")

    outcomes = await asyncio.gather(
        *(
            server.patch(
                f"/Users/{ana.id}",
                {"op": "replace", "path": "title", "value": f"t{n}"},
                If_Match=ana.headers["ETag"],
            )
            for n in range(6)
        )
    )

    assert sorted(each.status for each in outcomes) == [200] + [412] * 5
    won = next(each for each in outcomes if each.status == 200)
    assert (await server.get(f"/Users/{ana.id}")).body["title"] == won.body["title"]


async def test_writers_without_a_version_all_get_through(server: ScimServer) -> None:
    people = [(await server.user(f"u{n}")).id for n in range(5)]
    group = await server.group("staff")

    await asyncio.gather(
        *(
            server.patch(
                f"/Groups/{group.id}",
                {"op": "add", "path": "members", "value": [{"value": person}]},
            )
            for person in people
        )
    )

    assert await server.members(group.id) == set(people)


async def test_what_changes_nothing_makes_no_version(server: ScimServer) -> None:
    ana = await server.user("ana", title="CFO")
    same = {"op": "replace", "path": "title", "value": "CFO"}

    said = [await server.patch(f"/Users/{ana.id}", same) for _ in range(2)]

    assert [each.body for each in said] == [ana.body, ana.body]


async def test_a_patch_is_done_as_a_whole_or_not_at_all(server: ScimServer) -> None:
    ana = await server.user("ana")

    said = await server.patch(
        f"/Users/{ana.id}",
        {"op": "replace", "path": "title", "value": "CFO"},
        {"op": "replace", "path": "id", "value": "mine"},
    )

    assert (said.status, said.body["scimType"]) == (400, "mutability")
    assert (await server.get(f"/Users/{ana.id}")).body == ana.body


async def test_unknown_attributes_are_left_out_and_read_only_ones_ignored(
    server: ScimServer,
) -> None:
    made = await server.user(
        "ana",
        id="mine",
        meta={"resourceType": "Fish"},
        groups=[{"value": "admins"}],
        shoeSize=38,
        NICKNAME="An",
    )

    assert made.id != "mine"
    assert made.body["meta"]["resourceType"] == "User"
    assert made.body["nickName"] == "An"
    assert "shoeSize" not in made.body
    assert "groups" not in made.body


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "invalidSyntax"),
        (b"", "invalidSyntax"),
        (b"[1]", "invalidSyntax"),
        (b"\xff\xfe", "invalidSyntax"),
        (b"[" * 5_000, "invalidSyntax"),
        ({"userName": "x"}, "invalidSyntax"),
        ({"schemas": ["urn:x"], "userName": "x"}, "invalidSyntax"),
        ({"schemas": [USER]}, "invalidValue"),
        ({"schemas": [USER], "userName": " "}, "invalidValue"),
        ({"schemas": [USER], "userName": 7}, "invalidValue"),
        ({"schemas": [USER], "userName": "a" * 600}, "invalidValue"),
        ({"schemas": [USER], "userName": "a\x00b"}, "invalidValue"),
        ({"schemas": [USER], "userName": "x", "password": "p"}, "invalidValue"),
        ({"schemas": [USER], "userName": "x", "active": "maybe"}, "invalidValue"),
        ({"schemas": [USER], "userName": "x", "USERNAME": "y"}, "invalidSyntax"),
        (
            {
                "schemas": [USER],
                "userName": "x",
                "emails": [
                    {"value": "a@b.c", "primary": True},
                    {"value": "d@e.f", "primary": True},
                ],
            },
            "invalidValue",
        ),
        ({"schemas": [USER], "userName": "x", "emails": [[[]]]}, "invalidSyntax"),
    ],
)
async def test_what_cannot_be_used_is_refused_with_its_reason(
    server: ScimServer, body: Any, kind: str
) -> None:
    said = await server.ask("POST", "/Users", body)

    assert said.status == 400
    assert said.body["schemas"] == [ERROR]
    assert said.body["scimType"] == kind
    assert said.body["detail"]
    assert (await server.get("/Users")).body["totalResults"] == 0


async def test_errors_do_not_repeat_what_was_sent(server: ScimServer) -> None:
    secret = "hunter2-hunter2"

    said = await server.ask(
        "POST", "/Users", {"schemas": [USER], "userName": {"x": secret}}
    )
    path = await server.patch(
        "/Users/x", {"op": "add", "path": f"[{secret}", "value": 1}
    )
    found = await server.get(f'/Users?filter=userName zz "{secret}"')

    assert secret not in str([said.body, path.body, found.body])


async def test_a_body_of_another_type_or_too_large_is_not_read(
    server: ScimServer,
) -> None:
    text = await server.ask("POST", "/Users", b"{}", Content_Type="text/plain")
    large = await server.ask("POST", "/Users", b"x" * ((4 << 20) + 1))
    plain = await server.ask(
        "POST",
        "/Users",
        {"schemas": [USER], "userName": "ana"},
        Content_Type="application/json; charset=utf-8",
    )

    assert (text.status, large.status, plain.status) == (415, 413, 201)
    assert large.body["status"] == "413"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Me", 501),
        ("PUT", "/Users", 405),
        ("POST", "/Users/x", 405),
        ("GET", "/Bulk", 405),
        ("GET", "/.search", 405),
        ("DELETE", "/Schemas", 405),
        ("GET", "/Schemas/urn:no", 404),
        ("GET", "/ResourceTypes/Fish", 404),
        ("GET", "/Fish", 404),
        ("GET", "/Users/..%2f..%2fGroups", 404),
        ("GET", "/Users/' OR 1=1 --", 404),
        ("GET", "/Schemas?filter=id pr", 403),
    ],
)
async def test_what_there_is_not_is_answered_in_scims_words(
    server: ScimServer, method: str, path: str, status: int
) -> None:
    said = await server.ask(method, path)

    assert said.status == status
    assert said.body["schemas"] == [ERROR]
    assert said.body["status"] == str(status)


async def test_injections_find_nothing_and_break_nothing(server: ScimServer) -> None:
    hostile = "x' OR '1'='1'; DROP TABLE scim_resource; --\" or userName pr"
    await server.user(hostile)
    await server.user("ana")

    quoted = hostile.replace("\\", "\\\\").replace('"', '\\"')
    found = await server.get(f'/Users?filter=userName eq "{quoted}"')
    broken = await server.get(f'/Users?filter=userName eq "{hostile}"')

    assert found.body["totalResults"] == 1
    assert found.body["Resources"][0]["userName"] == hostile
    assert broken.status == 400
    assert (await server.get("/Users")).body["totalResults"] == 2


async def test_a_put_replaces_everything_but_lets_nobody_in_by_silence(
    server: ScimServer,
) -> None:
    ana = await server.user("ana", title="CFO", active=False)

    put = await server.ask(
        "PUT", f"/Users/{ana.id}", {"schemas": [USER], "userName": "ana", "id": "x"}
    )

    assert put.status == 200
    assert "title" not in put.body
    assert put.body["active"] is False
    assert put.id == ana.id


async def test_what_is_deleted_is_gone_and_its_id_with_it(server: ScimServer) -> None:
    ana = await server.user("ana")
    staff = await server.group("staff", ana.id)

    assert (await server.ask("DELETE", f"/Users/{ana.id}")).status == 204

    again = await server.user("ana")
    assert again.id != ana.id
    assert (await server.get(f"/Users/{ana.id}")).status == 404
    assert await server.members(staff.id) == set()
    assert (await server.get("/Users")).body["totalResults"] == 1


async def test_groups_are_shown_with_people_directly_and_through_others(
    server: ScimServer,
) -> None:
    ana = await server.user("ana")
    inner = await server.group("inner", ana.id)
    outer = await server.group("outer", inner.id)

    read = await server.get(f"/Users/{ana.id}")
    group = await server.get(f"/Groups/{outer.id}")

    assert [(g["display"], g["type"]) for g in read.body["groups"]] == [
        ("inner", "direct"),
        ("outer", "indirect"),
    ]
    assert group.body["members"] == [
        {
            "value": inner.id,
            "$ref": f"{server.base}/Groups/{inner.id}",
            "type": "Group",
        }
    ]


async def test_a_member_who_is_not_there_is_refused(server: ScimServer) -> None:
    group = await server.group("staff")

    said = await server.patch(
        f"/Groups/{group.id}",
        {"op": "add", "path": "members", "value": [{"value": "nobody"}]},
    )

    assert (said.status, said.body["scimType"]) == (400, "invalidValue")


async def test_a_search_by_post_is_the_same_as_one_by_get(server: ScimServer) -> None:
    for name in ("ana", "bob", "cyd"):
        await server.user(name, title="x" if name != "bob" else "y")
    await server.group("Ana's")

    body = {
        "schemas": [SEARCH],
        "filter": 'title eq "X"',
        "sortBy": "userName",
        "sortOrder": "descending",
        "attributes": ["userName"],
        "startIndex": 1,
        "count": 1,
    }
    posted = await server.ask("POST", "/Users/.search", body)
    got = await server.get(
        '/Users?filter=title eq "X"&sortBy=userName&sortOrder=descending'
        "&attributes=userName&startIndex=1&count=1"
    )
    both = await server.ask(
        "POST",
        "/.search",
        {"schemas": [SEARCH], "filter": 'userName sw "a" or displayName sw "ANA"'},
    )

    assert posted.body == got.body
    assert posted.body["totalResults"] == 2
    assert [r["userName"] for r in posted.body["Resources"]] == ["cyd"]
    assert set(posted.body["Resources"][0]) == {"schemas", "id", "userName"}
    kinds = [r["meta"]["resourceType"] for r in both.body["Resources"]]
    assert kinds == ["User", "Group"]


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("filter=userName", "invalidFilter"),
        ("filter=shoeSize eq 3", "invalidFilter"),
        ("filter=active gt true", "invalidFilter"),
        ("filter=userName eq 3", "invalidFilter"),
        ("filter=name eq %22x%22", "invalidFilter"),
        ('filter=meta.created gt "yesterday"', "invalidFilter"),
        ("filter=" + "(" * 3_000, "invalidFilter"),
        ("filter=" + "not (" * 500 + "title pr" + ")" * 500, "invalidFilter"),
        ("filter=" + "a" * 5_000, "invalidFilter"),
        ("startIndex=x", "invalidValue"),
        ("count=1.5", "invalidValue"),
        ("sortBy=shoeSize", "invalidPath"),
        ("sortBy=userName&sortOrder=up", "invalidValue"),
        ("attributes=id&excludedAttributes=name", "invalidSyntax"),
    ],
)
async def test_a_query_that_cannot_be_meant_is_refused(
    server: ScimServer, query: str, kind: str
) -> None:
    said = await server.get(f"/Users?{query}")

    assert (said.status, said.body["scimType"]) == (400, kind)


async def test_pages_count_from_one_and_none_is_the_number_alone(
    server: ScimServer,
) -> None:
    for number in range(5):
        await server.user(f"u{number}")

    async def page(query: str) -> tuple[int, int, int, list[str]]:
        body = (await server.get(f"/Users?{query}")).body
        names = [each["userName"] for each in body["Resources"]]
        return body["totalResults"], body["startIndex"], body["itemsPerPage"], names

    assert await page("count=0") == (5, 1, 0, [])
    assert await page("count=-3") == (5, 1, 0, [])
    assert await page("startIndex=0&count=2") == (5, 1, 2, ["u0", "u1"])
    assert await page("startIndex=4&count=9") == (5, 4, 2, ["u3", "u4"])
    assert await page("startIndex=6") == (5, 6, 0, [])
    assert await page("filter=userName pr&startIndex=2&count=1") == (5, 2, 1, ["u1"])


async def test_a_token_that_asks_too_often_is_told_when_to_come_back(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path, scim=ScimSettings(per_minute=3))
    async with scim_server(tmp_path, settings) as server:
        statuses = [(await server.get("/Users?count=0")).status for _ in range(4)]
        said = await server.get("/Users")

    assert statuses == [200, 200, 200, 429]
    assert 1 <= int(said.headers["Retry-After"]) <= 60


async def test_two_processes_count_a_token_together(
    tmp_path: Path, redis_url: str
) -> None:
    settings = Settings(home=tmp_path, scim=ScimSettings(per_minute=4))
    one, two = (
        RedisLimiter.at(redis_url, steady_us, lambda: 2, 0, 10.0) for _ in range(2)
    )
    async with scim_server(tmp_path, settings, limiter=one) as first:
        app = web.Application()
        first.core.scim.pages(two).add_routes(app)
        async with TestServer(app) as other:
            second = replace(first, base=str(other.make_url("/scim/v2")))
            statuses = [
                (await (first, second)[n % 2].get("/Users?count=0")).status
                for n in range(6)
            ]
    await one.aclose()
    await two.aclose()

    assert statuses == [200, 200, 200, 200, 429, 429]
