"""
What one log entry is sealed, committed and opened with.

An entry's key is derived (HKDF, RFC 5869) from its person's key and the entry's id,
so it need not be kept. Bodies are sealed with AES-256-GCM (NIST SP 800-38D) under the
entry's own key, so a nonce is never used twice.
"""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.errors import AtomError

KEY_BYTES = 32
_NONCE = bytes(12)


class SealBroken(AtomError):
    """A log entry's body does not open with its key: it was changed."""


@dataclass(frozen=True, slots=True)
class ItemKey:
    """The key of one log entry."""

    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, subject: bytes, entry_id: str) -> "ItemKey":
        """Derive the key of one of the entries under a subject key."""
        return cls(expand(subject, entry_id.encode()))

    def seal(self, plaintext: bytes, purpose: bytes) -> bytes:
        """Encrypt. Every key seals one text per purpose, hence the fixed nonce."""
        return AESGCM(expand(self.secret, purpose)).encrypt(_NONCE, plaintext, purpose)

    def open(self, sealed: bytes, purpose: bytes) -> bytes:
        """Decrypt, or raise `SealBroken`."""
        try:
            return AESGCM(expand(self.secret, purpose)).decrypt(_NONCE, sealed, purpose)
        except InvalidTag as error:
            raise SealBroken("the entry does not open with its key") from error

    def commitment(self, content: bytes) -> bytes:
        """Commit to `content` without letting it be guessed from the commitment."""
        nonce = hmac.digest(self.secret, b"commit-nonce", "sha256")
        return commitment(nonce, content)


def commitment(nonce: bytes, content: bytes) -> bytes:
    """Return HMAC-SHA256(nonce, "atom/content/v1" 0x00 content)."""
    return hmac.digest(nonce, b"atom/content/v1\x00" + content, "sha256")


def actor_token(subject: bytes) -> bytes:
    """Return the pseudonym under which the key's person stands in the log."""
    return hmac.digest(subject, b"actor", "sha256")[:16]


def expand(key: bytes, info: bytes) -> bytes:
    """HKDF-Expand with SHA-256 to one block, RFC 5869 section 2.3."""
    return hmac.digest(key, info + b"\x01", sha256)
