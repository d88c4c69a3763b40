"""
The tenant's secrets: one key file each, readable by its owner alone.

Every key below it is derived (HKDF, RFC 5869): a key per person from the tenant's,
and from that a key per log entry. Bodies are sealed with AES-256-GCM (NIST SP
800-38D) under the entry's own key, so a nonce is never used twice.
"""

import hmac
import os
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.errors import AtomError, BadInput

KEY_BYTES = 32
_OWNER_ONLY = 0o600
_NONCE = bytes(12)


class SealBroken(AtomError):
    """A log entry's body does not open with its key: it was changed."""


@dataclass(frozen=True, slots=True)
class ItemKey:
    """What one log entry is sealed, committed and opened with."""

    secret: bytes = field(repr=False)

    def seal(self, plaintext: bytes, purpose: bytes) -> bytes:
        """Encrypt. Every key seals one text per purpose, hence the fixed nonce."""
        return AESGCM(_expand(self.secret, purpose)).encrypt(_NONCE, plaintext, purpose)

    def open(self, sealed: bytes, purpose: bytes) -> bytes:
        """Decrypt, or raise `SealBroken`."""
        try:
            return AESGCM(_expand(self.secret, purpose)).decrypt(
                _NONCE, sealed, purpose
            )
        except InvalidTag as error:
            raise SealBroken("the entry does not open with its key") from error

    def commitment(self, content: bytes) -> bytes:
        """Commit to `content` without letting it be guessed from the commitment."""
        nonce = hmac.digest(self.secret, b"commit-nonce", "sha256")
        return commitment(nonce, content)


def commitment(nonce: bytes, content: bytes) -> bytes:
    """Return HMAC-SHA256(nonce, "atom/content/v1" 0x00 content)."""
    return hmac.digest(nonce, b"atom/content/v1\x00" + content, "sha256")


@dataclass(frozen=True, slots=True)
class TenantKey:
    """The secret that a tenant's other keys come from."""

    secret: bytes = field(repr=False)
    version: int = 1

    def reference(self, subject: str) -> str:
        """
        Return the name of a person's key, as the log keeps it.

        It does not tell who the person is without the tenant's secret.
        """
        return f"tenant:{self.version}:{_subject_name(self.secret, subject)}"

    def actor_token(self, reference: str) -> bytes:
        """Return the pseudonym under which a person stands in the log."""
        return hmac.digest(_subject(self.secret, reference), b"actor", "sha256")[:16]

    def item(self, reference: str, entry_id: str) -> ItemKey:
        """Return the key of one log entry of the person that `reference` names."""
        return ItemKey(_expand(_subject(self.secret, reference), entry_id.encode()))


@lru_cache(maxsize=65536)
def _subject_name(secret: bytes, subject: str) -> str:
    text = subject.encode("utf-8", "replace")
    return hmac.digest(secret, b"atom/subject|" + text, "sha256")[:16].hex()


@lru_cache(maxsize=65536)
def _subject(secret: bytes, reference: str) -> bytes:
    return _expand(secret, b"atom/subject-key|" + reference.encode())


def _expand(key: bytes, info: bytes) -> bytes:
    """HKDF-Expand with SHA-256 to one block, RFC 5869 section 2.3."""
    return hmac.digest(key, info + b"\x01", sha256)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Tenant keys in files under `ATOM_HOME/keys`, mode 0600."""

    folder: Path

    @classmethod
    def under(cls, home: Path) -> "KeyFile":
        return cls(home / "keys")

    def path(self, tenant: str) -> Path:
        return self.folder / f"{tenant}.key"

    def create(self, tenant: str) -> bool:
        """Make the tenant's key. Returns False, and changes nothing, if it has one."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            file = os.open(self.path(tenant), flags, _OWNER_ONLY)
        except FileExistsError:
            return False
        with os.fdopen(file, "wb") as stream:
            stream.write(token_bytes(KEY_BYTES).hex().encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        return True

    def load(self, tenant: str) -> TenantKey:
        """Read the tenant's key, or raise `BadInput` saying what is wrong with it."""
        path = self.path(tenant)
        try:
            mode, text = path.stat().st_mode & 0o777, path.read_text().strip()
            secret = bytes.fromhex(text)
        except FileNotFoundError as error:
            raise BadInput(
                f"{path} is missing: run 'atom setup', or restore it from a backup"
            ) from error
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be read as a key file") from error
        if mode & 0o077:
            raise BadInput(f"{path} is readable by others: run 'chmod 600 {path}'")
        if len(secret) != KEY_BYTES:
            raise BadInput(f"{path} does not hold {KEY_BYTES} bytes in hexadecimal")
        return TenantKey(secret)
