"""
Tenants' key-encryption keys in a key management service, over HTTP.

The service is asked as the large clouds' are: Encrypt and Decrypt with a key's name, a
text of at most 4 kB and an encryption context, which the ciphertext is bound to. Each
is a POST of JSON to the address with the action's name, and a bearer token; bytes are
base64. docs/compliance-keys.md has the whole.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from bridge.errors import BadInput, StoreUnavailable
from bridge.keys import WrapBroken

_DEADLINE = 2.0  # seconds; a platform waits three for its answer
_OK = 200
_LARGEST = 64 * 1024  # bytes of an answer


@dataclass(frozen=True, slots=True)
class KmsKeys:
    """
    Implements `bridge.keys.KeyEncryption` with a service.

    Whatever is not a clear answer raises `StoreUnavailable`: nothing is sealed with a
    key that may not open again, and nothing called gone because nobody answers.
    """

    session: ClientSession
    url: str
    token: str = field(repr=False)
    provider: str = "kms"

    async def versions(self, tenant: str) -> list[int]:
        answer = await self._asked("ListVersions", {"KeyId": _name(tenant)})
        if answer is None:
            return []
        found = answer.get("Versions")
        if isinstance(found, list) and all(isinstance(each, int) for each in found):
            return sorted(found)
        raise StoreUnavailable(_UNCLEAR)

    async def add(self, tenant: str, version: int) -> bool:
        asked = {"KeyId": _name(tenant), "Version": version}
        answer = await self._asked("CreateVersion", asked)
        return answer is not None and answer.get("Created") is True

    async def check(self, tenant: str, version: int) -> None:
        secret = bytes(32)
        wrapped = await self.wrap(tenant, version, "check", secret)
        if await self.unwrap(tenant, version, "check", wrapped) != secret:
            raise StoreUnavailable("the KMS does not decrypt what it encrypted")

    async def wrap(self, tenant: str, version: int, ref: str, secret: bytes) -> bytes:
        asked = {**_about(tenant, version, ref), "Plaintext": _text(secret)}
        return await self._bytes("Encrypt", asked, "CiphertextBlob")

    async def unwrap(
        self, tenant: str, version: int, ref: str, wrapped: bytes
    ) -> bytes:
        asked = {**_about(tenant, version, ref), "CiphertextBlob": _text(wrapped)}
        return await self._bytes("Decrypt", asked, "Plaintext")

    async def destroy(self, tenant: str, version: int) -> None:
        asked = {"KeyId": _name(tenant), "Version": version}
        await self._asked("DestroyVersion", asked)

    async def _bytes(self, action: str, asked: Mapping[str, Any], name: str) -> bytes:
        answer = await self._asked(action, asked)
        if answer is None:
            version, key = asked["Version"], asked["KeyId"]
            raise BadInput(f"the KMS has no version {version} of key {key}")
        try:
            return base64.b64decode(answer[name], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise StoreUnavailable(_UNCLEAR) from error

    async def _asked(
        self, action: str, asked: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Ask and return the answer; None says that there is no such key."""
        try:
            async with self.session.post(
                f"{self.url.rstrip('/')}/{action}",
                data=orjson.dumps(asked),
                headers={
                    "Authorization": f"Bearer {self.token}",
                    "Content-Type": "application/json",
                },
                allow_redirects=False,
            ) as answer:
                status, text = answer.status, await answer.content.read(_LARGEST)
        except (
            ClientError,
            OSError,
            TimeoutError,
            asyncio.IncompleteReadError,
        ) as error:
            raise StoreUnavailable("the KMS does not answer") from error
        return _read(status, text)


@asynccontextmanager
async def kms_keys(
    url: str, token: str, deadline: float = _DEADLINE
) -> AsyncIterator[KmsKeys]:
    """Open connections to a service, and close them at the end."""
    async with ClientSession(timeout=ClientTimeout(total=deadline)) as session:
        yield KmsKeys(session, url, token)


_UNCLEAR = "the KMS answers what cannot be understood"


def _read(status: int, text: bytes) -> Mapping[str, Any] | None:
    try:
        answer = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise StoreUnavailable(f"the KMS answers {status}") from error
    if not isinstance(answer, dict):
        raise StoreUnavailable(_UNCLEAR)
    if status == _OK:
        return answer
    match answer.get("Error"):
        case "InvalidCiphertext":
            raise WrapBroken("the KMS refuses a wrapped key: changed, or another's")
        case "NotFound":
            return None
        case _:
            raise StoreUnavailable(f"the KMS answers {status}")


def _name(tenant: str) -> str:
    return f"atom/{tenant}"


def _about(tenant: str, version: int, ref: str) -> dict[str, Any]:
    context = {"tenant": tenant, "ref": ref, "version": str(version)}
    return {"KeyId": _name(tenant), "Version": version, "EncryptionContext": context}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
