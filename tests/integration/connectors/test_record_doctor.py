"""The doctor says of each business system whether ATOM gets in, and how to mend it."""

from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bots.doctor.findings import Finding, State
from bots.doctor.records import records
from bots.settings import Settings
from bots.settings_records import RecordSettings
from connectors.sandbox.hubspot.app import HubSpot
from connectors.sandbox.servicenow.app import ServiceNow
from tests.servers import free_port
from tests.stand_ins import Told, running

PUBLIC = "https://atom.acme.example"


@pytest.fixture
async def snow() -> AsyncIterator[Told]:
    async with running(ServiceNow()) as told:
        yield told


async def found(public: str | None = PUBLIC, **systems: object) -> list[Finding]:
    given = {"records": systems, "public_url": public}
    return [*await records(Settings.model_validate(given))]


def of(told: Told, **more: str) -> dict[str, str]:
    return {
        "system": told.stand_in.name,
        "url": told.url,
        "client_id": "atom",
        "client_secret": "atom-secret",
        **more,
    }


async def test_a_sound_system_lets_atom_in(snow: Told) -> None:
    assert await found(acme=of(snow)) == [
        Finding("records acme", State.OK, "ServiceNow lets ATOM in")
    ]
    assert await found() == []


async def test_a_wrong_secret_is_for_the_operator_and_is_not_told(snow: Told) -> None:
    [finding] = await found(acme=of(snow, client_secret="hush"))

    assert finding.state is State.FAIL
    assert "client id and secret" in finding.fix
    assert "hush" not in str(finding)


async def test_a_system_that_is_away_is_told_from_one_that_refuses() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    one = {"system": "jira", "url": url, "api_url": url, "auth": "token", "token": "x"}

    [finding] = await found(acme=one)

    assert finding.state is State.FAIL
    assert finding.detail == "Jira is not reached"


async def test_a_token_is_tried(snow: Told) -> None:
    async with running(HubSpot()) as told:
        name = next(iter(told.stand_in.users))
        token = told.stand_in.tokens.issue(name).access
        one = {
            "system": "hubspot",
            "url": told.url,
            "api_url": told.url,
            "auth": "token",
        }

        [good] = await found(hub=one | {"token": token})
        [bad] = await found(hub=one | {"token": "made-up"})

    assert good.state is State.WARN
    assert "no people" in good.detail
    assert bad.state is State.FAIL
    assert "does not let ATOM in" in bad.detail


async def test_people_need_an_address_to_come_back_to(snow: Told) -> None:
    [_, finding] = await found(None, acme=of(snow))

    assert finding.state is State.WARN
    assert "ATOM_PUBLIC_URL" in finding.fix


@pytest.mark.parametrize("sound", [True, False])
async def test_a_signed_sign_in_takes_a_key(*, sound: bool) -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    async with running(ServiceNow()) as told:
        one = RecordSettings.model_validate(
            {
                "system": "salesforce",
                "url": told.url,
                "auth": "jwt",
                "client_id": "atom",
                "username": "atom@acme.example",
                "private_key": text if sound else "no key",
            }
        )
        [finding] = await found(sf=one)

    # There is no Salesforce here: with a key it was asked, without one it was not.
    assert finding.state is State.FAIL
    assert ("said 404" in finding.detail) is sound
