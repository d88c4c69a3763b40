"""A company's keys move from a file into an HSM or a KMS, and stay usable."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.core import Core, core
from bots.doctor.findings import State
from bots.doctor.local import database, key_files
from bots.settings import KeySettings, Settings
from bridge.compliance import Duty, Officer
from bridge.errors import BadInput, StoreUnavailable
from bridge.messages import Person, Platform
from bridge.ports import Commitment
from tests.contract.test_journal import YES
from tests.databases import with_tables
from tests.events import message
from tests.kms_server import TOKEN, KmsServer, running_kms
from tests.patient import patient
from tests.softhsm import PIN, SoftHsm

ADA, BEN, CLARA = Officer("cli:ada"), Officer("cli:ben"), Officer("cli:clara")


@pytest.fixture
async def kms() -> AsyncIterator[KmsServer]:
    async with running_kms() as server:
        yield server


async def _said(built: Core, person: str, n: int) -> None:
    author = Person(Platform.SLACK, person, "somebody")
    event = message(ts=f"17.{n:06}", author=author)
    await built.journal.append(Commitment("acme", event, (YES,), ()))


async def _begun(home: Path) -> None:
    with_tables(home)
    async with core(patient(home), "tests") as built:
        await built.companies.create("acme", "Acme", "admin@acme.example")
        await built.ring.begin("acme")
        await built.duties.assign("acme", CLARA, CLARA, Duty.ASSIGN)
        await built.duties.assign("acme", CLARA, ADA, Duty.ERASE)
        await built.duties.assign("acme", CLARA, BEN, Duty.APPROVE)
        for n in range(6):
            await _said(built, f"U{n % 3}", n)


async def _moved(settings: Settings) -> None:
    """Rotate to where the settings say, and destroy the file."""
    async with core(settings, "tests") as built:
        await built.rotation.rotate("acme", ADA)
        asked = await built.rotation.ask_to_destroy("acme", ADA)
        await built.approvals.approve("acme", BEN, asked)
        assert await built.rotation.destroy_old("acme", ADA) == [1]
        await _said(built, "U9", 9)


async def _is_at(settings: Settings, provider: str) -> None:
    async with core(settings, "tests") as built:
        await built.require_company()
        assert (await built.log.verify("acme")).fault == ""
        versions = await built.ring.versions("acme")
        assert [(v.state, v.provider) for v in versions] == [
            ("destroyed", "file"),
            ("active", provider),
        ]
    assert not (settings.home / "keys" / "acme.key").exists()
    assert key_files(settings) == []
    found = await database(settings)
    assert ("wrapping keys", State.OK) in [(f.what, f.state) for f in found]


def _hsm_at(module: Path) -> KeySettings:
    return KeySettings(provider="pkcs11", module=module, pin=SecretStr(PIN))


async def test_keys_move_into_an_hsm(tmp_path: Path, softhsm: SoftHsm) -> None:
    await _begun(tmp_path)
    settings = patient(tmp_path, keys=_hsm_at(softhsm.module))

    await _moved(settings)

    await _is_at(settings, "pkcs11")


async def test_a_start_without_the_module_of_the_hsm_stops_and_names_the_setting(
    tmp_path: Path,
) -> None:
    await _begun(tmp_path)  # its key is in a file, so that no HSM is needed yet
    settings = patient(tmp_path, keys=_hsm_at(tmp_path / "none.so"))

    with pytest.raises(BadInput, match=r"^ATOM_KEYS_MODULE names \S+/none\.so, which"):
        async with core(settings, "tests") as built:
            await built.require_company()

    [found] = [f for f in await database(settings) if f.what == "wrapping keys"]
    assert found.state is State.FAIL
    assert "ATOM_KEYS_MODULE" in found.detail


@pytest.mark.parametrize("name", ["text.so", "libnowhere-at-all.so"])
async def test_the_doctor_finds_a_module_that_cannot_be_loaded(
    tmp_path: Path, name: str
) -> None:
    await _begun(tmp_path)
    (tmp_path / "text.so").write_text("no library")
    module = tmp_path / name if (tmp_path / name).exists() else Path(name)
    settings = patient(tmp_path, keys=_hsm_at(module))

    [found] = [f for f in await database(settings) if f.what == "wrapping keys"]

    assert found.state is State.FAIL
    assert f"ATOM_KEYS_MODULE names {module}" in found.detail


async def test_keys_move_into_a_kms(tmp_path: Path, kms: KmsServer) -> None:
    await _begun(tmp_path)
    keys = KeySettings(provider="kms", url=kms.url, secret=SecretStr(TOKEN))
    settings = patient(tmp_path, keys=keys)

    await _moved(settings)

    await _is_at(settings, "kms")


async def test_while_a_kms_is_away_who_is_known_goes_on_and_nothing_is_lost(
    tmp_path: Path, kms: KmsServer
) -> None:
    await _begun(tmp_path)
    keys = KeySettings(provider="kms", url=kms.url, secret=SecretStr(TOKEN))
    settings = patient(tmp_path, keys=keys)
    await _moved(settings)
    async with core(settings, "tests") as built:
        await _said(built, "U9", 10)
        asked = len(kms.asked)
        kms.fault = "error"

        await _said(built, "U9", 11)
        with pytest.raises(StoreUnavailable):
            await _said(built, "U7", 12)

        assert kms.asked[asked:] != []
    found = await database(settings)
    [wrapping] = [f for f in found if f.what == "wrapping keys"]
    assert wrapping.state is State.FAIL
    kms.fault = ""
    async with core(settings, "tests") as built:
        await _said(built, "U7", 12)
        assert (await built.log.verify("acme")).fault == ""
