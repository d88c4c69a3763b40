"""The stand-in does as the vendor's documentation says, above all where it says no."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession

from connectors.sandbox.salesforce import Salesforce as Org
from tests.stand_ins import Told

DATA = "/services/data/v62.0"
BACK = "http://127.0.0.1:1/back"


class Web:
    """Asks the org as somebody; returns status, JSON and headers."""

    def __init__(self, session: ClientSession, told: Told) -> None:
        assert isinstance(told.stand_in, Org)
        self.session = session
        self.told = told
        self.org = told.stand_in

    async def ask(
        self, who: str, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any, Mapping[str, str]]:
        token = self.org.tokens.issue(who).access
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        async with self.session.request(
            method,
            f"{self.told.url}{DATA}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}", **sent},
        ) as answer:
            text = await answer.text()
            return (
                answer.status,
                await answer.json() if text else None,
                answer.headers,
            )


@pytest.fixture
async def web(told: Told) -> AsyncIterator[Web]:
    async with ClientSession() as session:
        yield Web(session, told)


async def test_people_sign_in_with_a_code_and_pkce(web: Web) -> None:
    verifier = "v" * 50
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": "atom",
        "redirect_uri": BACK,
        "state": "s1",
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    page = f"{web.told.url}/services/oauth2/authorize"
    async with web.session.get(page, params=asked) as shown:
        text = await shown.text()
    assert "Sign in as Bob Stone" in text
    assert len(re.findall('name="user"', text)) == len(web.org.users)

    async with web.session.post(
        page, params=asked, data={"user": "bob"}, allow_redirects=False
    ) as chosen:
        back = parse_qs(urlsplit(chosen.headers["Location"]).query)
    assert back["state"] == ["s1"]

    form = {
        "grant_type": "authorization_code",
        "client_id": "atom",
        "client_secret": "atom-secret",
        "redirect_uri": BACK,
        "code": back["code"][0],
    }
    address = f"{web.told.url}/services/oauth2/token"
    async with web.session.post(address, data={**form, "code_verifier": "x"}) as wrong:
        assert wrong.status == 400
        assert (await wrong.json())["error"] == "invalid_grant"
    # A code is good for one try.
    async with web.session.post(
        address, data={**form, "code_verifier": verifier}
    ) as late:
        assert late.status == 400


async def test_tokens_are_renewed_and_revoked(web: Web) -> None:
    grant = web.org.tokens.issue("bob")
    form = {
        "grant_type": "refresh_token",
        "client_id": "atom",
        "client_secret": "atom-secret",
        "refresh_token": grant.refresh,
    }
    base = f"{web.told.url}/services/oauth2"
    async with web.session.post(f"{base}/token", data=form) as answer:
        told = await answer.json()
    assert told["instance_url"] == web.told.url
    assert "expires_in" not in told
    assert web.org.tokens.user_of(told["access_token"]) == "bob"

    async with web.session.post(
        f"{base}/revoke", data={"token": grant.refresh}
    ) as answer:
        assert answer.status == 200
    assert web.org.tokens.user_of(told["access_token"]) is None
    async with web.session.post(f"{base}/token", data=form) as answer:
        assert answer.status == 400


async def test_a_token_runs_out(web: Web) -> None:
    grant = web.org.tokens.issue("bob")
    web.org.clock.move(7201)

    headers = {"Authorization": f"Bearer {grant.access}"}
    async with web.session.get(
        f"{web.told.url}{DATA}/sobjects/Case/describe", headers=headers
    ) as answer:
        assert answer.status == 401
        (error,) = await answer.json()
    assert error["errorCode"] == "INVALID_SESSION_ID"


async def test_a_hidden_field_looks_like_one_that_does_not_exist(web: Web) -> None:
    answers = []
    for name in ("Amount", "Amaunt"):
        status, body, _headers = await web.ask(
            "bob", "GET", f"query/?q=SELECT+Id,{name}+FROM+Opportunity"
        )
        answers.append(
            (status, body[0]["message"].replace(name, "X"), body[0]["errorCode"])
        )

    assert answers[0] == answers[1]
    assert answers[0][2] == "INVALID_FIELD"
    status, _body, _headers = await web.ask(
        "dana", "GET", "query/?q=SELECT+Id,Amount+FROM+Opportunity"
    )
    assert status == 200


async def test_conditions_are_held_to_the_second_and_etags_for_accounts_alone(
    web: Web,
) -> None:
    case, globex = web.org.ids["crash"], web.org.ids["globex"]
    old = "Sun, 01 Nov 2020 00:00:00 GMT"
    path = f"sobjects/Case/{case}"
    status, _body, _headers = await web.ask(
        "bob", "PATCH", path, {"Priority": "Low"}, If_Unmodified_Since=old
    )
    assert status == 412
    status, _body, _headers = await web.ask(
        "bob", "PATCH", path, {"Priority": "Low"}, If_Match='"no--gzip"'
    )
    assert status == 204  # not looked at
    status, _body, _headers = await web.ask(
        "bob", "PATCH", path, {"Priority": "Low"}, If_Unmodified_Since="soon"
    )
    assert status == 400

    path = f"sobjects/Account/{globex}"
    _status, _body, headers = await web.ask("bob", "GET", path)
    status, _body, _headers = await web.ask(
        "bob", "PATCH", path, {"Phone": "1"}, If_Match=headers["ETag"]
    )
    assert status == 204
    status, _body, _headers = await web.ask(
        "bob", "PATCH", path, {"Phone": "2"}, If_Match=headers["ETag"]
    )
    assert status == 412


async def test_deleting_takes_no_condition(web: Web) -> None:
    status, _body, _headers = await web.ask(
        "bob",
        "DELETE",
        f"sobjects/Case/{web.org.ids['invoice']}",
        If_Unmodified_Since="Sun, 01 Nov 2020 00:00:00 GMT",
    )
    assert status == 204


async def test_a_composite_succeeds_although_all_of_it_fails(web: Web) -> None:
    url = f"{DATA}/sobjects/Case"
    parts = [
        {"method": "POST", "url": url, "referenceId": "a", "body": {"Subject": "x"}},
        {
            "method": "POST",
            "url": f"{DATA}/sobjects/CaseComment",
            "referenceId": "b",
            "body": {"ParentId": "@{a.id}", "CommentBody": "x" * 4001},
        },
    ]
    before = len(web.org.rows.rows["Case"])

    status, body, headers = await web.ask(
        "bob", "POST", "composite", {"allOrNone": True, "compositeRequest": parts}
    )

    assert status == 200
    told = {one["referenceId"]: one for one in body["compositeResponse"]}
    assert told["a"]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert told["b"]["body"][0]["errorCode"] == "STRING_TOO_LONG"
    assert len(web.org.rows.rows["Case"]) == before
    assert headers["Sforce-Limit-Info"] == "api-usage=1/15000"

    parts[1]["body"] = {"ParentId": "@{a.id}", "CommentBody": "fits"}
    status, body, _headers = await web.ask(
        "bob", "POST", "composite", {"allOrNone": True, "compositeRequest": parts}
    )
    assert [one["httpStatusCode"] for one in body["compositeResponse"]] == [201, 201]


async def test_too_many_parts_are_refused(web: Web) -> None:
    query = {"method": "GET", "url": f"{DATA}/query/?q=SELECT+Id+FROM+Case"}
    parts = [{**query, "referenceId": f"r{n}"} for n in range(6)]

    status, body, _headers = await web.ask(
        "bob", "POST", "composite", {"compositeRequest": parts}
    )

    assert (status, body[0]["errorCode"]) == (400, "LIMIT_EXCEEDED")


async def test_collections_tell_of_each_record(web: Web) -> None:
    good = {"attributes": {"type": "Contact"}, "LastName": "Good"}
    bad = {"attributes": {"type": "Contact"}, "FirstName": "Bad"}

    status, body, _headers = await web.ask(
        "bob", "POST", "composite/sobjects", {"records": [good, bad]}
    )

    assert status == 200
    assert [one["success"] for one in body] == [True, False]
    assert body[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    status, rows, _headers = await web.ask(
        "bob",
        "POST",
        "composite/sobjects/Opportunity",
        {"ids": [web.org.ids["renewal"], web.org.ids["secret"]], "fields": ["Name"]},
    )
    assert rows[0]["Name"].startswith("Globex")
    assert rows[1] is None


@pytest.mark.parametrize(
    "query",
    [
        "SELECT Id FROM Case WHERE Subject = 'it's'",
        "SELECT Id FROM Case WHERE",
        "SELECT FROM Case",
        "SELECT Id FROM Case; DELETE",
        "SELECT Id FROM Case WHERE Id IN ()",
        "SELECT * FROM Case",
        "SELECT Id FROM Case LIMIT 1 LIMIT 2",
    ],
)
async def test_what_is_not_understood_is_malformed(web: Web, query: str) -> None:
    token = web.org.tokens.issue("bob").access
    async with web.session.get(
        f"{web.told.url}{DATA}/query/",
        params={"q": query},
        headers={"Authorization": f"Bearer {token}"},
    ) as answer:
        assert answer.status == 400
        assert (await answer.json())[0]["errorCode"] == "MALFORMED_QUERY"


async def test_nobody_without_a_token_learns_anything(web: Web) -> None:
    async with web.session.get(f"{web.told.url}{DATA}/sobjects") as answer:
        assert answer.status == 401


async def test_controls_over_http(web: Web) -> None:
    url = web.told.url
    wish = {"match": "GET */limits", "kind": "status", "arg": 503}
    async with web.session.post(f"{url}/__fault", json=wish) as answer:
        assert answer.status == 200
    async with web.session.post(f"{url}/__fault", json={"kind": "nonsense"}) as answer:
        assert answer.status == 400
    status, body, _headers = await web.ask("bob", "GET", "limits")
    assert (status, body[0]["errorCode"]) == (503, "SERVER_UNAVAILABLE")
    async with web.session.get(f"{url}/__journal") as answer:
        (entry,) = await answer.json()
    assert (entry["path"], entry["user"], entry["fault"]) == (
        f"{DATA}/limits",
        "bob",
        "status",
    )
    async with web.session.post(f"{url}/__reset") as answer:
        assert answer.status == 200
    assert web.org.journal.all() == []


async def test_a_link_opens_a_page_without_fields(web: Web) -> None:
    base = f"{web.told.url}/lightning/r/Opportunity"
    async with web.session.get(f"{base}/{web.org.ids['renewal']}/view") as answer:
        text = await answer.text()
    assert "Globex – platform renewal FY27" in text
    assert "1284500" not in text

    async with web.session.get(f"{base}/{web.org.ids['secret']}/view") as answer:
        assert "Kestrel" not in await answer.text()
    async with web.session.get(f"{base}/{'x' * 15}/view") as answer:
        assert answer.status == 404
