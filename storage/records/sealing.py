"""
What is kept about records and must not be read in the database: sealed.

Lines that wait for a digest are sealed with a key of the company's; people's tokens
each with a key of their own, which is destroyed with them (`storage.records.accounts`).
"""

from dataclasses import dataclass
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.compliance.keys import Keyring, SealBroken

_NONCE = 12


def seal(key: bytes, text: bytes, about: str) -> bytes:
    """Encrypt with AES-256-GCM; `about` says what it belongs to, and is not kept."""
    nonce = token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, text, about.encode("utf-8", "replace"))


def unseal(key: bytes, sealed: bytes, about: str) -> bytes:
    """Decrypt. Raises `SealBroken` if it was changed, or is about something else."""
    nonce, rest = sealed[:_NONCE], sealed[_NONCE:]
    try:
        return AESGCM(key).decrypt(nonce, rest, about.encode("utf-8", "replace"))
    except InvalidTag as error:
        raise SealBroken("what is kept does not open with its key") from error


@dataclass(frozen=True, slots=True)
class CompanySeal:
    """Seals for a company, under its key-encryption key's protection."""

    keys: Keyring

    async def seal(self, tenant: str, text: str, about: str) -> bytes:
        return seal(await self._key(tenant), text.encode("utf-8", "replace"), about)

    async def unseal(self, tenant: str, sealed: bytes, about: str) -> str:
        """Raises `SealBroken`."""
        return unseal(await self._key(tenant), sealed, about).decode()

    async def _key(self, tenant: str) -> bytes:
        return (await self.keys.company(tenant)).secret("records")
