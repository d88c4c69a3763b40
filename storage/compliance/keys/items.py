"""
What one log entry is sealed, committed and opened with.

An entry's key is derived (HKDF, RFC 5869) from its person's key and the entry's id,
so it need not be kept. Bodies are sealed with AES-256-GCM (NIST SP 800-38D) under the
entry's own key, so a nonce is never used twice.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.errors import AtomError

KEY_BYTES = 32
_NONCE = bytes(12)
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


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

    @property
    def nonce(self) -> bytes:
        """What opens the entry's commitments, and nothing else."""
        return mac(self.secret, b"commit-nonce")

    def commitment(self, content: bytes) -> bytes:
        """Commit to `content` without letting it be guessed from the commitment."""
        return commitment(self.nonce, content)


def commitment(nonce: bytes, content: bytes) -> bytes:
    """Return HMAC-SHA256(nonce, "atom/content/v1" 0x00 content)."""
    return mac(nonce, b"atom/content/v1\x00" + content)


def actor_token(subject: bytes) -> bytes:
    """Return the pseudonym under which the key's person stands in the log."""
    return mac(subject, b"actor")[:16]


def expand(key: bytes, info: bytes) -> bytes:
    """HKDF-Expand with SHA-256 to one block, RFC 5869 section 2.3."""
    return mac(key, info + b"\x01")


def mac(key: bytes, data: bytes) -> bytes:
    """
    HMAC-SHA256, RFC 2104.

    `hmac.digest` says the same. With OpenSSL 3 it looks the hash up anew for each
    call, which takes longer than hashing what is hashed here.
    """
    padded = (key if len(key) <= _BLOCK else sha256(key).digest()).ljust(_BLOCK, b"\0")
    inner = sha256(padded.translate(_INNER) + data).digest()
    return sha256(padded.translate(_OUTER) + inner).digest()
