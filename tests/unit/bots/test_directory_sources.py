"""Sources are made from settings, and settings that cannot be meant are refused."""

import hmac
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from bots.directory_hooks import DirectoryHooks
from bots.directory_settings import DirectorySettings, SourceSettings
from bots.directory_side import Means, source_of
from bots.directory_sources import hook_secret
from bridge.directory.model import Reading, Standing
from bridge.directory.ports import Source
from bridge.errors import BadInput
from connectors.sandbox.hr.app import create_app
from connectors.sandbox.hr.company import Company
from policy.directory.entra.source import EntraSource
from policy.directory.hr.source import HrSource
from tests.sandbox import serving

_ENTRA: dict[str, Any] = {
    "name": "entra",
    "kind": "entra",
    "tenant_id": "7E4A",
    "client_id": "app",
    "client_secret": "s3cret",
}
_BAMBOO: dict[str, Any] = {
    "name": "hr",
    "kind": "bamboohr",
    "url": "https://h/v1",
    "token": "key",
}
_WORKDAY: dict[str, Any] = {
    "name": "hr",
    "kind": "workday",
    "url": "https://h/workers",
    "client_id": "c",
    "client_secret": "s",
    "token": "r",
    "options": {"token_url": "https://h/token"},
}


def clock_us() -> int:
    return time.time_ns() // 1000


async def made(given: dict[str, Any]) -> Source:
    async with ClientSession() as session:
        return source_of(SourceSettings(**given), Means(session, clock_us))


async def read(source: Source) -> Reading:
    [reading] = [one async for one in source.read(b"")]
    return reading


async def test_entra_is_made_with_its_cloud_and_mapping() -> None:
    options = {"cloud": "us-government", "poll": 30, "mail_lists": True}
    source = await made(
        {**_ENTRA, "options": options, "attributes": {"clearance": "faxNumber"}}
    )

    assert isinstance(source, EntraSource)
    assert source.graph.base == "https://graph.microsoft.us/v1.0"
    assert (source.shape.tenant, source.poll) == ("7e4a", 30.0)
    assert source.shape.mail_lists
    assert "faxNumber" in source.shape.user_select
    assert source.subscriptions is None


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"url": "zzz"}, "ATOM_DIRECTORY_URL: not a directory server: 'zzz'"),
        ({"url": "ldaps://h", "base": "dc=x"}, "ATOM_DIRECTORY_URL: say which account"),
        (
            {"sources": [{"name": "ad", "kind": "active-directory", "url": "zzz"}]},
            "directory source ad: not a directory server: 'zzz'",
        ),
        (
            {"sources": [{"name": "ad", "kind": "yaml"}]},
            "The source ad needs the path",
        ),
    ],
)
async def test_what_is_wrong_is_told_with_where_it_stands(
    given: dict[str, Any], line: str
) -> None:
    [settings] = DirectorySettings(**given).all_sources

    with pytest.raises(BadInput) as told:
        source_of(settings, Means(None, clock_us))

    assert str(told.value).startswith(line)


async def test_entra_subscribes_where_graph_may_call() -> None:
    url = "https://atom.acme.example/hooks/directory/entra"
    given = {**_ENTRA, "options": {"notice_url": url}}

    source = await made(given)

    assert isinstance(source, EntraSource)
    assert source.subscriptions is not None
    assert source.subscriptions.url == url
    assert source.subscriptions.secret == hook_secret(SourceSettings(**given))
    assert "s3cret" not in source.subscriptions.secret
    assert hook_secret(SourceSettings(**_ENTRA)) == ""


async def test_a_csv_file_is_read_as_it_is_laid_out(tmp_path: Path) -> None:
    path = tmp_path / "hr.csv"
    path.write_text(
        "Nr;Name;Abteilung;Stufe;Ende\n7;Ana;Einkauf;2;01.02.2020\n", "utf-8"
    )
    given = {
        "name": "hr",
        "kind": "hr-csv",
        "path": path,
        "attributes": {
            "id": "Nr",
            "name": "Name",
            "department": "Abteilung",
            "last_day": "Ende",
            "clearance": "Stufe",
        },
        "options": {"dates": "%d.%m.%Y", "zone": "Europe/Berlin", "ahead": 14},
    }

    reading = await read(await made(given))

    [ana] = reading.entries
    assert (ana.id, ana.name, ana.standing) == ("7", "Ana", Standing.LEFT)
    assert ana.attributes["clearance"] == "2"
    assert ana.attributes["department"] == "Einkauf"


async def test_bamboohr_is_read_with_its_own_fields() -> None:
    company = Company()
    company.change("7", {"displayName": "Ana", "customHuman": "h1", "customRoom": "4"})
    async with serving(create_app(company)) as base, ClientSession() as session:
        given = {
            **_BAMBOO,
            "url": f"{base}/bamboohr/api/gateway.php/acme/v1",
            "token": company.bamboo_key,
            "attributes": {"person": "customHuman", "room": "customRoom"},
        }
        source = source_of(SourceSettings(**given), Means(session, clock_us))
        reading = await read(source)

    [ana] = reading.entries
    assert ana.attributes["person_id"] == "h1"
    assert ana.attributes["room"] == "4"


async def test_workday_is_read_with_its_own_places() -> None:
    company = Company()
    company.workers.append({"nr": 7, "descriptor": "Ana", "team": {"name": "Legal"}})
    async with serving(create_app(company)) as base, ClientSession() as session:
        given = {
            **_WORKDAY,
            "url": f"{base}/workday/ccx/api/staffing/v6/acme/workers",
            "client_id": company.client[0],
            "client_secret": company.client[1],
            "token": company.refresh_token,
            "attributes": {"id": "nr", "department": "team.name"},
            "options": {"token_url": f"{base}/workday/ccx/oauth2/acme/token"},
        }
        source = source_of(SourceSettings(**given), Means(session, clock_us))
        reading = await read(source)

    [ana] = reading.entries
    assert (ana.id, ana.attributes["department"]) == ("7", "Legal")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({**_ENTRA, "tenant_id": ""}, "needs tenant_id"),
        ({**_ENTRA, "client_secret": None}, "needs client_secret, or the option"),
        ({**_ENTRA, "options": {"cloud": "moon"}}, "cloud must be one of global"),
        ({**_ENTRA, "options": {"certificate": "/nowhere.pem"}}, "cannot be read"),
        ({**_ENTRA, "options": {"pol": 5}}, "an option 'pol'"),
        ({**_ENTRA, "options": {"poll": "often"}}, "poll has to be a number"),
        (
            {**_ENTRA, "options": {"mail_lists": 1}},
            "mail_lists has to be true or false",
        ),
        ({"name": "hr", "kind": "hr-csv"}, "needs path"),
        (
            {"name": "hr", "kind": "hr-csv", "path": "x", "options": {"zone": "Mars"}},
            "'Mars' is no time zone",
        ),
        ({**_BAMBOO, "token": None}, "needs token"),
        ({**_BAMBOO, "url": ""}, "needs url"),
        ({**_WORKDAY, "options": {}}, "needs the option token_url"),
        ({**_WORKDAY, "token": None}, "needs client_secret and token"),
    ],
)
async def test_settings_that_cannot_be_meant_are_refused(
    given: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadInput, match=reason):
        await made(given)


async def _called(
    source: object, secrets: dict[str, str], headers: dict[str, str], body: bytes
) -> int:
    app = web.Application()
    DirectoryHooks({"hr": source}, secrets, lambda: 1_000_000.0).add_routes(app)
    async with serving(app) as base, ClientSession() as session:
        url = f"{base}/hooks/directory/hr"
        async with session.post(url, data=body, headers=headers) as answer:
            return answer.status


_BODY = b'{"type": "employee.updated"}'
# HMAC-SHA256 of the body and the time, by the key, in hexadecimal.
_SIGNED = "X-BambooHR-Signature"
_AT = "X-BambooHR-Timestamp"


@pytest.mark.parametrize(
    ("secret", "headers", "status"),
    [
        ("key", {"Authorization": "Bearer key"}, 202),
        ("key", {"Authorization": "Bearer other"}, 403),
        ("key", {}, 403),
        ("", {"Authorization": "Bearer "}, 403),
        ("key", {_SIGNED: "good", _AT: "999990"}, 202),
        ("key", {_SIGNED: "good", _AT: "900000"}, 403),
        ("key", {_SIGNED: "bad", _AT: "999990"}, 403),
        ("key", {_SIGNED: "good", _AT: "now"}, 403),
    ],
)
async def test_only_whoever_knows_the_secret_wakes_a_source(
    secret: str, headers: dict[str, str], status: int
) -> None:
    source = await made(_BAMBOO)
    assert isinstance(source, HrSource)
    if headers.get(_SIGNED) == "good":
        at = headers[_AT]
        good = hmac.digest(b"key", _BODY + at.encode(), "sha256").hex()
        headers = {**headers, _SIGNED: good}

    assert await _called(source, {"hr": secret}, headers, _BODY) == status
    assert source._woken.is_set() is (status == 202)
