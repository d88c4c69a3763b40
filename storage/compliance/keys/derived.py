"""
How persons' keys came to be before each had a random one: derived from the key file.

Entries of that time keep their references and stay readable. Nothing new is sealed
so, but for the pseudonym of who was heard of before, which has to stay the same.
"""

import hmac
from dataclasses import dataclass, field
from functools import lru_cache

from storage.compliance.keys.items import expand

PREFIX = "tenant:"


@dataclass(frozen=True, slots=True)
class TenantKey:
    """The secret in a company's first key file."""

    secret: bytes = field(repr=False)
    version: int = 1

    def reference(self, subject: str) -> str:
        """
        Return the name of a person's key, as the log keeps it.

        It does not tell who the person is without the tenant's secret.
        """
        return f"{PREFIX}{self.version}:{_subject_name(self.secret, subject)}"

    def subject(self, reference: str) -> bytes:
        """Return the key of the person that `reference` names."""
        return _subject(self.secret, reference)


@lru_cache(maxsize=65536)
def _subject_name(secret: bytes, subject: str) -> str:
    text = subject.encode("utf-8", "replace")
    return hmac.digest(secret, b"atom/subject|" + text, "sha256")[:16].hex()


@lru_cache(maxsize=65536)
def _subject(secret: bytes, reference: str) -> bytes:
    return expand(secret, b"atom/subject-key|" + reference.encode())
