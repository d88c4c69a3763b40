"""
Certificates of erasure: what was erased, in a note that anybody can check.

The text is the line `atom-erasure/v1` and a line of JSON, signed with the company's
key. It names nobody: `person` is SHA-256 of the salt, `|` and the person, and whoever
is to know gets the salt beside it.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

import orjson

from bridge.errors import BadInput
from storage.compliance.leaf import canonical
from storage.compliance.proofs.notes import VerifierKey, opened

_TITLE = "atom-erasure/v1"


class Signer(Protocol):
    """Who signs notes for a company."""

    async def sign(self, tenant: str, text: str) -> str:
        """Return a note of `text`, which ends with a newline."""
        ...


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is said, and the note that says it."""

    said: Mapping[str, Any]
    note: str


async def issued(signer: Signer, tenant: str, said: Mapping[str, Any]) -> Certificate:
    """Sign what is said of an erasure."""
    text = f"{_TITLE}\n{canonical(said).decode()}\n"
    return Certificate(said, await signer.sign(tenant, text))


def checked(note: str, keys: Sequence[VerifierKey]) -> Mapping[str, Any]:
    """
    Return what a certificate says, with no more than the note and the public keys.

    Raises `NoteRefused` unless one of them signed it, and `BadInput` for other notes.
    """
    title, _, rest = opened(note, keys).text.partition("\n")
    if title != _TITLE:
        raise BadInput("the note is no certificate of erasure")
    said: Mapping[str, Any] = orjson.loads(rest)
    return said


def salt_of(secret: bytes, erasure: str) -> str:
    """Return an erasure's salt, which the company can make again."""
    return hmac.digest(secret, b"erasure|" + erasure.encode(), "sha256").hex()


def committed(salt: str, person: str) -> str:
    """Return what a certificate has in the person's place."""
    return sha256(f"{salt}|{person}".encode()).hexdigest()
