"""What every place for key-encryption keys promises: files, an HSM, a KMS."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pkcs11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import BadInput, StoreUnavailable
from bridge.keys import KeyEncryption, WrapBroken
from storage.compliance.keys import KeyFile
from storage.compliance.keys.hsm import HsmKeys
from storage.compliance.keys.kms import kms_keys
from tests.kms_server import TOKEN, KmsServer, running_kms
from tests.softhsm import PIN, SoftHsm

SECRET = bytes(range(32))


@pytest.fixture
def hsm(softhsm: SoftHsm) -> Iterator[HsmKeys]:
    made = HsmKeys(softhsm.module, softhsm.token, PIN, deadline=20)
    yield made
    made.close()


@pytest.fixture
async def kms() -> AsyncIterator[KmsServer]:
    async with running_kms() as server:
        yield server


@pytest.fixture(params=["file", "pkcs11", "kms"])
async def keys(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[KeyEncryption]:
    if request.param == "file":
        yield KeyFile.under(tmp_path)
    elif request.param == "pkcs11":
        yield request.getfixturevalue("hsm")
    else:
        async with running_kms() as server, kms_keys(server.url, TOKEN, 20) as made:
            yield made


@pytest.fixture
async def tenant(keys: KeyEncryption) -> str:
    """A company with one version; an HSM is the same for all tests."""
    made = f"acme-{uuid4().hex}"
    assert await keys.add(made, 1)
    return made


async def test_what_was_wrapped_is_unwrapped(keys: KeyEncryption, tenant: str) -> None:
    wrapped = await keys.wrap(tenant, 1, "ref", SECRET)

    assert await keys.unwrap(tenant, 1, "ref", wrapped) == SECRET
    assert SECRET not in wrapped
    assert await keys.wrap(tenant, 1, "ref", SECRET) != wrapped
    await keys.check(tenant, 1)


async def test_a_wrap_is_bound_to_company_reference_and_version(
    keys: KeyEncryption, tenant: str
) -> None:
    wrapped = await keys.wrap(tenant, 1, "ref", SECRET)
    other = f"{tenant}-2"
    await keys.add(other, 1)
    await keys.add(tenant, 2)

    for whose, version, ref in (
        (tenant, 1, "other"),
        (tenant, 2, "ref"),
        (other, 1, "ref"),
    ):
        with pytest.raises(WrapBroken):
            await keys.unwrap(whose, version, ref, wrapped)
    assert await keys.unwrap(tenant, 1, "ref", wrapped) == SECRET


@pytest.mark.parametrize("place", [0, 13, -1])
async def test_a_changed_wrap_does_not_open(
    keys: KeyEncryption, tenant: str, place: int
) -> None:
    wrapped = bytearray(await keys.wrap(tenant, 1, "ref", SECRET))
    wrapped[place] ^= 1

    for bad in (bytes(wrapped), bytes(wrapped)[:9], b""):
        with pytest.raises(WrapBroken):
            await keys.unwrap(tenant, 1, "ref", bad)


async def test_versions_are_made_once_and_listed(
    keys: KeyEncryption, tenant: str
) -> None:
    wrapped = await keys.wrap(tenant, 1, "ref", SECRET)

    assert await keys.add(tenant, 3)
    assert not await keys.add(tenant, 1)

    assert await keys.versions(tenant) == [1, 3]
    assert await keys.versions(tenant[:-1]) == []
    assert await keys.unwrap(tenant, 1, "ref", wrapped) == SECRET


async def test_what_has_no_key_says_so_and_is_not_taken_for_broken(
    keys: KeyEncryption, tenant: str
) -> None:
    for ask in (
        keys.check(tenant, 9),
        keys.wrap(tenant, 9, "ref", SECRET),
        keys.unwrap(tenant, 9, "ref", bytes(60)),
    ):
        with pytest.raises(BadInput):
            await ask


async def test_a_destroyed_version_opens_nothing_and_destroying_again_is_fine(
    keys: KeyEncryption, tenant: str
) -> None:
    await keys.add(tenant, 2)
    wrapped = await keys.wrap(tenant, 1, "ref", SECRET)

    for _ in range(2):
        await keys.destroy(tenant, 1)

    with pytest.raises(BadInput):
        await keys.unwrap(tenant, 1, "ref", wrapped)
    assert await keys.versions(tenant) == [2]


async def test_many_are_asked_at_once(keys: KeyEncryption, tenant: str) -> None:
    secrets = [bytes([n]) * 32 for n in range(40)]

    wrapped = await asyncio.gather(
        *(keys.wrap(tenant, 1, f"r{n}", s) for n, s in enumerate(secrets))
    )
    opened = await asyncio.gather(
        *(keys.unwrap(tenant, 1, f"r{n}", w) for n, w in enumerate(wrapped))
    )

    assert opened == secrets


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(secret=st.binary(min_size=32, max_size=32), ref=st.text("abc:|~é", max_size=80))
def test_any_secret_comes_back_from_a_file_under_any_reference(
    tmp_path: Path, secret: bytes, ref: str
) -> None:
    keys = KeyFile.under(tmp_path)
    keys.create("acme")

    async def there_and_back() -> bytes:
        wrapped = await keys.wrap("acme", 1, ref, secret)
        with pytest.raises(WrapBroken):
            await keys.unwrap("acme", 1, f"{ref}|1", wrapped)
        return await keys.unwrap("acme", 1, ref, wrapped)

    assert asyncio.run(there_and_back()) == secret


async def test_an_hsm_does_not_give_its_keys_away(
    hsm: HsmKeys, softhsm: SoftHsm
) -> None:
    tenant = f"acme-{uuid4().hex}"
    await hsm.add(tenant, 1)

    token = pkcs11.lib(str(softhsm.module)).get_token(token_label=softhsm.token)
    key = hsm._session.get_key(label=f"atom/{tenant}/1")
    assert token.label == "atom"
    assert key[pkcs11.Attribute.EXTRACTABLE] is False
    with pytest.raises(pkcs11.exceptions.AttributeSensitive):
        key[pkcs11.Attribute.VALUE]


async def test_an_hsm_that_is_not_there_or_takes_too_long_fails_closed(
    softhsm: SoftHsm, tmp_path: Path
) -> None:
    for wrong, error in (
        (HsmKeys(softhsm.module, softhsm.token, "wrong"), BadInput),
        (HsmKeys(tmp_path / "none.so", "atom", PIN), BadInput),
        (HsmKeys(softhsm.module, "elsewhere", PIN), BadInput),
        (HsmKeys(softhsm.module, softhsm.token, PIN, deadline=0.0), StoreUnavailable),
    ):
        with pytest.raises(error):
            await wrong.wrap("acme", 1, "ref", SECRET)
        with pytest.raises(error):
            await wrong.wrap("acme", 1, "ref", SECRET)
        wrong.close()


@pytest.mark.parametrize("fault", ["silent", "broken", "error", "redirect", "nonsense"])
async def test_a_kms_that_does_not_answer_clearly_fails_closed(
    kms: KmsServer, fault: str
) -> None:
    async with kms_keys(kms.url, TOKEN, 20) as keys:
        await keys.add("acme", 1)
        wrapped = await keys.wrap("acme", 1, "ref", SECRET)
    kms.fault = fault
    deadline = 0.2 if fault == "silent" else 20

    async with kms_keys(kms.url, TOKEN, deadline) as keys:
        for ask in (
            keys.versions("acme"),
            keys.wrap("acme", 1, "ref", SECRET),
            keys.unwrap("acme", 1, "ref", wrapped),
        ):
            with pytest.raises(StoreUnavailable):
                await ask


async def test_a_kms_is_told_the_context_and_refuses_strangers(kms: KmsServer) -> None:
    async with kms_keys(kms.url, TOKEN, 20) as keys:
        await keys.add("acme", 1)
        await keys.wrap("acme", 1, "ref", SECRET)
    async with kms_keys(kms.url, "stranger", 20) as keys:
        with pytest.raises(StoreUnavailable, match="403"):
            await keys.wrap("acme", 1, "ref", SECRET)

    assert kms.contexts == [{"tenant": "acme", "ref": "ref", "version": "1"}]
